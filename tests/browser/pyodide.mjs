// Run the engine under Emscripten: node tests/browser/pyodide.mjs PYODIDE FOLDER
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
from autograd import Stepper, Value, compile, gradcheck, tanh
from nn import MLP, fit, load, save
from nn.data import moons
from nn.losses import binary_cross_entropy_with_logits
from nn.optim import SGD

x = Value(0.5, "x")
for n in (10, 10_000, 100_000):
    y = x
    for i in range(n):
        y = y + 1.0 if i % 3 else tanh(y)
    y.backward()
    del y
    assert Stepper(tanh(x)).why(x).paths
deep = x
for _ in range(20_000):
    deep = deep * 1.0
(path,) = Stepper(deep).why(x).paths
assert len(path.nodes) == 20_001
del deep, path

assert gradcheck(lambda x: x * tanh(x), 2.0).ok
assert compile(lambda x: x * x, 2.0).value_and_grad([3.0])[1] == [6.0]
model = MLP(2, [4, 1], seed=0)
optimizer = SGD(model.parameters(), 0.1)
fit(model, moons(20), binary_cross_entropy_with_logits, optimizer, epochs=2)
assert load(save(model, "/tmp/model.json")).state_dict() == model.state_dict()
print(sys.version)
`);
