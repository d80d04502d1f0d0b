"""A step of an MLP of some widths in some precision, beside JAX's, in turn in one process.

``python -m tests.benchmarks.layers WIDTHS SAMPLES DTYPE`` prints JSON: the least processor's
seconds of either, of JAX where it is installed. Wide layers are products of matrices, for which it
has a library of its own.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import numpy as np

import autograd
from autograd import dot, logsumexp
from tests.benchmarks.measurement import MeasurementError, use_cores
from tests.benchmarks.works import Work

ROUNDS = 15


def cross_entropy(out: list[Any], target: list[Any]) -> Any:
    """Return the loss of a sample, whose target is 1 at its class."""
    return logsumexp(out) - dot(target, out)


def seconds(step: Callable[[], object]) -> float:
    """Return the processor's seconds of a call, of some in a row, the first not counted."""
    step()
    start = time.process_time()
    for _ in range(4):
        step()
    return (time.process_time() - start) / 4


def compare(widths: tuple[int, ...], samples: int, dtype: str) -> dict[str, float]:
    """Return the seconds of a step by who made it, when both have found the same."""
    os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
    from tests.benchmarks.peers import jax

    source = np.random.default_rng(0)
    inputs = source.normal(size=(samples, widths[0])).astype(dtype)
    targets = np.eye(widths[-1], dtype=dtype)[source.integers(0, widths[-1], samples)]
    work = Work(widths, "relu", inputs, targets, cross_entropy)
    model, flat = work.model(), work.parameters().astype(dtype)
    nothing = [0.0] * widths[0], [0.0] * widths[-1]
    # Loaded now, when it is known how many cores there are.
    loss = autograd.compile(work.sample_loss(model), *nothing, wrt=model, dtype=dtype)

    def ours() -> Any:
        return loss.value_and_grad(inputs, targets, params=flat)

    steps = {"ours": ours}
    if find_spec("jax"):
        steps["jax"], _ = jax(work)
        (_, found), (_, expected) = ours(), steps["jax"]()
        # Sums of so many terms near 1 in two orders: below a thousand units in the last place.
        if not np.allclose(found, expected, rtol=0, atol=1000 * np.finfo(dtype).eps):
            raise MeasurementError("JAX finds another gradient")
    best = dict.fromkeys(steps, float("inf"))
    for _ in range(ROUNDS):
        for name, step in steps.items():
            best[name] = min(best[name], seconds(step))
    return best


if __name__ == "__main__":
    widths, samples, dtype = sys.argv[1:]
    use_cores(1)
    print(json.dumps(compare(tuple(map(int, widths.split("-"))), int(samples), dtype)))
