// Columns of the run, unpacked: numbers as typed arrays, texts as lists

// RFC 1951, in the manner of Mark Adler's puff: canonical codes, read bit by bit.
/** Codes from a base up: where the numbers of each begin, and how many bits follow it. */
function ladder(n, first, extraOf) {
  const codes = [];
  for (let i = 0, base = first; i < n; i++) {
    codes.push([base, extraOf(i)]);
    base += 1 << extraOf(i);
  }
  return codes;
}
const LENGTHS = [...ladder(28, 3, (i) => (i < 8 ? 0 : (i >> 2) - 1)), [258, 0]];
const DISTANCES = ladder(30, 1, (i) => (i < 4 ? 0 : (i >> 1) - 1));
const ORDER = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

/** A canonical code: how many symbols there are of each length, and the symbols in order. */
function huffman(lengths) {
  const counts = new Uint16Array(16),
    starts = new Uint16Array(17),
    symbols = new Uint16Array(lengths.length);
  for (const length of lengths) counts[length]++;
  counts[0] = 0;
  for (let i = 1; i < 16; i++) starts[i + 1] = starts[i] + counts[i];
  lengths.forEach((length, symbol) => {
    if (length) symbols[starts[length]++] = symbol;
  });
  return { counts, symbols };
}
const FIXED = [
  huffman([...Array(288)].map((_, i) => (i < 144 ? 8 : i < 256 ? 9 : i < 280 ? 7 : 8))),
  huffman(Array(30).fill(5)),
];

/** The `size` bytes that were deflated into `source`. */
function inflate(source, size) {
  const out = new Uint8Array(size);
  let from = 0,
    to = 0,
    buffer = 0,
    held = 0;
  const bits = (n) => {
    while (held < n) {
      buffer |= source[from++] << held;
      held += 8;
    }
    const found = buffer & ((1 << n) - 1);
    buffer >>>= n;
    held -= n;
    return found;
  };
  const symbol = ({ counts, symbols }) => {
    let code = 0,
      first = 0,
      index = 0;
    for (let length = 1; length < 16; length++) {
      code |= bits(1);
      const n = counts[length];
      if (code - n < first) return symbols[index + code - first];
      index += n;
      first = (first + n) << 1;
      code <<= 1;
    }
    throw new Error("a column of the run is damaged");
  };
  const described = () => {
    const [literals, distances, given] = [bits(5) + 257, bits(5) + 1, bits(4) + 4];
    const lengths = Array(19).fill(0);
    for (let i = 0; i < given; i++) lengths[ORDER[i]] = bits(3);
    const code = huffman(lengths),
      all = [];
    while (all.length < literals + distances) {
      const found = symbol(code);
      if (found < 16) all.push(found);
      else {
        const times = found === 16 ? 3 + bits(2) : found === 17 ? 3 + bits(3) : 11 + bits(7);
        all.push(...Array(times).fill(found === 16 ? all[all.length - 1] : 0));
      }
    }
    return [huffman(all.slice(0, literals)), huffman(all.slice(literals))];
  };
  for (let last = 0; !last; ) {
    last = bits(1);
    const kind = bits(2);
    if (kind === 0) {
      buffer = held = 0;
      const length = source[from] | (source[from + 1] << 8);
      out.set(source.subarray(from + 4, from + 4 + length), to);
      from += 4 + length;
      to += length;
      continue;
    }
    const [literal, distance] = kind === 1 ? FIXED : described();
    for (let found = symbol(literal); found !== 256; found = symbol(literal)) {
      if (found < 256) {
        out[to++] = found;
        continue;
      }
      const [base, extra] = LENGTHS[found - 257],
        length = base + bits(extra);
      const [far, more] = DISTANCES[symbol(distance)],
        back = far + bits(more);
      for (let i = 0; i < length; i++, to++) out[to] = out[to - back];
    }
  }
  return out;
}

/** A column: integers, floats or texts. */
export function unpack([code, size, text]) {
  const bytes = inflate(
    Uint8Array.from(atob(text), (c) => c.charCodeAt(0)),
    size,
  );
  if (code === "t") return new TextDecoder().decode(bytes).split("\n");
  return code === "i" ? new Int32Array(bytes.buffer) : new Float64Array(bytes.buffer);
}
