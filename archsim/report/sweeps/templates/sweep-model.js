// The designs of a sweep in the browser: columns, ranges on them, which designs are left, and the front of those.
const COLUMNS = PAGE.columns, COUNT = PAGE.count;
const WIDE = 3;  // largest over smallest from which an axis is logarithmic

for (const [k, column] of COLUMNS.entries()) {
  column.place = k;
  column.values = Float64Array.from(column.values, (value) => value === null ? NaN : value);
  column.words = column.levels !== null;
  const known = column.values.filter(Number.isFinite);
  column.low = known.reduce((a, b) => Math.min(a, b), Infinity);
  column.high = known.reduce((a, b) => Math.max(a, b), -Infinity);
  column.log = !column.words && column.low > 0 && column.high > WIDE * column.low;
  [column.least, column.most] = [column.low, column.high];  // with the bars of the spread over seeds
  column.values.forEach((value, i) => {
    const half = column.spread ? column.spread[i] || 0 : 0;
    if (value + half > column.most) column.most = value + half;
    if (value - half < column.least && !(column.log && value - half <= 0)) column.least = value - half;
  });
  const different = [...new Set(known)].sort((a, b) => a - b);
  column.stops = different.length <= 60 ? different : null;  // where a slider halts; null: anywhere
}

const state = {
  x: PAGE.x, y: PAGE.y, zoom: false, only: false, sort: null, rising: true, shown: 50, pinned: null, at: null,
  ranges: COLUMNS.map(() => null),  // null: all; numbers: [from, to]; words: a Set of levels
};
/** What a page begins with: designs within the constraints of a search. */
for (const [k, levels] of Object.entries(PAGE.begin)) state.ranges[k] = new Set(levels);
const left = new Uint8Array(COUNT).fill(1);
let best = [];  // the front of the designs left, in the order of x

/** Where a value stands on a column's axis, 0 to 1. */
function part(column, value) {
  const of = column.log ? Math.log : (each) => each;
  const span = of(column.high) - of(column.low);
  return span > 0 ? (of(value) - of(column.low)) / span : 0.5;
}

/** The value at a part of a column's axis. */
function valueAt(column, at) {
  if (at <= 0) return column.low;
  if (at >= 1) return column.high;
  return column.log ? column.low * (column.high / column.low) ** at : column.low + (column.high - column.low) * at;
}

/** The value of a row as archsim writes it; "-" for none. */
function text(column, value, digits = 4) {
  if (!Number.isFinite(value)) return "-";
  if (column.words) return column.levels[value];
  if (column.prefixed) return show(value, column.unit, digits);
  const scaled = Number((column.scale * value).toPrecision(column.kind === "axis" ? 10 : digits));
  return `${scaled}${column.unit ? ` ${column.unit}` : ""}`;
}

function passes(column, range, value) {
  if (column.words) return range.has(value);
  return value >= range[0] && value <= range[1];  // what is not known is in no range
}

/** Find the designs left by all ranges, and their front. */
function select() {
  left.fill(1);
  for (const [k, range] of state.ranges.entries()) {
    if (range === null) continue;
    const column = COLUMNS[k];
    for (let i = 0; i < COUNT; i++) if (left[i] && !passes(column, range, column.values[i])) left[i] = 0;
  }
  best = front(COLUMNS[state.x], COLUMNS[state.y]);
}

/** The rows left that no other one left dominates in two columns: exact, those that are alike together. */
function front(x, y) {
  const sign = (column) => column.better === "high" ? -1 : 1, sx = sign(x), sy = sign(y);
  const rows = [];
  for (let i = 0; i < COUNT; i++) if (left[i] && Number.isFinite(x.values[i]) && Number.isFinite(y.values[i])) rows.push(i);
  rows.sort((a, b) => sx * (x.values[a] - x.values[b]) || sy * (y.values[a] - y.values[b]));
  const found = [];
  let lowest = Infinity;
  for (const i of rows) {
    const last = found.at(-1), alike = last !== undefined && x.values[i] === x.values[last] && y.values[i] === y.values[last];
    if (sy * y.values[i] < lowest || alike) {
      found.push(i);
      lowest = sy * y.values[i];
    }
  }
  return sx < 0 ? found.reverse() : found;
}

/** The design of the front furthest on the better side of the line between its ends, in logarithms scaled to 0..1. */
function knee(rows, x, y) {
  if (rows.length < 3) return null;
  const along = (column) => {
    const log = rows.every((i) => column.values[i] > 0), sign = column.better === "high" ? -1 : 1;
    const told = rows.map((i) => sign * (log ? Math.log(column.values[i]) : column.values[i]));
    const low = Math.min(...told), span = Math.max(...told) - low;
    return span > 0 ? told.map((each) => (each - low) / span) : null;
  };
  const first = along(x), second = along(y);
  if (!first || !second) return null;
  const beyond = rows.map((_, k) => 1 - first[k] - second[k]), most = Math.max(...beyond);
  return most > 1e-9 ? rows[beyond.indexOf(most)] : null;
}

/** The rows of the table, as it is sorted; what is not known stands last. */
function listed() {
  const rows = state.only ? [...best] : Array.from(left.keys()).filter((i) => left[i]);
  if (state.sort === null) return rows;
  const values = COLUMNS[state.sort].values, sign = state.rising ? 1 : -1;
  return rows.sort((a, b) => Number.isNaN(values[a]) - Number.isNaN(values[b]) || sign * (values[a] - values[b]) || a - b);
}

/** The rows left as CSV: values in SI, as sweep.csv has them. */
function csv() {
  const quote = (cell) => /[",\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
  const spread = COLUMNS.filter((column) => column.spread);
  const head = ["point", ...COLUMNS.map((column) => column.key), ...spread.map((column) => `${column.key}.std`)];
  const cell = (column, i) => {
    const value = column.values[i];
    return Number.isFinite(value) ? column.words ? column.levels[value] : String(value) : "";
  };
  const rows = listed().map((i) => [PAGE.points[i], ...COLUMNS.map((column) => cell(column, i)), ...spread.map((column) => String(column.spread[i] ?? ""))]);
  return [head, ...rows].map((row) => row.map(quote).join(",")).join("\n") + "\n";
}
