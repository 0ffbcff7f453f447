/* What the picture is as a whole: asked of the classifier when its button is pressed, told in a line above the picture. */
import { $, element } from "./dom.js";
import { percent } from "./overlay.js";
import { smaller } from "./pictures.js";
import { Problem } from "./problem.js";
import { classify } from "./service.js";

const MOST = 5;
const FROM = {
  classifier: (model) => `From the classifier ${model}.`,
  detections: () => "From the objects found: there is no classifier in this service.",
};

export function Whole(say) {
  let result = null; // the answer on the stage
  let running = null;

  function turn(on) {
    running?.abort();
    running = null;
    $("classify").setAttribute("aria-pressed", on);
    $("classes").hidden = !on;
    tell("");
  }

  function tell(words, labels = []) {
    $("classes-told").textContent = words;
    $("classes-list").replaceChildren(...labels.map(chip));
  }

  function chip({ label, score }) {
    const made = element("li", "chip");
    made.append(element("span", "label", label), element("span", "count", percent(score)));
    return made;
  }

  async function ask() {
    turn(true);
    const { signal } = (running = new AbortController());
    tell("Looking at the whole picture…");
    try {
      const { source, picture } = result;
      const small = source.isLarge && { blob: (await smaller(picture, source.name)).blob }; // as classifiers look at it
      const { labels, model, source: from } = await classify(small || source, { n: MOST }, { signal });
      if (signal.aborted) return;
      tell(labels.length ? FROM[from](model.name) : "It is nothing that is known here.", labels);
      say([...labels.map(({ label, score }) => `${label} ${percent(score)}`), $("classes-told").textContent].join(", "));
    } catch (problem) {
      if (signal.aborted) return;
      tell(problem instanceof Problem ? problem.message : "The picture could not be looked at.");
    }
  }

  $("classify").addEventListener("click", () => (running ? turn(false) : ask()));

  return {
    /** Another answer is on the stage; what was said of the last one is gone. */
    show(next) {
      if (next.picture !== result?.picture) turn(false);
      result = next;
    },
  };
}
