// The scene: which boxes and nodes are shown, where they stand, and the wires between them

const FRAME = { top: 34, side: 16, bottom: 16 };
const BOX = [168, 64];
const BUNDLE = 40; // wires between two boxes that are open before they are one
const sizeOf = (item) => (isGroup(item) ? BOX : data.card);

/**
 * What is to be drawn: `items` with their rectangles, `frames` around what is open, `wires`.
 * `of` is the item that shows a node, `leaving` whether a node's value leaves its item.
 */
function makeScene(open, sample) {
  const { found: of, size } = shownBy(open, sample);
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
      path = [item, ...around(item).filter(isOpen).map((g) => count + g), -1];
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
    let link = links.get(key);
    if (!link) links.set(key, (link = { box: from[d], arg: from[d + 1], node: to[d + 1], pairs: new Set() }));
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
      isGroup(item) && children.has(item - count) ? lay(item - count) : sizeOf(item),
    );
    const edges = (inside.get(g) ?? []).map(({ arg, node }) => [place.get(arg), place.get(node)]);
    const found = arrange(sizes, edges);
    laid.set(g, { list, sizes, ...found });
    const title = g < 0 ? 0 : 9 * groups[g].title.length + 90;
    return [Math.max(found.width, title) + 2 * FRAME.side, found.height + FRAME.top + FRAME.bottom];
  };
  lay(-1);
  const scene = { of, leaving, open, sample, size, items: [], frames: [], rects: new Map(), wires: [], bounds: null };
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
    else for (const pair of pairs) scene.wires.push({ arg: Math.floor(pair / all), node: pair % all });
  if (scene.wires.length <= FEW_WIRES)
    for (const [x] of scene.wires.flatMap((wire) => route(scene, wire))) {
      scene.bounds.left = Math.min(scene.bounds.left, x);
      scene.bounds.right = Math.max(scene.bounds.right, x);
    }
  return scene;
}

/** The scene of a graph of ordinary size with every node shown: as Graphviz has laid it out. */
function flatScene() {
  const [w, h] = data.card;
  const scene = {
    of: Int32Array.from({ length: count }, (_, i) => i),
    leaving: new Uint8Array(count).fill(1),
    open: levels[OP].open,
    sample: -1,
    items: Array.from({ length: count }, (_, i) => i),
    frames: [],
    rects: new Map(),
    wires: [],
    flat: true,
  };
  const bounds = { left: Infinity, top: Infinity, right: -Infinity, bottom: -Infinity };
  for (let node = 0; node < count; node++) {
    const [x, y] = [data.at[2 * node] - w / 2, data.at[2 * node + 1] - h / 2];
    scene.rects.set(node, { x, y, w, h });
    bounds.left = Math.min(bounds.left, x);
    bounds.right = Math.max(bounds.right, x + w);
    bounds.top = Math.min(bounds.top, y);
    bounds.bottom = Math.max(bounds.bottom, y + h);
  }
  for (let e = 0; e < argOf.length; e++)
    if (argOf[e] >= 0)
      scene.wires.push({ arg: argOf[e], node: ownerOf[e], edge: e, route: data.routes[scene.wires.length] });
  return { ...scene, bounds };
}

const FEW_WIRES = 500; // up to so many, each finds its way around the cards
/** How much of a route lies behind cards that it has nothing to do with. */
function covered(scene, { arg, node }, points) {
  let found = 0;
  for (let k = 1; k < 16; k++) {
    const [x, y] = pointOn(points, k / 16);
    for (const item of scene.items) {
      if (item === arg || item === node) continue;
      const r = scene.rects.get(item);
      if (x > r.x && x < r.x + r.w && y > r.y && y < r.y + r.h) found++;
    }
  }
  return found;
}
/** Other ways from card to card: out below, and in from above, or from a side; out and in on one side. */
function detours(scene, { arg, node }) {
  const a = scene.rects.get(arg),
    b = scene.rects.get(node),
    shadow = isGroup(node) ? 7 : 0,
    [ax, ay, bx, by] = [a.x + a.w / 2, a.y + a.h / 2, b.x + b.w / 2, b.y + b.h / 2],
    down = by > ay,
    out = down ? a.y + a.h : a.y,
    into = down ? b.y : b.y + b.h + shadow,
    sag = (into - out) / 2,
    right = Math.max(a.x + a.w, b.x + b.w) + 28,
    left = Math.min(a.x, b.x) - 28;
  const beside = bx > ax ? [b.x, -1] : [b.x + b.w + shadow, 1];
  // Out below, along between two rows, and in from the far side.
  const lane = out + (down ? 14 : -14),
    [far, end] = bx > ax ? [right, b.x + b.w + shadow] : [left, b.x],
    way = Math.sign(far - ax);
  const along = [
    [ax, out], [ax, lane], [ax, lane], [ax + 10 * way, lane], [ax + 20 * way, lane], [end - 20 * way, lane],
    [end - 10 * way, lane], [far + 20 * way, lane], [far + 20 * way, by], [end, by],
  ];
  return [
    [[ax, out], [ax, out + sag], [bx, into - sag], [bx, into]],
    [[ax, out], [ax, by], [beside[0] + 40 * beside[1], by], [beside[0], by]],
    [[a.x + a.w, ay], [right, ay], [right, by], [b.x + b.w + shadow, by]],
    [[a.x, ay], [left, ay], [left, by], [b.x, by]],
    along,
  ];
}
/** The points of a wire, as a chain of cubic curves. */
function route(scene, wire) {
  if (wire.route?.length) {
    const points = [];
    for (let i = 0, x = 0, y = 0; i < wire.route.length; i += 2)
      points.push([(x += wire.route[i]), (y += wire.route[i + 1])]);
    return points;
  }
  if (scene.wires.length > FEW_WIRES) return directRoute(scene, wire);
  return (wire.points ??= freeRoute(scene, wire));
}
function freeRoute(scene, wire) {
  const direct = directRoute(scene, wire);
  // A wire that runs behind a card would seem to come from it.
  let best = direct,
    least = covered(scene, wire, direct);
  for (const points of least ? detours(scene, wire) : []) {
    const found = covered(scene, wire, points);
    if (found < least) [best, least] = [points, found];
  }
  return best;
}
function directRoute(scene, wire) {
  const a = scene.rects.get(wire.arg),
    b = scene.rects.get(wire.node);
  const ay = a.y + a.h / 2,
    by = b.y + b.h / 2,
    ax = a.x + a.w / 2,
    bx = b.x + b.w / 2;
  const lift = wire.edge === undefined ? 0 : 6 * (slotOf(wire.edge) - (firstArg[wire.node + 1] - firstArg[wire.node] - 1) / 2);
  const end = by + Math.max(-b.h / 3, Math.min(b.h / 3, lift));
  const beside = (from, to, way) => {
    const far = Math.abs(to - from);
    // What lies between two boxes of a row is passed above.
    if (far > 2.4 * GAP.x && Math.abs(ay - by) < Math.max(a.h, b.h) / 2) {
      const top = Math.min(a.y, b.y) - 26 - Math.min(40, far / 24);
      return [
        [from, ay - a.h / 4],
        [from + way * 40, top],
        [to - way * 40, top],
        [to, by - b.h / 4],
      ];
    }
    const bend = Math.max(24, far / 2);
    return [
      [from, ay],
      [from + way * bend, ay],
      [to - way * bend, end],
      [to, end],
    ];
  };
  if (b.x >= a.x + a.w - 4) return beside(a.x + a.w, b.x, 1);
  const shadow = isGroup(wire.node) ? 7 : 0; // of a box, to the right and below
  if (b.x + b.w <= a.x + 4) return beside(a.x, b.x + b.w + shadow, -1);
  const down = by >= ay,
    from = down ? a.y + a.h : a.y,
    to = down ? b.y : b.y + b.h + shadow;
  const sag = ((down ? 1 : -1) * Math.max(16, Math.abs(to - from))) / 2;
  return [
    [ax, from],
    [ax, from + sag],
    [bx, to - sag],
    [bx, to],
  ];
}
