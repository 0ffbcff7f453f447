"use strict";

/*
 * What the service wants to know before it works: a key, or a token that the gateway checks. Asked for when an answer
 * says so, sent with every request from then on, and forgotten with the tab.
 */
const Access = (() => {
  const STORED = "recognizer-access";
  const UNAUTHORIZED = 401;

  let asking = null; // the answer to come while the question is on the screen

  /** fetch, with what is known of who asks; asks for it where the service does not take what it got. */
  async function request(url, init = {}) {
    for (;;) {
      const sent = sessionStorage.getItem(STORED);
      const headers = { ...init.headers, ...(sent && { Authorization: `Bearer ${sent}` }) };
      const response = await fetch(url, { ...init, headers });
      if (response.status !== UNAUTHORIZED) return response;
      sessionStorage.removeItem(STORED);
      // The service itself speaks of problems; what is no such document comes from the gateway, which checks tokens.
      const isKey = Boolean(response.headers.get("Content-Type")?.includes("problem+json"));
      asking ??= ask(isKey ? "Key" : "Token", Boolean(sent), init.signal);
      const given = await asking;
      if (!given) return response;
      sessionStorage.setItem(STORED, given);
    }
  }

  /** What is entered; nothing where the question is put away. */
  function ask(name, isWrong, signal) {
    const word = name.toLowerCase();
    const lead = isWrong ? `That ${word} is not taken. ` : "";
    const input = element("input", { id: "access", type: "password", autocomplete: "off", required: true });
    const cancel = element("button", { type: "button", className: "plain", textContent: "Cancel" });
    const dialog = element("dialog", { className: "access", ariaLabel: name }, [
      element("form", { method: "dialog", className: "field" }, [
        element("label", { htmlFor: "access", textContent: name }),
        input,
        element("p", {
          className: "hint",
          textContent: `${lead}Whoever runs this service hands ${word}s out. It is forgotten when this tab is closed.`,
        }),
        element("div", { className: "row" }, [
          element("button", { className: "key", value: "given", textContent: "Continue" }),
          cancel,
        ]),
      ]),
    ]);
    const close = () => dialog.close();
    cancel.addEventListener("click", close);
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

  function element(name, properties, children = []) {
    const made = Object.assign(document.createElement(name), properties);
    made.append(...children);
    return made;
  }

  /** What a command line needs in addition: the name of a variable in place of the secret. */
  const shell = () => (sessionStorage.getItem(STORED) ? ['--header "Authorization: Bearer $KEY"'] : []);

  return { request, shell };
})();
