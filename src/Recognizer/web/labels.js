/*
 * A text input for label names, turned into chips: comma, Enter or a completion makes one, Backspace in the empty
 * input takes the last one back. The names stay an ordinary, comma-separated input where scripts do not run.
 */
import { button, element } from "./dom.js";

export function LabelField(input, { known, onChange }) {
  let names = [];
  const chips = element("ul", "picked", "", { "aria-label": "Chosen labels" });
  const hint = input.placeholder;
  const box = element("div", "row chipbox");
  input.replaceWith(box);
  box.append(chips, input);
  box.addEventListener("click", (event) => event.target === box && input.focus());

  /** The name as the model spells it, if the labels are known; otherwise the service will say what it thinks of it. */
  const spelled = (text) => known().find((label) => label.name.toLowerCase() === text.toLowerCase())?.name ?? text;

  function set(next) {
    names = [...new Set(next)];
    chips.replaceChildren(...names.map(chip));
    chips.hidden = !names.length;
    input.placeholder = names.length ? "" : hint;
  }

  function chip(name) {
    const item = element("li");
    const remove = () => {
      set(names.filter((other) => other !== name));
      input.focus();
      onChange();
    };
    item.append(button("", name, remove, { "aria-label": `Remove ${name}` }));
    return item;
  }

  /** Makes chips of what is written. */
  function commit() {
    const written = input.value.split(",").map((text) => text.trim()).filter(Boolean);
    input.value = "";
    if (!written.length) return;
    set([...names, ...written.map(spelled)]);
    onChange();
  }

  input.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && input.value.trim()) {
      event.preventDefault(); // else the form is sent
      commit();
    } else if (event.key === "Backspace" && !input.value && names.length) {
      set(names.slice(0, -1));
      onChange();
    }
  });
  input.addEventListener("input", (event) => {
    // Picking a completion is no typing: browsers send a replacement, or a plain event without a type.
    const picked = !event.inputType || event.inputType === "insertReplacementText";
    if (input.value.includes(",") || (picked && known().some((label) => label.name === input.value))) commit();
  });
  input.addEventListener("blur", commit);

  set([]);
  return { set, get: () => (commit(), names) };
}
