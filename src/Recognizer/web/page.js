"use strict";

/* The page: from what is entered to a request, from the answer to what is seen, and both kept in the page's address. */
(() => {
  const $ = (id) => document.getElementById(id);
  const DEFAULTS = { n: $("n").defaultValue, min_score: $("min_score").defaultValue, include: [], exclude: [] };
  const FIELDS = ["url", "n", "min_score", "include", "exclude"];
  const PATIENCE_MS = 1500;
  const WAKING = "Waking up the model…";

  let source = null; // what is asked about: {url} or {blob, name, …}
  let result = null; // the answer that is on the screen
  let running = null; // AbortController of the request under way
  let answered = false; // whether the service ever did: from then on it is awake
  let labels = []; // all that the model knows, once learned
  const uploads = []; // files of this visit; history.state holds their place, so that Back finds them
  const chips = {};
  for (const id of ["include", "exclude"]) chips[id] = LabelField($(id), { known: () => labels, onChange: tellLabels });

  // --- The form ---

  /** The options as entered, or a Problem that names the field. */
  function options() {
    const right = { n: `Give a whole number from 1 to ${$("n").max}.`, min_score: "Give a number from 0 to 1." };
    for (const [id, words] of Object.entries(right)) {
      if (!$(id).value || !$(id).validity.valid) throw new Problem(words, { parameter: id });
    }
    const [include, exclude] = [chips.include.get(), chips.exclude.get()];
    return { n: $("n").valueAsNumber, min_score: $("min_score").valueAsNumber, include, exclude };
  }

  function fill({ n, min_score, include, exclude }) {
    $("n").value = n;
    $("min_score").value = $("score-slider").value = min_score;
    chips.include.set(include);
    chips.exclude.set(exclude);
    $("labels").open ||= include.length + exclude.length > 0;
  }

  /** A web address from what people write; `example.com/cat.jpg` is one. */
  function webAddress(text) {
    if (!text) throw new Problem("Give the address of a picture, or choose a file.", { parameter: "url" });
    const hasScheme = /^[a-z][a-z0-9+.-]*:(?!\d)/i.test(text); // localhost:8000 has none
    const url = hasScheme ? text : `https://${text}`;
    if (!URL.canParse(url) || !/^https?:/i.test(url) || new URL(url).hostname.includes("%")) {
      const words = "That is not a web address; one looks like https://example.com/cat.jpg.";
      throw new Problem(words, { parameter: "url" });
    }
    return url;
  }

  function showSource() {
    $("by-file").hidden = !source?.name;
    $("by-url").hidden = Boolean(source?.name);
    $("file-name").textContent = source?.name ?? "";
    if (source) $("url").value = source.url ?? "";
  }

  function tellLabels() {
    const told = [...(chips.include?.get() ?? []), ...(chips.exclude?.get() ?? []).map((name) => `not ${name}`)];
    $("labels-told").textContent = told.join(", ") || "all";
  }

  /** Labels for completion; asked for late, so that the page itself costs one request. */
  async function learnLabels() {
    if (labels.length) return;
    labels = await Service.labels();
    const option = ({ name, parents = [] }) =>
      Object.assign(document.createElement("option"), { value: name, label: parents.join(", ") });
    $("known-labels").replaceChildren(...labels.map(option));
  }

  // --- The page's address ---

  function remember(options) {
    const query = new URLSearchParams();
    if (source?.url) query.set("url", source.url);
    if (source?.sample) query.set("sample", source.sample);
    for (const [name, value] of Object.entries(options)) {
      if (String(value) !== String(DEFAULTS[name])) query.set(name, value);
    }
    const isFile = Boolean(source?.blob && !source.sample);
    if (isFile && !uploads.includes(source)) uploads.push(source);
    const state = isFile ? { upload: uploads.indexOf(source) } : null;
    const address = location.pathname + (query.size ? `?${query}` : "");
    const isNew = address !== location.pathname + location.search || state?.upload !== history.state?.upload;
    history[isNew ? "pushState" : "replaceState"](state, "", address);
  }

  /** Brings back what the address says: after opening a link, and on Back and Forward. */
  function restore() {
    const query = new URLSearchParams(location.search);
    const names = (name) => query.get(name)?.split(",").filter(Boolean) ?? [];
    fill({
      n: query.get("n") ?? DEFAULTS.n,
      min_score: query.get("min_score") ?? DEFAULTS.min_score,
      include: names("include"),
      exclude: names("exclude"),
    });
    const upload = uploads[history.state?.upload];
    if (query.has("url")) run(() => ({ url: webAddress(query.get("url")) }));
    else if (query.has("sample")) run(() => Upload.fromSample(query.get("sample")));
    else if (upload) run(() => upload);
    else reset();
  }

  function reset() {
    running?.abort();
    running = source = null;
    $("url").value = "";
    clearProblems();
    showSource();
    leave("empty");
  }

  // --- One request ---

  /** Asks about the source that `choose` gives and shows what comes of it; `keep` makes it an entry of the history. */
  async function run(choose, { keep = false } = {}) {
    running?.abort();
    const controller = (running = new AbortController());
    const isCurrent = () => controller === running;
    clearProblems();
    try {
      const next = await choose();
      if (!isCurrent()) return;
      const isShown = result && (next === source || (next.url && next.url === source?.url));
      source = next;
      showSource();
      const chosen = options();
      if (keep) remember(chosen);
      if (!isShown) {
        leave("empty");
        await Stage.preview(source.blob);
      }
      const answer = await watched(controller.signal, (callbacks) => Service.detect(source, chosen, callbacks));
      if (isCurrent()) await show({ ...answer, source, options: chosen });
    } catch (problem) {
      if (isCurrent()) fail(problem);
    } finally {
      if (isCurrent()) running = null;
    }
  }

  /** Shows from the start of `work` to its end that something is under way, what, and for how long. */
  async function watched(signal, work) {
    const started = performance.now();
    let retrying = false;
    const tick = () => {
      const elapsed = performance.now() - started;
      $("seconds").textContent = `${(elapsed / 1000).toFixed(1)} s`;
      if (elapsed < PATIENCE_MS || retrying) return;
      if (answered) doing("Still looking…", source.url ? "The picture’s own server may be slow." : "");
      else doing(WAKING, "After a pause the service has to load it first. That takes some seconds.");
    };
    const onRetry = (retry, most, { title }) => {
      retrying = true;
      doing(answered ? "Trying again…" : WAKING, `${title}. Trying again, ${retry} of ${most}.`);
    };
    $("doing").textContent = ""; // the same words as last time are news all the same
    doing("Looking…");
    tick();
    Stage.state("busy");
    Stage.reveal();
    const timer = setInterval(tick, 100);
    try {
      return await work({ signal, onRetry });
    } finally {
      clearInterval(timer);
    }
  }

  function doing(title, why = "") {
    // Else the same would be read out ten times a second.
    if ($("doing").textContent === title && $("why").textContent === why) return;
    $("doing").textContent = title;
    $("why").textContent = why;
    say(`${title} ${why}`.trim());
  }

  async function show(answer) {
    await Stage.show(answer, Findings.summary(answer));
    result = answer;
    answered = true;
    Stage.state("shown");
    $("model").textContent = result.model ?? "";
    document.title = result.count ? `${result.detections[0].label} – Recognizer` : "Recognizer";
    say(Findings.summary(result));
    await Findings.show(result);
    await learnLabels();
  }

  /** Puts the last result away. */
  function leave(state) {
    result = null;
    document.title = "Recognizer";
    Findings.hide();
    Stage.preview(null);
    Stage.state(state);
  }

  // --- What went wrong ---

  function fail(problem) {
    if (problem.name === "AbortError") return Stage.settle();
    if (!(problem instanceof Problem)) {
      console.error(problem);
      problem = new Problem("Something in this page failed. Reload it and try again.");
    }
    const { parameter, message, title, requestId, status } = problem;
    // What was entered is wrong (400, 403), or else the picture it led to, which is the stage's to tell.
    const isEntry = status <= 403 && FIELDS.includes(parameter) && !(parameter === "url" && source?.name);
    if (isEntry) {
      Stage.settle();
      return failAt(parameter, message);
    }
    leave("failed");
    $("failure-title").textContent = title;
    $("failure-detail").textContent = message;
    $("failure-id").textContent = requestId && status === 500 ? `Request ${requestId}` : "";
  }

  function failAt(field, message) {
    $(`${field}-problem`).textContent = message;
    $(field).setAttribute("aria-invalid", "true");
    if (chips[field]) $("labels").open = true;
    if (field === "url") source = null;
    $(field).focus();
  }

  function clearProblems() {
    for (const field of FIELDS) {
      $(`${field}-problem`).textContent = "";
      $(field).removeAttribute("aria-invalid");
    }
    for (const part of ["title", "detail", "id"]) $(`failure-${part}`).textContent = "";
  }

  function say(words) {
    $("status").textContent = words;
  }

  // --- Ways in and out ---

  const runTyped = () => run(() => (source?.name ? source : { url: webAddress($("url").value.trim()) }), { keep: true });
  const runFile = (file, name) => run(() => Upload.fromFile(file, name), { keep: true });

  /** Looks at a picture, or the address of one, among what was dropped or pasted; whether there was any. */
  function take(transfer) {
    const [file] = transfer.files;
    const [text] = (transfer.getData("text/uri-list") || transfer.getData("text/plain")).trim().split("\n");
    const isAddress = /^https?:\/\/\S+$/i.test(text);
    if (file) runFile(file);
    else if (isAddress) run(() => ({ url: text }), { keep: true });
    return Boolean(file) || isAddress;
  }

  async function pasteByButton() {
    try {
      for (const item of await navigator.clipboard.read()) {
        const type = item.types.find((name) => name.startsWith("image/"));
        if (type) return runFile(await item.getType(type), `pasted.${type.slice("image/".length)}`);
      }
      const text = await navigator.clipboard.readText();
      run(() => ({ url: webAddress(text.trim()) }), { keep: true });
    } catch {
      const words = "The browser does not hand over the clipboard. Press Ctrl+V instead, or ⌘V on a Mac.";
      fail(new Problem(words, { title: "Nothing was pasted" }));
    }
  }

  async function copy({ currentTarget: button }) {
    const text = $(button.dataset.copies);
    try {
      await navigator.clipboard.writeText(text.textContent);
      button.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(text); // no clipboard on plain http: the next key press copies
      button.textContent = "Press Ctrl+C";
    }
    say(button.textContent);
    setTimeout(() => (button.textContent = "Copy"), 2000);
  }

  function on(target, type, listener) {
    (typeof target === "string" ? $(target) : target).addEventListener(type, listener);
  }

  on("ask", "submit", (event) => (event.preventDefault(), runTyped()));
  on("choose", "click", () => $("file").click());
  on("file", "change", () => {
    if ($("file").files.length) runFile($("file").files[0]);
    $("file").value = ""; // the same file can be chosen again
  });
  on("paste", "click", pasteByButton);
  on("forget", "click", () => {
    reset();
    remember(DEFAULTS);
    $("url").focus();
  });
  for (const button of document.querySelectorAll("[data-sample]")) {
    on(button, "click", () => run(() => Upload.fromSample(button.dataset.sample), { keep: true }));
  }
  on("score-slider", "input", () => ($("min_score").value = $("score-slider").value));
  on("min_score", "input", () => ($("score-slider").value = $("min_score").value));
  on("labels", "toggle", () => $("labels").open && learnLabels());
  on("again", "click", () => (source ? run(() => source) : runTyped()));
  on("cancel", "click", () => running?.abort());
  on("lower", "click", () => {
    fill({ ...result.options, min_score: $("lower").value });
    run(() => source, { keep: true });
  });
  for (const button of document.querySelectorAll("[data-copies]")) on(button, "click", copy);
  on(window, "keydown", ({ key }) => key === "Escape" && running?.abort());
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

  for (const element of document.querySelectorAll("[data-scripted]")) element.hidden = false;
  $("paste").hidden = !navigator.clipboard?.read;
  for (const link of document.querySelectorAll("a[href]")) link.href = Service.address(link.getAttribute("href"));
  restore();
})();
