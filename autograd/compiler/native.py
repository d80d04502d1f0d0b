"""Programs as machine code: made by LLVM, kept in the cache, called with NumPy's arrays."""

from __future__ import annotations

import ctypes
import hashlib
import json
import sys
import threading
from collections.abc import Callable, Sequence
from functools import cache
from functools import reduce as fold
from itertools import pairwise
from math import prod
from pkgutil import iter_modules
from typing import Any, NamedTuple

from autograd.compiler import cache as disk
from autograd.compiler.crew import call_all
from autograd.compiler.forks import wait_for
from autograd.compiler.llvm import (
    ARRAYS,
    PARAMETERS,
    SCALE,
    START,
    STOP,
    SUMS,
    WORKSPACE,
    Kernel,
    block_for,
    kernel_of,
)
from autograd.compiler.loops import Loops
from autograd.compiler.machine import host, llvm_lock, load, object_code
from autograd.compiler.objects import Slots
from autograd.compiler.program import Program, without_gc
from autograd.compiler.repetition import Shape
from autograd.compiler.rolling import loops_of
from autograd.extras import missing_extra

try:
    import numpy as np
    from numpy.typing import NDArray
except ImportError as error:
    missing_extra("numpy", "fast", error)

Array = NDArray[np.float64]

SMALL = 4096
"""Arrays of up to so many numbers are copied for a call: cheaper than to ask where they are."""

WORTH_A_THREAD = 3_000_000
"""Operations, for all samples together, from which on a second thread is woken: about 0.1 ms."""

MOST_PARTS = 16
"""In how many parts the samples of a call are split at most, for threads to share: a power of 2,
as most numbers of processors are, so that all of them have as much to do."""

ARRAY = np.ndarray
DOUBLE = np.dtype(np.float64)
DOUBLE_AT = id(DOUBLE)
NOTHING = object()

# Words of an array object, by NumPy's C API: PyArrayObject_fields. Its flags are half a word.
DATA, DESCR, FLAGS, FIELDS = 2, 7, 8, 9
PLAIN = 0x0101
"""NPY_ARRAY_C_CONTIGUOUS and NPY_ARRAY_ALIGNED."""

MAKERS = ("autograd", "autograd.compiler")
"""The packages whose files decide what code is made: the core, with the rules, and this one."""

_making = threading.RLock()

wait_for(_making, llvm_lock())


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


class _Made(NamedTuple):
    """Machine code that can be called: the memory it needs, and its operations for a sample."""

    call: Callable[[int], None]
    workspace: int
    operations: int


class NativeFunction:
    """A program that can be called with arrays.

    Args:
        program: makes the program; asked only if the code isn't in the cache.
        key: what the program follows from, as text.
        signature: what goes in and out.
        exact: whether to keep every bit of the rows called one after the other.
    """

    def __init__(
        self, program: Callable[[], Program], key: str, signature: Signature, *, exact: bool
    ) -> None:
        self.program = program
        self.key = key
        self.signature = signature
        self.exact = exact
        self._made: dict[bool, _Made] = {}
        self._frames: list[_Frame] = []

    def __call__(
        self, arrays: Sequence[Array], parameters: Array, n: int, scale: float = 1.0
    ) -> tuple[Array, list[Array]]:
        """Return the sums, times ``scale``, and the arrays of each sample's outputs.

        Args:
            arrays: of n rows each, C-contiguous.
            parameters: C-contiguous.
        """
        if not n:
            signature = self.signature
            nothing = [np.empty((0, *shape)) for shape in signature.results]
            return np.zeros(sum(signature.summed)), nothing
        made = self.made(single=n == 1)
        try:
            frame = self._frames.pop()
        except IndexError:
            frame = _Frame(self.signature)
        frame.prepare(made, n)
        outputs = frame.take(arrays, parameters, scale)
        parts = 1 if self.exact else _parts(n * made.operations)
        if parts == 1:
            if all(made_anew is None for made_anew in outputs):
                frame.rooms = [*frame.inputs, frame.parameters]
            made.call(frame.address)
            sums = frame.sums.copy()
        else:
            sums = self._in_parts(made, frame, n, parts, kept=(arrays, outputs))
        results = [
            room.copy() if new is None else new
            for new, room in zip(outputs, frame.outputs, strict=True)
        ]
        self._frames.append(frame)
        return sums, results

    def again(
        self, arrays: Sequence[Any], slots: Slots | None = None, *, alone: bool = False
    ) -> tuple[Array, list[Array]] | None:
        """Return what a call returns, for arrays of the same shapes as the last call's; else None.

        The common case, with little more than a microsecond to spare for all there is to ask.

        Args:
            arrays: anything; the parameters are the last of them, unless there are slots.
            slots: where the parameters are read, and their gradients added.
            alone: whether they may also be those of one sample without the axis of samples.
        """
        try:
            frame = self._frames.pop()
        except IndexError:
            return None
        known = len(arrays) == len(frame.rooms) - (slots is not None)
        if known and (
            frame.again(arrays, frame.shapes)
            or (alone and frame.n == 1 and frame.again(arrays, frame.alone))
        ):
            if slots:
                frame.go_home(-1)
                slots.read(frame.parameters, frame.parameters_at)
            frame.call(frame.address)
            if slots:
                slots.add(frame.slopes, frame.sums_at + 8)
            sums = frame.sums.copy()
            outputs = [array.copy() for array in frame.outputs]
            self._frames.append(frame)
            return sums, outputs
        self._frames.append(frame)
        return None

    def _in_parts(self, made: _Made, frame: _Frame, n: int, parts: int, kept: object) -> Array:
        """Run the samples part by part, in as many threads as there are processors."""
        # In whole blocks, whatever the machine: of few samples, there are fewer parts.
        ends = [*sorted({n * i // parts // 32 * 32 for i in range(parts)}), n]
        work = [frame.part(i, made, *span) for i, span in enumerate(pairwise(ends))]
        call_all([part.run for part in work], kept=(frame, kept))
        # The parts don't depend on the processors, so neither do the sums.
        return fold(np.add, [part.sums for part in work[1:]], work[0].sums.copy())

    def made(self, *, single: bool = False) -> _Made:
        """Return the machine code, from the cache or made now; ``single`` for one sample."""
        return self._made.get(single) or self._make(single)

    def _make(self, single: bool) -> _Made:
        with _making:
            if single in self._made:
                return self._made[single]
            digest = _digest(self.key, self.signature, self.exact, single)
            content = disk.load(digest)
            made = _loaded(content) if content else None
            if made is None:
                content = self._compile(single)
                disk.store(digest, content)
                made = _loaded(content)
            self._made[single] = made
            return made

    def _compile(self, single: bool) -> bytes:
        with without_gc():
            loops = self._loops()
            kernel = self._kernel(loops, single)
        header = {"workspace": kernel.workspace, "operations": _operations(loops)}
        return json.dumps(header).encode() + b"\n" + object_code(kernel.text)

    def _loops(self) -> Loops:
        return loops_of(self.program(), self.signature.summed)

    def _kernel(self, loops: Loops, single: bool) -> Kernel:
        block = block_for(loops, host(), exact=self.exact, single=single)
        arguments, results = map(_sizes, (self.signature.arguments, self.signature.results))
        return kernel_of(loops, arguments, results, host(), block)

    def source(self) -> str:
        """Return the code in LLVM's intermediate language, for this machine."""
        return self._kernel(self._loops(), single=False).text


class _Frame:
    """Memory for calls: one is in use by one call at a time."""

    def __init__(self, signature: Signature) -> None:
        self.signature = signature
        self.n = -1
        self.rooms: list[Array] = []

    def prepare(self, made: _Made, n: int) -> None:
        """Make room for ``n`` samples."""
        if self.n == n:
            return
        signature = self.signature
        self.n = n
        self.workspace = aligned(made.workspace)
        self.parameters = np.empty(signature.parameters)
        self.sums = _sums(sum(signature.summed))
        self.slopes = self.sums[1:]
        self.inputs = [
            np.empty((n if n * prod(shape) <= SMALL else 0, *shape))
            for shape in signature.arguments
        ]
        self.outputs = [
            np.empty((n if n * prod(shape) <= SMALL else 0, *shape)) for shape in signature.results
        ]
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
        self.shapes = [array.shape for array in arrays]
        self.alone = [*signature.arguments, self.parameters.shape]
        self.homes = [array.ctypes.data for array in arrays]
        self.parts: list[_Part] = []
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
        new: list[Array | None] = [None] * len(self.outputs)
        for i, shape in enumerate(self.signature.results):
            if self.n * prod(shape) > SMALL:
                array = new[i] = np.empty((self.n, *shape))
                self.words[ARRAYS + len(self.inputs) + i] = array.ctypes.data
        return new

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
            self.cells[self.places[i]] = self.homes[i]
            self.rooms[i][...] = given
        return True

    def go_home(self, i: int) -> None:
        """Let an argument, or the parameters as the last one, be read from the frame's own room."""
        self.cells[self.places[i]] = self.homes[i]

    def part(self, i: int, made: _Made, start: int, stop: int) -> _Part:
        """Return what does some of the samples, in memory of its own."""
        if i == len(self.parts):
            self.parts.append(_Part(made, len(self.words), len(self.sums)))
        part = self.parts[i]
        part.words[:] = self.words
        part.put(start, stop)
        return part


class _Part:
    """Some of the samples of a call, to be done by any thread."""

    def __init__(self, made: _Made, words: int, sums: int) -> None:
        self.call = made.call
        self.workspace, self.sums = aligned(made.workspace), _sums(sums)
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


def _parts(operations: int) -> int:
    """Return in how many parts to do a call; it depends on nothing else, as the sums do on it."""
    return min(1 << (1 + operations // WORTH_A_THREAD).bit_length() - 1, MOST_PARTS)


def _sums(count: int) -> Array:
    """Return room for sums, which are written a vector at a time."""
    return np.empty(count + 8)[:count]


def _sizes(shapes: Sequence[Shape]) -> list[int]:
    return [prod(shape) for shape in shapes]


def aligned(size: int) -> Array:
    """Return room for doubles, beginning where a vector may."""
    room = np.empty(size + 8)
    skip = -room.ctypes.data % 64 // 8
    return room[skip : skip + size]


def _operations(loops: Loops) -> int:
    """Return about how many operations a sample takes."""
    total = 0
    for loop in loops.lanes:
        each = sum(1 + sum(stretch.length for stretch in s.stretches) for s in loop.statements)
        total += each * prod(loop.dims)
    return total


def _digest(key: str, signature: Signature, exact: bool, single: bool) -> str:
    """Return the name under which the cache keeps some code."""
    parts = (key, repr(signature), repr((exact, single)), repr(host()), _sources())
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


@cache
def _sources() -> str:
    """Return a digest of the code that makes the code: the rows, the rules and this package.

    Read by way of Python's importer: what is installed may be byte code, or in a zip file.
    """
    digest = hashlib.sha256()
    for package in MAKERS:
        for finder, name, is_package in iter_modules(sys.modules[package].__path__, f"{package}."):
            if not is_package:
                spec: Any = finder.find_spec(name, None)
                digest.update(spec.loader.get_data(spec.origin))
    return digest.hexdigest()


def _loaded(content: bytes) -> _Made:
    """Return the function in some machine code."""
    header, _, code = content.partition(b"\n")
    known = json.loads(header)
    engine = load(code)
    call: Any = ctypes.CFUNCTYPE(None, ctypes.c_void_p)(engine.get_function_address("run"))
    call.engine = engine  # the code lives as long as whoever may call it
    return _Made(call, known["workspace"], known["operations"])
