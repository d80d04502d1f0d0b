// Boxes: what stands for many nodes, and what flows through it

function makeBox(i) {
  const { titles, times, about, count: of, members } = scene(),
    [x, y] = centre(i);
  const group = shape("g", {
    id: `v${i}`,
    role: "option",
    "aria-setsize": of,
    "aria-posinset": i + 1,
    "data-node": members[i][members[i].length - 1],
    transform: `translate(${x - W / 2} ${y - H / 2})`,
  });
  const strip = shape("path", {
    class: "strip",
    d: `M1 ${H - 22}H${W - 1}V${H - 8}a7 7 0 0 1-7 7H8a7 7 0 0 1-7-7z`,
  });
  const value = shape("text", { class: "number value", x: W - 9, y: 36 }),
    gradient = shape("text", { class: "number gradient", x: W - 9, y: H - 7 }),
    tag = shape("text", { class: "tag of-gradient", x: 9, y: H - 7.5 });
  group.append(
    shape("title", {}, [titles[i], times[i], about[i]].filter(Boolean).join(" · ")),
    shape("rect", { class: "card", width: W, height: H, rx: 8 }),
    strip,
    shape("text", { class: "name", x: 9, y: 17 }, brief(titles[i], Math.max(8, 21 - times[i].length))),
    " ",
    shape("text", { class: "op", x: W - 9, y: 17 }, times[i]),
    " ",
    shape("text", { class: "tag", x: 9, y: 36 }, members[i].length > 1 ? "‖value‖" : "value"),
    " ",
    value,
    " ",
    tag,
    " ",
    gradient,
  );
  return { group, plainBox: false, value, gradient, tag };
}

/** What has flowed through a box by now: norms over what leaves it, and how much of it is complete. */
function flowOf(i) {
  const { leaving, members } = scene(),
    { known, status, gradient } = moment;
  const out = leaving[i];
  const values = out.filter((n) => known[n]).map((n) => numbers.values[n]),
    grads = out.filter((n) => status[n]).map((n) => gradient[n]);
  const complete = members[i].filter((n) => status[n] === 2).length;
  return { values, grads, complete, of: members[i].length };
}

function paintBoxes() {
  const { event } = moment,
    flows = scene().members.map((_, i) => flowOf(i));
  const norms = flows.map(({ grads }) => norm(grads));
  const largest = norms.filter(Number.isFinite).reduce((a, b) => Math.max(a, b), 0);
  for (const [i, card] of cards) {
    const { values, grads, complete, of } = flows[i],
      single = of === 1;
    const value = values.length ? tight(single ? values[0] : norm(values)) : "·";
    const sofar = !grads.length ? "?" : tight(single ? grads[0] : norm(grads));
    const progress = single ? "grad" : complete < of ? `‖grad‖ ${complete} of ${of}` : "‖grad‖";
    const level = 1 + data.steps.filter((step) => norms[i] >= step * largest).length;
    const status = complete === of ? "complete" : grads.length ? "partial" : "unknown";
    const classes = [
      "node box",
      values.length ? "" : "later",
      status,
      grads.length && norms[i] > 0 ? `n${level} shaded` : "",
      i === itemOf(state.chosen) ? "chosen" : "",
      event && i === itemOf(event.subject) ? "subject" : "",
      event?.kind === "edge" && i === itemOf(event.node) ? "giver" : "",
    ]
      .filter(Boolean)
      .join(" ");
    const key = `${value} ${sofar} ${progress} ${classes}`;
    if (painted[i] === key) continue;
    painted[i] = key;
    card.value.textContent = value;
    card.gradient.textContent = sofar;
    card.tag.textContent = progress;
    card.group.setAttribute("class", classes);
    card.group.setAttribute("aria-selected", String(i === itemOf(state.chosen)));
    card.group.setAttribute("aria-description", status);
  }
  layers.flag.dataset.of = "";
  layers.flag.replaceChildren();
  if (event?.kind === "edge") layers.flag.append(...wiresOf(event.edge, "active"));
  paintLegend(largest, true);
}

/** What one pass through a box has done, in a sentence. */
function strideNote() {
  const passed = strideEvents(),
    event = moment.event;
  const { box, titles, times } = scene(),
    here = box[event.node];
  const name = [titles[here], times[here]].filter(Boolean).join(" ");
  if (passed.length === 1) return "";
  if (event.kind === "forward")
    return `${passed.length} values computed in ${name}; the last is shown.`;
  const given = passed.filter((e) => e.kind === "edge");
  if (!given.length) return `${passed.length} gradients complete in ${name}; the last is shown.`;
  const arrived = passed.filter((e) => e.kind === "done" && scene().leaving[here].includes(e.node)),
    left = given.filter((e) => box[e.arg] !== here);
  const flow = [
    arrived.length && `‖grad‖ ${show(norm(arrived.map((e) => e.total)))} came in`,
    left.length && `${show(norm(left.map((e) => e.product)))} went on to other boxes`,
  ].filter(Boolean);
  const count = `${given.length} contribution${given.length === 1 ? "" : "s"}`;
  return `One pass through ${name}: ${[count, ...flow].join(", ")}. The last is shown.`;
}

// Levels

const levelNames = { network: "Network", layer: "Layers", neuron: "Neurons", op: "Nodes" };
function paintLevels() {
  $("levels").hidden = scenes.length === 1;
  if (!$("levels").children.length)
    $("levels").append(
      ...scenes.map(({ name, count }, i) =>
        element(
          "button",
          { onclick: () => setLevel(i), title: `${count.toLocaleString("en")} boxes` },
          levelNames[name],
        ),
      ),
    );
  [...$("levels").children].forEach((button, i) => {
    button.setAttribute("aria-pressed", String(i === state.level));
  });
}
/** Show another level; what was chosen stays in sight, and what was opened fills the view. */
function setLevel(level, opened = null) {
  if (level < 0 || level > OP || level === state.level) return;
  state.level = level;
  clearScene();
  if (opened) fitTo([...new Set(opened.map(itemOf))]);
  else fit();
  paint();
  reveal([state.chosen]);
  $("said").textContent = `${levelNames[scene().name]}: ${scene().count} boxes`;
}
/** Open the box of the chosen node: its members, at the next finer level. */
const openBox = () => setLevel(state.level + 1, scene().members[itemOf(state.chosen)]);
const closeBox = () => setLevel(state.level - 1);
