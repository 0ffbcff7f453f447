"use strict";

/*
 * The service as the page sees it: what to ask, how to read the answer, when to ask again, and the same as a curl line.
 * Knows nothing of the page.
 */
const Service = (() => {
  // Also right where the page is at /prod, a stage of API Gateway without its slash.
  const BASE = new URL(location.pathname.replace(/\/?$/, "/"), location.href);
  const MAX_ADDRESS_CHARACTERS = 6000; // API Gateway takes 10,240 bytes of request line and headers together
  const PAUSES_MS = [1000, 3000, 6000];
  const EXTENSIONS = { "image/jpeg": "jpg", "image/png": "png", "image/webp": "webp", "image/gif": "gif" };

  const address = (path) => new URL(path, BASE).href;

  /** The options as parameters. All that the page shows is sent, whatever the service's own defaults are. */
  function parameters({ n, min_score, include, exclude }) {
    const labels = { include: include.join(","), exclude: exclude.join(",") };
    return Object.entries({ n, min_score, ...labels }).filter(([, value]) => value !== "");
  }

  /** What fetch needs for a source {url} or {blob}; a file goes as base64, which survives every gateway. */
  async function requestFor(source, options, format) {
    const asked = { ...Object.fromEntries(parameters(options)), format };
    if (source.url) {
      const question = address(`detector?${new URLSearchParams({ url: source.url, ...asked })}`);
      if (question.length <= MAX_ADDRESS_CHARACTERS) return [question, {}];
    }
    if (source.blob) source.base64 ??= await base64(source.blob);
    const body = JSON.stringify({ ...(source.blob ? { image: source.base64 } : { url: source.url }), ...asked });
    return [address("detector"), { method: "POST", headers: { "Content-Type": "application/json" }, body }];
  }

  function base64(blob) {
    return new Promise((resolve, reject) => {
      const reader = new FileReader();
      reader.onload = () => resolve(reader.result.slice(reader.result.indexOf(",") + 1));
      reader.onerror = () => reject(new Problem("The file cannot be read; choose it again."));
      reader.readAsDataURL(blob);
    });
  }

  /** One answer, or the Problem it is. */
  async function once(url, init) {
    let response;
    try {
      response = await Access.request(url, init);
    } catch (error) {
      if (error.name === "AbortError") throw error;
      throw new Problem("Check the connection to the network, then try again.", {
        title: "The service cannot be reached",
        passing: true,
      });
    }
    if (response.ok) return response;
    throw problemOf(response, init.method, await response.text());
  }

  function problemOf({ status, headers }, method, body) {
    if (method === "POST" && (status === 404 || status === 405)) {
      return new Problem("This service takes no files. Give the picture’s web address instead.", { status });
    }
    if (headers.get("Content-Type")?.includes("problem+json")) {
      const { title, detail, parameter, request_id: requestId } = JSON.parse(body);
      return new Problem(detail, { title, status, parameter, requestId });
    }
    // Not the service speaks here but the gateway before it, which knows only {"message": "Service Unavailable"}.
    if (status === 413) {
      return new Problem("It is too big to be sent; choose a smaller one.", { title: "Picture too large", status });
    }
    if (status === 429) {
      return new Problem("Too many requests came in at once. Wait a moment, then try again.", {
        title: "The service is busy", status, passing: true,
      });
    }
    if (status >= 500) {
      return new Problem("It may still be waking up. Try again in a minute.", {
        title: "The service did not answer in time", status, passing: true,
      });
    }
    return new Problem(`The answer was ${status}, and nothing more is known.`, { title: "The service refused", status });
  }

  /** Asks until there is an answer, a Problem that will not pass, or no patience left; onRetry hears of each new try. */
  async function send([url, init], { signal, onRetry }) {
    for (let retry = 0; ; retry++) {
      try {
        return await once(url, { ...init, signal });
      } catch (problem) {
        if (!problem.passing || retry === PAUSES_MS.length) throw problem;
        onRetry?.(retry + 1, PAUSES_MS.length, problem);
        await pause(PAUSES_MS[retry], signal);
      }
    }
  }

  function pause(ms, signal) {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(resolve, ms);
      signal?.addEventListener("abort", () => (clearTimeout(timer), reject(signal.reason)), { once: true });
    });
  }

  /** The annotated picture, and what the headers say about it. */
  async function detect(source, options, callbacks) {
    const started = performance.now();
    const response = await send(await requestFor(source, options, "image"), callbacks);
    const picture = await response.blob();
    const headers = response.headers;
    const detections = JSON.parse(headers.get("X-Detections") ?? "[]");
    return {
      picture,
      detections,
      count: Number(headers.get("X-Detection-Count") ?? detections.length), // the list is cut at 4 KB, this is not
      size: headers.get("X-Image-Size")?.split("x").map(Number),
      reduced: headers.get("X-Image-Reduced"),
      model: headers.get("X-Model")?.split(";")[0],
      timings: timingsOf(headers.get("Server-Timing") ?? ""),
      elapsed: performance.now() - started,
      extension: EXTENSIONS[picture.type] ?? "jpg",
    };
  }

  /** "download;dur=4.7, detect;dur=33.2" as [name, milliseconds]. */
  function timingsOf(header) {
    return Array.from(header.matchAll(/([\w-]+);dur=([\d.]+)/g), ([, name, ms]) => [name, Number(ms)]);
  }

  async function json(source, options, callbacks = {}) {
    return (await send(await requestFor(source, options, "json"), callbacks)).json();
  }

  let known;
  /** All names that can be asked for, [{name, parents?, color?}]; fetched once, and none where the service has none. */
  function labels() {
    known ??= fetch(address("labels"))
      .then((response) => (response.ok ? response.json() : {}))
      .then(({ labels = [], groups = [] }) => {
        const kinds = groups.map((name) => ({ name, parents: ["all of a kind"] }));
        return [...labels, ...kinds];
      })
      .catch(() => []);
    return known;
  }

  const quoted = (text) => `'${String(text).replaceAll("'", "'\\''")}'`;

  /** A command line for any POSIX shell that asks the same and saves the picture. */
  function curl(source, options, saveAs) {
    if (source.url) {
      const data = [["url", source.url], ...parameters(options)];
      const lines = data.map(([name, value]) => `--data-urlencode ${quoted(`${name}=${value}`)}`);
      return [`curl --get ${quoted(address("detector"))}`, ...Access.shell(), ...lines, `--output ${quoted(saveAs)}`].join(" \\\n  ");
    }
    const lines = [
      `curl ${quoted(address(`detector?${new URLSearchParams(parameters(options))}`))}`,
      `--header ${quoted(`Content-Type: ${source.original.type || "image/jpeg"}`)}`,
      "--header 'Accept: image/*'",
      ...Access.shell(),
      `--data-binary ${quoted(source.sample ? "@-" : `@${source.name}`)}`,
      `--output ${quoted(saveAs)}`,
    ];
    const command = lines.join(" \\\n  ");
    if (source.sample) return `curl --silent ${quoted(address(`samples/${source.sample}.jpg`))} |\n${command}`;
    return source.note ? `# ${source.name} is too big as it is: make it smaller first.\n${command}` : command;
  }

  return { address, detect, json, labels, curl };
})();
