// Graph pane: the scene as cards, frames and wires; what of it is in sight

import { flowsOf, largestOf, saidOfBox, saidOfNode, shade } from "../engine/flow.js";
import { directly, freePlace, route, routeAll, timesAt } from "../engine/routes.js";
import { wireOf, wiresAt } from "../engine/scene.js";
import { counted, show, tight } from "../engine/words.js";
import { makeBox, makeCard, makeFrame, placeCard, placeFrame, rectOf } from "./cards.js";
import { $, element, shape } from "./document.js";
import { run } from "./run.js";
import { itemOf, state } from "./state.js";

const FAR = 0.28; // below this scale, nodes are plain boxes
const MOST_WIRES = 6000;
const AT_ONCE = 200; // wires whose ways are found before others are drawn: these are direct until then
const CROWD = 2500; // nodes in sight, far away, that are painted as one

const layer = (id) => shape("g", { id, role: "presentation" });
export const layers = {
  frames: layer("frames"),
  crowd: layer("crowd"),
  wires: layer("wires"),
  over: layer("over"),
  nodes: layer("nodes"),
  flag: layer("flag"),
};
const line = (name, d = "") => shape("path", { class: name, role: "presentation", d });
const thin = line("edge"),
  thick = line("edge bundle"),
  many = shape("g", { class: "times", role: "presentation" });
layers.wires.append(thin, thick, many);
$("view").append(...Object.values(layers));

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
const drawnRoute = (wire, name) => line(`edge ${name}`, curve(route(run, state.scene, wire)));
const drawnWire = (e, name) => {
  const wire = wireOf(run, state.scene, e);
  return wire ? [drawnRoute(wire, name)] : [];
};

/** Draws the wires at the cards in sight, as two paths; of a crowd that nobody can tell apart, a part. */
export function drawWires() {
  const { scene, cards } = state;
  // A bundle is between open boxes.
  const found = new Set([...scene.frames, ...cards.keys()].flatMap((item) => wiresAt(scene, item)));
  let near = [...found];
  const every = Math.ceil(near.length / MOST_WIRES);
  if (every > 1) near = near.filter((_, i) => i % every === 0);
  const paths = { thin: "", thick: "" },
    drawn = (points) => curve(points) + arrow(points),
    waiting = near.filter(({ path }) => !path),
    now = waiting.slice(0, AT_ONCE);
  routeAll(run, scene, now);
  for (const wire of now) wire.path = drawn(route(run, scene, wire));
  for (const wire of near)
    paths[wire.bundle ? "thick" : "thin"] += wire.path ?? drawn(directly(run, scene, wire));
  if (waiting.length > AT_ONCE)
    setTimeout(() => {
      if (state.scene === scene && !state.moving) drawWires();
    });
  thin.setAttribute("d", paths.thin);
  thick.setAttribute("d", paths.thick);
  many.replaceChildren(
    ...near
      .filter(({ ends }) => ends)
      .map((wire) => {
        const [x, y] = timesAt(route(run, scene, wire), wire.outside === wire.arg);
        return shape("text", { x, y }, `× ${counted(wire.times)}`);
      }),
  );
}
/** Marks the edges of a path from the root down, given by its nodes. */
export function markPath(nodes) {
  layers.over.replaceChildren();
  for (const [i, node] of nodes.entries())
    for (const e of i ? run.usesOf(node) : [])
      if (run.ownerOf[e] === nodes[i - 1]) layers.over.append(...drawnWire(e, "onpath"));
}
const MOST_MARKED = 200;
/** Marks the wires of an item: its own, or those of its box; of none, unmarks. */
export function markWires(item) {
  layers.over.replaceChildren();
  if (state.moving || item === null) return;
  const touching = wiresAt(state.scene, item).filter(({ bundle }) => !bundle);
  for (const wire of touching.slice(0, MOST_MARKED)) layers.over.append(drawnRoute(wire, "linked"));
}

/** Finds the items in sight, and in a margin, unless the camera stands where it stood. */
function look(isFar) {
  const { scene, serial, camera } = state,
    { x, y, scale, width, height } = camera,
    seen = [serial, ...Object.values(camera)].join(" "),
    [left, right] = [-x / scale - 100, (width - x) / scale + 100],
    [top, bottom] = [-y / scale - 60, (height - y) / scale + 60];
  if (state.seen === seen) return;
  const isInSight = (r) => r.x < right && r.x + r.w > left && r.y < bottom && r.y + r.h > top,
    near = scene.items.filter((item) => isInSight(scene.rects.get(item))),
    crowd = isFar && near.length > CROWD ? near.filter((item) => !run.isGroup(item)) : [];
  Object.assign(state, { seen, crowd, near: crowd.length ? near.filter(run.isGroup) : near });
  cullFrames(isInSight);
}
/** Only the cards in sight are in the document, and the chosen one. */
export function cull() {
  if (state.moving) return;
  const { scene, cards, painted } = state,
    isFar = state.camera.scale < FAR,
    chosen = itemOf(state.chosen);
  look(isFar);
  const wanted = new Set(state.near);
  if (scene.rects.has(chosen)) wanted.add(chosen);
  let isChanged = false;
  const spare = [];
  for (const [item, card] of cards)
    if (!wanted.has(item) || card.isPlain !== (isFar && !run.isGroup(item))) {
      if (run.isGroup(item)) card.group.remove();
      else spare.push(card);
      cards.delete(item);
      painted.delete(item);
      isChanged = true;
    }
  const added = [];
  for (const item of wanted)
    if (!cards.has(item)) {
      const card = run.isGroup(item) ? makeBox(item) : makeCard(item, isFar, spare.at(-1));
      if (card === spare.at(-1)) spare.pop();
      else added.push(card.group);
      card.group.setAttribute("aria-setsize", scene.items.length);
      card.group.setAttribute("aria-posinset", scene.rank.get(item) + 1);
      cards.set(item, card);
      placeCard(item);
      isChanged = true;
    }
  for (const card of spare) card.group.remove();
  layers.nodes.append(...added);
  if (isChanged) drawWires();
}
function cullFrames(isInSight) {
  const { scene, frames } = state;
  for (const item of scene.frames) {
    const isWanted = isInSight(rectOf(item));
    if (isWanted === frames.has(item)) continue;
    if (isWanted) {
      frames.set(item, makeFrame(item));
      placeFrame(item);
    } else {
      frames.get(item).group.remove();
      frames.delete(item);
    }
  }
  // Outer frames lie below inner ones.
  const order = scene.frames.filter((i) => frames.has(i)).map((i) => frames.get(i).group);
  if (order.some((group, i) => layers.frames.children[i] !== group))
    layers.frames.replaceChildren(...order);
}

export function paintGraph() {
  cancelAnimationFrame(state.placing);
  state.placing = 0;
  cull();
  const { event, largest: largestOfNodes } = state.moment,
    { cards, painted } = state,
    flows = flowsOf(run, state),
    isNorm = flows.size > 0,
    largest = isNorm ? largestOf(flows) : largestOfNodes,
    chosen = itemOf(state.chosen);
  $("canvas").setAttribute("aria-activedescendant", `v${chosen}`);
  for (const [item, card] of cards) {
    const said = run.isGroup(item)
      ? saidOfBox(run, state, flows.get(item), largest)
      : saidOfNode(run, state, item, largestOfNodes);
    said.classes.push(
      item === chosen && "chosen",
      event && item === itemOf(event.subject) && "subject",
      event?.kind === "edge" && item === itemOf(event.node) && "giver",
    );
    const classes = ["node", ...said.classes].filter(Boolean).join(" ");
    const key = `${said.value} ${said.gradient} ${said.tag} ${classes}`;
    if (painted.get(item) === key) continue;
    painted.set(item, key);
    const { group } = card;
    group.setAttribute("class", classes);
    group.setAttribute("aria-selected", String(item === chosen));
    group.setAttribute("aria-description", said.status);
    // A card is called by what it says; a plain one says nothing.
    if (card.isPlain) {
      const heard = `${run.names[item]} value ${said.value} grad ${said.gradient}`;
      group.setAttribute("aria-label", heard);
      continue;
    }
    card.value.textContent = said.value;
    card.gradient.textContent = said.gradient;
    card.tag.textContent = said.tag;
  }
  paintCrowd();
  paintFlag(event);
  paintLegend(largest, isNorm);
}

const MOST_OVER = 200; // shapes over a crowd before it is painted anew
/** The nodes of a crowd, as one shape for each colour; over it, those in which something happened. */
function paintCrowd() {
  const { crowd, crowdPainted: before, scene, moment, seen } = state,
    { status, gradient, largest, position } = moment,
    isKept =
      before.of === `${seen} ${largest}` &&
      before.moment === moment &&
      layers.crowd.childElementCount < MOST_OVER,
    changed = isKept && crowd.length ? moment.itemsSince(before.position, scene) : crowd,
    paths = new Map();
  for (const item of changed) {
    if (run.isGroup(item) || !scene.rects.has(item)) continue;
    const { x, y, w, h } = scene.rects.get(item),
      tint = (status[item] && shade(run, gradient[item], largest)) || "n0",
      drawn = `M${Math.trunc(x)} ${Math.trunc(y)}h${w}v${h}h${-w}z`;
    paths.set(tint, (paths.get(tint) ?? "") + drawn);
  }
  if (!isKept) layers.crowd.replaceChildren();
  for (const [tint, d] of paths) layers.crowd.append(line(`${tint} strip`, d));
  state.crowdPainted = { of: `${seen} ${largest}`, moment, position };
}

/** The edge of the moment, with its local derivative where it covers no card. */
function paintFlag(event) {
  const { scene, cards } = state,
    key = `${event?.index} ${event?.local} ${state.serial}`;
  if (layers.flag.dataset.of === key) return;
  layers.flag.dataset.of = key;
  layers.flag.replaceChildren();
  if (event?.kind !== "edge" || state.moving) return;
  const wire = wireOf(run, scene, event.edge);
  if (!wire) return;
  layers.flag.append(drawnRoute(wire, "active"));
  if (run.isGroup(wire.arg) || run.isGroup(wire.node)) return;
  const text = `× ${show(event.local)}`,
    [width, height] = [7 * text.length + 10, 16],
    rects = [...cards.keys()].map((item) => scene.rects.get(item)),
    [x, y] = freePlace(rects, route(run, scene, wire), width, height);
  layers.flag.append(
    shape("rect", { x: x - width / 2, y: y - height / 2, width, height, rx: 8 }),
    shape("text", { x, y: y + 4 }, text),
  );
}

const SHADES = [1, 2, 3, 4];
function paintLegend(largest, isNorm) {
  const text = largest ? tight(largest, 5) : "",
    legend = $("legend");
  if (legend.dataset.of === `${text} ${isNorm}`) return;
  legend.dataset.of = `${text} ${isNorm}`;
  legend.replaceChildren();
  if (!text) return;
  const swatch = (sign) => (i) => {
    const box = element("i");
    box.style.background = `var(--${sign}-${i})`;
    return box;
  };
  const word = (said) => element("b", {}, said);
  if (isNorm) legend.append(word("‖grad‖ 0"), ...SHADES.map(swatch("norm")), word(text));
  else
    legend.append(
      word(`grad -${text}`),
      ...SHADES.toReversed().map(swatch("negative")),
      word("0"),
      ...SHADES.map(swatch("positive")),
      word(text),
    );
}
