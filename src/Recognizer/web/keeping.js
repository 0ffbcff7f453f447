/* What can be taken along: the picture as the service draws it, a link, and the same in other words. */
import { Codes } from "./codes.js";
import { copyPicture, copyText } from "./copying.js";
import { $, save } from "./dom.js";
import { asked, askedOfJson } from "./options.js";
import { stem } from "./pictures.js";
import { render } from "./service.js";
import { asCoco, asCsv, asJson, asYolo, categoriesOf, curl, inJavaScript, inPython } from "./snippets.js";

const EXTENSION = { JPEG: "jpg", PNG: "png", WEBP: "webp", GIF: "gif", TIFF: "tif", BMP: "bmp", AVIF: "avif" };

/** `onProblem` hears what went wrong, and an empty text when something new is tried. */
export function Keeping({ say, onProblem }) {
  let shown = null;
  const codes = Codes(["curl", "Python", "JavaScript", "JSON", "COCO", "YOLO", "CSV"], say);

  function fileName(extension = shown.options.image_format || EXTENSION[shown.document.image.format] || "jpg") {
    return `${stem(shown.source)}-objects.${extension.replace("jpeg", "jpg")}`;
  }

  function texts() {
    const { source, document, options, found } = shown;
    const [picture, json] = [asked(options, found), askedOfJson(options, found)];
    const sourceName = source.name ?? new URL(source.url).pathname.split("/").pop();
    const way = source.isLarge ? "send it by POST /uploads, as the API reference says" : "make it smaller first";
    const tooBig = source.note || source.isLarge ? `${source.name} is too big as it is: ${way}.` : "";
    const classes = categoriesOf(document.detections).map((name, index) => `${index} ${name}`).join(", ");
    return {
      curl: () => [curl(source, picture, fileName()), tooBig],
      Python: () => [inPython(source, json), tooBig],
      JavaScript: () => [inJavaScript(source, json), tooBig],
      JSON: () => [asJson(document)],
      COCO: () => [asCoco(document, sourceName)],
      YOLO: () => [asYolo(document), classes && `Classes: ${classes}`],
      CSV: () => [asCsv(document)],
    };
  }

  /** Does something with the picture that the service draws, the button telling that it is under way. */
  async function withPicture(button, work) {
    onProblem("");
    button.disabled = true;
    try {
      await work();
    } catch (problem) {
      onProblem(problem.message);
    } finally {
      button.disabled = false;
    }
  }

  const rendered = (changes = {}) => render(shown.source, { ...asked(shown.options, shown.found), ...changes });

  $("download").addEventListener("click", () =>
    withPicture($("download"), async () => {
      const { picture, extension, reduced } = await rendered();
      save(picture, fileName(extension));
      say(reduced ? `Saved, made smaller to fit: ${reduced}` : "Saved");
    }),
  );
  $("copy-picture").addEventListener("click", () =>
    withPicture($("copy-picture"), () =>
      copyPicture(rendered({ image_format: "png" }).then(({ picture }) => picture), $("copy-picture"), say),
    ),
  );
  $("copy-link").addEventListener("click", () => {
    $("link").textContent = location.href;
    copyText($("link"), $("copy-link"), say);
  });
  $("copy-picture").hidden = !(navigator.clipboard?.write && "ClipboardItem" in window);

  return {
    /** What is on the screen: source, the document with the objects shown, options, and `found`, hidden ones included. */
    show(next) {
      shown = next;
      $("copy-link").hidden = Boolean(shown.source.blob && !shown.source.sample); // a file has no address
      codes.show(texts());
    },
  };
}
