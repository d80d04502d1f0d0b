// The scene: which boxes and nodes are shown, where they stand, and the wires between them

import { arrange } from "./arrange.js";
import { FEW_WIRES, route } from "./routes.js";
import { shownBy } from "./tree.js";

export const FRAME = { top: 34, side: 16, bottom: 16 };
const BOX = [168, 64];
const BUNDLE = 40; // wires between two boxes that are open before they are one

/**
 * What is to be drawn: `items` with their rectangles, `frames` around what is open, `wires`.
 * `of` is the item that shows a node, `leaving` whether a node's value leaves its item.
 */
function boxScene(run, open, sample, pane) {
  const { count, root, groups, isGroup, parentOf, around, lastOf, argOf, ownerOf } = run,
    { found: of, size } = shownBy(run, open, sample);
  const leaving = new Uint8Array(count);
  leaving[root] = 1;
  const isOpen = (g) => open.has(g) && size[g] > 1;
  const children = new Map([[-1, []]]); // of each open box; -1 is around all
  const seen = new Set();
  const add = (item) => {
    if (seen.has(item)) return;
    seen.add(item);
    let parent = parentOf(item);
    while (parent >= 0 && !isOpen(parent)) parent = groups[parent].parent;
    if (!children.has(parent)) children.set(parent, []);
    children.get(parent).push(item);
    if (parent >= 0) add(count + parent);
  };
  for (let node = 0; node < count; node++) if (of[node] >= 0) add(of[node]);
  for (const list of children.values()) list.sort((a, b) => lastOf(a) - lastOf(b));

  // The path of an item: itself, and the open boxes around it.
  const paths = new Map();
  const pathOf = (item) => {
    let path = paths.get(item);
    if (!path) {
      path = [
        item,
        ...around(item)
          .filter(isOpen)
          .map((g) => count + g),
        -1,
      ];
      paths.set(item, path.reverse());
    }
    return path;
  };
  const all = count + groups.length,
    links = new Map(); // by the two parts of a box that edges lead between: those edges' items
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
    const key = from[d + 1] * all + to[d + 1];
    if (!links.has(key)) {
      const [arg, node] = [from[d + 1], to[d + 1]];
      links.set(key, { box: from[d], arg, node, pairs: new Set() });
    }
    const link = links.get(key);
    if (link.pairs.size <= BUNDLE) link.pairs.add(a * all + b);
  }
  const inside = new Map(); // of each open box: its links
  for (const link of links.values()) {
    const g = link.box < 0 ? -1 : link.box - count;
    if (!inside.has(g)) inside.set(g, []);
    inside.get(g).push(link);
  }

  // From the inside out: how large each open box is; then from the outside in: where it stands.
  const laid = new Map();
  const lay = (g) => {
    const list = children.get(g),
      place = new Map(list.map((item, i) => [item, i]));
    const sizes = list.map((item) =>
      isGroup(item) && children.has(item - count)
        ? lay(item - count)
        : isGroup(item)
          ? BOX
          : run.card,
    );
    const edges = (inside.get(g) ?? []).map(({ arg, node }) => [place.get(arg), place.get(node)]);
    const found = arrange(sizes, edges, pane);
    laid.set(g, { list, sizes, ...found });
    const title = g < 0 ? 0 : 9 * groups[g].title.length + 90;
    return [Math.max(found.width, title) + 2 * FRAME.side, found.height + FRAME.top + FRAME.bottom];
  };
  lay(-1);
  const scene = {
    of,
    leaving,
    open,
    sample,
    size,
    items: [],
    frames: [],
    rects: new Map(),
    wires: [],
    bounds: null,
  };
  const put = (g, left, top) => {
    const { list, sizes, centres } = laid.get(g);
    list.forEach((item, i) => {
      const [w, h] = sizes[i],
        rect = { x: left + centres[i][0] - w / 2, y: top + centres[i][1] - h / 2, w, h };
      scene.rects.set(item, rect);
      if (isGroup(item) && children.has(item - count)) {
        scene.frames.push(item);
        put(item - count, rect.x + FRAME.side, rect.y + FRAME.top);
      } else scene.items.push(item);
    });
  };
  put(-1, 0, 0);
  scene.bounds = { left: 0, top: 0, right: laid.get(-1).width, bottom: laid.get(-1).height };
  for (const { arg, node, pairs } of links.values())
    if (pairs.size > BUNDLE) scene.wires.push({ arg, node, bundle: true });
    else
      for (const pair of pairs) scene.wires.push({ arg: Math.floor(pair / all), node: pair % all });
  if (scene.wires.length <= FEW_WIRES)
    for (const [x] of scene.wires.flatMap((wire) => route(run, scene, wire))) {
      scene.bounds.left = Math.min(scene.bounds.left, x);
      scene.bounds.right = Math.max(scene.bounds.right, x);
    }
  return scene;
}

/** The scene of a graph of ordinary size with every node shown: as Graphviz has laid it out. */
function flatScene({ count, argOf, ownerOf, levels, card: [w, h], at, routes }) {
  const scene = {
    of: Int32Array.from({ length: count }, (_, i) => i),
    leaving: new Uint8Array(count).fill(1),
    open: levels.at(-1).open,
    sample: -1,
    items: Array.from({ length: count }, (_, i) => i),
    frames: [],
    rects: new Map(),
    wires: [],
    flat: true,
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

/** What is to be drawn of a state, in a pane of some size. */
export function sceneOf(run, { open, sample }, pane) {
  const { at, groups, lastOf, isGroup } = run,
    isFlat = sample < 0 && at.length && open.size === groups.length,
    scene = isFlat ? flatScene(run) : boxScene(run, open, sample, pane);
  scene.items.sort((a, b) => lastOf(a) - lastOf(b));
  scene.rank = new Map(scene.items.map((item, i) => [item, i]));
  scene.hasBoxes = scene.items.some(isGroup);
  scene.places = scene.items.map((item) => scene.rects.get(item));
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
/** The wire that shows an edge: its own, or that between two boxes; none within one. */
export function wireOf({ argOf, ownerOf }, scene, e) {
  const arg = itemIn(scene, argOf[e]),
    node = itemIn(scene, ownerOf[e]);
  if (arg === node) return null;
  const isIt = (wire) => (scene.flat ? wire.edge === e : wire.arg === arg && wire.node === node);
  const isThere = scene.rects.has(arg) && scene.rects.has(node);
  return scene.wires.find(isIt) ?? (isThere ? { arg, node } : null);
}
