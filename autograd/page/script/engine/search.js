// Search: the nodes that a text finds

/** The node of that name, else all of the sample, else all whose name, op or module has the text in it. */
export function search({ count, names, labels, formOf, scopeOf, samples, sampleOf }, text) {
  const wanted = text.trim().toLowerCase();
  if (!wanted) return [];
  const exact = names.findIndex((name) => name.toLowerCase() === wanted);
  if (exact >= 0) return [exact];
  const sample = samples.indexOf(wanted);
  if (sample >= 0) return [...Array(count).keys()].filter((node) => sampleOf[node] === sample);
  const found = [];
  for (let i = 0; i < count; i++) {
    const known = `${names[i]} ${labels[i]} ${formOf[i]?.op ?? ""} ${scopeOf(i)}`;
    if (known.toLowerCase().includes(wanted)) found.push(i);
  }
  return found;
}
