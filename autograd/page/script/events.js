// The events of a run, in columns: the values forward, then the right pass or one of the wrong ways

/** A branch with upstream 0 contributes 0 even where its derivative is infinite. */
const product = (form, upstream, local) =>
  Number.isFinite(local) || !form.singular || upstream !== 0 ? upstream * local : 0;

/** The codes of the right order: a node that is complete as ~node, then the edges it passes on along. */
const sortedCodes = (() => {
  const codes = new Int32Array(count + edgeCount);
  for (let node = root, k = 0; node >= 0; node--) {
    codes[k++] = ~node;
    for (let e = firstArg[node]; e < firstArg[node + 1]; e++) if (argOf[e] >= 0) codes[k++] = e;
  }
  return codes;
})();
const MOST_WRONG = 3e6; // events of the pass that isn't sorted: it grows with every path
function unsortedCodes() {
  const limit = Math.min(20 * edgeCount + 100, MOST_WRONG),
    codes = [~root],
    stack = [root];
  while (stack.length && codes.length <= limit) {
    const node = stack.pop(),
      args = new Set();
    for (let e = firstArg[node]; e < firstArg[node + 1]; e++)
      if (argOf[e] >= 0) {
        codes.push(e);
        args.add(argOf[e]);
      }
    stack.push(...[...args].reverse());
  }
  return Int32Array.from(codes);
}

/** A run: `at(i)` is its event i, `length` how many there are, `adjoint` what it arrives at. */
function makeRun({ values, locals }, way) {
  const codes = way === "no sort" ? unsortedCodes() : sortedCodes;
  // What a leaf still holds of the pass before.
  const adjoint = way === "no zero_grad" ? finalGradients({ values, locals }).slice() : new Float64Array(count);
  if (way === "no zero_grad") for (let node = 0; node < count; node++) if (formOf[node]) adjoint[node] = 0;
  adjoint[root] = seed;
  const total = new Float64Array(codes.length),
    before = new Float64Array(codes.length),
    upstream = new Float64Array(codes.length);
  for (let k = 0; k < codes.length; k++) {
    const e = codes[k];
    if (e < 0) {
      total[k] = adjoint[~e];
      continue;
    }
    const node = ownerOf[e],
      arg = argOf[e],
      contribution = product(formOf[node], adjoint[node], locals[e]);
    upstream[k] = adjoint[node];
    before[k] = adjoint[arg];
    adjoint[arg] = total[k] = way === "overwrite" ? contribution : before[k] + contribution;
  }
  const contribution = (k) => product(formOf[ownerOf[codes[k]]], upstream[k], locals[codes[k]]);
  const at = (index) => {
    if (index < count) return { index, kind: "forward", node: index, subject: index, total: values[index] };
    const k = index - count,
      e = codes[k];
    if (e < 0) return { index, kind: "done", node: ~e, subject: ~e, total: total[k] };
    return {
      index,
      kind: "edge",
      node: ownerOf[e],
      subject: argOf[e],
      arg: argOf[e],
      slot: slotOf(e),
      edge: e,
      upstream: upstream[k],
      local: locals[e],
      product: contribution(k),
      before: before[k],
      total: total[k],
    };
  };
  const length = count + codes.length;
  let places = null;
  /** The indices of the events that pass something on to a node, in order. */
  const into = (node) => {
    if (codes === sortedCodes) {
      places ??= placesOf(codes);
      return Array.from(usesOf(node), (e) => count + places[e]).sort((a, b) => a - b);
    }
    const found = [];
    for (let k = 0; k < codes.length; k++) if (codes[k] >= 0 && argOf[codes[k]] === node) found.push(count + k);
    return found;
  };
  /** The last event that sets a number of a node. */
  const lastOf = (node) => {
    for (let k = codes.length - 1; k >= 0; k--)
      if (codes[k] === ~node || (codes[k] >= 0 && argOf[codes[k]] === node)) return count + k;
    return node;
  };
  return { way, length, at, into, lastOf, codes, total, before, contribution, adjoint };
}
function placesOf(codes) {
  const places = new Uint32Array(argOf.length);
  for (let k = 0; k < codes.length; k++) if (codes[k] >= 0) places[codes[k]] = k;
  return places;
}
const finalGradients = (numbers) => makeRun(numbers, "").adjoint;

const isSame = (a, b) => a === b || (a !== a && b !== b);
/**
 * What a wrong pass should have arrived at, and where it parts from the right one: its first edge
 * after which a sum is wrong, with the same edge in the right pass. Right is what each edge adds
 * once, in whatever order: another order rounds differently.
 */
function compared(wrong, right) {
  const sums = new Float64Array(count),
    places = placesOf(right.codes),
    added = new Uint8Array(argOf.length);
  sums[root] = seed;
  const add = (e) => {
    if (added[e]) return;
    added[e] = 1;
    sums[argOf[e]] += right.contribution(places[e]);
  };
  let parting = null;
  for (let k = 0; k < wrong.codes.length; k++) {
    const e = wrong.codes[k];
    if (e < 0) continue;
    add(e);
    if (!parting && !isSame(wrong.total[k], sums[argOf[e]]))
      parting = { wrong: wrong.at(count + k), right: right.at(count + places[e]) };
  }
  for (const e of right.codes) if (e >= 0) add(e);
  return { sums, parting };
}

/** What is known after some events of a run: never a number before its time. It moves, and so is quick. */
class Moment {
  constructor(run) {
    this.run = run;
    this.position = 0;
    this.known = new Uint8Array(count);
    this.status = new Uint8Array(count); // of a gradient: 0 unknown, 1 partial, 2 complete
    this.arrived = new Uint32Array(count);
    this.gradient = new Float64Array(count);
  }
  move(position) {
    while (this.position < position) this.#happen(this.position++);
    while (this.position > position) this.#undo(--this.position);
    this.event = position ? this.run.at(position - 1) : null;
    this.largest = 0;
    for (let i = 0; i < count; i++) {
      const size = Math.abs(this.gradient[i]);
      if (this.status[i] && size > this.largest && size < Infinity) this.largest = size;
    }
    return this;
  }
  #happen(index) {
    if (index < count) {
      this.known[index] = 1;
      return;
    }
    const k = index - count,
      e = this.run.codes[k],
      subject = e < 0 ? ~e : argOf[e];
    this.gradient[subject] = this.run.total[k];
    if (e < 0) this.status[subject] = 2;
    else {
      this.arrived[subject]++;
      this.status[subject] = Math.max(this.status[subject], 1);
    }
  }
  #undo(index) {
    if (index < count) {
      this.known[index] = 0;
      return;
    }
    const k = index - count,
      e = this.run.codes[k],
      subject = e < 0 ? ~e : argOf[e];
    if (e >= 0) {
      this.arrived[subject]--;
      this.gradient[subject] = this.run.before[k];
    }
    this.status[subject] = this.arrived[subject] ? 1 : 0;
  }
}
