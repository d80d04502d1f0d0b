"""Memory for calls of machine code: where a call's arguments, sums and outputs are."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from itertools import accumulate, pairwise
from math import prod
from typing import Any, NamedTuple

import numpy as np

from autograd.compiler.crew import call_all
from autograd.compiler.llvm import ARRAYS, PARAMETERS, SCALE, STOP, SUMS, WORKSPACE
from autograd.compiler.objects import Slots
from autograd.compiler.parts import FramePart, Made, call_with_rows
from autograd.compiler.reals import DOUBLE, Real
from autograd.compiler.repetition import Shape
from autograd.compiler.rooms import (
    DATA,
    DESCR,
    FLAGS,
    PLAIN,
    Array,
    aligned,
    converted,
    fields_of,
    sums_room,
)
from autograd.tree import nested

SMALL_ARRAY = 4096
"""Arrays of up to so many numbers are copied for a call: cheaper than to ask where they are."""

NUMBERS = frozenset((float, int))
"""What a call may be given that makes no arrays."""

ARRAY = np.ndarray
NOTHING = object()

MOST_PARTS = 16
"""In how many parts the samples of a call are split at most, for threads to share: a power of 2,
as most numbers of processors are, so that all of them have as much to do."""


class Signature(NamedTuple):
    """What a kernel takes and gives, for each sample.

    Attributes:
        arguments: the shape of each array in, without its first axis.
        results: likewise of each array out.
        summed: for each output of the program, whether it is added up over the samples.
        parameters: how many numbers all samples share.
        real: what the numbers are.
    """

    arguments: tuple[Shape, ...]
    results: tuple[Shape, ...]
    summed: tuple[bool, ...]
    parameters: int
    real: Real = DOUBLE


class Shared:
    """What all samples share: the parameters' numbers, and their gradients.

    Args:
        parameters, slopes: as the kernel has them.
    """

    def __init__(self, parameters: Array, slopes: Array) -> None:
        self.parameters, self.slopes = parameters, slopes
        self._is_double = parameters.dtype == np.float64
        # Values hold doubles.
        self._numbers: Any = parameters if self._is_double else np.empty(len(parameters))
        self._gains: Any = slopes if self._is_double else np.empty(len(slopes))
        self._numbers_at, self._gains_at = self._numbers.ctypes.data, self._gains.ctypes.data

    def read(self, slots: Slots) -> None:
        """Let the parameters be what some Values have."""
        slots.read(self._numbers, self._numbers_at)
        if not self._is_double:
            self.parameters[...] = converted(self._numbers, self.parameters.dtype)

    def add(self, slots: Slots) -> None:
        """Add the gradients to those of some Values."""
        if not self._is_double:
            self._gains[...] = self.slopes
        slots.add(self._gains, self._gains_at)


class ArrayFrame:
    """Memory for calls: one is in use by one call at a time."""

    def __init__(self, signature: Signature) -> None:
        self.signature = signature
        self.dtype = np.dtype(signature.real.dtype)
        self.dtype_at = id(self.dtype)
        self.n = -1
        self.rooms: list[Array] = []

    def prepare(self, made: Made, n: int, spans: list[tuple[int, int]]) -> None:
        """Make room for ``n`` samples, which are done in parts: from where to where."""
        if self.n == n:
            return
        signature, dtype = self.signature, self.dtype
        self.n = n
        self.workspace = aligned(made.workspace, dtype)
        count, sums = signature.parameters, sum(signature.summed)
        is_own = made.rows is not None  # the samples are the code's own
        if is_own:
            ends = _ends(signature.arguments), _ends(signature.results)
            given = np.empty(count + ends[0][-1], dtype)
            found = sums_room(sums + ends[1][-1], dtype)
            self.parameters, self.sums = given[:count], found[:sums]
            self.inputs = _parts(given[count:], ends[0], signature.arguments)
            self.outputs = _parts(found[sums:], ends[1], signature.results)
        else:
            self.parameters = np.empty(count, dtype)
            self.sums = found = sums_room(sums, dtype)
            self.inputs = [_room(n, shape, dtype) for shape in signature.arguments]
            self.outputs = [_room(n, shape, dtype) for shape in signature.results]
        self.shared = Shared(self.parameters, self.sums[1:])
        # Of so many parts, single precision doesn't add up the sums.
        is_long = dtype != np.float64 and len(spans) > MOST_PARTS
        self.total = np.empty(sums) if is_long else self.sums
        self.has_large = any(
            not room.size and prod(shape) > 0
            for room, shape in zip(self.outputs, signature.results, strict=True)
        )
        begin = ARRAYS + is_own
        self.words = np.zeros(begin + len(self.inputs) + len(self.outputs), dtype=np.int64)
        self.address = self.words.ctypes.data
        self.words[PARAMETERS] = self.parameters.ctypes.data
        self.words[WORKSPACE] = self.workspace.ctypes.data
        self.words[STOP] = n
        self.words[SUMS] = self.sums.ctypes.data
        for i, array in enumerate([*self.inputs, *self.outputs], begin):
            self.words[i] = array.ctypes.data
        self.floats = self.words.view(np.float64)
        self.made, self.spans = made, spans
        self.call = made.call
        if is_own:
            self.call = call_with_rows(made, self.words, found)
            if self.inputs:
                self.dtype_at = 0  # nothing is read where it is: all stands behind the parameters
        self.rooms = []  # until a call has been
        arrays = [*self.inputs, self.parameters]
        self.shapes = [*((n, *shape) for shape in signature.arguments), self.parameters.shape]
        # Empty rooms are of arrays that are read where they are.
        self.is_large = [
            not room.size and prod(x) > 0 for room, x in zip(arrays, self.shapes, strict=True)
        ]
        self.alone = [*signature.arguments, self.parameters.shape]
        self.homes = [array.ctypes.data for array in arrays]
        self.parts: list[FramePart] = []
        self.spare: list[tuple[Array, int]] = []
        self.cells = self.words.data
        count = len(self.inputs)
        self.places = [*range(begin, begin + count), PARAMETERS]
        self.seen: list[Any] = [NOTHING] * (count + 1)
        self.borrowed: list[Any] = [NOTHING] * (count + 1)
        self.fields: list[Any] = [NOTHING] * (count + 1)

    def take(self, arrays: Sequence[Array], parameters: Array, scale: float) -> list[Array | None]:
        """Note what a call is given; return new arrays for outputs too large to be copied."""
        self.floats[SCALE] = scale
        self.go_home(-1)
        self.parameters[:] = converted(parameters, self.dtype)
        for i, array in enumerate(arrays):
            self.go_home(i)
            if self.inputs[i].size == array.size:
                self.inputs[i][:] = array
            else:
                self.words[ARRAYS + i] = array.ctypes.data
        return self.given() if self.has_large else []

    def given(self) -> list[Array | None]:
        """Return new arrays for outputs too large to be copied."""
        new: list[Array | None] = [None] * len(self.outputs)
        for i, (room, shape) in enumerate(zip(self.outputs, self.signature.results, strict=True)):
            if not room.size and 0 not in shape:
                array = new[i] = np.empty((self.n, *shape), self.dtype)
                self.cells[ARRAYS + len(self.inputs) + i] = array.ctypes.data
        return new

    def results(self, new: Sequence[Array | None]) -> list[Array]:
        """Return the arrays of a call's outputs; ``new`` is what was `given`, or nothing."""
        if not new:
            return [room.copy() for room in self.outputs]
        return [
            room.copy() if array is None else array
            for array, room in zip(new, self.outputs, strict=True)
        ]

    def again(self, arrays: Sequence[Any], shapes: Sequence[Shape]) -> bool:
        """Take arrays of these shapes; return whether they are.

        An array that comes a third time is read where it is, if it is still as it must be: its
        memory, its dtype and its strides may be others by now.
        """
        for i, given in enumerate(arrays):
            if given.__class__ is not ARRAY or given.shape != shapes[i]:
                return False
            if given is self.borrowed[i]:
                fields = self.fields[i]
                if fields[DESCR] == self.dtype_at and fields[FLAGS] & PLAIN == PLAIN:
                    self.cells[self.places[i]] = fields[DATA]
                    continue
            if given.dtype is not self.dtype:
                return False
            if given is self.seen[i]:
                self.borrowed[i], self.fields[i] = given, fields_of(given)
            else:
                self.seen[i] = given
            if self.is_large[i]:
                flags = given.flags
                if not (flags.c_contiguous and flags.aligned):
                    return False
                self.cells[self.places[i]] = given.ctypes.data
                continue
            self.cells[self.places[i]] = self.homes[i]
            self.rooms[i][...] = given
        return True

    def go_home(self, i: int) -> None:
        """Let an argument, or the parameters as the last one, be read from the frame's own room."""
        self.cells[self.places[i]] = self.homes[i]

    def run(self, kept: object) -> None:
        """Call the code for all samples, in as many threads as there are processors.

        Args:
            kept: whose memory it uses; it lives as long as the threads.
        """
        if len(self.spans) == 1:
            self.call(self.address)
            return
        total = self.total
        for begin in range(0, len(self.spans), MOST_PARTS):
            some = enumerate(self.spans[begin : begin + MOST_PARTS])
            work = [self._part(i, *span) for i, span in some]
            call_all([part.run for part in work], kept=(self, kept))
            # The parts don't depend on the processors, so neither do the sums.
            for i, part in enumerate(work, begin):
                if i:
                    np.add(total, part.sums, out=total)
                elif total is not self.sums:  # where the first part has put its own
                    total[:] = part.sums
        if total is not self.sums:
            self.sums[:] = converted(total, self.dtype)

    def _part(self, i: int, start: int, stop: int) -> FramePart:
        """Return what does some of the samples, with sums of its own."""
        if i == len(self.parts):
            sums = sums_room(len(self.sums), self.dtype) if i else self.sums
            self.parts.append(FramePart(self.made, len(self.words), sums, self.spare))
        part = self.parts[i]
        part.words[:] = self.words
        part.put(start, stop)
        return part


def flattened(shapes: Sequence[Shape], arguments: Sequence[Any]) -> Sequence[float] | None:
    """Return the numbers of one sample, if plain ones and lists of them are all it is."""
    if len(arguments) != len(shapes):
        return None
    flat: Any = arguments
    if len(shapes) == 1 and shapes[0]:  # a list is as it is
        flat = arguments[0]
        if flat.__class__ is not list or not len(flat) == shapes[0][0] > 0:
            return None
    elif any(shapes):
        flat = []
        for shape, given in zip(shapes, arguments, strict=True):
            if not shape:
                flat.append(given)
            elif given.__class__ is list and len(given) == shape[0] > 0:
                flat += given
            else:
                return None
    return flat if NUMBERS.issuperset(map(type, flat)) else None


class PlainFrame:
    """Memory for calls with one sample of plain numbers: no array is made on the way.

    Args:
        made: the machine code for one sample.
    """

    def __init__(self, signature: Signature, made: Made) -> None:
        real = signature.real
        dtype = np.dtype(real.dtype)
        self.workspace = aligned(made.workspace, dtype)
        arguments, results = _ends(signature.arguments), _ends(signature.results)
        count, sums = signature.parameters, sum(signature.summed)
        is_own = made.rows is not None  # the samples are the code's own
        given = np.empty(count + arguments[-1], dtype)
        found = sums_room(sums + results[-1] * is_own, dtype)
        self.parameters, self.inputs = given[:count], given[count:]
        self.sums = found[:sums]
        self.outputs = found[sums:] if is_own else np.empty(results[-1], dtype)
        self.shared = Shared(self.parameters, self.sums[1:])
        addresses = [
            *(self.inputs.ctypes.data + real.size * begin for begin in arguments[:-1]),
            *(self.outputs.ctypes.data + real.size * begin for begin in results[:-1]),
        ]
        self.words = np.zeros(ARRAYS + len(addresses), dtype=np.int64)
        self.words[PARAMETERS] = self.parameters.ctypes.data
        self.words[WORKSPACE], self.words[SUMS] = self.workspace.ctypes.data, self.sums.ctypes.data
        self.words[STOP] = 1
        self.words[ARRAYS:] = addresses
        self.words.view(np.float64)[SCALE] = 1.0
        self.call, self.address = made.call, self.words.ctypes.data
        if is_own:
            self.call = call_with_rows(made, self.words, found)
        layout = struct.Struct(f"{arguments[-1]}{real.code}")
        self._pack, self._room = layout.pack_into, self.inputs.data
        self._spans = [*zip(pairwise(results), signature.results, strict=True)]
        self._are_numbers = not any(signature.results)
        self._cells = self.outputs.data

    def take(self, flat: Sequence[float]) -> bool:
        """Note what a call is given; return whether all are numbers of the kind, or near one."""
        try:
            self._pack(self._room, 0, *flat)
        except (struct.error, OverflowError):  # of what is beyond all of them
            return False
        return True

    def results(self) -> list[Any]:
        """Return the outputs, as numbers and lists."""
        cells = self._cells
        if self._are_numbers:
            return cells.tolist()
        return [
            nested(cells[begin:end].tolist(), shape) if shape else cells[begin]
            for (begin, end), shape in self._spans
        ]


def _ends(shapes: Sequence[Shape]) -> list[int]:
    """Return where each row begins if they lie side by side, and where the last one ends."""
    return [*accumulate([prod(shape) for shape in shapes], initial=0)]


def _parts(flat: Array, ends: Sequence[int], shapes: Sequence[Shape]) -> list[Array]:
    """Return the rows of a flat array, each as that of the only sample."""
    return [
        flat[begin:end].reshape(1, *shape)
        for (begin, end), shape in zip(pairwise(ends), shapes, strict=True)
    ]


def _room(n: int, shape: Shape, dtype: Any) -> Array:
    """Return room for a row of each sample; none where it is read or written elsewhere."""
    return np.empty((n if n * prod(shape) <= SMALL_ARRAY else 0, *shape), dtype)
