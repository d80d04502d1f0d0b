"""Memory for calls of machine code: where a call's arguments, sums and outputs are."""

from __future__ import annotations

import ctypes
import struct
from collections.abc import Callable, Sequence
from itertools import accumulate, pairwise
from math import prod
from typing import Any, NamedTuple

from autograd.compiler.llvm import ARRAYS, PARAMETERS, SCALE, START, STOP, SUMS, WORKSPACE
from autograd.compiler.python import nested
from autograd.compiler.repetition import Shape
from autograd.extras import missing_extra

try:
    import numpy as np
    from numpy.typing import NDArray
except ImportError as error:
    missing_extra("numpy", "fast", error)

Array = NDArray[np.float64]

SMALL = 4096
"""Arrays of up to so many numbers are copied for a call: cheaper than to ask where they are."""

NUMBERS = frozenset((float, int))
"""What a call may be given that makes no arrays."""

ARRAY = np.ndarray
DOUBLE = np.dtype(np.float64)
DOUBLE_AT = id(DOUBLE)
NOTHING = object()

# Words of an array object, by NumPy's C API: PyArrayObject_fields. Its flags are half a word.
DATA, DESCR, FLAGS, FIELDS = 2, 7, 8, 9
PLAIN = 0x0101
"""NPY_ARRAY_C_CONTIGUOUS and NPY_ARRAY_ALIGNED."""


class Signature(NamedTuple):
    """What a kernel takes and gives, for each sample.

    Attributes:
        arguments: the shape of each array in, without its first axis.
        results: likewise of each array out.
        summed: for each output of the program, whether it is added up over the samples.
        parameters: how many numbers all samples share.
    """

    arguments: tuple[Shape, ...]
    results: tuple[Shape, ...]
    summed: tuple[bool, ...]
    parameters: int


class Made(NamedTuple):
    """Machine code that can be called: the memory it needs, and its operations for a sample."""

    call: Callable[[int], None]
    workspace: int
    operations: int


class ArrayFrame:
    """Memory for calls: one is in use by one call at a time."""

    def __init__(self, signature: Signature) -> None:
        self.signature = signature
        self.n = -1
        self.rooms: list[Array] = []

    def prepare(self, made: Made, n: int) -> None:
        """Make room for ``n`` samples."""
        if self.n == n:
            return
        signature = self.signature
        self.n = n
        self.workspace = aligned(made.workspace)
        self.parameters = np.empty(signature.parameters)
        self.sums = sums_room(sum(signature.summed))
        self.slopes = self.sums[1:]
        self.inputs = [_room(n, shape) for shape in signature.arguments]
        self.outputs = [_room(n, shape) for shape in signature.results]
        self.has_large = any(n * prod(shape) > SMALL for shape in signature.results)
        self.words = np.zeros(ARRAYS + len(self.inputs) + len(self.outputs), dtype=np.int64)
        self.address = self.words.ctypes.data
        self.parameters_at = self.words[PARAMETERS] = self.parameters.ctypes.data
        self.words[WORKSPACE] = self.workspace.ctypes.data
        self.words[STOP] = n
        self.sums_at = self.words[SUMS] = self.sums.ctypes.data
        for i, array in enumerate([*self.inputs, *self.outputs], ARRAYS):
            self.words[i] = array.ctypes.data
        self.floats = self.words.view(np.float64)
        self.call = made.call
        self.rooms = []  # until a call has shown that one part will do
        arrays = [*self.inputs, self.parameters]
        self.shapes = [*((n, *shape) for shape in signature.arguments), self.parameters.shape]
        # Empty rooms are of arrays that are read where they are.
        self.is_large = [
            not room.size and prod(x) > 0 for room, x in zip(arrays, self.shapes, strict=True)
        ]
        self.alone = [*signature.arguments, self.parameters.shape]
        self.homes = [array.ctypes.data for array in arrays]
        self.parts: list[FramePart] = []
        self.cells = self.words.data
        count = len(self.inputs)
        self.places = [*range(ARRAYS, ARRAYS + count), PARAMETERS]
        self.seen: list[Any] = [NOTHING] * (count + 1)
        self.borrowed: list[Any] = [NOTHING] * (count + 1)
        self.fields: list[Any] = [NOTHING] * (count + 1)

    def take(self, arrays: Sequence[Array], parameters: Array, scale: float) -> list[Array | None]:
        """Note what a call is given; return new arrays for outputs too large to be copied."""
        self.floats[SCALE] = scale
        self.go_home(-1)
        self.parameters[:] = parameters
        for i, array in enumerate(arrays):
            self.go_home(i)
            if array.size <= SMALL:
                self.inputs[i][:] = array
            else:
                self.words[ARRAYS + i] = array.ctypes.data
        return self.given() if self.has_large else []

    def given(self) -> list[Array | None]:
        """Return new arrays for outputs too large to be copied."""
        new: list[Array | None] = [None] * len(self.outputs)
        for i, (room, shape) in enumerate(zip(self.outputs, self.signature.results, strict=True)):
            if not room.size and 0 not in shape:
                array = new[i] = np.empty((self.n, *shape))
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
                if fields[DESCR] == DOUBLE_AT and fields[FLAGS] & PLAIN == PLAIN:
                    self.cells[self.places[i]] = fields[DATA]
                    continue
            if given.dtype is not DOUBLE:
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

    def part(self, i: int, made: Made, start: int, stop: int) -> FramePart:
        """Return what does some of the samples, in memory of its own."""
        if i == len(self.parts):
            self.parts.append(FramePart(made, len(self.words), len(self.sums)))
        part = self.parts[i]
        part.words[:] = self.words
        part.put(start, stop)
        return part


def flattened(shapes: Sequence[Shape], arguments: Sequence[Any]) -> Sequence[float] | None:
    """Return the numbers of one sample, if plain ones and lists of them are all it is."""
    if len(arguments) != len(shapes):
        return None
    flat: Any = arguments
    if any(shapes):
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
        self.workspace = aligned(made.workspace)
        arguments, results = _ends(signature.arguments), _ends(signature.results)
        self.parameters = np.empty(signature.parameters)
        self.parameters_at = self.parameters.ctypes.data
        self.inputs = np.empty(arguments[-1])
        self.sums = sums_room(sum(signature.summed))
        self.outputs = np.empty(results[-1])
        addresses = [
            *(self.inputs.ctypes.data + 8 * begin for begin in arguments[:-1]),
            *(self.outputs.ctypes.data + 8 * begin for begin in results[:-1]),
        ]
        self.words = np.zeros(ARRAYS + len(addresses), dtype=np.int64)
        self.words[PARAMETERS] = self.parameters_at
        self.words[WORKSPACE], self.words[SUMS] = self.workspace.ctypes.data, self.sums.ctypes.data
        self.words[STOP] = 1
        self.words[ARRAYS:] = addresses
        self.words.view(np.float64)[SCALE] = 1.0
        self.call, self.address = made.call, self.words.ctypes.data
        self._pack, self._room = struct.Struct(f"{arguments[-1]}d").pack_into, self.inputs.data
        self._spans = [*zip(pairwise(results), signature.results, strict=True)]
        self._cells = self.outputs.data

    def take(self, flat: Sequence[float]) -> bool:
        """Note what a call is given; return whether all are floats, or can be."""
        try:
            self._pack(self._room, 0, *flat)
        except struct.error:  # of an int beyond all floats
            return False
        return True

    def results(self) -> list[Any]:
        """Return the outputs, as numbers and lists."""
        cells = self._cells
        return [
            nested(cells[begin:end].tolist(), shape) if shape else cells[begin]
            for (begin, end), shape in self._spans
        ]


class FramePart:
    """Some of the samples of a call, to be done by any thread."""

    def __init__(self, made: Made, words: int, sums: int) -> None:
        self.call = made.call
        self.workspace, self.sums = aligned(made.workspace), sums_room(sums)
        self.words = np.empty(words, dtype=np.int64)
        self.address = self.words.ctypes.data
        self._places = self.workspace.ctypes.data, self.sums.ctypes.data

    def put(self, start: int, stop: int) -> None:
        """Note which samples they are."""
        words = self.words.data
        words[WORKSPACE], words[SUMS] = self._places
        words[START], words[STOP] = start, stop

    def run(self) -> None:
        self.call(self.address)


def fields_of(array: Array) -> Any:
    """Return the words of an array object, as they are from now on; they live as long as it.

    >>> array = np.ones(3)
    >>> fields_of(array)[DATA] == array.ctypes.data
    True
    """
    words = (ctypes.c_int64 * FIELDS).from_address(id(array))
    view = memoryview(words).cast("B").cast("q")
    known = array.ctypes.data, id(array.dtype), array.flags.num & PLAIN
    # Of another build of Python or NumPy, no word is taken for what it isn't: nothing is plain.
    return view if (view[DATA], view[DESCR], view[FLAGS] & PLAIN) == known else [0] * FIELDS


def sums_room(count: int) -> Array:
    """Return room for sums, which are written a vector at a time."""
    return np.empty(count + 8)[:count]


def aligned(size: int) -> Array:
    """Return room for doubles, beginning where a vector may."""
    room = np.empty(size + 8)
    skip = -room.ctypes.data % 64 // 8
    return room[skip : skip + size]


def _ends(shapes: Sequence[Shape]) -> list[int]:
    """Return where each row begins if they lie side by side, and where the last one ends."""
    return [*accumulate([prod(shape) for shape in shapes], initial=0)]


def _room(n: int, shape: Shape) -> Array:
    """Return room for a row of each sample; none where it is read or written elsewhere."""
    return np.empty((n if n * prod(shape) <= SMALL else 0, *shape))
