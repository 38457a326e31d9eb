// Canvases: the scatter of two columns, and a line a design through all columns.
const MOST_LINES = 1000, MANY = 3000;
const PAD = {left: 74, right: 14, top: 12, bottom: 44};
const scatter = document.getElementById("scatter"), lines = document.getElementById("lines");
let colours = {};

/** Read the colours of the page, which differ by day and night. */
function readColours() {
  const probe = make("span"), of = (name) => { probe.style.color = `var(${name})`; return getComputedStyle(probe).color; };
  document.body.append(probe);
  colours = {ink: of("--ink"), soft: of("--soft"), line: of("--line"), page: of("--page"), mark: of("--mark"), knee: of("--knee")};
  colours.series = PAGE.series.map((_, k) => of(`--chip-${k}`));
  probe.remove();
}

/** A canvas made as large as the box of the one that is seen, cleared, with its pen and its size in CSS pixels. */
function pen(canvas, seen = canvas) {
  const width = seen.clientWidth, height = seen.clientHeight, ratio = devicePixelRatio || 1;
  if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
  }
  const at = canvas.getContext("2d");
  at.setTransform(ratio, 0, 0, ratio, 0, 0);
  at.clearRect(0, 0, width, height);
  at.font = "12px system-ui, sans-serif";
  return {at, width, height};
}

const below = new Map([[scatter, document.createElement("canvas")], [lines, document.createElement("canvas")]]);

/** What is drawn anew when designs are marked alone: a copy of all else, with a pen to draw on it. */
function above(canvas) {
  const {at, width, height} = pen(canvas);
  if (width && height) at.drawImage(below.get(canvas), 0, 0, width, height);
  return {at, width, height};
}

// --- the scatter -----------------------------------------------------------------------------------------------------
let view = null;  // how columns lie on the scatter: place(row) -> [x, y]

function span(column) {
  let low = column.least, high = column.most;
  if (state.zoom) {
    const known = Array.from(left.keys()).filter((i) => left[i] && Number.isFinite(column.values[i])).map((i) => column.values[i]);
    if (known.length) [low, high] = known.reduce(([a, b], value) => [Math.min(a, value), Math.max(b, value)], [Infinity, -Infinity]);
  }
  const log = column.log && high > low, of = log ? Math.log : (each) => each;
  const room = 0.05 * (of(high) - of(low)) || (log ? 0.05 : 0.05 * Math.abs(high) || 1);
  return {of, log, from: of(low) - room, to: of(high) + room};
}

/** Values at which an axis is marked. */
function marksOf(column, {log, from, to}) {
  if (column.words) return column.levels.map((_, k) => k);
  if (log) {
    const found = logTicks(Math.exp(from), Math.exp(to));
    return found.length > 1 ? found : [Math.exp(from), Math.exp(to)];
  }
  const scaled = column.scale, step = ticks((to - from) * scaled, 5)[1];
  const first = Math.ceil(from * scaled / step);
  return step ? Array.from({length: Math.floor(to * scaled / step) - first + 1}, (_, k) => (first + k) * step / scaled) : [];
}

function titleOf(column) {
  const unit = column.unit && !column.prefixed ? ` [${column.unit}]` : "";
  const better = column.better ? `, ${column.better === "high" ? "higher" : "lower"} is better` : "";
  return `${column.title}${unit}${better}${column.log ? " (log axis)" : ""}`;
}

function drawAxes(at, width, height, x, y, spans) {
  const clip = (text, room) => { while (text.length > 3 && at.measureText(text).width > room) text = `${text.slice(0, -2)}…`; return text; };
  at.strokeStyle = colours.line;
  at.fillStyle = colours.soft;
  at.lineWidth = 1;
  at.textAlign = "center";
  let end = -Infinity;
  for (const value of marksOf(x, spans.x)) {
    const px = view.x(value), label = text(x, value), half = at.measureText(label).width / 2;
    at.beginPath();
    at.moveTo(px, PAD.top);
    at.lineTo(px, height - PAD.bottom);
    at.stroke();
    if (px - half > end && px + half < width) at.fillText(label, px, height - PAD.bottom + 15);
    if (px - half > end) end = px + half + 6;
  }
  at.textAlign = "right";
  for (const value of marksOf(y, spans.y)) {
    const py = view.y(value);
    at.beginPath();
    at.moveTo(PAD.left, py);
    at.lineTo(width - PAD.right, py);
    at.stroke();
    at.fillText(clip(text(y, value), PAD.left - 20), PAD.left - 5, py + 4);
  }
  at.fillStyle = colours.ink;
  at.textAlign = "center";
  at.fillText(clip(titleOf(x), width - 8), Math.max(PAD.left + (width - PAD.left - PAD.right) / 2, at.measureText(titleOf(x)).width / 2 + 4), height - 8);
  at.save();
  at.translate(12, PAD.top + (height - PAD.top - PAD.bottom) / 2);
  at.rotate(-Math.PI / 2);
  at.fillText(clip(titleOf(y), height - 8), 0, 0);
  at.restore();
}

function dot(at, [px, py], series, size) {
  at.beginPath();
  if (series % 2) at.rect(px - size, py - size, 2 * size, 2 * size);
  else at.arc(px, py, size, 0, 2 * Math.PI);
  at.fill();
}

/** Bars of one standard deviation over the seeds, both ways. */
function bars(at, i, x, y) {
  at.beginPath();
  for (const [column, across] of [[x, true], [y, false]]) {
    const half = column.spread ? column.spread[i] : 0;
    if (!half) continue;
    const [from, to] = [-1, 1].map((sign) => {
      const value = column.values[i] + sign * half;
      return across ? [view.x(column.log && value <= 0 ? column.low : value), view.y(y.values[i])]
        : [view.x(x.values[i]), view.y(column.log && value <= 0 ? column.low : value)];
    });
    at.moveTo(...from);
    at.lineTo(...to);
  }
  at.stroke();
}

function drawScatter() {
  const {at, width, height} = pen(below.get(scatter), scatter), x = COLUMNS[state.x], y = COLUMNS[state.y];
  const spans = {x: span(x), y: span(y)};
  const along = ({of, from, to}, value) => (of(value) - from) / (to - from);
  view = {
    x: (value) => PAD.left + along(spans.x, value) * (width - PAD.left - PAD.right),
    y: (value) => height - PAD.bottom - along(spans.y, value) * (height - PAD.top - PAD.bottom),
    place: (i) => [view.x(x.values[i]), view.y(y.values[i])],
  };
  drawAxes(at, width, height, x, y, spans);
  at.save();
  at.beginPath();
  at.rect(PAD.left - 8, 0, width, height - PAD.bottom + 8);
  at.clip();
  const known = (i) => Number.isFinite(x.values[i]) && Number.isFinite(y.values[i]);
  at.fillStyle = colours.line;
  for (let i = 0; i < COUNT; i++) if (!left[i] && known(i)) { const [px, py] = view.place(i); at.fillRect(px - 1.5, py - 1.5, 3, 3); }
  const on = new Set(best), many = COUNT > MANY;
  at.globalAlpha = many ? 0.35 : 0.45;
  PAGE.series.forEach((_, k) => {
    at.fillStyle = colours.series[k];
    for (let i = 0; i < COUNT; i++) {
      if (!left[i] || PAGE.of[i] !== k || !known(i) || on.has(i)) continue;
      if (many) { const [px, py] = view.place(i); at.fillRect(px - 2, py - 2, 4, 4); } else dot(at, view.place(i), k, 3.2);
    }
  });
  at.globalAlpha = 1;
  at.strokeStyle = colours.ink;
  at.lineWidth = 1.4;
  at.beginPath();
  best.forEach((i, k) => k ? at.lineTo(...view.place(i)) : at.moveTo(...view.place(i)));
  at.stroke();
  for (const i of best) {
    at.fillStyle = at.strokeStyle = colours.series[PAGE.of[i]];
    at.lineWidth = 1;
    if (best.length <= 200) bars(at, i, x, y);
    dot(at, view.place(i), PAGE.of[i], 4.6);
  }
  ring(at, knee(best, x, y), colours.knee, 10);
  at.restore();
}

/** Show both pictures with the designs that are marked. */
function drawMarks() {
  const dots = above(scatter), strokes = above(lines);
  for (const [i, colour] of [[state.pinned, colours.mark], [state.at, colours.ink]]) {
    ring(dots.at, i, colour, 8);
    if (i !== null) line(strokes, i, colour, 2.6);
  }
}

function ring(at, i, colour, size) {
  if (i === null || !Number.isFinite(COLUMNS[state.x].values[i]) || !Number.isFinite(COLUMNS[state.y].values[i])) return;
  at.strokeStyle = colour;
  at.lineWidth = 2;
  at.beginPath();
  at.arc(...view.place(i), size, 0, 2 * Math.PI);
  at.stroke();
}

/** The design nearest to a place on the scatter, no further than 14 pixels; those left go first. */
function nearest(px, py) {
  let found = null, least = 14 ** 2;
  for (let i = 0; i < COUNT; i++) {
    const [dx, dy] = view.place(i), far = (dx - px) ** 2 + (dy - py) ** 2 + (left[i] ? 0 : 60);
    if (far < least) [least, found] = [far, i];
  }
  return found;
}

// --- a line a design -------------------------------------------------------------------------------------------------
const SIDE = 46, HEAD = 48, FOOT = 24;  // a title of two lines and the highest value above, the lowest below

const uprightAt = (k, width) => SIDE + k * (width - 2 * SIDE) / Math.max(COLUMNS.length - 1, 1);
const heightAt = (at, height) => height - FOOT - at * (height - HEAD - FOOT);

/** Draw a design through all columns that it has. */
function line({at, width, height}, i, colour, thick) {
  at.strokeStyle = colour;
  at.lineWidth = thick;
  at.beginPath();
  let down = false;
  for (const column of COLUMNS) {
    const value = column.values[i];
    if (!Number.isFinite(value)) { down = false; continue; }
    const px = uprightAt(column.place, width), py = heightAt(part(column, value), height);
    if (down) at.lineTo(px, py); else at.moveTo(px, py);
    down = true;
  }
  at.stroke();
}

function drawLines() {
  const pens = pen(below.get(lines), lines), {at, width, height} = pens;
  const stroke = (rows, colour, alpha, thick) => {
    at.globalAlpha = alpha;
    for (const i of rows) line(pens, i, colour, thick);
  };
  const thin = (rows) => { const step = Math.ceil(rows.length / MOST_LINES); return step > 1 ? rows.filter((_, k) => k % step === 0) : rows; };
  const every = Array.from(left.keys()), on = new Set(best);
  const rest = every.filter((i) => left[i] && !on.has(i));
  stroke(thin(every.filter((i) => !left[i])), colours.line, 0.45, 0.7);
  PAGE.series.forEach((_, k) => stroke(thin(rest.filter((i) => PAGE.of[i] === k)), colours.series[k], rest.length > 300 ? 0.12 : 0.3, 0.8));
  PAGE.series.forEach((_, k) => stroke(best.filter((i) => PAGE.of[i] === k), colours.series[k], 0.95, 1.6));
  at.globalAlpha = 1;
  for (const column of COLUMNS) drawUpright(pens, column, (width - 2 * SIDE) / Math.max(COLUMNS.length - 1, 1));
  byId("thinned").textContent = rest.length > MOST_LINES ? `Of ${WHOLE.format(rest.length)} designs left behind the front, every ${Math.ceil(rest.length / MOST_LINES)}th line is drawn.` : "";
}

/** A title as two lines, the first as long as fits; broken at spaces and behind points. */
function inTwo(title, fits) {
  if (fits(title)) return [title, ""];
  const parts = title.match(/[^ .]*[ .]?/g).filter(Boolean);
  let first = parts.shift();
  while (parts.length > 1 && fits((first + parts[0]).trimEnd())) first += parts.shift();
  return [first.trimEnd(), parts.join("")];
}

function drawUpright({at, width, height}, column, room) {
  const px = uprightAt(column.place, width);
  at.strokeStyle = colours.soft;
  at.lineWidth = 1;
  at.beginPath();
  at.moveTo(px, HEAD);
  at.lineTo(px, height - FOOT);
  at.stroke();
  const range = state.ranges[column.place];
  at.fillStyle = at.strokeStyle = colours.mark;
  if (range && !column.words) {
    const [from, to] = range.map((value) => heightAt(part(column, value), height));
    at.globalAlpha = 0.25;
    at.fillRect(px - 7, to, 14, Math.max(from - to, 2));
    at.globalAlpha = 1;
    at.strokeRect(px - 7, to, 14, Math.max(from - to, 2));
  } else if (range) {
    for (const level of range) at.fillRect(px - 6, heightAt(part(column, level), height) - 4, 12, 8);
  }
  at.textAlign = "center";
  at.fillStyle = colours.ink;
  const words = (text, place) => {
    while (text.length > 3 && at.measureText(text).width > room - 6) text = `${text.slice(0, -2)}…`;
    const half = at.measureText(text).width / 2;  // at the edges of the picture it moves inwards
    at.fillText(text, Math.min(Math.max(px, half), width - half), place);
  };
  const [first, rest] = inTwo(column.title, (each) => at.measureText(each).width <= room - 6);
  words(first, rest ? 12 : 26);
  if (rest) words(rest, 26);
  at.fillStyle = colours.soft;
  words(text(column, column.high, 3), HEAD - 6);
  if (column.high > column.low) words(text(column, column.low, 3), height - 8);
  const between = column.words ? column.levels.map((_, k) => k) : column.kind === "axis" && column.stops ? column.stops : [];
  if (between.length > 9) return;
  at.textAlign = "left";
  for (const value of between.filter((each) => each > column.low && each < column.high)) {
    const place = [text(column, value, 3).slice(0, 12), px + 9, heightAt(part(column, value), height) + 4];
    at.strokeStyle = colours.page;
    at.lineWidth = 3;
    at.strokeText(...place);
    at.fillText(...place);
  }
}
