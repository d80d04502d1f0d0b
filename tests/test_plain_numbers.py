"""A loss that takes its samples' numbers as floats is refused by compiled code, or done eagerly."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from warnings import catch_warnings, simplefilter

import pytest

pytest.importorskip("llvmlite", reason="comes with the extra fast")

from autograd import CompileError, Value, sigmoid, sqrt
from nn import MLP, Dropout, Module, fit, minimize
from nn.hygiene import TrainingWarning
from nn.losses import binary_cross_entropy, binary_cross_entropy_with_logits, squared_error
from nn.optim import SGD, Adam, Optimizer
from nn.training import epochs, targets

X = [[0.1 * i, (-1) ** i * 0.3] for i in range(12)]
LABELS = [float(i % 2) for i in range(12)]
WEIGHTS = {0.0: 1.0, 1.0: 5.0}


def error(prediction: Any, target: Any) -> Any:
    return (prediction - target) ** 2


def caught(prediction: Any, target: Any) -> Any:
    try:
        return WEIGHTS[target] * error(prediction, target)
    except KeyError:
        return error(prediction, target)


BY_FLOATS: dict[str, Callable[[Any, Any], Any]] = {
    "==": lambda p, t: (3.0 if t == 1 else 1.0) * error(p, t),
    "!=": lambda p, t: (3.0 if t != 1 else 1.0) * error(p, t),
    "in a list": lambda p, t: (3.0 if t in [1.0] else 1.0) * error(p, t),
    "in a set": lambda p, t: (3.0 if t in {1.0} else 1.0) * error(p, t),
    "a key": lambda p, t: WEIGHTS[t] * error(p, t),
    "a key or none": lambda p, t: WEIGHTS.get(t, 2.0) * error(p, t),
    "a key, caught": caught,
    "an index": lambda p, t: [1.0, 5.0][int(t)] * error(p, t),
    "rounded": lambda p, t: [1.0, 5.0][round(t)] * error(p, t),
    "its place": lambda p, t: [1.0, 5.0][[1.0, 0.0, t].index(t) % 2] * error(p, t),
    "its class": lambda p, t: (3.0 if isinstance(t, float) else 1.0) * error(p, t),
    "its method": lambda p, t: (3.0 if t.is_integer() else 1.0) * error(p, t),
}


def fitted(
    compile: bool | str | None,
    loss: Any,
    data: Any = (X, LABELS),
    model: Module | None = None,
    optimizer: Callable[[list[Value]], Optimizer] = lambda p: SGD(p, 0.05),
    **settings: Any,
) -> list[float]:
    model = model or MLP(2, [3, 1], activation="tanh", seed=1)
    used = optimizer(model.parameters())
    settings = {"epochs": 3, "batch_size": 5, **settings}
    history = fit(model, data, loss, used, compile=compile, **settings)
    numbers = [*history.loss, *history.validation_loss]
    for leaf in model.named_parameters().values():
        numbers += leaf.data, leaf.grad
    return numbers


@pytest.mark.parametrize("loss", BY_FLOATS.values(), ids=BY_FLOATS)
def test_a_loss_that_takes_targets_as_floats_is_refused(
    loss: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(CompileError, match=rf"(?s){__file__}:\d+: .*take\(values, i\)"):
        fitted(True, loss)
    monkeypatch.setattr(epochs, "EPOCHS_WORTHWHILE", 0)
    assert fitted(None, loss) == fitted(False, loss)
    assert capsys.readouterr().err.startswith("fit runs in the eager engine: ")


def test_a_rare_class_is_among_the_targets_tried() -> None:
    labels = [float(i % 11) for i in range(12)]
    with pytest.raises(CompileError, match=r"of 10\.0 is .* of a Value of it"):
        fitted(True, lambda p, t: {10: 3.0}.get(t, 1.0) * error(p, t), (X, labels))
    lists = [[label, 1.0] for label in labels]
    with pytest.raises(CompileError, match=r"of \[10\.0, 1\.0\] is "):
        fitted(True, lambda p, t: {10: 3.0}.get(t[0], 1.0) * error(p, t[1]), (X, lists))


def test_a_loss_that_goes_by_arithmetic_is_compiled() -> None:
    weighted = lambda p, t: (1 + 2 * t) * binary_cross_entropy_with_logits(p, t)
    assert fitted(True, weighted) == pytest.approx(fitted(False, weighted), rel=1e-9)

    def probable(prediction: Any, target: Any) -> Any:  # whose == is but a short cut
        return binary_cross_entropy(sigmoid(prediction), target)

    assert fitted(True, probable) == pytest.approx(fitted(False, probable), rel=1e-9)


SAMPLES = [[[float((i + j) % 3), 0.2 * j] for j in range(5)] for i in range(30)]
BY_SAMPLES: dict[str, Callable[[Any, Any], Any]] = {
    "==": lambda w, x: (w - x[1]) ** 2 * (3 if x[0] == 2 else 1),
    "a key": lambda w, x: (w - x[1]) ** 2 * WEIGHTS.get(x[0], 2.0),
    "an index": lambda w, x: (w - x[1]) ** 2 * [1.0, 2.0, 3.0][int(x[0])],
}


@pytest.mark.parametrize("loss", BY_SAMPLES.values(), ids=BY_SAMPLES)
def test_minimize_refuses_a_loss_that_takes_samples_as_floats(
    loss: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    w = Value(0.3)
    with pytest.raises(CompileError, match=rf"{__file__}:\d+: .*take\(values, i\)"):
        minimize(lambda x: loss(w, x), SAMPLES, SGD([w], 0.1), compile=True)
    assert w.data == 0.3
    found = []
    for compile in (False, None):  # not asked for, it is done without
        v = Value(0.3)
        found.append(minimize(lambda x, v=v: loss(v, x), SAMPLES, SGD([v], 0.1), compile=compile))
    assert found[0] == found[1]
    assert capsys.readouterr().err.startswith("minimize runs in the eager engine: ")


def test_samples_are_tried_up_to_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    w, seen = Value(0.3), []
    monkeypatch.setattr(targets, "ARGUMENTS_TRIED", 5)
    targets.check_samples(lambda x: seen.append(1) or (w - x[0]) ** 2, [(1.0,), (2.0,), (3.0,)])
    assert len(seen) == 2 * 2  # as floats and as Values, of 4 arguments each


def test_a_row_that_is_undefined_is_named_as_by_the_eager_engine() -> None:
    told = []
    for compile in (True, False):
        with pytest.raises(ValueError, match=r"sqrt\(-.* is undefined") as caught:
            fitted(compile, lambda p, t: sqrt(p - t + 1.3), epochs=200)
        told.append(str(caught.value)[:12])
    assert told[0] == told[1]


class Dropping(Module):
    def __init__(self, rate: float) -> None:
        self.first, self.last = MLP(2, [4], activation="tanh", seed=1), MLP(4, [1], seed=2)
        self.dropout = Dropout(rate, seed=3)

    def forward(self, x: Any) -> Any:
        return self.last(self.dropout(self.first(x)))


@pytest.mark.parametrize(("first", "then"), [(0.0, 0.4), (0.4, 0.0)])
def test_a_dropout_may_begin_or_end_between_two_epochs(first: float, then: float) -> None:
    def trained(compile: bool) -> list[float]:
        model = Dropping(first)
        change = lambda *_: setattr(model.dropout, "rate", then)
        return [*fitted(compile, error, model=model, callbacks=[change]), model.dropout.masks]

    assert trained(True) == pytest.approx(trained(False), rel=1e-9)


@pytest.mark.parametrize("grows", [True, False])
def test_the_parameters_that_are_optimised_may_change_between_two_epochs(grows: bool) -> None:
    def trained(compile: bool | str, kind: type[Optimizer] = SGD) -> list[float]:
        model = MLP(2, [3, 1], activation="tanh", seed=1)
        few, many = model.layers[1].parameters(), model.parameters()
        made = kind(few if grows else many, 0.05)

        def change(*_: Any) -> None:
            made.parameters = many if grows else few

        with catch_warnings():
            simplefilter("ignore", TrainingWarning)  # of what isn't optimised
            return fitted(
                compile, error, model=model, optimizer=lambda _: made, callbacks=[change], clip=0.3
            )

    assert trained(True) == pytest.approx(trained(False), rel=1e-9)
    assert trained("exact") == trained(False)
    for compile in (True, False):
        with pytest.raises(ValueError, match=r"parameters and the means of .*: make a new opt"):
            trained(compile, Adam)


def test_parameters_that_come_during_training_get_no_gradients() -> None:
    def trained(compile: bool) -> list[float]:
        model = MLP(2, [3, 1], activation="tanh", seed=1)
        other = MLP(3, [1], seed=8).layers[0]
        change = lambda *_: model.layers.__setitem__(1, other)
        return fitted(compile, error, model=model, callbacks=[change])

    assert trained(True) == pytest.approx(trained(False), rel=1e-9)


class Accumulating(SGD):
    def zero_grad(self) -> None:
        if self.steps % 2 == 0:
            super().zero_grad()


class Stepping(SGD):
    def update(self, w: Any, g: Any, *rest: Any) -> Any:
        return super().update(w, g / (1 + self.steps), *rest)


def test_an_optimizer_whose_steps_are_more_than_its_formula_is_refused() -> None:
    with pytest.raises(CompileError, match="Accumulating has a zero_grad of its own: write update"):
        fitted(True, error, optimizer=lambda p: Accumulating(p, 0.1))
    with pytest.raises(CompileError, match="Stepping's update goes by its steps, which each"):
        fitted(True, error, optimizer=lambda p: Stepping(p, 0.1))
    w = Value(0.3)
    with pytest.raises(CompileError, match="zero_grad of its own"):
        minimize(lambda x: (w - x[0]) ** 2, SAMPLES, Accumulating([w], 0.1), compile=True)


def test_a_loss_finds_values_in_validation_as_in_training() -> None:
    halved = lambda p, t: error(p, t) * (0.5 if isinstance(p, Value) else 1.0)
    settings: dict[str, Any] = {"validation": ([[0.7, 0.1], [0.2, 0.9]], [0.0, 1.0])}
    assert fitted(True, halved, **settings) == pytest.approx(
        fitted(False, halved, **settings), rel=1e-9
    )


def test_a_clip_that_needs_values_says_what_to_write() -> None:
    with pytest.raises(CompileError, match=r"clip is the function print, .*: write clip=1\.0"):
        fitted(True, squared_error, clip=print)


def test_who_calls_fit_as_elsewhere_is_told_how_it_is_called_here() -> None:
    model = MLP(2, [1])
    made: Any = SGD(model.parameters(), 0.1)
    with pytest.raises(TypeError, match=r"one argument, a pair: fit\(model, \(X, y\), loss"):
        fit(model, X, LABELS, error, made, epochs=1)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"has no validation_data: write validation=\(X, y\)"):
        fit(model, (X, LABELS), error, made, epochs=1, validation_data=X)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"has no workers: help\(nn.fit\) says what it has"):
        fit(model, (X, LABELS), error, made, epochs=1, workers=2)  # type: ignore[arg-type]
    with pytest.raises(AttributeError, match=r"MLP has no fit: write nn.fit\(model, \(X, y\)"):
        model.fit(X, LABELS)

    class Own(Module):
        def __init__(self) -> None:
            self.fit = Value(1.0)

    assert list(Own().named_parameters()) == ["fit"]


@pytest.mark.parametrize("compile", [True, False])
def test_a_step_that_is_not_made_leaves_no_gradients(compile: bool) -> None:
    w = Value(1.0)
    with pytest.raises(FloatingPointError):
        minimize(lambda x: (w - x[0]) ** 4, [[[1.5]]] * 80, SGD([w], 1e6), compile=compile)
    assert w.grad == 0.0
