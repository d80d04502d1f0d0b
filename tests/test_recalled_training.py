"""A loss that an earlier process has recorded is recalled where nothing differs, and only there."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

import autograd
from autograd.compiler import compilation, lengths, original, recording
from autograd.compiler.fingerprint import fingerprint_of
from nn import MLP, Layer, Module, Sequential, fit, units
from nn.hygiene import Hygiene
from nn.losses import half_squared_error
from nn.optim import SGD
from nn.training import masks, sample
from nn.training.dataset import Dataset
from nn.training.masks import Masks
from nn.training.sample import sample_loss
from tests.test_fingerprint import run

pytest.importorskip("llvmlite")

PROGRAM = """
from functools import partial
import autograd as ag
from autograd import Value, relu, scan, tanh
from nn import MLP, Layer, Module, Residual, Sequential
from nn.filters import Dropout
from nn.losses import cross_entropy, half_squared_error, huber, squared_error
from nn.optim import SGD

RATE = 0.5
SCALE = [1.0, 2.0]
SCOPE = ""
X = [[0.5, -1.0], [1.5, 0.25], [-0.75, 2.0]]
Y = [2.0, 0.5, 3.0]

class Model(Module):
    def __init__(self):
        self.first = MLP(2, [3, 2], activation="relu", seed=1)
        self.second = MLP(2, [2, 1], activation="tanh", seed=2)
        self.gain = 1.5
        self.bias = Value(0.25)
    def forward(self, x):
        h = self.first([self.gain * z for z in x])
        return self.second(h) + (0.5 if self.training else 0.0) * self.bias

class Penalty:
    def __init__(self, model, strength):
        self.weights, self.strength = model.parameters()[:2], strength
    def __call__(self, out, target):
        return self.strength * ag.sum(w * w for w in self.weights)

model = Model()
penalty = Penalty(model, 0.125)

def bent(factor):
    def inner(x, power=2):
        return factor * x ** power
    return inner

bend = bent(0.75)

def loss(out, y):
    return RATE * half_squared_error(out, y) + bend(out) * SCALE[1] + penalty(out, y)

optimizer = SGD(model.parameters(), 0.01)
settings = {"epochs": 2, "batch_size": 2}
"""

CHANGES = {
    "nothing": ("", ""),
    "a global": ("RATE = 0.5", "RATE = 0.25"),
    "an item": ("[1.0, 2.0]", "[1.0, 2.5]"),
    "what is called": ("* half_squared_error", "* squared_error"),
    "a setting of what is called": ("* half_squared_error", "* partial(huber, delta=0.5)"),
    "another": ("* half_squared_error", "* partial(huber, delta=0.25)"),
    "a default": ("power=2", "power=3"),
    "what is closed over": ("bent(0.75)", "bent(0.5)"),
    "the code of what is closed over": ("factor * x ** power", "factor + x ** power"),
    "an instance's number": ("Penalty(model, 0.125)", "Penalty(model, 0.25)"),
    "its weights": ("parameters()[:2]", "parameters()[1:3]"),
    "an attribute of the model": ("gain = 1.5", "gain = 2.5"),
    "its code": ("self.gain * z for", "self.gain + z for"),
    "what it does in training": ("0.5 if self.training", "0.25 if self.training"),
    "a width": ("[3, 2]", "[4, 2]"),
    "an activation": ('activation="relu"', 'activation="tanh"'),
    "a name": ("self.first", "self.begin"),
    "the order of names": (
        "        self.gain = 1.5\n        self.bias = Value(0.25)",
        "        self.bias = Value(0.25)\n        self.gain = 1.5",
    ),
    "a layer that is replaced": (
        "model = Model()",
        'model = Model()\nmodel.first.layers[0] = Layer(2, 3, activation="tanh", seed=5)',
    ),
    "a layer more": ("penalty = ", "model.first = Residual(model.first)\npenalty = "),
    "a layer that is used twice": (
        "penalty = ",
        "model.first = Sequential(model.first, model.first)\npenalty = ",
    ),
    "one that is frozen": ("penalty = ", "model.first.freeze()\npenalty = "),
    "weights that are tied": (
        "penalty = ",
        "model.first.layers[0].neurons[1].w = model.first.layers[0].neurons[0].w\npenalty = ",
    ),
    "a weight that is a number": ("self.bias = Value(0.25)", "self.bias = 0.25"),
    "what is learnt": ("SGD(model.parameters()", "SGD(model.parameters()[1:]"),
    "the order of what is learnt": ("SGD(model.parameters()", "SGD(model.parameters()[::-1]"),
    "another label": ("Y = [2.0", "Y = [1.0"),
    "labels that are lists": (
        "def loss(out, y):\n",
        "model.forward = lambda x: [model.second(model.first(x))]\nY = [[y] for y in Y]\n"
        "def loss(out, y):\n    return half_squared_error(out, y)\n",
    ),
    "classes": (
        "def loss(out, y):\n",
        "Y = [1, 0, 1]\ndef loss(out, y):\n    return cross_entropy([out, out * 2.0], y)\n",
    ),
    "classes, smoothed": (
        "def loss(out, y):\n",
        "Y = [1, 0, 1]\ndef loss(out, y):\n"
        "    return cross_entropy([out, out * 2.0], y, smoothing=0.125)\n",
    ),
    "samples of several lengths": (
        "penalty = ",
        "X = [[0.5, -1.0, 2.0], [1.5], [-0.75, 2.0]]\n"
        "model.forward = lambda x: ag.sum(map(tanh, x)) * ag.sum(model.first([z, z])[0] for z in x)"
        "\npenalty = ",
    ),
    "a setting that changes between epochs": (
        "settings = {",
        'settings = {"callbacks": [lambda m, h: setattr(m, "gain", 3.0)], ',
    ),
    "a layer that changes between epochs": (
        "settings = {",
        "def swap(m, h): m.first.layers[0].neurons[0].activation = ag.tanh\n"
        'settings = {"callbacks": [swap], ',
    ),
    "a layer that moves between epochs": (
        "settings = {",
        "def move(m, h):\n"
        "    if 'second' in vars(m): m.third = vars(m).pop('second')\n"
        "model.forward = lambda x: vars(model).get('second', vars(model).get('third'))(x)\n"
        'settings = {"callbacks": [move], ',
    ),
    "a layer that moves and is found": (
        "settings = {",
        "class Held(Module):\n"
        "    def __init__(self): self.parts = {'a': model.second}\n"
        "    def forward(self, x): return [*self.parts.values()][0](x)\n"
        "def move(m, h): m.parts = {'b': [*m.parts.values()][0]}\n"
        "model = Held()\noptimizer = SGD(model.parameters(), 0.01)\n"
        'settings = {"callbacks": [move], ',
    ),
    "a schedule that changes a setting": (
        "settings = {",
        "def halve(time):\n    model.gain = 1.5 if time < 1.5 else 2.5\n    return 1.0\n"
        'settings = {"schedule": halve, ',
    ),
    "one that changes units": (
        "settings = {",
        "def halve(time):\n    if time > 1.4: model.second.layers[0] = Layer(2, 2, seed=7)\n"
        "    return 1.0\n"
        'settings = {"schedule": halve, ',
    ),
    "a scope around it": ('SCOPE = ""', 'SCOPE = "outer"'),
    "a unit of no module's": ("return RATE *", "return relu(out) + RATE *"),
    "the same in a scope": (
        'SCOPE = ""',
        'SCOPE = "outer"\nhalf_squared_error = lambda a, y: relu(a - y) + tanh(a)',
    ),
    "masks": (
        "penalty = ",
        "model.first = Sequential(model.first, Dropout(0.5, seed=3))\npenalty = ",
    ),
    "other masks": (
        "penalty = ",
        "model.first = Sequential(model.first, Dropout(0.25, seed=3))\npenalty = ",
    ),
    "no masks": (
        "penalty = ",
        "model.first = Sequential(model.first, Dropout(0.0, seed=3))\npenalty = ",
    ),
    "a loop": (
        "return RATE *",
        "return scan(lambda c, row: (c * out + row[0], c), out, [[1.0], [2.0], [3.0]])[0] + RATE *",
    ),
    "its numbers": (
        "return RATE *",
        "return scan(lambda c, row: (c * out + row[0], c), out, [[1.0], [2.0], [4.0]])[0] + RATE *",
    ),
    "its length": (
        "return RATE *",
        "return scan(lambda c, row: (c * out + row[0], c), out, [[1.0], [2.0]])[0] + RATE *",
    ),
    "float32": ("settings = {", 'settings = {"dtype": "float32", '),
    # What is refused where it is recorded is refused by whoever asks again.
    "a label that is looked at": (
        "def loss(out, y):\n",
        "def loss(out, y):\n    if y == 2.0: return out * out\n",
    ),
    "a label that is looked up": (
        "def loss(out, y):\n",
        "def loss(out, y):\n    if y in {2.0: 1}: return out * out\n",
    ),
    "an answer that is looked at": (
        "def loss(out, y):\n",
        "def loss(out, y):\n    if out > 0: return out * out\n",
    ),
    "a type": (
        "def loss(out, y):\n",
        "def loss(out, y):\n    if isinstance(y, float): return out * out\n",
    ),
    "a draw": (
        "def loss(out, y):\n",
        "import random\ndef loss(out, y):\n    out = out * random.random()\n",
    ),
    "runs that are counted": (
        "def loss(out, y):\n",
        "runs = []\ndef loss(out, y):\n    runs.append(1)\n    out = out * len(runs)\n",
    ),
}


def changed(change: str) -> str:
    before, after = CHANGES[change]
    text = PROGRAM.replace(before, after)
    assert (text != PROGRAM) == (before != after), change
    return text


@contextmanager
def answered() -> Iterator[list[Any]]:
    """Yield what is noted of units from now on."""
    notes: list[Any] = []
    note = Hygiene.note_answers
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            Hygiene, "note_answers", lambda self, *told: (notes.append(told), note(self, *told))[1]
        )
        yield notes


def outcome(module: Any) -> dict[str, Any]:
    """Return what a training makes of a program: its numbers to the bit, or why it can't be had."""
    with answered() as notes, redirect_stderr(StringIO()):
        try:
            with autograd.scope(module.SCOPE):
                history = fit(
                    module.model,
                    (module.X, module.Y),
                    module.loss,
                    module.optimizer,
                    compile=True,
                    **module.settings,
                )
        except Exception as error:
            return {"error": str(error)}
    steps = [(step.loss, step.gradients, step.updates) for step in history.steps]
    weights = list(module.model.state_dict().items())
    return {"steps": repr(steps), "weights": repr(weights), "units": repr(notes)}


@contextmanager
def recordings() -> Iterator[list[Any]]:
    """Yield the functions that are recorded from now on."""
    found: list[Any] = []

    def record(f: Any, *args: Any, **how: Any) -> Any:
        found.append(f)
        return recording.record(f, *args, **how)

    with pytest.MonkeyPatch.context() as patch:
        for module in (compilation, original, lengths):
            patch.setattr(module, "record", record)
        yield found


def outcomes(names: list[str]) -> dict[str, dict[str, Any]]:
    """Return what becomes of some programs, and how many recordings each takes."""
    found = {}
    for name in names:
        with recordings() as recorded:
            found[name] = outcome(run(changed(name)))
        found[name]["recordings"] = len(recorded)
    return found


def in_a_process(names: list[str], cache: str) -> dict[str, dict[str, Any]]:
    text = (
        "import json, sys; from tests.test_recalled_training import outcomes; "
        "print(json.dumps(outcomes(json.loads(sys.argv[1]))))"
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", text, json.dumps(names)],
        env=os.environ | {"CHAINRULE_CACHE": cache},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, dict[str, Any]] = json.loads(done.stdout)
    return found


RECORDED = (
    "masks, other masks, no masks, a loop, its numbers, its length, "
    "a setting that changes between epochs, a layer that changes between epochs, "
    "a layer that moves between epochs, a layer that moves and is found, "
    "a schedule that changes a setting, one that changes units"
).split(", ")
"""What is recorded each time: it may draw, holds a loop, or is looked at when it has changed."""


@pytest.mark.parametrize("step", [5, pytest.param(1, marks=pytest.mark.long)])
def test_a_training_is_the_same_whoever_has_recorded_what_before(step: int, tmp_path: Path) -> None:
    names = [*CHANGES][::step]
    anew = in_a_process(names, "off")
    first = in_a_process(names, str(tmp_path))
    then = in_a_process(names[::-1], str(tmp_path))
    for name in names:
        counts = [found[name].pop("recordings") for found in (anew, first, then)]
        assert first[name] == anew[name], name
        assert then[name] == anew[name], name
        is_kept = not (name in RECORDED or "error" in anew[name])
        assert bool(counts[2]) != is_kept, (name, counts)


GIVEN = [0.5, -1.0], 2.0


def loss_of(model: Any) -> Any:
    samples = Dataset(([GIVEN[0]], [GIVEN[1]]), half_squared_error)
    return sample_loss(model, half_squared_error, Masks(model, [], samples))


def test_who_asks_for_units_is_part_of_what_is_trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    loss = loss_of(MLP(2, [2, 1], activation="tanh", seed=0))
    before = fingerprint_of(loss)
    assert before is not None
    for home, name in ((sample, "units_below"), (masks, "_drawing"), (units, "topological_order")):
        with monkeypatch.context() as patch:
            patch.setattr(home, name, lambda *args: [])
            assert fingerprint_of(loss) is None, name
    with monkeypatch.context() as patch:
        patch.delitem(units.FLAT, "tanh")
        found = fingerprint_of(loss)
    assert found is not None
    assert found.key != before.key
    assert fingerprint_of(loss) == before


@pytest.fixture
def recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    """Yield what is recorded from now on, with a cache of its own."""
    monkeypatch.setenv("CHAINRULE_CACHE", str(tmp_path))
    with recordings() as found:
        yield found


def test_inside_of_another_module_names_are_others(recorded: list[Any]) -> None:
    class Outer(Module):
        def __init__(self) -> None:
            self.inner = MLP(2, [2, 1], activation="tanh", seed=0)

        def forward(self, given: Any) -> Any:
            return makers_of(self.inner)

    def makers_of(inner: Any) -> Any:
        return autograd.compile(loss_of(inner), *GIVEN, wrt=inner).makers[-1]

    model = Outer()
    for _ in range(2):
        assert makers_of(model.inner) == [(f"layers.0.neurons.{i}", "tanh") for i in range(2)]
    assert len(recorded) == 1
    assert model(GIVEN) == [(f"inner.layers.0.neurons.{i}", "tanh") for i in range(2)]
    assert len(recorded) == 2


def test_a_function_that_asks_where_it_is_run_is_another_in_each_scope(recorded: list[Any]) -> None:
    f = lambda x: x * 2.0 if (x + 1.0).origin else x * 3.0
    for _ in range(2):
        assert autograd.compile(f, 1.0)(1.0) == 3.0
        with autograd.scope("outer"):
            assert autograd.compile(f, 1.0)(1.0) == 2.0
    assert len(recorded) == 2


@pytest.mark.parametrize("is_ragged", [False, True])
def test_units_may_be_others_from_some_step_on(is_ragged: bool) -> None:
    """Each answer counts for the unit whose it is, compiled or not."""
    found = []
    for how in (True, False):
        model = Sequential(Layer(2, 2, activation="tanh", seed=1))
        layers = model.layers
        model.forward = lambda x, layers=layers: autograd.sum(
            autograd.sum(layers[0]([z, 1.0])) for z in x
        )

        def widen(time: float, layers: Any = layers) -> float:
            if time > 1.4:
                layers[0] = Layer(2, 4, activation="tanh", seed=2)
            return 1.0

        inputs = [[1.0, 2.0], [1.0, 2.0, 3.0], [2.0]] if is_ragged else [[1.0, 2.0]] * 3
        with answered() as notes:
            fit(
                model,
                (inputs, [1.0, 2.0, 3.0]),
                half_squared_error,
                SGD(model.parameters(), 0.01),
                epochs=2,
                batch_size=1,
                schedule=widen,
                compile=how,
            )
        counts: Counter[Any] = Counter()
        for unit, samples, _ in notes:
            counts[unit] += samples
        found.append(counts)
    assert found[0] == found[1]
    assert len(found[0]) == 4


def test_units_go_by_the_names_of_now() -> None:
    """Where the same is computed as before, under another name."""
    found = []
    for how in (True, False):
        module = run(changed("a layer that moves and is found"))
        with answered() as notes:
            fit(
                module.model,
                (module.X, module.Y),
                half_squared_error,
                module.optimizer,
                compile=how,
                **module.settings,
            )
        found.append({unit for unit, _, _ in notes})
    assert found[0] == found[1]
    assert {path.rpartition(".")[0] for path, _, _ in found[0]} == {
        "parts.a.layers",
        "parts.b.layers",
    }
