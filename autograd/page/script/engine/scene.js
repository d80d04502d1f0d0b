// The scene: which boxes and nodes are shown, where they stand, and the wires between them

import { arrange } from "./arrange.js";
import { Fan } from "./fans.js";
import { perKey } from "./members.js";
import { routeAll } from "./routes.js";
import { shownBy } from "./tree.js";

export const FRAME = { top: 34, side: 16, bottom: 16 };
const BOX = [168, 64];
const FEW_ITEMS = 60; // whose wires count for where the scene ends
const BUNDLE = 40; // wires between two boxes that are open before they are one

/** What is in each open box, in order: nodes, and boxes that are open or closed; -1 is around all. */
function contentsOf({ count, groups, parentOf, lastOf }, of, isOpen) {
  const contents = new Map([[-1, []]]),
    seen = new Set();
  const add = (item) => {
    if (seen.has(item)) return;
    seen.add(item);
    let parent = parentOf(item);
    while (parent >= 0 && !isOpen(parent)) parent = groups[parent].parent;
    if (!contents.has(parent)) contents.set(parent, []);
    contents.get(parent).push(item);
    if (parent >= 0) add(count + parent);
  };
  for (const item of of) if (item >= 0) add(item);
  for (const list of contents.values()) list.sort((a, b) => lastOf(a) - lastOf(b));
  return contents;
}

/**
 * The links in each open box: between two of its parts, with the pairs of items that edges lead
 * between, as far as they are few, or one wire for those to all turns of a repetition. Whether a node's value leaves its item is found on the way.
 */
function linksOf({ count, root, groups, around, argOf, ownerOf }, of, isOpen) {
  const all = count + groups.length,
    paths = new Map(), // of an item: from the box around all to itself
    links = new Map(),
    inside = new Map(),
    leaving = new Uint8Array(count);
  const pathOf = (item) => {
    if (!paths.has(item)) {
      const open = around(item).filter(isOpen).reverse();
      paths.set(item, [-1, ...open.map((g) => count + g), item]);
    }
    return paths.get(item);
  };
  leaving[root] = 1;
  const fanAt = (item, isInner) =>
    isInner && groups[item - count].turns ? new Fan(groups[item - count].turns) : null;
  for (let e = 0; e < argOf.length; e++) {
    if (argOf[e] < 0) continue;
    const a = of[argOf[e]],
      b = of[ownerOf[e]];
    if (a === b || a < 0 || b < 0) continue;
    leaving[argOf[e]] = 1;
    const from = pathOf(a),
      to = pathOf(b);
    let d = 0;
    while (from[d + 1] === to[d + 1]) d++;
    const [box, arg, node] = [from[d], from[d + 1], to[d + 1]],
      key = arg * all + node;
    if (!links.has(key)) {
      const into = fanAt(node, b !== node),
        out = fanAt(arg, a !== arg),
        link = { arg, node, pairs: new Set(), into, out },
        g = box < 0 ? -1 : box - count;
      links.set(key, link);
      if (!inside.has(g)) inside.set(g, []);
      inside.get(g).push(link);
    }
    const { pairs, into, out } = links.get(key),
      pair = a * all + b;
    into?.add(a, to[d + 2], b, pair);
    out?.add(b, from[d + 2], a, pair);
    if (into || out || pairs.size <= BUNDLE) pairs.add(pair);
  }
  const wires = [...links.values()].flatMap(({ arg, node, pairs, into, out }) => {
    const taken = new Set(),
      fans = [
        ...(into?.found(taken).map((fan) => ({ ...fan, arg: fan.outside, node })) ?? []),
        ...(out?.found(taken).map((fan) => ({ ...fan, arg, node: fan.outside })) ?? []),
      ],
      others = [...pairs].filter((pair) => !taken.has(pair));
    return others.length > BUNDLE
      ? [...fans, { arg, node, bundle: true }]
      : [...fans, ...others.map((pair) => ({ arg: Math.floor(pair / all), node: pair % all }))];
  });
  return { inside, wires, leaving };
}

/**
 * The parts of a box, arguments first as far as there is an order: the last node of a part may come late. Where they
 * feed each other in a circle, the first goes first.
 */
export function inOrder(list, links) {
  const place = new Map(list.map((item, i) => [item, i]));
  if (links.every(({ arg, node }) => place.get(arg) < place.get(node))) return list;
  const users = list.map(() => []),
    args = list.map(() => []),
    missing = list.map(() => 0),
    ready = [], // from the last down
    isThere = list.map(() => false),
    found = [];
  for (const { arg, node } of links) {
    users[place.get(arg)].push(place.get(node));
    args[place.get(node)].push(place.get(arg));
    missing[place.get(node)]++;
  }
  const add = (i) => {
    const at = ready.findLastIndex((other) => other > i);
    ready.splice(at + 1, 0, i);
  };
  list.forEach((_, i) => {
    if (!missing[i]) add(i);
  });
  const before = (i) => args[i].find((arg) => !isThere[arg]);
  /** The first part of a circle that waits for nothing else. */
  const inCircle = () => {
    const seen = new Set();
    let i = isThere.indexOf(false);
    for (; !seen.has(i); i = before(i)) seen.add(i);
    let least = i;
    for (let j = before(i); j !== i; j = before(j)) least = Math.min(least, j);
    return least;
  };
  while (found.length < list.length) {
    const i = ready.pop() ?? inCircle();
    if (isThere[i]) continue;
    isThere[i] = true;
    found.push(list[i]);
    for (const user of users[i]) if (!--missing[user]) add(user);
  }
  return found;
}

/** How large each open box is, from the inside out, and where in it its contents stand. */
function layout({ count, groups, isGroup, card }, contents, inside, pane) {
  const laid = new Map();
  const lay = (g) => {
    const list = inOrder(contents.get(g), inside.get(g) ?? []),
      place = new Map(list.map((item, i) => [item, i]));
    const sizes = list.map((item) => {
      if (!isGroup(item)) return card;
      return contents.has(item - count) ? lay(item - count) : BOX;
    });
    const edges = (inside.get(g) ?? []).map(({ arg, node }) => [place.get(arg), place.get(node)]),
      found = arrange(sizes, edges, pane);
    laid.set(g, { list, sizes, ...found });
    const title = g < 0 ? 0 : 9 * groups[g].title.length + 90;
    return [Math.max(found.width, title) + 2 * FRAME.side, found.height + FRAME.top + FRAME.bottom];
  };
  lay(-1);
  return laid;
}

/**
 * What is to be drawn: `items` with their rectangles, `frames` around what is open, `wires`.
 * `of` is the item that shows a node, `leaving` whether a node's value leaves its item.
 */
function boxScene(run, open, sample, pane) {
  const { count, groups, isGroup } = run,
    { found: of, size } = shownBy(run, open, sample),
    isOpen = (g) => open.has(g) && size[g] > 1,
    contents = contentsOf(run, of, isOpen),
    { inside, wires, leaving } = linksOf(run, of, isOpen),
    laid = layout(run, contents, inside, pane),
    { width, height } = laid.get(-1);
  const bounds = { left: 0, top: 0, right: width, bottom: height },
    scene = { of, leaving, items: [], frames: [], titles: [], rects: new Map(), wires, bounds };
  const put = (g, left, top) => {
    const { list, sizes, centres } = laid.get(g);
    list.forEach((item, i) => {
      const [w, h] = sizes[i],
        rect = { x: left + centres[i][0] - w / 2, y: top + centres[i][1] - h / 2, w, h };
      scene.rects.set(item, rect);
      if (isGroup(item) && contents.has(item - count)) {
        scene.frames.push(item);
        const said = groups[item - count].title.length + 6; // and how often it is there
        scene.titles.push({ x: rect.x + 8, y: rect.y + 4, w: 8 * said, h: 20 });
        put(item - count, rect.x + FRAME.side, rect.y + FRAME.top);
      } else scene.items.push(item);
    });
  };
  put(-1, 0, 0);
  if (scene.items.length <= FEW_ITEMS) {
    routeAll(run, scene, wires);
    for (const [x, y] of wires.flatMap(({ points }) => points)) {
      bounds.left = Math.min(bounds.left, x);
      bounds.right = Math.max(bounds.right, x);
      bounds.top = Math.min(bounds.top, y);
      bounds.bottom = Math.max(bounds.bottom, y);
    }
  }
  return scene;
}

/** The scene of a graph of ordinary size with every node shown, each at its place. */
function flatScene({ count, argOf, ownerOf, card: [w, h] }, at, routes) {
  const scene = {
    of: Int32Array.from({ length: count }, (_, i) => i),
    leaving: new Uint8Array(count).fill(1),
    items: Array.from({ length: count }, (_, i) => i),
    frames: [],
    rects: new Map(),
    wires: [],
    flat: true,
    isLaid: routes.length > 0, // and its wires find their ways, too
  };
  const bounds = { left: Infinity, top: Infinity, right: -Infinity, bottom: -Infinity };
  for (let node = 0; node < count; node++) {
    const [x, y] = [at[2 * node] - w / 2, at[2 * node + 1] - h / 2];
    scene.rects.set(node, { x, y, w, h });
    bounds.left = Math.min(bounds.left, x);
    bounds.right = Math.max(bounds.right, x + w);
    bounds.top = Math.min(bounds.top, y);
    bounds.bottom = Math.max(bounds.bottom, y + h);
  }
  for (let e = 0; e < argOf.length; e++)
    if (argOf[e] >= 0)
      scene.wires.push({
        arg: argOf[e],
        node: ownerOf[e],
        edge: e,
        route: routes[scene.wires.length],
      });
  return { ...scene, bounds };
}

/** The scale at which a pane holds all that is within some bounds. */
export const scaleOf = ({ left, right, top, bottom }, { width, height }) =>
  Math.min((width - 32) / (right - left), (height - 24) / (bottom - top));

export const EASY = 0.6; // from this scale on, a scene can be read at a glance

/** A graph as Graphviz has laid it out, if it has; where that is small in the pane, in rows if it is larger so. */
function legibleScene(run, pane) {
  const { count, argOf, ownerOf, at, routes, card } = run,
    drawn = at.length ? flatScene(run, at, routes) : null;
  if (drawn && scaleOf(drawn.bounds, pane) >= EASY) return drawn;
  const edges = Array.from(argOf, (arg, e) => [arg, ownerOf[e]]).filter(([arg]) => arg >= 0),
    { centres } = arrange(Array(count).fill(card), edges, pane),
    rows = flatScene(run, centres.flat(), []);
  return !drawn || scaleOf(rows.bounds, pane) > scaleOf(drawn.bounds, pane) ? rows : drawn;
}

/** What is to be drawn of a state, in a pane of some size. */
export function sceneOf(run, { open, sample }, pane) {
  const { at, groups, levels, lastOf, isGroup } = run,
    isSmall = at.length > 0 || levels.length === 1, // enough to be drawn without frames
    isFlat = isSmall && sample < 0 && open.size === groups.length;
  const scene = isFlat ? legibleScene(run, pane) : boxScene(run, open, sample, pane);
  scene.items.sort((a, b) => lastOf(a) - lastOf(b));
  scene.rank = new Map(scene.items.map((item, i) => [item, i]));
  scene.hasBoxes = scene.items.some(isGroup);
  return scene;
}

/** What shows a node: itself or a box; it may be of another sample. */
export const itemIn = (scene, node) => (scene.of[node] < 0 ? node : scene.of[node]);
/** The item before or after that of a node, as its last node. */
export function neighbour({ lastOf }, { scene, chosen }, direction) {
  const { items, rank } = scene,
    here = rank.get(itemIn(scene, chosen)) ?? 0;
  return lastOf(items[Math.max(0, Math.min(items.length - 1, here + direction))]);
}
const wiresBy = perKey(({ wires }) => {
  const found = new Map();
  const add = (item, wire) => {
    if (!found.has(item)) found.set(item, []);
    found.get(item).push(wire);
  };
  for (const wire of wires) {
    for (const item of new Set([wire.arg, wire.node, ...(wire.ends ?? [])])) add(item, wire);
  }
  return found;
});
/** The wires that begin or end at an item. */
export const wiresAt = (scene, item) => wiresBy(scene).get(item) ?? [];
/** The wire that shows an edge: its own, or that between two boxes; none within one. */
export function wireOf({ argOf, ownerOf }, scene, e) {
  const arg = itemIn(scene, argOf[e]),
    node = itemIn(scene, ownerOf[e]);
  if (arg === node) return null;
  const isIt = (wire) => (scene.flat ? wire.edge === e : wire.arg === arg && wire.node === node);
  const isThere = scene.rects.has(arg) && scene.rects.has(node);
  return wiresAt(scene, node).find(isIt) ?? (isThere ? { arg, node } : null);
}
