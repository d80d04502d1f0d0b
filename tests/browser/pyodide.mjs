// Run the engine under Emscripten: node tests/browser/pyodide.mjs PYODIDE FOLDER [WHEELS TEST...]
// With a folder of wheels, pytest's among them, the tests that are named.
import { readdirSync, readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const [module, folder, wheels, ...tests] = process.argv.slice(2);
const { loadPyodide } = await import(pathToFileURL(module));
const python = await loadPyodide();

function mount(path, root) {
  python.FS.mkdir(path);
  python.FS.mount(python.FS.filesystems.NODEFS, { root }, path);
}

mount("/chainrule", folder);
python.runPython(`
import os, sys
sys.dont_write_bytecode = True
sys.path.insert(0, "/chainrule")
os.chdir("/chainrule")
`);
if (wheels) {
  mount("/wheels", wheels);
  const paths = readdirSync(wheels).map((name) => `/wheels/${name}`);
  python.globals.set("paths", python.toPy(paths));
  python.globals.set("tests", python.toPy(tests));
  process.exitCode = python.runPython(`
sys.path.extend(paths)
import pytest
int(pytest.main([*"-q -o addopts= -p no:cacheprovider -p no:faulthandler -m".split(), "not (long or slow)", *tests]))
`);
} else {
  python.runPython(readFileSync(new URL("../core_alone.py", import.meta.url), "utf8"));
}
