/* What is said while an answer is under way: what happens, for how long, and, where it takes long, why. */
import { $ } from "./dom.js";
import { health } from "./service.js";

const PATIENCE_MS = 1500;
const LOOKING = ["Looking…"];
const STILL = ["Still looking…"];
const WAKING = ["Waking up the model…", "After a pause the service has to load it first. That takes some seconds."];
const SENDING = ["Sending the picture…", "It is too large for one request, so it goes through this service’s storage."];
const QUEUED = ["Waiting for its turn…", "The picture is there. What goes through the storage is looked at in order."];
const ELSEWHERE = ["Still looking…", "The service is awake; the picture’s own server is slow."];

/**
 * Shows from the start of `work` to its end that something is under way; `work` gets what tells of it: onRetry and
 * onProgress, see `send` and `upload`.
 */
export function Waiting(say) {
  let isAwake = false; // the service answered before

  function doing([title, why = ""]) {
    // Else the same would be read out ten times a second.
    if ($("doing").textContent === title && $("why").textContent === why) return;
    $("doing").textContent = title;
    $("why").textContent = why;
    say(`${title} ${why}`.trim());
  }

  /** Why it takes so long: a service that is awake says so at once. */
  function reason(isElsewhere, tell) {
    if (isAwake) return tell(isElsewhere ? ELSEWHERE : STILL);
    tell(STILL);
    const timer = setTimeout(() => tell(WAKING), PATIENCE_MS);
    health().then((answer) => {
      clearTimeout(timer);
      if (answer) tell(isElsewhere ? ELSEWHERE : STILL);
    });
  }

  return async function during(isElsewhere, work) {
    const started = performance.now();
    let isOver = false;
    let isAsked = false;
    let isKnown = false; // what takes so long need not be guessed
    const tell = (words) => isOver || isKnown || doing(words);
    const tick = () => {
      const elapsed = performance.now() - started;
      $("seconds").textContent = `${(elapsed / 1000).toFixed(1)} s`;
      if (elapsed < PATIENCE_MS || isAsked) return;
      isAsked = true;
      reason(isElsewhere, tell);
    };
    const onRetry = (retry, most, { title }) => {
      if (isOver) return;
      isKnown = true;
      doing([isAwake ? "Trying again…" : WAKING[0], `${title}. Trying again, ${retry} of ${most}.`]);
    };
    const onProgress = (share) => {
      if (isOver) return;
      isKnown = true;
      $("progress").hidden = share === null;
      $("progress").value = share ?? 0;
      doing(share === null ? QUEUED : SENDING);
    };
    $("progress").hidden = true;
    $("doing").textContent = ""; // the same words as last time are news all the same
    doing(LOOKING);
    tick();
    const timer = setInterval(tick, 100);
    try {
      const answer = await work({ onRetry, onProgress });
      isAwake = true;
      return answer;
    } finally {
      isOver = true;
      clearInterval(timer);
    }
  };
}
