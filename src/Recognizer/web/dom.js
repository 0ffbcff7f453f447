/* Elements: found by id, made by name. Text is only ever set as text, never as markup. */

export const $ = (id) => document.getElementById(id);

/** An element with a class, text and attributes. */
export function element(name, className = "", text = "", attributes = {}) {
  const made = Object.assign(document.createElement(name), { className, textContent: text });
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

/** A button that does no more than its listener says. */
export function button(className, text, listener, attributes = {}) {
  const made = element("button", className, text, { type: "button", ...attributes });
  made.addEventListener("click", listener);
  return made;
}

export function svg(name, attributes, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

/** Hands a file to the browser's downloads. */
export function save(blob, name) {
  const url = URL.createObjectURL(blob);
  Object.assign(document.createElement("a"), { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000); // the download has begun by then
}

/** Moves the focus within a row of elements with the arrow keys, Home and End. */
export function arrows(container, selector, [back, forth]) {
  container.addEventListener("keydown", (event) => {
    const items = [...container.querySelectorAll(selector)];
    const at = items.indexOf(document.activeElement);
    const to = { [back]: at - 1, [forth]: at + 1, Home: 0, End: items.length - 1 }[event.key];
    if (at < 0 || to === undefined) return;
    event.preventDefault();
    items[Math.min(Math.max(to, 0), items.length - 1)].focus();
  });
}
