/* What was found, in words and numbers: how many, why none, the facts of the picture, and the time it took. */
import { $, element } from "./dom.js";
import { isWanted } from "./options.js";
import { percent } from "./overlay.js";

const SPOKEN = 10; // objects named in the sentence that stands for the picture

const number = (value, digits = 0) => value.toLocaleString("en", { maximumFractionDigits: digits });
const plural = (count) => `${count} ${count === 1 ? "object" : "objects"}`;

/** One sentence for those who do not see the picture. */
export function summary(detections) {
  if (!detections.length) return "No objects found.";
  const named = detections.slice(0, SPOKEN).map(({ label, score }) => `${label} ${percent(score)}`);
  const others = detections.length > named.length ? ` and ${detections.length - named.length} more` : "";
  return `${plural(detections.length)} found: ${named.join(", ")}${others}.`;
}

/** How many are shown, of how many there are without labels hidden and without a limit. */
export function tellCount(shown, candidates) {
  const more = candidates.length - shown.length;
  $("objects-title").textContent = shown.length ? plural(shown.length) : "No objects";
  $("hidden-told").textContent = more > 0 ? `${more} more hidden` : "";
}

/** Why there is nothing, and what would show something: the score of the best, or the labels that are hidden. */
export function tellNone(shown, candidates, options, { image, detections }) {
  $("none").hidden = shown.length > 0;
  if (shown.length) return;
  const best = detections.find((found) => isWanted(options, found, [image.width, image.height]) && !options.hide.includes(found.label));
  $("unhide").hidden = !candidates.length;
  $("lower").hidden = Boolean(candidates.length) || !best;
  if (candidates.length) {
    $("none-told").textContent = "All labels are hidden.";
    return;
  }
  const among = options.include.length || options.exclude.length || options.hide.length ? "among the labels you chose " : "";
  const where = options.region ? "in the marked part " : "";
  const least = Object.keys(options.scores).length ? "its minimum score" : `a score of ${options.min_score}`;
  $("none-told").textContent = `Nothing ${among}${where}reached ${least}.`;
  if (!best) return;
  const score = Math.floor(best.score * 100) / 100;
  $("none-told").textContent += ` The most certain is ${best.label} at ${percent(best.score)}.`;
  $("lower").textContent = `Show it: a minimum of ${score}`;
  $("lower").value = score;
}

export function tellFacts({ document: { image }, picture, reduced, source }) {
  const facts = [`${image.width} × ${image.height} px`, image.format, source.original && `${number(source.original.size / 1000)} kB`];
  const notes = [
    image.animated && "Only its first frame is looked at",
    source.note,
    reduced && `It is shown smaller to fit: ${reduced}`,
  ];
  $("facts").textContent = [facts.filter(Boolean).join(", "), ...notes.filter(Boolean)].join(". ");
  $("facts").title = $("facts").textContent;
  const credit = source.sample && document.querySelector(`[data-sample="${source.sample}"]`)?.dataset.credit;
  $("credit").textContent = credit ? `. Photo: ${credit}` : "";
}

export function tellTimes({ timings, elapsed, source }) {
  const total = timings.reduce((sum, [, ms]) => sum + ms, 0);
  $("bar").replaceChildren(
    ...timings.map(([name, ms]) => {
      const part = element("span", name);
      part.style.setProperty("--share", total ? ms / total : 1);
      return part;
    }),
  );
  const inService = source.isLarge ? [] : [["sum", "in the service", total]]; // in its queue for the most part
  const rows = [...timings.map((step) => ["", ...step]), ...inService, ["sum", "round trip", elapsed]];
  $("times").replaceChildren(
    ...rows.map(([className, name, ms]) => {
      const row = element("div", className);
      row.append(element("dt", "", name), element("dd", "", `${number(ms, ms < 10 ? 1 : 0)} ms`));
      return row;
    }),
  );
}
