/*
 * The same request in other words: as commands and programs that run as they are pasted, and what was found in the
 * formats that other tools read.
 */
import { isAsked } from "./access.js";
import { asQuery } from "./options.js";
import { address } from "./transport.js";

const shell = (text) => `'${String(text).replaceAll("'", "'\\''")}'`;
const json = (value) => JSON.stringify(value);
const python = (value) => json(value).replace(/[^\x00-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
const typeOf = (source) => source.original.type || "image/jpeg";
const addressOf = (source) => source.url ?? source.address;
const asFile = (parameters) => asQuery(parameters) && `detector?${asQuery(parameters)}`;

/** A command line for any POSIX shell that saves the picture. */
export function curl(source, parameters, saveAs) {
  const [url, output] = [addressOf(source), `--output ${shell(saveAs)}`];
  const access = isAsked() ? ['--header "Authorization: Bearer $KEY"'] : [];
  const lines = (first, ...parts) => [first, ...access, ...parts].join(" \\\n  ");
  const post = (body) => [`curl ${shell(address("detector"))}`, "--header 'Content-Type: application/json'", "--header 'Accept: image/*'", `--data-binary ${body}`, output];
  if (url && asQuery(parameters)) {
    const data = Object.entries({ url, ...parameters }).map(([name, value]) => `--data-urlencode ${shell(`${name}=${value}`)}`);
    return lines(`curl --get ${shell(address("detector"))}`, ...data, output);
  }
  if (url) return lines(...post(shell(json({ url, ...parameters }))));
  const file = shell(source.name);
  if (!asQuery(parameters)) {
    const head = shell(`${json(parameters).slice(0, -1)},"image":"`);
    return `{ printf %s ${head}; base64 < ${file} | tr -d '\\n'; printf %s '"}'; } |\n${lines(...post("@-"))}`;
  }
  const type = `--header ${shell(`Content-Type: ${typeOf(source)}`)}`;
  return lines(`curl ${shell(address(asFile(parameters)))}`, type, "--header 'Accept: image/*'", `--data-binary ${shell(`@${source.name}`)}`, output);
}

/** A program for Python 3 without other packages that prints what was found; it reads a file that lies beside it. */
export function inPython(source, parameters) {
  const url = addressOf(source);
  const isQuery = Boolean(asQuery(parameters));
  const options = { ...(url && { url }), ...parameters, ...(url && isQuery && { format: "json" }) };
  const type = isQuery ? !url && typeOf(source) : "application/json";
  const headers = [
    type && `    "Content-Type": ${python(type)},`,
    isAsked() && '    "Authorization": "Bearer " + os.environ["KEY"],',
  ].filter(Boolean);
  const place = isQuery ? `${python(`${address("detector")}?`)} + urlencode(options)` : python(address("detector"));
  const body = isQuery ? !url && "picture" : "json.dumps(options).encode()";
  const request = [place, body && `data=${body}`, headers.length && "headers=headers"].filter(Boolean).join(", ");
  const lines = [
    !url && !isQuery && "import base64",
    "import json",
    isAsked() && "import os",
    isQuery && "from urllib.parse import urlencode",
    "from urllib.request import Request, urlopen",
    "",
    "options = {",
    ...Object.entries(options).map(([name, value]) => `    ${python(name)}: ${python(value)},`),
    "}",
    ...(headers.length ? ["headers = {", ...headers, "}"] : []),
    ...(url ? [] : [`with open(${python(source.name)}, "rb") as file:`, "    picture = file.read()"]),
    !url && !isQuery && 'options["image"] = base64.b64encode(picture).decode()',
    `with urlopen(Request(${request})) as answer:`,
    "    found = json.load(answer)",
    'for item in found["detections"]:',
    '    print(item["label"], item["score"], item["box"])',
  ];
  return `${lines.filter((line) => line !== false).join("\n")}\n`;
}

/** A module for browsers, Node, Deno and Bun that prints what was found; a file is read as Node does. */
export function inJavaScript(source, parameters) {
  const url = addressOf(source);
  const isQuery = Boolean(asQuery(parameters));
  const options = { ...(url && { url }), ...parameters, ...(url && isQuery && { format: "json" }) };
  const type = isQuery ? !url && typeOf(source) : "application/json";
  const headers = [
    type && `    "Content-Type": ${json(type)},`,
    isAsked() && "    Authorization: `Bearer ${process.env.KEY}`,",
  ].filter(Boolean);
  const body = isQuery ? !url && "picture" : `JSON.stringify(${url ? "options" : '{ ...options, image: picture.toString("base64") }'})`;
  const init = [
    body && '  method: "POST",',
    ...(headers.length ? ["  headers: {", ...headers, "  },"] : []),
    body && `  body: ${body},`,
  ].filter(Boolean);
  const place = isQuery ? `${json(`${address("detector")}?`)} + new URLSearchParams(options)` : json(address("detector"));
  const lines = [
    ...(url ? [] : ['import { readFile } from "node:fs/promises";', "", `const picture = await readFile(${json(source.name)});`]),
    "const options = {",
    ...Object.entries(options).map(([name, value]) => `  ${name}: ${json(value)},`),
    "};",
    ...(init.length ? [`const answer = await fetch(${place}, {`, ...init, "});"] : [`const answer = await fetch(${place});`]),
    "const { detections } = await answer.json();",
    "for (const { label, score, box } of detections) console.log(label, score, box);",
  ];
  return `${lines.join("\n")}\n`;
}

/** What was found, as the service answers. */
export const asJson = (document) => JSON.stringify(document, null, 2);

/** COCO's object detection format, https://cocodataset.org/#format-data, with the score of a result. */
export function asCoco({ image, detections }, fileName) {
  const categories = categoriesOf(detections);
  const annotations = detections.map(({ label, score, box: { xmin, ymin, xmax, ymax } }, index) => {
    const [width, height] = [xmax - xmin, ymax - ymin];
    const category = categories.indexOf(label) + 1;
    return { id: index + 1, image_id: 1, category_id: category, bbox: [xmin, ymin, width, height], area: width * height, iscrowd: 0, score };
  });
  const images = [{ id: 1, file_name: fileName, width: image.width, height: image.height }];
  return JSON.stringify({ images, annotations, categories: categories.map((name, index) => ({ id: index + 1, name })) }, null, 2);
}

/** A label file of YOLO: class, centre and size as fractions, https://docs.ultralytics.com/datasets/detect/. */
export function asYolo({ image, detections }) {
  const categories = categoriesOf(detections);
  const row = ({ label, box: { xmin, ymin, xmax, ymax } }) => {
    const part = [(xmin + xmax) / 2 / image.width, (ymin + ymax) / 2 / image.height, (xmax - xmin) / image.width, (ymax - ymin) / image.height];
    return [categories.indexOf(label), ...part.map((value) => value.toFixed(6))].join(" ");
  };
  return detections.map((found) => `${row(found)}\n`).join("");
}

/** The labels, by the numbers that COCO (from 1) and YOLO (from 0) have for them. */
export const categoriesOf = (detections) => [...new Set(detections.map(({ label }) => label))].sort();

/** RFC 4180, and no text that a spreadsheet would take for a formula. */
export function asCsv({ detections }) {
  const quoted = (value) => (/[",\r\n]/.test(value) ? `"${String(value).replaceAll('"', '""')}"` : value);
  const text = (value) => (/^[=+\-@\t\r\n＝＋－＠]/.test(value) ? `'${value}` : value);
  const rows = detections.map(({ label, id, score, box }) => [text(label), text(id), score, box.xmin, box.ymin, box.xmax, box.ymax]);
  return [["label", "id", "score", "xmin", "ymin", "xmax", "ymax"], ...rows].map((row) => `${row.map(quoted).join(",")}\r\n`).join("");
}
