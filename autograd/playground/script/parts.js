// What the page carries: each part deflated, in base 64, in an element of its own

/** The bytes of a part. Its text is let go of. */
export async function unpacked(name) {
  const element = document.getElementById(name);
  const text = atob(element.textContent);
  element.remove();
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = text.charCodeAt(i);
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}
