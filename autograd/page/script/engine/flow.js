// Flows: what has come through each box by now, over what leaves it

import { membersOf, perKey } from "./members.js";
import { Squares } from "./norms.js";
import { isWrong } from "./session.js";
import { counted, STATUS, tight } from "./words.js";

const nothing = () => ({
  ...{ of: 0, complete: 0, values: 0, valueSum: 0, grads: 0, sum: 0, zeros: 0, wrong: 0 },
  ...{ broken: false, edited: false },
  valueSquares: new Squares(),
  gradSquares: new Squares(),
});

/** What has flowed through one box by now, and how much of it is complete. */
function flowOf(nodes, state) {
  const { moment, scene, numbers, isMean } = state,
    { known, status, gradient } = moment,
    flow = { ...nothing(), of: nodes.length };
  for (const node of nodes) {
    if (status[node] === 2) flow.complete++;
    if (isWrong(state, node)) flow.wrong++;
    if (!scene.leaving[node]) continue;
    if (known[node]) {
      flow.values++;
      flow.valueSum += numbers.values[node];
      flow.valueSquares.add(numbers.values[node]);
    }
    if (status[node]) {
      flow.grads++;
      flow.sum += gradient[node];
      if (gradient[node] === 0) flow.zeros++;
      flow.gradSquares.add(gradient[node]);
    }
  }
  flow.value = isMean ? flow.valueSum / flow.values : flow.valueSquares.norm;
  flow.mean = flow.sum / flow.grads;
  flow.size = !flow.grads ? 0 : isMean ? Math.abs(flow.mean) : flow.gradSquares.norm;
  return flow;
}

const lastOf = perKey(() => ({}));
/** What has flowed through each box by now: as it was, but for the boxes in which something happened. */
export function flowsOf(run, state) {
  const { moment, scene, numbers, isMean } = state,
    last = lastOf(scene),
    isKept = last.moment === moment && last.numbers === numbers && last.isMean === isMean,
    flows = isKept ? last.flows : new Map(),
    members = membersOf(scene),
    changed = isKept ? moment.itemsSince(last.position, scene) : members.keys();
  for (const item of changed)
    if (run.isGroup(item)) flows.set(item, flowOf(members.get(item), state));
  Object.assign(last, { moment, numbers, isMean, flows, position: moment.position });
  for (const flow of flows.values()) Object.assign(flow, { broken: false, edited: false });
  for (const item of state.breaks) {
    const flow = flows.get(run.isGroup(item) ? item : scene.of[item]);
    if (flow) flow.broken = true;
  }
  for (const leaf of state.edits.keys()) {
    const flow = flows.get(scene.of[leaf]);
    if (flow) flow.edited = true;
  }
  return flows;
}
/** The largest of all flows that is a number. */
export const largestOf = (flows) =>
  [...flows.values()].reduce(
    (most, { size }) => (size < Infinity ? Math.max(most, size) : most),
    0,
  );

/** How strong a colour is for a size, from 1 up, beside the largest. */
const levelOfColour = ({ steps }, size, largest) =>
  1 + steps.filter((step) => size >= step * largest).length;
/** The class that colours a gradient; none for 0. */
export function shade(run, gradient, largest) {
  if (Number.isNaN(gradient) || gradient === 0) return "";
  return (gradient > 0 ? "p" : "m") + levelOfColour(run, Math.abs(gradient), largest);
}

/** What the card of a box says. */
export function saidOfBox(run, { isMean }, flow, largest) {
  const { of, complete, values, grads, zeros, size, mean, value, wrong, broken, edited } = flow;
  const isComplete = complete === of,
    status = isComplete ? "complete" : grads ? "partial" : "unknown",
    isDead = isComplete && grads > 0 && zeros === grads,
    what = isMean ? "mean grad" : "‖grad‖",
    zeroShare = Math.round((100 * zeros) / grads) || "<1",
    share = grads && zeros && !isDead ? ` · ${zeroShare} % zero` : "",
    soFar = of < 100 ? `${complete} of ${of}` : `${Math.floor((100 * complete) / of)} % done`;
  let tag = isComplete ? `${what}${share}` : `${what} · ${soFar}`;
  if (isDead) tag = "no gradient";
  if (wrong) tag = `${counted(wrong)} wrong`;
  const room = share || wrong || !isComplete ? 7 : 9;
  return {
    value: values ? tight(value) : "·",
    gradient: grads ? tight(isMean ? mean : size, room) : "?",
    tag,
    status: `${isDead ? "no gradient, " : ""}${status}${broken ? ", breakpoint" : ""}`,
    classes: [
      "box",
      !values && "later",
      status,
      grads && size > 0 && !wrong && `n${levelOfColour(run, size, largest)} shaded`,
      isDead && !wrong && "dead",
      wrong && "differs",
      broken && "broken",
      edited && "edited",
    ],
  };
}
/** What the card of a node says. */
export function saidOfNode(run, state, node, largest) {
  const { moment, numbers, breaks, edits, scene } = state,
    { known, status, gradient } = moment,
    wrong = isWrong(state, node),
    tint = status[node] ? shade(run, gradient[node], largest) : "",
    arriving = status[node] === 1 ? `${tight(gradient[node], 7)} …` : tight(gradient[node]);
  return {
    value: known[node] ? tight(numbers.values[node]) : "·",
    gradient: status[node] ? arriving : "?",
    tag: wrong ? "wrong" : "grad",
    status: `${STATUS[status[node]]}${breaks.has(node) ? ", breakpoint" : ""}`,
    classes: [
      !run.formOf[node] && "leaf",
      !known[node] && "later",
      STATUS[status[node]],
      tint && !wrong && `${tint} shaded`,
      breaks.has(node) && "broken",
      edits.has(node) && "edited",
      wrong && "differs",
      scene.of[node] < 0 && "elsewhere",
    ],
  };
}
/** The numbers that leave an item, as far as they are known by now. */
export function leavingOf({ moment, scene, numbers }, item) {
  const { known, status, gradient } = moment,
    values = [],
    gradients = [];
  for (const node of membersOf(scene).get(item) ?? [])
    if (scene.leaving[node]) {
      if (known[node]) values.push(numbers.values[node]);
      if (status[node]) gradients.push(gradient[node]);
    }
  return { values, gradients };
}
/** The leaves of a box that can be changed. */
export const liveLeaves = ({ formOf, blocker }, { scene }, item) =>
  (membersOf(scene).get(item) ?? []).filter((node) => !formOf[node] && blocker[node] < 0);
