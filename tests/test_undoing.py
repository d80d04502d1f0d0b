"""A training that can't be compiled goes on as if nobody had tried."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable
from typing import Any

import pytest

pytest.importorskip("llvmlite", reason="comes with the extra fast")

import numpy

from autograd import as_it_was
from nn import MLP, Module, fit
from nn.optim import SGD
from nn.training import epochs

X = [[0.1 * i, (-1) ** i * 0.3] for i in range(12)]
Y = [0.2 * i for i in range(12)]
CALLS = 0


class Noisy(Module):
    """Adds to its inputs what ``draw`` gives."""

    def __init__(self, draw: Callable[[Any], float]) -> None:
        self.inner, self.draw = MLP(2, [3, 1], activation="tanh", seed=1), draw
        self.calls = 0
        self.means = [0.0, 0.0]
        self.sums = numpy.zeros(2)
        self.kept: dict[str, float] = {}
        self.last = deque([0.0], maxlen=3)
        self.met = {0.0}
        self.own = random.Random(3)
        self.numpys = numpy.random.default_rng(3)
        self.older = numpy.random.RandomState(3)

    def forward(self, x: Any) -> Any:
        noise = self.draw(self)
        return self.inner([each + noise for each in x])


def counted(model: Any) -> float:
    model.calls += 1
    return 1 / model.calls


def counted_by_all(_: Any) -> float:
    global CALLS
    CALLS += 1
    return 1 / CALLS


def counter() -> Callable[[Any], float]:
    calls = 0

    def draw(_: Any) -> float:
        nonlocal calls
        calls += 1
        return 1 / calls

    return draw


def running(model: Any) -> float:
    for i, mean in enumerate(model.means):
        model.means[i] = 0.9 * mean + 0.1
    return float(model.means[0])


def running_in_an_array(model: Any) -> float:
    model.sums += 0.1
    return float(model.sums[1])


def kept(model: Any) -> float:
    model.kept["calls"] = model.kept.get("calls", 0.0) + 0.1
    return float(model.kept["calls"])


def of_the_last(model: Any) -> float:
    model.last.append(model.last[-1] + 0.1)
    return sum(model.last)


def met(model: Any) -> float:
    model.met.add(0.1 * len(model.met))
    return 0.1 * len(model.met)


DRAWS: dict[str, Callable[[], Callable[[Any], float]]] = {
    "an attribute": lambda: counted,
    "a global": lambda: counted_by_all,
    "a variable": counter,
    "a list": lambda: running,
    "an array": lambda: running_in_an_array,
    "a dict": lambda: kept,
    "a deque": lambda: of_the_last,
    "a set": lambda: met,
    "random": lambda: lambda _: random.gauss(0, 0.1),
    "a generator": lambda: lambda model: model.own.gauss(0, 0.1),
    "NumPy": lambda: lambda _: float(numpy.random.normal(0, 0.1)),
    "NumPy's generator": lambda: lambda model: float(model.numpys.normal(0, 0.1)),
    "NumPy's older one": lambda: lambda model: float(model.older.normal(0, 0.1)),
}


@pytest.mark.parametrize("draw", DRAWS.values(), ids=DRAWS)
def test_a_training_that_cannot_be_compiled_is_the_eager_one(
    draw: Callable[[], Callable[[Any], float]],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def trained(compile: bool | None) -> list[float]:
        global CALLS
        CALLS = 0
        random.seed(5)
        numpy.random.seed(5)
        model = Noisy(draw())
        made = SGD(model.parameters(), 0.05)
        history = fit(
            model, (X, Y), lambda p, t: (p - t) ** 2, made, epochs=2, batch_size=5, compile=compile
        )
        return [*history.loss, *(p.data for p in made.parameters)]

    monkeypatch.setattr(epochs, "EPOCHS_WORTHWHILE", 0)
    assert trained(None) == trained(False)
    assert capsys.readouterr().err.startswith("fit runs in the eager engine: ")


def test_what_is_left_alone_stays_the_same_object() -> None:
    things = [1.0], {"a": 2.0}
    undo = as_it_was(lambda: things)
    before = [*map(id, things)]
    things[0].append(3.0)
    things[1]["b"] = 4.0
    undo()
    assert things == ([1.0], {"a": 2.0})
    assert [*map(id, things)] == before
