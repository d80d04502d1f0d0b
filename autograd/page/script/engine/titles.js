// What boxes and nodes are called where they are shown

import { counted } from "./words.js";

/** How an item is called inside of its frame. */
export function titleOf({ isGroup, groups, count, labels, names, around }, item) {
  const title = isGroup(item) ? groups[item - count].title : labels[item] || names[item];
  for (const g of around(item)) {
    const outer = groups[g].title.replace(/\.[^.]+\.\*$/, "");
    if (title.startsWith(`${outer}.`)) return title.slice(outer.length + 1);
  }
  return title;
}
/** How often a box is there: of a sample that is looked at alone, its own parts. */
export function timesOf({ groups, samples }, sample, g) {
  const { times } = groups[g];
  const shown = sample >= 0 && times.at(-1) === samples.length ? times.slice(0, -1) : times;
  return shown.map((n) => `× ${counted(n)}`).join(" ");
}
/** A box in a sentence. */
export const nameOfBox = (run, sample, g) =>
  [run.groups[g].title, timesOf(run, sample, g)].filter(Boolean).join(" ");
