"""A program as a tape: numbers that say what is to be done, for code that is made once for all.

Machine code for a formula of a hundred thousand lines takes LLVM seconds to make, and each of it
runs once in a call, no faster than it is read from memory. Where a program is long and has no loops
to be found, it is written down as operations and places instead, which `autograd.compiler.player`
goes through. Of what doesn't use each other the same operations stand together, as one run: what
to do is asked once for all of them.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from itertools import chain
from typing import Any, NamedTuple

from autograd import ops
from autograd.compiler.kernel import MULTIPLIED
from autograd.compiler.program import Arg, Program, Scan
from autograd.compiler.spelling import LIBM, LLVM
from autograd.extras import missing_extra
from autograd.operation import Op

try:
    import numpy as np
except ImportError as error:
    missing_extra("numpy", "fast", error)

SHORTEST = 2_000
"""Instructions from which on a program may become a tape. That of a pendulum's 2,400, one after the
other, is made in a tenth of the time, and takes 5 ns for each where code of its own took 2.5; of a
formula of as many that don't wait for each other, both take 3."""

REPEATED = 0.25
"""A program of which more has its like twice before, at even distances, is one for loops."""

WINDOW = 1 << 13
"""So many instructions are put in order at a time: what is needed soon stays in the cache."""

BIASED = "biased"
"""A `dot` of an odd number of arguments: the last one is added."""

SUMMING = frozenset((ops.sum.name, ops.dot.name, BIASED))

PLAYED = frozenset((*LLVM, *LIBM)) | SUMMING
"""What a tape may have: neither loops nor look-ups."""


class Tape(NamedTuple):
    """A program for the player.

    A place in memory is one of the inputs, the parameters, the constants or the results, in this
    order. The code is a sequence of runs: an operation, how often, and the places of what it is
    applied to; results go to one place after the other. A run of sums is but one, and says of how
    many terms. What is behind the last operation in number ends a part of the code: that which all
    samples share, and the rest.

    Attributes:
        ops: the operations' names; in the code they are numbers.
        code: whole numbers of 32 bits.
        constants: double precision.
        outputs: the places of the program's outputs.
        inputs, places: how many inputs and how many places there are.
        shared, shared_code: how many results all samples share, and where the rest of the code
            begins.
    """

    ops: tuple[str, ...]
    code: Any
    constants: Any
    outputs: Any
    inputs: int
    places: int
    shared: int
    shared_code: int


def tape_of(program: Program, *, exact: bool) -> Tape | None:
    """Return a long program without repetition as a tape; None if loops or code suit it.

    Args:
        exact: whether a power is to be libm's, and not multiplied out.

    Cost: linear.
    """
    if len(program.instructions) < SHORTEST or program.choices:
        return None
    if any(op.__class__ is Scan for op in {op for op, _ in program.instructions}):
        return None
    names = [
        op.name if op is not ops.dot and op is not ops.pow else _name_of(op, args, exact)
        for op, args in program.instructions
    ]
    known = {name: i for i, name in enumerate(sorted(set(names)))}
    if not PLAYED.issuperset(name.partition(" ")[0] for name in known):
        return None
    listed = _Listed(program, [known[name] for name in names])
    if listed.share_repeated(known) > REPEATED:
        return None
    return listed.tape(tuple(known))


def _name_of(op: Op, args: Sequence[Arg], exact: bool) -> str:
    if op is ops.dot:
        return BIASED if len(args) % 2 else op.name
    is_short = not exact and args[1] in MULTIPLIED and args[1].__class__ is float
    return f"{op.name} {args[1]!r}" if is_short else op.name


class _Listed:
    """A program's instructions as arrays.

    Attributes:
        kinds: which operation each is.
        counts: how many arguments each has.
        args: all of them: the places of inputs and parameters, then those of constants, results.
        level: how many instructions there are on the longest way to each.
    """

    def __init__(self, program: Program, kinds: Sequence[int]) -> None:
        self.program = program
        every = [args for _, args in program.instructions]
        self.kinds = np.array(kinds, np.int64)
        self.counts = np.array([len(args) for args in every], np.int64)
        self.constants: dict[bytes, int] = {}
        self.args = self.placed([*chain.from_iterable(every)])
        self.outputs = self.placed(program.outputs)
        self.ends = np.cumsum(self.counts)
        self.level = np.array(_levels(program), np.int64)

    def placed(self, args: Sequence[Arg]) -> Any:
        """Return numbers, those of constants below 0."""
        if float in set(map(type, args)):
            args = [arg if arg.__class__ is int else self._constant(arg) for arg in args]
        return np.array(args, np.int64)

    def _constant(self, number: float) -> int:
        return -1 - self.constants.setdefault(struct.pack("d", number), len(self.constants))

    def share_repeated(self, known: dict[str, int]) -> float:
        """Return how much of the program is the third or later of its like, evenly spaced.

        That is what loops could be made of: the same operation on the same level, applied to what
        is as far from what the one before was applied to as that from the next before, where
        results lie level by level. Of sums it is the terms that count.
        """
        is_sum = np.isin(self.kinds, [k for name, k in known.items() if name in SUMMING])
        first = self.program.first
        alike = self.level * len(known) + self.kinds
        place = np.empty(len(alike), np.int64)
        place[np.argsort(alike, kind="stable")] = np.arange(len(alike))
        args = np.where(
            self.args < first, self.args, first + place[np.maximum(self.args - first, 0)]
        )
        columns = []
        for slot in range(3):
            found = args[np.minimum(self.ends - self.counts + slot, len(args) - 1)]
            columns.append(np.where(slot < self.counts, found, 0))
            home = np.searchsorted([0, self.program.inputs, first], columns[-1], "right")
            alike = 4 * alike + home
        order = np.lexsort((*columns[::-1], alike))
        order = order[~is_sum[order]]
        again = _is_level(alike[order])
        for column in columns:
            again &= _is_even(column[order])
        terms = args[np.repeat(is_sum, self.counts)]
        total = int(again.sum()) + int(_is_even(terms).sum())
        return total / (len(order) + len(terms))

    def tape(self, names: tuple[str, ...]) -> Tape:
        program, first, count = self.program, self.program.first, len(self.constants)
        uniform = np.array(program.uniform()[first:], bool)
        window = np.arange(len(self.kinds)) // WINDOW
        order = np.lexsort((self.kinds, self.level, window, ~uniform))
        place = np.empty(len(order), np.int64)
        place[order] = np.arange(len(order)) + first + count

        def moved(args: Any) -> Any:
            results = place[np.maximum(args - first, 0)] if len(place) else args
            return np.where(args < 0, first - 1 - args, np.where(args < first, args, results))

        kinds, counts, shared = self.kinds[order], self.counts[order], uniform[order]
        sums = [i for i, name in enumerate(names) if name in SUMMING]
        begins = np.ones(len(order), bool)
        begins[1:] = (
            (kinds[1:] != kinds[:-1]) | (shared[1:] != shared[:-1]) | np.isin(kinds[1:], sums)
        )
        (starts,) = np.nonzero(begins)
        lengths = np.diff(np.append(starts, len(order)))
        is_sum = np.isin(kinds[starts], sums)
        lengths[is_sum] = counts[starts][is_sum] // np.where(
            kinds[starts][is_sum] == _place(names, ops.sum.name), 1, 2
        )
        # Where each instruction's arguments go: behind the heads of all runs up to its own, and
        # behind the end of what all samples share.
        runs = np.cumsum(begins)
        before = np.cumsum(counts) - counts
        at = before + 2 * runs + np.where(shared, 0, 1)
        code = np.full(int(counts.sum()) + 2 * len(starts) + 3, len(names), np.int32)
        code[at[starts] - 2] = kinds[starts]
        code[at[starts] - 1] = lengths
        ramp = np.arange(int(counts.sum())) - np.repeat(before, counts)
        source = np.repeat((self.ends - self.counts)[order], counts) + ramp
        code[np.repeat(at, counts) + ramp] = moved(self.args)[source]
        constants = np.frombuffer(b"".join(self.constants), np.float64)
        own = int(shared.sum())
        rest = 1 + (int(at[own - 1] + counts[own - 1]) if own else 0)
        places = first + count + len(order)
        outputs = moved(self.outputs)
        return Tape(names, code, constants, outputs, program.inputs, places, own, rest)


def _is_even(numbers: Any) -> Any:
    """Return for each number, from the third on, whether it is as far from the one before."""
    step = np.diff(numbers)
    return step[1:] == step[:-1]


def _is_level(numbers: Any) -> Any:
    """Return for each number, from the third on, whether the two before are the same."""
    return (numbers[2:] == numbers[1:-1]) & (numbers[1:-1] == numbers[:-2])


def _place(names: Sequence[str], name: str) -> int:
    return names.index(name) if name in names else -1


def _levels(program: Program) -> list[int]:
    """Return for each instruction how many there are on the longest way to it."""
    level = [0] * program.first
    add = level.append
    for _, args in program.instructions:
        deepest = 0
        for arg in args:
            if arg.__class__ is int and level[arg] > deepest:
                deepest = level[arg]
        add(deepest + 1)
    return level[program.first :]
