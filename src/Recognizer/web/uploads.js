/*
 * Pictures that are too large for one request: sent to the service's bucket by a form that it hands out, recognised there
 * as their turn comes, and what was found fetched from where the service says. Knows nothing of the page.
 */
import { Problem } from "./problem.js";
import { pause, problemIn, send } from "./transport.js";

const PATIENCE_S = 900; // a queue that takes longer stands still

/** Of the largest picture that can be sent this way; 0 where the service has no bucket. */
export const MAX_UPLOAD_BYTES = Number(document.body.dataset.maxUploadBytes ?? 0);

/**
 * Sends a picture, with what is asked of it; where its result will be. `onProgress` hears how much of it has gone, 0 to 1,
 * and null once it is there.
 */
export async function upload(blob, parameters, { signal, onRetry, onProgress }) {
  const init = { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(parameters) };
  const { url, fields, result } = await (await send("uploads", { ...init, signal, onRetry })).json();
  onProgress?.(0);
  await store(url, { ...fields, file: blob }, signal, onProgress);
  onProgress?.(null);
  return result;
}

/** The result of an upload, of a kind (json or image), once it is there. */
export async function resultOf(path, kind, { signal, onRetry }) {
  for (let waited = 0; waited < PATIENCE_S; ) {
    const answer = await send(`${path}?format=${kind}`, { signal, onRetry, isOpen: true });
    if (answer.status !== 202) {
      const problem = await problemIn(answer);
      if (problem) throw problem;
      return answer;
    }
    const seconds = Number(answer.headers.get("Retry-After")) || 1;
    await pause(1000 * seconds, signal);
    waited += seconds;
  }
  throw new Problem("It was sent, but its turn has not come. Try again later.", { title: "The queue stands still" });
}

/** Sends a form; by the one way that tells how much of it has gone. */
function store(url, fields, signal, onProgress) {
  const body = new FormData();
  for (const [name, value] of Object.entries(fields)) body.set(name, value);
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const request = new XMLHttpRequest();
    const stop = () => request.abort();
    signal?.addEventListener("abort", stop);
    request.upload.addEventListener("progress", ({ loaded, total }) => onProgress?.(loaded / total));
    request.addEventListener("load", () => (request.status < 300 ? resolve() : reject(refusal(request))));
    request.addEventListener("error", () =>
      reject(new Problem("The connection broke off while the picture was sent. Try again.", { title: "The picture was not sent" })),
    );
    request.addEventListener("abort", () => reject(signal.reason));
    request.addEventListener("loadend", () => signal?.removeEventListener("abort", stop));
    request.open("POST", url);
    request.send(body);
  });
}

/** What S3 says: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html */
function refusal({ status, responseText }) {
  const [, code = `status ${status}`] = /<Code>(\w+)<\/Code>/.exec(responseText) ?? [];
  return new Problem(`This service’s storage refused it: ${code}. Try again.`, { title: "The picture was not sent", status });
}
