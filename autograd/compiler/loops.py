"""A program as loops over memory: what a recording wrote out, neuron by neuron, rolled up again.

Memory is six arrays: ``x`` holds the inputs of a block of samples, ``t`` what is computed for
them, ``a`` what the steps of a loop add up, ``u`` what all samples share (parameters, constants of
sums, what follows from them), ``r`` the sums over the samples, and ``o`` the outputs of each.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from autograd.operation import Op


class Access(NamedTuple):
    """An address in a loop: ``array[offset + strides · indices]``."""

    array: str
    offset: int
    strides: tuple[int, ...] = ()


class Local(NamedTuple):
    """The result of an earlier statement of the same loop body, by its place."""

    place: int


Read = Access | Local | float


class Stretch(NamedTuple):
    """Terms of a chain at evenly spaced addresses: ``left[j] * right[j]``, or ``left[j]``.

    The last stride of an access is that of j.
    """

    left: Access
    right: Access | None
    length: int


class Scatter(NamedTuple):
    """Sums of which a sample adds to one, as the rows of a table that it chooses from.

    Attributes:
        first, rows: which row they begin with, and how many they are.
        stride: how far apart their sums are.
    """

    first: int
    rows: int
    stride: int


class Statement(NamedTuple):
    """One assignment of a loop body.

    Attributes:
        op: a primitive; None for a chain, or to pass on the one argument. `take` is of the
            stretches' terms, by the one argument; `maximum` of stretches the largest of them.
        args: of the op; for a chain, what is added at its end; for a scatter, the row and what is
            added to its sum.
        stretches: of a chain, in the order of addition.
        target: where in ``t`` or ``u`` the result is stored, if anybody reads it there.
        sums: where in ``r`` it is added up over the samples.
        column: where in the outputs of each sample it goes.
        scatter: that ``sums`` is where the first row's sum is, and where the others are.
    """

    op: Op | None
    args: tuple[Read, ...]
    stretches: tuple[Stretch, ...] = ()
    target: Access | None = None
    sums: Access | None = None
    column: Access | None = None
    scatter: Scatter | None = None


class Loop(NamedTuple):
    """Statements for all indices below ``dims``, outermost first; () for once."""

    dims: tuple[int, ...]
    statements: tuple[Statement, ...]


class Walk(NamedTuple):
    """An array as the steps of a loop see it: a pointer that moves on with each.

    Attributes:
        name: the array's, for addresses in the steps; it begins like that of what it goes through.
        array: what it goes through.
        offset, stride: where it begins, and how far it goes on.
    """

    name: str
    array: str
    offset: int
    stride: int


class Repeat(NamedTuple):
    """Loops that are done step by step, each with what the one before has left.

    Attributes:
        begin: what is done before.
    """

    begin: tuple[Loop | Repeat, ...]
    steps: int
    walks: tuple[Walk, ...]
    loops: tuple[Loop | Repeat, ...]


def loops_in(loops: Iterable[Loop | Repeat], times: int = 1) -> Iterator[tuple[int, Loop]]:
    """Yield the loops, those that are repeated too, and how many times each is done."""
    for loop in loops:
        if isinstance(loop, Loop):
            yield times, loop
        else:
            yield from loops_in(loop.begin, times)
            yield from loops_in(loop.loops, times * loop.steps)


class Loops(NamedTuple):
    """A program as loops.

    Attributes:
        uniform: what is computed once for a call, in ``u``.
        lanes: what is computed for every sample.
        parameters: how many stand in ``u`` first.
        constants: what stands there behind them.
        sizes: of the arrays, by name.
        totals: sums over the samples of what all samples share: places in ``r``, and what.
    """

    uniform: tuple[Loop | Repeat, ...]
    lanes: tuple[Loop | Repeat, ...]
    parameters: int
    constants: tuple[float, ...]
    sizes: dict[str, int]
    totals: tuple[tuple[int, Access | float], ...]
