"""Platforms that lack something: libraries that are not built for them, a stack that is deep."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from autograd import Value
from autograd.acceleration import accelerator
from autograd.freeing import one_by_one

ROOT = Path(__file__).parent.parent

WITHOUT_ANYTHING = """
import sys

class Nothing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] not in {*sys.stdlib_module_names, "autograd", "nn"}:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Nothing())
from autograd import *
from nn import *
from nn.data import moons
from nn.losses import binary_cross_entropy_with_logits
from nn.optim import SGD

x = Value(2.0, "x")
y = tanh(x * x)
y.backward()
model = MLP(2, [3, 1], seed=0)
optimizer = SGD(model.parameters(), 0.1)
assert fit(model, moons(8), binary_cross_entropy_with_logits, optimizer, epochs=1).loss
assert gradcheck(lambda x: x * tanh(x), 2.0).ok
assert Stepper(y).events[-1].kind == "done"
"""

WITHOUT_WHEELS = """
import sys

sys.modules["llvmlite"] = sys.modules["sklearn"] = None
from autograd import compile
from autograd.command.cli import main
from nn import MLP

assert list(compile(lambda x: x * x, 2.0).value_and_grad([1.0, 3.0])[1]) == [1.0, 3.0]
assert len(MLP(2, [3, 1], seed=0).predict([[0.0, 1.0]] * 500)) == 500
for words in (
    ["train", "moons", "--n", "20", "--epochs", "1", "--out", "here"],
    ["show", "here/model.json", "1", "2"],
    ["check", "tanh(x)", "x=2"],
    ["draw", "tanh(x)", "x=2", "-o", "g.svg"],
    ["step", "tanh(x)", "x=2", "--html", "page.html"],
):
    assert main(words) == 0, words
assert main(["train", "iris", "--out", "there"]) == 3
"""


def run(code: str, folder: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(ROOT)!r})\n{code}"],
        cwd=folder,
        capture_output=True,
        encoding="utf-8",
    )
    assert done.returncode == 0, done.stderr
    return done.stderr


def test_all_that_needs_no_library_runs_without_any(tmp_path: Path) -> None:
    """Star imports too, which load whatever they name."""
    run(WITHOUT_ANYTHING, tmp_path)


@pytest.mark.long
def test_all_but_fast_and_data_runs_where_their_wheels_are_missing(tmp_path: Path) -> None:
    for library in ("numpy", "matplotlib", "graphviz"):
        pytest.importorskip(library)
    said = run(WITHOUT_WHEELS, tmp_path)
    assert said.splitlines()[-1].endswith(
        "this needs scikit-learn, which is not installed: pip install 'chainrule[data]'"
    )


def chain(n: int) -> Value:
    y = Value(1.0)
    for i in range(n):
        y = y + 1.0 if i % 3 else sum([y, 1.0, Value(2.0)])  # one node may hold its own in a tuple
    return y


@pytest.mark.skipif(accelerator is not None, reason="nodes in C are freed so by themselves")
def test_a_chain_is_freed_without_recursion(monkeypatch: pytest.MonkeyPatch) -> None:
    """As under Emscripten, where 10,000 nodes were too many for the stack around Python's."""
    free: Callable[[Value], None] = one_by_one()
    depth = deepest = freed = 0

    def watch(self: Value) -> None:
        nonlocal depth, deepest, freed
        depth += 1
        deepest = max(deepest, depth)
        freed += 1
        free(self)
        depth -= 1

    monkeypatch.setattr(Value, "__del__", watch, raising=False)
    y = chain(5_000)
    kept = chain(30)
    y.backward()
    del y
    kept.backward()
    monkeypatch.undo()
    # A leaf for each third node; the first to go has the next one go inside of it.
    assert freed >= 5_001
    assert deepest == 2


def test_what_is_still_used_is_not_freed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Value, "__del__", one_by_one(), raising=False)
    x = Value(2.0, "x")
    y = x * x
    z = y * 3.0
    del z
    y.backward()
    assert (y.args, x.grad) == ((x, x), 4.0)
