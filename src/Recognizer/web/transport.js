/*
 * Requests to the service: the only place that makes any. Knows where the service is, what an answer that is an error
 * means, and when to ask again.
 */
import { isAsked, request } from "./access.js";
import { Problem } from "./problem.js";

// Also right where the page is at /prod, a stage of API Gateway without its slash.
const BASE = new URL(location.pathname.replace(/\/?$/, "/"), location.href);
const PAUSES_MS = [1000, 3000, 6000];

export const address = (path) => new URL(path, BASE).href;

/** One answer, or the Problem it is. */
async function once(path, init) {
  let response;
  try {
    response = await request(address(path), init);
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

// What API Gateway answers with {"message": "Forbidden"} to who is known, and to who is not (ACCESS=AWS_IAM).
const NOT_ENOUGH = new Problem("Your token is good, but not for this. Whoever runs this service can say what it must allow.", {
  title: "Not allowed", status: 403,
});
const UNSIGNED = new Problem(
  "It takes requests that are signed with an AWS key, which a browser cannot send. Use curl --aws-sigv4 or an AWS SDK; the API reference has a line to copy.",
  { title: "This service asks for signed requests", status: 403 },
);

const isProblem = (headers) => headers.get("Content-Type")?.includes("problem+json");
const told = ({ title, status, detail, parameter, request_id: requestId }) => new Problem(detail, { title, status, parameter, requestId });

/** The Problem that an answer holds which is none itself, as a result that was stored can; null if it holds none. */
export const problemIn = async (answer) => (isProblem(answer.headers) ? told(await answer.json()) : null);

function problemOf({ status, headers }, method, body) {
  if (method === "POST" && (status === 404 || status === 405) && !body.includes("nothing-detected")) {
    return new Problem("This service takes no files. Give the picture’s web address instead.", { status });
  }
  if (isProblem(headers)) return told(JSON.parse(body));
  // Not the service speaks here but the gateway before it, which knows only {"message": "Service Unavailable"}.
  if (status === 403 && /^\s*\{\s*"message"/i.test(body)) return isAsked() ? NOT_ENOUGH : UNSIGNED;
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

export function pause(ms, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    signal?.addEventListener("abort", () => (clearTimeout(timer), reject(signal.reason)), { once: true });
  });
}

/** Asks until there is an answer, a Problem that will not pass, or no patience left; onRetry hears of each new try. */
export async function send(path, { signal, onRetry, ...init } = {}) {
  for (let retry = 0; ; retry++) {
    try {
      return await once(path, { ...init, signal });
    } catch (problem) {
      if (!problem.passing || retry === PAUSES_MS.length) throw problem;
      onRetry?.(retry + 1, PAUSES_MS.length, problem);
      await pause(PAUSES_MS[retry], signal);
    }
  }
}

/** One try, for what the page can do without. */
export const ask = (path) => once(path, {});
