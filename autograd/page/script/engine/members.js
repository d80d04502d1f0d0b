// What belongs to each item of a scene, found when first asked for: a step looks at no more than that

/** What is found once for each key, and kept as long as that. */
export function perKey(find) {
  const found = new WeakMap();
  return (key, ...others) => {
    if (!found.has(key)) found.set(key, find(key, ...others));
    return found.get(key);
  };
}

/** The nodes of each item, in order. */
export const membersOf = perKey(({ of }) => {
  const members = new Map();
  of.forEach((item, node) => {
    if (!members.has(item)) members.set(item, []);
    members.get(item).push(node);
  });
  return members;
});

const crossingsIn = perKey(() => new WeakMap());
/** The edges between each item and others, as places in the pass, in its order. */
export function crossingsOf({ ownerOf, argOf }, scene, { codes }) {
  const known = crossingsIn(scene);
  if (known.has(codes)) return known.get(codes);
  const crossings = new Map();
  const add = (item, k) => {
    if (!crossings.has(item)) crossings.set(item, []);
    crossings.get(item).push(k);
  };
  codes.forEach((e, k) => {
    if (e < 0) return;
    const from = scene.of[ownerOf[e]],
      to = scene.of[argOf[e]];
    if (from === to) return;
    add(from, k);
    add(to, k);
  });
  known.set(codes, crossings);
  return crossings;
}
