// Amounts x figures, in the browser: the same sums as archsim's bill, rounded as Python's math.fsum rounds them.

/** Correctly rounded sum (Shewchuk's partials). */
function fsum(values) {
  const partials = [];
  for (let x of values) {
    let kept = 0;
    for (let y of partials) {
      if (Math.abs(x) < Math.abs(y)) [x, y] = [y, x];
      const high = x + y, low = y - (high - x);
      if (low !== 0) partials[kept++] = low;
      x = high;
    }
    partials.length = kept;
    partials.push(x);
  }
  let n = partials.length;
  if (n === 0) return 0;
  let high = partials[--n], low = 0;
  while (n > 0) {
    const x = high, y = partials[--n];
    high = x + y;
    low = y - (high - x);
    if (low !== 0) break;
  }
  if (n > 0 && ((low < 0 && partials[n - 1] < 0) || (low > 0 && partials[n - 1] > 0))) {
    const y = low * 2, x = high + y;
    if (y === x - high) high = x;
  }
  return high;
}

// Technologies share most of their numbers and prices: each stands once on the page, and is named by its place.
for (const kind of ["figure", "time", "area"]) PAGE.numbers[kind].forEach((number, row) => { number.row = `${kind}-${row}`; });
for (const each of PAGE.technologies) {
  for (const kind of ["figure", "time", "area"]) each[`${kind}s`] = each[`${kind}s`].map((k) => PAGE.numbers[kind][k]);
  for (const chip of Object.keys(each.prices)) each.prices[chip] = each.prices[chip].map((k) => PAGE.prices[k]);
}

// --- text ------------------------------------------------------------------------------------------------------------
/** The power of ten and the prefixed unit in which a figure is typed. */
function typed(value, unit) {
  if (value === 0 || unit.split("/")[0].includes("^")) return {power: 0, unit};
  const power = exponent(value);
  return {power, unit: PREFIXES[power] + unit};
}

function count(value, unit) {
  if (unit === "s") return show(value, "s");
  const text = Math.abs(value) >= 1000 ? WHOLE.format(value) : String(Number(value.toPrecision(4)));
  return unit === "1" ? text : `${text} ${unit}`;
}

function price(value, unit) {
  return show(value, "J") + (unit === "1" ? "" : unit.includes("*") ? `/(${unit})` : `/${unit}`);
}

function percent(part, whole) {
  if (!(whole > 0)) return "-";
  const share = 100 * part / whole;
  return share === 0 || share >= 0.1 ? `${share.toFixed(1)} %` : share < 1e-3 ? "< 0.001 %" : `${Number(share.toPrecision(1))} %`;
}

function ratioText(value) {
  if (!Number.isFinite(value)) return "-";
  return value >= 1000 ? WHOLE.format(value) : value >= 10 ? value.toFixed(1) : value.toPrecision(3);
}

// --- the account -----------------------------------------------------------------------------------------------------
const state = {technology: 0, set: new Map()};  // set: figure -> value in SI, for those that were moved

const technology = () => PAGE.technologies[state.technology];
const figureOf = (name) => technology().figures.find((figure) => figure.name === name);
const valueOf = (figure) => state.set.has(figure.name) ? state.set.get(figure.name) : figure.value;
const chipOf = (name) => PAGE.chips.find((chip) => chip.name === name);

function factorOf(name) {
  if (!state.set.has(name)) return 1;
  return state.set.get(name) / figureOf(name).value;
}

/** Set a figure, in SI; its own value takes it out of those that were moved. */
function setFigure(name, value) {
  if (value === figureOf(name).value) state.set.delete(name);
  else state.set.set(name, value);
}

/** A chip's price [J per unit] of each of its entries, under the figures as they are set. */
function pricesOf(chip) {
  const factors = new Map();
  return technology().prices[chip.name].map((each) => {
    if (!factors.has(each.figure)) factors.set(each.figure, factorOf(each.figure));
    return each.price * factors.get(each.figure);
  });
}

/** Energy of a step [J] of a chip's rows that are wanted: fsum(amount x price) / steps. */
function energyOf(chip, prices, wanted) {
  const energies = [];
  for (const row of chip.rows) if (wanted(row)) energies.push(row[3] * prices[row[2]]);
  return fsum(energies) / chip.steps;
}

/** What each figure costs a chip in a step [J] at its own value: it does not move with the sliders. */
const ownCosts = new Map();
function ownCost(chip, name) {
  const key = `${state.technology} ${chip.name} ${name}`;
  if (!ownCosts.has(key)) {
    const own = technology().prices[chip.name], prices = own.map((each) => each.price);
    ownCosts.set(key, energyOf(chip, prices, ([, , entry]) => chip.entries[entry].inside && own[entry].figure === name));
  }
  return ownCosts.get(key);
}

/** A chip's step: energy by phase, their sum, by basis, and each entry in each phase. */
function bill(chip) {
  const prices = pricesOf(chip), own = technology().prices[chip.name];
  const inside = (entry) => chip.entries[entry].inside;
  const phases = PAGE.phases.map((_, k) => energyOf(chip, prices, ([phase, , entry]) => phase === k && inside(entry)));
  const bases = new Map();
  for (const basis of new Set(own.map((each) => each.basis))) {
    bases.set(basis, energyOf(chip, prices, ([, , entry]) => inside(entry) && own[entry].basis === basis));
  }
  return {chip, prices, phases, total: fsum(phases), bases};
}

/** What a figure costs a chip in a step [J] at its own value, and what all others cost as they are set. */
function split(chip, name) {
  const own = technology().prices[chip.name], prices = pricesOf(chip);
  const others = ([, , entry]) => chip.entries[entry].inside && own[entry].figure !== name;
  return {own: ownCost(chip, name), rest: energyOf(chip, prices, others)};
}

/**
 * The factor k on a figure that gives a quantity, in closed form, for every energy is rest + own x k.
 * The quantity is {over, under} for a ratio or {chip} for an energy [J]; `ends` are its values at k = 0 and k -> infinity.
 */
function solve(name, quantity, target) {
  if (quantity.chip) {
    const {own, rest} = split(chipOf(quantity.chip), name);
    return {moves: own > 0, factor: (target - rest) / own, ends: [rest, Infinity]};
  }
  const over = split(chipOf(quantity.over), name), under = split(chipOf(quantity.under), name);
  const ends = [over.rest / under.rest, under.own > 0 ? over.own / under.own : Infinity];
  const factor = (target * under.rest - over.rest) / (over.own - target * under.own);
  return {moves: (over.own > 0 || under.own > 0) && ends[0] !== ends[1], factor, ends};
}
