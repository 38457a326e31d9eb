// Sliders, the inverse, tables; everything that follows when a figure is set.
const STOPS = 500;
const cards = new Map();  // figure -> the nodes of its card

const byId = (id) => document.getElementById(id);

function cell(text, word = false) {
  return make("td", word ? {class: "word"} : {}, text);
}

function exact(value, text) {
  return make("data", {value: String(value)}, text);
}

function head(names, words = 1) {
  return make("thead", {}, make("tr", {}, ...names.map((name, k) => make("th", k < words ? {scope: "col", class: "word"} : {scope: "col"}, name))));
}

// --- sliders ---------------------------------------------------------------------------------------------------------
const logarithmic = (figure) => figure.low > 0;

function valueAt(figure, stop) {
  const part = stop / STOPS;
  if (stop <= 0) return figure.low;
  if (stop >= STOPS) return figure.high;
  return logarithmic(figure) ? figure.low * (figure.high / figure.low) ** part : figure.low + (figure.high - figure.low) * part;
}

function stopOf(figure, value) {
  const part = logarithmic(figure) ? Math.log(value / figure.low) / Math.log(figure.high / figure.low) : (value - figure.low) / (figure.high - figure.low);
  return STOPS * Math.min(Math.max(part, 0), 1);
}

function buildCard(figure) {
  const {power, unit} = typed(figure.value, figure.unit), movable = figure.high > figure.low;
  const slider = make("input", {type: "range", min: 0, max: STOPS, step: 1, "aria-label": `${figure.name}, from ${show(figure.low, figure.unit)} to ${show(figure.high, figure.unit)}`, autocomplete: "off"});
  const number = make("input", {type: "number", min: 0, step: "any", inputmode: "decimal", "aria-label": `${figure.name} in ${unit}`, autocomplete: "off"});
  const reset = make("button", {type: "button"}, "Reset");
  const mark = make("span", {class: "mark", title: "its value"});
  const own = stopOf(figure, figure.value);
  mark.style.setProperty("--at", own / STOPS);
  slider.disabled = !movable;
  const nodes = {
    figure, power, slider, number, reset, value: make("data", {class: "value"}), factor: make("span", {class: "factor soft"}),
    shares: make("p", {class: "shares"}), outside: make("p", {class: "outside"}, "outside its stated range"),
  };
  slider.addEventListener("input", () => {
    const stop = Number(slider.value);
    setFigure(figure.name, Math.abs(stop - own) < 0.5 ? figure.value : valueAt(figure, stop));
    update(slider);
  });
  number.addEventListener("input", () => {
    const text = number.value.trim();
    const value = /e/i.test(text) ? Number(text) * 10 ** power : Number(`${text}e${power}`);
    const good = text !== "" && Number.isFinite(value) && value >= 0;
    number.setAttribute("aria-invalid", String(!good));
    if (!good) return;
    setFigure(figure.name, value);
    update(number);
  });
  number.addEventListener("change", () => update());
  reset.addEventListener("click", () => { state.set.delete(figure.name); update(); });
  nodes.root = make("article", {class: "card", "data-figure": figure.name},
    make("h4", {}, figure.name, " ", make("span", {class: "basis"}, figure.basis)),
    nodes.shares,
    make("p", {class: "set"}, number, make("span", {class: "unit"}, unit), nodes.value, nodes.factor, reset),
    make("div", {class: "slider"}, mark, slider),
    make("p", {class: "ends soft"}, make("span", {}, show(figure.low, figure.unit, 3)), make("span", {}, show(figure.high, figure.unit, 3))),
    nodes.outside,
    make("p", {class: "soft source"}, figure.sources.length ? `Source: ${figure.sources.join(", ")}` : ownData(figure) || "No source: assumed"),
  );
  return nodes;
}

function figuresByCost() {
  const cost = new Map(technology().figures.map((figure) => [figure.name, 0]));
  for (const chip of PAGE.chips) {
    const total = bill(chip).total;
    for (const name of cost.keys()) {
      const own = ownCost(chip, name);
      if (total > 0 && own > 0) cost.set(name, Math.max(cost.get(name), own / total));
    }
  }
  const figures = [...technology().figures].sort((a, b) => cost.get(b.name) - cost.get(a.name));
  return {costly: figures.filter((f) => cost.get(f.name) > 0 && f.value > 0), idle: figures.filter((f) => !(cost.get(f.name) > 0 && f.value > 0))};
}

function buildFigures() {
  const {costly, idle} = figuresByCost();
  cards.clear();
  for (const figure of costly) cards.set(figure.name, buildCard(figure));
  byId("sliders").replaceChildren(...[...cards.values()].map(({root}) => root));
  byId("idle").hidden = idle.length === 0;
  byId("idle").querySelector("summary").textContent = `Figures that cost nothing in this run (${idle.length})`;
  byId("idle").querySelector("ul").replaceChildren(...idle.map((figure) => {
    const why = figure.said.find(([name]) => name === "why");
    const text = figure.value === 0 ? `zero${why ? `: ${why[1]}` : ""}` : `${show(figure.value, figure.unit)}; what it prices was not done, or lies outside the boundary`;
    return make("li", {}, make("strong", {}, figure.name), ` ${text}`);
  }));
  const chosen = byId("inverse-figure").value;
  byId("inverse-figure").replaceChildren(...costly.map(({name}) => make("option", {value: name}, name)));
  if (cards.has(chosen)) byId("inverse-figure").value = chosen;
}

function showCard(nodes, bills, source) {
  const {figure, power, slider, number} = nodes, value = valueOf(figure), factor = factorOf(figure.name);
  const text = show(value, figure.unit);
  nodes.root.dataset.factor = String(factor);
  nodes.value.value = String(value);
  nodes.value.textContent = text;
  nodes.factor.textContent = factor === 1 ? "" : `× ${Number(factor.toPrecision(3))}`;
  if (source !== slider) slider.value = String(Math.round(stopOf(figure, value)));
  slider.setAttribute("aria-valuetext", text);
  if (source !== number) {
    number.value = String(Number((value / 10 ** power).toPrecision(6)));
    number.setAttribute("aria-invalid", "false");
  }
  const slack = 1e-12;
  nodes.outside.hidden = value >= figure.low * (1 - slack) && value <= figure.high * (1 + slack);
  nodes.reset.disabled = factor === 1;
  nodes.root.classList.toggle("changed", factor !== 1);
  nodes.shares.textContent = bills.map((found) => {
    return `${percent(ownCost(found.chip, figure.name) * factor, found.total)} of ${found.chip.name}`;
  }).join(", ");
}

// --- results and tables ----------------------------------------------------------------------------------------------
/** What the draws leave of a number of the run, as an element; nothing once a figure was moved. */
function interval(of, text) {
  const known = technology().intervals, ends = known && !state.set.size ? of(known) : null;
  return ends ? [make("span", {class: "what"}, `${known.percent} % of draws: ${text(ends[0])} to ${text(ends[1])}`)] : [];
}

function results(bills) {
  const of = (name) => bills.find((found) => found.chip.name === name).total;
  const items = PAGE.pairs.map(({over, under}, k) => {
    const value = of(over) / of(under);
    return make("div", {class: k ? "result" : "result main"},
      make("span", {class: "what"}, PAGE.pairs.length > 1 ? `energy ratio, ${over} over ${under}` : "energy ratio"),
      make("strong", {}, exact(value, ratioText(value))), ...interval((known) => known.ratio[under], ratioText));
  });
  if (items.length) items[0].querySelector("data").id = "ratio";
  for (const found of bills) {
    const item = make("div", {class: "result"}, make("span", {class: "what"}, found.chip.name), make("strong", {}, exact(found.total, show(found.total, "J"))), ...interval((known) => known.energy[found.chip.name], (value) => show(value, "J")));
    item.querySelector("data").dataset.chip = found.chip.name;
    items.push(item);
  }
  byId("results").replaceChildren(...items);
  const moved = state.set.size, own = technology().ratio;
  const said = [moved ? `${moved} figure${moved > 1 ? "s" : ""} moved` : "Figures at their values"];
  if (own !== null && moved) said.push(`${ratioText(own)} in the run`);
  if (PAGE.paper?.energy_ratio && PAGE.pairs.length) said.push(`${PAGE.paper.energy_ratio} in the paper`);
  byId("moved").textContent = said.join("; ");
  byId("reset-all").hidden = moved === 0;
}

function phaseTable(bills) {
  const pair = PAGE.pairs[0], names = ["phase", ...bills.flatMap((found) => [found.chip.name, "share"]), ...(pair ? [PAGE.pairs.length > 1 ? `${pair.over} / ${pair.under}` : "ratio"] : [])];
  const rows = [...PAGE.phases, "total"].map((phase, k) => {
    const energy = (found) => k < PAGE.phases.length ? found.phases[k] : found.total;
    const of = (name) => energy(bills.find((found) => found.chip.name === name));
    return make("tr", {}, make("th", {scope: "row", class: "word"}, phase),
      ...bills.flatMap((found) => [cell(show(energy(found), "J")), cell(percent(energy(found), found.total))]),
      ...(pair ? [cell(of(pair.over) > 0 && of(pair.under) > 0 ? ratioText(of(pair.over) / of(pair.under)) : "-")] : []));
  });
  byId("phases").replaceChildren(head(names), make("tbody", {}, ...rows));
}

function basisTable(bills) {
  const names = ["measured", "published", "derived", "calibrated", "assumed"];
  const rows = names.map((basis) => make("tr", {"data-basis": basis}, make("th", {scope: "row", class: "word"}, basis),
    ...bills.flatMap((found) => {
      const energy = found.bases.get(basis) || 0;
      return [cell(show(energy, "J")), make("td", {}, exact(found.total > 0 ? energy / found.total : 0, percent(energy, found.total)))];
    })));
  byId("bases").replaceChildren(head(["basis", ...bills.flatMap((found) => [found.chip.name, "share"])]), make("tbody", {}, ...rows));
  const shares = bills.map((found) => `${percent(found.bases.get("assumed") || 0, found.total)} of ${found.chip.name}`);
  byId("assumed-share").textContent = `On assumed figures rest ${shares.join(" and ")}.`;
}

const perStep = new Map();  // chip -> amount of each entry in a step

function amountsOf(chip) {
  if (!perStep.has(chip)) {
    const amounts = chip.entries.map(() => []);
    for (const [, , entry, amount] of chip.rows) amounts[entry].push(amount);
    perStep.set(chip, amounts.map((each) => fsum(each) / chip.steps));
  }
  return perStep.get(chip);
}

function lineTables(bills) {
  byId("lines").replaceChildren(...bills.map((found) => {
    const {chip, prices, total} = found, own = technology().prices[chip.name];
    const amounts = amountsOf(chip);
    const order = chip.entries.map((_, k) => k).filter((k) => chip.entries[k].inside && amounts[k] * prices[k] > 0);
    order.sort((a, b) => amounts[b] * prices[b] - amounts[a] * prices[a]);
    const rows = order.map((k) => {
      const entry = chip.entries[k], energy = amounts[k] * prices[k];
      return make("tr", {}, make("th", {scope: "row", class: "word"}, `${entry.component}: ${entry.action}`), cell(count(amounts[k], entry.unit)),
        cell(price(prices[k], entry.unit)), cell(show(energy, "J")), cell(percent(energy, total)),
        cell(make("a", {href: `#${figureOf(own[k].figure).row}`}, own[k].figure), true), cell(own[k].basis, true));
    });
    const table = make("table", {}, head(["action", "amount per step", "price", "energy per step", "share", "figure", "basis"]), make("tbody", {}, ...rows));
    for (const th of [...table.querySelectorAll("thead th")].slice(5)) th.className = "word";
    return make("div", {}, make("h3", {}, chip.name), make("div", {class: "scroll", tabindex: "0", role: "region", "aria-label": `Actions of ${chip.name}`}, table));
  }));
}

function outsideText(bills) {
  const said = [];
  for (const {chip, prices} of bills) {
    const energy = energyOf(chip, prices, ([, , entry]) => !chip.entries[entry].inside);
    if (energy > 0) said.push(`${chip.name} ${show(energy, "J")}`);
  }
  byId("outside").textContent = said.length ? `What of it is priced would cost a step of ${said.join(", of ")}.` : "";
}

// --- the inverse -----------------------------------------------------------------------------------------------------
const quantities = [
  ...PAGE.pairs.map((pair) => ({...pair, text: PAGE.pairs.length > 1 ? `a ratio (${pair.over} over ${pair.under})` : "an energy ratio"})),
  ...PAGE.chips.map((chip) => ({chip: chip.name, text: `a step of ${chip.name}`})),
];

function wanted() {
  const quantity = quantities[Number(byId("inverse-quantity").value)];
  const text = byId("inverse-target").value.trim();
  const power = Number(byId("inverse-unit").dataset.power || 0);
  return {name: byId("inverse-figure").value, quantity, target: text === "" ? NaN : Number(text) * 10 ** power};
}

function solved({name, quantity, target} = wanted()) {
  if (!name || !(target > 0)) return {text: "Give a positive number."};
  const figure = figureOf(name), {moves, factor, ends} = solve(name, quantity, target);
  const say = (value) => quantity.chip ? show(value, "J") : ratioText(value);
  if (!moves) return {text: `${name} does not move it.`};
  if (!(factor >= 0 && Number.isFinite(factor))) {
    const [low, high] = [...ends].sort((a, b) => a - b);
    const range = Number.isFinite(high) ? `between ${say(low)} and ${say(high)}` : `above ${say(low)}`;
    return {text: `No value of ${name} gives it: with all other figures as they are set, it stays ${range}.`};
  }
  const value = factor * figure.value, inside = value >= figure.low && value <= figure.high;
  const range = `${show(figure.low, figure.unit, 3)} to ${show(figure.high, figure.unit, 3)}`;
  return {value, text: `${name} = ${show(value, figure.unit)}, ${Number(factor.toPrecision(3))} times its value, ${inside ? "inside" : "outside"} its stated range (${range}).`};
}

function showInverse() {
  const {value, text} = solved();
  byId("inverse-result").textContent = text;
  byId("inverse-result").classList.toggle("bad", value === undefined || text.includes("outside"));
  byId("inverse-apply").disabled = value === undefined;
}

function setQuantity() {
  const {quantity} = wanted(), unit = byId("inverse-unit"), target = byId("inverse-target");
  const now = quantity.chip ? bill(chipOf(quantity.chip)).total : 1;
  const {power, unit: name} = quantity.chip ? typed(now, "J") : {power: 0, unit: ""};
  unit.dataset.power = String(power);
  unit.textContent = name;
  target.value = quantity.chip ? String(Number((now / 10 ** power).toPrecision(4))) : String(PAGE.paper?.energy_ratio || 100);
  showInverse();
}

// --- all together ----------------------------------------------------------------------------------------------------
/** Compute everything again; `source` is the control that is being moved and keeps what is in it. */
function update(source = null) {
  const bills = PAGE.chips.map(bill);
  results(bills);
  charts.forEach((chart, k) => moveBars(chart, bills[k]));
  phaseTable(bills);
  basisTable(bills);
  lineTables(bills);
  outsideText(bills);
  for (const nodes of cards.values()) showCard(nodes, bills, source);
  showInverse();
  if (tipFor && tipFor.isConnected && tipFor.refreshTip) tipFor.refreshTip();
}

const sourceRows = new Map([...document.querySelectorAll(".figures tbody tr")].map((row) => [row.id, row]));

/** Show the rows of numbers that the technology has, in its order. */
function showSources() {
  for (const kind of ["figure", "time", "area"]) {
    const rows = technology()[`${kind}s`].map(({row}) => sourceRows.get(row));
    for (const row of rows) row.hidden = false;
    byId(`${kind}-rows`)?.replaceChildren(...rows);
    for (const node of document.querySelectorAll(`[data-count="${kind}"]`)) node.textContent = String(rows.length);
  }
  byId("sources-name").textContent = technology().name;
  byId("sources-title").textContent = `${technology().title}; sha256 ${technology().sha256}`;
}

function choose(index) {
  state.technology = index;
  state.set.clear();
  showSources();
  const title = byId("technology-title");
  if (title) title.textContent = technology().title;
  buildFigures();
  buildBars();
  buildCourses();
  update();
}

byId("technology")?.addEventListener("change", (event) => { choose(Number(event.target.value)); setQuantity(); });
byId("reset-all").addEventListener("click", () => { state.set.clear(); update(); });
byId("inverse").addEventListener("submit", (event) => event.preventDefault());
byId("inverse-quantity").replaceChildren(...quantities.map(({text}, k) => make("option", {value: k}, text)));
byId("inverse-quantity").addEventListener("change", setQuantity);
for (const id of ["inverse-figure", "inverse-target"]) byId(id).addEventListener("input", showInverse);
byId("inverse-apply").addEventListener("click", () => {
  const {value} = solved();
  if (value === undefined) return;
  setFigure(byId("inverse-figure").value, value);
  update();
});

let drawnAt = innerWidth;
addEventListener("resize", () => {
  if (innerWidth === drawnAt) return;
  drawnAt = innerWidth;
  buildBars();
  buildCourses();
  update();
});

let closed = [];
addEventListener("beforeprint", () => {
  hideTip();
  closed = [...document.querySelectorAll("details:not([open])")];
  for (const each of closed) each.open = true;
});
addEventListener("afterprint", () => { for (const each of closed) each.open = false; });

buildTimes();
choose(0);
setQuantity();
const answers = [...cards.keys()].find((name) => solved({...wanted(), name}).value !== undefined);
if (answers) {
  byId("inverse-figure").value = answers;
  showInverse();
}
