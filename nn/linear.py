"""`Linear` and `Embedding`: matrices of parameters, as PyTorch has and names them."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import Any

from autograd import Value, dot, take
from nn.arguments import check_inputs, count, generator
from nn.init import Init, chosen, standard_normal
from nn.module import Module

Seed = int | random.Random | None
Vector = Sequence[Value | float]


def matrix(rows: int, columns: int, init: str | Init, source: random.Random) -> list[list[Value]]:
    """Return ``rows`` lists of ``columns`` parameters, drawn as weights of ``columns`` inputs."""
    draw = chosen(init)
    return [[Value(draw(columns, rows, source)) for _ in range(columns)] for _ in range(rows)]


class Linear(Module):
    """W x + b: ``nout`` weighted sums of ``nin`` inputs, each one node.

    A `Layer` of linear neurons computes the same; here the weights are one matrix, which others
    may share, and the bias can be left out.

    Args:
        nin, nout: how many numbers come in and go out; nout may be 1, the output is a list.
        bias: whether b, which starts at 0, is added.
        init: of the weights, a function of `nn.init`, itself or by name; Xavier's if not named.
        seed: of the weights; without it they come from Python's global ``random``.

    >>> layer = Linear(3, 2, seed=0)
    >>> len(layer([1.0, 2.0, 3.0])), len(layer.parameters())
    (2, 8)
    """

    def __init__(
        self,
        nin: int,
        nout: int,
        bias: bool = True,
        init: str | Init = "xavier_uniform",
        seed: Seed = None,
    ) -> None:
        self.nin, self.nout = count("nin", nin), count("nout", nout)
        self.weight = matrix(self.nout, self.nin, init, generator(seed))
        self.bias = [Value(0.0) for _ in self.weight] if bias else None
        self.label_parameters()

    def forward(self, x: Vector) -> list[Value]:
        """Return the sums.

        Raises:
            ValueError: the length of ``x`` is not ``nin``.
        """
        check_inputs(self, x, self.nin)
        if self.bias is None:
            return [dot(row, x) for row in self.weight]
        return [dot(row, x, b) for row, b in zip(self.weight, self.bias, strict=True)]

    @classmethod
    def size_of(cls, settings: Mapping[str, Any]) -> int:
        return int(settings["nout"] * (settings["nin"] + settings["bias"]))

    def settings(self) -> dict[str, Any]:
        return {"nin": self.nin, "nout": self.nout, "bias": self.bias is not None}

    def __repr__(self) -> str:
        return f"Linear({self.nin}, {self.nout}{'' if self.bias else ', bias=False'})"


class Embedding(Module):
    """A table with rows of ``width`` parameters, one for each of several things, such as letters.

    Looking a row up is no operation: a derivative goes to the row that was used, and to it alone.

    Args:
        init: as for `Linear`; standard normal if not named, as in PyTorch.
        seed: as for `Linear`.

    >>> table = Embedding(27, 4, seed=0)
    >>> table(3) is table.weight[3]
    True
    """

    def __init__(
        self, rows: int, width: int, init: str | Init = standard_normal, seed: Seed = None
    ) -> None:
        self.rows, self.nout = count("rows", rows), count("width", width)
        self.weight = matrix(self.rows, self.nout, init, generator(seed))
        self.label_parameters()

    def forward(self, index: float | Value) -> list[Value]:
        """Return the row at ``index``, a whole number from 0, or a Value given one.

        Raises:
            TypeError, IndexError: there is no such row; see `autograd.take`.
        """
        return take(self.weight, index)

    @classmethod
    def size_of(cls, settings: Mapping[str, Any]) -> int:
        return int(settings["rows"] * settings["width"])

    def settings(self) -> dict[str, Any]:
        return {"rows": self.rows, "width": self.nout}

    def __repr__(self) -> str:
        return f"Embedding({self.rows}, {self.nout})"
