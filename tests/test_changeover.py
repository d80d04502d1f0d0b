"""Trainings that nobody has asked to compile go on eagerly where that can't be done any more."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest

from autograd import CompileError, Value
from nn import MLP, Module, fit, minimize
from nn.losses import binary_cross_entropy_with_logits
from nn.optim import SGD, Adam
from nn.training import epochs, minimization

pytest.importorskip("llvmlite")

DRAWN = random.Random(4)
X = [[DRAWN.gauss(0, 1), DRAWN.gauss(0, 1)] for _ in range(20)]
Y = [float(x[0] * x[1] > 0) for x in X]


class Setting:
    """What a training's own code changes while it runs."""

    def __init__(self) -> None:
        self.weight = 0.0
        self.decides = False
        self.noise: random.Random | None = None

    def loss(self, prediction: Any, target: Any) -> Any:
        term = binary_cross_entropy_with_logits(prediction, target)
        if self.decides and term.data > 0.6:
            return term * 2.0
        if self.noise:
            term = term * self.noise.random()
        return term + self.weight * prediction * prediction


def decides_from(setting: Setting, time: float) -> None:
    setting.decides = time > 1.4


def draws_from(setting: Setting, time: float) -> None:
    if time > 1.4 and not setting.noise:
        setting.noise = random.Random(1)


def weighs(setting: Setting, time: float) -> None:
    setting.weight = 0.01 * time


CHANGES = [decides_from, draws_from, weighs]


class Clipping(Module):
    """A user's model that decides where it is used, but not where it learns."""

    def __init__(self) -> None:
        self.inner = MLP(2, [3, 1], activation="tanh", seed=1)

    def __call__(self, x: Any) -> Any:
        out = self.inner(x)
        return out if self.training or abs(out.data) < 0.2 else out * 0.5


def fitted(compile: bool | None, change: Any, between: str, **settings: Any) -> Any:
    setting, model = Setting(), MLP(2, [3, 1], activation="tanh", seed=1)
    if between == "schedule":
        settings["schedule"] = lambda time: (change(setting, time), 1.0)[1]
    else:
        settings["callbacks"] = [lambda _, history: change(setting, len(history.loss))]
    given = {"epochs": 4, "batch_size": 5, "compile": compile, **settings}
    history = fit(model, (X, Y), setting.loss, Adam(model.parameters(), 0.05), **given)
    return history, [p.data for p in model.parameters()]


def check_equal(found: Any, wanted: Any) -> None:
    (history, numbers), (eager, others) = found, wanted
    assert numbers == pytest.approx(others, rel=1e-9)
    assert history.loss == pytest.approx(eager.loss, rel=1e-9)
    assert history.accuracy == eager.accuracy
    pairs = zip(history.steps, eager.steps, strict=True)
    for one, other in pairs:
        assert one[:2] == other[:2]
        assert one.loss == pytest.approx(other.loss, rel=1e-9)


@pytest.mark.parametrize("between", ["schedule", "callback"])
@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("worth", [0, 100_000])
def test_fit_goes_on_eagerly_as_if_it_had_been_so_from_the_beginning(
    change: Any,
    between: str,
    worth: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    wanted = fitted(False, change, between)
    monkeypatch.setattr(epochs, "EPOCHS_WORTHWHILE", worth)
    monkeypatch.setattr("nn.training.epochs._arguments_of", lambda _: 10_000)
    found = fitted(None, change, between)
    check_equal(found, wanted)
    told = capsys.readouterr().err
    # To compile anew is free where a training is worth it anyhow, and after each step it isn't.
    is_changed = change is not weighs or (worth and between == "schedule")
    assert found[0].backend == ("eager" if is_changed else "llvm")
    assert told.count("fit runs in the eager engine: ") == bool(is_changed)
    if not is_changed:
        assert fitted(True, change, between)[1] == found[1]
    elif change is not weighs:
        with pytest.raises(CompileError):
            fitted(True, change, between)


class Between(Adam):
    """Calls something between the steps."""

    call: Any = None

    def rates(self, step: int) -> tuple[float, ...]:
        self.call(step)
        return super().rates(step)


@pytest.mark.parametrize("change", CHANGES)
def test_fit_makes_no_step_twice_where_rates_of_a_user_s_change_something(
    change: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(epochs, "EPOCHS_WORTHWHILE", 0)
    results = []
    for compile in (None, False):
        setting, model = Setting(), MLP(2, [3, 1], activation="tanh", seed=1)
        optimizer = Between(model.parameters(), 0.05)
        optimizer.call = lambda step, setting=setting: change(setting, 0.5 * step - 0.5)
        history = fit(
            model, (X, Y), setting.loss, optimizer, epochs=2, batch_size=5, compile=compile
        )
        assert optimizer.steps == len(history.steps) == 8
        results.append((history, [p.data for p in model.parameters()]))
    check_equal(*results)


def test_what_a_schedule_raises_of_its_own_is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(epochs, "EPOCHS_WORTHWHILE", 0)
    asked: list[float] = []

    def schedule(time: float) -> float:
        asked.append(time)
        if len(asked) == 3:
            raise CompileError("of its own")
        return 1.0

    model = MLP(2, [3, 1], activation="tanh", seed=1)
    optimizer = SGD(model.parameters(), 0.1)
    loss = binary_cross_entropy_with_logits
    with pytest.raises(CompileError, match="of its own"):
        fit(model, (X, Y), loss, optimizer, epochs=2, batch_size=5, schedule=schedule)
    assert optimizer.steps == 2


def test_fit_is_evaluated_eagerly_where_that_alone_cannot_be_compiled(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(epochs, "EPOCHS_WORTHWHILE", 0)
    results = []
    for compile in (False, None):
        model = Clipping()
        settings: dict[str, Any] = {"epochs": 3, "validation": (X[12:], Y[12:]), "compile": compile}
        loss, optimizer = binary_cross_entropy_with_logits, SGD(model.parameters(), 0.1)
        results.append(fit(model, (X[:12], Y[:12]), loss, optimizer, **settings))
    assert results[1].validation_loss == pytest.approx(results[0].validation_loss, rel=1e-9)
    assert results[1].loss == pytest.approx(results[0].loss, rel=1e-9)
    assert "fit runs in the eager engine: " in capsys.readouterr().err


BATCHES = [X[i : i + 4] for i in range(0, 20, 4)] * 3


def minimized(compile: bool | None, change: Callable[[Setting, float], None], way: str) -> Any:
    setting, w = Setting(), [Value(0.3), Value(-0.2)]
    loss = lambda x: setting.loss(w[0] * x[0] + w[1], 0.0)
    calls: list[float] = []
    between: Any = lambda i: (calls.append(i), change(setting, 0.3 * len(calls)), 1.0)[2]
    return minimize(loss, BATCHES, Adam(w, 0.05), compile=compile, **{way: between}), [
        p.data for p in w
    ]


@pytest.mark.parametrize("way", ["schedule", "tell"])
@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("worth", [1, 8])
def test_minimize_goes_on_likewise(
    change: Any,
    way: str,
    worth: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    losses, numbers = minimized(False, change, way)
    monkeypatch.setattr(minimization, "SAMPLES_WORTHWHILE", worth)
    found = minimized(None, change, way)
    assert found[0] == pytest.approx(losses, rel=1e-9)
    assert found[1] == pytest.approx(numbers, rel=1e-9)
    told = capsys.readouterr().err
    is_changed = change is not weighs or worth > 4
    assert told.count("minimize runs in the eager engine: ") == bool(is_changed)
    with pytest.raises(CompileError):
        minimized(True, change, way)
