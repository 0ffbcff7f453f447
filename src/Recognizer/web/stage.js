"use strict";

/*
 * The picture, with rulers in its own pixels and a region for each object that lights up. The boxes themselves are
 * drawn by the service; what is drawn here only points at them.
 */
const Stage = (() => {
  const SVG = "http://www.w3.org/2000/svg";
  const TICK_GAP_PX = 56; // between numbered ticks, at least
  const byId = (id) => document.getElementById(id);
  const stage = byId("stage");
  const sheet = byId("sheet");
  const picture = byId("picture");
  const overlay = byId("overlay");
  let size = [0, 0]; // of the source, upright, in its own pixels; boxes are in these
  let boxes = [];
  let lit = null;
  let onPoint = () => {};

  function svg(name, attributes, text) {
    const element = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    if (text !== undefined) element.textContent = text;
    return element;
  }

  /** One of empty, busy, shown and failed. */
  function state(name) {
    stage.dataset.state = name;
    stage.setAttribute("aria-busy", name === "busy");
  }

  /** Back to what is seen when nothing is under way. */
  function settle() {
    state(stage.dataset.picture ? "shown" : "empty");
  }

  /** Brings the stage into view where it is not beside the rest. */
  function reveal() {
    stage.scrollIntoView({ block: "nearest" });
  }

  /** Shows a picture without boxes: an upload on its way, or nothing (null). */
  async function preview(blob) {
    clear();
    if (blob && (await load(blob))) stage.dataset.picture = "preview";
  }

  async function show(result, alt) {
    clear();
    if (!(await load(result.picture))) throw new Problem("The picture that came back cannot be shown.");
    size = result.size ?? [picture.naturalWidth, picture.naturalHeight];
    picture.alt = alt;
    stage.dataset.picture = "annotated";
    mark(result.detections);
  }

  /** Puts a blob into the picture; whether the browser could read it. */
  async function load(blob) {
    picture.src = URL.createObjectURL(blob);
    try {
      await picture.decode();
    } catch {
      return false;
    }
    size = [picture.naturalWidth, picture.naturalHeight];
    sheet.style.setProperty("--ratio", size[0] / size[1]);
    return true;
  }

  function clear() {
    if (picture.src) URL.revokeObjectURL(picture.src);
    picture.removeAttribute("src");
    picture.alt = "";
    delete stage.dataset.picture;
    mark([]);
  }

  /** One region for each box, the larger below the smaller so that all can be reached. */
  function mark(detections) {
    boxes = detections.map(({ box }) => box);
    const area = ({ xmin, ymin, xmax, ymax }) => (xmax - xmin) * (ymax - ymin);
    const order = boxes.map((_, index) => index).sort((a, b) => area(boxes[b]) - area(boxes[a]));
    overlay.setAttribute("viewBox", `0 0 ${size[0] || 1} ${size[1] || 1}`);
    overlay.replaceChildren(svg("path", { class: "shade", d: "" }), ...order.map(region));
    lit = null;
    rule();
  }

  function region(index) {
    const { xmin, ymin, xmax, ymax } = boxes[index];
    const rect = svg("rect", { x: xmin, y: ymin, width: xmax - xmin, height: ymax - ymin, "data-index": index });
    rect.addEventListener("pointerenter", () => onPoint(index));
    rect.addEventListener("pointerleave", () => onPoint(null));
    rect.addEventListener("click", () => onPoint(index, true));
    return rect;
  }

  /** Lights up one box, by its place in the list, and dims the rest of the picture; null for none. */
  function light(index) {
    lit = index;
    overlay.classList.toggle("lit", index !== null);
    for (const rect of overlay.querySelectorAll("rect")) {
      rect.classList.toggle("lit", rect.dataset.index === String(index));
    }
    if (index !== null) {
      const { xmin, ymin, xmax, ymax } = boxes[index];
      const [width, height] = size;
      overlay.firstChild.setAttribute("d", `M0 0H${width}V${height}H0ZM${xmin} ${ymin}V${ymax}H${xmax}V${ymin}Z`);
    }
    rule();
  }

  function rule() {
    const box = lit === null ? null : boxes[lit];
    ruler(byId("ruler-x"), false, picture.clientWidth, size[0], box && [box.xmin, box.xmax]);
    ruler(byId("ruler-y"), true, picture.clientHeight, size[1], box && [box.ymin, box.ymax]);
  }

  /** Draws a scale of `length` screen pixels over `extent` source pixels, with the span of the box that is lit. */
  function ruler(element, down, length, extent, span) {
    element.replaceChildren();
    if (!length || !extent) return;
    const scale = length / extent;
    const step = niceStep(TICK_GAP_PX / scale);
    const line = (at, from) => (down ? `M${from} ${at}H20` : `M${at} ${from}V20`);
    const number = (value, attributes) => {
      const at = value * scale;
      const place = down ? { x: -at, y: 9, transform: "rotate(-90)" } : { x: at, y: 9 };
      element.append(svg("text", { ...place, ...attributes }, Math.round(value)));
    };
    let ticks = "";
    for (let tick = 0; tick * (step / 5) <= extent; tick++) ticks += line(tick * (step / 5) * scale, tick % 5 ? 16 : 11);
    element.append(svg("path", { d: ticks }));
    if (!span) {
      for (let value = step; value < extent - step / 3; value += step) number(value, { "text-anchor": "middle" });
      return;
    }
    const [from, to] = span.map((value) => value * scale);
    const bar = down ? { x: 11, y: from, width: 9, height: to - from } : { x: from, y: 11, width: to - from, height: 9 };
    element.append(svg("rect", bar));
    // Both ends are numbered, outwards where they would meet, inwards where there is no room outside.
    number(span[0], { class: "end", "text-anchor": (from < 26) !== down ? "start" : "end" });
    number(span[1], { class: "end", "text-anchor": (length - to < 26) !== down ? "end" : "start" });
  }

  /** The smallest of 1, 2, 5, 10, 20, 50, … that is not below `least`. */
  function niceStep(least) {
    const power = 10 ** Math.floor(Math.log10(Math.max(least, 1)));
    return power * [1, 2, 5, 10].find((factor) => factor * power >= least);
  }

  new ResizeObserver(rule).observe(picture);
  return { state, settle, reveal, preview, show, mark, light, pointed: (listener) => (onPoint = listener) };
})();
