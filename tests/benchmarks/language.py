"""A GPT that learns names: microgpt's sizes, Adam, lengths as they come.

``python -m tests.benchmarks.language WHO BATCH`` prints one measurement as JSON, and ``python -m
tests.benchmarks.language beside BATCH DTYPE WIDTH`` steps in machine code beside those of C++ by
hand (needs g++): gpt.cpp, and for a document at a time tape.cpp.

Source: Karpathy 2026, microgpt (the sizes, and the settings of Adam).
"""

from __future__ import annotations

import ctypes
import json
import math
import random
import sys
import time
from collections.abc import Callable
from functools import partial
from statistics import median
from typing import Any

import numpy as np

from nn import GPT, minimize, next_token_loss
from nn.data import characters
from nn.optim import Adam
from tests.benchmarks.handwritten import built
from tests.benchmarks.measurement import MeasurementError, use_cores

STEPS = 1000
EAGER_STEPS = 60
"""Of the eager engine, which takes as long for each as code does for hundreds."""

ROUNDS = 3
"""Of machine code and C++ in turn."""

RATE, BETAS = 0.01, (0.85, 0.99)


def batches(size: int, steps: int) -> list[list[list[int]]]:
    """Return the documents of each step."""
    documents = characters().documents
    order = random.Random(0).sample(documents, len(documents))
    return [[order[(size * i + j) % len(order)] for j in range(size)] for i in range(steps)]


Train = Callable[[int], tuple[float, list[float]]]
"""Go through the data so many times; return the seconds, and the losses."""


def ours(
    size: int,
    *,
    compile: bool = True,
    dtype: str = "float64",
    width: int = 16,
    clock: Callable[[], float] = time.perf_counter,
) -> Train:
    """Return a training by `minimize`."""
    steps = STEPS if compile else EAGER_STEPS
    data = batches(size, steps)

    def train(times: int) -> tuple[float, list[float]]:
        model = GPT(27, embedding=width, seed=0)
        optimizer = Adam(model.parameters(), RATE, BETAS)
        start = clock()
        losses = minimize(
            partial(next_token_loss, model),
            data * times,
            optimizer,
            lambda step: 1 - step % steps / STEPS,
            compile=compile,
            dtype=dtype,
        )
        return clock() - start, losses

    return train


def step_of(train: Train) -> float:
    """Return the seconds of a compiled step.

    Nobody is told of single steps, many of which are one call: they are what a longer run adds.
    """
    return (train(3)[0] - train(1)[0]) / (2 * STEPS)


def compiled(size: int, dtype: str = "float64") -> dict[str, Any]:
    """Return the seconds of a step, of all that is done before and between them, the losses."""
    train = ours(size, dtype=dtype)
    first, losses = train(1)
    step = min(step_of(train) for _ in range(3))
    return {"step": step, "making": first - step * STEPS, "losses": losses[:EAGER_STEPS]}


def eager(size: int) -> dict[str, Any]:
    """Return the seconds of a step node by node, and the losses."""
    seconds, losses = ours(size, compile=False)(1)
    return {"step": seconds / EAGER_STEPS, "losses": losses}


def by_hand(function: Any, size: int, dtype: str, width: int) -> Train:
    """Return a training by C++, which takes what gpt.cpp says; it goes through the data once."""
    documents = [document for batch in batches(size, STEPS) for document in batch]
    tokens = np.array([token for document in documents for token in document], np.int32)
    lengths = np.array([len(document) - 1 for document in documents], np.int32)
    start = np.array([p.data for p in GPT(27, embedding=width, seed=0).parameters()], dtype)

    def train(_: int) -> tuple[float, list[float]]:
        weights, losses = start.copy(), np.zeros(STEPS)
        arrays = (array.ctypes.data_as(ctypes.c_void_p) for array in (weights, tokens, lengths))
        begun = time.process_time()
        function(*arrays, size, STEPS, losses.ctypes.data_as(ctypes.c_void_p))
        return time.process_time() - begun, losses.tolist()

    return train


def beside(size: int, dtype: str, width: int) -> dict[str, float]:
    """Return the processor's seconds of a step of each, taken in turn, the least of each.

    Raises:
        MeasurementError: the losses differ.
    """
    function = getattr(built("gpt", "-Ofast", "-march=native"), f"train_{dtype}_{width}")
    rivals = {"hand": by_hand(function, size, dtype, width)}
    if size == 1:
        rivals["tape"] = by_hand(built("tape", "-Ofast", "-march=native").train, 1, "float32", 16)
    train = ours(size, dtype=dtype, width=width, clock=time.process_time)
    losses = train(1)[1][:EAGER_STEPS]
    best = dict.fromkeys(["ours", *rivals], math.inf)
    for _ in range(ROUNDS):
        best["ours"] = min(best["ours"], step_of(train))
        for name, other in rivals.items():
            seconds, found = other(1)
            best[name] = min(best[name], seconds / STEPS)
            # Adam divides by slopes near 0, whose roundings grow: in double precision to 1e-10.
            tolerance = 1e-10 if name == "hand" and dtype == "float64" else 1e-4
            if not np.allclose(found[:EAGER_STEPS], losses, rtol=tolerance, atol=0):
                raise MeasurementError(f"C++ by {name} has other losses")
    return best


def torch(size: int) -> dict[str, Any]:
    """Train the same with PyTorch, a document at a time."""
    import torch
    from torch.nn import functional

    torch.set_default_dtype(torch.float64)
    torch.set_num_threads(1)
    model = GPT(27, seed=0)
    block = model.blocks[0]
    attention = block.attention
    matrices = {
        "token": model.token.weight,
        "position": model.position.weight,
        **{name: getattr(attention, name).weight for name in ("query", "key", "value", "out")},
        "up": block.up.weight,
        "down": block.down.weight,
        "head": model.head.weight,
    }
    w = {
        name: torch.tensor([[p.data for p in row] for row in rows], requires_grad=True)
        for name, rows in matrices.items()
    }
    norm = lambda x: x * (x.square().mean(-1, keepdim=True) + 1e-5).rsqrt()

    def loss_of(document: list[int]) -> Any:
        tokens = torch.tensor(document)
        n = len(document) - 1
        x = norm(w["token"][tokens[:-1]] + w["position"][:n])
        y = norm(x)
        q, k, v = (
            (y @ w[name].T).view(n, 4, 4).transpose(0, 1) for name in ("query", "key", "value")
        )
        mixed = functional.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + mixed.transpose(0, 1).reshape(n, 16) @ w["out"].T
        x = x + functional.relu(norm(x) @ w["up"].T) @ w["down"].T
        return functional.cross_entropy(x @ w["head"].T, tokens[1:])

    optimizer = torch.optim.Adam(list(w.values()), RATE, BETAS)
    losses, seconds = [], []
    for i, batch in enumerate(batches(size, EAGER_STEPS)):
        start = time.perf_counter()
        optimizer.param_groups[0]["lr"] = RATE * (1 - i / STEPS)
        optimizer.zero_grad()
        loss = sum(map(loss_of, batch)) / len(batch)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
        seconds.append(time.perf_counter() - start)
    return {"step": median(seconds), "losses": losses}


WHO: dict[str, Callable[[int], Any]] = {
    "compiled": compiled,
    "single": partial(compiled, dtype="float32"),
    "eager": eager,
    "torch": torch,
}

if __name__ == "__main__":
    who, size, *more = sys.argv[1:]
    use_cores(1)
    if who == "beside":
        dtype, width = more
        print(json.dumps(beside(int(size), dtype, int(width))))
    else:
        print(json.dumps(WHO[who](int(size))))
