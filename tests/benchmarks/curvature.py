"""Second derivatives and sparse Jacobians, compiled, beside JAX's.

``python -m tests.benchmarks.curvature KIND WHO CORES`` prints one measurement as JSON.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import scipy.sparse  # noqa: F401 - its import is no part of what is measured

from autograd import compile, dot, gradients, hessian, jacobian
from nn import MLP
from tests.benchmarks.measurement import seconds_per_call, use_cores

ROSENBROCK = 200
CHAIN = 1000
WIDTHS = 2, [8, 1]
STEPS, STATES, INPUTS = 40, 20, 10


def chained(x: Any) -> Any:
    """Return the chained Rosenbrock function.

    Source: Luksan & Vlcek 1999, Sparse and partially separable test problems, problem 5.1.
    """
    total: Any = 0.0
    for a, b in pairwise(x):
        total = total + 100 * (a * a - b) ** 2 + (a - 1) ** 2
    return total


def point(n: int) -> Any:
    """Return where it is measured."""
    return np.random.default_rng(0).normal(size=n)


def time_chain(_: str) -> dict[str, float]:
    """Time the sparse Hessian of the chained function: compilation, and a call."""
    x = point(CHAIN)
    start = time.thread_time()
    f = compile(hessian(chained, sparse=True), [0.0] * CHAIN)
    f(x)
    seconds = time.thread_time() - start
    return {"compile": seconds, "call": seconds_per_call(lambda: f(x))}


def time_rosenbrock(who: str) -> dict[str, Any]:
    """Time the Hessian of a shorter chain."""
    x = point(ROSENBROCK)
    if who == "jax":
        import jax
        import jax.numpy as jnp

        jax.config.update("jax_enable_x64", True)
        second = jax.jit(
            jax.hessian(lambda x: jnp.sum(100 * (x[:-1] ** 2 - x[1:]) ** 2 + (x[:-1] - 1) ** 2))
        )
        given = jnp.asarray(x)
        return _timed(lambda: jax.block_until_ready(second(given)))
    if who == "eager":
        return _found(hessian(chained, sparse=True)(x.tolist()).toarray())
    f = compile(hessian(chained, sparse=True), [0.0] * ROSENBROCK)
    return _timed(lambda: f(x), lambda found: found.toarray())


def time_network(who: str) -> dict[str, Any]:
    """Time the Hessian of a network's mean loss over 100 samples, by its weights."""
    source = np.random.default_rng(0)
    xs, ys = source.normal(size=(100, 2)), source.normal(size=100)
    model = MLP(*WIDTHS, activation="tanh", seed=0)
    weights = model.parameters()
    numbers = np.array([weight.data for weight in weights])
    if who == "jax":
        import jax
        import jax.numpy as jnp

        jax.config.update("jax_enable_x64", True)
        nin, hidden = WIDTHS[0], WIDTHS[1][0]

        def loss(flat: Any) -> Any:
            first = flat[: hidden * (nin + 1)].reshape(hidden, nin + 1)
            last = flat[hidden * (nin + 1) :]
            inner = jnp.tanh(xs @ first[:, :nin].T + first[:, nin])
            return ((inner @ last[:hidden] + last[hidden] - ys) ** 2).mean()

        second = jax.jit(jax.hessian(loss))
        given = jnp.asarray(numbers)
        return _timed(lambda: jax.block_until_ready(second(given)))

    def entries(x: Any, y: Any) -> Any:
        slopes = gradients((model(x) - y) ** 2, weights)
        return [gradients(slope, weights) for slope in slopes]

    if who == "eager":
        samples = zip(xs.tolist(), ys.tolist(), strict=True)
        matrices = [[[g.data for g in row] for row in entries(x, y)] for x, y in samples]
        return _found(np.mean(matrices, axis=0))
    f = compile(entries, [0.0, 0.0], 0.0, wrt=model)
    return _timed(lambda: f.reduced(xs, ys, params=numbers))


def time_rollout(kind: str) -> dict[str, float]:
    """Time the compilation of a rollout's Jacobian, x[k + 1] = A x[k] + B u[k].

    Its variables are all states and inputs, and its outputs the defects between the steps; or,
    for "shooting", the first state and all inputs, and its outputs all states.
    """
    source = np.random.default_rng(0)
    a = (source.normal(size=(STATES, STATES)) / 5).tolist()
    b = source.normal(size=(STATES, INPUTS)).tolist()
    given = STATES if kind == "shooting" else (STEPS + 1) * STATES

    def rollout(v: list[Any]) -> list[Any]:
        outs: list[Any] = []
        x = v[:STATES]
        for k in range(STEPS):
            u = v[given + k * INPUTS : given + (k + 1) * INPUTS]
            ahead = [dot(p + q, x + u) for p, q in zip(a, b, strict=True)]
            if kind == "shooting":
                outs += ahead
                x = ahead
            else:
                x = v[(k + 1) * STATES : (k + 2) * STATES]
                outs += [p - q for p, q in zip(x, ahead, strict=True)]
        return outs

    n = given + STEPS * INPUTS
    start = time.thread_time()
    found = compile(jacobian(rollout, sparse=True), [0.0] * n)(point(n))
    return {"seconds": (time.thread_time() - start) / found.nnz, "nonzeros": found.nnz}


def _timed(call: Callable[[], Any], dense: Callable[[Any], Any] = np.asarray) -> dict[str, Any]:
    return {"seconds": seconds_per_call(call), **_found(dense(call()))}


def _found(matrix: Any) -> dict[str, Any]:
    return {"value": float(matrix.sum()), "gradient": matrix.ravel().tolist()}


KINDS: dict[str, Callable[[str], dict[str, Any]]] = {
    "chain": time_chain,
    "rosenbrock": time_rosenbrock,
    "network": time_network,
    "rollout": time_rollout,
}

if __name__ == "__main__":
    kind, who, cores = sys.argv[1:]
    use_cores(int(cores))
    print(json.dumps(KINDS[kind](who)))
