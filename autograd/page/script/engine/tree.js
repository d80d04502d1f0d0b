// The tree: boxes in boxes, from one for the network down to what is alike; nodes are its leaves.
// A box is an item with a number from `count` on, a node an item with its own number.

import { unpack } from "./unpack.js";

const LEGIBLE = 40; // boxes that a page opens with, where it has more nodes than it could show
const ALL = 60; // nodes that it shows one by one

/** Of a level: how many nodes each box has, and the first and the last of them. */
function membersOf(box) {
  const sizes = [],
    firsts = [],
    lasts = [];
  box.forEach((b, node) => {
    sizes[b] = (sizes[b] ?? 0) + 1;
    firsts[b] ??= node;
    lasts[b] = node;
  });
  return { sizes, firsts, lasts };
}

/**
 * The tree of the page's data: `groups`, what is known of each box, `turns` being those of what repeats in it; `groupOf`, the finest box around
 * each node; `levels`, each with what is open when all its boxes are shown, the last showing nodes.
 */
export function makeTree(data, count) {
  const groups = [], // { level, title, times, about, parent, size, last, depth }
    groupOf = new Int32Array(count).fill(-1),
    levels = [];
  /** Notes in the boxes that are there so far how many turns each is made of, if of nothing else. */
  function countTurns(turn, sizes, firsts) {
    const found = new Map();
    turn.forEach((which, b) => {
      const outer = groupOf[firsts[b]];
      if (which === null || outer < 0) return;
      if (!found.has(outer)) found.set(outer, { size: 0, turns: new Set() });
      found.get(outer).size += sizes[b];
      found.get(outer).turns.add(which);
    });
    for (const [outer, { size, turns }] of found)
      if (size === groups[outer].size) groups[outer].turns = turns.size;
  }
  for (const [l, level] of data.levels.entries()) {
    const box = unpack(level.box),
      { sizes, firsts, lasts } = membersOf(box),
      open = new Set();
    const made = sizes.map((size, b) => {
      const parent = groupOf[firsts[b]];
      for (let g = parent; g >= 0; g = groups[g].parent) if (groups[g].size > size) open.add(g);
      // What a box would hold alone needs none of its own.
      if (size === 1 || (parent >= 0 && groups[parent].size === size)) return parent;
      const { [b]: title } = level.titles,
        { [b]: times } = level.times,
        { [b]: about } = level.about,
        depth = parent < 0 ? 0 : groups[parent].depth + 1;
      return (
        groups.push({
          level: l,
          title,
          times,
          about,
          parent,
          size,
          last: lasts[b],
          depth,
          turns: 0,
        }) - 1
      );
    });
    if (level.turn) countTurns(level.turn, sizes, firsts);
    box.forEach((b, node) => {
      groupOf[node] = made[b];
    });
    // Of two levels called alike, the first has fewer boxes.
    if (level.name !== data.levels[l - 1]?.name && level.name !== "alike")
      levels.push({ name: level.name, boxes: sizes.length, open });
  }
  levels.push({ name: "op", boxes: count, open: new Set(groups.keys()) });
  const shown = levels.filter(({ name }) => data.shown.includes(name));

  const isGroup = (item) => item >= count;
  const parentOf = (item) => (isGroup(item) ? groups[item - count].parent : groupOf[item]);
  /** The boxes around an item, from the innermost out. */
  const around = (item) => {
    const found = [];
    for (let g = parentOf(item); g >= 0; g = groups[g].parent) found.push(g);
    return found;
  };
  const lastOf = (item) => (isGroup(item) ? groups[item - count].last : item);
  return { groups, groupOf, levels: shown, isGroup, parentOf, around, lastOf };
}

/** The level to open at: every node if they are few, else the finest level of few boxes. */
export function firstLevel({ count, levels }) {
  if (count <= ALL) return levels.length - 1;
  return Math.max(
    0,
    levels.findLastIndex(({ boxes }) => boxes <= LEGIBLE),
  );
}
/** The level that shows what is open now; -1 for none. */
export const levelOf = ({ levels }, open) =>
  levels.findIndex(
    (level) => level.open.size === open.size && [...open].every((g) => level.open.has(g)),
  );

/** Which item shows each node, -1 where it is of another sample: a node of itself, or its outermost closed box. */
export function shownBy({ count, groups, groupOf, sampleOf }, open, sample) {
  const size = new Uint32Array(groups.length);
  const isThere = (node) => sample < 0 || sampleOf[node] < 0 || sampleOf[node] === sample;
  for (let node = 0; node < count; node++)
    if (isThere(node)) for (let g = groupOf[node]; g >= 0; g = groups[g].parent) size[g]++;
  const closed = groups.map(() => -1);
  groups.forEach(({ parent }, g) => {
    const isClosed = size[g] > 1 && !open.has(g);
    closed[g] = parent >= 0 && closed[parent] >= 0 ? closed[parent] : isClosed ? g : -1;
  });
  const found = new Int32Array(count);
  for (let node = 0; node < count; node++) {
    const g = groupOf[node];
    found[node] = !isThere(node) ? -1 : g < 0 || closed[g] < 0 ? node : count + closed[g];
  }
  return { found, size };
}
