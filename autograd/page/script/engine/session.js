// A session: what its user has set, and what follows from that

import { compared, isSame, Moment, makePass } from "./events.js";
import { compute } from "./graph.js";

/** What a user can set, as it is before anything is: all that a link holds. */
export const beginning = (run) => ({
  open: new Set(), // the boxes that are open
  sample: -1, // the sample that is looked at alone; -1 for all
  isMean: false, // whether boxes show means over what leaves them, in place of norms
  position: run.start,
  chosen: run.root,
  breaks: new Set(), // nodes, and boxes
  stops: { nan: false, sign: false, above: "", op: "", module: "", all: false },
  edits: new Map(),
  way: "",
  predict: false,
});

/**
 * What follows from the changed leaves and the way of the pass: its numbers and events, the right
 * pass, what each gradient should be, and where a wrong pass parts from the right one.
 */
export function followed(run, { edits, way, position }) {
  const numbers = edits.size ? compute(run, edits) : run.recorded,
    right = edits.size ? makePass(run, numbers, "") : run.recordedPass,
    events = way ? makePass(run, numbers, way) : right,
    { sums, parting } = way ? compared(run, events, right) : { sums: right.adjoint, parting: null };
  return { numbers, right, events, sums, parting, position: Math.min(position, events.length) };
}

/** What is known at the state's position; `reached` is where that was found, and is moved on. */
export function momentOf(run, { events, way, position, reached: before }) {
  const reached = before?.pass === events ? before : new Moment(run, events);
  reached.move(position);
  // A pass that isn't sorted goes on after a gradient looked complete: that is known at its end.
  const isOver = way === "no sort" && position === events.length;
  const status = { value: new Uint8Array(isOver ? run.count : 0).fill(2) };
  const moment = isOver ? Object.create(reached, { status }) : reached;
  return { reached, moment };
}

/** Whether a wrong way has led to a gradient that isn't the sum of its contributions. */
export const isWrong = ({ way, moment, sums }, node) =>
  way !== "" && moment.status[node] === 2 && !isSame(moment.gradient[node], sums[node]);

/** What it takes to change leaves: the edits, less those that change nothing. */
export function edited(run, { edits: before }, changes) {
  const edits = new Map(before);
  for (const [node, value] of changes)
    if (Object.is(value, run.recorded.values[node])) edits.delete(node);
    else edits.set(node, value);
  return { edits };
}

/** The state at another position; what happens there is chosen. */
export function movedTo({ events, chosen }, wanted) {
  const position = Math.max(0, Math.min(events.length, wanted)),
    event = position ? events.at(position - 1) : null;
  return { position, chosen: event ? event.subject : chosen };
}
