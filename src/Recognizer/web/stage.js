/*
 * The stage: the picture with what is drawn over it, its tools, and what is seen while there is none. Owns which of its
 * states is seen; what is shown is chosen elsewhere.
 */
import { $ } from "./dom.js";
import { blur, cutOut } from "./hiding.js";
import { Overlay } from "./overlay.js";
import { Region } from "./region.js";
import { Zoom } from "./zoom.js";

const [stage, view, sheet, picture, covering] = ["stage", "view", "sheet", "picture", "covering"].map($);

const REST_MS = 120;

/** `onPoint` hears of objects pointed at (see Overlay), `onRegion` of a part that was marked. */
export function Stage({ onPoint, onRegion }) {
  let shown = { detections: [], size: [1, 1], look: "labels" };
  let displayed = [1, 1];
  let isMarking = false;
  let resting; // timer

  const overlay = Overlay($("overlay"), onPoint);
  const zoom = Zoom(view, sheet, (width, height, factor) => {
    $("zoom-told").textContent = `${Math.round(factor * 100)} %`;
    if (String(displayed) === String([width, height])) return; // moved only
    displayed = [width, height];
    // Until the zoom rests, what is drawn grows with the sheet; placing labels anew takes longer than a frame.
    clearTimeout(resting);
    resting = setTimeout(() => overlay.draw(...displayed), REST_MS);
  });
  const region = Region(view, sheet, $("band"), onRegion);

  /** One of empty, busy, shown and failed. */
  function state(name) {
    stage.dataset.state = name;
    stage.setAttribute("aria-busy", name === "busy");
  }

  /** Puts a picture on the stage, or none; it must be one that the browser can show. */
  async function load(blob) {
    if (picture.src) URL.revokeObjectURL(picture.src);
    delete stage.dataset.picture;
    overlay.show([], [1, 1], "labels");
    cover();
    picture.removeAttribute("src");
    picture.alt = "";
    if (!blob) return;
    picture.src = URL.createObjectURL(blob);
    await picture.decode();
    stage.dataset.picture = "";
    zoom.reset(picture.naturalWidth, picture.naturalHeight);
  }

  /** Shows objects, most confident first, in pixels of a picture of that size. */
  function show(detections, size, look, alt) {
    shown = { detections, size, look };
    picture.alt = alt;
    overlay.show(detections, size, look);
    overlay.draw(...displayed);
    cover();
  }

  /** Hides objects, or all but the first. */
  function cover() {
    const { detections, size, look } = shown;
    const isCut = look.startsWith("crop");
    covering.hidden = !(look === "blur" || isCut) || !picture.src || !detections.length;
    sheet.classList.toggle("cut", isCut && !covering.hidden);
    if (covering.hidden) return;
    if (look === "blur") blur(covering, picture, detections, size);
    if (look === "crop") cutOut(covering, [picture], detections[0], size);
    if (look === "crop-blur") cutOut(covering, [picture, blur(new OffscreenCanvas(1, 1), picture, detections, size)], detections[0], size);
  }

  function original(on) {
    sheet.classList.toggle("original", on);
    $("original").setAttribute("aria-pressed", on);
  }

  function mark(on) {
    isMarking = on;
    $("mark").setAttribute("aria-pressed", on);
    region.turn(on);
    zoom.hold(on);
  }

  $("zoom-in").addEventListener("click", zoom.in);
  $("zoom-out").addEventListener("click", zoom.out);
  $("zoom-whole").addEventListener("click", zoom.whole);
  $("original").addEventListener("click", () => original(!sheet.classList.contains("original")));
  $("mark").addEventListener("click", () => mark(!isMarking));

  return {
    state,
    load,
    show,
    mark,
    original,
    region: region.show,
    /** Lights up one object, by its place among those shown. */
    light: overlay.light,
    /** Brings an object into sight, on a zoomed picture and on a small screen. */
    reveal(index) {
      stage.scrollIntoView({ block: "nearest" });
      const { detections, size: [width, height] } = shown;
      if (!detections[index]) return;
      const { xmin, ymin, xmax, ymax } = detections[index].box;
      zoom.reveal([xmin / width, ymin / height, xmax / width, ymax / height]);
    },
    /** Back to what is seen when nothing is under way. */
    settle: () => state("picture" in stage.dataset ? "shown" : "empty"),
  };
}
