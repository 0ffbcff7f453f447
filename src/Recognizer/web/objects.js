/* The list of objects: which one is looked at, by pointer, keys or touch. */
import { $, arrows, element } from "./dom.js";
import { percent } from "./overlay.js";

/** `onLight` hears the place of the object to light up or null, `onPin` that of the one that stays lit. */
export function Objects({ onLight, onPin }) {
  let pinned = null;
  const list = $("objects");
  const items = () => [...list.children];

  function show(detections, colours) {
    const isFocused = list.contains(document.activeElement) && items().indexOf(document.activeElement.parentElement);
    pinned = null;
    list.replaceChildren(...detections.map((found, index) => item(found, index, colours[index])));
    if (isFocused !== false) items()[Math.min(isFocused, items().length - 1)]?.firstChild.focus();
  }

  function item({ label, score, box }, index, colour) {
    const made = element("li");
    const row = element("button", "object", "", { type: "button", "aria-pressed": "false", tabindex: index ? -1 : 0 });
    row.style.setProperty("--score", score);
    row.style.setProperty("--colour", colour);
    const where = `${box.xmax - box.xmin} × ${box.ymax - box.ymin} px at ${box.xmin}, ${box.ymin}`;
    row.append(
      element("span", "swatch"),
      element("span", "label", label),
      element("span", "score", percent(score)),
      element("span", "where", where),
      element("span", "gauge"),
    );
    row.addEventListener("pointerenter", ({ pointerType }) => pointerType === "mouse" && light(index));
    row.addEventListener("pointerleave", ({ pointerType }) => pointerType === "mouse" && light(pinned));
    row.addEventListener("focus", () => {
      for (const { firstChild } of items()) firstChild.tabIndex = firstChild === row ? 0 : -1;
      if (row.matches(":focus-visible")) light(index);
    });
    row.addEventListener("blur", () => light(pinned));
    row.addEventListener("click", () => pin(index));
    made.append(row);
    return made;
  }

  function light(index) {
    items().forEach((made, place) => made.classList.toggle("lit", place === index));
    onLight(index);
  }

  /** Keeps one object lit, for touch screens and for a longer look; once more lets it go. */
  function pin(index) {
    pinned = pinned === index ? null : index;
    items().forEach((made, place) => made.firstChild.setAttribute("aria-pressed", String(place === pinned)));
    light(pinned);
    if (pinned !== null) onPin(pinned);
  }

  arrows(list, ".object", ["ArrowUp", "ArrowDown"]);
  addEventListener("keydown", ({ key }) => key === "Escape" && pinned !== null && pin(pinned));

  return {
    show,
    /** What the pointer is at in the picture. */
    point(index, isClick) {
      if (isClick) pin(index);
      else light(index ?? pinned);
      if (isClick && pinned !== null) items()[pinned].scrollIntoView({ block: "nearest" });
    },
  };
}
