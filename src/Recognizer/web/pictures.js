/* Pictures on their way to the service: from a file, the clipboard, the camera or a sample to a source {blob, name, …}. */
import { Problem } from "./problem.js";
import { address, send } from "./transport.js";
import { MAX_UPLOAD_BYTES } from "./uploads.js";

// Lambda takes 6,291,556 bytes of event; base64 makes four bytes of three, and the rest of the event needs room too.
export const MAX_BYTES = 4_400_000;
const FIRST_SIDE_PX = 3000;

export const megabytes = (bytes) => `${(bytes / 1e6).toFixed(1)} MB`;

export async function fromFile(file, name = file.name || "picture") {
  if (file.type && !file.type.startsWith("image/")) {
    throw new Problem(`${name} is not a picture. JPEG, PNG, WebP, GIF, AVIF, TIFF and BMP are.`, { title: "Not a picture" });
  }
  const source = { blob: file, original: file, name, isLarge: file.size > MAX_BYTES };
  if (source.isLarge && file.size > MAX_UPLOAD_BYTES) {
    source.isLarge = false;
    const { blob, width, height } = await smaller(file, name);
    source.blob = blob;
    source.note =
      `The file, ${megabytes(file.size)}, is over what one request can carry, ` +
      `so it was sent at ${width} × ${height} px`;
  }
  return source;
}

/** A sample has an address of its own, which is what the snippets name. */
export async function fromSample(sample) {
  const path = `samples/${sample}.jpg`;
  const response = await send(path).catch(() => null);
  if (!response) throw new Problem("This sample picture cannot be loaded; try another.");
  const blob = await response.blob();
  return { blob, original: blob, name: `${sample}.jpg`, sample, address: address(path) };
}

/** Whether the browser can show a picture. */
export async function isShowable(blob) {
  const url = URL.createObjectURL(blob);
  try {
    await Object.assign(new Image(), { src: url }).decode();
    return true;
  } catch {
    return false;
  } finally {
    URL.revokeObjectURL(url);
  }
}

/** What a file made from a source is called, without its extension. */
export function stem({ url, name }) {
  const path = url ? new URL(url).pathname : name;
  return path.split("/").pop().replace(/\.\w+$/, "").replace(/[^\p{L}\p{N}_-]+/gu, "-") || "picture";
}

/** The picture as a JPEG that fits, upright and on white. */
export async function smaller(file, name) {
  const bitmap = await createImageBitmap(file, { imageOrientation: "from-image" }).catch(() => {
    const sizes = `${name} is ${megabytes(file.size)}. At most ${megabytes(MAX_BYTES)} can be sent`;
    const words = `${sizes}, and this browser cannot make it smaller. Save it as a smaller JPEG first.`;
    throw new Problem(words, { title: "Picture too large" });
  });
  try {
    for (let side = FIRST_SIDE_PX; ; side *= 0.75) {
      const attempt = await drawn(bitmap, Math.min(1, side / Math.max(bitmap.width, bitmap.height)));
      if (attempt.blob.size <= MAX_BYTES) return attempt;
    }
  } finally {
    bitmap.close();
  }
}

async function drawn(bitmap, scale) {
  const width = Math.max(1, Math.round(bitmap.width * scale));
  const height = Math.max(1, Math.round(bitmap.height * scale));
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d");
  context.fillStyle = "white";
  context.fillRect(0, 0, width, height);
  context.drawImage(bitmap, 0, 0, width, height);
  const blob = await canvas.convertToBlob({ type: "image/jpeg", quality: 0.9 });
  return { blob, width, height };
}
