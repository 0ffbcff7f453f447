/* Several pictures, one after the other, so that one instance of the service does for all; and all of it to save. */
import { $, save } from "./dom.js";
import { asked, shown, widest } from "./options.js";
import { fromFile, isShowable, stem } from "./pictures.js";
import { Problem } from "./problem.js";
import { detect, render } from "./service.js";
import { Strip } from "./strip.js";
import { zipOf } from "./zip.js";

/** `onOpen` hears of the answer to show; `options` gives those of now. */
export function Batch({ onOpen, options, say, onProblem }) {
  let items = []; // {name, source, url, answer, told, state}
  let current = -1;
  let running = null;

  const strip = Strip((index) => {
    if (items[index].answer) open(index);
    else onProblem(items[index].problem);
  });

  const open = (index) => {
    current = index;
    return onOpen(items[index].answer);
  };

  const sizeOf = ({ image }) => [image.width, image.height];
  const seen = ({ document }) => shown(options(), document.detections, sizeOf(document));

  function tell() {
    for (const item of items) if (item.answer) item.told = String(seen(item.answer).length);
    strip.show(items, current);
    const isDone = items.length && items.every(({ state }) => state !== "waiting");
    for (const id of ["save-zip", "save-lines"]) $(id).disabled = !isDone || !items.some(({ answer }) => answer);
  }

  /** Looks at files; ends once the first one that can be shown is. `callbacks` are those of `detect`. */
  async function run(files, callbacks) {
    clear();
    const { signal } = (running = new AbortController());
    items = files.map((file) => ({ name: file.name, told: "…", state: "waiting" }));
    tell();
    let first = null;
    const all = (async () => {
      for (const [index, item] of items.entries()) {
        await look(item, files[index], { ...callbacks, signal });
        if (signal.aborted) return;
        if (item.answer && first === null) first = index;
        if (first === index) {
          await open(index);
          isShown();
        }
        tell();
      }
      if (first === null) throw items[0].problem;
      say(`${items.length} pictures done.`);
    })();
    let isShown;
    const shownFirst = new Promise((resolve) => (isShown = resolve));
    all.catch(() => {}); // told by the race where nothing could be shown
    return Promise.race([shownFirst, all]);
  }

  async function look(item, file, callbacks) {
    try {
      const source = await fromFile(file);
      item.source = source;
      item.answer = { ...(await detect(source, widest(options()), { ...callbacks, isShowable })), source };
      item.url = URL.createObjectURL(item.answer.picture);
      item.state = "done";
    } catch (problem) {
      item.problem = problem instanceof Problem ? problem : new Problem("This picture could not be looked at.");
      Object.assign(item, { told: "!", state: "failed" });
    }
  }

  function clear() {
    running?.abort();
    for (const { url } of items) if (url) URL.revokeObjectURL(url);
    [items, current, running] = [[], -1, null];
    tell();
  }

  const results = () => items.filter(({ answer }) => answer);
  const documentOf = ({ name, answer }) => ({ file: name, ...answer.document, detections: seen(answer) });

  /** A name for each, none twice. */
  function named(list) {
    const taken = new Map();
    return list.map((item) => {
      const name = stem(item.source);
      taken.set(name, (taken.get(name) ?? 0) + 1);
      return taken.get(name) > 1 ? `${name}-${taken.get(name)}` : name;
    });
  }

  function saveLines() {
    const lines = results().map((item) => `${JSON.stringify(documentOf(item))}\n`);
    save(new Blob(lines, { type: "application/jsonl" }), "recognizer.jsonl");
  }

  async function saveZip() {
    const [list, entries] = [results(), []];
    const names = named(list);
    $("save-zip").disabled = true;
    try {
      for (const [index, item] of list.entries()) {
        say(`Drawing ${index + 1} of ${list.length}…`);
        $("save-zip").textContent = `${index + 1} of ${list.length}…`;
        const parameters = asked(options(), item.answer.document.detections);
        const drawn = await render(item.source, parameters).catch((problem) => (problem.status === 404 ? null : Promise.reject(problem)));
        if (drawn) entries.push([`${names[index]}-objects.${drawn.extension}`, drawn.picture]);
        entries.push([`${names[index]}.json`, new Blob([JSON.stringify(documentOf(item), null, 2)])]);
      }
      save(await zipOf(entries), "recognizer.zip");
      say("Saved");
    } catch (problem) {
      onProblem(problem);
    } finally {
      $("save-zip").textContent = "Save all (zip)";
      tell();
    }
  }

  $("save-lines").addEventListener("click", saveLines);
  $("save-zip").addEventListener("click", saveZip);

  return { run, clear, count: tell, has: (source) => items.some((item) => item.source === source) };
}
