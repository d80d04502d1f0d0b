// Routes: the ways of wires between cards

import { spread } from "./arrange.js";
import { alongLanes, doorsOf, gridOf, setApart, wayTo } from "./lanes.js";

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

const FEW_WIRES = 5000; // up to so many, each finds its way around the cards
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
  if (!wire.points) routeAll(run, scene, [wire]);
  return wire.points;
}
/** The points of a wire whose way nobody has found yet. */
export const directly = (run, scene, wire) => directRoute(run, wire, endsOf(scene, wire), MIDDLE);
const endsOf = (scene, { arg, node }) => [scene.rects.get(arg), scene.rects.get(node)];
const MIDDLE = { out: 0, in: 0 }; // where wires leave a card, and where they come in, beside the middle of a side
const BESIDE = { out: -9, in: 9 }; // where there are both: else one would seem to go on in the other

/**
 * Finds the ways of wires, as far as they have none: none runs behind a card, as it would seem to come from it,
 * and none in another.
 */
export function routeAll(run, scene, wires) {
  const found = wires.filter(({ points, route: laid }) => !points && !laid?.length),
    isFew = !scene.isLaid && scene.wires.length <= FEW_WIRES;
  scene.lanes ??= isFew ? lanesOf(scene) : null;
  const { lanes } = scene;
  for (const wire of lanes ? found : []) {
    const ends = endsOf(scene, wire),
      isBent = isCovered(lanes.obstacles, ends, directRoute(run, wire, ends, MIDDLE));
    if (isBent && lanes.grid === undefined) lanes.grid = gridOf(lanes.obstacles);
    const turns = isBent && lanes.grid ? wayTo(lanes.grid, ...ends) : null;
    if (!turns) continue;
    setApart(lanes.taken, wire.arg, turns);
    lanes.turns.set(wire, turns);
    lanes.note(wire, turns[0].way, (turns.at(-1).way + 2) % 4);
  }
  for (const wire of found) {
    const ends = endsOf(scene, wire),
      turns = lanes?.turns.get(wire),
      aside = lanes ? lanes.aside(wire, sidesOf(...ends, turns)) : MIDDLE,
      points = pointsOf(run, wire, ends, turns, aside),
      isMoved = aside.out || aside.in;
    wire.points =
      isMoved && isCovered(lanes.obstacles, ends, points)
        ? pointsOf(run, wire, ends, turns, MIDDLE)
        : points;
  }
}
/** What is known of the ways in a scene: what is in the way, and on which sides wires leave cards, and come in. */
function lanesOf(scene) {
  const ports = new Set(),
    port = (item, side, isIn) => 8 * item + 2 * side + isIn,
    obstacles = [...scene.items.map((item) => scene.rects.get(item)), ...(scene.titles ?? [])];
  const note = ({ arg, node }, out, into) => {
    ports.add(port(arg, out, 0));
    ports.add(port(node, into, 1));
  };
  const doors = fanDoors(scene);
  const aside = (wire, [out, into]) => {
    const { arg, node, ends } = wire,
      isIn = ends && wire.outside === arg;
    if (ends) return { out: isIn ? 0 : doors.get(wire), in: isIn ? doors.get(wire) : 0 };
    return {
      out: ports.has(port(arg, out, 1)) ? BESIDE.out : 0,
      in: ports.has(port(node, into, 0)) ? BESIDE.in : 0,
    };
  };
  for (const wire of scene.wires) note(wire, ...sidesOf(...endsOf(scene, wire)));
  return { obstacles, note, aside, taken: new Map(), turns: new Map() };
}
const DOORS = 18; // how far apart wires end at the side of a frame, at least
/** Where each wire of a fan ends at its frame, beside the middle of a side: level with its other end, if it can. */
function fanDoors(scene) {
  const sides = new Map(),
    doors = new Map();
  for (const wire of scene.wires)
    if (wire.ends) {
      const isIn = wire.outside === wire.arg,
        frame = scene.rects.get(isIn ? wire.node : wire.arg),
        { x, y, w, h } = scene.rects.get(wire.outside),
        side = sidesOf(...endsOf(scene, wire))[isIn ? 1 : 0],
        key = `${isIn ? wire.node : wire.arg} ${side}`,
        isLevel = side % 2 === 0,
        middle = isLevel ? frame.y + frame.h / 2 : frame.x + frame.w / 2,
        most = Math.max(0, (isLevel ? frame.h : frame.w) / 2 - 2 * DOORS),
        wish = (isLevel ? y + h / 2 : x + w / 2) - middle;
      if (!sides.has(key)) sides.set(key, []);
      sides.get(key).push({ wire, wish: Math.max(-most, Math.min(most, wish)) });
    }
  for (const its of sides.values()) {
    its.sort((a, b) => a.wish - b.wish);
    const places = spread(
      its.map(({ wish }) => wish),
      its.map(() => 0),
      DOORS,
    );
    for (const [k, { wire }] of its.entries()) doors.set(wire, places[k]);
  }
  return doors;
}
/** Where it is written of how many turns a fan is: at its frame. */
export function timesAt(points, isIn) {
  const [[px, py], [x, y]] = isIn ? points.slice(-2) : [points[1], points[0]],
    far = Math.hypot(px - x, py - y) || 1,
    [dx, dy] = [(px - x) / far, (py - y) / far];
  return Math.abs(dx) >= Math.abs(dy) ? [x + 17 * dx, y - 5] : [x + 17, y + 17 * dy + 4];
}
/** A box has a shadow, to its right and below, at which wires end. */
const shadowOf = ({ isGroup }, { node, ends, outside }) =>
  isGroup(node) && !(ends && outside !== node) ? 7 : 0;
function pointsOf(run, wire, ends, turns, aside) {
  if (!turns) return directRoute(run, wire, ends, aside);
  const sides = sidesOf(...ends, turns);
  const port = (rect, shadow, side, by) => {
    const [x, y] = doorsOf(rect, shadow)[side];
    return side % 2 ? [x + by, y] : [x, y + by];
  };
  const start = port(ends[0], 0, sides[0], aside.out),
    end = port(ends[1], shadowOf(run, wire), sides[1], aside.in);
  return alongLanes(turns, start, end);
}
/** On which sides a wire leaves one card and comes into another: 0 for right, 1 below, 2 left, 3 above. */
function sidesOf(a, b, turns) {
  if (turns) return [turns[0].way, (turns.at(-1).way + 2) % 4];
  if (b.x >= a.x + a.w - 4) return [0, 2];
  if (b.x + b.w <= a.x + 4) return [2, 0];
  return b.y + b.h / 2 >= a.y + a.h / 2 ? [1, 3] : [3, 1];
}
function directRoute(run, wire, [a, b], aside) {
  const { firstArg } = run,
    [out, into] = sidesOf(a, b),
    [[ax, ay], [bx, by]] = [doorsOf(a, 0)[out], doorsOf(b, shadowOf(run, wire))[into]];
  if (out % 2) {
    const sag = ((out === 1 ? 1 : -1) * Math.max(16, Math.abs(by - ay))) / 2;
    return [
      [ax + aside.out, ay],
      [ax + aside.out, ay + sag],
      [bx + aside.in, by - sag],
      [bx + aside.in, by],
    ];
  }
  const middle = (firstArg[wire.node] + firstArg[wire.node + 1] - 1) / 2,
    lift = wire.edge === undefined ? 0 : 6 * (wire.edge - middle),
    end = by + aside.in + Math.max(-b.h / 3, Math.min(b.h / 3, lift)),
    bend = (out ? -1 : 1) * Math.max(24, Math.abs(bx - ax) / 2);
  return [
    [ax, ay + aside.out],
    [ax + bend, ay + aside.out],
    [bx - bend, end],
    [bx, end],
  ];
}

const ASIDE = 2; // steps in which a place is looked for beside a wire
const FARTHEST = 36; // of them
/** The middle of a place on a wire, or near it, for something of a size: where it covers no card, if there is one. */
export function freePlace(rects, points, w, h) {
  const overlap = (x, y) => {
    let area = 0;
    for (const r of rects) {
      const across = Math.min(x + w / 2, r.x + r.w) - Math.max(x - w / 2, r.x),
        down = Math.min(y + h / 2, r.y + r.h) - Math.max(y - h / 2, r.y);
      if (across > 0 && down > 0) area += across * down;
    }
    return area;
  };
  let best = null,
    least = Infinity;
  for (let k = 0; k <= 2 * FARTHEST; k++) {
    const aside = ASIDE * Math.ceil(k / 2) * (k % 2 ? -1 : 1);
    for (const share of [0.5, 0.4, 0.6, 0.3, 0.7, 0.2, 0.8])
      for (const along of [0, -w / 2, w / 2]) {
        const [x, y] = pointOn(points, share),
          area = overlap(x + along, y + aside);
        if (area < least) [best, least] = [[x + along, y + aside], area];
        if (!area) return best;
      }
  }
  return best;
}
