/* A part of the picture, marked by dragging a rectangle over it or, with the keys, by moving and sizing one. */

const LEAST_PX = 8; // a shorter drag is a click
const KEY_STEP = 0.05;
const MIDDLE = [0.25, 0.25, 0.75, 0.75];

/** `onChange` hears xmin, ymin, xmax, ymax as fractions of the sheet, or null, at the end of each drag and key. */
export function Region(view, sheet, band, onChange) {
  let edges = null;
  let from = null;
  let isOn = false;

  const clamp = (value) => Math.min(Math.max(value, 0), 1);
  const rounded = (value) => Math.round(value * 1000) / 1000;

  function place({ clientX, clientY }) {
    const { left, top, width, height } = sheet.getBoundingClientRect();
    return [clamp((clientX - left) / width), clamp((clientY - top) / height)];
  }

  function show(next) {
    edges = next;
    band.hidden = !edges;
    if (!edges) return;
    const [left, top, right, bottom] = edges.map((edge) => edge * 100);
    Object.assign(band.style, { left: `${left}%`, top: `${top}%`, width: `${right - left}%`, height: `${bottom - top}%` });
  }

  const between = ([x, y]) => [Math.min(x, from[0]), Math.min(y, from[1]), Math.max(x, from[0]), Math.max(y, from[1])].map(rounded);

  view.addEventListener("pointerdown", (event) => {
    if (!isOn || event.button > 0) return;
    event.preventDefault();
    view.focus();
    view.setPointerCapture(event.pointerId);
    from = place(event);
  });
  view.addEventListener("pointermove", (event) => from && show(between(place(event))));
  view.addEventListener("pointerup", (event) => {
    if (!from) return;
    const next = between(place(event));
    const { width, height } = sheet.getBoundingClientRect();
    const isClick = (next[2] - next[0]) * width < LEAST_PX || (next[3] - next[1]) * height < LEAST_PX;
    from = null;
    show(isClick ? null : next);
    onChange(edges);
  });
  view.addEventListener("keydown", (event) => {
    const steps = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    const step = steps[event.key]?.map((part) => part * KEY_STEP);
    if (!isOn || !step) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    const [left, top, right, bottom] = edges ?? MIDDLE;
    const next = event.shiftKey
      ? [left, top, clamp(right + step[0]), clamp(bottom + step[1])]
      : [left + step[0], top + step[1], right + step[0], bottom + step[1]];
    const fits = next.every((edge) => edge >= 0 && edge <= 1.0001) && next[2] > next[0] && next[3] > next[1];
    show(fits ? next.map(clamp).map(rounded) : [left, top, right, bottom]);
    onChange(edges);
  });

  return {
    show,
    /** Whether a drag marks a part, and does not move the picture. */
    turn(on) {
      isOn = on;
      view.classList.toggle("marking", on);
    },
  };
}
