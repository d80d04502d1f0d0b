// State: everything else follows from it

const state = {
  open: new Set(), // the boxes that are open
  sample: -1, // the sample that is looked at alone; -1 for all
  isMean: false, // whether boxes show means over what leaves them, in place of norms
  position: data.position,
  chosen: root,
  breaks: new Set(), // nodes, and boxes
  stops: { nan: false, sign: false, above: "", op: "", module: "", all: false },
  edits: new Map(),
  way: "",
  predict: false,
  playing: 0,
};
const original = { values: recorded, locals: recordedLocals };
const originalRun = makeRun(original, ""),
  originalGradients = originalRun.adjoint;
let numbers, events, right, sums, parting, moment;

function recompute() {
  numbers = state.edits.size ? compute(state.edits) : original;
  right = state.edits.size ? makeRun(numbers, "") : originalRun;
  events = state.way ? makeRun(numbers, state.way) : right;
  ({ sums, parting } = state.way ? compared(events, right) : { sums: right.adjoint, parting: null });
  state.position = Math.min(state.position, events.length);
}

let reached = null;
/** What is known at a position. */
function at(position) {
  if (reached?.run !== events) reached = new Moment(events);
  reached.move(position);
  if (state.way !== "no sort") return reached;
  // A pass that isn't sorted goes on after a gradient looked complete: that is known at its end.
  return position === events.length ? { ...reached, status: new Uint8Array(count).fill(2) } : reached;
}
/** Whether a wrong way has led to a gradient that isn't the sum of its contributions. */
const isWrong = (node) =>
  state.way !== "" && moment.status[node] === 2 && !isSame(moment.gradient[node], sums[node]);
/** The contributions to a node that have arrived by now. */
const contributionsTo = (node) =>
  events
    .into(node)
    .filter((index) => index < state.position)
    .map(events.at);
