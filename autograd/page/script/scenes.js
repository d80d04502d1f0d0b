// Scenes: the levels at which the graph is shown, from boxes for modules to every node

const scenes = data.levels.map((level) => {
  const wires = [];
  for (let i = 0; i < level.edges.length; i += 2) wires.push({ arg: level.edges[i], node: level.edges[i + 1] });
  const members = level.titles.map(() => []);
  level.box.forEach((box, node) => members[box].push(node));
  // What leaves a box: the nodes that others use, and the root.
  const leaving = members.map((nodes, box) =>
    nodes.filter((i) => i === root || users[i].some((e) => level.box[edges[e].node] !== box)),
  );
  return { ...level, count: level.titles.length, wires, routes: [], members, leaving };
});
scenes.push({
  name: "op",
  count,
  card: data.card,
  at: data.at,
  wires: edges,
  routes: data.routes,
  box: null,
});
for (const scene of scenes) {
  const [w, h] = scene.card;
  scene.drawn = [];
  const xs = scene.at.filter((_, i) => i % 2 === 0),
    ys = scene.at.filter((_, i) => i % 2);
  const least = (list) => list.reduce((a, b) => Math.min(a, b)),
    most = (list) => list.reduce((a, b) => Math.max(a, b));
  scene.bounds = {
    left: least(xs) - w / 2,
    right: most(xs) + w / 2,
    top: least(ys) - h / 2,
    bottom: most(ys) + h / 2,
  };
}
const OP = scenes.length - 1;
const LEGIBLE = 30; // boxes that a page opens with, where it has more nodes than it could show
const ALL = 60; // nodes that it shows one by one

/** The level to open at: every node if they are few, else the finest level of few boxes. */
const firstLevel = () => {
  if (count <= ALL) return OP;
  const fitting = scenes.findLastIndex((scene) => scene.count <= LEGIBLE);
  return fitting < 0 ? 0 : fitting;
};
const scene = () => scenes[state.level];
/** What shows a node: its box, or itself. */
const itemOf = (node) => scene().box?.[node] ?? node;

/** Whether two events belong to the same stride: one pass through one box. */
const isSameStride = (a, b) =>
  scene().box[a.node] === scene().box[b.node] && (a.kind === "forward") === (b.kind === "forward");
/** The position one step on, or one back: of an event, or of all that happens in a box at a stretch. */
function stride(direction) {
  let position = state.position + direction;
  if (!scene().box || state.predict) return position;
  if (direction < 0) {
    // Back to the end of the stride before this one.
    const here = events[state.position - 1];
    while (position > 0 && isSameStride(events[position - 1], here)) position--;
  } else
    while (position > 0 && position < events.length && isSameStride(events[position - 1], events[position]))
      position++;
  return position;
}
/** The events of the current stride, as far as they have happened. */
function strideEvents() {
  let first = state.position - 1;
  while (first > 0 && isSameStride(events[first - 1], events[state.position - 1])) first--;
  return events.slice(first, state.position);
}
const norm = (numbers) => Math.hypot(...numbers);
