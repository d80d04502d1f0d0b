// The events of a run, in columns: the values forward, then the right pass or one of the wrong ways

/** A branch with upstream 0 contributes 0 even where its derivative is infinite. */
const product = (form, upstream, local) =>
  Number.isFinite(local) || !form.singular || upstream !== 0 ? upstream * local : 0;

const MOST_WRONG = 3e6; // events of the pass that isn't sorted: it grows with every path
function unsortedCodes({ root, edgeCount, firstArg, argOf }) {
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

/** The adjoints with which a pass begins: of a leaf, what it still holds of the pass before. */
function adjointsBefore(graph, numbers, way) {
  const { count, root, seed, formOf } = graph,
    adjoint = new Float64Array(count);
  if (way === "no zero_grad") {
    const held = makePass(graph, numbers, "").adjoint;
    for (let node = 0; node < count; node++) if (!formOf[node]) adjoint[node] = held[node];
  }
  adjoint[root] = seed;
  return adjoint;
}

/** A pass: `at(i)` is its event i, `length` how many there are, `adjoint` what it arrives at. */
export function makePass(graph, numbers, way) {
  const { count, sorted, formOf, argOf, ownerOf, firstArg, usesOf } = graph,
    { values, locals } = numbers,
    codes = way === "no sort" ? unsortedCodes(graph) : sorted,
    adjoint = adjointsBefore(graph, numbers, way),
    total = new Float64Array(codes.length),
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
    if (index < count)
      return { index, kind: "forward", node: index, subject: index, total: values[index] };
    const k = index - count,
      e = codes[k];
    if (e < 0) return { index, kind: "done", node: ~e, subject: ~e, total: total[k] };
    return {
      index,
      kind: "edge",
      node: ownerOf[e],
      subject: argOf[e],
      arg: argOf[e],
      slot: e - firstArg[ownerOf[e]],
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
    if (codes === sorted) {
      places ??= placesOf(graph, codes);
      return Array.from(usesOf(node), (e) => count + places[e]).sort((a, b) => a - b);
    }
    const found = [];
    for (let k = 0; k < codes.length; k++)
      if (codes[k] >= 0 && argOf[codes[k]] === node) found.push(count + k);
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
function placesOf({ argOf }, codes) {
  const places = new Uint32Array(argOf.length);
  for (let k = 0; k < codes.length; k++) if (codes[k] >= 0) places[codes[k]] = k;
  return places;
}

export const isSame = (a, b) => a === b || (Number.isNaN(a) && Number.isNaN(b));
/**
 * What a wrong pass should have arrived at, and where it parts from the right one: its first edge
 * after which a sum is wrong, with the same edge in the right pass. Right is what each edge adds
 * once, in whatever order: another order rounds differently.
 */
export function compared(graph, wrong, right) {
  const { count, root, seed, argOf } = graph,
    sums = new Float64Array(count),
    places = placesOf(graph, right.codes),
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

/** What is known after some events of a pass: never a number before its time. It moves, and so is quick. */
export class Moment {
  constructor({ count, argOf }, pass) {
    Object.assign(this, { count, argOf, pass, position: 0 });
    this.known = new Uint8Array(count);
    this.status = new Uint8Array(count); // of a gradient: 0 unknown, 1 partial, 2 complete
    this.arrived = new Uint32Array(count);
    this.gradient = new Float64Array(count);
  }
  move(position) {
    while (this.position < position) this.#happen(this.position++);
    while (this.position > position) this.#undo(--this.position);
    this.event = position ? this.pass.at(position - 1) : null;
    return this;
  }
  /** The largest gradient that is a number, found anew: to be asked for once a moment. */
  get largest() {
    let largest = 0;
    for (let i = 0; i < this.count; i++) {
      const size = Math.abs(this.gradient[i]);
      if (this.status[i] && size > largest && size < Infinity) largest = size;
    }
    return largest;
  }
  /** The items of a scene in which something has happened, or was undone, since it stood elsewhere. */
  itemsSince(position, { of }) {
    const [from, to] = [position, this.position].sort((a, b) => a - b),
      items = new Set();
    for (let index = from; index < to; index++) {
      const e = index < this.count ? ~index : this.pass.codes[index - this.count];
      items.add(of[e < 0 ? ~e : this.argOf[e]]);
    }
    return items;
  }
  #happen(index) {
    if (index < this.count) {
      this.known[index] = 1;
      return;
    }
    const k = index - this.count,
      e = this.pass.codes[k],
      subject = e < 0 ? ~e : this.argOf[e];
    this.gradient[subject] = this.pass.total[k];
    if (e < 0) this.status[subject] = 2;
    else {
      this.arrived[subject]++;
      this.status[subject] = Math.max(this.status[subject], 1);
    }
  }
  #undo(index) {
    if (index < this.count) {
      this.known[index] = 0;
      return;
    }
    const k = index - this.count,
      e = this.pass.codes[k],
      subject = e < 0 ? ~e : this.argOf[e];
    if (e >= 0) {
      this.arrived[subject]--;
      this.gradient[subject] = this.pass.before[k];
    }
    this.status[subject] = this.arrived[subject] ? 1 : 0;
  }
}
