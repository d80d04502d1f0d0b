// Graph pane

const SVG = "http://www.w3.org/2000/svg";
const shape = (tag, attributes, text) => {
  const made = document.createElementNS(SVG, tag);
  for (const name in attributes) made.setAttribute(name, attributes[name]);
  if (text !== undefined) made.textContent = text;
  return made;
};
let W, H;
const centre = (item) => [scene().at[2 * item], scene().at[2 * item + 1]];
const cards = new Map(),
  painted = []; // node or box -> its card, for those in sight
const view = { x: 0, y: 0, scale: 1, width: 600, height: 400 };
const FAR = 0.28; // below this scale, cards are plain boxes
const MOST_WIRES = 6000;
const layers = Object.fromEntries(
  ["wires", "over", "nodes", "flag"].map((name) => [name, shape("g", { id: name, role: "presentation" })]),
);
$("view").append(...Object.values(layers));

function route(e) {
  const { node, slot = 0, arg } = scene().wires[e],
    flat = scene().routes[e];
  if (flat?.length) {
    let x = 0,
      y = 0;
    const points = [];
    for (let i = 0; i < flat.length; i += 2) points.push([(x += flat[i]), (y += flat[i + 1])]);
    return points;
  }
  const [ax, ay] = centre(arg),
    [bx, by] = centre(node);
  if (scene().vertical) {
    const sag = Math.max(16, (by - ay - H) / 2);
    return [
      [ax, ay + H / 2],
      [ax, ay + H / 2 + sag],
      [bx, by - H / 2 - sag],
      [bx, by - H / 2],
    ];
  }
  const bend = Math.max(24, (bx - ax - W) / 2),
    lift = scene().box ? 0 : 6 * (slot - (data.args[node].length - 1) / 2);
  const end = by + Math.max(-H / 3, Math.min(H / 3, lift));
  return [
    [ax + W / 2, ay],
    [ax + W / 2 + bend, ay],
    [bx - W / 2 - bend, end],
    [bx - W / 2, end],
  ];
}
const curve = ([start, ...rest]) => `M${start}C${rest.join(" ")}`;
function arrow(points) {
  const [[px, py], [x, y]] = points.slice(-2),
    far = Math.hypot(x - px, y - py) || 1,
    ux = (x - px) / far,
    uy = (y - py) / far;
  const at = (along, aside) =>
    `${Math.round(x - along * ux - aside * uy)} ${Math.round(y - along * uy + aside * ux)}`;
  return `M${at(6, 3.5)}L${Math.round(x)} ${Math.round(y)}L${at(6, -3.5)}`;
}
/** The point half-way along a chain of cubic curves, by their number. */
function middle(points) {
  const curves = (points.length - 1) / 3,
    from = 3 * Math.floor(curves / 2);
  if (curves % 2 === 0) return points[from];
  return [0, 1].map(
    (i) => (points[from][i] + 3 * points[from + 1][i] + 3 * points[from + 2][i] + points[from + 3][i]) / 8,
  );
}
const wire = (e, name) => shape("path", { class: `edge ${name}`, role: "presentation", d: curve(route(e)) });

/** The wire that shows an edge: its own, or that between two boxes; none within one. */
function wiresOf(e, name) {
  const { box, wires } = scene();
  if (!box) return [wire(e, name)];
  const [arg, node] = [box[edges[e].arg], box[edges[e].node]];
  const between = wires.findIndex((found) => found.arg === arg && found.node === node);
  return between < 0 ? [] : [wire(between, name)];
}

const wires = shape("path", { class: "edge", role: "presentation" });
layers.wires.append(wires);
/** Draws the edges at the cards in sight as one path; of a crowd that nobody can tell apart, a part. */
function drawWires() {
  const { drawn } = scene();
  let near = scene().wires.flatMap(({ node, arg }, e) => (cards.has(node) || cards.has(arg) ? [e] : []));
  if (near.length > MOST_WIRES) near = near.filter((_, i) => i % Math.ceil(near.length / MOST_WIRES) === 0);
  for (const e of near)
    if (!drawn[e]) {
      const points = route(e);
      drawn[e] = curve(points) + arrow(points);
    }
  wires.setAttribute("d", near.map((e) => drawn[e]).join(""));
}

function makeCard(i, plainBox) {
  const [x, y] = centre(i),
    form = formOf[i],
    op = form ? form.symbol : "";
  const group = shape("g", {
    id: `v${i}`,
    role: "option",
    "aria-setsize": count,
    "aria-posinset": i + 1,
    "data-node": i,
    transform: `translate(${x - W / 2} ${y - H / 2})`,
  });
  const card = shape("rect", { class: "card", width: W, height: H, rx: 8 });
  const strip = shape("path", {
    class: "strip",
    d: `M1 ${H - 20}H${W - 1}V${H - 8}a7 7 0 0 1-7 7H8a7 7 0 0 1-7-7z`,
  });
  const name = brief(data.labels[i] ?? names[i], Math.max(6, 13 - op.length));
  if (plainBox) {
    group.append(card, strip);
    return { group, plainBox };
  }
  const value = shape("text", { class: "number value", x: W - 9, y: 33 }),
    gradient = shape("text", { class: "number gradient", x: W - 9, y: H - 6 });
  const tag = shape("text", { class: "tag of-gradient", x: 9, y: H - 6.5 });
  // The blanks are for who listens: they keep the words apart.
  group.append(
    card,
    strip,
    shape("text", { class: "name", x: 9, y: 16 }, name),
    " ",
    shape("text", { class: "op", x: W - 9, y: 16 }, op),
    " ",
    shape("text", { class: "tag", x: 9, y: 33 }, "value"),
    " ",
    value,
    " ",
    tag,
    " ",
    gradient,
    shape("circle", { class: "stop-dot", r: 6 }),
  );
  return { group, plainBox, value, gradient, tag };
}

/** Only the cards in sight are in the document, and the chosen one. */
function cull() {
  const { x, y, scale, width, height } = view;
  const left = -x / scale - W,
    right = (width - x) / scale + W,
    top = -y / scale - H,
    bottom = (height - y) / scale + H;
  let changed = false;
  const plainBox = scale < FAR && !scene().box,
    chosen = itemOf(state.chosen);
  for (let i = 0; i < scene().count; i++) {
    const [cx, cy] = centre(i),
      card = cards.get(i);
    const inSight = i === chosen || (cx > left && cx < right && cy > top && cy < bottom);
    if (card && (!inSight || card.plainBox !== plainBox)) {
      card.group.remove();
      cards.delete(i);
      painted[i] = "";
      changed = true;
    }
    if (inSight && !cards.has(i)) {
      const made = scene().box ? makeBox(i) : makeCard(i, plainBox);
      cards.set(i, made);
      layers.nodes.append(made.group);
      changed = true;
    }
  }
  if (changed) drawWires();
}

function shade(gradient, largest) {
  if (gradient !== gradient || gradient === 0) return "";
  const level = 1 + data.steps.filter((step) => Math.abs(gradient) >= step * largest).length;
  return (gradient > 0 ? "p" : "m") + level;
}

function paintGraph() {
  cull();
  $("canvas").setAttribute("aria-activedescendant", `v${itemOf(state.chosen)}`);
  paintLevels();
  if (scene().box) return paintBoxes();
  const { known, status, gradient, largest, event } = moment;
  for (const [i, card] of cards) {
    const value = known[i] ? tight(numbers.values[i]) : "·";
    const sofar = !status[i] ? "?" : status[i] === 1 ? `${tight(gradient[i], 7)} …` : tight(gradient[i]);
    const wrong = state.way && status[i] === 2 && !isSame(gradient[i], sums[i]);
    const tint = status[i] ? shade(gradient[i], largest) : "";
    const classes = [
      "node",
      formOf[i] ? "" : "leaf",
      known[i] ? "" : "later",
      statusWords[status[i]],
      tint && !wrong && `${tint} shaded`,
      i === state.chosen ? "chosen" : "",
      event && i === event.subject ? "subject" : "",
      event?.kind === "edge" && i === event.node ? "giver" : "",
      state.breaks.has(i) ? "broken" : "",
      state.edits.has(i) ? "edited" : "",
      wrong ? "differs" : "",
    ]
      .filter(Boolean)
      .join(" ");
    const key = `${value} ${sofar} ${classes}`;
    if (painted[i] === key) continue;
    painted[i] = key;
    if (!card.plainBox) {
      card.value.textContent = value;
      card.gradient.textContent = sofar;
      card.tag.textContent = wrong ? "wrong" : "grad";
    }
    card.group.setAttribute("class", classes);
    card.group.setAttribute("aria-selected", String(i === state.chosen));
    // A card is called by what it says; a plain box says nothing.
    if (card.plainBox) card.group.setAttribute("aria-label", `${names[i]} value ${value} grad ${sofar}`);
    card.group.setAttribute(
      "aria-description",
      `${statusWords[status[i]]}${state.breaks.has(i) ? ", breakpoint" : ""}`,
    );
  }
  if (layers.flag.dataset.of !== `${event?.edge} ${event?.local}`) {
    layers.flag.dataset.of = `${event?.edge} ${event?.local}`;
    layers.flag.replaceChildren();
    if (event?.kind === "edge") {
      const [x, y] = middle(route(event.edge)),
        text = `× ${show(event.local)}`,
        width = 7 * text.length + 12;
      layers.flag.append(
        wire(event.edge, "active"),
        shape("rect", { x: x - width / 2, y: y - 24, width, height: 18, rx: 9 }),
        shape("text", { x, y: y - 11 }, text),
      );
    }
  }
  paintLegend(largest);
}

function paintLegend(largest, isNorm = false) {
  const text = largest ? tight(largest, 5) : "";
  if ($("legend").dataset.of === `${text} ${isNorm}`) return;
  $("legend").dataset.of = `${text} ${isNorm}`;
  $("legend").replaceChildren();
  if (!text) return;
  const swatch = (shade) => {
    const box = element("i");
    box.style.background = shade;
    return box;
  };
  if (isNorm)
    return $("legend").append(
      element("b", {}, "‖grad‖ 0"),
      ...[1, 2, 3, 4].map((i) => swatch(`var(--norm-${i})`)),
      element("b", {}, text),
    );
  $("legend").append(
    element("b", {}, `grad -${text}`),
    ...[4, 3, 2, 1].map((i) => swatch(`var(--negative-${i})`)),
    element("b", {}, "0"),
    ...[1, 2, 3, 4].map((i) => swatch(`var(--positive-${i})`)),
    element("b", {}, text),
  );
}

// Pan and zoom
let placing = 0;
function place() {
  $("view").setAttribute("transform", `translate(${view.x} ${view.y}) scale(${view.scale})`);
  if (!placing && moment)
    placing = requestAnimationFrame(() => {
      placing = 0;
      paintGraph();
    });
}
function measure() {
  const box = $("canvas").getBoundingClientRect();
  view.width = box.width || 600;
  view.height = box.height || 400;
  paneHeight = $("lines").clientHeight || 400;
}
function zoom(factor, x = view.width / 2, y = view.height / 2) {
  const scale = Math.min(3, Math.max(0.02, view.scale * factor));
  view.x = x - ((x - view.x) * scale) / view.scale;
  view.y = y - ((y - view.y) * scale) / view.scale;
  view.scale = scale;
  place();
}
/** Take the cards of another level off the pane. */
function clearScene() {
  for (const { group } of cards.values()) group.remove();
  cards.clear();
  painted.length = 0;
  layers.over.replaceChildren();
  layers.flag.dataset.of = "";
  [W, H] = scene().card;
  drawWires();
}
function fit() {
  frame(scene().bounds);
}
function fitTo(items) {
  const box = { left: Infinity, right: -Infinity, top: Infinity, bottom: -Infinity };
  for (const [x, y] of items.map(centre)) {
    box.left = Math.min(box.left, x - W / 2);
    box.right = Math.max(box.right, x + W / 2);
    box.top = Math.min(box.top, y - H / 2);
    box.bottom = Math.max(box.bottom, y + H / 2);
  }
  frame(box);
}
function frame({ left, right, top, bottom }) {
  const { width, height } = view;
  view.scale = Math.min(1.35, (width - 32) / (right - left), (height - 32) / (bottom - top));
  view.x = (width - view.scale * (left + right)) / 2;
  view.y = (height - view.scale * (top + bottom)) / 2;
  place();
}
/** Move the view if a node is out of sight. */
function reveal(nodes) {
  const { width, height } = view;
  let left = Infinity,
    rightmost = -Infinity,
    top = Infinity,
    bottom = -Infinity;
  for (const node of nodes) {
    const [x, y] = centre(itemOf(node));
    left = Math.min(left, x - W / 2);
    rightmost = Math.max(rightmost, x + W / 2);
    top = Math.min(top, y - H / 2);
    bottom = Math.max(bottom, y + H / 2);
  }
  const edge = 12,
    s = view.scale;
  const shift = (low, high, offset, room) => {
    const from = low * s + offset,
      to = high * s + offset;
    if (to - from > room - 2 * edge || (from >= edge && to <= room - edge)) return 0;
    return (room - from - to) / 2;
  };
  const dx = shift(left, rightmost, view.x, width),
    dy = shift(top, bottom, view.y, height);
  if (dx || dy) {
    view.x += dx;
    view.y += dy;
    place();
  }
}
