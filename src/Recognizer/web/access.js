/*
 * What the service wants to know before it works: a key, or a token that the gateway checks. Asked for when an answer
 * says so, sent with every request from then on, and forgotten with the tab.
 */
import { button, element } from "./dom.js";

const STORED = "recognizer-access";
const UNAUTHORIZED = 401;

let asking = null; // the answer to come while the question is on the screen

/**
 * fetch, with what is known of who asks; asks for it where the service does not take what it got. With `isOpen` nothing is
 * told: for what everyone may have, and what may lead to another host.
 */
export async function request(url, { isOpen = false, ...init } = {}) {
  if (isOpen) return fetch(url, init);
  for (;;) {
    const sent = sessionStorage.getItem(STORED);
    const headers = { ...init.headers, ...(sent && { Authorization: `Bearer ${sent}` }) };
    const response = await fetch(url, { ...init, headers });
    if (response.status !== UNAUTHORIZED) return response;
    sessionStorage.removeItem(STORED);
    // The service itself speaks of problems; what is no such document comes from the gateway, which checks tokens.
    const isKey = Boolean(response.headers.get("Content-Type")?.includes("problem+json"));
    asking ??= question(isKey ? "Key" : "Token", Boolean(sent), init.signal);
    const given = await asking;
    if (!given) return response;
    sessionStorage.setItem(STORED, given);
  }
}

/** What is entered; nothing where the question is put away. */
function question(name, isWrong, signal) {
  const word = name.toLowerCase();
  const lead = isWrong ? `That ${word} is not taken. ` : "";
  const input = element("input", "", "", { id: "access", type: "password", autocomplete: "off", required: "" });
  const hint = `${lead}Whoever runs this service hands ${word}s out. It is forgotten when this tab is closed.`;
  const dialog = element("dialog", "access", "", { "aria-label": name });
  const close = () => dialog.close();
  const row = element("div", "row");
  row.append(element("button", "key", "Continue", { value: "given" }), button("plain", "Cancel", close));
  const form = element("form", "field", "", { method: "dialog" });
  form.append(element("label", "", name, { for: "access" }), input, element("p", "hint", hint), row);
  dialog.append(form);
  dialog.addEventListener("keydown", (event) => event.key === "Escape" && event.stopPropagation()); // puts away only this
  signal?.addEventListener("abort", close, { once: true });
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((resolve) =>
    dialog.addEventListener("close", () => {
      signal?.removeEventListener("abort", close);
      dialog.remove();
      asking = null;
      resolve(dialog.returnValue === "given" ? input.value.trim() : "");
    }),
  );
}

/** Whether the service asked who asks: what is copied names a variable in place of the secret. */
export const isAsked = () => sessionStorage.getItem(STORED) !== null;
