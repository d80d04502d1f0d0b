// Boxes: what stands for many nodes, what flows through it, and the steps that pass through it

function makeBox(item) {
  const g = item - count,
    { title, about } = groups[g],
    { w: W, h: H } = scene.rects.get(item),
    times = timesOf(g);
  const group = shape("g", { id: `v${item}`, role: "option", "data-node": groups[g].last, "data-box": g });
  const strip = shape("path", {
    class: "strip",
    d: `M1 ${H - 22}H${W - 1}V${H - 8}a7 7 0 0 1-7 7H8a7 7 0 0 1-7-7z`,
  });
  const value = shape("text", { class: "number value", x: W - 9, y: 36 }),
    gradient = shape("text", { class: "number gradient", x: W - 9, y: H - 7 }),
    tag = shape("text", { class: "tag of-gradient", x: 9, y: H - 7.5 });
  const behind = [6, 3].map((d) => shape("rect", { class: "behind", x: d, y: d, width: W, height: H, rx: 8 }));
  group.append(
    shape("title", {}, `${[title, times, about].filter(Boolean).join(" · ")} (click to open)`),
    ...behind,
    shape("rect", { class: "card", width: W, height: H, rx: 8 }),
    strip,
    shape("text", { class: "name", x: 9, y: 17 }, brief(titleOf(item), Math.max(8, 20 - times.length))),
    " ",
    shape("text", { class: "op", x: W - 9, y: 17 }, times),
    " ",
    shape("text", { class: "tag", x: 9, y: 36 }, state.isMean ? "mean value" : "‖value‖"),
    " ",
    value,
    " ",
    tag,
    " ",
    gradient,
    shape("circle", { class: "stop-dot", r: 6 }),
  );
  return { group, plainBox: false, value, gradient, tag };
}

/** What has flowed through each box by now, over what leaves it, and how much of it is complete. */
function flowsOf() {
  const { known, status, gradient } = moment,
    found = new Map();
  const fresh = () => ({ of: 0, complete: 0, values: 0, valueSum: 0, grads: 0, sum: 0, size: 0, zeros: 0, wrong: 0, broken: false, edited: false });
  const squares = new Map();
  for (let node = 0; node < count; node++) {
    const item = scene.of[node];
    if (item < count) continue;
    let flow = found.get(item);
    if (!flow) {
      found.set(item, (flow = fresh()));
      squares.set(flow, new Scaled());
    }
    flow.of++;
    if (status[node] === 2) flow.complete++;
    if (isWrong(node)) flow.wrong++;
    if (!scene.leaving[node]) continue;
    if (known[node]) {
      flow.values++;
      flow.valueSum += numbers.values[node];
      squares.get(flow).add(0, numbers.values[node]);
    }
    if (status[node]) {
      flow.grads++;
      flow.sum += gradient[node];
      if (gradient[node] === 0) flow.zeros++;
      squares.get(flow).add(1, gradient[node]);
    }
  }
  for (const [flow, scaled] of squares) {
    flow.value = state.isMean ? flow.valueSum / flow.values : scaled.norm(0);
    flow.mean = flow.sum / flow.grads;
    flow.size = flow.grads ? (state.isMean ? Math.abs(flow.mean) : scaled.norm(1)) : 0;
  }
  for (const item of state.breaks) {
    const shown = isGroup(item) ? item : scene.of[item];
    if (found.has(shown)) found.get(shown).broken = true;
  }
  for (const leaf of state.edits.keys()) if (found.has(scene.of[leaf])) found.get(scene.of[leaf]).edited = true;
  return found;
}
/** Sums of squares that neither overflow nor underflow on the way, as of LAPACK's nrm2. */
class Scaled {
  constructor() {
    this.scale = [0, 0];
    this.sum = [1, 1];
  }
  add(k, x) {
    const size = Math.abs(x);
    if (size === 0) return;
    if (!(size <= this.scale[k])) {
      this.sum[k] = this.scale[k] === size ? this.sum[k] : 1 + this.sum[k] * (this.scale[k] / size) ** 2;
      this.scale[k] = size;
    } else this.sum[k] += (size / this.scale[k]) ** 2;
  }
  norm(k) {
    return this.scale[k] === Infinity ? Infinity : this.scale[k] * Math.sqrt(this.sum[k]);
  }
}

function saidOfBox(item, flow, largest) {
  const { of, complete, values, grads, zeros, size, mean, value, wrong, broken, edited } = flow;
  const level = 1 + data.steps.filter((step) => size >= step * largest).length;
  const status = complete === of ? "complete" : grads ? "partial" : "unknown";
  const isDead = status === "complete" && grads > 0 && zeros === grads;
  const what = state.isMean ? "mean grad" : "‖grad‖";
  const share = grads && zeros && !isDead ? ` · ${Math.round((100 * zeros) / grads) || "<1"} % zero` : "";
  const sofar = of < 100 ? `${complete} of ${of}` : `${Math.floor((100 * complete) / of)} % done`;
  return {
    value: values ? tight(value + 0) : "·",
    gradient: !grads ? "?" : tight(state.isMean ? mean + 0 : size, share || wrong || complete < of ? 7 : 9),
    tag: wrong ? `${wrong.toLocaleString("en")} wrong` : isDead ? "no gradient" : complete < of ? `${what} · ${sofar}` : `${what}${share}`,
    status: `${isDead ? "no gradient, " : ""}${status}${broken ? ", breakpoint" : ""}`,
    classes: [
      "box",
      !values && "later",
      status,
      grads && size > 0 && !wrong && `n${level} shaded`,
      isDead && !wrong && "dead",
      wrong && "differs",
      broken && "broken",
      edited && "edited",
    ],
  };
}

// Steps: of an event, or of all that happens in a box at a stretch

/** Whether a node is one of the sample that is looked at. */
const isThere = (node) => scene.of[node] >= 0;
/** Whether two events belong to the same stride: one pass through a box, or a node that stands among boxes. */
function isSameStride(a, b) {
  const item = scene.of[a.node],
    isWhole = isGroup(item) || (scene.hasBoxes && groupOf[item] < 0 && !state.predict);
  return isWhole && item === scene.of[b.node] && (a.kind === "forward") === (b.kind === "forward");
}
/** The position one step on, or one back; what belongs to another sample is passed over. */
function stride(direction) {
  let position = state.position + direction;
  const isElsewhere = (index) => !isThere(events.at(index).node);
  if (direction < 0) {
    while (position > 0 && isElsewhere(position)) position--;
    // Back to the end of the stride before this one.
    const here = events.at(position);
    while (position > 0 && isSameStride(events.at(position - 1), here)) position--;
    while (position > 0 && isElsewhere(position - 1)) position--;
    return position;
  }
  while (position < events.length && isElsewhere(position - 1)) position++;
  return strideEnd(position);
}
/** Where the stride ends that a position lies in. */
function strideEnd(position) {
  while (position > 0 && position < events.length && isSameStride(events.at(position - 1), events.at(position)))
    position++;
  return position;
}
/** The events of the current stride, as far as they have happened. */
function strideEvents() {
  let first = state.position - 1;
  while (first > 0 && isSameStride(events.at(first - 1), moment.event)) first--;
  return Array.from({ length: state.position - first }, (_, i) => events.at(first + i));
}
const norm = (numbers) => Math.hypot(...numbers);
/** What a pass through a box is given and gives: the gradients that came in, the products that went on. */
const throughput = (passed, item) => ({
  arrived: passed.filter((e) => e.kind === "done" && scene.leaving[e.node]).map((e) => e.total),
  left: passed.filter((e) => e.kind === "edge" && scene.of[e.arg] !== item).map((e) => e.product),
});

/** What one pass through a box has done, in a sentence. */
function strideNote() {
  const event = moment.event,
    here = scene.of[event.node];
  if (here < 0) return "";
  const passed = strideEvents();
  if (passed.length === 1) return "";
  const name = isGroup(here) ? boxName(here - count) : names[here];
  if (event.kind === "forward") return `${passed.length} values computed in ${name}; the last is shown.`;
  const given = passed.filter((e) => e.kind === "edge");
  if (!given.length) return `${passed.length} gradients complete in ${name}; the last is shown.`;
  const { arrived, left } = throughput(passed, here);
  const flow = [
    arrived.length && `‖grad‖ ${show(norm(arrived))} came in`,
    left.length && `${show(norm(left))} went on to other boxes`,
  ].filter(Boolean);
  const number = `${given.length} contribution${given.length === 1 ? "" : "s"}`;
  return `One pass through ${name}: ${[number, ...flow].join(", ")}. The last is shown.`;
}
