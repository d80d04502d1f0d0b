// The chosen node: its number, its ledger, its heaviest paths

import { formula, giversOf, turnsOf } from "../engine/formulas.js";
import {
  awaitedBy,
  contributionsTo,
  heaviestPaths,
  isCancelled,
  sharesOf,
} from "../engine/ledger.js";
import { isWrong } from "../engine/session.js";
import { STATUS, show } from "../engine/words.js";
import { breakButton } from "./breaks.js";
import { reveal } from "./camera.js";
import { $, element, note, replaceTools, row, table } from "./document.js";
import { markPath } from "./pane.js";
import { editAll, goTo } from "./player.js";
import { run } from "./run.js";
import { itemOf, state } from "./state.js";
import { boxName, ref } from "./words.js";

export function paintNode() {
  const node = state.chosen;
  $("node-title").textContent = run.names[node];
  replaceTools(
    $("node-tools"),
    element(
      "button",
      { title: "Go to where its gradient is complete (Enter)", onclick: () => goTo(node) },
      "Go to",
    ),
    breakButton(node, "Breakpoint (b)"),
  );
  if (state.controls?.node !== node) state.controls = makeControls(node);
  const { facts, slide, type, ledger } = state.controls;
  facts.replaceChildren(factsOf(node));
  const value = state.edits.get(node) ?? run.recorded.values[node];
  if (slide && document.activeElement !== slide) slide.value = value;
  if (type && document.activeElement !== type) type.value = String(value);
  ledger.replaceChildren(...account(node));
}

function factsOf(node) {
  const { moment, numbers, right } = state,
    { formOf, labels, scopeOf } = run,
    status = moment.status[node];
  const fact = (term, ...content) => [element("dt", {}, term), element("dd", {}, ...content)];
  const number = (isKnown, x, otherwise, id = null) =>
    element("span", { id, title: isKnown ? String(x) : null }, isKnown ? show(x) : otherwise);
  return element(
    "dl",
    { class: "facts" },
    ...(formOf[node] ? fact("is", ...formula(run, node, ref)) : []),
    ...(labels[node] ? fact("label", labels[node]) : []),
    ...(scopeOf(node) ? fact("in", scopeOf(node)) : []),
    ...fact("value", number(moment.known[node], numbers.values[node], "not yet computed")),
    ...fact(
      "gradient",
      number(status, moment.gradient[node] + 0, "?", "node-gradient"),
      element("span", { class: `badge ${STATUS[status]}` }, STATUS[status]),
    ),
    ...(isWrong(state, node)
      ? fact("right", element("span", { class: "alarm" }, show(right.adjoint[node])))
      : []),
  );
}

/** What stays in the document while a node is chosen: what is typed or dragged there goes on. */
function makeControls(node) {
  const controls = { node, facts: element("div"), ledger: element("div") },
    live = element("div"),
    { formOf, blocker, names } = run,
    name = names[node];
  if (!formOf[node] && blocker[node] >= 0) {
    const user = blocker[node];
    live.append(
      note(`Not live: it feeds ${names[user]}, whose op ${formOf[user].op} runs in Python only.`),
    );
  } else if (!formOf[node]) {
    const old = run.recorded.values[node],
      span = Math.max(1, 2 * Math.abs(old));
    const input = (how, type, range) =>
      element("input", { type, ...range, "aria-label": `Value of ${name}, ${how}` });
    const slide = input("dragged", "range", { min: old - span, max: old + span, step: span / 500 }),
      type = input("typed", "number", { step: "any" });
    slide.addEventListener("input", () => editAll([[node, Number(slide.value)]]));
    type.addEventListener("input", () => {
      if (Number.isFinite(type.valueAsNumber)) editAll([[node, type.valueAsNumber]]);
    });
    live.append(element("div", { class: "turn" }, slide, type));
    Object.assign(controls, { slide, type });
  }
  $("node-body").replaceChildren(controls.facts, live, controls.ledger);
  return controls;
}

const MOST = 16; // rows of what has come, and of what has not
const MOST_ON_PAPER = 8;
function account(node) {
  const { moment, way } = state,
    { root, names, seed } = run,
    isComplete = moment.status[node] === 2;
  if (node === root)
    return [
      note(`The gradient of ${names[root]} with respect to itself is the seed, ${show(seed)}.`),
    ];
  const given = contributionsTo(state, node);
  const parts = [...ledgerOf(node, given)];
  if (isCancelled(state, node, given))
    parts.push(
      note("The contributions cancel almost wholly: what remains is mostly rounding.", "alarm"),
    );
  if (isComplete && !way)
    parts.push(
      element("h3", {}, "Heaviest paths"),
      element("ul", { class: "paths" }, ...pathItems(heaviestOf(node), given)),
    );
  return parts;
}

function ledgerOf(node, given) {
  const { moment } = state,
    { names, scopeOf, ownerOf } = run,
    hidden = Math.max(0, given.length - MOST),
    awaited = awaitedBy(run, state, node, given),
    status = moment.status[node];
  const earlier = hidden === 1 ? "1 earlier contribution" : `${hidden} earlier contributions`;
  const arrived = given.slice(hidden),
    later = awaited.slice(0, MOST),
    nodes = [...arrived.map((e) => e.node), ...later.map((e) => ownerOf[e])],
    givers = giversOf(run, node, nodes, boxOf);
  const entries = nodes.flatMap((node, i) => {
    const e = arrived[i],
      { head, text } = givers[i],
      numbers = e ? [e.upstream, e.local, e.product].map((x) => show(x + 0)) : ["?", "?", "?"],
      isNow = e && moment.event?.index === e.index,
      made = row([ref(node, text), ...numbers], { class: isNow ? "now" : e ? "" : "later" });
    made.firstChild.title = `${names[node]} ${scopeOf(node)}`;
    return head ? [wide(head, "place"), made] : [made];
  });
  const foot = element(
    "tr",
    {},
    element("td", { colspan: 3 }, status === 2 ? "total" : "so far"),
    element("td", {}, status ? show(moment.gradient[node] + 0) : "?"),
  );
  const rows = [...(hidden ? [wide(earlier, "earlier")] : []), ...entries];
  const all = given.length + awaited.length;
  return [
    element("h3", {}, "Ledger"),
    table(["via", "upstream", "local", "product"], rows, foot),
    ...(nodes.length > MOST_ON_PAPER
      ? [note(`The last ${MOST_ON_PAPER} of ${all} contributions.`, "on-paper")]
      : []),
  ];
}

/** A row of the ledger that is one text. */
const wide = (text, kind) => element("tr", { class: kind }, element("td", { colspan: 4 }, text));

function heaviestOf(node) {
  const { numbers } = state;
  if (state.heaviest?.node !== node || state.heaviest.of !== numbers)
    state.heaviest = { node, of: numbers, paths: heaviestPaths(run, numbers, node) };
  return state.heaviest.paths;
}

function pathItems(paths, given) {
  const shares = sharesOf(state, paths, given);
  return paths.map((path, i) => {
    const share = shares.length ? `  ${Number((100 * shares[i]).toPrecision(3))} %` : "";
    return pathItem(path, share);
  });
}
/** The box that shows a node, "" if it is shown itself. */
function boxOf(node) {
  const item = itemOf(node);
  return run.isGroup(item) ? boxName(item - run.count) : "";
}
/** A path, from what is shown to what is shown, and which use of the node it ends with. */
function pathText(nodes) {
  const end = nodes.at(-1),
    steps = nodes.slice(0, -1).filter((node, i) => !i || itemOf(node) !== itemOf(nodes[i - 1])),
    names = [...steps.map((node) => boxOf(node) || run.names[node]), run.names[end]],
    more = `… ${names.length - 8} more …`,
    shown = names.length <= 9 ? names : [...names.slice(0, 4), more, ...names.slice(-4)],
    use = turnsOf(run, end).get(nodes.at(-2));
  return [...(use ? [`${use}:`] : []), shown.join(" › ")].join(" ");
}
function pathItem({ nodes, product }, share) {
  const on = () => markPath(nodes),
    off = () => markPath([]);
  return element(
    "li",
    {},
    element(
      "button",
      {
        onpointerenter: on,
        onpointerleave: off,
        onfocus: on,
        onblur: off,
        onclick: () => reveal(nodes),
      },
      element("span", {}, pathText(nodes)),
      element("span", {}, `${show(product + 0)}${share}`),
    ),
  );
}
