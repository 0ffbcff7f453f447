/* The form: options as they are entered, what is wrong with them, and the address of a picture. */
import { $ } from "./dom.js";
import { LabelField } from "./labels.js";
import { defaults } from "./options.js";
import { Problem } from "./problem.js";

export const FIELDS = ["url", "n", "min_score", "include", "exclude", "region", "tiles", "image_format"];
export const STANDARD = defaults(Number($("min_score").defaultValue));
const RIGHT = { n: `Give a whole number from 1 to ${$("n").max}.`, min_score: "Give a number from 0 to 1." };
const RIGHT_REGION = "Give left, top, right and bottom as fractions, such as 0,0.5,1,1 for the lower half.";

/** What of the options that are folded away is not as usual, and what can be said of some only. */
function tellMore({ include, exclude, region, tiles, look, image_format }) {
  const told = [...include, ...exclude.map((name) => `not ${name}`), region && "a part", tiles > 1 && "closely", image_format];
  $("crop-blur-field").hidden = !look.startsWith("crop");
  $("more-told").textContent = told.filter(Boolean).join(", ");
}

/** `known` gives the labels for completion; `onChange` hears that an option was changed. */
export function Form({ known, onChange }) {
  const fields = {};
  for (const id of ["include", "exclude"]) fields[id] = LabelField($(id), { known, onChange });
  for (const id of ["n", "min_score", "region"]) $(id).addEventListener("input", onChange);
  for (const id of ["image_format", "tiles", "crop-blur"]) $(id).addEventListener("change", onChange);
  for (const radio of document.querySelectorAll("[name=draw]")) radio.addEventListener("change", onChange);
  $("score-slider").addEventListener("input", () => {
    $("min_score").value = $("score-slider").value;
    onChange();
  });
  $("min_score").addEventListener("input", () => ($("score-slider").value = $("min_score").value));

  function look() {
    const chosen = document.querySelector("[name=draw]:checked").value;
    return chosen === "crop" && $("crop-blur").checked ? "crop-blur" : chosen;
  }

  function region() {
    const text = $("region").value.trim();
    if (!text) return null;
    const edges = text.split(/[,\s]+/).map(Number);
    const isRight = edges.length === 4 && edges.every((edge) => edge >= 0 && edge <= 1) && edges[0] < edges[2] && edges[1] < edges[3];
    if (!isRight) throw new Problem(RIGHT_REGION, { parameter: "region" });
    return edges;
  }

  return {
    /** The options as entered, on top of those that have no field; or a Problem that names the field. */
    read(others) {
      for (const [id, words] of Object.entries(RIGHT)) {
        if (!$(id).value || !$(id).validity.valid) throw new Problem(words, { parameter: id });
      }
      const options = {
        ...others,
        n: $("n").valueAsNumber,
        min_score: $("min_score").valueAsNumber,
        include: fields.include.get(),
        exclude: fields.exclude.get(),
        region: region(),
        tiles: Number($("tiles").value),
        look: look(),
        image_format: $("image_format").value,
      };
      tellMore(options);
      return options;
    },

    fill(options) {
      const { n, min_score, include, exclude, region, tiles, look, image_format } = options;
      $("n").value = n;
      $("min_score").value = $("score-slider").value = min_score;
      fields.include.set(include);
      fields.exclude.set(exclude);
      $("region").value = region ? region.join(",") : "";
      $("image_format").value = image_format;
      $("tiles").value = tiles;
      $("crop-blur").checked = look === "crop-blur";
      document.querySelector(`[name=draw][value=${look === "crop-blur" ? "crop" : look}]`).checked = true;
      tellMore(options);
    },

    /** A web address from what people write; `example.com/cat.jpg` is one. */
    webAddress(text) {
      if (!text) throw new Problem("Give the address of a picture, or choose a file.", { parameter: "url" });
      const hasScheme = /^[a-z][a-z0-9+.-]*:(?!\d)/i.test(text); // localhost:8000 has none
      const url = hasScheme ? text : `https://${text}`;
      if (!URL.canParse(url) || !/^https?:/i.test(url) || new URL(url).hostname.includes("%")) {
        const words = "That is not a web address; one looks like https://example.com/cat.jpg.";
        throw new Problem(words, { parameter: "url" });
      }
      return url;
    },

    fault(field, words, { isQuiet = false } = {}) {
      $(`${field}-problem`).textContent = words;
      $(field).setAttribute("aria-invalid", "true");
      if ($("more").contains($(field))) $("more").open = true;
      if (!isQuiet) $(field).focus();
    },

    clear() {
      for (const field of FIELDS) {
        $(`${field}-problem`).textContent = "";
        $(field).removeAttribute("aria-invalid");
      }
    },
  };
}
