// Run the engine under Emscripten: node tests/browser/pyodide.mjs PYODIDE FOLDER
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const [module, folder] = process.argv.slice(2);
const { loadPyodide } = await import(pathToFileURL(module));
const python = await loadPyodide();
python.FS.mkdir("/chainrule");
python.FS.mount(python.FS.filesystems.NODEFS, { root: folder }, "/chainrule");
python.runPython(`
import sys
sys.dont_write_bytecode = True
sys.path.insert(0, "/chainrule")
`);
python.runPython(readFileSync(new URL("../core_alone.py", import.meta.url), "utf8"));
