// Zoom by meaning: which boxes are open, and which sample is looked at

/** The state with a box open, and what is around it. */
export function opened({ around, count, groupOf, groups }, { open, chosen }, g) {
  const isInside = groupOf[chosen] === g || around(chosen).includes(g);
  return {
    open: new Set([...open, g, ...around(count + g)]),
    chosen: isInside ? chosen : groups[g].last,
  };
}
/** The state with all closed that is open in a box, and the box itself. */
export const closed = ({ around, count }, { open }, g) => ({
  open: new Set([...open].filter((o) => o !== g && !around(count + o).includes(g))),
});
/** The same, but the box stays open. */
export const closedWithin = ({ around, count }, { open }, g) => ({
  open: new Set([...open].filter((o) => !around(count + o).includes(g))),
});
/** The open boxes around an item, from the innermost out. */
export const openAround = ({ around }, { open }, item) => around(item).filter((g) => open.has(g));

/** The finest level that is coarser than what is open; -1 if none is. */
export const coarser = ({ levels }, { open }) =>
  levels.findLastIndex(
    (level) => level.open.size < open.size && [...level.open].every((g) => open.has(g)),
  );

/** The state that looks at one sample alone, at all with norms (-1), or with means (-2). */
export function sampled(run, { chosen }, sample) {
  const own = run.sampleOf[chosen];
  return {
    sample: Math.max(-1, sample),
    isMean: sample === -2,
    chosen: sample >= 0 && own >= 0 && own !== sample ? alikeIn(run, sample, chosen) : chosen,
  };
}
/** The node of another sample that stands where this one does in its own. */
function alikeIn({ count, root, groupOf, formOf, sampleOf }, sample, node) {
  const own = [],
    other = [];
  for (let i = 0; i < count; i++)
    if (groupOf[i] === groupOf[node] && formOf[i]?.op === formOf[node]?.op) {
      if (sampleOf[i] === sampleOf[node]) own.push(i);
      else if (sampleOf[i] === sample) other.push(i);
    }
  return other[own.indexOf(node)] ?? other[0] ?? root;
}
/** What it takes to see a node: open boxes, its own sample; null if it is in sight. */
export function uncovered({ around, sampleOf }, { open, sample }, node) {
  const hiding = around(node).filter((g) => !open.has(g)),
    own = sampleOf[node],
    isElsewhere = sample >= 0 && own >= 0 && own !== sample;
  if (!isElsewhere && !hiding.length) return null;
  return { open: new Set([...open, ...hiding]), sample: isElsewhere ? own : sample };
}
/** How a level is called. */
export const levelTitle = (name) =>
  name === "op" ? "Nodes" : name[0].toUpperCase() + name.slice(1);
