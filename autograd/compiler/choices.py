"""Arguments that choose rows of a table: looked at before anything is computed with them."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from itertools import chain
from math import prod
from typing import Any, NamedTuple

from autograd.compiler.reals import DOUBLE, Real
from autograd.compiler.recall import Recalled
from autograd.errors import CompileError


class Choice(NamedTuple):
    """Numbers of an argument that choose one of as many rows.

    Attributes:
        argument: its number.
        places: theirs in it, and whether these are all.
        rows: how many there are, counted from 0.
    """

    argument: int
    places: list[int]
    is_whole: bool
    rows: int


class Choices:
    """What a function's arguments choose.

    Raises:
        CompileError: there are more rows than whole numbers of some kind.
    """

    def __init__(self, graph: Recalled, real: Real = DOUBLE) -> None:
        most = max(graph.choices.values(), default=0)
        if most > real.whole:
            raise CompileError(
                f"{graph.name} chooses one of {most:,} rows, and {real.dtype} tells whole numbers "
                f"apart up to {real.whole:,} only: compile it in double precision"
            )
        self.name = graph.name
        self.shapes = graph.shapes
        homes = list(
            chain.from_iterable(
                [(i, k) for k in range(prod(shape))] for i, shape in enumerate(graph.shapes)
            )
        )
        found: dict[tuple[int, int], list[int]] = {}
        for place, rows in sorted(graph.choices.items()):
            argument, at = homes[place]
            found.setdefault((argument, rows), []).append(at)
        self.choices = [
            Choice(argument, places, len(places) == prod(graph.shapes[argument]), rows)
            for (argument, rows), places in found.items()
        ]

    def hold(self, arrays: Sequence[Any]) -> bool:
        """Return whether all are arrays, and each number a row's: a look for most calls."""
        if not self.choices:
            return True
        numpy = sys.modules.get("numpy")
        for argument, places, is_whole, rows in self.choices:
            array = arrays[argument]
            if numpy is None or not isinstance(array, numpy.ndarray):
                return False
            part = array if is_whole else array[..., places]
            if not ((part >= 0) & (part < rows) & (part == numpy.floor(part))).all():
                return False
        return True

    def check(self, columns: Sequence[Any]) -> None:
        """Raise if a number is no row's.

        Args:
            columns: as of a `Batch`.

        Raises:
            IndexError: names the argument, the sample and the number.
        """
        if not self.choices or self.hold(columns):
            return
        for argument, places, _, rows in self.choices:
            is_list = bool(self.shapes[argument])
            for sample, row in enumerate(columns[argument]):
                for place in places:
                    x = row[place] if is_list else row
                    if x not in range(rows):
                        at = f"[{place}]" if is_list else ""
                        raise IndexError(
                            f"argument {argument} of {self.name} chooses a row of a table by "
                            f"{float(x)!r}".removesuffix(".0")
                            + f", which has the rows 0 to {rows - 1}: it is "
                            f"x{argument}{at} of sample {sample}"
                        )
