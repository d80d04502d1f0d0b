// Breakpoints: where a run stops

import { guessed } from "./guess.js";

/** Whether an event is the last of a pass through a box, forward or backward, open or not. */
function endsPass({ around, count }, events, event, item) {
  const isInside = ({ node }) => around(node).includes(item - count);
  if (!isInside(event)) return false;
  const next = event.index + 1 < events.length ? events.at(event.index + 1) : null;
  const isTurn = next && (next.kind === "forward") !== (event.kind === "forward");
  return !next || isTurn || !isInside(next);
}
const isIn = (path, module) => `.${path}.`.includes(`.${module}.`);
/** Whether an event meets the breakpoints: any of them, or all. */
export function stopsAt(run, { breaks, stops, events }, event) {
  const { nan, sign: turns, above, op, module, all } = stops,
    { isGroup, formOf, scopeOf } = run,
    isGradient = event.kind !== "forward",
    form = formOf[event.node];
  const met = [];
  if (breaks.size)
    met.push(
      [...breaks].some((item) =>
        isGroup(item) ? endsPass(run, events, event, item) : item === event.subject,
      ),
    );
  if (nan) met.push(!Number.isFinite(event.total));
  if (op) met.push([form?.op, form?.symbol].includes(op));
  if (module) met.push(isIn(scopeOf(event.node), module));
  if (above !== "") met.push(isGradient && Math.abs(event.total) > Number(above));
  if (turns)
    met.push(event.kind === "edge" && Math.sign(event.before) * Math.sign(event.total) < 0);
  return all ? met.length > 0 && met.every(Boolean) : met.includes(true);
}
/** Why what was typed for a condition holds nowhere in a run; "" where it may hold. */
export function problemOf({ formOf, scopeOf, count }, name, typed) {
  const wanted = typed.trim(),
    nodes = [...Array(count).keys()];
  if (!wanted) return "";
  if (name === "above") return guessed(wanted) >= 0 ? "" : "write a number from 0 on, such as 0.5";
  if (name === "op")
    return formOf.some((form) => form && [form.op, form.symbol].includes(wanted))
      ? ""
      : `no node has the op ${wanted}`;
  return nodes.some((node) => isIn(scopeOf(node), wanted)) ? "" : `no node is in ${wanted}`;
}
/** The position of the next breakpoint in a direction, or the end of the run there. */
export function nextStop(run, state, direction) {
  const { events } = state;
  let i = state.position + direction;
  while (i > 0 && i < events.length && !stopsAt(run, state, events.at(i - 1))) i += direction;
  return Math.max(0, Math.min(events.length, i));
}
/** How many conditions there are. */
export function conditionsOf({ breaks, stops }) {
  const { all, ...others } = stops;
  return breaks.size + Object.values(others).filter(Boolean).length;
}
const MOST_MARKS = 300;
/** The positions of the first breakpoints of a run. */
export function marksOf(run, state) {
  const { events } = state,
    found = [];
  for (let i = 0; i < events.length && found.length < MOST_MARKS; i++)
    if (stopsAt(run, state, events.at(i))) found.push(i + 1);
  return found;
}
/** The breakpoints with one more, or one less. */
export function toggled({ breaks: before }, item) {
  const breaks = new Set(before);
  if (!breaks.delete(item)) breaks.add(item);
  return { breaks };
}
