// State: everything else follows from it

const state = {
  level: 0,
  position: data.position,
  chosen: root,
  breaks: new Set(),
  stops: { nan: false, sign: false, above: "", op: "", module: "" },
  edits: new Map(),
  way: "",
  predict: false,
  playing: 0,
};
const original = { values: recorded, locals: recordedLocals };
const originalGradients = finalGradients(original);
let numbers, events, edgesTo, right, sums, parting, moment;

function recompute() {
  numbers = state.edits.size ? compute(state.edits) : original;
  right = makeEvents(numbers, "");
  const run = state.way ? makeEvents(numbers, state.way) : right;
  ({ sums, parting } = state.way ? compared(run.events, right.events) : { sums: right.adjoint, parting: null });
  events = run.events;
  edgesTo = names.map(() => []);
  for (const event of events) if (event.kind === "edge") edgesTo[event.arg].push(event);
  state.position = Math.min(state.position, events.length);
}

/** What is known at a position: never a number before its time. */
const reached = { events: null, position: 0 };
function at(position) {
  // A wrong pass may go on after a gradient looked complete: it is told from its start.
  if (reached.events !== events || state.way === "no sort")
    Object.assign(reached, {
      events,
      position: 0,
      known: new Uint8Array(count),
      status: new Uint8Array(count),
      arrived: new Uint32Array(count),
      gradient: new Float64Array(count),
    });
  while (reached.position < position) happen(events[reached.position++]);
  while (reached.position > position) undo(events[--reached.position]);
  const { known, status, arrived, gradient } = reached;
  if (state.way === "no sort" && position === events.length) status.fill(2);
  let largest = 0;
  for (let i = 0; i < count; i++)
    if (status[i] && Number.isFinite(gradient[i])) largest = Math.max(largest, Math.abs(gradient[i]));
  return { known, status, arrived, gradient, largest, event: position ? events[position - 1] : null };
}
function happen({ kind, subject, total }) {
  const { known, status, arrived, gradient } = reached;
  if (kind === "forward") known[subject] = 1;
  else {
    gradient[subject] = total;
    if (kind === "edge") {
      arrived[subject]++;
      status[subject] = state.way === "no sort" ? 1 : Math.max(status[subject], 1);
    } else status[subject] = 2;
  }
}
function undo({ kind, subject, before }) {
  const { known, status, arrived, gradient } = reached;
  if (kind === "forward") known[subject] = 0;
  else {
    if (kind === "edge") {
      arrived[subject]--;
      gradient[subject] = before;
    }
    status[subject] = arrived[subject] ? 1 : 0;
  }
}
/** The contributions to a node that have arrived by now. */
const contributionsTo = (node) => edgesTo[node].filter((event) => event.index < state.position);
