/* The reference: examples name the address that the page was opened at, and can be copied. */

const base = new URL("./", location.href).href.replace(/\/$/, "");

for (const text of document.querySelectorAll("pre")) text.textContent = text.textContent.replaceAll("$API", base);
for (const place of document.querySelectorAll(".place")) place.textContent = base;

for (const figure of document.querySelectorAll("figure")) {
  const button = document.createElement("button");
  Object.assign(button, { type: "button", className: "copy", textContent: "Copy" });
  button.addEventListener("click", async () => {
    const text = figure.querySelector("pre");
    try {
      await navigator.clipboard.writeText(text.textContent);
      button.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(text); // no clipboard on plain http: the next key press copies
      button.textContent = "Press Ctrl+C";
    }
    setTimeout(() => (button.textContent = "Copy"), 2000);
  });
  figure.append(button);
}
