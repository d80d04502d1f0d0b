// Norms, and how numbers are spread

/** A sum of squares that neither overflows nor underflows on the way, as of LAPACK's nrm2. */
export class Squares {
  #scale = 0;
  #sum = 1;
  add(x) {
    const size = Math.abs(x);
    if (size === 0) return;
    if (size <= this.#scale) this.#sum += (size / this.#scale) ** 2;
    else {
      if (this.#scale !== size) this.#sum = 1 + this.#sum * (this.#scale / size) ** 2;
      this.#scale = size;
    }
  }
  get norm() {
    return this.#scale === Infinity ? Infinity : this.#scale * Math.sqrt(this.#sum);
  }
}

export const BINS = 12;
/** Least and largest of some numbers, how many are 0, and how many lie in each part between. */
export function spreadOf(xs) {
  const finite = xs.filter(Number.isFinite),
    low = finite.reduce((a, b) => Math.min(a, b), Infinity),
    high = finite.reduce((a, b) => Math.max(a, b), -Infinity),
    bars = Array(BINS).fill(0);
  if (high > low)
    for (const x of finite)
      bars[Math.min(BINS - 1, Math.floor(((x - low) / (high - low)) * BINS))]++;
  const zeros = xs.filter((x) => x === 0).length;
  return { low, high, bars, zeros, odd: xs.length - finite.length, of: xs.length };
}
