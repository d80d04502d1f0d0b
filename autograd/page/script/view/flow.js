// The chosen box: how the numbers that leave it are spread, its ledger, its leaves

import { mostOf } from "../engine/arrange.js";
import { leavingOf, liveLeaves } from "../engine/flow.js";
import { boxLedger, wrongIn } from "../engine/ledger.js";
import { BINS, spreadOf } from "../engine/norms.js";
import { counted, show, tight } from "../engine/words.js";
import { breakButton } from "./breaks.js";
import { $, element, note, replaceTools, row, shape, table } from "./document.js";
import { editAll } from "./player.js";
import { run } from "./run.js";
import { itemOf, state } from "./state.js";
import { boxName, ref } from "./words.js";
import { openBox } from "./zoom.js";

export function paintFlow() {
  const item = itemOf(state.chosen),
    g = item - run.count;
  $("flow").hidden = !run.isGroup(item);
  if (!run.isGroup(item)) return;
  const { values, gradients } = leavingOf(state, item);
  $("flow-title").textContent = boxName(g);
  paintFlowTools(g);
  paintTurn(item);
  $("flow-account").replaceChildren(...account(item));
  $("flow-body").replaceChildren(...line("values", values), ...line("gradients", gradients));
}

/** Some numbers in a line: from the least to the largest, with how many lie in between. */
function line(name, xs) {
  if (!xs.length) return [element("span", {}, name), element("span", { class: "range" }, "?")];
  const { low, high, bars, zeros, odd, of } = spreadOf(xs),
    most = mostOf(bars),
    drawn = shape("svg", {
      viewBox: `0 0 ${BINS * 6} 20`,
      class: "bars-of-flow",
      "aria-hidden": "true",
    });
  bars.forEach((n, k) => {
    const height = n ? 2 + (18 * n) / most : 0;
    drawn.append(shape("rect", { x: 6 * k, y: 20 - height, width: 5, height }));
  });
  const notes = [
    zeros && `${counted(zeros)} of ${counted(of)} ${zeros === 1 ? "is" : "are"} 0`,
    odd && `${odd} infinite or NaN`,
  ].filter(Boolean);
  const range = high > low ? [tight(low, 7), drawn, tight(high, 7)] : [tight(low, 7)];
  return [
    element("span", {}, name),
    element("span", { class: "range" }, ...range),
    ...(notes.length ? [element("span", { class: "zeros" }, notes.join(", "))] : []),
  ];
}

/** Open the box, or stop at it. */
function paintFlowTools(g) {
  const item = run.count + g;
  replaceTools(
    $("flow-tools"),
    element("button", { title: "Open it in place (Enter)", onclick: () => openBox(g) }, "Open"),
    breakButton(item, "Stop after each pass through it (b)"),
  );
}

/** What if all leaves of the box were larger or smaller by a factor? */
function paintTurn(item) {
  if (state.turned?.item !== item || state.turned.scene !== state.serial) {
    const leaves = liveLeaves(run, state, item);
    state.turned = { item, scene: state.serial, leaves, ...makeTurn(leaves, item) };
  }
  const { leaves, slide, type } = state.turned,
    { values } = run.recorded;
  if (!slide) return;
  const one = leaves.find((leaf) => values[leaf] !== 0) ?? leaves[0],
    factor = state.edits.has(one) && values[one] ? state.edits.get(one) / values[one] : 1;
  if (document.activeElement !== slide) slide.value = factor;
  if (document.activeElement !== type) type.value = String(Number(factor.toPrecision(6)));
}
function makeTurn(leaves, item) {
  $("flow-turn").replaceChildren();
  if (!leaves.length) return {};
  const times = `all ${counted(leaves.length)} leaves of ${boxName(item - run.count)}`,
    { values } = run.recorded;
  const scale = (factor) => editAll(leaves.map((leaf) => [leaf, values[leaf] * factor + 0]));
  const slide = element("input", {
    ...{ type: "range", min: -1, max: 3, step: 0.05 },
    "aria-label": `Factor of ${times}, dragged`,
  });
  const type = element("input", {
    ...{ type: "number", step: "any" },
    "aria-label": `Factor of ${times}, typed`,
  });
  slide.addEventListener("input", () => scale(Number(slide.value)));
  type.addEventListener("input", () => {
    if (Number.isFinite(type.valueAsNumber)) scale(type.valueAsNumber);
  });
  const its = leaves.length === 1 ? "leaf were" : `${counted(leaves.length)} leaves were`;
  $("flow-turn").append(
    element("h3", {}, `What if its ${its} times`),
    element("div", { class: "turn" }, slide, type),
  );
  return { slide, type };
}

const MOST = 30; // rows
/** The ledger of a box: what came in from each box, and what went on to each, so far. */
function account(item) {
  const { came, went } = boxLedger(run, state, item),
    wrong = wrongIn(state, item);
  return [
    ...(wrong ? [note(`${counted(wrong)} of its gradients are wrong.`, "alarm")] : []),
    ...entries("Ledger: came in from", came),
    ...entries("Went on to", went),
  ];
}
function entries(title, found) {
  if (!found.size) return [];
  const { isGroup, lastOf, names, count } = run;
  const nameOf = (item) =>
    item < 0
      ? "other samples"
      : ref(lastOf(item), isGroup(item) ? boxName(item - count) : names[item]);
  const rows = [...found]
    .slice(0, MOST)
    .map(([other, { n, squares, now }]) =>
      row([nameOf(other), counted(n), show(squares.norm)], { class: now ? "now" : "" }),
    );
  return [
    element("h3", {}, title),
    table(["box", "products", "their norm"], rows),
    ...(found.size > MOST ? [note(`and ${found.size - MOST} more`)] : []),
  ];
}
