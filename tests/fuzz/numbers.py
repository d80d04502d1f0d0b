"""Numbers at the edge in a training; the engine, the stepper and compiled code on any graph."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import nn
from autograd import TABLE, DomainError, Stepper, Value, compile
from nn.hygiene import DivergenceError
from nn.losses import absolute_error, binary_cross_entropy_with_logits, huber, squared_error
from nn.optim import SGD, Adagrad, Adam, RMSprop
from tests.fuzz.target import Target

EDGES = (
    *(0.0, -0.0, 1.0, -1.0, 0.5, 1e-300, 5e-324, 1e16, 1e154, -1e200, 1.7e308, -1.7e308),
    *(math.inf, -math.inf, math.nan),
)


class Trial(NamedTuple):
    """A training of one epoch."""

    rows: list[list[float]]
    targets: list[float]
    loss: Callable[..., Any]
    optimizer: Callable[..., Any]
    rate: float
    settings: dict[str, Any]


def trial(source: random.Random) -> Trial:
    def number() -> float:
        return source.choice(EDGES[: 12 if source.random() < 0.9 else None])

    rows = [[number(), source.gauss(0, 1)] for _ in range(4)]
    settings: dict[str, Any] = {
        "clip": source.choice((None, None, 1.0, 1e-300, 1e308)),
        "schedule": source.choice((None, nn.schedules.Exponential(1.5), nn.schedules.Cosine(2))),
        "metrics": source.choice(((), (nn.metrics.r2,))),
        "validation": source.choice((None, ([[number(), 1.0], [0.0, 1.0]], [number(), 0.0]))),
    }
    return Trial(
        rows,
        [source.choice((0.0, 1.0, number())) for _ in rows],
        source.choice((squared_error, absolute_error, huber, binary_cross_entropy_with_logits)),
        source.choice((SGD, Adam, RMSprop, Adagrad)),
        source.choice((1e-3, 0.1, 10.0, 1e300)),
        settings,
    )


def use_trial(case: Trial) -> None:
    model = nn.MLP(2, [2, 1], seed=0)
    optimizer = case.optimizer(model.parameters(), case.rate)
    history = nn.fit(
        model,
        (case.rows, case.targets),
        case.loss,
        optimizer,
        epochs=2,
        batch_size=2,
        compile=False,
        **case.settings,
    )
    assert all(map(math.isfinite, history.loss))
    assert all(math.isfinite(p.data) for p in model.parameters())


def program(source: random.Random) -> tuple[int, list[float]]:
    """Return from which seed a graph is drawn, and the numbers that go in."""
    numbers = [source.choice((source.uniform(0.1, 0.9), source.gauss(0, 2))) for _ in range(3)]
    return source.randrange(2**32), numbers


ROWS = [op for op in TABLE.values() if op.arity in (1, 2)]


def drawn(seed: int, xs: Any) -> Any:
    """Return the result of a few rows, drawn from a seed, applied one after the other."""
    source, nodes = random.Random(seed), list(xs)
    for _ in range(source.randint(1, 8)):
        op = source.choice(ROWS)
        args = [source.choice((*nodes[-3:], source.choice(nodes))) for _ in range(op.arity or 0)]
        nodes.append(op(*args))
    return nodes[-1] * 1.0


def use_program(case: tuple[int, list[float]]) -> None:
    seed, numbers = case
    xs = [Value(number, f"x{i}") for i, number in enumerate(numbers)]
    out = drawn(seed, xs)
    out.backward()
    slopes = [x.grad for x in xs]
    stepped = Stepper(out).recording
    assert all(
        repr(stepped.adjoint(x)) == repr(slope)
        for x, slope in zip(xs, slopes, strict=True)
        if x in stepped.position
    )
    kind = {0: "llvm", 1: "python", 2: "python", 3: "python"}.get(seed % 400)
    if kind is None:  # to compile takes longer than all the rest
        return
    compiled = compile(lambda *xs: drawn(seed, xs), *numbers, exact=True, backend=kind)
    value, gradient = compiled.value_and_grad(*numbers)
    assert repr(float(value)) == repr(out.data)
    # An infinite or NaN slope, at which the eager engine stops, is passed on by compiled code.
    assert [float(g) + 0.0 for g in gradient] == [slope + 0.0 for slope in slopes]


@cache
def targets() -> tuple[Target, ...]:
    refused = (ValueError, TypeError, DivergenceError)
    return (
        Target("trainings", trial, use_trial, refused),
        Target("engines", program, use_program, (DomainError,)),
    )
