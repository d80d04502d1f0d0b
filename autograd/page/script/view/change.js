// What if

import { changedRows, changeOf, firstBad, reasonOf } from "../engine/change.js";
import { definitionText, formulaInNumbers } from "../engine/formulas.js";
import { counted, show } from "../engine/words.js";
import { $, element, note, row, table } from "./document.js";
import { run } from "./run.js";
import { itemOf, state } from "./state.js";
import { boxName, ref } from "./words.js";

const MOST = 12; // rows

export function paintChange() {
  const { edits, moment, way } = state;
  $("change").hidden = !edits.size;
  if (!edits.size) return;
  const isKnown = [...edits.keys()].every((leaf) => moment.status[leaf] === 2) && !way;
  const rows = changedRows(run, state, itemOf)
    .slice(0, MOST)
    .map((found) =>
      row([
        changedName(found),
        show(found.was),
        show(found.is),
        isKnown ? show(found.gradient) : "?",
      ]),
    );
  $("change-body").replaceChildren(
    table(["leaf", "was", "is", "gradient was"], rows),
    ...outcome(isKnown),
  );
}
function changedName({ item, leaf, leaves }) {
  if (!run.isGroup(item)) return ref(leaf);
  const of = `${counted(leaves)} ${leaves === 1 ? "leaf" : "leaves"}`;
  return element("span", {}, ref(leaf, boxName(item - run.count)), `, ‖${of}‖`);
}

function outcome(isKnown) {
  const { moment, numbers } = state,
    { values } = numbers,
    bad = firstBad(run, state);
  if (!moment.known[run.root])
    return [note(`The change of ${run.names[run.root]} shows once its value is computed.`)];
  if (bad >= 0) {
    const numbersOfBad = formulaInNumbers(run, bad, values).join("");
    return [
      note(
        `${definitionText(run, bad)} = ${numbersOfBad} is ${show(values[bad])}: outside its domain, or an overflow.`,
        "alarm",
      ),
    ];
  }
  const { predicted, actual } = changeOf(run, state),
    widest = Math.max(Math.abs(actual), isKnown ? Math.abs(predicted) : 0) || 1;
  const bar = (x, name) => {
    const fill = element("i", { class: name });
    fill.style.width = `${(50 * Math.abs(x)) / widest}%`;
    fill.style[x < 0 ? "right" : "left"] = "50%";
    return element("span", { class: "bar" }, fill);
  };
  return [
    element(
      "div",
      { class: "bars" },
      element("span", {}, "predicted"),
      isKnown ? bar(predicted, "") : element("span"),
      element("span", { id: "predicted" }, isKnown ? show(predicted) : "?"),
      element("span", {}, "actual"),
      bar(actual, "actual"),
      element("span", { id: "actual" }, show(actual)),
    ),
    note(
      isKnown
        ? reasonOf(run, state)
        : "The prediction needs the gradients: play on to where they are complete.",
    ),
  ];
}
