"""`fit` and `minimize` in single precision: the eager engine's results, rounded."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("llvmlite", reason="comes with the extra fast")

import nn
from autograd import CompileError, Value, take
from autograd.compiler.reals import SINGLE
from nn import MLP, Embedding, Layer, Module, fit, minimize
from nn.documents import StateError
from nn.hygiene import DivergenceError
from nn.losses import half_squared_error
from nn.optim import SGD
from tests import test_minimization
from tests.test_compiled_training import SETTINGS, distance, dropping, everything, trained

CLOSE = 1e-5
"""The issue's settings are nine steps of networks of some thirty weights: a gradient is off by some
dozen roundings of 2**-24, and Adam divides by what may be a tenth of the largest."""

SOME = ("Adam", "dropout", "clipping by norm", "several classes")


@pytest.mark.long
def test_how_much_is_said() -> None:
    model, history, optimizer = trained(None, dtype="float32")
    assert history.backend == "llvm, float32"
    numbers = [*model.state_dict().values(), *optimizer.memory[0]]
    assert all(type(x) is float and SINGLE.rounded(x) == x for x in numbers)
    assert all(type(x) is float for x in (*history.loss, *history.accuracy, history.steps[0].loss))


@pytest.mark.parametrize(
    "name", [n if n in SOME else pytest.param(n, marks=pytest.mark.long) for n in SETTINGS]
)
def test_training_differs_by_rounding_only(name: str) -> None:
    eager = trained(False, **SETTINGS[name])
    single = trained(True, dtype="float32", **SETTINGS[name])
    assert 0 < distance(eager, single) < CLOSE
    for a, b in zip(eager[1].steps, single[1].steps, strict=True):
        assert b[:2] == a[:2]
        assert b[2:5] == pytest.approx(a[2:5], rel=CLOSE, abs=CLOSE)
        assert b.gradients == pytest.approx(a.gradients, rel=CLOSE, abs=CLOSE)
        assert b.updates == pytest.approx(a.updates, rel=CLOSE, abs=CLOSE)


@pytest.mark.long
def test_resumed_it_has_the_same_bits(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.json"
    whole = trained(None, make=dropping, epochs=4, dtype="float32")
    trained(None, make=dropping, epochs=2, checkpoint=path, dtype="float32")
    again = trained(None, make=dropping, epochs=4, resume=path, dtype="float32")
    assert everything(again) == everything(whole)
    with pytest.raises(StateError, match=r"'llvm, float32'.*compile=True, dtype='float32', for"):
        trained(None, make=dropping, epochs=4, resume=path)
    trained(True, epochs=1, checkpoint=path)
    with pytest.raises(StateError, match=r"'llvm': .*dtype='float64'"):
        trained(None, resume=path, dtype="float32")


def test_a_file_of_the_model_has_doubles(tmp_path: Path) -> None:
    model, _, _ = trained(None, dtype="float32")
    for name in ("model.json", "model.safetensors"):
        nn.save(model, tmp_path / name)
        assert nn.load(tmp_path / name).state_dict() == model.state_dict()
    x = [0.3, -0.7]
    assert model.predict([x]) == [model(x).data]


def test_a_step_is_replayed() -> None:
    _, history, _ = trained(None, make=dropping, dtype="float32")
    # A dozen roundings of the loss; its weights are those of the step, to the bit.
    assert history.replay(7).data == pytest.approx(history.steps[7].loss, rel=1e-5)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"compile": False}, "compile=False asks for the float64"),
        ({"compile": "exact"}, "compile='exact' asks for the float64"),
        ({"compile": None, "dtype": "float16"}, "dtype must be .*: got 'float16'"),
    ],
)
def test_what_can_not_be_is_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        trained(**{"dtype": "float32", **settings})
    with pytest.raises(ValueError, match=message):
        minimize(
            lambda x: Value(1.0) * x[0],
            [[[1.0]]],
            SGD([Value(1.0)], 0.1),
            **{"dtype": "float32", **settings},
        )


def test_what_can_not_be_compiled_is_not_trained_in_doubles() -> None:
    class Deciding(Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = Layer(2, 1, activation="linear", seed=0)

        def forward(self, x: Any) -> Any:
            y = self.layer(x)
            return y if y > 0 else -y

    with pytest.raises(CompileError, match="where"):
        trained(None, make=Deciding, dtype="float32")


def test_tokens_are_looked_at_before_they_are_rounded() -> None:
    class Words(Module):
        def __init__(self) -> None:
            super().__init__()
            self.table = Embedding(3, 1, seed=0)

        def forward(self, x: Any) -> Any:
            return self.table(x[0])[0] + self.table(x[1])[0]

    inputs, targets = [[0.0, 1.0], [2.0, 2.0]], [0.5, 1.0]
    settings: dict[str, Any] = {"make": Words, "loss": half_squared_error, "dtype": "float32"}
    assert trained(None, data=(inputs, targets), **settings)[1].loss
    inputs[1] = [2.0, 1.00000001]
    with pytest.raises(IndexError, match=r"by 1.00000001, which has the rows 0 to 2"):
        trained(None, data=(inputs, targets), **settings)
    w = [Value(1.0), Value(2.0)]
    with pytest.raises(IndexError, match=r"by 1.00000001, which"):
        minimize(lambda x: take(w, x[0]) ** 2, [[[1.00000001]]], SGD(w, 0.1), dtype="float32")
    assert [leaf.data for leaf in w] == [1.0, 2.0]


@pytest.mark.long
def test_where_single_precision_ends() -> None:
    model = MLP(2, [1], activation="linear", seed=0)
    data = [[1e20, 1e20], [2e20, 0.0]], [0.0, 1.0]
    settings: dict[str, Any] = {"epochs": 1, "compile": True}
    before = model.state_dict()
    with pytest.raises(DivergenceError) as caught:
        fit(
            model,
            data,
            half_squared_error,
            SGD(model.parameters(), 1e-40),
            dtype="float32",
            **settings,
        )
    assert caught.value.__notes__ == [
        "in float32, whose largest number is 3.4e38: float64 may go on"
    ]
    assert model.state_dict() == {k: SINGLE.rounded(x) for k, x in before.items()}
    assert fit(model, data, half_squared_error, SGD(model.parameters(), 1e-40), **settings).loss
    # A norm of gradients whose squares overflow, or underflow, is right all the same.
    for size in (1e18, 1e-30):
        inputs, targets = [[size, 0.0]], [0.0]
        model = MLP(2, [1], activation="linear", seed=0)
        rate = 1e-40 if size > 1 else 0.1
        history = fit(
            model,
            (inputs, targets),
            lambda out, y: out - y,
            SGD(model.parameters(), rate),
            dtype="float32",
            **settings,
        )
        assert history.steps[0].gradients[0] == pytest.approx(math.hypot(size, 1.0), rel=1e-6)


def test_a_learning_rate_beyond_all_numbers_is_infinite() -> None:
    w = Value(1.0)
    with pytest.raises(FloatingPointError):
        minimize(lambda x: w * w * x[0], [[[1.0]]] * 2, SGD([w], 1e39), dtype="float32")
    assert w.data == -math.inf


@pytest.mark.parametrize("alone", [test_minimization.minimization.ALONE, 0])
@pytest.mark.long
def test_minimised_steps_are_the_eager_ones(alone: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(test_minimization.minimization, "ALONE", alone)
    losses, weights, optimizer = test_minimization.trained(40, dtype="float32")
    expected, kept, eager = test_minimization.trained(40, compile=False)
    # Forty steps, each with a dozen roundings, of which Adam takes quotients.
    assert losses == pytest.approx(expected, rel=40 * CLOSE)
    assert weights == pytest.approx(kept, rel=40 * CLOSE)
    assert all(SINGLE.rounded(x) == x for x in weights)
    assert optimizer.steps == eager.steps == 40
    for column, other in zip(optimizer.memory, eager.memory, strict=True):
        assert column == pytest.approx(other, rel=40 * CLOSE, abs=CLOSE)
