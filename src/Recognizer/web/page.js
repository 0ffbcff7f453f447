/* The page: from what is entered to a request, from the answer to what is seen, and both kept in the page's address. */
import { Batch } from "./batch.js";
import { hasCamera, takePicture } from "./camera.js";
import { Chips } from "./chips.js";
import { $ } from "./dom.js";
import { summary, tellCount, tellFacts, tellNone, tellTimes } from "./findings.js";
import { FIELDS, Form, STANDARD } from "./form.js";
import { Keeping } from "./keeping.js";
import { Objects } from "./objects.js";
import { candidates, fromQuery, isEnough, shown, toQuery, widest } from "./options.js";
import { inks } from "./palette.js";
import { fromFile, fromSample, isShowable, MAX_BYTES, megabytes } from "./pictures.js";
import { Problem } from "./problem.js";
import { allLabels, detect, find } from "./service.js";
import { Stage } from "./stage.js";
import { address } from "./transport.js";
import { MAX_UPLOAD_BYTES } from "./uploads.js";
import { Waiting } from "./waiting.js";
import { Whole } from "./whole.js";

let source = null; // what is asked about: {url} or {blob, name, …}
let result = null; // the answer that is on the screen, with its source
let options = STANDARD;
let running = null; // AbortController of the request under way
let refining = null; // the same for more objects of a picture that is shown
let labels = []; // all that the model knows, once learned
const uploads = []; // files of this visit; history.state holds their place, so that Back finds them

const say = (words) => ($("status").textContent = words);
const form = Form({ known: () => labels, onChange: change });
const objects = Objects({ onLight: (index) => stage.light(index), onPin: (index) => stage.reveal(index) });
const stage = Stage({ onPoint: (index, isClick) => objects.point(index, isClick), onRegion: mark });
const chips = Chips({ onHide: toggle, onScore: score });
const keeping = Keeping({ say, onProblem: (words) => ($("keep-problem").textContent = words) });
const waiting = Waiting(say);
const whole = Whole(say);
const batch = Batch({ onOpen: (entry) => open(entry), options: () => options, say, onProblem: fail });

// --- Options ---

/** What was changed in the form is seen at once. */
function change() {
  form.clear();
  try {
    options = form.read(options);
  } catch (problem) {
    return form.fault(problem.parameter, problem.message, { isQuiet: true });
  }
  stage.region(options.region);
  update();
}

function set(changes) {
  options = { ...options, ...changes };
  form.fill(options);
  stage.region(options.region);
  update();
}

function toggle(label) {
  set({ hide: options.hide.includes(label) ? options.hide.filter((other) => other !== label) : [...options.hide, label] });
}

function score(label, value) {
  const { [label]: _, ...others } = options.scores;
  set({ scores: value === null ? others : { ...others, [label]: value } });
}

function mark(region) {
  set({ region });
  stage.mark(false);
}

function update() {
  remember();
  if (!result) return;
  draw();
  if (!isEnough(result.asked, result.document.detections, options)) refine();
}

/** Asks for objects that the answer on the screen does not have; the picture stays. */
async function refine() {
  refining?.abort();
  const { signal } = (refining = new AbortController());
  const [wanted, shownResult] = [widest(options), result];
  $("hidden-told").textContent = "Looking again…";
  try {
    const document = await find(result.source, wanted, { signal });
    if (signal.aborted || result !== shownResult) return;
    Object.assign(result, { document, asked: wanted });
    draw();
  } catch (problem) {
    if (problem.name === "AbortError" || result !== shownResult) return;
    draw();
    if (FIELDS.includes(problem.parameter)) form.fault(problem.parameter, problem.message, { isQuiet: true });
    else say(problem.message);
  }
}

// --- The page's address ---

function remember({ isNew = false } = {}) {
  const query = new URLSearchParams();
  if (source?.url) query.set("url", source.url);
  if (source?.sample) query.set("sample", source.sample);
  for (const [name, value] of Object.entries(toQuery(options, STANDARD))) query.set(name, value);
  const isFile = Boolean(source?.blob && !source.sample);
  if (isFile && !uploads.includes(source)) uploads.push(source);
  const state = isFile ? { upload: uploads.indexOf(source) } : null;
  const written = location.pathname + (query.size ? `?${query}` : "");
  const isOther = written !== location.pathname + location.search || state?.upload !== history.state?.upload;
  history[isNew && isOther ? "pushState" : "replaceState"](state, "", written);
}

/** Brings back what the address says: after opening a link, and on Back and Forward. */
function restore() {
  const query = new URLSearchParams(location.search);
  options = fromQuery(query, STANDARD);
  form.fill(options);
  stage.region(options.region);
  const upload = uploads[history.state?.upload];
  const { url, sample } = result?.source ?? {};
  const isShown = upload ? result?.source === upload : (url ?? sample) && (query.get("url") ?? query.get("sample")) === (url ?? sample);
  if (isShown && !running) update();
  else if (query.has("url")) run(() => ({ url: form.webAddress(query.get("url")) }));
  else if (query.has("sample")) run(() => fromSample(query.get("sample")));
  else if (upload) run(() => upload);
  else reset();
}

function reset() {
  running?.abort();
  running = source = result = null;
  form.clear();
  batch.clear();
  tellSource();
  document.title = "Recognizer";
  $("findings").hidden = true;
  stage.load(null);
  stage.state("empty");
}

function tellSource() {
  $("chosen").hidden = !source?.name;
  $("file-name").textContent = source?.name ?? "";
  $("url").value = source?.url ?? "";
}

// --- One request ---

/** Asks about the source that `choose` gives and shows what comes of it; `keep` makes it an entry of the history. */
async function run(choose, { keep = false } = {}) {
  running?.abort();
  const controller = (running = new AbortController());
  const isCurrent = () => controller === running;
  form.clear();
  clearFailure();
  try {
    const next = await choose();
    if (!next || !isCurrent()) return;
    if (!batch.has(next)) batch.clear();
    source = next;
    tellSource();
    options = form.read(options);
    if (keep) {
      if (result?.source !== source) options = { ...options, hide: [], scores: {}, region: null };
      form.fill(options);
      stage.region(options.region);
      remember({ isNew: true });
    }
    if (!result && next.blob && (await isShowable(next.blob))) await stage.load(next.blob);
    if (!isCurrent()) return;
    stage.state("busy");
    $("stage").scrollIntoView({ block: "nearest" });
    const wanted = widest(options);
    const { signal } = controller;
    const answer = await waiting(Boolean(next.url), (callbacks) => detect(next, wanted, { signal, isShowable, ...callbacks }));
    if (isCurrent()) await open({ ...answer, source: next }, isCurrent);
  } catch (problem) {
    if (isCurrent()) fail(problem);
  } finally {
    if (isCurrent()) running = null;
  }
}

/** Several files: the first is shown, the others are looked at meanwhile. */
function runFiles(files) {
  if (files.length === 1) return run(() => fromFile(files[0]), { keep: true });
  running?.abort();
  running = null;
  clearFailure();
  stage.state("busy");
  return waiting(false, (callbacks) => batch.run([...files], callbacks)).catch(fail);
}

/** Puts an answer on the stage. */
async function open(answer, isWanted = () => true) {
  await stage.load(answer.picture);
  if (!isWanted()) return;
  result = answer;
  if (source !== answer.source) {
    source = answer.source;
    tellSource(); // only then: an address may be half typed by now
  }
  stage.state("shown");
  $("stage").scrollIntoView({ block: "nearest" });
  remember();
  $("findings").hidden = false;
  $("model").textContent = result.document.model?.name ?? "";
  whole.show(result);
  tellFacts(result);
  tellTimes(result);
  draw();
  const seen = visible();
  document.title = seen.length ? `${seen[0].label} – Recognizer` : "Recognizer";
  say(summary(seen));
  if (!isEnough(result.asked, result.document.detections, options)) refine();
  learnLabels();
}

const sizeOf = ({ image }) => [image.width, image.height];
const visible = () => shown(options, result.document.detections, sizeOf(result.document));

/** Shows the objects that the options leave. */
function draw() {
  const { document: found, source: of } = result;
  const left = candidates(options, found.detections, sizeOf(found));
  const seen = visible();
  const colours = inks(seen);
  stage.show(seen, sizeOf(found), options.look, summary(seen));
  objects.show(seen, colours.map(({ line }) => line));
  chips.show(left, options, new Map(seen.map(({ label }, index) => [label, colours[index].plain])));
  tellCount(seen, left);
  tellNone(seen, left, options, found);
  $("whole").hidden = !options.region;
  keeping.show({ source: of, document: { ...found, detections: seen }, options, found: left });
  batch.count();
}

/** Labels for completion; asked for late, so that the page itself costs one request. */
async function learnLabels() {
  if (labels.length) return;
  labels = await allLabels();
  const option = ({ name, parents = [] }) => Object.assign(document.createElement("option"), { value: name, label: parents.join(", ") });
  $("known-labels").replaceChildren(...labels.map(option));
}

// --- What went wrong ---

function fail(problem) {
  if (problem.name === "AbortError") return back();
  if (!(problem instanceof Problem)) {
    console.error(problem);
    problem = new Problem("Something in this page failed. Reload it and try again.");
  }
  const { parameter, message, title, requestId, status } = problem;
  // What was entered is wrong (400, 403, too many tiles), or else the picture it led to, which is the stage's to tell.
  const isEntry = (status <= 403 || parameter === "tiles") && FIELDS.includes(parameter) && !(parameter === "url" && source?.name);
  if (isEntry) {
    stage.settle();
    return form.fault(parameter, message);
  }
  stage.state("failed");
  $("failure-title").textContent = title;
  $("failure-detail").textContent = message;
  $("failure-id").textContent = requestId && status === 500 ? `Request ${requestId}` : "";
  $("return").hidden = !result;
}

function clearFailure() {
  for (const part of ["title", "detail", "id"]) $(`failure-${part}`).textContent = "";
  $("keep-problem").textContent = "";
}

/** Back to the last result, or to the empty page. */
function back() {
  running = null;
  clearFailure();
  if (!result) return source?.blob && "picture" in $("stage").dataset ? stage.settle() : reset();
  source = result.source;
  tellSource();
  remember();
  stage.settle();
}

// --- Ways in and out ---

function runTyped() {
  const typed = $("url").value.trim();
  run(() => (!typed && source?.name ? source : { url: form.webAddress(typed) }), { keep: true });
}

const runBlob = (blob, name) => run(() => fromFile(blob, name), { keep: true });

/** Looks at pictures, or the address of one, among what was dropped or pasted; whether there was any. */
function take(transfer) {
  const [text] = (transfer.getData("text/uri-list") || transfer.getData("text/plain")).trim().split("\n");
  const isAddress = /^https?:\/\/\S+$/i.test(text);
  if (transfer.files.length) runFiles(transfer.files);
  else if (isAddress) run(() => ({ url: text }), { keep: true });
  return Boolean(transfer.files.length) || isAddress;
}

async function pasteByButton() {
  try {
    for (const item of await navigator.clipboard.read()) {
      const type = item.types.find((name) => name.startsWith("image/"));
      if (type) return runBlob(await item.getType(type), `pasted.${type.slice("image/".length)}`);
    }
    const text = await navigator.clipboard.readText();
    run(() => ({ url: form.webAddress(text.trim()) }), { keep: true });
  } catch {
    const words = "The browser does not hand over the clipboard. Press Ctrl+V instead, or ⌘V on a Mac.";
    fail(new Problem(words, { title: "Nothing was pasted" }));
  }
}

async function snap() {
  try {
    const picture = await takePicture();
    if (picture) runBlob(picture, "camera.jpg");
  } catch (problem) {
    fail(problem);
  }
}

const on = (target, type, listener) => (typeof target === "string" ? $(target) : target).addEventListener(type, listener);

on("ask", "submit", (event) => (event.preventDefault(), runTyped()));
for (const id of ["choose", "invite"]) on(id, "click", () => $("file").click());
on("file", "change", () => {
  if ($("file").files.length) runFiles([...$("file").files]);
  $("file").value = ""; // the same file can be chosen again
});
on("paste", "click", pasteByButton);
on("snap", "click", snap);
on("forget", "click", () => {
  reset();
  remember({ isNew: true });
  $("url").focus();
});
for (const sample of document.querySelectorAll("[data-sample]")) {
  on(sample, "click", () => run(() => fromSample(sample.dataset.sample), { keep: true }));
}
on("more", "toggle", () => $("more").open && learnLabels());
on("again", "click", () => (source ? run(() => source) : runTyped()));
on("return", "click", back);
const cancel = () => (running ? running.abort() : (batch.clear(), back()));
on("cancel", "click", cancel);
on("lower", "click", () => set({ min_score: Number($("lower").value), scores: {} }));
on("unhide", "click", () => set({ hide: [] }));
on("whole", "click", () => set({ region: null }));
on(window, "keydown", ({ key }) => key === "Escape" && $("cancel").checkVisibility() && cancel());
on(window, "popstate", restore);
on(window, "paste", (event) => {
  const isTyping = event.target.matches?.("input");
  if ((event.clipboardData.files.length || !isTyping) && take(event.clipboardData)) event.preventDefault();
});
on(window, "dragover", (event) => (event.preventDefault(), document.body.classList.add("dropping")));
on(window, "dragleave", ({ relatedTarget }) => relatedTarget || document.body.classList.remove("dropping"));
on(window, "drop", (event) => {
  event.preventDefault();
  document.body.classList.remove("dropping");
  if (take(event.dataTransfer)) return;
  fail(new Problem("Drop a picture file, or a picture from another page.", { title: "That is not a picture" }));
});

for (const part of document.querySelectorAll("[data-scripted]")) part.hidden = false;
$("invite").disabled = false;
if (MAX_UPLOAD_BYTES) $("kept").textContent = `Pictures are not kept, but files above ${megabytes(MAX_BYTES)} are, for a while.`;
$("paste").hidden = !navigator.clipboard?.read;
hasCamera().then((isThere) => ($("snap").hidden = !isThere));
for (const link of document.querySelectorAll("a[href]")) link.href = address(link.getAttribute("href"));
restore();
