// The tree: boxes in boxes, from one for the network down to what is alike; nodes are its leaves.
// A box is an item with a number from `count` on, a node an item with its own number.

const groups = []; // what is known of each box: { level, title, times, about, parent, size, last, depth }
const groupOf = new Int32Array(count).fill(-1); // the finest box around each node
const levels = []; // { name, boxes, open }: what is open when all boxes of a level are shown
for (const [l, level] of data.levels.entries()) {
  const box = unpack(level.box),
    sizes = [],
    firsts = [],
    lasts = [];
  for (let node = 0; node < count; node++) {
    sizes[box[node]] = (sizes[box[node]] ?? 0) + 1;
    firsts[box[node]] ??= node;
    lasts[box[node]] = node;
  }
  const open = new Set();
  const made = sizes.map((size, b) => {
    const parent = groupOf[firsts[b]];
    for (let g = parent; g >= 0; g = groups[g].parent) if (groups[g].size > size) open.add(g);
    // What a box would hold alone needs none of its own.
    if (size === 1 || (parent >= 0 && groups[parent].size === size)) return parent;
    const { [b]: title } = level.titles;
    const depth = parent < 0 ? 0 : groups[parent].depth + 1;
    return (
      groups.push({ level: l, title, times: level.times[b], about: level.about[b], parent, size, last: lasts[b], depth }) - 1
    );
  });
  for (let node = 0; node < count; node++) groupOf[node] = made[box[node]];
  // Of two levels called alike, the first has fewer boxes.
  if (level.name !== data.levels[l - 1]?.name && level.name !== "alike")
    levels.push({ name: level.name, boxes: sizes.length, open });
}
levels.push({ name: "op", boxes: count, open: new Set(groups.keys()) });
levels.splice(0, levels.length, ...levels.filter(({ name }) => data.shown.includes(name)));
const OP = levels.length - 1;
const LEGIBLE = 36; // boxes that a page opens with, where it has more nodes than it could show
const FEW = 4; // boxes below which a level says nothing
const ALL = 60; // nodes that it shows one by one

const isGroup = (item) => item >= count;
const parentOf = (item) => (isGroup(item) ? groups[item - count].parent : groupOf[item]);
/** The boxes around an item, from the innermost out. */
function around(item) {
  const found = [];
  for (let g = parentOf(item); g >= 0; g = groups[g].parent) found.push(g);
  return found;
}
const lastOf = (item) => (isGroup(item) ? groups[item - count].last : item);

/** The level to open at: every node if they are few, else the finest level of few boxes. */
const firstLevel = () => {
  if (count <= ALL) return OP;
  const fitting = levels.findLastIndex(({ boxes }) => boxes <= LEGIBLE);
  return fitting < 0 ? 0 : fitting;
};
/** The level that shows what is open now; -1 for none. */
const levelOf = (open) =>
  levels.findIndex((level) => level.open.size === open.size && [...open].every((g) => level.open.has(g)));

/** Which item shows each node, -1 where it is of another sample: a node of itself, or its outermost closed box. */
function shownBy(open, sample) {
  const size = new Uint32Array(groups.length);
  const isThere = (node) => sample < 0 || column.sample[node] < 0 || column.sample[node] === sample;
  for (let node = 0; node < count; node++)
    if (isThere(node)) for (let g = groupOf[node]; g >= 0; g = groups[g].parent) size[g]++;
  const closed = groups.map(() => -1);
  groups.forEach(({ parent }, g) => {
    closed[g] = parent >= 0 && closed[parent] >= 0 ? closed[parent] : open.has(g) || size[g] < 2 ? -1 : g;
  });
  const found = new Int32Array(count);
  for (let node = 0; node < count; node++) {
    const g = groupOf[node];
    found[node] = !isThere(node) ? -1 : g < 0 || closed[g] < 0 ? node : count + closed[g];
  }
  return { found, size };
}
