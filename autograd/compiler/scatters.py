"""What each sample adds to one row of a table, found among the sums over the samples.

The derivative of ``take(table, i)`` goes to row i, and is 0 for the others: written out row by
row, it is ``where(abs(i - k), 0.0, g)`` for each k. Where that is but summed over the samples, g is
added to the one sum that it belongs to.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from autograd import ops
from autograd.compiler.loops import Scatter
from autograd.compiler.program import Arg, Program

FEWEST_ROWS = 3
"""Fewer are added to by all samples, most of them 0.0."""


class Landing(NamedTuple):
    """A term of a sum: ``gain`` where an input chooses a row, else 0.0.

    Attributes:
        number: of the instruction.
        condition: what tells whether the row is chosen.
        place: of the sum.
    """

    number: int
    condition: int
    chooser: int
    row: int
    gain: Arg
    place: int


def landing_of(program: Program, number: int, place: int) -> Landing | None:
    """Return the landing that a `where` of a program is, if it is one."""

    def made(arg: Arg) -> tuple[object, tuple[Arg, ...]]:
        is_made = isinstance(arg, int) and arg >= program.first
        return program.instructions[int(arg) - program.first] if is_made else (None, ())

    condition, zero, gain = program.instructions[number - program.first].args
    op, args = made(condition)
    if op is not ops.abs or repr(zero) != "0.0":
        return None
    (chooser,) = args
    row: Arg = 0.0
    op, args = made(chooser)
    if op is ops.sub:
        chooser, row = args
    if chooser not in program.choices or isinstance(chooser, float) or isinstance(row, int):
        return None
    return Landing(number, int(condition), chooser, int(row), gain, place)


def scatters_of(landings: Iterable[Landing]) -> Iterator[tuple[list[Landing], Scatter]]:
    """Yield landings of one gain in rows whose sums are evenly spaced, as one; not the others."""
    alike: dict[tuple[int, str], list[Landing]] = {}
    for each in landings:
        alike.setdefault((each.chooser, repr(each.gain)), []).append(each)
    for rows in alike.values():
        rows.sort(key=lambda each: each.row)
        begin = 0
        while begin < len(rows):
            end, stride = begin + 1, None
            while end < len(rows) and rows[end].row == rows[end - 1].row + 1:
                step = rows[end].place - rows[end - 1].place
                if stride not in (None, step):
                    break
                stride, end = step, end + 1
            if end - begin >= FEWEST_ROWS and stride is not None:
                yield rows[begin:end], Scatter(rows[begin].row, end - begin, stride)
            begin = end
