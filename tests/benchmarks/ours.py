"""Our side, compiled, one measurement a process.

``python -m tests.benchmarks.ours MEASURE NAME CORES`` prints JSON.
"""

from __future__ import annotations

import json
import math
import sys
import time
from collections import deque
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np

from autograd import Value, compile, cos, erf, exp, log, sin, sqrt, trace
from nn import MLP, fit
from nn.losses import cross_entropy
from nn.metrics import accuracy
from nn.optim import Adam
from tests.benchmarks.measurement import seconds_per_call, use_cores
from tests.benchmarks.peers import BATCH, EPOCHS, RATE
from tests.benchmarks.works import WORKS, Read, Step, Work, split_digits, time_step

LANES = 10_000
"""Samples of the straight-line formulas: enough for a call's fixed cost not to show."""


def compiled(work: Work, model: MLP) -> Any:
    """Return the compiled loss of a work."""
    nin, nout = work.widths[0], work.widths[-1]
    return compile(work.sample_loss(model), [0.0] * nin, [0.0] * nout, wrt=model)


def array(work: Work) -> tuple[Step, Read]:
    """The parameters given, and their gradient returned, as one array."""
    loss = compiled(work, work.model())
    flat = work.parameters()

    def step() -> Any:
        return loss.value_and_grad(work.inputs, work.targets, params=flat)

    return step, lambda result: result


def values(work: Work) -> tuple[Step, Read]:
    """The parameters read from the model's Values, the gradient added to theirs."""
    model = work.model()
    loss = compiled(work, model)
    parameters = model.parameters()

    def read(_: Any) -> tuple[Any, Any]:
        for parameter in parameters:
            parameter.grad = 0.0
        return loss.backward(work.inputs, work.targets), [p.grad for p in parameters]

    return lambda: loss.backward(work.inputs, work.targets), read


def import_all() -> None:
    """Compile next to nothing, so that what is imported late is there: the peers' is, too."""
    compile(lambda x: 2.0 * x, 0.0).value_and_grad(np.ones(1))


def time_compilation(name: str) -> dict[str, float]:
    """Return the seconds from a model to the first gradient."""
    import_all()
    work = WORKS[name]()
    model, flat = work.model(), work.parameters()
    start = time.perf_counter()
    compiled(work, model).value_and_grad(work.inputs, work.targets, params=flat)
    return {"seconds": time.perf_counter() - start}


def train(seed: str) -> dict[str, float]:
    """Return the seconds and the accuracy of training on the digits with Adam."""
    (inputs, classes), (tests, labels) = split_digits()
    data = inputs.tolist(), classes.tolist()

    def train_one(epochs: int) -> tuple[MLP, float]:
        model = WORKS["digits"]().model()
        optimizer = Adam(model.parameters(), learning_rate=RATE)
        start = time.perf_counter()
        fit(
            model,
            data,
            cross_entropy,
            optimizer,
            epochs=epochs,
            batch_size=BATCH,
            seed=int(seed),
            compile=True,
        )
        return model, time.perf_counter() - start

    train_one(epochs=1)  # imports what is imported late, as the peers do
    model, seconds = train_one(EPOCHS)
    right = accuracy(list(map(model, tests.tolist())), labels.tolist())
    return {"seconds": seconds, "accuracy": right}


def rosenbrock(*x: Any) -> Any:
    """Return the extended Rosenbrock function.

    Source: Moré, Garbow & Hillstrom 1981, Testing unconstrained optimization software, (21).
    """
    return sum(100 * (b - a * a) * (b - a * a) + (1 - a) * (1 - a) for a, b in pairwise(x))


def black_scholes(spot: Any, strike: Any, years: Any, rate: Any, volatility: Any) -> Any:
    """Return the price of a European call.

    Source: Black & Scholes 1973, The pricing of options and corporate liabilities, equation 13.
    """

    def normal(z: Any) -> Any:
        return 0.5 + 0.5 * erf(z * math.sqrt(0.5))

    spread = volatility * sqrt(years)
    d = (log(spot / strike) + (rate + 0.5 * volatility * volatility) * years) / spread
    return spot * normal(d) - strike * exp(-rate * years) * normal(d - spread)


def arm(*angles: Any) -> Any:
    """Return how far the hand of an arm of rods of length 1, bent by angles, is from (2, 1)."""
    x, y, angle = -2.0, -1.0, 0.0
    for bend in angles:
        angle = angle + bend
        x, y = x + cos(angle), y + sin(angle)
    return sqrt(x * x + y * y)


FORMULAS: dict[str, tuple[Callable[..., Any], int]] = {
    "Rosenbrock": (rosenbrock, 10),
    "Black-Scholes": (black_scholes, 5),
    "arm": (arm, 6),
}


def time_gradient(name: str) -> float:
    """Return how many times a value its gradient takes, the value included."""
    if name in WORKS:
        work = WORKS[name]()
        flat = work.parameters()
        f = compiled(work, work.model())
        inputs, kept = (work.inputs, work.targets), {"params": flat}
    else:
        formula, arity = FORMULAS[name]
        f = compile(formula, *[1.0] * arity, reduce=None)
        inputs, kept = tuple(np.random.default_rng(0).uniform(0.5, 1.5, (arity, LANES))), {}
    results: deque[Any] = deque(maxlen=1)

    def seconds(call: Callable[..., Any]) -> float:
        # As in an assignment, a result lives until the next is there: else the memory of many
        # lanes may go back to the system after each call, and come back page by page.
        return seconds_per_call(lambda: results.append(call(*inputs, **kept)))

    return seconds(f.value_and_grad) / seconds(f)


def pendulum(angle: Any, speed: Any) -> Any:
    """Return the angle after 20,000 steps of 1 ms: 100,000 operations one after the other.

    Source: Hairer, Lubich & Wanner 2006, Geometric Numerical Integration, I.1.2, (1.9).
    """
    for _ in range(20_000):
        speed = speed - 0.001 * sin(angle)
        angle = angle + 0.001 * speed
    return angle


def pendulum_eagerly() -> tuple[Value, float, float]:
    """Return the pendulum's value and gradient, as the engine that runs here computes them."""
    angle, speed = Value(1.0), Value(0.0)
    out = pendulum(angle, speed)
    out.backward()
    return out, angle.grad, speed.grad


def compute_eagerly(name: str) -> dict[str, Any]:
    """Return the value and the gradient of a step as the engine computes them, node by node."""
    value, gradient = WORKS[name]().eager()
    return {"value": value, "gradient": gradient.tolist()}


def work_size(name: str) -> dict[str, int]:
    """Return the arithmetic of a step, and what it must at least read and write."""
    work = WORKS[name]()
    return {"flops": work.flops(), "bytes": work.bytes()}


def time_pendulum(_: str) -> dict[str, float]:
    """Return the nodes of the pendulum, and the seconds to compile and to run.

    A run is the value and the gradient at one point.
    """
    out, *slopes = pendulum_eagerly()
    start = time.perf_counter()
    f = compile(pendulum, 0.0, 0.0, wrt=[0, 1])
    value, gradient = f.value_and_grad(1.0, 0.0)
    seconds = time.perf_counter() - start
    # 40,000 roundings of 1e-16, each of which grows 20-fold at most until the end: 1e-10.
    np.testing.assert_allclose([value, *np.ravel(gradient)], [out.data, *slopes], rtol=1e-9)
    return {
        "nodes": len(trace(out)[0]),
        "compile": seconds,
        "run": seconds_per_call(lambda: f.value_and_grad(1.0, 0.0)),
    }


def time_demo(samples: str) -> dict[str, float]:
    """Return the seconds to compile micrograd's demo, to run it, and to run it on arrays.

    A run is the value and the gradient; the demo goes through its samples by itself.

    Source: the notebook demo.ipynb of micrograd 0.1.0.
    """
    source = np.random.default_rng(0)
    inputs, labels = source.normal(size=(int(samples), 2)), source.choice([-1.0, 1.0], int(samples))
    model, rows = MLP(2, [16, 16, 1], seed=0), inputs.tolist()

    def penalty() -> Any:
        return 1e-4 * sum(p * p for p in model.parameters())

    def loss() -> Any:
        scores = [model(list(map(Value, row))) for row in rows]
        losses = [(1 + -yi * score).relu() for yi, score in zip(labels, scores, strict=True)]
        return sum(losses) * (1.0 / len(losses)) + penalty()

    def of_one(x: Any, y: Any) -> Any:
        return (1 + -y * model(x)).relu() + penalty()

    import_all()
    start = time.perf_counter()
    whole = compile(loss, wrt=model)
    value, gradient = whole.value_and_grad()
    seconds = time.perf_counter() - start
    each = compile(of_one, [0.0, 0.0], 0.0, wrt=model)
    wanted, slopes = each.value_and_grad(inputs, labels)
    # Sums of a few hundred terms of at most 10, in another order: 1e-12.
    np.testing.assert_allclose([value, *gradient], [wanted, *slopes], rtol=1e-9, atol=1e-11)
    flat = np.array([p.data for p in model.parameters()])
    runs = (
        lambda: whole.value_and_grad(params=flat),
        lambda: each.value_and_grad(inputs, labels, params=flat),
    )
    # In turn, so that what else the machine does meets both.
    run, arrays = map(min, zip(*(map(seconds_per_call, runs) for _ in range(3)), strict=True))
    return {"compile": seconds, "run": run, "arrays": arrays}


MEASURES: dict[str, Callable[[str], Any]] = {
    "eager": compute_eagerly,
    "size": work_size,
    "array": lambda name: time_step(WORKS[name](), array),
    "values": lambda name: time_step(WORKS[name](), values),
    "training": train,
    "compilation": time_compilation,
    "gradient": time_gradient,
    "pendulum": time_pendulum,
    "eager pendulum": lambda _: seconds_per_call(pendulum_eagerly),
    "demo": time_demo,
}

if __name__ == "__main__":
    measure, name, cores = sys.argv[1:]
    use_cores(int(cores))
    print(json.dumps(MEASURES[measure](name)))
