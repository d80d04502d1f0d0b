// Numbers and names as they are written

/** A number as Python writes it. */
function repr(x) {
  if (Number.isNaN(x)) return "nan";
  if (!Number.isFinite(x)) return x > 0 ? "inf" : "-inf";
  const size = Math.abs(x);
  if (size >= 1e16 || (size && size < 1e-4))
    return x.toExponential().replace(/e([+-])(\d)$/, "e$10$2");
  const text = Object.is(x, -0) ? "-0" : String(x);
  return /^-?\d+$/.test(text) ? `${text}.0` : text;
}
/** A number for reading: in full if that is short, else to 6 digits. */
export function show(x) {
  const text = repr(x);
  return text.length <= 9 ? text : repr(Number(x.toPrecision(6)));
}
/** The same where there is little room, and a zero has no sign. */
export function tight(x, most = 9) {
  const unsigned = x + 0;
  for (const digits of [17, 6, 4, 3, 2]) {
    const text = show(Number(unsigned.toPrecision(digits)));
    if (text.length <= most) return text;
  }
  return unsigned.toExponential(1).replace("+", "");
}
export const plain = (x) => show(x).replace(/\.0$/, "");
/** A count, with commas. */
export const counted = (n) => n.toLocaleString("en");

/** A text for little room: its start and its end. */
export const short = (text, most) =>
  text.length <= most
    ? text
    : `${text.slice(0, Math.ceil(most / 2))}…${text.slice(text.length - Math.floor(most / 2) + 1)}`;
/** A name for little room: without the stars at its end, and of a path the end. */
export function brief(full, most) {
  const name = full.length <= most ? full : full.replace(/(?:\.\*)+$/, "");
  if (name.length <= most || !name.includes(".")) return short(name, most);
  const cut = [...name.matchAll(/\./g)].find(({ index }) => name.length - index <= most);
  if (!cut) return short(name, most);
  const room = most - 1 - (name.length - cut.index);
  return `${room > 2 ? name.slice(0, room) : ""}…${name.slice(cut.index)}`;
}

export const STATUS = ["unknown", "partial", "complete"]; // of a gradient
