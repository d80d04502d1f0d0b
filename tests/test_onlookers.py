"""Compiled steps are the eager ones, whatever a user's code sees or changes between two of them."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest

pytest.importorskip("llvmlite", reason="comes with the extra fast")

from autograd import CompileError, Value, relu
from nn import MLP, Module, fit, minimize
from nn.optim import SGD, Optimizer
from nn.schedules import Cosine, Staircase
from nn.training import compiled, minimization
from nn.training.onlookers import has_onlookers

DATA = (
    [[0.1 * i, (-1) ** i * 0.3] for i in range(12)],
    [math.sin(0.4 * i) for i in range(12)],
)
BETA = [0.0]
Made = tuple[list[float], list[float]]


class Line(Module):
    def __init__(self) -> None:
        self.w = [Value(0.1), Value(0.2)]

    def __call__(self, x: Any) -> Any:
        return self.w[0] * x[0] + self.w[1] * x[1]


class Doubling(Line):
    """Writes into what it is given."""

    def __call__(self, x: Any) -> Any:
        x[0] = x[0] * 2
        return super().__call__(x)


class Counting(SGD):
    """Halves its rate after some steps, which it counts itself."""

    asked = 0

    def rates(self, step: int) -> tuple[float, ...]:
        self.asked += 1
        (rate,) = super().rates(step)
        return (rate * (0.5 if self.asked > 4 else 1.0),)


class ByNorm(SGD):
    """Its rate goes by weights and gradients."""

    def rates(self, step: int) -> tuple[float, ...]:
        (rate,) = super().rates(step)
        return (rate / (1 + sum(abs(p.data) + abs(p.grad) for p in self.parameters)),)


class Pulling(SGD):
    """Pulls weights to 0: by an attribute of the class where it has none of its own."""

    pull: float = 0.1

    def __init__(self, parameters: list[Value]) -> None:
        super().__init__(parameters, 0.05)
        self.pull = 0.5

    def update(self, w: Any, g: Any, *rest: Any) -> tuple[Any, ...]:
        return super().update(w, g + getattr(self, "pull", 0.1) * w, *rest)


class Slotted(Pulling):
    """Has that attribute in a slot."""

    __slots__ = ("pull",)


class Warming(Pulling):
    """Its rates set what its formula goes by."""

    def rates(self, step: int) -> tuple[float, ...]:
        self.pull = 0.1 * step
        return super().rates(step)


class Annealing(SGD):
    """Its rates set what a loss goes by."""

    def rates(self, step: int) -> tuple[float, ...]:
        BETA[0] = float(step > 2)
        return super().rates(step)


def error(prediction: Any, target: Any) -> Any:
    return (prediction - target) ** 2


def annealed(prediction: Any, target: Any) -> Any:
    return (prediction - target) ** 2 + BETA[0] * prediction * prediction


def annealing(optimizer: Optimizer) -> Callable[[float], float]:
    def factor(time: float) -> float:
        BETA[0] = time
        return 1.0

    return factor


def by_weights(optimizer: Optimizer) -> Callable[[float], float]:
    return lambda time: 1 / (1 + abs(optimizer.parameters[0].data))


def by_gradients(optimizer: Optimizer) -> Callable[[float], float]:
    return lambda time: 1 / (1 + sum(p.grad**2 for p in optimizer.parameters))


def decaying(optimizer: Optimizer) -> Callable[[float], float]:
    def factor(time: float) -> float:
        for leaf in optimizer.parameters:
            leaf.data *= 0.9
        return 1.0

    return factor


def by_momentum(optimizer: Any) -> Callable[[float], float]:
    def factor(time: float) -> float:
        optimizer.momentum = 0.9 / (1 + time)
        return 1.0

    return factor


def by_decay(optimizer: Any) -> Callable[[float], float]:
    def factor(time: float) -> float:
        optimizer.weight_decay = 0.1 * time
        return 1.0

    return factor


def by_pull(optimizer: Any) -> Callable[[float], float]:
    def factor(time: float) -> float:
        optimizer.pull = 0.1 * time
        return 1.0

    return factor


def without_pull(optimizer: Any) -> Callable[[float], float]:
    def factor(time: float) -> float:
        if time == 1.0:
            del optimizer.pull
        return 1.0

    return factor


def fitted(
    compile: bool | str | None,
    *,
    model: Callable[[], Module] = lambda: MLP(2, [3, 1], activation="tanh", seed=1),
    loss: Any = error,
    optimizer: Callable[[list[Value]], Optimizer] = lambda p: SGD(p, 0.05, 0.5),
    schedule: Callable[[Optimizer], Any] = lambda _: None,
    **settings: Any,
) -> list[float]:
    BETA[0] = 0.0
    made = model()
    used = optimizer(made.parameters())
    history = fit(
        made, DATA, loss, used, epochs=2, batch_size=3, compile=compile,
        schedule=schedule(used), **settings,
    )  # fmt: skip
    return [*history.loss, *(p.data for p in used.parameters), *(p.grad for p in used.parameters)]


BETWEEN: dict[str, dict[str, Any]] = {
    "what the loss goes by is changed": {"loss": annealed, "schedule": annealing},
    "weights are read": {"schedule": by_weights},
    "gradients are read": {"schedule": by_gradients},
    "weights are changed": {"schedule": decaying},
    "the optimiser is changed": {"schedule": by_momentum},
    "an optimiser without memory is changed": {
        "optimizer": lambda p: SGD(p, 0.05),
        "schedule": by_decay,
    },
    "a slot of the optimiser is changed": {"optimizer": Slotted, "schedule": by_pull},
    "a slot of the optimiser is emptied": {"optimizer": Slotted, "schedule": without_pull},
    "the optimiser loses an attribute": {"optimizer": Pulling, "schedule": without_pull},
    "the optimiser's rates set its attribute": {"optimizer": Warming},
    "the optimiser's rates change the loss": {
        "optimizer": lambda p: Annealing(p, 0.05),
        "loss": annealed,
    },
    "the optimiser's rates are counted": {"optimizer": lambda p: Counting(p, 0.05)},
    "the optimiser's rates go by weights": {"optimizer": lambda p: ByNorm(p, 0.05)},
    "samples are written to": {"model": Doubling},
    "a schedule of ours": {"schedule": lambda _: Cosine(2)},
}


@pytest.mark.parametrize("settings", BETWEEN.values(), ids=BETWEEN)
@pytest.mark.parametrize("how", [True, pytest.param("exact", marks=pytest.mark.long)])
def test_fit_is_the_eager_one(settings: dict[str, Any], how: bool | str) -> None:
    # Sums of a few dozen products below 1, eight times.
    assert fitted(how, **settings) == pytest.approx(fitted(False, **settings), rel=1e-9)


def test_a_metric_finds_the_model_as_it_is() -> None:
    def norms(compile: bool) -> list[float]:
        model, found = Line(), []

        def metric(*_: Any) -> float:
            found.append(sum(abs(p.data) for p in model.parameters()))
            return 0.0

        fitted(compile, model=lambda: model, metrics=[metric])
        return found

    assert norms(True) == pytest.approx(norms(False), rel=1e-12)


@pytest.mark.parametrize("name", ["scale", "steps"])
def test_a_loss_that_goes_by_what_each_step_sets_is_refused(name: str) -> None:
    made = Line()
    used = SGD(made.parameters(), 0.05)

    def loss(prediction: Any, target: Any) -> Any:
        return error(prediction, target) * (1.0 + getattr(used, name))

    line = loss.__code__.co_firstlineno
    with pytest.raises(CompileError, match=rf"{__file__}:{line}: loss was .* when SGD"):
        fit(made, DATA, loss, used, epochs=1, compile=True)
    assert (used.scale, used.steps) == (1.0, 0)


def test_a_schedule_that_reaches_nothing_of_the_training_is_no_onlooker() -> None:
    model, other = Line(), Line()
    used = SGD(model.parameters(), 0.05)
    for schedule in (None, Staircase(2), lambda time: 0.5**time, other.parameters):
        assert not has_onlookers(used, schedule)
    for schedule in (model.parameters, lambda time: used.scale, lambda time: model.w[0].data):
        assert has_onlookers(used, schedule)
    assert has_onlookers(Counting(model.parameters(), 0.05))


def test_many_steps_with_a_schedule_of_a_user_s_are_one_call(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    walks: list[int] = []
    walk = compiled.CompiledSteps._walk

    def counted(self: Any, order: Any, *args: Any) -> Any:
        walks.append(len(order))
        return walk(self, order, *args)

    monkeypatch.setattr(compiled.CompiledSteps, "_walk", counted)
    fitted(True, schedule=lambda _: lambda time: 0.5**time)
    assert walks == []
    # The first step of an epoch finds another beta, and from there on each does.
    fitted(True, loss=annealed, schedule=annealing)
    assert walks in ([3, 4], [4, 4])


BATCHES = [[[1.0], [3.0]], [[2.0], [0.5, 1.0]]] * 4


def minimized(
    compile: bool, between: Callable[[Any, list[float]], dict[str, Any]], momentum: float = 0.0
) -> list[float]:
    w, seen = Value(0.1), list[float]()
    used = SGD([w], 0.05, momentum)
    loss = lambda x: relu(w - x[0]) + (w - x[-1]) ** 2
    losses = minimize(loss, BATCHES, used, compile=compile, **between(used, seen))
    return [*losses, w.data, w.grad, *seen, used.steps]


def reading(used: Any, seen: list[float]) -> dict[str, Any]:
    (w,) = used.parameters
    return {"tell": lambda loss: seen.extend([loss, w.data, w.grad, used.steps])}


def reading_before(used: Any, seen: list[float]) -> dict[str, Any]:
    (w,) = used.parameters
    return {"schedule": lambda i: seen.append(w.data) or 1 / (1 + abs(w.data))}


def projecting(used: Any, seen: list[float]) -> dict[str, Any]:
    def tell(loss: float) -> None:
        for leaf in used.parameters:
            leaf.data = min(leaf.data, 0.2)

    return {"tell": tell}


def by_itself(used: Any, seen: list[float]) -> dict[str, Any]:
    return {}


@pytest.mark.parametrize("between", [reading, reading_before, projecting, by_itself])
@pytest.mark.parametrize("momentum", [0.0, 0.5])
def test_minimize_is_the_eager_one(between: Any, momentum: float) -> None:
    compiled, eager = (minimized(how, between, momentum) for how in (True, False))
    assert compiled == pytest.approx(eager, rel=1e-12)


@pytest.mark.parametrize("worth", [1, 100])
def test_minimize_follows_rates_that_set_what_a_formula_goes_by(
    worth: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(minimization, "SAMPLES_WORTHWHILE", worth)
    w, found = Value(0.1), []
    loss = lambda x: (w - x[0]) ** 2
    for compile in (None, False):
        w.data = 0.1
        losses = minimize(loss, BATCHES, Warming([w]), compile=compile)
        found.append([*losses, w.data])
    assert found[0] == pytest.approx(found[1], rel=1e-12)
    w.data = 0.1
    with pytest.raises(CompileError, match=r"Warming\.pull was 0\.5"):
        minimize(loss, BATCHES, Warming([w]), compile=True)
    assert w.data == 0.1  # no step was made by what it was


def test_what_minimize_goes_by_may_not_change_between_its_steps() -> None:
    def anneal(used: Any, seen: list[float]) -> dict[str, Any]:
        def schedule(i: int) -> float:
            BETA[0] = float(i)
            return 1.0

        return {"schedule": schedule}

    w = Value(0.1)
    BETA[0] = 0.0
    used = SGD([w], 0.05)
    loss = lambda x: (w - x[0]) ** 2 * (1 + BETA[0])
    with pytest.raises(CompileError, match=r"BETA was \[0\.0\]"):
        minimize(loss, BATCHES, used, compile=True, **anneal(used, []))
    assert used.steps == 1  # the first, by what it was compiled with
    for name, momentum in (("momentum", 0.5), ("weight_decay", 0.0)):
        with pytest.raises(CompileError, match=rf"update was compiled when SGD\.{name} was"):
            minimized(
                True,
                lambda used, seen, name=name: {"tell": lambda loss: setattr(used, name, 0.1)},
                momentum,
            )
