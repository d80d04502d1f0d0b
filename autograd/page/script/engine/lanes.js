// Lanes: ways along the gaps between cards, for wires that would run behind one

const ASIDE = 9; // how far from a card a lane runs: half of the least gap
const CLEAR = 4; // how far from a card it runs at least, be it a little to one side
const APART = 3; // lanes that are nearer to each other are one
const MOST = 8_000; // crossings of lanes, beyond which nobody follows a single wire
const TURN = 40; // the way that a turn is worth
const ROUND = 9; // the radius of a turn
const DX = [1, 0, -1, 0], // right, down, left, up
  DY = [0, 1, 0, -1];

const sorted = (numbers) =>
  [...numbers].sort((a, b) => a - b).filter((x, i, all) => !i || x - all[i - 1] > 0);
/** The lanes of one direction, by where they lie: on both sides of each card, and through its middle. */
function lanes(spans) {
  const found = [];
  for (const x of sorted(
    spans.flatMap(([at, size]) => [at - ASIDE, at + size / 2, at + size + ASIDE]),
  ))
    if (!found.length || x - found.at(-1) >= APART) found.push(x);
  return found;
}
/** The first lane at a place or beyond. */
function from(lines, at) {
  let low = 0,
    high = lines.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (lines[middle] < at) low = middle + 1;
    else high = middle;
  }
  return low;
}
const nearest = (lines, at) => {
  const i = from(lines, at);
  return i > 0 && (i === lines.length || at - lines[i - 1] < lines[i] - at) ? i - 1 : i;
};

/** The lanes between cards, and where cards lie across them; null if there are too many. */
export function gridOf(rects) {
  const xs = lanes(rects.map(({ x, w }) => [x, w])),
    ys = lanes(rects.map(({ y, h }) => [y, h])),
    across = xs.length;
  if (across * ys.length > MOST) return null;
  // Whether the way from a crossing to the right, or down, is closed.
  const closed = [new Uint8Array(across * ys.length), new Uint8Array(across * ys.length)];
  for (const { x, y, w, h } of rects) {
    const [left, right, top, bottom] = [
      from(xs, x - CLEAR),
      from(xs, x + w + CLEAR),
      from(ys, y - CLEAR),
      from(ys, y + h + CLEAR),
    ];
    for (let j = top; j < bottom; j++)
      for (let i = left - 1; i < right; i++) if (i >= 0) closed[0][j * across + i] = 1;
    for (let i = left; i < right; i++)
      for (let j = top - 1; j < bottom; j++) if (j >= 0) closed[1][j * across + i] = 1;
  }
  const states = 4 * across * ys.length;
  return {
    ...{ xs, ys, closed, searches: 0 },
    // Of each state, what is known of it: in which search, what it costs, where it comes from.
    ...{ found: new Int32Array(states), left: new Int32Array(states) },
    ...{ costs: new Float64Array(states), before: new Int32Array(states) },
  };
}

/** The crossing beside each side of a card, right, below, left, above, and the point on its edge; `shadow` lies right and below. */
const doors = ({ xs, ys }, { x, y, w, h }, shadow) => [
  [nearest(xs, x + w + ASIDE), nearest(ys, y + h / 2), [x + w + shadow, y + h / 2]],
  [nearest(xs, x + w / 2), nearest(ys, y + h + ASIDE), [x + w / 2, y + h + shadow]],
  [nearest(xs, x - ASIDE), nearest(ys, y + h / 2), [x, y + h / 2]],
  [nearest(xs, x + w / 2), nearest(ys, y - ASIDE), [x + w / 2, y]],
];

/** The corners of the shortest way from card to card with few turns; null if there is none. */
function corners(grid, a, b, shadow, aside) {
  const { xs, ys, closed, found, left, costs, before } = grid,
    search = ++grid.searches,
    across = xs.length,
    queue = [], // of states by what their way costs at least: crossings, and the way to come there
    exits = doors(grid, a, 0),
    entries = doors(grid, b, shadow),
    goals = entries.map(([i, j], side) => 4 * (j * across + i) + ((side + 2) % 4)),
    [bx, by, beyond] = [b.x + b.w / 2, b.y + b.h / 2, b.w + b.h];
  const reach = (i, j, way, cost, previous) => {
    const state = 4 * (j * across + i) + way;
    if (found[state] === search && cost >= costs[state]) return;
    found[state] = search;
    costs[state] = cost;
    before[state] = previous;
    const rest = Math.abs(xs[i] - bx) + Math.abs(ys[j] - by) - beyond,
      rank = Math.ceil(cost + Math.max(0, rest));
    queue[rank] ??= [];
    queue[rank].push(state);
  };
  for (const [way, [i, j]] of exits.entries()) reach(i, j, way, 0, -1);
  for (let rank = 0; rank < queue.length; rank++)
    for (const state of queue[rank] ?? []) {
      if (left[state] === search) continue;
      left[state] = search;
      const here = state >> 2,
        way = state & 3,
        i = here % across,
        j = Math.floor(here / across);
      if (goals.includes(state)) {
        const turns = []; // the ways, each with the lane that it takes
        for (let at = state; at >= 0; at = before[at])
          if (turns[0]?.way !== (at & 3)) turns.unshift({ way: at & 3, lane: laneOf(grid, at) });
        for (const turn of turns.slice(1, -1)) turn.lane += aside;
        const [start, end] = [exits[turns[0].way][2], entries[goals.indexOf(state)][2]];
        turns[0].lane = start[1 - (turns[0].way % 2)];
        turns.at(-1).lane = end[1 - (way % 2)];
        const corner = ({ way, lane }, k) =>
          way % 2 ? [lane, turns[k].lane] : [turns[k].lane, lane];
        return [start, ...turns.slice(1).map(corner), end];
      }
      for (let turned = 0; turned < 4; turned++) {
        const ni = i + DX[turned],
          nj = j + DY[turned];
        if ((turned + 2) % 4 === way || !(ni in xs) || !(nj in ys)) continue;
        if (closed[turned % 2][Math.min(here, nj * across + ni)]) continue;
        const far = Math.abs(xs[ni] - xs[i]) + Math.abs(ys[nj] - ys[j]);
        reach(ni, nj, turned, costs[state] + far + (turned === way ? 0 : TURN), state);
      }
    }
  return null;
}
/** Where the lane lies that a state's way takes. */
const laneOf = ({ xs, ys }, state) =>
  state % 2 ? xs[(state >> 2) % xs.length] : ys[Math.floor((state >> 2) / xs.length)];

/** A chain of cubic curves along straight ways, whose corners are rounded. */
function rounded(points) {
  const found = [points[0]];
  const toward = ([x, y], [toX, toY], far) => {
    const share = far / (Math.hypot(toX - x, toY - y) || 1);
    return [x + (toX - x) * share, y + (toY - y) * share];
  };
  const add = (at) => found.push(found.at(-1), found.at(-1), at);
  for (const [k, at] of points.slice(1, -1).entries()) {
    const [last, next] = [points[k], points[k + 2]],
      half = ([x, y]) => Math.hypot(at[0] - x, at[1] - y) / 2,
      far = Math.min(ROUND, half(last), half(next));
    add(toward(at, last, far));
    found.push(toward(at, last, far / 2), toward(at, next, far / 2), toward(at, next, far));
  }
  add(points.at(-1));
  return found;
}

/**
 * The points of a wire from card to card along the gaps between all, a little to one side of their
 * middle, as a chain of cubic curves; null if there is no way.
 */
export function alongLanes(grid, a, b, shadow, aside) {
  const found = grid && corners(grid, a, b, shadow, aside);
  return found ? rounded(found) : null;
}
