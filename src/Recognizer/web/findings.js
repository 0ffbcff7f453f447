"use strict";

/* What was found: the objects, the time it took, and the same request as a curl line and as JSON. */
const Findings = (() => {
  const $ = (id) => document.getElementById(id);
  const number = (value, digits = 0) => value.toLocaleString("en", { maximumFractionDigits: digits });
  const percent = (score) => `${Math.round(Math.round(score * 1e4) / 100)} %`; // 0.145 * 100 is 14.499…
  const plural = (count) => `${count} ${count === 1 ? "object" : "objects"}`;
  const LOWER_SCORES = [0.1, 0.02]; // what to offer where nothing was found
  const SPOKEN = 10; // objects named in the sentence that stands for the picture

  let result = null; // the answer on the screen, with the source and the options that led to it
  let pinned = null; // place in the list of the object that stays lit

  function create(name, className, text = "") {
    return Object.assign(document.createElement(name), { className, textContent: text });
  }

  /** One sentence for those who do not see the picture. */
  function summary({ detections, count }) {
    if (!count) return "No objects found.";
    const named = detections.slice(0, SPOKEN).map(({ label, score }) => `${label} ${percent(score)}`);
    const others = count > named.length ? ` and ${count - named.length} more` : "";
    return `${plural(count)} found: ${named.join(", ")}${others}.`;
  }

  async function show(answer) {
    result = answer;
    $("findings").hidden = false;
    showCaption();
    showObjects();
    showTimes();
    $("curl").textContent = Service.curl(result.source, result.options, fileName());
    $("json").textContent = "";
    if (result.count > result.detections.length) await showAll();
    else if ($("json-details").open) await showJson();
    colour(await Service.labels());
  }

  function hide() {
    result = null;
    $("findings").hidden = true;
  }

  function showCaption() {
    const { picture, size, reduced, source } = result;
    const type = picture.type.replace("image/", "").toUpperCase();
    const facts = [size && `${size.join(" × ")} px`, type, `${number(picture.size / 1000)} kB`];
    const notes = [source.note, reduced && `The picture with its boxes was made smaller to fit: ${reduced}`];
    $("facts").textContent = [facts.filter(Boolean).join(", "), ...notes.filter(Boolean)].join(". ");
    $("download").href = $("picture").src;
    $("download").download = fileName();
  }

  function fileName() {
    const path = result.source.url ? new URL(result.source.url).pathname : result.source.name;
    const stem = path.split("/").pop().replace(/\.\w+$/, "").replace(/[^\p{L}\p{N}_-]+/gu, "-");
    return `${stem || "picture"}-objects.${result.extension}`;
  }

  // --- Objects ---

  function showObjects() {
    pinned = null;
    $("objects-title").textContent = result.count ? plural(result.count) : "No objects";
    $("objects").replaceChildren(...result.detections.map(objectItem));
    $("more").textContent = "";
    $("none").hidden = result.count > 0;
    if (!result.count) showNone(result.options);
  }

  function showNone({ min_score, include, exclude }) {
    const lower = LOWER_SCORES.find((score) => score < min_score);
    const among = include.length || exclude.length ? "among the labels you chose " : "";
    $("none-told").textContent = `Nothing ${among}reached a score of ${min_score}.`;
    $("lower").hidden = lower === undefined;
    $("lower").textContent = `Try a minimum of ${lower}`;
    $("lower").value = lower ?? "";
  }

  function objectItem({ label, score, box }, index) {
    const item = document.createElement("li");
    const button = create("button", "object");
    button.type = "button";
    button.dataset.label = label;
    button.setAttribute("aria-pressed", "false");
    button.style.setProperty("--score", score);
    button.append(
      create("span", "swatch"),
      create("span", "label", label),
      create("span", "score", percent(score)),
      create("span", "where", `${box.xmax - box.xmin} × ${box.ymax - box.ymin} px at ${box.xmin}, ${box.ymin}`),
      create("span", "gauge"),
    );
    button.addEventListener("pointerenter", () => light(index));
    button.addEventListener("pointerleave", () => light(pinned));
    button.addEventListener("focus", () => light(index));
    button.addEventListener("blur", () => light(pinned));
    button.addEventListener("click", () => pin(index));
    item.append(button);
    return item;
  }

  const items = () => [...$("objects").children];

  function light(index) {
    Stage.light(index);
    items().forEach((item, place) => item.classList.toggle("lit", place === index));
  }

  /** Keeps one object lit, for touch screens and for a longer look; once more lets it go. */
  function pin(index) {
    pinned = pinned === index ? null : index;
    items().forEach((item, place) => item.firstChild.setAttribute("aria-pressed", String(place === pinned)));
    light(pinned);
    if (pinned !== null) Stage.reveal();
  }

  /** Gives each object in the list the colour that its box is drawn in, where the service tells. */
  function colour(labels) {
    const colours = new Map(labels.map(({ name, color }) => [name, color]));
    for (const { firstChild: button } of items()) {
      const known = colours.get(button.dataset.label);
      if (known) button.style.setProperty("--colour", known);
    }
  }

  // --- Time ---

  function showTimes() {
    const { timings, elapsed } = result;
    const total = timings.reduce((sum, [, ms]) => sum + ms, 0);
    $("bar").replaceChildren(
      ...timings.map(([name, ms]) => {
        const part = create("span", name);
        part.style.setProperty("--share", ms / total);
        return part;
      }),
    );
    const steps = timings.map(([name, ms]) => ["", name, ms]);
    const rows = [...steps, ["sum", "in the service", total], ["sum", "round trip", elapsed]];
    $("times").replaceChildren(
      ...rows.map(([className, name, ms]) => {
        const row = create("div", className);
        row.append(create("dt", "", name), create("dd", "", `${number(ms, ms < 10 ? 1 : 0)} ms`));
        return row;
      }),
    );
  }

  // --- JSON ---

  /** The answer's header holds 4 KB of detections; the rest is in the JSON. */
  async function showAll() {
    const shown = result;
    $("more").textContent = `The first ${shown.detections.length} of ${shown.count}; the rest is on its way…`;
    const document = await showJson();
    if (shown !== result) return;
    if (!document) {
      $("more").textContent = `The first ${shown.detections.length} of ${shown.count}; the rest did not arrive.`;
      return;
    }
    shown.detections = document.detections;
    Stage.mark(shown.detections);
    showObjects();
  }

  /** Fetches the JSON answer, once for each result, and shows it; null if that fails. */
  async function showJson() {
    const shown = result;
    $("json").textContent = "…";
    try {
      shown.json ??= Service.json(shown.source, shown.options);
      const document = await shown.json;
      if (shown === result) $("json").textContent = JSON.stringify(document, null, 2);
      return document;
    } catch (problem) {
      shown.json = null;
      if (shown === result) $("json").textContent = problem.message;
      return null;
    }
  }

  $("json-details").addEventListener("toggle", () => {
    if (result && $("json-details").open && !$("json").textContent) showJson();
  });
  addEventListener("keydown", ({ key }) => {
    if (key === "Escape" && pinned !== null) pin(pinned);
  });
  Stage.pointed((index, isClick) => (isClick ? pin(index) : light(index ?? pinned)));

  return { summary, show, hide };
})();
