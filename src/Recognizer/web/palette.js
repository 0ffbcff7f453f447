/* Colours of objects, by the rules of the service's own picture: section 3 of docs/drawing.md. */
import { crc32 } from "./crc32.js";

const OWN = 7; // labels have colours of their own among the first so many
const SEED = 177_684;
const SHADES = 3;
const PALETTE = `
  e69f00 56b4e9 009e73 f0e442 0072b2 d55e00 cc79a7
  5533ee 44ff44 ff55ee eeddbb ff4466 669911 2255cc 44ffff 446666 ff9988 66ff99 776600 ddccff ff55aa
  8833aa bbee99 aa8888 778855 bb1111 00aa44 aa2255 bb7733 dd77dd 77ffcc aa66ff 22bb00 8877bb 0099aa
  aaddbb aaee66 6699ff aa3388 9911cc 7788aa 99eeff aabb55 665566 ee6688 ff7755 aacc11 bb9933 cc9977
  99aa99 884477 55bbaa ffaa66 cc11aa ffcc66 117711 4455ee 3355aa aaaa11 994444 337744 775544 007766
  ccddee bb0033 ffbbdd aa4422 ddee77 8877ee ff4444 88bb77 226688 7799dd 778822 55ee66 77bb55 884499
  ffbbff cc1177 00bb77 998866 dd33ee 11ccaa ddbb22 aaaa66 ff7777 dd9999 dd2266 66cc44 119900 ee8833
  aa99cc 77bbcc 88ee99 885511 cc88ff 008844 77bb00 7744cc 336611`
  .trim()
  .split(/\s+/)
  .map((hex) => [0, 2, 4].map((at) => parseInt(hex.slice(at, at + 2), 16)));

const LOW_SCORE = 0.3;

/** For each object, the most confident first: {line, text, halo, plain} as #rrggbb, and isDashed. */
export function inks(objects) {
  const colours = new Map();
  const alike = new Map();
  return objects.map(({ id, score, box }) => {
    if (!colours.has(id)) {
      colours.set(id, freeColour(id, new Set(colours.values())));
      alike.set(id, []);
    }
    const counts = new Array(SHADES).fill(0);
    for (const other of alike.get(id)) {
      if (other.box.xmin < box.xmax && box.xmin < other.box.xmax && other.box.ymin < box.ymax && box.ymin < other.box.ymax) counts[other.shade]++;
    }
    const shade = counts.indexOf(Math.min(...counts));
    alike.get(id).push({ box, shade });
    return { ...ink(PALETTE[colours.get(id)], shade), isDashed: score < LOW_SCORE };
  });
}

function freeColour(id, taken) {
  const own = crc32(new TextEncoder().encode(id), SEED) % OWN;
  const order = PALETTE.map((_, index) => (index < OWN ? (own + index) % OWN : index));
  return order.find((colour) => !taken.has(colour)) ?? own;
}

function ink(plain, shade) {
  const [red, green, blue] = plain;
  const isDark = 299 * red + 587 * green + 114 * blue < 100_000;
  let line = plain;
  if (shade === 1) line = mixed(plain, 255, 50);
  else if (shade === 2) line = isDark ? mixed(plain, 255, 25) : mixed(plain, 0, 30);
  const text = contrast([0, 0, 0], line) >= contrast([255, 255, 255], line) ? "#000000" : "#ffffff";
  return { line: hex(line), text, halo: hex(mixed(line, 0, 80)), plain: hex(plain) };
}

const hex = (colour) => `#${colour.map((channel) => channel.toString(16).padStart(2, "0")).join("")}`;
const mixed = (colour, level, percent) => colour.map((channel) => Math.floor((channel * (100 - percent) + level * percent + 50) / 100));

/** Contrast of two colours, 1 to 21, by WCAG 2.2. */
function contrast(one, other) {
  const [darker, lighter] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (lighter + 0.05) / (darker + 0.05);
}

function luminance(colour) {
  const [red, green, blue] = colour.map((level) => {
    const channel = level / 255;
    return channel <= 0.04045 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
