// What if: what changed leaves do to the root, predicted by the gradient and as it is

import { definitionText } from "./formulas.js";
import { show } from "./words.js";

/** The change of the root: as the gradients predict it, and as it is. */
export function changeOf({ root, recorded, recordedGradients }, { edits, numbers }) {
  const predicted = [...edits].reduce(
    (sum, [leaf, value]) => sum + recordedGradients[leaf] * (value - recorded.values[leaf]),
    0,
  );
  return { predicted, actual: numbers.values[root] - recorded.values[root] };
}
/** The first node that is no number any more; -1 if there is none. */
export const firstBad = ({ formOf, recorded }, { numbers }) =>
  numbers.values.findIndex(
    (x, i) => !Number.isFinite(x) && Number.isFinite(recorded.values[i]) && formOf[i],
  );

const norm = (numbers) => Math.hypot(...numbers);
/** The changes by what shows them: of a leaf its numbers, of a box with changed leaves their norms. */
export function changedRows({ isGroup, recorded, recordedGradients }, { edits }, itemOf) {
  const rows = new Map();
  for (const [leaf, value] of edits) {
    const item = itemOf(leaf);
    if (!rows.has(item)) rows.set(item, []);
    rows.get(item).push([leaf, value]);
  }
  return [...rows].map(([item, own]) => {
    const [[leaf, is]] = own,
      was = own.map(([node]) => recorded.values[node]),
      gradient = own.map(([node]) => recordedGradients[node]);
    if (!isGroup(item)) return { item, leaf, leaves: 1, was: was[0], is, gradient: gradient[0] };
    const now = own.map(([, number]) => number);
    return {
      ...{ item, leaf, leaves: own.length },
      ...{ was: norm(was), is: norm(now), gradient: norm(gradient) },
    };
  });
}

const NAMED = 3; // kinks that are named before the rest is counted
/** Why prediction and outcome differ. */
export function reasonOf(run, state) {
  const { root, names, formOf, rows, argNumbers, recorded, recordedGradients } = run,
    { edits, numbers, right } = state,
    { predicted, actual } = changeOf(run, state);
  if (!Number.isFinite(actual - predicted))
    return "Not to be compared: a number on the way is infinite or NaN.";
  const sizes = [recorded.values[root], numbers.values[root], predicted].map(Math.abs);
  if (Math.abs(actual - predicted) <= 1e-12 * Math.max(...sizes))
    return `${names[root]} changed as predicted: it is linear here.`;
  const side = (node, values) =>
    rows[formOf[node].row].kinks(...argNumbers(node, values)).map((kink) => kink > 0);
  const crossed = [...names.keys()].filter(
    (i) =>
      rows[formOf[i]?.row]?.kinks && `${side(i, recorded.values)}` !== `${side(i, numbers.values)}`,
  );
  if (crossed.length) {
    const named = crossed.slice(0, NAMED).map((i) => definitionText(run, i)),
      more = crossed.length > NAMED ? ` and ${crossed.length - NAMED} more` : "";
    return `A kink lies in between: ${named.join(", ")}${more}.`;
  }
  if (edits.size > 1) return "Curvature: on the way the gradients change.";
  const [leaf] = edits.keys();
  return (
    "Curvature: on the way the gradient goes from " +
    `${show(recordedGradients[leaf])} to ${show(right.adjoint[leaf])}.`
  );
}
