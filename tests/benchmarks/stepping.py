"""The debugger: what recording costs, and how fast it moves and answers.

``python -m tests.benchmarks.stepping`` prints JSON.
"""

from __future__ import annotations

import gc
import json
import random
import time
from collections.abc import Callable
from typing import Any

from autograd import Stepper, Value
from nn import MLP
from tests.benchmarks.engine import data


def time_stepper() -> dict[str, float]:
    """Return what recording costs beside a plain pass, and the CPU time of moves and of why."""

    def chain(length: int) -> Value:
        y = w = Value(1.0)
        for i in range(length):
            y = y * 1.0001 if i % 2 else y + w
        return y

    def timed(work: Callable[[], Any]) -> tuple[float, Any]:
        """CPU time: the slowest of a thousand moves would else be another process's turn."""
        start = time.process_time()
        result = work()
        return time.process_time() - start, result

    plain, recording = [], []
    for _ in range(9):
        seconds, y = timed(lambda: chain(10_000))
        plain.append(seconds + timed(y.backward)[0])
        recording.append(timed(lambda: Stepper(y))[0])  # noqa: B023
    plain.sort()
    recording.sort()
    long = Stepper(chain(30_000))
    assert len(long.events) >= 100_000
    long.run()
    gc.collect()  # what recording left for Python's gc to go through is no move's
    rng = random.Random(0)
    backs = [timed(long.back)[0] for _ in range(1000)]
    gotos = [timed(lambda: long.goto(rng.randrange(100_000)))[0] for _ in range(1000)]
    nodes = long.recording.nodes
    gotos += [timed(lambda: long.goto(rng.choice(nodes)))[0] for _ in range(1000)]
    random.seed(1337)
    model = MLP(2, [16, 16, 1])
    points, labels = data()
    losses = [(1 + -label * model(x)).relu() for x, label in zip(points, labels, strict=True)]
    recorded = Stepper(sum(losses))
    weight = model.layers[0].neurons[0].w[0]
    why = sorted(timed(lambda: recorded.why(weight).paths)[0] for _ in range(9))
    return {
        "recording": recording[4] / plain[4],
        "back": max(backs),
        "goto": max(gotos),
        "why": why[4],
    }


if __name__ == "__main__":
    print(json.dumps(time_stepper()))
