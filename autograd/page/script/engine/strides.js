// Steps: of an event, or of all that happens in a box at a stretch. The state's scene says which
// boxes there are.

import { stopsAt } from "./breakpoints.js";
import { nameOfBox } from "./titles.js";
import { show } from "./words.js";

/** Whether two events belong to the same stride: one pass through a box, or a node that stands among boxes. */
function isSameStride({ isGroup, groupOf }, { scene, predict }, a, b) {
  const item = scene.of[a.node],
    isWhole = isGroup(item) || (scene.hasBoxes && groupOf[item] < 0 && !predict);
  return isWhole && item === scene.of[b.node] && (a.kind === "forward") === (b.kind === "forward");
}
/** Where the stride ends that a position lies in. */
export function strideEnd(run, state, position) {
  const { events } = state;
  let end = position;
  while (
    end > 0 &&
    end < events.length &&
    isSameStride(run, state, events.at(end - 1), events.at(end))
  )
    end++;
  return end;
}
/** The position one step on, or one back; what belongs to another sample is passed over. */
export function stride(run, state, direction) {
  const { events, scene } = state;
  const isElsewhere = (index) => scene.of[events.at(index).node] < 0;
  let position = state.position + direction;
  if (direction < 0) {
    while (position > 0 && isElsewhere(position)) position--;
    // Back to the end of the stride before this one.
    const here = events.at(position);
    while (position > 0 && isSameStride(run, state, events.at(position - 1), here)) position--;
    while (position > 0 && isElsewhere(position - 1)) position--;
    return position;
  }
  while (position < events.length && isElsewhere(position - 1)) position++;
  return strideEnd(run, state, position);
}
/** As a stride on, but no further than to a breakpoint. */
export function strideToStop(run, state) {
  const end = stride(run, state, 1);
  let stop = state.position + 1;
  while (stop < end && !stopsAt(run, state, state.events.at(stop - 1))) stop++;
  return stop;
}
/** The events of the current stride, as far as they have happened. */
function strideEvents(run, state) {
  const { events, moment, position } = state;
  let first = position - 1;
  while (first > 0 && isSameStride(run, state, events.at(first - 1), moment.event)) first--;
  return Array.from({ length: position - first }, (_, i) => events.at(first + i));
}
const norm = (numbers) => Math.hypot(...numbers);
/** The norms of what a pass through a box is given and gives, null where there is none: the gradients that came in, the products that went on. */
function throughput({ of, leaving }, passed, item) {
  const arrived = passed.filter((e) => e.kind === "done" && leaving[e.node]).map((e) => e.total),
    left = passed.filter((e) => e.kind === "edge" && of[e.arg] !== item).map((e) => e.product);
  return {
    came: arrived.length ? norm(arrived) : null,
    went: left.length ? norm(left) : null,
  };
}

/** What one pass through a box has done, in a sentence; "" of a step that is no pass. */
export function strideNote(run, state) {
  const { event } = state.moment,
    { scene } = state,
    here = scene.of[event.node];
  if (here < 0) return "";
  const passed = strideEvents(run, state);
  if (passed.length === 1) return "";
  const name = run.isGroup(here) ? nameOfBox(run, state.sample, here - run.count) : run.names[here];
  if (event.kind === "forward")
    return `${passed.length} values computed in ${name}; the last is shown.`;
  const given = passed.filter((e) => e.kind === "edge");
  if (!given.length) return `${passed.length} gradients complete in ${name}; the last is shown.`;
  const { came, went } = throughput(scene, passed, here);
  const flow = [
    came !== null && `‖grad‖ ${show(came)} came in`,
    went !== null && `${show(went)} went on to other boxes`,
  ].filter(Boolean);
  const number = `${given.length} contribution${given.length === 1 ? "" : "s"}`;
  return `One pass through ${name}: ${[number, ...flow].join(", ")}. The last is shown.`;
}

/** What is asked in predict mode: the next edge, or where the next step is a pass through a box, that pass. */
export function asked(run, state) {
  const { events, position, scene } = state;
  if (!state.predict || position === events.length) return null;
  const event = events.at(position),
    item = scene.of[event.node];
  if (!run.isGroup(item)) return event.kind === "edge" ? event : null;
  const end = strideEnd(run, state, position + 1),
    passed = Array.from({ length: end - position }, (_, i) => events.at(position + i)),
    { came, went } = throughput(scene, passed, item);
  // What only gathers gradients, or gives them to its own leaves, passes nothing on.
  return came !== null && went !== null ? { item, end, came, went } : null;
}
