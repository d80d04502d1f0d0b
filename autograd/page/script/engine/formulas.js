// Formulas: what the page's templates say of a node, in names or in numbers. They are lists of
// parts; `name(node)` gives that of a node, a text or what shows it.

import { isNode } from "./graph.js";
import { plain, show } from "./words.js";

const MANY = 10; // arguments of which some are left out

/** A template of Python's notation with its arguments put in, by `put(arg)`. */
function fill({ argument }, template, node, put) {
  const parts = [],
    holes = [...template.matchAll(/\{(\d+|z)\}/g)];
  let end = 0;
  for (const [i, match] of holes.entries()) {
    const start = match.index;
    if (holes.length > MANY && i >= 5 && i < holes.length - 3) {
      if (i === 5) parts.push(`, … ${holes.length - 8} more …`);
      end = start + match[0].length;
      continue;
    }
    parts.push(template.slice(end, start));
    const piece = put(match[1] === "z" ? node : argument(node, Number(match[1])));
    end = start + match[0].length;
    const isSigned = typeof piece === "string" && piece.startsWith("-"),
      isAfter = start > 0 && !/[([]$|, $/.test(template.slice(0, start));
    parts.push(isSigned && (isAfter || template.startsWith(" **", end)) ? `(${piece})` : piece);
  }
  parts.push(template.slice(end));
  return parts.filter((part) => part !== "");
}
const inNames = (name) => (arg) => (isNode(arg) ? name(arg) : plain(arg[0]));
const inValues = (values) => (arg) => show(isNode(arg) ? values[arg] : arg[0]);

/** What a computed node is of its arguments. */
export const formula = (run, node, name) => fill(run, run.formOf[node].text, node, inNames(name));
/** The same in numbers. */
export const formulaInNumbers = (run, node, values) =>
  fill(run, run.formOf[node].text, node, inValues(values));
/** How a node was computed; of a leaf, its name. */
export const definition = (run, node, name) =>
  run.formOf[node] ? [name(node), " = ", ...formula(run, node, name)] : [name(node)];
/** The local derivative of an edge. */
export const rule = (run, { node, slot }, name) =>
  fill(run, run.formOf[node].rules[slot], node, inNames(name));
/** The same in numbers. */
export const ruleInNumbers = (run, { node, slot }, values) =>
  fill(run, run.formOf[node].rules[slot], node, inValues(values));

export const definitionText = (run, node) => definition(run, node, (n) => run.names[n]).join("");

/** An event in a sentence. */
export function sentence(run, event) {
  if (!event) return "nothing has happened yet";
  const { names, root, formOf } = run,
    { kind, node, arg, upstream, local, total } = event;
  if (kind === "forward")
    return `${formOf[node] ? definitionText(run, node) : names[node]} = ${show(total)}`;
  if (kind === "done") return `gradient of ${names[node]} complete: ${show(total)}`;
  return (
    `d ${names[root]}/d ${names[arg]} += ${show(upstream)} * ${show(local)} = ` +
    `${show(event.product)}, total ${show(total)}`
  );
}

/** The box that stands for where a node uses a leaf, if no path tells: the module of both, or its turn of a loop. */
function boxAround({ groups, around }, node, leaf) {
  const others = new Set(around(leaf)),
    isIt = (g) => others.has(g) || groups[groups[g].parent]?.turns;
  const found = around(node).find((g) => groups[g].level && isIt(g));
  return found === undefined ? "" : groups[found].title;
}
/** Where a node stands as it uses a leaf, for one that has no name: its sample, and its module or op. */
function placeOf(run, node, leaf) {
  const { names, samples, sampleOf, scopeOf, formOf } = run;
  if (names[node] !== `n${node}`) return { sample: "", place: "" };
  const sample = samples[sampleOf[node]] ?? "",
    path = scopeOf(node) || boxAround(run, node, leaf),
    head = sample.replace(/^sample /, "samples.");
  const inSample = path === head ? "" : path;
  const place = path.startsWith(`${head}.`) ? path.slice(head.length + 1) : inSample;
  return {
    sample: sample.replace(" ", "\u00a0"),
    place: place || (sample && formOf[node]?.symbol) || "",
  };
}
/**
 * Which of its uses each user of a node is, as far as that can be told: its sample, and of several
 * uses at one place, as by the positions of a text, which of them.
 */
export function turnsOf(run, node) {
  const together = new Map();
  for (const user of new Set(
    Array.from(run.usesOf(node), (e) => run.ownerOf[e]).sort((a, b) => a - b),
  )) {
    const { sample, place } = placeOf(run, user, node),
      key = place && `${sample} ${place}`;
    if (!together.has(key)) together.set(key, []);
    together.get(key).push([user, sample]);
  }
  const found = new Map();
  for (const [key, users] of together)
    users.forEach(([user, sample], k) => {
      found.set(user, joined(sample, key && users.length > 1 && `use\u00a0${k + 1}`));
    });
  return found;
}
// A blank that doesn't break: "sample 59 ·" stays in one line.
const joined = (...parts) => parts.filter(Boolean).join("\u00a0· ");
/**
 * What the givers of a node's ledger are called: of several in a row that stand at one place, the
 * first has it as its `head`, and each is called by its sample, by which use it is, or by its name.
 * `boxOf` gives what stands for the place of one that has none, or "".
 */
export function giversOf(run, node, givers, boxOf) {
  const uses = turnsOf(run, node),
    places = givers.map((giver) => placeOf(run, giver, node).place || boxOf(giver));
  return givers.map((giver, i) => {
    const place = places[i],
      isOneOfSome = place && (place === places[i - 1] || place === places[i + 1]);
    return {
      head: isOneOfSome && place !== places[i - 1] ? place : "",
      text: joined(uses.get(giver), !isOneOfSome && place) || run.names[giver],
    };
  });
}
