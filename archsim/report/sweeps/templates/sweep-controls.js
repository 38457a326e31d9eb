// Ranges, the table, what is pointed at; everything that follows when one of them moves.
const byId = (id) => document.getElementById(id);
const STEPS = 200;
const MORE = 200;  // rows that a click adds to the table
const cards = [];  // one a column: {show()}

let asked = false;
/** Do everything anew before the next frame, once for all that moved until then. */
function update() {
  if (asked) return;
  asked = true;
  requestAnimationFrame(() => {
    asked = false;
    select();
    byId("left").textContent = WHOLE.format(left.reduce((a, b) => a + b, 0));
    byId("best").textContent = WHOLE.format(best.length);
    byId("reset-all").hidden = state.ranges.every((range) => range === null);
    showKnee();
    for (const card of cards) card.show();
    drawScatter();
    drawLines();
    drawMarks();
    fillTable();
  });
}

/** Mark another design: nothing else moved. */
function mark(i) {
  if (state.at === i) return;
  state.at = i;
  drawMarks();
}

function setRange(column, range) {
  const all = range && (column.words ? range.size === column.levels.length : range[0] <= column.low && range[1] >= column.high);
  state.ranges[column.place] = all ? null : range;
  update();
}

function described(i) {
  return COLUMNS.filter((column) => Number.isFinite(column.values[i])).map((column) => `${column.title} ${text(column, column.values[i])}`);
}

function showKnee() {
  const i = knee(best, COLUMNS[state.x], COLUMNS[state.y]);
  byId("knee").textContent = i === null ? "The front of the designs left has no knee." : `Knee of the front: ${described(i).join(", ")}.`;
}

// --- ranges ----------------------------------------------------------------------------------------------------------
function numberCard(column) {
  const most = column.stops ? column.stops.length - 1 : STEPS;
  const valueOf = (stop) => column.stops ? column.stops[stop] : valueAt(column, stop / STEPS);
  const stopOf = (value, low) => {
    if (!column.stops) return Math.round(STEPS * part(column, value));
    const place = low ? column.stops.findIndex((each) => each >= value) : column.stops.findLastIndex((each) => each <= value);
    return place < 0 ? low ? most : 0 : place;
  };
  const value = make("span", {class: "soft"}), inputs = ["from", "to"].map((end) => make("input", {type: "range", min: 0, max: most, step: 1, "aria-label": `${column.title} ${end}`, autocomplete: "off"}));
  inputs.forEach((input, end) => input.addEventListener("input", () => {
    const stops = inputs.map((each) => Number(each.value));
    if (stops[0] > stops[1]) stops[1 - end] = stops[end];  // one end pushes the other
    const ends = stops.map((stop, k) => stop === (k ? most : 0) ? (k ? column.high : column.low) : valueOf(stop));
    setRange(column, ends);
  }));
  const show = () => {
    const ends = state.ranges[column.place] || [column.low, column.high];
    inputs.forEach((input, end) => {
      const own = String(stopOf(ends[end], end === 0));
      if (input.value !== own) input.value = own;
      input.setAttribute("aria-valuetext", text(column, ends[end]));
    });
    value.textContent = `${text(column, ends[0])} to ${text(column, ends[1])}`;
  };
  return {value, body: make("div", {class: "ends-of"}, ...inputs), show};
}

function wordCard(column) {
  const value = make("span", {class: "soft"});
  const boxes = column.levels.map((level, k) => {
    const box = make("input", {type: "checkbox", autocomplete: "off"});
    box.addEventListener("change", () => {
      const kept = new Set(state.ranges[column.place] || [...column.levels.keys()]);
      if (box.checked) kept.add(k); else kept.delete(k);
      setRange(column, kept);
    });
    return {box, label: make("label", {class: "level"}, box, ` ${level}`)};
  });
  const show = () => {
    const range = state.ranges[column.place];
    boxes.forEach(({box}, k) => { box.checked = range === null || range.has(k); });
    value.textContent = range === null ? "all" : `${range.size} of ${column.levels.length}`;
  };
  return {value, body: make("div", {}, ...boxes.map(({label}) => label)), show};
}

function buildCards() {
  for (const column of COLUMNS) {
    if (!(column.high > column.low)) continue;
    const card = column.words ? wordCard(column) : numberCard(column);
    const reset = make("button", {type: "button", "aria-label": `All of ${column.title}`}, "All");
    reset.addEventListener("click", () => setRange(column, null));
    const root = make("fieldset", {class: "card", "data-column": column.key}, make("legend", {}, column.title), make("p", {class: "set"}, card.value, reset), card.body);
    cards.push({show: () => {
      card.show();
      reset.disabled = state.ranges[column.place] === null;
      root.classList.toggle("changed", !reset.disabled);
    }});
    byId("ranges").append(root);
  }
}

/** Draw a range on an upright with the mouse; a click takes it away. Fingers scroll, and have the sliders. */
function brushing() {
  let held = null;
  const at = (event) => {
    const box = lines.getBoundingClientRect(), height = lines.clientHeight;
    const up = (height - FOOT - (event.clientY - box.top)) / (height - HEAD - FOOT);
    return {across: event.clientX - box.left, up: Math.min(Math.max(up, 0), 1)};
  };
  lines.addEventListener("pointerdown", (event) => {
    if (event.pointerType === "touch") return;
    const {across, up} = at(event);
    const column = COLUMNS.find(({place}) => Math.abs(uprightAt(place, lines.clientWidth) - across) < 16);
    if (!column || !(column.high > column.low)) return;
    held = {column, from: up, moved: false};
    lines.setPointerCapture(event.pointerId);
  });
  lines.addEventListener("pointermove", (event) => {
    if (!held) return;
    const {up} = at(event), ends = [held.from, up].sort((a, b) => a - b);
    if (Math.abs(up - held.from) * lines.clientHeight > 4) held.moved = true;
    if (!held.moved) return;
    const {column} = held;
    if (column.words) {
      setRange(column, new Set([...column.levels.keys()].filter((k) => part(column, k) >= ends[0] - 0.02 && part(column, k) <= ends[1] + 0.02)));
    } else {
      const slack = column.stops ? 0.01 : 0;  // a stop under the pointer is taken
      setRange(column, [valueAt(column, ends[0] - slack), valueAt(column, ends[1] + slack)]);
    }
  });
  lines.addEventListener("pointerup", () => {
    if (held && !held.moved) setRange(held.column, null);
    held = null;
  });
  lines.addEventListener("pointercancel", () => { held = null; });
}

// --- pointing at a design --------------------------------------------------------------------------------------------
function tell(i) {
  const [px, py] = view.place(i), box = scatter.getBoundingClientRect();
  const where = {left: box.left + px, top: box.top + py - 6, bottom: box.top + py + 6, width: 0};
  const axes = COLUMNS.filter((column) => column.kind === "axis"), others = COLUMNS.filter((column) => column.kind !== "axis");
  const say = (columns) => columns.filter((column) => Number.isFinite(column.values[i])).map((column) => {
    const half = column.spread ? column.spread[i] : 0;
    return `${column.title} ${text(column, column.values[i])}${half ? ` ± ${text(column, half, 2)}` : ""}`;
  });
  const front = best.includes(i) ? ", on the front" : left[i] ? "" : ", outside the ranges";
  showTip({getBoundingClientRect: () => where}, [["head", say(axes).join(", ")], ...say(others).map((line) => ["", line]), ["soft", `${PAGE.series[PAGE.of[i]]}, point ${PAGE.points[i].slice(0, 12)}${front}`]]);
}

function pointing() {
  const over = (event) => {
    const box = scatter.getBoundingClientRect(), i = nearest(event.clientX - box.left, event.clientY - box.top);
    mark(i);
    if (i === null) hideTip(); else tell(i);
  };
  scatter.addEventListener("pointermove", over);
  scatter.addEventListener("pointerdown", (event) => { over(event); if (state.at !== null) pin(state.at); });
  scatter.addEventListener("pointerleave", () => { mark(null); hideTip(); });
  scatter.addEventListener("blur", () => { mark(null); hideTip(); });
  scatter.addEventListener("keydown", (event) => {
    const step = {ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1}[event.key], last = best.length - 1;
    if (event.key === "Enter" && state.at !== null) pin(state.at);
    if (last < 0 || !(step || event.key === "Home" || event.key === "End")) return;
    event.preventDefault();
    const now = best.indexOf(state.at);
    mark(best[event.key === "Home" ? 0 : event.key === "End" ? last : now < 0 ? (step > 0 ? 0 : last) : Math.min(Math.max(now + step, 0), last)]);
    tell(state.at);
    byId("told").textContent = described(state.at).join(", ");
  });
}

/** Keep a design marked, in the table too; the same once more lets it go. */
function pin(i) {
  state.pinned = state.pinned === i ? null : i;
  byId("pinned").textContent = state.pinned === null ? "" : `Marked: point ${PAGE.points[i].slice(0, 12)}: ${described(i).join(", ")}.`;
  update();
}

// --- the table -------------------------------------------------------------------------------------------------------
function buildHead() {
  const heads = COLUMNS.map((column) => {
    const button = make("button", {type: "button", class: "sort"}, column.title);
    const head = make("th", {scope: "col", class: column.words ? "word" : "", "aria-sort": "none"}, button);
    button.addEventListener("click", () => {
      const again = state.sort === column.place;
      state.rising = again ? !state.rising : column.better !== "high";
      state.sort = column.place;
      for (const each of byId("head").querySelectorAll("th[aria-sort]")) each.setAttribute("aria-sort", "none");
      head.setAttribute("aria-sort", state.rising ? "ascending" : "descending");
      fillTable();
    });
    return head;
  });
  byId("head").replaceChildren(make("tr", {}, make("th", {scope: "col", class: "word"}, "point"), ...heads));
}

function fillTable() {
  const rows = listed(), on = new Set(best);
  byId("rows").replaceChildren(...rows.slice(0, state.shown).map((i) => {
    const button = make("button", {type: "button", class: "point", "aria-pressed": String(state.pinned === i)}, `${on.has(i) ? "● " : ""}${PAGE.points[i].slice(0, 8)}`);
    button.addEventListener("click", () => pin(i));
    const row = make("tr", {class: state.pinned === i ? "pinned" : ""}, make("th", {scope: "row", class: "word"}, button),
      ...COLUMNS.map((column) => make("td", {class: column.words ? "word" : ""}, text(column, column.values[i]))));
    row.addEventListener("pointerenter", () => mark(i));
    row.addEventListener("pointerleave", () => mark(null));
    return row;
  }));
  byId("listed").textContent = `${WHOLE.format(Math.min(rows.length, state.shown))} of ${WHOLE.format(rows.length)} listed; ● on the front.`;
  byId("more").hidden = rows.length <= state.shown;
  byId("more").textContent = `${Math.min(MORE, rows.length - state.shown)} more`;
}

function download() {
  const link = make("a", {href: URL.createObjectURL(new Blob([csv()], {type: "text/csv"})), download: `${PAGE.file}.csv`});
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

// --- begin -----------------------------------------------------------------------------------------------------------
for (const which of ["x", "y"]) {
  const chosen = byId(which);
  chosen.append(...COLUMNS.filter((column) => !column.words).map((column) => make("option", {value: column.place}, column.title)));
  chosen.value = String(state[which]);
  chosen.addEventListener("change", () => { state[which] = Number(chosen.value); update(); });
}
for (const which of ["zoom", "only"]) {
  byId(which).addEventListener("change", (event) => { state[which] = event.target.checked; update(); });
}
byId("reset-all").addEventListener("click", () => { state.ranges.fill(null); update(); });
byId("more").addEventListener("click", () => { state.shown += MORE; fillTable(); });
byId("download").addEventListener("click", download);
byId("key").append(...PAGE.series.map((name, k) => make("li", {}, make("span", {class: "swatch", style: `background: var(--chip-${k})`}), name)));
buildCards();
buildHead();
brushing();
pointing();
readColours();
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { readColours(); update(); });
addEventListener("resize", update);
update();
