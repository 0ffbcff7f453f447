/*
 * Boxes and names over the picture, as SVG in the size they are seen in: lines stay thin and letters sharp at every zoom.
 * Owns what lies over what, which object is lit, and what the pointer is at.
 */
import { svg } from "./dom.js";
import { inks } from "./palette.js";
import { frameAround, placeLabels, radius } from "./placement.js";

const LARGE = { line: 2, halo: 1, font: 13 }; // in CSS pixels
const SMALL = { ...LARGE, font: 11 };
const NARROW_PX = 560;
const measuring = document.createElement("canvas").getContext("2d");

export const percent = (score) => `${Math.floor(100 * score + 0.5)}%`;

/** `onPoint` hears the place of the object pointed at or null, and whether it was clicked. */
export function Overlay(layer, onPoint) {
  let objects = [];
  let extent = [1, 1]; // of the picture that the boxes are in, in its pixels
  let look = "labels";
  let lit = null;

  /** Length of a text in letters of a size, in whole pixels. */
  const lengths = new Map();
  function length(text, size) {
    const key = `${size} ${text}`;
    if (!lengths.has(key)) {
      measuring.font = `600 ${size}px ${getComputedStyle(layer).fontFamily}`;
      lengths.set(key, Math.ceil(measuring.measureText(text).width));
    }
    return lengths.get(key);
  }

  /** Draws anew at a width and height in CSS pixels. */
  function draw(width, height) {
    const image = [Math.round(width), Math.round(height)];
    const sizes = layer.closest(".view").clientWidth < NARROW_PX ? SMALL : LARGE;
    const scale = (value, at) => Math.round((value / extent[at]) * image[at]);
    const boxes = objects.map(({ box: { xmin, ymin, xmax, ymax } }) => {
      const [left, top] = [scale(xmin, 0), scale(ymin, 1)];
      return [left, top, Math.max(scale(xmax, 0), left + 1), Math.max(scale(ymax, 1), top + 1)];
    });
    const colours = inks(objects);
    const isDrawn = look === "labels" || look === "boxes";
    const frames = isDrawn ? boxes.map((box, index) => frame(frameAround(box, image, sizes), colours[index], index)) : [];
    const named = objects.map(({ label: name, score }, index) => ({ box: boxes[index], name, score: percent(score) }));
    const labels = look === "labels" ? placeLabels(image, named, sizes, length) : [];
    const area = (box) => (box[2] - box[0]) * (box[3] - box[1]);
    const order = boxes.map((_, index) => index).sort((a, b) => area(boxes[b]) - area(boxes[a]));
    layer.setAttribute("viewBox", `0 0 ${image.join(" ")}`);
    layer.replaceChildren(
      ...frames.reverse(),
      svg("path", { class: "shade", d: `M0 0H${image[0]}V${image[1]}H0Z` }),
      ...labels.filter(({ leader }) => leader).map((placed) => leaderOf(placed, colours[placed.index])),
      ...labels.map((placed) => label(placed, colours[placed.index])),
      ...order.map((index) => region(boxes[index], index)), // the larger below the smaller, so that all can be reached
    );
    light(lit);
  }

  const rectangle = ([left, top, right, bottom], inset = 0) => ({
    x: left + inset,
    y: top + inset,
    width: Math.max(right - left - 2 * inset, 0),
    height: Math.max(bottom - top - 2 * inset, 0),
  });

  function frame(edge, ink, index) {
    const { line, halo } = LARGE;
    const stroke = (colour, width, more) => svg("rect", { ...rectangle(edge, line / 2 + halo), fill: "none", stroke: colour, "stroke-width": width, ...more });
    const dashes = ink.isDashed ? { "stroke-dasharray": `${4 * line} ${3 * line}` } : {};
    return svg("g", { class: "mark", "data-index": index }, stroke(ink.halo, line + 2 * halo), stroke(ink.line, line, dashes));
  }

  function leaderOf({ index, leader }, ink) {
    return svg("g", { class: "name", "data-index": index },
      svg("rect", { ...rectangle(leader), fill: ink.halo }),
      svg("rect", { ...rectangle(leader, LARGE.halo), fill: ink.line }),
    );
  }

  function label({ index, text, font, place, form }, ink) {
    const corner = radius(font);
    const middle = { x: (place[0] + place[2]) / 2, y: (place[1] + place[3]) / 2 + 0.36 * font, "text-anchor": "middle" };
    const start = { ...middle, x: place[0] + LARGE.halo + Math.floor((3 * font + 5) / 10), "text-anchor": "start" };
    return svg("g", { class: "name", "data-index": index },
      svg("rect", { ...rectangle(place), rx: corner + LARGE.halo, fill: ink.halo }),
      svg("rect", { ...rectangle(place, LARGE.halo), rx: corner, fill: ink.line }),
      svg("text", { ...(form === "legend" ? start : middle), "font-size": font, fill: ink.text }, text),
    );
  }

  function region(box, index) {
    const area = svg("rect", { ...rectangle(box), class: "region", "data-index": index });
    area.addEventListener("pointerenter", ({ pointerType }) => pointerType === "mouse" && onPoint(index));
    area.addEventListener("pointerleave", ({ pointerType }) => pointerType === "mouse" && onPoint(null));
    area.addEventListener("click", () => onPoint(index, true));
    return area;
  }

  /** Brings one object out, by its place among those shown, and dims the rest; null for none. */
  function light(index) {
    lit = index !== null && index < objects.length ? index : null;
    layer.classList.toggle("lit", lit !== null);
    for (const part of layer.querySelectorAll("[data-index]")) part.classList.toggle("lit", part.dataset.index === String(lit));
    const hole = layer.querySelector(`.region[data-index="${lit}"]`);
    if (!hole) return;
    const [x, y, width, height] = ["x", "y", "width", "height"].map((name) => Number(hole.getAttribute(name)));
    const [, , right, bottom] = layer.getAttribute("viewBox").split(" ");
    layer.querySelector(".shade").setAttribute("d", `M0 0H${right}V${bottom}H0ZM${x} ${y}v${height}h${width}v${-height}Z`);
  }

  return {
    draw,
    light,
    /** What to draw, most confident first, in pixels of a picture of that size. */
    show(detections, size, as) {
      [objects, extent, look, lit] = [detections, size, as, null];
    },
  };
}
