// Ledgers: what a gradient is the sum of

import { crossingsOf, membersOf } from "./members.js";
import { Squares } from "./norms.js";
import { isWrong } from "./session.js";

/** The contributions to a node that have arrived by now. */
export const contributionsTo = ({ events, position }, node) =>
  events
    .into(node)
    .filter((index) => index < position)
    .map(events.at);

/** The edges along which a node is still to be given something, in the order of the right pass. */
export function awaitedBy({ usesOf, ownerOf }, { way }, node, given) {
  if (way) return []; // a wrong pass goes its own way
  const come = new Set(given.map((e) => e.edge));
  return Array.from(usesOf(node))
    .filter((e) => !come.has(e))
    .sort((a, b) => ownerOf[b] - ownerOf[a]);
}

const CANCELLED = 1e-8; // what remains of contributions, as a share of their size, is mostly rounding
/** Whether a complete gradient is what is left of contributions that cancel. */
export function isCancelled({ moment }, node, given) {
  const size = given.reduce((sum, e) => sum + Math.abs(e.product), 0);
  return (
    moment.status[node] === 2 &&
    given.length > 1 &&
    Math.abs(moment.gradient[node]) < CANCELLED * size
  );
}

/** The ledger of a box: what came in from each box, and what went on to each, so far. */
export function boxLedger(run, { scene, events, position }, item) {
  const { count, ownerOf, argOf } = run,
    came = new Map(),
    went = new Map();
  const add = (to, other, k) => {
    if (!to.has(other)) to.set(other, { n: 0, squares: new Squares(), now: false });
    const entry = to.get(other);
    entry.n++;
    entry.squares.add(events.contribution(k));
    if (position - count - 1 === k) entry.now = true;
  };
  for (const k of crossingsOf(run, scene, events).get(item) ?? []) {
    if (k >= position - count) break;
    const e = events.codes[k],
      from = scene.of[ownerOf[e]],
      to = scene.of[argOf[e]];
    if (to === item) add(came, from, k);
    else add(went, to, k);
  }
  return { came, went };
}
/** How many gradients in a box are wrong. */
export const wrongIn = (state, item) =>
  state.way
    ? (membersOf(state.scene).get(item) ?? []).filter((node) => isWrong(state, node)).length
    : 0;

/** The paths of largest product, by dynamic programming from the root down; never enumerated. */
export function heaviestPaths(run, { locals }, node, most = 3) {
  const { count, root, seed, firstArg, argOf, ownerOf, usesOf } = run,
    concerned = new Uint8Array(count);
  concerned[node] = 1;
  for (let e = firstArg[node + 1]; e < argOf.length; e++)
    if (argOf[e] >= node && concerned[argOf[e]]) concerned[ownerOf[e]] = 1;
  const best = new Map([[root, [{ weight: 0, node: root, tail: null, local: 1 }]]]);
  for (let i = root - 1; i >= node; i--) {
    if (!concerned[i]) continue;
    const found = [];
    for (const e of Array.from(usesOf(i)).sort((a, b) => ownerOf[b] - ownerOf[a] || a - b))
      for (const tail of best.get(ownerOf[e]) ?? []) {
        const weight = tail.weight + Math.log(Math.abs(locals[e]));
        found.push({ weight, node: i, tail, local: locals[e] });
      }
    best.set(i, found.sort((a, b) => b.weight - a.weight).slice(0, most));
  }
  return (best.get(node) ?? []).map((end) => {
    const nodes = [],
      factors = [];
    for (let link = end; link; link = link.tail) {
      nodes.push(link.node);
      factors.push(link.local);
    }
    return { nodes: nodes.reverse(), product: factors.reverse().reduce((a, b) => a * b, seed) };
  });
}
/** The shares of paths in a gradient; none where there are contributions of both signs. */
export function sharesOf({ right }, paths, given) {
  const shares = paths.map(({ nodes, product }) => product / right.adjoint[nodes.at(-1)]);
  const isOfOneSign = given.every((e) => e.product >= 0) || given.every((e) => e.product <= 0);
  return isOfOneSign && shares.every((share) => share >= 0 && share <= 1 + 1e-9) ? shares : [];
}
