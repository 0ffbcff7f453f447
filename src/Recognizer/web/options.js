/*
 * What is asked of a picture: the options of the page, in the page's own address and as the API's parameters. Which
 * objects they leave is here too, by the service's rules, so that the page can show it without asking.
 */

export const MOST = 100; // objects in one answer
const MOST_TILES = 4; // each way
const LOW_SCORE = 0.05; // from where on the page wants to know of objects, so that its slider can show them

/** What the picture is shown as -> what the API calls it. */
export const LOOKS = {
  labels: {},
  boxes: { draw: "boxes" },
  "crop-blur": { draw: "blur", crop: "1" }, // before those that ask for a part of it
  blur: { draw: "blur" },
  crop: { crop: "1" },
  none: { draw: "none" },
};

export const defaults = (min_score) => ({
  n: MOST,
  min_score,
  scores: {}, // by label, where one differs
  include: [],
  exclude: [],
  hide: [], // labels that a click took out of the picture
  region: null, // xmin, ymin, xmax, ymax as fractions
  tiles: 1, // each way, beside the whole picture
  look: "labels",
  image_format: "",
});

// --- In the page's address ---

const names = (text) => (text ?? "").split(",").filter(Boolean);

/** Only what differs from the defaults, so that a link is short. */
export function toQuery(options, standard) {
  const { look, scores, ...others } = options;
  const query = {};
  for (const [name, value] of Object.entries(others)) {
    if (String(value ?? "") !== String(standard[name] ?? "")) query[name] = String(value ?? "");
  }
  const byLabel = Object.entries(scores).map(([label, score]) => `${label}:${score}`);
  if (byLabel.length) query.scores = byLabel.join(",");
  return { ...query, ...LOOKS[look] };
}

/** Options from an address; what it does not say, or says wrongly, is the default. */
export function fromQuery(query, standard) {
  const numeric = (name, most) => {
    const value = Number(query.get(name) || NaN);
    return value >= 0 && value <= most ? value : standard[name];
  };
  const scores = names(query.get("scores")).map((pair) => [pair.slice(0, pair.lastIndexOf(":")), Number(pair.split(":").at(-1))]);
  const region = names(query.get("region")).map(Number);
  const [look] = Object.entries(LOOKS).find(([, asked]) =>
    Object.keys(asked).length && Object.entries(asked).every(([name, value]) => query.get(name) === value),
  ) ?? ["labels"];
  return {
    n: Math.max(1, Math.round(numeric("n", MOST))),
    min_score: numeric("min_score", 1),
    scores: Object.fromEntries(scores.filter(([label, score]) => label && score >= 0 && score <= 1)),
    include: names(query.get("include")),
    exclude: names(query.get("exclude")),
    hide: names(query.get("hide")),
    tiles: Math.max(1, Math.round(numeric("tiles", MOST_TILES))),
    region: region.length === 4 && region.every((edge) => edge >= 0 && edge <= 1) ? region : null,
    look,
    image_format: query.get("image_format") ?? "",
  };
}

// --- Which objects ---

const covers = (name, { label, id, parents = [] }) =>
  [label, id, ...parents].some((known) => known?.toLowerCase() === name.toLowerCase());

/** The least score of an object: of its own label, of the nearest that covers it, or of all. */
export function least({ scores, min_score }, { label, parents = [] }) {
  const named = [label, ...parents].find((name) => name in scores);
  return named === undefined ? min_score : scores[named];
}

/** Whether an object is wanted, its score left aside. */
export function isWanted({ include, exclude, region }, detection, [width, height]) {
  if (include.length && !include.some((name) => covers(name, detection))) return false;
  if (exclude.some((name) => covers(name, detection))) return false;
  if (!region) return true;
  const { xmin, ymin, xmax, ymax } = detection.box;
  const [x, y] = [(xmin + xmax) / 2 / width, (ymin + ymax) / 2 / height];
  return x >= region[0] && x <= region[2] && y >= region[1] && y <= region[3];
}

/** The objects that are left of those found, most confident first, and before labels are hidden. */
export function candidates(options, detections, size) {
  return detections.filter((found) => found.score >= least(options, found) && isWanted(options, found, size));
}

/** The objects that are shown. */
export function shown(options, detections, size) {
  const left = candidates(options, detections, size).filter(({ label }) => !options.hide.includes(label));
  return left.slice(0, options.n);
}

// --- As the API's parameters ---

/** What is asked about a picture at first: all that the page could be made to show. */
export function widest(options) {
  const { include, exclude, region, tiles, min_score, scores } = options;
  const least = Math.min(LOW_SCORE, min_score, ...Object.values(scores));
  return parameters({ n: MOST, min_score: least, include, exclude, region, tiles });
}

/** Whether what was found for `asked` (see `widest`) holds all that other options could show. */
export function isEnough(asked, detections, options) {
  const criteria = ({ include, exclude, region }) => JSON.stringify([include, exclude, region]);
  if (asked.tiles !== widest(options).tiles) return false;
  const isSame = criteria(asked) === criteria(widest(options));
  if (!isSame && criteria(asked) !== criteria({})) return false;
  const named = [...options.include, ...options.exclude];
  // Whether there is such a label, only the service knows.
  if (!isSame && !named.every((name) => detections.some((found) => covers(name, found)))) return false;
  const lowest = Math.min(options.min_score, ...Object.values(options.scores));
  if (detections.length < MOST) return lowest >= asked.min_score;
  return isSame || lowest >= detections.at(-1).score; // of the same there is no more to be had
}

/** Labels to include and exclude so that those hidden are left out and nothing else is. */
function labelsOf({ include, exclude, hide }, detections) {
  const left = detections.filter(({ label }) => !hide.includes(label));
  const coversLeft = (name) => left.some(({ parents = [] }) => parents.includes(name));
  const out = hide.filter((name) => !coversLeft(name));
  const isExact = out.length === hide.length;
  return {
    include: isExact ? include : [...new Set(left.map(({ label }) => label))],
    exclude: [...exclude, ...out],
  };
}

/** Everything that the page shows, as parameters, whatever the service's own defaults are. */
export function asked(options, detections) {
  const { n, min_score, scores, region, tiles, look, image_format } = options;
  const score = Object.keys(scores).length ? { "*": min_score, ...scores } : min_score;
  const labels = labelsOf(options, detections);
  return { ...parameters({ n, min_score: score, ...labels, region, tiles }), ...LOOKS[look], ...(image_format && { image_format }) };
}

/** The same where the answer is no picture. */
export function askedOfJson(options, detections) {
  const { draw, crop, image_format, ...others } = asked(options, detections);
  return others;
}

function parameters({ n, min_score, include, exclude, region, tiles }) {
  const lists = { include: include.join(","), exclude: exclude.join(","), region: region?.join(",") ?? "" };
  return { n, min_score, ...Object.fromEntries(Object.entries(lists).filter(([, value]) => value)), ...(tiles > 1 && { tiles }) };
}

/** Parameters as text, for a query; null where they need a body: scores by label are an object. */
export function asQuery(parameters) {
  return typeof parameters.min_score === "object" ? null : new URLSearchParams(parameters);
}
