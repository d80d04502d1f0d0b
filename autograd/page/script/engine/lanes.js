// Lanes: ways along the gaps between cards, for wires that would run behind one

const ASIDE = 9; // how far from a card a lane runs: half of the least gap
const CLEAR = 5; // how far from a card it runs at least, be it a little to one side
const APART = 3; // lanes that are nearer to each other are one
const MOST = 500_000; // crossings of lanes, beyond which nobody follows a single wire
const BUCKET = 4; // ways that differ by less are alike
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
    ...{ costs: new Float32Array(states), before: new Int32Array(states) },
  };
}

/** The middles of a card's sides: right, below, left, above; `shadow` lies right and below. */
export const doorsOf = ({ x, y, w, h }, shadow) => [
  [x + w + shadow, y + h / 2],
  [x + w / 2, y + h + shadow],
  [x, y + h / 2],
  [x + w / 2, y],
];
/** The crossing beside each side of a card. */
const beside = ({ xs, ys }, { x, y, w, h }) => [
  [nearest(xs, x + w + ASIDE), nearest(ys, y + h / 2)],
  [nearest(xs, x + w / 2), nearest(ys, y + h + ASIDE)],
  [nearest(xs, x - ASIDE), nearest(ys, y + h / 2)],
  [nearest(xs, x + w / 2), nearest(ys, y - ASIDE)],
];

/**
 * The shortest way with few turns from a card to another, along the gaps between all: its turns,
 * `{ way, lane }`, where `way` is 0 for right, 1 down, 2 left, 3 up; null if there is none.
 */
export function wayTo(grid, a, b) {
  const { xs, ys, closed, found, left, costs, before } = grid,
    search = ++grid.searches,
    across = xs.length,
    queue = [], // of states by what their way costs at least: crossings, and the way to come there
    goals = beside(grid, b).map(([i, j], side) => 4 * (j * across + i) + ((side + 2) % 4)),
    [bx, by] = [b.x + b.w / 2, b.y + b.h / 2],
    [halfWide, halfHigh] = [b.w / 2 + ASIDE + APART, b.h / 2 + ASIDE + APART];
  const reach = (i, j, way, cost, previous) => {
    const state = 4 * (j * across + i) + way;
    if (found[state] === search && cost >= costs[state]) return;
    found[state] = search;
    costs[state] = cost;
    before[state] = previous;
    const dx = Math.max(0, Math.abs(xs[i] - bx) - halfWide),
      dy = Math.max(0, Math.abs(ys[j] - by) - halfHigh),
      turn = (way % 2 ? dx : dy) ? TURN : 0, // at least one
      rank = Math.ceil((cost + dx + dy + turn) / BUCKET);
    queue[rank] ??= [];
    queue[rank].push(state);
  };
  for (const [way, [i, j]] of beside(grid, a).entries()) reach(i, j, way, 0, -1);
  for (let rank = 0; rank < queue.length; rank++)
    while (queue[rank]?.length) {
      const state = queue[rank].pop();
      if (left[state] === search) continue;
      left[state] = search;
      if (goals.includes(state)) return turnsOf(grid, state);
      const here = state >> 2,
        way = state & 3,
        i = here % across,
        j = Math.floor(here / across);
      for (const turned of [(way + 1) % 4, (way + 3) % 4])
        reach(i, j, turned, costs[state] + TURN, state);
      const ni = i + DX[way],
        nj = j + DY[way];
      if (!(ni in xs) || !(nj in ys)) continue;
      if (closed[way % 2][Math.min(here, nj * across + ni)]) continue;
      const far = Math.abs(xs[ni] - xs[i]) + Math.abs(ys[nj] - ys[j]);
      reach(ni, nj, way, costs[state] + far, state);
    }
  return null;
}
/** The turns of the way to a state. */
function turnsOf(grid, state) {
  const turns = [];
  for (let at = state; at >= 0; at = grid.before[at])
    if (turns[0]?.way !== (at & 3)) turns.unshift({ way: at & 3, lane: laneOf(grid, at) });
  return turns;
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

const TRACKS = [0, -4, 4]; // in one lane, beside its middle
/**
 * Puts the turns of a way beside those of others in the same lanes, unless they come from one card. Of a lane, `taken`
 * has what lies in it: from where to where, whence, and how far aside.
 */
export function setApart(taken, source, turns) {
  for (const [k, turn] of turns.slice(1, -1).entries()) {
    const key = `${turn.way % 2} ${turn.lane}`,
      [low, high] = [turns[k].lane, turns[k + 2].lane].sort((a, b) => a - b);
    if (!taken.has(key)) taken.set(key, []);
    const near = taken.get(key).filter((other) => other.low <= high && other.high >= low),
      isFree = (at) => near.every(({ source: from, aside }) => from === source || aside !== at),
      own = near.find((other) => other.source === source);
    turn.aside = [own?.aside ?? 0, ...TRACKS].find(isFree) ?? 0;
    taken.get(key).push({ low, high, source, aside: turn.aside });
  }
}
/** The points of a way between two places on the edges of cards, as a chain of cubic curves. */
export function alongLanes(turns, start, end) {
  const lanes = turns.map(({ lane, aside = 0 }) => lane + aside),
    last = turns.length - 1;
  lanes[0] = start[1 - (turns[0].way % 2)];
  lanes[last] = end[1 - (turns[last].way % 2)];
  const corner = ({ way }, k) => (way % 2 ? [lanes[k + 1], lanes[k]] : [lanes[k], lanes[k + 1]]);
  return rounded([start, ...turns.slice(1).map(corner), end]);
}
