/*
 * A zip file, its entries stored as they are: pictures hardly get smaller. By PKWARE's APPNOTE 6.3.10, sections 4.3.7,
 * 4.3.12 and 4.3.16; names in UTF-8 (bit 11 of the flags).
 */
import { crc32 } from "./crc32.js";

/** Numbers of 2 or 4 bytes each, the lowest byte first. */
function packed(...fields) {
  const view = new DataView(new ArrayBuffer(fields.reduce((sum, [size]) => sum + size, 0)));
  let at = 0;
  for (const [size, value] of fields) {
    view[size === 2 ? "setUint16" : "setUint32"](at, value, true);
    at += size;
  }
  return view;
}

const EARLIEST = 0x0021; // 1 January 1980, as the format has no way to say nothing

/** The zip of entries [name, Blob]; the names must differ. */
export async function zipOf(entries) {
  const [parts, directory] = [[], []];
  let offset = 0;
  for (const [name, blob] of entries) {
    const [path, content] = [new TextEncoder().encode(name), new Uint8Array(await blob.arrayBuffer())];
    const shared = [[2, 20], [2, 0x0800], [2, 0], [2, 0], [2, EARLIEST], [4, crc32(content)], [4, content.length], [4, content.length], [2, path.length], [2, 0]];
    const header = packed([4, 0x04034b50], ...shared);
    directory.push(packed([4, 0x02014b50], [2, 20], ...shared, [2, 0], [2, 0], [2, 0], [4, 0], [4, offset]), path);
    parts.push(header, path, content);
    offset += header.byteLength + path.length + content.length;
  }
  const size = directory.reduce((sum, part) => sum + part.byteLength, 0);
  const end = packed([4, 0x06054b50], [2, 0], [2, 0], [2, entries.length], [2, entries.length], [4, size], [4, offset], [2, 0]);
  return new Blob([...parts, ...directory, end], { type: "application/zip" });
}
