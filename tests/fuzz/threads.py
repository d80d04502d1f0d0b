"""Eleven threads that compile, differentiate, train and save at the same time."""

from __future__ import annotations

import random
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import redirect_stderr
from io import StringIO
from pathlib import Path

import nn
from autograd import DomainError, Value, compile, tanh
from nn.data import moons
from nn.losses import binary_cross_entropy_with_logits
from nn.optim import SGD
from tests.fuzz.numbers import drawn

THREADS = 11


def backward(source: random.Random, folder: Path) -> object:
    xs = [Value(source.random()) for _ in range(3)]
    try:
        drawn(source.randrange(8), xs).backward()
    except DomainError as error:
        return str(error)
    return [x.grad for x in xs]


def compiled(source: random.Random, folder: Path) -> object:
    factor, backend = source.choice((2.0, 3.0)), source.choice(("python", None))
    step = compile(lambda x, y: tanh(x * y) * factor, 1.0, 2.0, backend=backend, exact=True)
    value, gradient = step.value_and_grad(0.5, 0.25)
    return float(value), [float(x) for x in gradient]


def trained(source: random.Random, folder: Path) -> object:
    model = nn.MLP(2, [3, 1], seed=source.choice((0, 1)))
    optimizer = SGD(model.parameters(), 0.1)
    loss = binary_cross_entropy_with_logits
    nn.fit(model, moons(8), loss, optimizer, epochs=2, compile=source.choice((False, "exact")))
    return model.state_dict()


def saved(source: random.Random, folder: Path) -> object:
    model = nn.MLP(2, [4, 1], seed=0)
    return nn.load(nn.save(model, folder / "same.json")).state_dict()


WORKS: tuple[Callable[[random.Random, Path], object], ...] = (backward, compiled, trained, saved)


def differing(seconds: float) -> Iterator[str]:
    """Yield what came out otherwise than in one thread."""
    with tempfile.TemporaryDirectory() as name, redirect_stderr(StringIO()):
        folder = Path(name)
        alone = {
            (work, seed): repr(work(random.Random(seed), folder))
            for work in WORKS
            for seed in range(5)
        }
        end = time.monotonic() + seconds

        def work(thread: int) -> list[str]:
            source, found = random.Random(thread), []
            while time.monotonic() < end and not found:
                key = source.choice(sorted(alone, key=lambda key: (key[0].__name__, key[1])))
                if repr(key[0](random.Random(key[1]), folder)) != alone[key]:
                    found.append(f"{key[0].__name__} of seed {key[1]} in thread {thread}")
            return found

        with ThreadPoolExecutor(THREADS) as pool:
            for found in pool.map(work, range(THREADS)):
                yield from found
