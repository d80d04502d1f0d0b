// State: everything else follows from it

const state = {
  position: count + 1,
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
let numbers, events, right, sums, parting, moment;

function recompute() {
  numbers = state.edits.size ? compute(state.edits) : original;
  right = makeEvents(numbers, "");
  const run = state.way ? makeEvents(numbers, state.way) : right;
  ({ sums, parting } = state.way ? compared(run.events, right.events) : { sums: right.adjoint, parting: null });
  events = run.events;
  state.position = Math.min(state.position, events.length);
}

/** What is known at a position: never a number before its time. */
function at(position) {
  const known = new Uint8Array(count),
    status = new Uint8Array(count),
    arrived = new Uint32Array(count);
  const gradient = new Float64Array(count);
  let largest = 0;
  for (let i = 0; i < position; i++) {
    const event = events[i],
      node = event.subject;
    if (event.kind === "forward") known[node] = 1;
    else {
      gradient[node] = event.total;
      if (event.kind === "edge") {
        arrived[node]++;
        status[node] = state.way === "no sort" ? 1 : Math.max(status[node], 1);
      } else status[node] = 2;
    }
  }
  if (state.way === "no sort" && position === events.length) status.fill(2);
  for (let i = 0; i < count; i++)
    if (status[i] && Number.isFinite(gradient[i])) largest = Math.max(largest, Math.abs(gradient[i]));
  return { known, status, arrived, gradient, largest, event: position ? events[position - 1] : null };
}
