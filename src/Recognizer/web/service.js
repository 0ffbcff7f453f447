/* The service as the page sees it: what to ask of it and how to read its answers. Knows nothing of the page. */
import { asQuery } from "./options.js";
import { Problem } from "./problem.js";
import { ask, send } from "./transport.js";
import { MAX_UPLOAD_BYTES, resultOf, upload } from "./uploads.js";

const MAX_ADDRESS_CHARACTERS = 6000; // API Gateway takes 10,240 bytes of request line and headers together
const EXTENSIONS = { "image/jpeg": "jpg", "image/png": "png", "image/webp": "webp", "image/gif": "gif" };

/** What `send` needs to ask a service (detector, classifier) about a source {url} or {blob}; a file goes as base64, which survives every gateway. */
async function requestFor(service, source, parameters) {
  const query = asQuery(parameters);
  if (source.url && query) {
    const path = `${service}?${new URLSearchParams({ url: source.url, ...Object.fromEntries(query) })}`;
    if (path.length <= MAX_ADDRESS_CHARACTERS) return [path, {}];
  }
  if (source.blob) source.base64 ??= await base64(source.blob);
  const body = JSON.stringify({ ...(source.blob ? { image: source.base64 } : { url: source.url }), ...parameters });
  return [service, { method: "POST", headers: { "Content-Type": "application/json" }, body }];
}

export function base64(blob) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result.slice(reader.result.indexOf(",") + 1));
    reader.onerror = () => reject(new Problem("The file cannot be read; choose it again."));
    reader.readAsDataURL(blob);
  });
}

async function asked(source, parameters, { signal, onRetry } = {}) {
  const [path, init] = await requestFor("detector", source, parameters);
  return send(path, { ...init, signal, onRetry });
}

const canGoByBucket = ({ blob }) => Boolean(blob) && blob.size <= MAX_UPLOAD_BYTES;

/** Does something by one request, or by way of the bucket where a file is too large for that. */
async function either(source, byRequest, byBucket) {
  if (source.isLarge) return byBucket();
  try {
    return await byRequest();
  } catch (problem) {
    // The service names what is too large; one that names nothing stands before it and looks at the request alone.
    const isRefused = problem.status === 413 && !problem.parameter;
    if (!isRefused || !canGoByBucket(source)) throw problem;
    source.isLarge = true;
    return byBucket();
  }
}

/**
 * What is in a picture, and a picture that the browser can show, from one answer: for an address the service sends both,
 * a file is here already. What the browser cannot show (TIFF) is asked for once more, as a JPEG.
 */
export async function detect(source, parameters, { isShowable, ...callbacks }) {
  const started = performance.now();
  const picture = source.blob && (await isShowable(source.blob)) ? source.blob : null;
  const answer = await either(
    source,
    () => detectAtOnce(source, picture, parameters, { isShowable, ...callbacks }),
    () => detectInTurn(source, picture, parameters, callbacks),
  );
  return { ...answer, elapsed: performance.now() - started, asked: parameters };
}

async function detectAtOnce(source, picture, parameters, { isShowable, ...callbacks }) {
  let answer = await asked(source, { ...parameters, ...(picture ? { format: "json" } : BOTH), ...(source.blob && !picture && AS_JPEG) }, callbacks);
  const timings = timingsOf(answer.headers.get("Server-Timing") ?? "");
  let document;
  if (picture) document = await answer.json();
  else [document, picture] = await bothOf(answer);
  if (!source.blob && !(await isShowable(picture))) {
    answer = await asked(source, { ...parameters, ...BOTH, ...AS_JPEG }, callbacks);
    [document, picture] = await bothOf(answer);
  }
  const reduced = answer.headers.get("X-Image-Reduced");
  return { document, picture, reduced, timings };
}

/** The same from the bucket, where the time is that of the way there and that of the queue. */
async function detectInTurn(source, picture, parameters, callbacks) {
  const started = performance.now();
  const path = await upload(source.blob, { ...parameters, draw: "none", ...(!picture && AS_JPEG) }, callbacks);
  const sent = performance.now();
  const document = await documentOf(path, callbacks);
  const timings = [["upload", sent - started], ["queue", performance.now() - sent]];
  picture ??= await (await resultOf(path, "image", callbacks)).blob();
  return { document, picture, reduced: null, timings };
}

/** What was found, without what the result says of the bucket. */
async function documentOf(path, callbacks) {
  const { object, ...document } = await (await resultOf(path, "json", callbacks)).json();
  return document;
}

const BOTH = { format: "both", draw: "none" };
const AS_JPEG = { image_format: "jpeg" };

async function bothOf(answer) {
  const form = await answer.formData();
  return [JSON.parse(await form.get("detections").text()), form.get("picture")];
}

/** The objects alone, for a picture that is shown already. */
export async function find(source, parameters, callbacks) {
  return either(
    source,
    async () => (await asked(source, { ...parameters, format: "json" }, callbacks)).json(),
    async () => documentOf(await upload(source.blob, { ...parameters, draw: "none" }, callbacks), callbacks),
  );
}

/**
 * The picture as the service draws it, which is what is saved and copied; from the bucket where a request would have to
 * make it smaller (docs/adr/0012).
 */
export async function render(source, parameters, callbacks = {}) {
  const byBucket = async () => resultOf(await upload(source.blob, parameters, callbacks), "image", callbacks);
  let answer = await either(source, () => asked(source, { ...parameters, format: "image" }, callbacks), byBucket);
  if (answer.headers.get("X-Image-Reduced") && canGoByBucket(source)) answer = await byBucket();
  const picture = await answer.blob();
  return { picture, extension: EXTENSIONS[picture.type] ?? "jpg", reduced: answer.headers.get("X-Image-Reduced") };
}

/** The labels of the whole picture, most probable first, and where they come from. */
export async function classify(source, parameters, { signal, onRetry } = {}) {
  const [path, init] = await requestFor("classifier", source, parameters);
  return (await send(path, { ...init, signal, onRetry })).json();
}

/** "download;dur=4.7, detect;dur=33.2" as [name, milliseconds]. */
function timingsOf(header) {
  return Array.from(header.matchAll(/([\w-]+);dur=([\d.]+)/g), ([, name, ms]) => [name, Number(ms)]);
}

let known;
/** All names that can be asked for, [{name, parents}], each once; asked for once, and none where the service has none. */
export function allLabels() {
  known ??= ask("labels")
    .then((response) => response.json())
    .then(({ labels = [], groups = [] }) => {
      const own = new Set(labels.map(({ name }) => name));
      return [...labels, ...groups.filter((name) => !own.has(name)).map((name) => ({ name, parents: ["all of a kind"] }))];
    })
    .catch(() => []);
  return known;
}

/** How the service is; null where it does not say. */
export const health = () => ask("health").then((response) => response.json()).catch(() => null);
