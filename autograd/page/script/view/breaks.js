// The dialog of the breakpoints

import { problemOf } from "../engine/breakpoints.js";
import { guessed } from "../engine/guess.js";
import { $, element, note } from "./document.js";
import { toggleBreak } from "./player.js";
import { run } from "./run.js";
import { paint, state } from "./state.js";
import { boxName } from "./words.js";

function set(name, value) {
  state.stops = { ...state.stops, [name]: value };
  paint();
}
const flip = (name) =>
  element("input", {
    type: "checkbox",
    checked: state.stops[name],
    onchange: (e) => set(name, e.target.checked),
  });
/** A condition that is typed; one that can't hold in this run says so. */
function text(name, label) {
  const made = element("input", { type: "text", "aria-label": label, value: state.stops[name] });
  made.addEventListener("input", () => {
    const problem = problemOf(run, name, made.value),
      typed = made.value.trim();
    made.setCustomValidity(problem);
    set(name, problem ? "" : typed && name === "above" ? String(guessed(typed)) : typed);
  });
  made.addEventListener("change", () => made.reportValidity());
  return made;
}
function joined() {
  const { all } = state.stops;
  return element(
    "select",
    {
      "aria-label": "How the conditions are joined",
      onchange: (e) => set("all", e.target.value === "all"),
    },
    element("option", { value: "any", selected: !all }, "any of these (or)"),
    element("option", { value: "all", selected: all }, "all of these (and)"),
  );
}
const stopOf = (item) =>
  element(
    "label",
    {},
    element("input", { type: "checkbox", checked: true, onchange: () => toggleBreak(item) }),
    run.isGroup(item)
      ? `has passed through ${boxName(item - run.count)}`
      : `sets a number of ${run.names[item]}`,
  );

/** What sets a breakpoint at a node or a box, or takes it away. */
export const breakButton = (item, title) =>
  element(
    "button",
    {
      "aria-pressed": String(state.breaks.has(item)),
      title,
      onclick: () => toggleBreak(item),
    },
    "Break",
  );

export function paintBreaks() {
  const items = [...state.breaks].sort((a, b) => a - b);
  const label = (...parts) => element("label", {}, ...parts);
  $("breaks-body").replaceChildren(
    element("p", {}, "Playing stops at an event that does ", joined()),
    ...items.map(stopOf),
    ...(items.length ? [] : [note("Choose a node or a box and press b to stop at it.")]),
    label(flip("nan"), "sets a number that is infinite or NaN"),
    label(flip("sign"), "turns the sign of a gradient"),
    label("makes a gradient larger than", text("above", "Largest size of a gradient")),
    label("computes or passes through the op", text("op", "Name of an op")),
    label("belongs to the module", text("module", "Path of a module, or a part of it")),
  );
}
