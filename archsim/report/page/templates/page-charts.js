// Charts as inline SVG, and the tip that says what a bar is.
// --- energy by phase and part ----------------------------------------------------------------------------------------
const charts = [];  // one a chip: what is needed to move its bars

function sourcesText(figure) {
  return figure.sources.map((key) => PAGE.references[key] ? `${key}: ${PAGE.references[key].text}` : key).join("; ");
}

/** The file of own measurements that a figure is from, in words; empty if it is from none. */
function ownData(figure) {
  const data = figure.said.find(([name]) => name === "data");
  return data ? `Own data: ${data[1]}` : "";
}

/** What a bar is: amount x figure = energy, its share, the figure's basis and source. */
function barTip(chip, mark) {
  const entry = chip.entries[mark.entry], own = technology().prices[chip.name][mark.entry];
  const found = bill(chip), unit = found.prices[mark.entry], figure = figureOf(own.figure);
  const amount = mark.amount / chip.steps, energy = amount * unit;
  const lines = [
    ["head", `${entry.component}: ${entry.action} (${entry.part}), ${PAGE.phases[mark.phase]}`],
    ["sum", `${count(amount, entry.unit)} × ${price(unit, entry.unit)} = ${show(energy, "J")}, ${percent(energy, found.total)} of ${chip.name}`],
  ];
  const scaled = own.scale !== null && Math.abs(own.scale - 1) > 1e-9;
  const law = scaled && own.law !== "constant" ? `, times ${Number(own.scale.toPrecision(3))} by the law ${own.law}` : "";
  lines.push(["", `Figure ${own.figure} = ${show(valueOf(figure), figure.unit)} (${own.basis})${law}`]);
  if (mark.layers.size > 1 || !mark.layers.has("chip")) {
    lines.push(["", "Layers: " + [...mark.layers].map(([name, part]) => `${name} ${percent(part, mark.amount)}`).join(", ")]);
  }
  const why = figure.said.find(([name]) => name === "why" || name === "where");
  const source = sourcesText(figure) || (why ? why[1] : "none");
  lines.push(["soft", !figure.sources.length && ownData(figure) || `${figure.sources.length ? "Source" : "Assumed"}: ${source.length > 420 ? source.slice(0, 417) + "..." : source}`]);
  return lines;
}

/** Where a part stands among the others; one without a colour of its own stands last. */
function partPlace(part) {
  const place = PAGE.parts.indexOf(part);
  return place < 0 ? PAGE.parts.length : place;
}

/** The marks of a chip in the order in which they stand: phase by phase, part by part. */
function marksOf(chip) {
  const found = new Map(), own = technology().prices[chip.name];
  for (const [phase, layer, entry, amount] of chip.rows) {
    if (!chip.entries[entry].inside || !(own[entry].price > 0 && amount > 0)) continue;
    const key = `${phase} ${entry}`;
    if (!found.has(key)) found.set(key, {phase, entry, amount: 0, layers: new Map()});
    const mark = found.get(key);
    mark.amount += amount;
    mark.layers.set(layer, (mark.layers.get(layer) || 0) + amount);
  }
  const order = (mark) => partPlace(chip.entries[mark.entry].part);
  const cost = (mark) => mark.amount * own[mark.entry].price;
  return [...found.values()].sort((a, b) => a.phase - b.phase || order(a) - order(b) || cost(b) - cost(a));
}

const BAR = {left: 68, right: 76, height: 26, gap: 12, top: 4, foot: 40};

function buildBars() {
  const box = document.getElementById("bars");
  const panels = PAGE.chips.map((chip) => make("figure", {class: "panel"}, make("h3", {}, `${chip.name}: `, make("span", {class: "total"}))));
  box.replaceChildren(...panels);  // all of them before one is measured
  charts.length = 0;
  for (const [k, chip] of PAGE.chips.entries()) {
    const panel = panels[k];
    const width = Math.max(Math.floor(panel.clientWidth), 220);
    const height = BAR.top + PAGE.phases.length * (BAR.height + BAR.gap) + BAR.foot;
    const svg = draw("svg", {viewBox: `0 0 ${width} ${height}`, width, height, role: "group", "aria-label": `Energy of a step of ${chip.name} by phase and part`});
    const axis = draw("g", {class: "axis"});
    svg.append(axis);
    const labels = PAGE.phases.map((phase, k) => {
      const y = BAR.top + k * (BAR.height + BAR.gap) + BAR.height / 2 + 4;
      svg.append(draw("text", {x: BAR.left - 6, y, "text-anchor": "end"}, phase));
      const label = draw("text", {y, class: "strong"});
      svg.append(label);
      return label;
    });
    const marks = marksOf(chip).map((mark) => {
      const assumed = technology().prices[chip.name][mark.entry].basis === "assumed";
      const y = BAR.top + mark.phase * (BAR.height + BAR.gap);
      const part = slug(chip.entries[mark.entry].part);
      const node = draw("rect", {class: "bar", y, height: BAR.height, role: "img", fill: `var(--part-${part}, var(--part-other))`, "data-entry": mark.entry, "data-phase": mark.phase});
      const hatch = assumed ? draw("rect", {class: "hatch", y, height: BAR.height, fill: "url(#assumed)"}) : null;
      withTip(node, () => barTip(chip, mark));
      svg.append(node);
      if (hatch) svg.append(hatch);
      return {...mark, node, hatch};
    });
    walk(marks.map((mark) => mark.node));
    panel.append(svg);
    charts.push({chip, svg, axis, labels, marks, width, height, title: panel.querySelector(".total")});
  }
  buildKey();
}

function buildKey() {
  const used = new Set(charts.flatMap(({chip, marks}) => marks.map((mark) => chip.entries[mark.entry].part)));
  const names = [...used].sort((a, b) => partPlace(a) - partPlace(b));
  const items = names.map((name) => {
    const swatch = make("span", {class: "swatch"});
    swatch.style.background = `var(--part-${slug(name)}, var(--part-other))`;
    return make("li", {}, swatch, name);
  });
  const hatched = charts.some(({marks}) => marks.some((mark) => mark.hatch));
  items.push(make("li", {}, make("span", {class: "swatch hatched"}), hatched ? "figure assumed" : "figure assumed (none that costs anything)"));
  document.getElementById("key").replaceChildren(...items);
}

/** Move the bars of a chip to its bill. */
function moveBars(chart, found) {
  const {chip, axis, labels, marks, width, height} = chart;
  const most = Math.max(...found.phases), room = width - BAR.left - BAR.right;
  const scale = most > 0 ? room / most : 0;
  const ends = PAGE.phases.map(() => BAR.left);
  for (const mark of marks) {
    const length = mark.amount / chip.steps * found.prices[mark.entry] * scale;
    for (const node of [mark.node, mark.hatch]) {
      if (!node) continue;
      node.setAttribute("x", ends[mark.phase]);
      node.setAttribute("width", length);
    }
    const entry = chip.entries[mark.entry];
    mark.node.setAttribute("aria-label", `${PAGE.phases[mark.phase]}, ${entry.component} ${entry.action}: ${show(mark.amount / chip.steps * found.prices[mark.entry], "J")}`);
    ends[mark.phase] += length;
  }
  labels.forEach((label, k) => {
    label.setAttribute("x", ends[k] + 5);
    label.textContent = show(found.phases[k], "J", 3);
  });
  chart.title.textContent = show(found.total, "J");
  const {power, unit} = typed(most || 1, "J"), foot = height - BAR.foot;
  const marked = ticks(most, Math.max(2, Math.floor(room / 70)));
  axis.replaceChildren(...marked.flatMap((value) => {
    const x = BAR.left + value * scale;
    return [
      draw("line", {x1: x, x2: x, y1: 0, y2: foot}),
      draw("text", {x, y: foot + 14, "text-anchor": "middle"}, String(Number((value / 10 ** power).toPrecision(6)))),
    ];
  }), draw("text", {x: BAR.left + room / 2, y: foot + 31, "text-anchor": "middle"}, `energy per step [${unit}]`));
}

// --- time of a step --------------------------------------------------------------------------------------------------
function buildTimes() {
  const box = document.getElementById("times");
  const steps = PAGE.chips.map((chip) => ({chip, total: fsum(PAGE.phases.map((phase) => chip.latency_s[phase]))}));
  const longest = Math.max(...steps.map(({total}) => total));
  const bar = ({chip, total}, whole, label) => {
    const strip = make("div", {class: "strip"});
    for (const phase of PAGE.phases) {
      const time = chip.latency_s[phase];
      if (!(time > 0)) continue;
      const piece = make("span", {class: "piece", "aria-label": `${phase}: ${show(time, "s")}`, role: "img"});
      piece.style.width = `${100 * time / whole}%`;
      piece.style.background = `var(--phase-${phase}, var(--soft))`;
      withTip(piece, () => [["head", `${chip.name}, ${phase}`], ["sum", `${show(time, "s")}, ${percent(time, total)} of the step`]]);
      strip.append(piece);
    }
    walk([...strip.children]);
    return make("div", {class: "time"}, make("p", {class: "what"}, label), strip);
  };
  const phases = ({chip, total}) => PAGE.phases.filter((phase) => chip.latency_s[phase] > 0)
    .map((phase) => `${phase} ${show(chip.latency_s[phase], "s")} (${percent(chip.latency_s[phase], total)})`).join(", ");
  box.replaceChildren(
    ...steps.map((step) => bar(step, step.total, `${step.chip.name}, ${show(step.total, "s")}: ${phases(step)}`)),
    make("p", {class: "what apart"}, `On one scale, 0 to ${show(longest, "s")}:`),
    ...steps.map((step) => bar(step, longest, `${step.chip.name} ${show(step.total, "s")}`)),
  );
  document.getElementById("phase-key").replaceChildren(...PAGE.phases.map((phase) => {
    const swatch = make("span", {class: "swatch"});
    swatch.style.background = `var(--phase-${phase}, var(--soft))`;
    return make("li", {}, swatch, phase);
  }));
}

// --- metric ----------------------------------------------------------------------------------------------------------
const SHARES = [0.1, 0.5, 0.8, 0.9, 0.95, 0.97, 0.98, 0.99, 0.995];
const PLOT = {left: 66, right: 14, top: 10, bottom: 44, height: 270};
const SMALLEST = 1e-4;

function buildCourses() {
  const box = document.getElementById("courses"), name = technology().name;
  const panels = [
    {title: `training ${PAGE.sample.plural} (log axis)`, of: (course) => course.samples, text: (value) => WHOLE.format(value), whole: true},
    {title: "energy spent on training steps (log axis)", of: (course) => course.energy_J[name] || [], text: (value) => show(value, "J", 3)},
  ];
  const figures = panels.map(() => make("figure", {class: "panel"}));
  box.replaceChildren(...figures);
  panels.forEach((panel, k) => drawCourses(panel, figures[k], `plot-${k}`));
  document.getElementById("chip-key").replaceChildren(...PAGE.chips.map((chip, k) => {
    const swatch = make("span", {class: "swatch"});
    swatch.style.background = `var(--chip-${k})`;
    const end = chip.test === null ? "not evaluated" : `at the end ${metricText(chip.test)}`;
    return make("li", {}, swatch, `${chip.name}, ${end}`);
  }));
}

/** A value of the metric, as tables have it. */
function metricText(value) {
  return PAGE.metric.share ? `${(100 * value).toFixed(2)} %` : value.toFixed(3);
}

/** Of a share what is missing to 1, of any other metric its value: what the vertical axis is of. */
function pointsOf(course, xs, ys) {
  return xs.map((x, k) => ({x, y: ys[k]})).filter(({x, y}) => x > 0 && y !== null).map(({x, y}) => ({x, y, error: PAGE.metric.share ? Math.max(1 - y, SMALLEST) : y}));
}

/** The ends of the vertical axis, where a value stands between them (0 above), and the values to be written at it. */
function verticalAxis(errors) {
  if (PAGE.metric.share) {
    const [low, high] = [Math.min(...errors) / 1.3, Math.min(Math.max(...errors, 0.1) * 1.2, 1)];
    const ticks = SHARES.filter((each) => 1 - each > low && 1 - each <= high).map((each) => ({place: 1 - each, words: `${Number((100 * each).toFixed(1))} %`}));
    return {part: (error) => Math.log(error / low) / Math.log(high / low), ticks, title: `${PAGE.metric.name} (log axis of the error)`};
  }
  const [least, most] = [Math.min(...errors), Math.max(...errors)], room = 0.08 * (most - least) || 0.1 * most || 1;
  const [low, high] = [Math.max(least - room, 0), most + room], decade = 10 ** Math.floor(Math.log10((high - low) / 3));
  const step = [1, 2, 5, 10].map((factor) => factor * decade).find((each) => (high - low) / each <= 7), ticks = [];
  for (let k = Math.ceil(low / step); k * step <= high; k += 1) ticks.push({place: k * step, words: String(Number((k * step).toPrecision(6)))});
  return {part: (value) => (high - value) / (high - low), ticks, title: `${PAGE.metric.name} (${PAGE.metric.higher_is_better ? "higher" : "lower"} is better)`};
}

function drawCourses({title, of, text, whole}, figure, clip) {
  const width = Math.max(Math.floor(figure.clientWidth), 220), {left, right, top, bottom, height} = PLOT;
  const courses = PAGE.training.map((course) => ({
    chip: course.chip, tested: pointsOf(course, of(course), course.test), running: pointsOf(course, of(course), course.running),
  }));
  const svg = draw("svg", {viewBox: `0 0 ${width} ${height}`, width, height, role: "group", "aria-label": `Test ${PAGE.metric.name} over ${title}`});
  figure.append(svg);
  const all = courses.flatMap(({tested}) => tested);
  if (!all.length) {
    svg.append(draw("text", {x: width / 2, y: height / 2, "text-anchor": "middle"}, "no point after the first sample"));
    return;
  }
  const papers = courses.map(({chip}) => chipOf(chip).published_accuracy).filter((value) => value);
  const errors = [...all.map(({error}) => error), ...papers.map((value) => 1 - value)];
  const vertical = verticalAxis(errors);
  const xs = courses.flatMap(({tested, running}) => [...tested, ...running]).map(({x}) => x);
  const room = Math.max(...xs) > 2 * Math.min(...xs) ? 1.15 : 3;  // a short course stands in the middle of a decade
  const [first, last] = [Math.min(...xs) / room, Math.max(...xs) * room];
  const placeX = (x) => left + (width - left - right) * Math.log(x / first) / Math.log(last / first);
  const placeY = (error) => top + (height - top - bottom) * vertical.part(error);
  const axis = draw("g", {class: "axis"});
  svg.append(axis);
  let free = left;  // from where there is room for a label
  for (const value of logTicks(first, last)) {
    const x = placeX(value), words = text(value), half = words.length * 3.4;
    axis.append(draw("line", {x1: x, x2: x, y1: top, y2: height - bottom}));
    if (x - half < free || x + half > width) continue;
    axis.append(draw("text", {x, y: height - bottom + 15, "text-anchor": "middle"}, words));
    free = x + half + 8;
  }
  for (const {place, words} of vertical.ticks) {
    const y = placeY(place);
    axis.append(draw("line", {x1: left, x2: width - right, y1: y, y2: y}), draw("text", {x: left - 5, y: y + 4, "text-anchor": "end"}, words));
  }
  axis.append(draw("text", {x: (left + width - right) / 2, y: height - 8, "text-anchor": "middle"}, title));
  const middle = (top + height - bottom) / 2;
  axis.append(draw("text", {x: 12, y: middle, "text-anchor": "middle", transform: `rotate(-90 12 ${middle})`}, vertical.title));
  const inside = draw("g", {"clip-path": `url(#${clip})`});
  svg.append(draw("clipPath", {id: clip}, draw("rect", {x: left, y: top, width: width - left - right, height: height - top - bottom})), inside);
  courses.forEach(({chip, tested, running}) => {
    const k = PAGE.chips.findIndex((each) => each.name === chip), colour = `var(--chip-${k})`;
    const path = (points) => points.map(({x, error}, i) => `${i ? "L" : "M"}${placeX(x).toFixed(2)},${placeY(error).toFixed(2)}`).join("");
    inside.append(draw("path", {d: path(running), class: "running", stroke: colour}), draw("path", {d: path(tested), class: "tested", stroke: colour}));
    const dots = tested.map((point) => {
      const [x, y] = [placeX(point.x), placeY(point.error)];
      const dot = k % 2 ? draw("rect", {x: x - 3.5, y: y - 3.5, width: 7, height: 7}) : draw("circle", {cx: x, cy: y, r: 4});
      const words = `${chip}: ${PAGE.metric.name} ${metricText(point.y)} after ${whole ? `${text(point.x)} ${PAGE.sample.plural}` : text(point.x)}`;
      dot.setAttribute("class", "dot");
      dot.setAttribute("fill", colour);
      dot.setAttribute("role", "img");
      dot.setAttribute("aria-label", words);
      withTip(dot, () => [["sum", words]]);
      svg.append(dot);
      return dot;
    });
    walk(dots);
  });
  publishedLines(svg, {left, right: width - right, top, placeY});
}

/** Draw the published accuracies of the chips to which one belongs, a line each, and write them one above the other. */
function publishedLines(svg, {left, right, top, placeY}) {
  const chips = PAGE.chips.map((chip, k) => ({...chip, k})).filter((chip) => chip.published_accuracy);
  const values = [...new Set(chips.map((chip) => chip.published_accuracy))].sort((a, b) => a - b);
  let room = Infinity;
  for (const value of values) {
    const of = chips.filter((chip) => chip.published_accuracy === value), colour = `var(--chip-${of[0].k})`;
    const y = placeY(1 - value), written = Math.max(Math.min(y - 3, room - 13), top + 8);
    room = written;
    const words = `paper (MNIST), ${of.map(({name}) => name).join(", ")} ${(100 * value).toFixed(2)} %`;
    svg.append(draw("line", {x1: left, x2: right, y1: y, y2: y, class: "paper", stroke: colour}));
    const label = draw("text", {x: left + 4, y: written, fill: colour, class: "small"}, words);
    svg.append(label);
    const most = right - left - 8;
    if (label.getComputedTextLength() > most) {
      const letters = Math.floor(words.length * most / label.getComputedTextLength()) - 1;
      label.textContent = `${words.slice(0, letters - 10)}… ${(100 * value).toFixed(2)} %`;
    }
  }
}
