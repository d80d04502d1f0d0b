"""`CausalSelfAttention`: each position of a sequence looks at those before it, and at itself."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from autograd import Value, dot, softmax
from nn.arguments import count, generator, length
from nn.init import Init
from nn.linear import Linear
from nn.module import Module

Seed = int | random.Random | None
Vectors = Sequence[Sequence[Value | float]]


class Attended(NamedTuple):
    """What attention makes of a sequence.

    Attributes:
        outs: a vector for each position.
        weights: by head and position, how much of each position up to this one is taken; the
            weights of a position add up to 1.
    """

    outs: list[list[Value]]
    weights: list[list[list[Value]]]


class CausalSelfAttention(Module):
    """Σ softmax(q·k / √d) v over the positions so far, in several heads side by side.

    Each position asks a query q; the positions up to it have a key k and a value v, each
    ``width / heads`` = d numbers for a head. What the heads give, side by side, goes through one
    more matrix. There are no biases.

    Args:
        width: how many numbers a position has, in and out.
        heads: divide the width.
        init, seed: as for `Linear`.

    Source: Vaswani et al. 2017, Attention is all you need, section 3.2; causal by leaving out
    what comes later.

    >>> attention = CausalSelfAttention(4, heads=2, seed=0)
    >>> outs, weights = attention.attend([[1.0, 0.0, 0.0, 0.0], [0.0, 1.0, 0.0, 0.0]])
    >>> [len(outs), len(weights), [len(row) for row in weights[0]], weights[0][0][0].data]
    [2, 2, [1, 2], 1.0]
    """

    def __init__(
        self, width: int, heads: int, init: str | Init = "xavier_uniform", seed: Seed = None
    ) -> None:
        self.nin = self.nout = count("width", width)
        self.heads = count("heads", heads)
        if width % heads:
            raise ValueError(f"heads must divide the width {width}: got {heads}")
        self.size = width // heads
        source = seed if seed is None else generator(seed)
        self.query, self.key, self.value, self.out = (
            Linear(width, width, bias=False, init=init, seed=source) for _ in range(4)
        )
        self.label_parameters()

    def forward(self, xs: Vectors) -> list[list[Value]]:
        """Return a vector for each position of a sequence of vectors."""
        return self.attend(xs).outs

    def attend(self, xs: Vectors) -> Attended:
        """Return the vectors, and the weights by which they were taken."""
        length(self, xs, f"a list of vectors of {self.nin} numbers")
        queries, keys, values = (
            [matrix(x) for x in xs] for matrix in (self.query, self.key, self.value)
        )
        size = self.size
        weights: list[list[list[Value]]] = []
        mixed: list[list[Value]] = [[] for _ in xs]
        for h in range(self.heads):
            head = slice(h * size, (h + 1) * size)
            rows = []
            for t, query in enumerate(queries):
                scores = [dot(query[head], key[head]) / size**0.5 for key in keys[: t + 1]]
                rows.append(softmax(scores))
                columns = zip(*(value[head] for value in values[: t + 1]), strict=True)
                mixed[t] += [dot(rows[t], column) for column in columns]
            weights.append(rows)
        return Attended([self.out(x) for x in mixed], weights)

    @classmethod
    def size_of(cls, settings: Mapping[str, Any]) -> int:
        return int(4 * settings["width"] ** 2)

    def settings(self) -> dict[str, Any]:
        return {"width": self.nin, "heads": self.heads}

    def __repr__(self) -> str:
        return f"CausalSelfAttention({self.nin}, {self.heads} heads)"
