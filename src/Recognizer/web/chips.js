/* The labels that were found, with their counts: a click hides one or brings it back; and a score for each of them. */
import { $, button, element } from "./dom.js";
import { percent } from "./overlay.js";

/** `onHide` hears the label of a chip that was clicked, `onScore` a label and its least score, null for that of all. */
export function Chips({ onHide, onScore }) {
  let drawn = "";

  /** One chip for each label of `candidates`, the most frequent first; a label hidden keeps its chip. */
  function show(candidates, options, colours) {
    const counts = new Map();
    for (const { label } of candidates) counts.set(label, (counts.get(label) ?? 0) + 1);
    for (const label of [...options.hide, ...Object.keys(options.scores)]) counts.set(label, counts.get(label) ?? 0);
    const listed = [...counts].sort(([a, many], [b, more]) => more - many || a.localeCompare(b));
    const labels = String(listed.map(([label]) => label));
    if (labels === drawn) update(listed, options, colours);
    else {
      $("chips").replaceChildren(...listed.map(([label]) => chip(label)));
      $("scores").replaceChildren(...listed.map(([label]) => row(label)));
      drawn = labels;
      update(listed, options, colours);
    }
  }

  function chip(label) {
    const item = element("li");
    const made = button("chip", "", () => onHide(label), { "data-label": label });
    made.append(element("span", "swatch"), element("span", "label", label), element("span", "count"));
    item.append(made);
    return item;
  }

  function row(label) {
    const made = element("label", "scored", "", { "data-label": label });
    const slider = element("input", "", "", { type: "range", min: 0, max: 1, step: 0.01, "aria-label": `Minimum score of ${label}` });
    slider.addEventListener("input", () => onScore(label, slider.valueAsNumber));
    const reset = button("quiet", "✕", () => onScore(label, null), { "aria-label": `${label}: as all` });
    made.append(element("span", "label", label), slider, element("span", "told"), reset);
    return made;
  }

  function update(listed, { hide, scores, min_score }, colours) {
    for (const [label, count] of listed) {
      const [made, scored] = ["chips", "scores"].map((id) => $(id).querySelector(`[data-label="${CSS.escape(label)}"]`));
      const own = scores[label];
      made.setAttribute("aria-pressed", String(!hide.includes(label)));
      made.style.setProperty("--colour", colours.get(label) ?? "var(--edge)");
      made.querySelector(".count").textContent = own === undefined ? count : `${count}, from ${percent(own)}`;
      made.title = hide.includes(label) ? `Show ${label}` : `Hide ${label}`;
      const [slider, told, reset] = scored.querySelectorAll("input, .told, button");
      slider.value = own ?? min_score;
      told.textContent = percent(own ?? min_score);
      reset.style.visibility = own === undefined ? "hidden" : "";
    }
  }

  return { show };
}
