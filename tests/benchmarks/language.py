"""A GPT that learns names: microgpt's sizes, Adam, one document a step, lengths as they come.

``python -m tests.benchmarks.language WHO BATCH`` prints one measurement as JSON.

Source: Karpathy 2026, microgpt (the sizes, and the settings of Adam).
"""

from __future__ import annotations

import json
import random
import sys
import time
from functools import partial
from statistics import median
from typing import Any

from nn import GPT, minimize, next_token_loss
from nn.data import characters
from nn.optim import Adam
from tests.benchmarks.measurement import use_cores

STEPS = 1000
EAGER_STEPS = 60
"""Of the eager engine, which takes as long for each as code does for hundreds."""

RATE, BETAS = 0.01, (0.85, 0.99)


def batches(size: int, steps: int) -> list[list[list[int]]]:
    """Return the documents of each step."""
    documents = characters().documents
    order = random.Random(0).sample(documents, len(documents))
    return [[order[(size * i + j) % len(order)] for j in range(size)] for i in range(steps)]


def ours(size: int, *, compile: bool, dtype: str = "float64") -> dict[str, Any]:
    """Train, and return the seconds of a step, and of all that is done before and between them."""
    steps = STEPS if compile else EAGER_STEPS
    data = batches(size, steps)

    def train(times: int) -> tuple[float, list[float]]:
        """Go through the data so many times; return the seconds, and the losses."""
        model = GPT(27, seed=0)
        optimizer = Adam(model.parameters(), RATE, BETAS)
        start = time.perf_counter()
        losses = minimize(
            partial(next_token_loss, model),
            data * times,
            optimizer,
            lambda step: 1 - step % steps / STEPS,
            compile=compile,
            dtype=dtype,
        )
        return time.perf_counter() - start, losses

    first, losses = train(1)
    # Nobody is told of single steps, many of which are one call: they are what a longer run adds.
    once, more = (min(train(times)[0] for _ in range(3)) for times in (1, 3)) if compile else (0, 0)
    step = (more - once) / (2 * steps) if compile else first / steps
    return {"step": step, "making": first - step * steps, "losses": losses[:EAGER_STEPS]}


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


WHO = {
    "compiled": partial(ours, compile=True),
    "single": partial(ours, compile=True, dtype="float32"),
    "eager": partial(ours, compile=False),
}

if __name__ == "__main__":
    who, size = sys.argv[1:]
    use_cores(1)
    print(json.dumps((WHO | {"torch": torch})[who](int(size))))
