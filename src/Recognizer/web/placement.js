/*
 * Which label each object gets and where it goes, by the rules of the service's own picture: sections 2 and 4 to 8 of
 * docs/drawing.md, where each is explained. Arithmetic on whole pixels; rectangles are [xmin, ymin, xmax, ymax].
 */

const MIN_FONT = 11;
const FORMS = [
  { form: "whole", says: "all" },
  { form: "name", says: "name" },
  { form: "small", says: "name", isSmall: true },
  { form: "leader", says: "name", isSmall: true, hasLeader: true },
];
const NUMBER = [{ form: "number", says: "number", isSmall: true }];
const LEGEND_LINES = 12;

const half = (value) => Math.floor(value / 2);
const area = ([xmin, ymin, xmax, ymax]) => (xmax - xmin) * (ymax - ymin);
const overlap = (one, other) => one[0] < other[2] && other[0] < one[2] && one[1] < other[3] && other[1] < one[3];
const padding = (font) => Math.floor((3 * font + 5) / 10);

/** The outer edge of the line around a box. */
export function frameAround(box, [width, height], { line, halo }) {
  const margin = line + halo;
  return [Math.max(0, box[0] - margin), Math.max(0, box[1] - margin), Math.min(width, box[2] + margin), Math.min(height, box[3] + margin)];
}

/** Radius of a label's corners, without its halo. */
export const radius = (font) => Math.floor((2 * font + 5) / 10);

/**
 * The labels of an image of [width, height], by index of the objects, and after them the legend: {index, form, text, font,
 * place, leader}. Objects are {box, name, score}, the score as it is written, the most confident first; sizes are {line,
 * halo, font}; `length` is that of a text in a size, in whole pixels.
 */
export function placeLabels(image, objects, sizes, length) {
  const [width, height] = image;
  const { line, halo } = sizes;
  const frames = objects.map(({ box }) => frameAround(box, image, sizes));
  const room = Room(image, objects.map(({ box }) => box));

  const sizeOf = (text, font) => [length(text, font) + 2 * (padding(font) + halo), Math.floor((138 * font + 50) / 100) + 2 * halo];

  function textOf(index, says, font) {
    if (says === "number") return String(index + 1);
    const { name, score } = objects[index];
    return oneLine(name, says === "all" ? score : "", width - 2 * (halo + padding(font)), (text) => length(text, font));
  }

  function uncrowded(font) {
    let covered = 0;
    objects.forEach((_, index) => {
      const text = textOf(index, "all", font);
      const [wide, high] = text ? sizeOf(text, font) : [0, 0];
      covered += wide * high;
    });
    if (covered <= 0.3 * (width * height)) return font;
    return Math.max(MIN_FONT, Math.floor(Math.max(Math.sqrt((0.3 * (width * height)) / covered), 0.6) * font));
  }

  const large = uncrowded(sizes.font);
  const small = Math.max(MIN_FONT, Math.floor((3 * large) / 4));

  function label(index, forms) {
    for (const { form, says, isSmall, hasLeader } of forms) {
      const font = isSmall ? small : large;
      const text = textOf(index, says, font);
      const size = sizeOf(text, font);
      if (!text || size[0] > width || size[1] * 3 > height || !room.mayCover(size[0] * size[1])) continue;
      const spots = hasLeader ? offFrame(frames[index], size, image, halo, line + 2 * halo) : atFrame(frames[index], size, image, halo);
      const spot = room.firstFree(spots);
      if (!spot) continue;
      room.take(...spot);
      return { index, form, text, font, place: spot[0], leader: spot[1] };
    }
    return null;
  }

  function legend(indices) {
    const texts = indices.slice(0, LEGEND_LINES).map((index) => [textOf(index, "number", small), textOf(index, "all", small)].join(" "));
    for (let count = texts.length; count; count = half(count)) {
      const lines = texts.slice(0, count).map((text) => sizeOf(text, small));
      const [wide, high] = [Math.max(...lines.map(([one]) => one)), lines[0][1]];
      for (const columns of [1, 2, 3, 4]) {
        const rows = Math.ceil(count / columns);
        const block = [columns * wide, rows * high];
        if ((columns - 1) * rows >= count || block[0] > width || block[1] > height || !room.mayCover(block[0] * block[1])) continue;
        const spot = room.firstFree(atEdges(block, image));
        if (!spot) continue;
        return indices.slice(0, count).map((index, at) => {
          const [x, y] = [spot[0][0] + Math.floor(at / rows) * wide, spot[0][1] + (at % rows) * high];
          const place = [x, y, x + wide, y + high];
          room.take(place);
          return { index, form: "legend", text: texts[at], font: small, place, leader: null };
        });
      }
    }
    return [];
  }

  const all = objects.map((_, index) => index);
  const labelled = (indices, forms) => indices.map((index) => label(index, forms)).filter(Boolean);
  const named = labelled(all, FORMS);
  const withName = new Set(named.map(({ index }) => index));
  const numbers = labelled(all.filter((index) => !withName.has(index)), NUMBER);
  const lines = legend(numbers.map(({ index }) => index));
  return [...[...named, ...numbers.slice(0, lines.length)].sort((a, b) => a.index - b.index), ...lines];
}

/** A name and a score on one line, the name cut where it is too long; nothing where too little of it would be left. */
function oneLine(name, score, room, length) {
  const letters = Array.from(name.split(/\s+/).filter(Boolean).join(" "));
  const text = `${letters.join("")} ${score}`.trim();
  if (length(text) <= room) return text;
  const cut = (count) => `${letters.slice(0, count).join("").trimEnd()}… ${score}`.trimEnd();
  let [fits, tooLong] = [2, letters.length];
  while (tooLong - fits > 1) {
    const middle = half(fits + tooLong);
    if (length(cut(middle)) <= room) fits = middle;
    else tooLong = middle;
  }
  return fits >= 3 ? cut(fits) : "";
}

/** What room labels have: labels never overlap, and of no object they hide more than a fifth. */
function Room([width, height], boxes) {
  const taken = [];
  const left = boxes.map((box) => Math.floor(area(box) / 5));
  let coverable = half(width * height);

  const hidden = (place, box) =>
    (Math.min(place[2], box[2]) - Math.max(place[0], box[0])) * (Math.min(place[3], box[3]) - Math.max(place[1], box[1]));
  const isClear = (place) => !taken.some((other) => overlap(place, other));
  const hidesLittle = (place) => !boxes.some((box, index) => overlap(place, box) && hidden(place, box) > left[index]);

  return {
    mayCover: (pixels) => pixels <= coverable,
    firstFree(spots) {
      for (const spot of spots) {
        if (isClear(spot[0]) && hidesLittle(spot[0]) && (!spot[1] || isClear(spot[1]))) return spot;
      }
      return null;
    },
    take(place, leader = null) {
      boxes.forEach((box, index) => {
        if (overlap(place, box)) left[index] -= hidden(place, box);
      });
      coverable -= area(place);
      taken.push(place, ...(leader ? [leader] : []));
    },
  };
}

/** Where a span begins that is flush with another's low end, with its high end, in its middle. */
const flush = (low, high, length, last) => [low, high - length, half(low + high - length)].map((start) => Math.max(0, Math.min(start, last)));

function* atFrame([left, top, right, bottom], [wide, high], [width, height], join) {
  const [lowest, rightmost] = [height - high, width - wide];
  const isRoomy = bottom - top >= 2 * high && right - left >= wide;
  const [above, below] = [top + join - high, bottom - join];
  for (const y of isRoomy ? [above, top, below, bottom - high] : [above, below]) {
    if (y < 0 || y > lowest) continue;
    for (const x of flush(left, right, wide, rightmost)) yield [[x, y, x + wide, y + high], null];
  }
  for (const x of [right - join, left + join - wide]) {
    if (x < 0 || x > rightmost) continue;
    for (const y of flush(top, bottom, high, lowest).slice(0, 2)) yield [[x, y, x + wide, y + high], null];
  }
}

function* offFrame([left, top, right, bottom], [wide, high], [width, height], join, leader) {
  const [lowest, rightmost] = [height - high, width - wide];
  const [columns, rows] = [flush(left, right, wide, rightmost), flush(top, bottom, high, lowest)];
  for (const away of [high, 2 * high, 3 * high, 4 * high]) {
    const levels = [[top - away - high, top - away - join, top + join], [bottom + away, bottom - join, bottom + away + join]];
    for (const [y, start, end] of levels) {
      if (y < 0 || y > lowest) continue;
      for (const x of columns) {
        const middle = half(Math.max(x, left) + Math.min(x + wide, right)) - half(leader);
        yield [[x, y, x + wide, y + high], [middle, start, middle + leader, end]];
      }
    }
    const sides = [[right + away, right - join, right + away + join], [left - away - wide, left - away - join, left + join]];
    for (const [x, start, end] of sides) {
      if (x < 0 || x > rightmost) continue;
      for (const y of rows) {
        const middle = half(Math.max(y, top) + Math.min(y + high, bottom)) - half(leader);
        yield [[x, y, x + wide, y + high], [start, middle, end, middle + leader]];
      }
    }
  }
}

function* atEdges([wide, high], [width, height]) {
  const [right, bottom] = [width - wide, height - high];
  const corners = [[0, bottom], [right, bottom], [right, 0], [0, 0]];
  for (const [x, y] of [...corners, [half(right), bottom], [half(right), 0], [0, half(bottom)], [right, half(bottom)]]) {
    yield [[x, y, x + wide, y + high], null];
  }
}
