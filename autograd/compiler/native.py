"""Programs as machine code: made by LLVM, kept in the cache, called with NumPy's arrays."""

from __future__ import annotations

import ctypes
import hashlib
import json
import math
import threading
from collections.abc import Callable, Sequence
from itertools import accumulate, pairwise
from math import prod
from typing import Any

from autograd.compiler import cache as disk
from autograd.compiler.forks import wait_for
from autograd.compiler.frames import (
    MOST_PARTS,
    ArrayFrame,
    PlainFrame,
    Signature,
    flattened,
)
from autograd.compiler.garbage import without_gc
from autograd.compiler.llvm import Kernel, block_for, kernel_of
from autograd.compiler.loops import Loops, loops_in
from autograd.compiler.machine import host, llvm_lock, load, object_code
from autograd.compiler.objects import Slots
from autograd.compiler.parts import Made
from autograd.compiler.playback import kept, played
from autograd.compiler.program import Program
from autograd.compiler.reals import DOUBLE
from autograd.compiler.repetition import Shape
from autograd.compiler.rolling import loops_of
from autograd.compiler.rooms import Array, converted
from autograd.compiler.sources import sources_of
from autograd.compiler.tape import tape_of
from autograd.extras import missing_extra

try:
    import numpy as np
except ImportError as error:
    missing_extra("numpy", "fast", error)

WORTH_A_THREAD = 3_000_000
"""Operations, for all samples together, from which on a second thread is woken: about 0.1 ms."""

WORTH_A_SUM = 400
"""Operations of a part for each of its sums, at least: every part has all of them to itself, to be
cleared and added up, which then takes about a tenth of the time."""

LONGEST_SUM = 16_384
"""Samples that single precision adds up by itself; the sums of more than `MOST_PARTS` times as many
are added in double precision. So an error is below 4,100 + 20 halves of an ulp, of the sum of
sizes, whatever their number: vectors hold four numbers or more, of which each adds up 4,096. Mostly
it is far less."""

MAKERS = ("autograd", "autograd.compiler")
"""The packages whose files decide what code is made: the core, with the rules, and this one."""

Rows = Sequence[Sequence[float]]
Part = tuple[Program, Rows | None]
"""A program, and the samples whose outputs it adds up. Without any, what becomes of the first sum:
it is applied to that, and gives besides what the sums have, for each, the derivative by that sum;
for values, the value."""

_making = threading.RLock()

wait_for(_making, llvm_lock())


class NativeFunction:
    """A program that can be called with arrays.

    Args:
        program: makes the program; asked only if the code isn't in the cache.
        key: what the program follows from, as text.
        signature: what goes in and out.
        exact: whether to keep every bit of the rows called one after the other.
        parts: makes programs of the samples that the function writes out itself, if it does, for
            a single sample of its own. Its inputs are their last parameters.
    """

    def __init__(
        self,
        program: Callable[[], Program],
        key: str,
        signature: Signature,
        *,
        exact: bool,
        parts: Callable[[], list[Part]] = list,
    ) -> None:
        self.program = program
        self.key = key
        self.signature = signature
        self.dtype = np.dtype(signature.real.dtype)
        self.exact = exact
        self._parts = parts
        self._sums = sum(signature.summed)
        self._made: dict[bool, Made] = {}
        self._frames: list[ArrayFrame] = []
        self._plain_frames: list[PlainFrame] = []

    def __call__(
        self, arrays: Sequence[Array], parameters: Array, n: int, scale: float = 1.0
    ) -> tuple[Array, list[Array]]:
        """Return the sums, times ``scale``, and the arrays of each sample's outputs.

        Args:
            arrays: of n rows each, C-contiguous.
            parameters: C-contiguous.
        """
        if not n:
            nothing = [np.empty((0, *shape), self.dtype) for shape in self.signature.results]
            return np.zeros(self._sums, self.dtype), nothing
        arrays = [converted(array, self.dtype) for array in arrays]
        made = self.made(single=n == 1)
        try:
            frame = self._frames.pop()
        except IndexError:
            frame = ArrayFrame(self.signature)
        frame.prepare(made, n, [*pairwise(_ends(n, self.parts(n)))])
        outputs = frame.take(arrays, parameters, scale)
        # A call with the same samples may follow, but for one among others with other weights.
        frame.rooms = [*frame.inputs, frame.parameters] if scale in (1.0, 1.0 / n) else []
        frame.run(kept=(arrays, parameters, outputs))
        sums, results = frame.sums.copy(), frame.results(outputs)
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
                frame.shared.read(slots)
            new = frame.given() if frame.has_large else ()
            frame.run(kept=(arrays, new))
            if slots:
                frame.shared.add(slots)
            sums, results = frame.sums.copy(), frame.results(new)
            self._frames.append(frame)
            return sums, results
        self._frames.append(frame)
        return None

    def plain(
        self, arguments: Sequence[Any], slots: Slots | None = None
    ) -> tuple[list[float], list[Any]] | None:
        """Return sums and outputs, as numbers and lists, of one sample of plain numbers; else None.

        Args:
            arguments: anything.
            slots: where the parameters are read, if there are any.
        """
        flat = flattened(self.signature.arguments, arguments)
        if flat is None:
            return None
        try:
            frame = self._plain_frames.pop()
        except IndexError:
            frame = PlainFrame(self.signature, self.made(single=True))
        found = None
        if frame.take(flat):
            if slots:
                frame.shared.read(slots)
            frame.call(frame.address)
            found = frame.sums.tolist(), frame.results()
        self._plain_frames.append(frame)
        return found

    def parts(self, n: int) -> int:
        """Return in how many parts to do so many samples; only that decides, as sums follow it."""
        if self.exact or n == 1:
            return 1
        operations = n * self.made(single=n == 1).operations
        most = operations // (WORTH_A_SUM * (self._sums + 1))
        worth = max(1, min(1 + operations // WORTH_A_THREAD, most))
        shared = min(1 << worth.bit_length() - 1, MOST_PARTS)
        if self.signature.real is not DOUBLE:
            shared = max(shared, -(-n // LONGEST_SUM))
        return shared if len(_ends(n, shared)) > 2 else 1

    def made(self, *, single: bool = False) -> Made:
        """Return the machine code, from the cache or made now; ``single`` for one sample."""
        return self._made.get(single) or self._make(single)

    def _make(self, single: bool) -> Made:
        with _making:
            if single in self._made:
                return self._made[single]
            digest = _digest(self.key, self.signature, self.exact, single)
            content = disk.load(digest)
            made = _loaded(content, self.dtype) if content else None
            if made is None:
                content = self._compile(single)
                disk.store(digest, content)
                made = _loaded(content, self.dtype)
            self._made[single] = made
            return made

    def _compile(self, single: bool) -> bytes:
        found = self._parts() if single else []
        # Single precision adds up so many by itself.
        most = math.inf if self.signature.real is DOUBLE else LONGEST_SUM
        with without_gc():
            if found and max(len(rows or ()) for _, rows in found) <= most:
                kernels = [self._part(*part) for part in found]
            else:
                found = []
                program, signature = self.program(), self.signature
                tape = tape_of(program, exact=self.exact)
                if tape:
                    return kept(tape, signature, exact=self.exact, single=single)
                loops = loops_of(program, signature.summed)
                kernels = [(self._kernel(loops, single), loops)]
        arrays = [np.array(rows or (), float) for _, rows in found]
        alone = single and not found
        codes = [object_code(kernel.text, alone=alone) for kernel, _ in kernels]
        header: list[dict[str, Any]] = [
            {"workspace": kernel.workspace, "operations": _operations(loops), "size": len(code)}
            for (kernel, loops), code in zip(kernels, codes, strict=True)
        ]
        for known, array in zip(header, arrays, strict=False):
            known["rows"] = array.shape
        content = [json.dumps(header).encode(), b"\n", *codes, *(x.tobytes() for x in arrays)]
        return b"".join(content)

    def _part(self, program: Program, rows: Rows | None) -> tuple[Kernel, Loops]:
        """Return the code of a program for samples of its own, or for their sum."""
        real = self.signature.real
        loops = loops_of(program, [True] * len(program.outputs))
        block = block_for(loops, host(), exact=False, single=not rows, real=real)
        return kernel_of(loops, [program.inputs], [], host(), block), loops

    def _loops(self) -> Loops:
        return loops_of(self.program(), self.signature.summed)

    def _kernel(self, loops: Loops, single: bool) -> Kernel:
        real = self.signature.real
        block = block_for(loops, host(), exact=self.exact, single=single, real=real)
        arguments, results = map(_sizes, (self.signature.arguments, self.signature.results))
        return kernel_of(loops, arguments, results, host(), block)

    def source(self) -> str:
        """Return the code in LLVM's intermediate language, for this machine."""
        return self._kernel(self._loops(), single=False).text


def _ends(n: int, parts: int) -> list[int]:
    """Return where parts of so many samples begin, and the last one ends.

    In whole blocks, whatever the machine: of few samples, there are fewer parts.

    >>> _ends(1000, 4), _ends(127, 2)
    ([0, 192, 448, 704, 1000], [0, 127])
    """
    return [*sorted({n * i // parts // 64 * 64 for i in range(parts)}), n]


def _sizes(shapes: Sequence[Shape]) -> list[int]:
    return [prod(shape) for shape in shapes]


def _operations(loops: Loops) -> int:
    """Return about how many operations a sample takes."""
    total = 0
    for times, loop in loops_in(loops.lanes):
        each = sum(1 + sum(stretch.length for stretch in s.stretches) for s in loop.statements)
        total += times * each * prod(loop.dims)
    return total


def _digest(key: str, signature: Signature, exact: bool, single: bool) -> str:
    """Return the name under which the cache keeps some code."""
    parts = (key, repr(signature), repr((exact, single)), repr(host()), *map(sources_of, MAKERS))
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def _loaded(content: bytes, dtype: Any) -> Made:
    """Return the function in some machine code, which takes numbers of a kind."""
    header, _, rest = content.partition(b"\n")
    known = json.loads(header)
    if isinstance(known, dict):
        return played(known, rest)
    ends = [*accumulate((each["size"] for each in known), initial=0)]
    numbers = np.frombuffer(rest[ends[-1] :])
    found: list[Made] = []
    for each, span in zip(known, pairwise(ends), strict=True):
        engine = load(rest[slice(*span)])
        call: Any = ctypes.CFUNCTYPE(None, ctypes.c_void_p)(engine.get_function_address("run"))
        call.engine = engine  # the code lives as long as whoever may call it
        rows = None
        if shape := each.get("rows"):
            rows = converted(numbers[: prod(shape)].reshape(shape), dtype)
            numbers = numbers[prod(shape) :]
        add = engine.get_function_address("add")
        found.append(Made(call, each["workspace"], each["operations"], rows, add=add))
    around = found.pop() if found[-1].rows is not None and not found[-1].rows.size else None
    return found[0]._replace(others=tuple(found[1:]), around=around)
