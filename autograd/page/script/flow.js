// The flow of the chosen box: how the numbers that leave it are spread

const BINS = 12;
/** Least and largest of some numbers, how many are 0, and how many lie in each part between. */
function spreadOf(xs) {
  const finite = xs.filter(Number.isFinite),
    low = finite.reduce((a, b) => Math.min(a, b), Infinity),
    high = finite.reduce((a, b) => Math.max(a, b), -Infinity),
    bars = Array(BINS).fill(0);
  if (high > low) for (const x of finite) bars[Math.min(BINS - 1, Math.floor(((x - low) / (high - low)) * BINS))]++;
  return { low, high, bars, zeros: xs.filter((x) => x === 0).length, odd: xs.length - finite.length, of: xs.length };
}

function paintFlow() {
  const item = itemOf(state.chosen),
    isBox = isGroup(item);
  $("flow").hidden = !isBox;
  if (!isBox) return;
  const { known, status, gradient } = moment,
    values = [],
    grads = [];
  for (let node = 0; node < count; node++)
    if (scene.of[node] === item && scene.leaving[node]) {
      if (known[node]) values.push(numbers.values[node]);
      if (status[node]) grads.push(gradient[node]);
    }
  const g = item - count;
  $("flow-title").textContent = boxName(g);
  paintFlowTools(g);
  paintTurn(item);
  $("flow-account").replaceChildren(...accountOf(item));
  const line = (name, xs) => {
    const spread = spreadOf(xs);
    if (!xs.length) return [element("span", {}, name), element("span", { class: "range" }, "?")];
    const most = mostOf(spread.bars),
      bars = shape("svg", { viewBox: `0 0 ${BINS * 6} 20`, class: "bars-of-flow", "aria-hidden": "true" });
    spread.bars.forEach((n, k) => {
      const height = n ? 2 + (18 * n) / most : 0;
      bars.append(shape("rect", { x: 6 * k, y: 20 - height, width: 5, height }));
    });
    const notes = [
      spread.zeros && `${spread.zeros.toLocaleString("en")} of ${spread.of.toLocaleString("en")} are 0`,
      spread.odd && `${spread.odd} infinite or NaN`,
    ].filter(Boolean);
    return [
      element("span", {}, name),
      element(
        "span",
        { class: "range" },
        tight(spread.low, 7),
        spread.high > spread.low ? bars : null,
        spread.high > spread.low ? tight(spread.high, 7) : null,
      ),
      ...(notes.length ? [element("span", { class: "zeros" }, notes.join(", "))] : []),
    ];
  };
  $("flow-body").replaceChildren(...line("values", values), ...line("gradients", grads));
}

/** Open the box, or stop at it; focus stays on what has it. */
function paintFlowTools(g) {
  const tools = $("flow-tools"),
    focused = [...tools.children].indexOf(document.activeElement),
    isStop = state.breaks.has(count + g);
  tools.replaceChildren(
    element("button", { title: "Open it in place (Enter)", onclick: () => openBox(g) }, "Open"),
    element(
      "button",
      {
        "aria-pressed": String(isStop),
        title: "Stop after each pass through it (b)",
        onclick: () => toggleBreak(count + g),
      },
      "Break",
    ),
  );
  if (focused >= 0) tools.children[focused].focus();
}

/** The leaves of a box that can be changed. */
function liveLeaves(item) {
  const found = [];
  for (let node = 0; node < count; node++)
    if (scene.of[node] === item && !formOf[node] && blocker[node] < 0) found.push(node);
  return found;
}
let turned = null; // the box whose leaves can be scaled now, and what scales them
/** What if all leaves of the box were larger or smaller by a factor? */
function paintTurn(item) {
  if (turned?.item !== item || turned.scene !== scene.serial) {
    const leaves = liveLeaves(item),
      times = `all ${leaves.length.toLocaleString("en")} leaves of ${boxName(item - count)}`;
    turned = { item, scene: scene.serial, leaves };
    $("flow-turn").replaceChildren();
    if (leaves.length) {
      const scale = (factor) => editAll(leaves.map((leaf) => [leaf, recorded[leaf] * factor + 0]));
      const slide = element("input", { type: "range", min: -1, max: 3, step: 0.05, "aria-label": `Factor of ${times}, dragged` }),
        type = element("input", { type: "number", step: "any", "aria-label": `Factor of ${times}, typed` });
      slide.addEventListener("input", () => scale(Number(slide.value)));
      type.addEventListener("input", () => Number.isFinite(type.valueAsNumber) && scale(type.valueAsNumber));
      Object.assign(turned, { slide, type });
      $("flow-turn").append(
        element("h3", {}, `What if its ${leaves.length === 1 ? "leaf were" : `${leaves.length.toLocaleString("en")} leaves were`} times`),
        element("div", { class: "turn" }, slide, type),
      );
    }
  }
  const { leaves, slide, type } = turned;
  if (!slide) return;
  const one = leaves.find((leaf) => recorded[leaf] !== 0) ?? leaves[0],
    factor = state.edits.has(one) && recorded[one] ? state.edits.get(one) / recorded[one] : 1;
  if (document.activeElement !== slide) slide.value = factor;
  if (document.activeElement !== type) type.value = String(Number(factor.toPrecision(6)));
}

/** The ledger of a box: what came in from each box, and what went on to each, so far. */
function accountOf(item) {
  const came = new Map(),
    went = new Map();
  const add = (to, other, e, k) => {
    if (!to.has(other)) to.set(other, { n: 0, squares: new Scaled() });
    const entry = to.get(other);
    entry.n++;
    entry.squares.add(0, events.contribution(k));
    if (state.position - count - 1 === k) entry.now = true;
  };
  for (let k = 0; k < state.position - count; k++) {
    const e = events.codes[k];
    if (e < 0) continue;
    const from = scene.of[ownerOf[e]],
      to = scene.of[argOf[e]];
    if (from === to) continue;
    if (to === item) add(came, from, e, k);
    else if (from === item) add(went, to, e, k);
  }
  const table = (title, entries) =>
    entries.size
      ? [
          element("h3", {}, title),
          element(
            "div",
            { class: "scroll" },
            element(
              "table",
              {},
              element(
                "thead",
                {},
                element("tr", {}, ...["box", "products", "their norm"].map((t) => element("th", { scope: "col" }, t))),
              ),
              element(
                "tbody",
                {},
                ...[...entries].slice(0, 30).map(([other, { n, squares, now }]) =>
                  element(
                    "tr",
                    { class: now ? "now" : "" },
                    element("td", {}, other < 0 ? "other samples" : ref(lastOf(other), isGroup(other) ? boxName(other - count) : names[other])),
                    element("td", {}, n.toLocaleString("en")),
                    element("td", {}, show(squares.norm(0))),
                  ),
                ),
              ),
            ),
            entries.size > 30 ? element("p", { class: "note" }, `and ${entries.size - 30} more`) : null,
          ),
        ]
      : [];
  const wrong = state.way ? [...moment.status.keys()].filter((node) => scene.of[node] === item && isWrong(node)).length : 0;
  return [
    ...(wrong ? [element("p", { class: "note alarm" }, `${wrong.toLocaleString("en")} of its gradients are wrong.`)] : []),
    ...table("Ledger: came in from", came),
    ...table("Went on to", went),
  ];
}
