"""Programs as Python: the reference for machine code, and what serves where there is none."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from typing import Any

from autograd.compiler.forks import lazy
from autograd.compiler.program import Program
from autograd.compiler.repetition import Shape
from autograd.compiler.targets import source
from autograd.tree import nested


class PythonFunction:
    """A program that can be called with lists, sample by sample.

    Args:
        program: makes the program; asked when it is first called.
    """

    def __init__(self, program: Callable[[], Program]) -> None:
        self.program = program

    @lazy
    def _call(self) -> Callable[[Sequence[float], Sequence[float]], tuple[float, ...]]:
        names: dict[str, Any] = {}
        exec(source(self.program(), "python"), names)
        call: Callable[[Sequence[float], Sequence[float]], tuple[float, ...]] = names["program"]
        return call

    def __call__(
        self, samples: Sequence[Sequence[float]], parameters: Sequence[float]
    ) -> list[tuple[float, ...]]:
        """Return the outputs of each sample."""
        return [self._call(sample, parameters) for sample in samples]


def parted(rows: Sequence[tuple[float, ...]], shapes: Sequence[Shape]) -> list[Any]:
    """Return the outputs of all samples, result by result, each as nested lists.

    >>> parted([(1.0, 2.0, 3.0)], [(), (2,)])
    [[1.0], [[2.0, 3.0]]]
    """
    parts = []
    begin = 0
    for shape in shapes:
        size = prod(shape)
        parts.append([nested(row[begin : begin + size], shape) for row in rows])
        begin += size
    return parts
