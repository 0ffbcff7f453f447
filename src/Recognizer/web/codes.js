/* Tabs with the same request, or what came of it, in other words; one of them is open, and each can be copied. */
import { $, arrows, button } from "./dom.js";
import { copyText } from "./copying.js";

/** `texts` are functions that write each tab's text, by its name. */
export function Codes(names, say) {
  let texts = {};
  let open = names[0];

  const tabs = names.map((name) =>
    button("tab", name, () => choose(name), { role: "tab", "aria-controls": "code", id: `tab-${name}` }),
  );
  $("tabs").append(...tabs);
  arrows($("tabs"), ".tab", ["ArrowLeft", "ArrowRight"]);
  for (const tab of tabs) tab.addEventListener("focus", () => tab.textContent === open || choose(tab.textContent));
  $("copy-code").addEventListener("click", () => copyText($("code-text"), $("copy-code"), say));

  function choose(name) {
    open = name;
    for (const tab of tabs) {
      tab.setAttribute("aria-selected", String(tab.textContent === name));
      tab.tabIndex = tab.textContent === name ? 0 : -1;
    }
    $("code").setAttribute("aria-labelledby", `tab-${name}`);
    write();
  }

  function write() {
    const [text, hint = ""] = texts[open]?.() ?? [""];
    $("code-text").textContent = text;
    $("code-hint").textContent = hint;
  }

  choose(open);
  return {
    /** Functions by tab, each of which gives the text and what to know of it. */
    show(next) {
      texts = next;
      write();
    },
  };
}
