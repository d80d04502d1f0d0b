// Graph pane: the scene as cards, frames and wires; what of it is in sight

const SVG = "http://www.w3.org/2000/svg";
const shape = (tag, attributes, text) => {
  const made = document.createElementNS(SVG, tag);
  for (const name in attributes) made.setAttribute(name, attributes[name]);
  if (text !== undefined) made.textContent = text;
  return made;
};
const cards = new Map(), // item -> its card, for those in sight
  frames = new Map(), // open box -> its frame
  painted = new Map(); // item -> what its card says
const view = { x: 0, y: 0, scale: 1, width: 600, height: 400 };
const FAR = 0.28; // below this scale, nodes are plain boxes
const MOST_WIRES = 6000;
const CROWD = 2500; // nodes in sight, far away, that are painted as one
let crowd = [];
const layers = Object.fromEntries(
  ["frames", "crowd", "wires", "over", "nodes", "flag"].map((name) => [name, shape("g", { id: name, role: "presentation" })]),
);
$("view").append(...Object.values(layers));

let scene = null;
/** What shows a node now: itself or a box; it may be of another sample. */
const itemOf = (node) => (scene.of[node] < 0 ? node : scene.of[node]);
/** Where an item is drawn now: on its way while the scene is changing. */
const rectOf = (item) => moving?.rects.get(item) ?? scene.rects.get(item);
const middleOf = (item) => {
  const { x, y, w, h } = rectOf(item);
  return [x + w / 2, y + h / 2];
};
/** How an item is called inside of its frame. */
const titleOf = (item) => {
  const title = isGroup(item) ? groups[item - count].title : column.labels[item] || names[item];
  for (const g of around(item)) {
    const outer = groups[g].title.replace(/\.[^.]+\.\*$/, "");
    if (title.startsWith(`${outer}.`)) return title.slice(outer.length + 1);
  }
  return title;
};
/** How often a box is there: of a sample, its own parts. */
const timesOf = (g) => {
  const { times } = groups[g];
  const shown = state.sample >= 0 && times.at(-1) === data.samples.length ? times.slice(0, -1) : times;
  return shown.map((n) => `× ${n.toLocaleString("en")}`).join(" ");
};

/** A box in a sentence. */
const boxName = (g) => [groups[g].title, timesOf(g)].filter(Boolean).join(" ");

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
/** A point on a chain of cubic curves, at a share of the way. */
function pointOn(points, share) {
  const curves = (points.length - 1) / 3,
    at = Math.min(curves - 1e-9, share * curves),
    from = 3 * Math.floor(at),
    t = at % 1,
    u = 1 - t;
  return [0, 1].map(
    (i) =>
      u * u * u * points[from][i] +
      3 * u * u * t * points[from + 1][i] +
      3 * u * t * t * points[from + 2][i] +
      t * t * t * points[from + 3][i],
  );
}

/** The wire that shows an edge: its own, or that between two boxes; none within one. */
function wireOf(e) {
  const arg = itemOf(argOf[e]),
    node = itemOf(ownerOf[e]);
  if (arg === node) return null;
  return (
    scene.wires.find((wire) => (scene.flat ? wire.edge === e : wire.arg === arg && wire.node === node)) ??
    (scene.rects.has(arg) && scene.rects.has(node) ? { arg, node } : null)
  );
}
const drawnWire = (e, name) => {
  const wire = wireOf(e);
  return wire ? [shape("path", { class: `edge ${name}`, role: "presentation", d: curve(route(scene, wire)) })] : [];
};

const thin = shape("path", { class: "edge", role: "presentation" }),
  thick = shape("path", { class: "edge bundle", role: "presentation" });
layers.wires.append(thin, thick);
/** Draws the wires at the cards in sight, as two paths; of a crowd that nobody can tell apart, a part. */
function drawWires() {
  let near = scene.wires.filter(({ node, arg, bundle }) => bundle || cards.has(node) || cards.has(arg));
  if (near.length > MOST_WIRES) near = near.filter((_, i) => i % Math.ceil(near.length / MOST_WIRES) === 0);
  const paths = { thin: "", thick: "" };
  for (const wire of near) {
    if (!wire.path) {
      const points = route(scene, wire);
      wire.path = curve(points) + arrow(points);
    }
    paths[wire.bundle ? "thick" : "thin"] += wire.path;
  }
  thin.setAttribute("d", paths.thin);
  thick.setAttribute("d", paths.thick);
}

function makeCard(i, plainBox) {
  const { w: W, h: H } = scene.rects.get(i),
    form = formOf[i],
    op = form ? form.symbol : "";
  const group = shape("g", { id: `v${i}`, role: "option", "data-node": i });
  const card = shape("rect", { class: "card", width: W, height: H, rx: 8 });
  const strip = shape("path", {
    class: "strip",
    d: `M1 ${H - 20}H${W - 1}V${H - 8}a7 7 0 0 1-7 7H8a7 7 0 0 1-7-7z`,
  });
  const name = brief(titleOf(i), Math.max(6, 13 - op.length));
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

/** A frame around what is open: a click on it closes it. */
function makeFrame(item) {
  const { title, times, about } = groups[item - count],
    group = shape("g", { class: "frame", "data-frame": item - count });
  const name = [titleOf(item), timesOf(item - count)].filter(Boolean).join(" ");
  const parts = {
    group,
    area: shape("rect", { class: "area", rx: 10 }),
    edge: shape("rect", { class: "rim", rx: 10 }),
    bar: shape("rect", { class: "bar-of-frame", height: FRAME.top - 8, rx: 10 }),
    name: shape("text", { class: "name" }, name),
    close: shape("text", { class: "close" }, "−"),
  };
  group.append(
    shape("title", {}, `${[title, times.map((n) => `× ${n}`).join(" "), about].filter(Boolean).join(" · ")} (click to close)`),
    parts.area,
    parts.edge,
    parts.bar,
    parts.name,
    parts.close,
  );
  return parts;
}
function placeFrame(item) {
  const { x, y, w, h } = rectOf(item),
    { area, edge, bar, name, close } = frames.get(item);
  for (const part of [area, edge, bar])
    for (const [key, value] of Object.entries({ x, y, width: w })) part.setAttribute(key, value);
  for (const part of [area, edge]) part.setAttribute("height", h);
  name.setAttribute("x", x + 12);
  name.setAttribute("y", y + 18);
  close.setAttribute("x", x + w - 12);
  close.setAttribute("y", y + 18);
}
function placeCard(item) {
  const { x, y } = rectOf(item);
  cards.get(item).group.setAttribute("transform", `translate(${x} ${y})`);
}

/** Only the cards in sight are in the document, and the chosen one. */
function cull() {
  if (moving) return;
  const { x, y, scale, width, height } = view;
  const left = -x / scale - 100,
    right = (width - x) / scale + 100,
    top = -y / scale - 60,
    bottom = (height - y) / scale + 60;
  const isFar = scale < FAR,
    chosen = itemOf(state.chosen),
    wanted = new Set();
  for (const [i, rect] of scene.places.entries()) {
    const item = scene.items[i];
    if (item === chosen || (rect.x < right && rect.x + rect.w > left && rect.y < bottom && rect.y + rect.h > top))
      wanted.add(item);
  }
  crowd = wanted.size > CROWD && isFar ? [...wanted].filter((item) => !isGroup(item)) : [];
  for (const item of crowd) if (item !== chosen) wanted.delete(item);
  for (const item of scene.frames) {
    const rect = rectOf(item),
      inSight = rect.x < right && rect.x + rect.w > left && rect.y < bottom && rect.y + rect.h > top;
    if (inSight === frames.has(item)) continue;
    if (inSight) {
      frames.set(item, makeFrame(item));
      placeFrame(item);
    } else {
      frames.get(item).group.remove();
      frames.delete(item);
    }
  }
  // Outer frames lie below inner ones.
  const order = scene.frames.filter((item) => frames.has(item)).map((item) => frames.get(item).group);
  if (order.some((group, i) => layers.frames.children[i] !== group)) layers.frames.replaceChildren(...order);
  let changed = false;
  for (const [item, card] of cards)
    if (!wanted.has(item) || card.plainBox !== (isFar && !isGroup(item))) {
      card.group.remove();
      cards.delete(item);
      painted.delete(item);
      changed = true;
    }
  const added = [];
  for (const item of wanted)
    if (!cards.has(item)) {
      const card = isGroup(item) ? makeBox(item) : makeCard(item, isFar);
      card.group.setAttribute("aria-setsize", scene.items.length);
      card.group.setAttribute("aria-posinset", scene.rank.get(item) + 1);
      cards.set(item, card);
      placeCard(item);
      added.push(card.group);
      changed = true;
    }
  layers.nodes.append(...added);
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
  const { event } = moment,
    flows = flowsOf();
  let isNorm = false,
    largest = moment.largest;
  if (flows.size) {
    largest = 0;
    for (const { size } of flows.values()) if (size < Infinity && size > largest) largest = size;
    isNorm = true;
  }
  for (const [item, card] of cards) {
    const said = isGroup(item) ? saidOfBox(item, flows.get(item), largest) : saidOfNode(item, card);
    const isChosen = item === itemOf(state.chosen);
    said.classes.push(
      isChosen && "chosen",
      event && item === itemOf(event.subject) && "subject",
      event?.kind === "edge" && item === itemOf(event.node) && "giver",
    );
    const classes = ["node", ...said.classes].filter(Boolean).join(" ");
    const key = `${said.value} ${said.gradient} ${said.tag} ${classes}`;
    if (painted.get(item) === key) continue;
    painted.set(item, key);
    if (!card.plainBox) {
      card.value.textContent = said.value;
      card.gradient.textContent = said.gradient;
      card.tag.textContent = said.tag;
    }
    card.group.setAttribute("class", classes);
    card.group.setAttribute("aria-selected", String(isChosen));
    // A card is called by what it says; a plain box says nothing.
    if (card.plainBox) card.group.setAttribute("aria-label", `${names[item]} value ${said.value} grad ${said.gradient}`);
    card.group.setAttribute("aria-description", said.status);
  }
  paintCrowd();
  paintFlag(event);
  paintLegend(largest, isNorm);
}

function saidOfNode(i, card) {
  const { known, status, gradient, largest } = moment;
  const wrong = isWrong(i);
  const tint = status[i] ? shade(gradient[i], largest) : "";
  const isThere = scene.of[i] >= 0;
  return {
    value: known[i] ? tight(numbers.values[i]) : "·",
    gradient: !status[i] ? "?" : status[i] === 1 ? `${tight(gradient[i], 7)} …` : tight(gradient[i]),
    tag: wrong ? "wrong" : "grad",
    status: `${statusWords[status[i]]}${state.breaks.has(i) ? ", breakpoint" : ""}`,
    classes: [
      !formOf[i] && "leaf",
      !known[i] && "later",
      statusWords[status[i]],
      tint && !wrong && `${tint} shaded`,
      state.breaks.has(i) && "broken",
      state.edits.has(i) && "edited",
      wrong && "differs",
      card && !isThere && "elsewhere",
    ],
  };
}

/** The nodes of a crowd, as one shape for each colour. */
function paintCrowd() {
  const paths = new Map(),
    { status, gradient, largest } = moment;
  for (const item of crowd) {
    const { x, y, w, h } = scene.rects.get(item),
      tint = (status[item] && shade(gradient[item], largest)) || "n0";
    paths.set(tint, `${paths.get(tint) ?? ""}M${x | 0} ${y | 0}h${w}v${h}h${-w}z`);
  }
  layers.crowd.replaceChildren(
    ...[...paths].map(([tint, d]) => shape("path", { class: `${tint} strip`, role: "presentation", d })),
  );
}

/** The edge of the moment, with its local derivative where it covers no card. */
function paintFlag(event) {
  const key = `${event?.index} ${event?.local} ${scene.serial}`;
  if (layers.flag.dataset.of === key) return;
  layers.flag.dataset.of = key;
  layers.flag.replaceChildren();
  if (event?.kind !== "edge" || moving) return;
  const wire = wireOf(event.edge);
  if (!wire) return;
  layers.flag.append(...drawnWire(event.edge, "active"));
  if (isGroup(wire.arg) || isGroup(wire.node)) return;
  const text = `× ${show(event.local)}`,
    [x, y] = freePlace(route(scene, wire), 7 * text.length + 12, 18);
  layers.flag.append(
    shape("rect", { x: x - (7 * text.length + 12) / 2, y: y - 9, width: 7 * text.length + 12, height: 18, rx: 9 }),
    shape("text", { x, y: y + 4 }, text),
  );
}
/** A place on a wire, or beside it, for something of a size: where it covers no card, if there is one. */
function freePlace(points, w, h) {
  const covered = ([x, y]) => {
    let area = 0;
    for (const item of cards.keys()) {
      const r = scene.rects.get(item);
      const across = Math.min(x + w / 2 + 2, r.x + r.w) - Math.max(x - w / 2 - 2, r.x),
        down = Math.min(y + h / 2 + 2, r.y + r.h) - Math.max(y - h / 2 - 2, r.y);
      if (across > 0 && down > 0) area += across * down;
    }
    return area;
  };
  let best = null,
    least = Infinity;
  for (const aside of [-14, 0, 14, -30, 30, -50, 50, -75, 75])
    for (const share of [0.5, 0.4, 0.6, 0.3, 0.7, 0.2, 0.8]) {
      const [x, y] = pointOn(points, share),
        area = covered([x, y + aside]);
      if (area < least) [best, least] = [[x, y + aside], area];
      if (!area) return best;
    }
  return best;
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
