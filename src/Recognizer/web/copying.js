/* Copying, and what is said of it on the button that was pressed. */

function told(button, words, say) {
  const usual = (button.dataset.usual ??= button.textContent);
  button.textContent = words;
  say(words);
  setTimeout(() => (button.textContent = usual), 2000);
}

/** Copies the text of an element. */
export async function copyText(element, button, say) {
  try {
    await navigator.clipboard.writeText(element.textContent);
    told(button, "Copied", say);
  } catch {
    getSelection().selectAllChildren(element); // no clipboard on plain http: the next key press copies
    told(button, "Press Ctrl+C", say);
  }
}

/** Copies a PNG that is still to come: browsers want the promise while the button is being pressed. */
export async function copyPicture(promise, button, say) {
  await navigator.clipboard.write([new ClipboardItem({ "image/png": promise })]);
  told(button, "Copied", say);
}
