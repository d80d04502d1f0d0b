// The program in the address: a link to the page, on a disk or a site, brings it along

const HEAD = "#code=";

const MOST = 1_000_000; // bytes of a program

/** What comes out of a stream that bytes are put through. */
async function through(bytes, stream) {
  const reader = new Blob([bytes]).stream().pipeThrough(stream).getReader();
  const chunks = [];
  let length = 0;
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    chunks.push(next.value);
    length += next.value.length;
    if (length > MOST) throw new RangeError(`a program of more than ${MOST} bytes`);
  }
  return new Uint8Array(await new Blob(chunks).arrayBuffer());
}

/** The part of an address that holds a program. */
export async function fragmentOf(program) {
  const bytes = await through(
    new TextEncoder().encode(program),
    new CompressionStream("deflate-raw"),
  );
  const text = btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
  return HEAD + text.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/** The program in an address; null if there is none. Throws if it is damaged. */
export async function programIn(fragment) {
  if (!fragment.startsWith(HEAD)) return null;
  const text = atob(fragment.slice(HEAD.length).replaceAll("-", "+").replaceAll("_", "/"));
  const bytes = Uint8Array.from(text, (letter) => letter.charCodeAt(0));
  const found = await through(bytes, new DecompressionStream("deflate-raw"));
  return new TextDecoder("utf-8", { fatal: true }).decode(found);
}
