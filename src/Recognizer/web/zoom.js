/*
 * A sheet in a view that it fits at first, to be zoomed and moved with wheel, pinch, drag and keys. Owns the arithmetic and
 * the gestures; what lies on the sheet is told the size it has on the screen.
 */

const MOST = 12;
const STEP = 1.4;
const KEY_PX = 60;

/** `onChange` hears the sheet's width and height in CSS pixels, and its zoom: 1 fits. */
export function Zoom(view, sheet, onChange) {
  let ratio = 1; // width to height of the picture
  let [zoom, x, y] = [1, 0, 0]; // x and y: the sheet's top left corner in the view
  let isHeld = false; // something else has the pointer
  const pointers = new Map();

  function fit() {
    const [width, height] = [view.clientWidth, view.clientHeight];
    return width / height > ratio ? [height * ratio, height] : [width, width / ratio];
  }

  function apply() {
    const [width, height] = fit().map((side) => side * zoom);
    const within = (at, side, room) => (side <= room ? (room - side) / 2 : Math.min(0, Math.max(room - side, at)));
    x = within(x, width, view.clientWidth);
    y = within(y, height, view.clientHeight);
    Object.assign(sheet.style, { width: `${width}px`, height: `${height}px`, transform: `translate(${x}px, ${y}px)` });
    view.classList.toggle("zoomed", zoom > 1);
    onChange(width, height, zoom);
  }

  /** Zooms so that what is at a place of the view stays there. */
  function to(next, atX = view.clientWidth / 2, atY = view.clientHeight / 2) {
    const before = zoom;
    zoom = Math.min(Math.max(next, 1), MOST);
    x = atX - (atX - x) * (zoom / before);
    y = atY - (atY - y) * (zoom / before);
    apply();
  }

  function move(byX, byY) {
    x += byX;
    y += byY;
    apply();
  }

  const place = (event) => {
    const { left, top } = view.getBoundingClientRect();
    return [event.clientX - left, event.clientY - top];
  };

  view.addEventListener("wheel", (event) => {
    // Where the page itself scrolls below the pointer, only with the key that browsers use for zooming.
    if (!event.ctrlKey && !event.metaKey && !matchMedia("(min-width: 68rem)").matches) return;
    event.preventDefault();
    const lines = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 30 : 1;
    to(zoom * Math.exp(-event.deltaY * lines * (event.ctrlKey ? 0.01 : 0.002)), ...place(event));
  }, { passive: false });

  view.addEventListener("pointerdown", (event) => {
    if (isHeld || event.button > 0) return;
    pointers.set(event.pointerId, place(event));
  });
  view.addEventListener("pointermove", (event) => {
    const last = pointers.get(event.pointerId);
    if (isHeld || !last) return;
    const now = place(event);
    const [other] = [...pointers].filter(([id]) => id !== event.pointerId).map(([, at]) => at);
    if (other) {
      const distance = (one) => Math.hypot(one[0] - other[0], one[1] - other[1]);
      to((zoom * distance(now)) / Math.max(distance(last), 1), (now[0] + other[0]) / 2, (now[1] + other[1]) / 2);
    } else if (zoom > 1) {
      view.setPointerCapture(event.pointerId);
      move(now[0] - last[0], now[1] - last[1]);
    }
    pointers.set(event.pointerId, now);
  });
  for (const type of ["pointerup", "pointercancel", "pointerleave"]) {
    view.addEventListener(type, ({ pointerId }) => pointers.delete(pointerId));
  }
  view.addEventListener("dblclick", (event) => !isHeld && to(zoom > 1 ? 1 : 3, ...place(event)));
  view.addEventListener("keydown", (event) => {
    const steps = { ArrowLeft: [KEY_PX, 0], ArrowRight: [-KEY_PX, 0], ArrowUp: [0, KEY_PX], ArrowDown: [0, -KEY_PX] };
    if (event.key === "+" || event.key === "=") to(zoom * STEP);
    else if (event.key === "-") to(zoom / STEP);
    else if (event.key === "0") to(1);
    else if (steps[event.key] && zoom > 1) move(...steps[event.key]);
    else return;
    event.preventDefault();
  });
  new ResizeObserver(apply).observe(view);

  return {
    /** Starts anew with a picture of that shape. */
    reset(width, height) {
      ratio = width / height;
      view.style.setProperty("--ratio", ratio);
      to(1);
    },
    in: () => to(zoom * STEP),
    out: () => to(zoom / STEP),
    whole: () => to(1),
    hold: (held) => (isHeld = held),
    /** Brings a part of the picture, as fractions, into sight where it is not. */
    reveal([left, top, right, bottom]) {
      const [width, height] = fit().map((side) => side * zoom);
      const by = (at, from, to, room) => (at + from < 0 || at + to > room ? room / 2 - (from + to) / 2 - at : 0);
      move(by(x, left * width, right * width, view.clientWidth), by(y, top * height, bottom * height, view.clientHeight));
    },
  };
}
