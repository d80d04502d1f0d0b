"""Where the numbers of a program lie, while it becomes loops."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from operator import sub
from typing import Any

from autograd.compiler.chains import Piece
from autograd.compiler.loops import Access, Loop, Repeat, Walk

BITS = 40
"""An address is a number: which array it is in, and behind so many bits the place there."""
ARRAYS = " xtua"
X, T, U, A = (k << BITS for k in range(1, 5))


class Memory:
    """The arrays, as far as they are given away; one for a program and all loops in it.

    Attributes:
        arrays: their names; behind those of `ARRAYS` what walks through one.
        t, u, a: how much of them is.
        constants: what stands in ``u`` behind the parameters.
        uniform: the loops over what all samples share.
    """

    def __init__(self, parameters: int) -> None:
        self.arrays = list(ARRAYS)
        self.t = self.a = 0
        self.u = parameters
        self.constants: list[float] = []
        self.uniform: list[Loop | Repeat] = []

    def place(self, constant: float) -> int:
        """Return the address of a new constant."""
        self.constants.append(constant)
        self.u += 1
        return U + self.u - 1

    def walk(self, address: int, stride: int) -> tuple[int, Walk]:
        """Return what walks through an array, and the address of where it is."""
        array = self.arrays[address >> BITS]
        name = f"{array[0]}{len(self.arrays)}"
        self.arrays.append(name)
        offset = address & (1 << BITS) - 1
        return len(self.arrays) - 1 << BITS, Walk(name, array, offset, stride)

    def access(self, address: int, strides: tuple[int, ...]) -> Access:
        return Access(self.arrays[address >> BITS], address & (1 << BITS) - 1, strides)


class Walks:
    """What the steps of a loop walk through: numbers that are as far apart do so together."""

    def __init__(self, memory: Memory, steps: int, *, backward: bool) -> None:
        self.memory = memory
        self.steps = steps
        self.backward = backward
        self.all: list[Walk] = []

    def at(self, first: int, stride: int) -> int:
        """Return the address, in a step, of what is at ``first`` in the first of all steps."""
        if self.backward:
            first, stride = first + (self.steps - 1) * stride, -stride
        address, walk = self.memory.walk(first, stride)
        self.all.append(walk)
        return address

    def of(self, spaced: Sequence[tuple[int, int]]) -> list[int]:
        """Return the addresses, in a step, of numbers in places that are evenly spaced."""
        lowest: dict[tuple[int, int], int] = {}
        for first, stride in spaced:
            key = first >> BITS, stride
            lowest[key] = min(first, lowest.get(key, first))
        known = {key: (first, self.at(first, key[1])) for key, first in lowest.items()}
        bases = [(first, *known[first >> BITS, stride]) for first, stride in spaced]
        return [address + first - low for first, low, address in bases]


class Sides:
    """Where the terms of chains are, one side of a product at a time.

    Args:
        address: by a result's number; that of what has been asked for doesn't change.
    """

    def __init__(self, address: Mapping[int, int]) -> None:
        self.address = address
        self._known: dict[tuple[int | None, ...], tuple[list[int], int | None]] = {}

    def of(self, side: tuple[Any, ...]) -> tuple[list[int], int | None]:
        """Return the addresses, 0 for None, and how far they are apart, if evenly, in one array."""
        found = self._known.get(side)
        if found is None:
            places = [0 if n is None else self.address[n] for n in side]
            steps = set(map(sub, places[1:], places))
            is_even = len(steps) < 2 and places[0] >> BITS == places[-1] >> BITS
            found = places, (steps.pop() if steps else 0) if is_even else None
            self._known[side] = found
        return found


def stretches_of(piece: Piece, sides: Sides) -> Iterator[tuple[int, int, int, tuple[int, int]]]:
    """Yield the stretches of a chain: where both sides begin, the length, and their strides.

    Where there is no right side, its address is 0.
    """
    if not piece.terms or not piece.terms[0]:
        return
    (lefts, left_step), (rights, right_step) = map(sides.of, piece.terms)
    begin, size = 0, len(lefts)
    if left_step is not None and right_step is not None:
        yield lefts[0], rights[0], size, (left_step, right_step)
        return
    while begin < size:
        left, right = lefts[begin], rights[begin]
        i = j = 0
        end = begin + 1
        if end < size and (left >> BITS, right >> BITS) == (
            lefts[end] >> BITS,
            rights[end] >> BITS,
        ):
            i, j = lefts[end] - left, rights[end] - right
            a, b = left, right
            while end < size and lefts[end] == a + i and rights[end] == b + j:
                a, b, end = lefts[end], rights[end], end + 1
        yield left, right, end - begin, (i, j)
        begin = end
