// Routes: the ways of wires between cards

import { alongLanes, gridOf } from "./lanes.js";

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
const NEAR = 5; // how far apart are the points at which a wire is looked at
/** Whether a wire would run behind a card, or over a title, that it has nothing to do with. */
function isCovered(obstacles, ends, points) {
  const xs = points.map(([x]) => x),
    ys = points.map(([, y]) => y),
    [left, right, top, bottom] = [
      Math.min(...xs),
      Math.max(...xs),
      Math.min(...ys),
      Math.max(...ys),
    ],
    near = obstacles.filter(
      (r) =>
        !ends.includes(r) && r.x < right && r.x + r.w > left && r.y < bottom && r.y + r.h > top,
    );
  if (!near.length) return false;
  const steps = Math.max(16, Math.ceil((right - left + bottom - top) / NEAR));
  for (let k = 1; k < steps; k++) {
    const [x, y] = pointOn(points, k / steps);
    if (near.some((r) => x > r.x && x < r.x + r.w && y > r.y && y < r.y + r.h)) return true;
  }
  return false;
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
/** Wires that lie in one lane are told apart: their places beside its middle. */
const BESIDE = [0, -3, 3];
function freeRoute(run, scene, wire) {
  const direct = directRoute(run, scene, wire),
    ends = [scene.rects.get(wire.arg), scene.rects.get(wire.node)];
  scene.obstacles ??= [
    ...scene.items.map((item) => scene.rects.get(item)),
    ...(scene.titles ?? []),
  ];
  if (!isCovered(scene.obstacles, ends, direct)) return direct;
  // A wire that runs behind a card would seem to come from it.
  if (scene.grid === undefined) scene.grid = gridOf(scene.obstacles);
  scene.bent = (scene.bent ?? -1) + 1;
  const shadow = run.isGroup(wire.node) ? 7 : 0; // of a box, to the right and below
  return alongLanes(scene.grid, ...ends, shadow, BESIDE[scene.bent % 3]) ?? direct;
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
    const bend = Math.max(24, Math.abs(to - from) / 2);
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
