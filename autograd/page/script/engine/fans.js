// Fans: what leads to most turns of a repetition, or comes from them, is one wire at their frame

const FEWEST = 3; // wires that may be one; half of the turns, at least, have one each

/** Pairs of items that edges lead between, by the one that is outside of the turns. */
export class Fan {
  constructor(turns) {
    Object.assign(this, { turns, of: new Map() });
  }
  /** Notes a pair between an item outside and an item of a turn. */
  add(outside, turn, inside, pair) {
    if (!this.of.has(outside)) this.of.set(outside, new Map());
    this.of.get(outside).set(pair, { turn, inside });
  }
  /** What is one wire: the item outside, of how many turns, and the items in them; its pairs are `taken`. */
  found(taken) {
    const fans = [];
    for (const [outside, pairs] of this.of) {
      const free = [...pairs].filter(([pair]) => !taken.has(pair)),
        times = new Set(free.map(([, { turn }]) => turn)).size;
      if (times < FEWEST || 2 * times < this.turns) continue;
      for (const [pair] of free) taken.add(pair);
      fans.push({ outside, times, ends: [...new Set(free.map(([, { inside }]) => inside))] });
    }
    return fans;
  }
}
