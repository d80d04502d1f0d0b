// Chromium starts no module from a blob on a page that was opened from a disk, and Pyodide refuses
// to run in a worker that is none, which it recognises by `importScripts`. All it needs is here.

globalThis.importScripts = () => {
  throw new TypeError("nothing is imported here");
};
