/* Several pictures at once: a strip with one small picture for each, how many objects it has, and all of it to save. */
import { $, arrows, button, element } from "./dom.js";

/** `onOpen` hears the place of the picture that was clicked. */
export function Strip(onOpen) {
  arrows($("strip-items"), ".item", ["ArrowLeft", "ArrowRight"]);

  /** One for each of [{name, url, told, state}]: waiting, done or failed. */
  function show(items, current) {
    $("strip").hidden = items.length < 2;
    const list = $("strip-items");
    while (list.children.length > items.length) list.lastChild.remove();
    items.forEach(({ name, url, told, state }, index) => {
      const made = list.children[index]?.firstChild ?? added(list, index);
      made.setAttribute("aria-label", `${name}: ${told}`);
      made.setAttribute("aria-current", String(index === current));
      made.disabled = state === "waiting";
      made.dataset.state = state;
      const [image, count] = made.children;
      if (url && image.src !== url) image.src = url;
      count.textContent = told;
    });
  }

  function added(list, index) {
    const made = button("item", "", () => onOpen(index));
    made.append(element("img", "", "", { alt: "" }), element("span", "count"));
    const item = element("li");
    item.append(made);
    list.append(item);
    return made;
  }

  return { show };
}
