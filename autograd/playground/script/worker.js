// The Python of the playground, in a worker of its own, so that it can be stopped at any moment

import "./classic.js";
import { loadPyodide } from "pyodide";
import createPyodideModule from "pyodide/pyodide.asm.mjs";
import { info } from "pyodide/pyodide-lock.json";
import { arrange } from "../../page/script/engine/arrange.js";

const PANE = { width: 900, height: 700 }; // what a picture is laid out for
const EAGER = 1_000; // pieces of output that are sent at once; of more, those of some time together
const WAIT = 50; // milliseconds

/** Sends what a program prints, never so much at once that the page can't follow. */
class Output {
  constructor() {
    this.sent = 0;
    this.last = 0;
    this.kind = "";
    this.text = "";
  }

  write(kind, text) {
    if (kind !== this.kind) this.flush();
    this.kind = kind;
    this.text += text;
    if (this.sent < EAGER || performance.now() - this.last > WAIT) this.flush();
  }

  flush() {
    if (!this.text) return;
    postMessage({ written: { kind: this.kind, text: this.text } });
    this.text = "";
    this.sent++;
    this.last = performance.now();
  }
}

/** What Python's `Host` is here. */
function hostOf(output) {
  const tell = (message) => {
    output.flush();
    postMessage(message);
  };
  return {
    write: (kind, text) => output.write(kind, text),
    picture: (svg, description) => tell({ picture: { svg, description } }),
    page: (html, name) => tell({ page: { html, name } }),
    fail: (text, line) => tell({ failed: { text, line } }),
    arrange(graph) {
      const { sizes, edges } = JSON.parse(graph);
      return JSON.stringify(arrange(sizes, edges, PANE));
    },
  };
}

async function start({ wasm, stdlib, chainrule }) {
  // Pyodide asks the network for its parts; here they come with the page.
  globalThis.fetch = async () => new Response(stdlib);
  WebAssembly.instantiateStreaming = (_, imports) => WebAssembly.instantiate(wasm, imports);
  const python = await loadPyodide({
    createPyodideModule,
    indexURL: "file:///pyodide/",
    lockFileContents: { info, packages: {} },
    packageBaseUrl: "file:///pyodide/",
  });
  postMessage({ stage: "Loading autograd and nn" });
  python.unpackArchive(chainrule, "zip", { extractDir: "/chainrule" });
  python.runPython("import sys; sys.path.insert(0, '/chainrule')");
  return python.pyimport("autograd.playground.runner").run;
}

let starting;
addEventListener("message", async ({ data }) => {
  try {
    if (data.parts) {
      starting = start(data.parts);
      await starting;
      postMessage({ ready: true });
    }
    if (data.program !== undefined) {
      const run = await starting;
      const output = new Output();
      const began = performance.now();
      run(data.program, hostOf(output));
      output.flush();
      postMessage({ done: (performance.now() - began) / 1000 });
    }
  } catch (error) {
    postMessage({ broken: String(error) });
  }
});
