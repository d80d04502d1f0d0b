"""A fingerprint is of all that decides what a function records; where that can't be told, none."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import autograd
from autograd import CompileError, Value
from autograd.compiler import compilation, lengths, original, recording
from autograd.compiler.fingerprint import fingerprint_of
from autograd.compiler.recall import Recalled
from nn import GPT, MLP, minimize, next_token_loss
from nn.optim import SGD, Adam, AdamW
from nn.training.update import Update

PROGRAM = """
import math
from functools import partial, reduce, wraps
import autograd as ag
import nn.linear
from autograd import Value, dot, relu, softmax, tanh

RATE = 0.5
SIZES = [2, 3]
TABLE = {"a": 1.0, "b": 2.0}
w = [Value(1.5), Value(-0.5)]

def times(x, factor=2.0):
    return factor * x

def doubled(g):
    @wraps(softmax)
    def inner(*args):
        return g(*args) * 2.0
    return inner

@doubled
def scaled(x):
    return x * RATE

class Layer:
    gain = 1.25
    def __init__(self, w):
        self.w, self.bias, self.names = w, 0.25, ("x", "y")
    def __repr__(self):
        return f"Layer of {self.w}"
    @property
    def slope(self):
        return self.w[0] * self.gain
    @staticmethod
    def sign(x):
        return -x
    def __call__(self, x):
        return self.sign(self.slope * x + self.bias)

class Deep(Layer):
    def __call__(self, x):
        total = super().__call__(x)
        for size in SIZES:
            total = total + size * tanh(self.w[1] * x)
        return total

model = Deep(w)
key = f"{'a'}"

def f(x):
    parts = [scaled(model(x)), times(x), *(rate * x for rate in TABLE.values())]
    parts.append(reduce(lambda a, b: a * b, parts) * math.pi)
    return ag.sum(parts) + partial(times, factor=3.0)(x) * TABLE[key]
"""


def run(text: str) -> Any:
    """Return a module with some text."""
    module = ModuleType("program")
    exec(compile(text, "program.py", "exec"), vars(module))
    return module


def key_of(module: Any, name: str = "f") -> str | None:
    found = fingerprint_of(getattr(module, name))
    return found and found.key


def test_the_same_program_has_the_same_fingerprint() -> None:
    module = run(PROGRAM)
    module.w[0].data, module.w[0].grad, module.w[0].label = 7.0, 2.0, "w"
    assert key_of(module) == key_of(run(PROGRAM)) is not None


@pytest.mark.parametrize(
    "change",
    [
        ("RATE = 0.5", "RATE = 0.25"),
        ("RATE = 0.5", "RATE = True"),
        ("[2, 3]", "[3, 2]"),
        ("[2, 3]", "(2, 3)"),
        ('"a": 1.0', '"a": -1.0'),
        ('{"a": 1.0, "b": 2.0}', '{"b": 2.0, "a": 1.0}'),
        ("factor=2.0", "factor=2"),
        ("return factor * x", "return x * factor"),
        ("* 2.0\n    return inner", "* 4.0\n    return inner"),
        ("return x * RATE", "return x / RATE"),
        ("gain = 1.25", "gain = 1.5"),
        ("= w, 0.25", "= w, 0.5"),
        ('("x", "y")', '("x", "z")'),
        ("self.w[0] * self.gain", "self.w[1] * self.gain"),
        ("return -x", "return +x"),
        ("class Deep(Layer)", "class Deep(Layer, object)"),
        ("super().__call__(x)", "super().__call__(-x)"),
        ("w = [Value(1.5), Value(-0.5)]", "w = [Value(1.5)] * 2"),
        ("w = [Value(1.5), Value(-0.5)]", "w = [Value(1.5), -0.5]"),
        ("a * b", "a + b"),
        ("math.pi", "math.e"),
        ("factor=3.0", "factor=-3.0"),
        ("ag.sum(parts)", "ag.max(parts)"),
        ("f\"{'a'}\"", "f\"{'b'}\""),
        ("model = Deep(w)", "model = Layer(w)"),
        ("model = Deep(w)", "model = Deep(w)\nmodel.slopes = 0"),
        ("TABLE[key]", "sum([TABLE[key]])"),
        ("* TABLE[key]", "* TABLE[key]\nfrom autograd import exp as tanh"),
    ],
    ids=" -> ".join,
)
def test_what_is_changed_changes_it(change: tuple[str, str]) -> None:
    assert PROGRAM.replace(*change) != PROGRAM
    assert key_of(run(PROGRAM.replace(*change))) != key_of(run(PROGRAM))


METHODS = """
import random, time
class Model:
    def __init__(self): self.rate = random.random()
    def __setattr__(self, name, thing): object.__setattr__(self, name, time.time())
    def __len__(self): return random.randrange(9)
    def __call__(self, x): return x * 2.0
    def noise(self, x): return x + random.random()
    @property
    def drawn(self): return random.random()
model = Model.__new__(Model)
"""

REFUSED = {
    "a file": "def f(x): return x * float(open('rate').read())",
    "a random number": "import random\ndef f(x): return x * random.random()",
    "one that was imported by name": "from random import gauss\ndef f(x): return x * gauss(0, 1)",
    "a clock": "import time\ndef f(x): return x * time.time()",
    "the environment": "import os\ndef f(x): return x * len(os.environ)",
    "an import inside": "def f(x):\n    import math\n    return x * math.pi",
    "an address": "def f(x): return x * id(f)",
    "a hash": "def f(x): return x * hash('a')",
    "the order of a set": "def f(x):\n    for a in {'a', 'b'}: x = x * len(a)\n    return x",
    "a set that is held": "names = {'a', 'b'}\ndef f(x):\n    return x * len(names)",
    "a set of keys": "t = {'a': 1}\ndef f(x): return x * len(t.keys() & t.keys())",
    "a set comprehension": "def f(x): return x * len({str(i) for i in range(3)})",
    "a global that is set": "n = 1\ndef f(x):\n    global n\n    n = 2\n    return x",
    "NumPy": "import numpy as np\ndef f(x): return x * float(np.pi + np.ones(1)[0])",
    "an array of objects": "import numpy\na = numpy.array([None, 1.0])\ndef f(x): return x * a[1]",
    "a large array": "import numpy\na = numpy.ones(200_000)\ndef f(x): return x * a[0]",
    "an array in a file": "import numpy\na = numpy.frombuffer(bytearray(8))\n"
    "def f(x): return x * a[0]",
    "an array with more to it": "import numpy\nclass A(numpy.ndarray): pass\n"
    "a = numpy.ones(1).view(A)\ndef f(x): return x * a[0]",
    "text of an array": "import numpy\na = numpy.ones(1)\ndef f(x): return x * len(str(a))",
    "where an array is": "import numpy\na = numpy.ones(1)\ndef f(x): return x * a.ctypes.data",
    "a product by a library": "import numpy\na = numpy.ones(2)\ndef f(x): return x * (a @ a)",
    "a ufunc": "from numpy import sin\ndef f(x): return x * sin(2.0)",
    "a generator of NumPy's": "import numpy\ng = numpy.random.default_rng(0)\n"
    "def f(x): return x * g.normal()",
    "a method that draws": METHODS + "def f(x): return model.noise(x)",
    "one that a trusted function calls": METHODS + "def f(x): return sum([x * len(model)])",
    "a constructor": METHODS + "def f(x): return Model()(x)",
    "one by its instance": METHODS + "def f(x): return model.__class__()(x)",
    "one of a class below": METHODS + "class Other(Model): pass\ndef f(x): return Other()(x)",
    "what sets an attribute": METHODS + "def f(x):\n    model.n = 1\n    return x",
    "an attribute of a pattern": METHODS + "def f(x):\n    match model:\n"
    "        case Model(drawn=n): return x * n",
    "the type of a number": "def f(x): return x if type(x.data) is float else -x",
    "any attribute": "def f(x): return x * getattr(x, 'grad')",
    "an attribute in a text": "def f(x): return x * len('{0.grad}'.format(x))",
    "an attribute by operator": "from operator import attrgetter as g\n"
    "def f(x): return x * g('grad')(x)",
    "one that is held": "from operator import itemgetter\ng = itemgetter(0)\n"
    "def f(x): return g([x])",
    "what is run": "def f(x): return eval('x * 2')",
    "other frames": "import sys\ndef f(x): return x * len(sys._getframe(0).f_locals)",
    "the globals": "def f(x): return x * globals()['__name__'].count('p')",
    "a code's globals": "def f(x): return x * len(f.__globals__)",
    "a class's subclasses": "class A: pass\ndef f(x): return x * len(A.__subclasses__())",
    "an iterator": "i = iter([1, 2, 3])\ndef f(x): return x * next(i)",
    "a generator": "g = (i for i in range(9))\ndef f(x): return x * next(g)",
    "a cache": "from functools import cache\n@cache\ndef g(): return 2\ndef f(x): return x * g()",
    "a list with more to it": "class A(list): pass\na = A([1])\ndef f(x): return x * a[0]",
    "a metaclass": "class M(type): pass\nclass A(metaclass=M): n = 1\ndef f(x): return x * A.n",
    "an enumeration": "import enum\nclass E(enum.Enum): A = 1\ndef f(x): return x * E.A.value",
    "a node": "from autograd import Value\nv = Value(1.0) * 2\ndef f(x): return x * v",
    "a file by way of nn": "import nn\ndef f(x): return x * len(nn.load('m').parameters())",
    "an age": "def f(x): return x * (x._b > 5)",
    "a module that answers": "import types\nm = types.ModuleType('m')\n"
    "m.__getattr__ = lambda name: 2\ndef f(x): return x * m.rate",
    "what prints": "def f(x):\n    print('called')\n    return x",
    "a coroutine": "async def g(): return 1\ndef f(x):\n    g().close()\n    return x",
}


@pytest.mark.parametrize("text", REFUSED.values(), ids=REFUSED.keys())
def test_what_is_not_told_by_what_a_function_holds_has_none(text: str) -> None:
    assert key_of(run(text)) is None


def test_what_nobody_names_of_a_class_does_not_count() -> None:
    """Its constructor has run, and training, say, is no part of what is compiled."""
    text = METHODS.replace("    def __len__(self): return random.randrange(9)\n", "")
    text += "def f(x): return model(x)"
    key = key_of(run(text))
    assert key == key_of(run(text.replace("x + random", "x - random"))) is not None
    assert key != key_of(run(text.replace("x * 2.0", "x * 3.0"))) is not None
    assert key_of(run(text + "\ndef g(x): return f(x) + x.noise"), "g") is None


def test_a_dataclass_has_one() -> None:
    text = """
from dataclasses import make_dataclass
def call(self, x): return x * self.scale
Layer = make_dataclass("Layer", ["scale"], namespace={"__call__": call}, frozen=True)
layer = Layer(2.0)
def f(x): return layer(x)
"""
    assert key_of(run(text)) == key_of(run(text)) is not None
    assert key_of(run(text)) != key_of(run(text.replace("Layer(2.0)", "Layer(2.5)"))) is not None


ARRAYS = "import numpy as np\na = np.array([1.0, 2.0])\nb = a[1:]\ndef f(x): return x * a[0] * b[0]"


@pytest.mark.parametrize(
    "change",
    [
        ("2.0]", "3.0]"),
        ("2.0]", "2.0], 'f4'"),
        ("[1.0, 2.0]", "[[1.0, 2.0]]"),
        ("a[1:]", "a[1:].copy()"),
        ("a[1:]", "a[1:2][::-1]"),
        ("a[0] *", "a[1] *"),
        ("a[1:]", "[np.float64(2.0)]"),
    ],
    ids=" -> ".join,
)
def test_arrays_are_told_by_their_numbers_and_by_whose_memory_is_theirs(
    change: tuple[str, str],
) -> None:
    pytest.importorskip("numpy")
    key, changed = key_of(run(ARRAYS)), key_of(run(ARRAYS.replace(*change)))
    assert key == key_of(run(ARRAYS)) is not None
    assert changed not in (key, None)


@pytest.mark.parametrize(
    "told",
    ["x * w[0].grad", "x * len(w[0].label)", "x * len(f'{w[0].data}')", "x * len(str(w[0]))"],
)
def test_what_else_is_asked_of_a_value_is_in_it(told: str) -> None:
    module = run(f"from autograd import Value\nw = [Value(1.0)]\ndef f(x): return {told}")
    before = key_of(module)
    module.w[0].data, module.w[0].grad, module.w[0].label = 2.5, 1.0, "weight"
    assert before is not None
    assert key_of(module) not in (before, None)


def test_a_repr_counts_where_text_is_made() -> None:
    text = "class A:\n    def __repr__(self): return 'a'\na = A()\ndef f(x): return x * len(f'{a}')"
    assert key_of(run(text)) != key_of(run(text.replace("'a'", "'aa'"))) is not None


@pytest.mark.parametrize("of", ["def g(x): return x", "class g: n = 1"])
def test_a_name_counts(of: str) -> None:
    """As code may go by it: ``if act.__name__ == "relu"``."""
    text = f"{of}\ndef f(x): return x * len(g.__name__)"
    found = [run(text), run(text)]
    assert key_of(found[0]) == key_of(found[1]) is not None
    found[1].g.__name__ = "other"
    assert key_of(found[0]) != key_of(found[1])


def test_a_part_of_this_project_that_somebody_replaced_is_not_trusted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import nn.gpt
    import nn.linear

    model = MLP(2, [3, 1], seed=0)
    before = fingerprint_of(model)
    for home, name, thing in (
        (nn.linear, "dot", lambda *xs: autograd.dot(*xs) * 2),
        (nn.linear.Linear, "forward", lambda self, x: x),
        (Value, "__add__", lambda x, y: x),
        (Value, "cube", lambda x: x * x * x),
        (nn.linear, "dot", type("Dot", (), {"__call__": lambda self, *xs: 1.0})()),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(home, name, thing, raising=False)
            assert fingerprint_of(model) is None, name
    with monkeypatch.context() as patch:
        patch.setattr(nn.gpt, "DEVIATION", 0.5)
        found = fingerprint_of(GPT(3, 2, 2, 1, seed=0))
    now = fingerprint_of(GPT(3, 2, 2, 1, seed=0))
    assert found is not None
    assert now is not None
    assert found.key != now.key
    assert fingerprint_of(model) == before


# What is kept


@pytest.fixture
def recordings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Return what is recorded from now on, with a cache of its own."""
    found: list[Any] = []

    def record(f: Any, example: Any, wrt: Any, **how: Any) -> Any:
        found.append(example)
        return recording.record(f, example, wrt, **how)

    monkeypatch.setenv("CHAINRULE_CACHE", str(tmp_path))
    for module in (compilation, original, lengths):
        monkeypatch.setattr(module, "record", record)
    return found


pytest.importorskip("llvmlite")


def model_of(seed: int) -> tuple[MLP, Callable[..., Any]]:
    model = MLP(2, [3, 1], seed=seed)
    return model, lambda x, y: ((model(x) - y) ** 2, [x[0] * y, x[1]])


def test_the_next_process_does_not_run_the_function(recordings: list[Any]) -> None:
    """With other numbers in its parameters, the same code; and the bits of what is recorded."""
    for seed in (0, 1):
        model, loss = model_of(seed)
        step = autograd.compile(loss, [0.0, 0.0], 0.0, wrt=model)
        assert len(recordings) == 1
        given = [[1.0, 2.0], [0.5, -1.0]], [1.0, 2.0]
        found = step.value_and_grad(*given), step(*given), step.parameters == model.parameters()
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("CHAINRULE_CACHE", "off")
            anew = autograd.compile(loss, [0.0, 0.0], 0.0, wrt=model)
        recordings.pop()
        assert repr(found) == repr((anew.value_and_grad(*given), anew(*given), True))
        assert anew.program == step.program  # which asks for the graph, where it is not known yet
        assert len(recordings) == 1 + seed
        del recordings[1:]


def test_every_length_is_kept(recordings: list[Any]) -> None:
    rows = [[1.0, 0.0], [2.0], [0.0, 1.0, 2.0]]
    results = []
    for _ in range(2):
        letters = [Value(float(i)) for i in range(3)]

        def look(word: Any, letters: Any = letters) -> Any:
            return autograd.sum(autograd.take(letters, i) for i in word)

        f = autograd.compile(look, [0, 0], wrt=letters, reduce="sum")
        results.append((f.value_and_grad(rows), len(recordings)))
        with pytest.raises(IndexError, match="rows 0 to 2"):
            f([[3.0]])
    assert results[0] == results[1] == ((6.0, [2.0, 2.0, 2.0]), 3)


def test_a_setting_that_is_changed_afterwards_is_noticed(recordings: list[Any]) -> None:
    settings = {"rate": 2.0}
    f = lambda x: x * settings["rate"]
    for _ in range(2):
        g = autograd.compile(f, 1.0)
        assert g(3.0) == 6.0
    assert len(recordings) == 1
    settings["rate"] = 5.0
    with pytest.raises(CompileError, match=r"was 2\.0"):
        g(3.0)
    assert autograd.compile(f, 1.0)(3.0) == 15.0
    later = autograd.compile(f, 1.0)
    settings["rate"] = 6.0
    with pytest.raises(CompileError, match="compile it again"):
        later.program  # noqa: B018


def test_what_changes_what_it_holds_is_not_kept(recordings: list[Any]) -> None:
    calls: list[int] = []

    def f(x: Any) -> Any:
        calls.append(1)
        return x * 2.0

    for _ in range(2):
        autograd.compile(f, 1.0)
    assert (len(recordings), len(calls)) == (2, 6)


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Return the runs that are recorded from now on, without a cache."""
    found: list[Any] = []
    run_one = recording._run
    monkeypatch.setattr(recording, "_run", lambda *args: (found.append(args), run_one(*args))[1])
    monkeypatch.setenv("CHAINRULE_CACHE", "off")
    return found


def test_one_run_will_do_where_no_other_can_differ(runs: list[Any]) -> None:
    """It gives the same program; a leaf that is made in it is a constant there, too."""
    w, settings = Value(2.0), {"rate": 0.5}

    def f(x: Any) -> Any:
        return autograd.tanh(x * w) * settings["rate"] + Value(3.0) * w

    g = autograd.compile(f, 1.0, wrt=w)
    assert len(runs) == 1
    assert g.parameters == [w]
    asks = lambda x: f(x) + 0.0 * w.data
    del runs[:]
    with_number = autograd.compile(asks, 1.0, wrt=w)
    assert len(runs) == 2
    assert g(1.5) == with_number(1.5)
    twice = Recalled.of(recording.record(f, [1.0], [w]))
    assert twice.parameters == [w]
    assert twice.digest == g._graph.digest


def noted(x: Any) -> Any:
    note = f"{x.data:.3f}"  # noqa: F841
    return x * 2.0


@pytest.mark.parametrize(
    "f",
    [
        pytest.param(lambda x, seen=[]: (seen.append(1), x * len(seen))[1], id="a list"),
        pytest.param(noted, id="a text"),
        pytest.param(lambda x: x if x.label else -x, id="a label"),
        pytest.param(lambda x: x * 2.0 if x.data is None else x * 3.0 * x.data, id="a number"),
        pytest.param(
            lambda x: autograd.scan(lambda c, row: (c * row[0], c), x, [[1.0], [2.0], [3.0]])[0],
            id="a loop",
        ),
    ],
)
def test_else_it_is_run_again(f: Any, runs: list[Any]) -> None:
    with suppress(CompileError):
        autograd.compile(f, 1.0)
    assert len(runs) >= 2


def test_a_function_that_is_refused_is_refused_again(recordings: list[Any]) -> None:
    for _ in range(2):
        with pytest.raises(CompileError, match="where"):
            autograd.compile(lambda x: x if x > 0 else -x, 1.0)


@pytest.mark.parametrize("made", [SGD, Adam, pytest.param(AdamW, marks=pytest.mark.long)])
def test_an_optimiser_s_formula_is_kept_with_its_settings(made: Any, recordings: list[Any]) -> None:
    counts = []
    for rate, epsilon in ((0.1, 1e-8), (0.1, 1e-8), (0.1, 1e-4)):
        optimizer = made([Value(1.0), Value(2.0)], rate)
        optimizer.epsilon = epsilon
        update = Update(optimizer).code
        found = update([1.0, 2.0], [0.5, 0.5], *[[0.0, 0.0]] * len(optimizer.remembers))
        w, *_ = optimizer.update(1.0, 0.5, *[0.0] * len(optimizer.remembers), *optimizer.rates(1))
        assert found[0][0] == pytest.approx(w, rel=1e-15)
        counts.append(len(recordings))
    assert counts == [1, 1, 2]


def test_what_an_optimiser_remembers_is_nothing_that_a_formula_goes_by(
    recordings: list[Any],
) -> None:
    w = Value(1.0)
    optimizer = Adam([w], 0.1)
    tell = lambda loss: optimizer.steps  # so each step is brought to the optimiser
    minimize(lambda x: (w - x[0]) ** 2, [[[2.0]]] * 5, optimizer, tell=tell, compile=True)
    assert len(recordings) == 2  # the loss and the formula


def test_a_gpt_has_one() -> None:
    model = GPT(3, 4, 4, 2, seed=0)
    found = fingerprint_of(lambda tokens: next_token_loss(model, tokens), model.parameters())
    assert found
    assert found.values == model.parameters()


def test_who_has_imported_the_project_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    module = run(PROGRAM)
    before = key_of(module)
    monkeypatch.setattr(autograd.engine, "__loader__", ast)  # as pytest's, which rewrites asserts
    assert key_of(module) == before is not None


@pytest.mark.long
def test_it_is_the_same_in_every_process() -> None:
    text = """
from tests.test_fingerprint import PROGRAM, key_of, run
print(key_of(run(PROGRAM)))
"""
    found = {
        subprocess.run(
            [sys.executable, "-c", text],
            env=os.environ | {"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(found) == 1
    assert found != {"None\n"}


def test_a_value_that_each_run_puts_in_anothers_place_is_noticed() -> None:
    """As many Values are held before as after, with the same structure; they are others."""
    state = [Value(0.0)]

    def f(x: Any) -> Any:
        state[0] = autograd.detach(x + state[0])
        return state[0] * x

    with pytest.raises(CompileError, match="an earlier run has left in state"):
        autograd.compile(f, 1.0)
