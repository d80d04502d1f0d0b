// Routes: the ways of wires between cards

import { GAP } from "./arrange.js";

/** A point on a chain of cubic curves, at a share of the way. */
export function pointOn(points, share) {
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

export const FEW_WIRES = 500; // up to so many, each finds its way around the cards
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
function detours({ isGroup }, scene, { arg, node }) {
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
    [ax, out],
    [ax, lane],
    [ax, lane],
    [ax + 10 * way, lane],
    [ax + 20 * way, lane],
    [end - 20 * way, lane],
    [end - 10 * way, lane],
    [far + 20 * way, lane],
    [far + 20 * way, by],
    [end, by],
  ];
  return [
    ...lanes(a, b, shadow),
    [
      [ax, out],
      [ax, out + sag],
      [bx, into - sag],
      [bx, into],
    ],
    [
      [ax, out],
      [ax, by],
      [beside[0] + 40 * beside[1], by],
      [beside[0], by],
    ],
    [
      [a.x + a.w, ay],
      [right, ay],
      [right, by],
      [b.x + b.w + shadow, by],
    ],
    [
      [a.x, ay],
      [left, ay],
      [left, by],
      [b.x, by],
    ],
    along,
  ];
}
const TURN = 22; // the way on which a wire changes into a lane; cards stand a little wider apart
/** Ways out beside a card, along above or below its row, and in from the side where they come from. */
function lanes(a, b, shadow) {
  const [ay, by] = [a.y + a.h / 2, b.y + b.h / 2],
    way = b.x + b.w / 2 > a.x + a.w / 2 ? 1 : -1,
    [start, end] = way > 0 ? [a.x + a.w, b.x] : [a.x, b.x + b.w + shadow],
    turn = start + TURN * way,
    last = end - 1.5 * TURN * way,
    third = (last - turn) / 3;
  if (third * way <= 0) return [];
  const rows = by > ay ? [a.y + a.h + 12, a.y - 6] : [a.y - 6, a.y + a.h + 12];
  return rows.map((y) => [
    [start, ay],
    [start + 14 * way, ay],
    [start + 8 * way, y],
    [turn, y],
    [turn + third, y],
    [last - third, y],
    [last, y],
    [last + TURN * way, y],
    [end - TURN * way, by],
    [end, by],
  ]);
}
/** The points of a wire, as a chain of cubic curves. */
export function route(run, scene, wire) {
  if (wire.route?.length) {
    const points = [];
    for (let i = 0, x = 0, y = 0; i < wire.route.length; i += 2) {
      x += wire.route[i];
      y += wire.route[i + 1];
      points.push([x, y]);
    }
    return points;
  }
  if (scene.wires.length > FEW_WIRES) return directRoute(run, scene, wire);
  wire.points ??= freeRoute(run, scene, wire);
  return wire.points;
}
function freeRoute(run, scene, wire) {
  const direct = directRoute(run, scene, wire);
  // A wire that runs behind a card would seem to come from it.
  let best = direct,
    least = covered(scene, wire, direct);
  for (const points of least ? detours(run, scene, wire) : []) {
    const found = covered(scene, wire, points);
    if (found < least) [best, least] = [points, found];
  }
  return best;
}
function directRoute({ isGroup, firstArg }, scene, wire) {
  const a = scene.rects.get(wire.arg),
    b = scene.rects.get(wire.node);
  const ay = a.y + a.h / 2,
    by = b.y + b.h / 2,
    ax = a.x + a.w / 2,
    bx = b.x + b.w / 2;
  const middle = (firstArg[wire.node] + firstArg[wire.node + 1] - 1) / 2,
    lift = wire.edge === undefined ? 0 : 6 * (wire.edge - middle);
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

/** A place on a wire, or beside it, for something of a size: where it covers no card, if there is one. */
export function freePlace(rects, points, w, h) {
  const overlap = ([x, y]) => {
    let area = 0;
    for (const r of rects) {
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
        area = overlap([x, y + aside]);
      if (area < least) [best, least] = [[x, y + aside], area];
      if (!area) return best;
    }
  return best;
}
