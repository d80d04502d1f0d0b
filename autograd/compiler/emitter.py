"""LLVM's intermediate language, written line by line: loops, memory, vectors."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from autograd.compiler.reals import DOUBLE, Real

WRITTEN_OUT = 8
"""Rows of up to so many numbers are copied without a loop."""


class Types:
    """How vectors of some width are written."""

    def __init__(self, width: int, real: Real = DOUBLE) -> None:
        self.width = width
        self.real = real
        self.number = real.name if width == 1 else f"<{width} x {real.name}>"
        self.truth = "i1" if width == 1 else f"<{width} x i1>"
        self.suffix = real.suffix if width == 1 else f"v{width}{real.suffix}"
        self.numbers: set[str] = set()

    def constant(self, x: float) -> str:
        """Return how a constant is written; noted in ``numbers`` unless it is NaN."""
        text = self.real.written(x)
        if self.width > 1:
            text = f"splat ({self.real.name} {text})"
        if x == x:
            self.numbers.add(text)
        return text


class Emitter:
    """The lines of one function.

    Args:
        width: of its vectors, in numbers.
        real: what its numbers are.
    """

    def __init__(self, width: int, real: Real = DOUBLE) -> None:
        self.real = real
        self.types = Types(width, real)
        self.lines: list[str] = []
        self.label = "entry"
        self.known: dict[tuple[object, ...], str] = {}
        """What a straight run of lines has computed already, such as addresses."""
        self._names = 0

    def emit(self, line: str) -> None:
        self.lines.append(f"  {line}")

    def new(self) -> str:
        self._names += 1
        return f"%n{self._names}"

    def _begin(self, label: str) -> None:
        self.lines.append(f"{label}:")
        self.label = label
        self.known.clear()

    @contextmanager
    def counted(
        self, start: str, end: str, step: int = 1, carried: list[str] | None = None
    ) -> Iterator[str]:
        """Write a loop; yield its index. What is ``carried`` is updated in place by the body."""
        name = self.new()[1:]
        before = self.label
        self.emit(f"%{name}.any = icmp slt i64 {start}, {end}")
        self.emit(f"br i1 %{name}.any, label %{name}.loop, label %{name}.end")
        self._begin(f"{name}.loop")
        hole = len(self.lines)
        initial = list(carried or ())
        phis = [self.new() for _ in initial]
        if carried is not None:
            carried[:] = phis
        yield f"%{name}"
        self.emit(f"%{name}.next = add nsw i64 %{name}, {step}")
        self.emit(f"%{name}.more = icmp slt i64 %{name}.next, {end}")
        self.emit(f"br i1 %{name}.more, label %{name}.loop, label %{name}.end")
        head = [f"  %{name} = phi i64 [ {start}, %{before} ], [ %{name}.next, %{self.label} ]"]
        results = list(carried or ())
        for phi, old, result in zip(phis, initial, results, strict=True):
            head.append(
                f"  {phi} = phi {self.types.number} [ {old}, %{before} ], "
                f"[ {result}, %{self.label} ]"
            )
        self.lines[hole:hole] = head
        last = self.label
        self._begin(f"{name}.end")
        if carried is not None:
            for i, (old, result) in enumerate(zip(initial, results, strict=True)):
                carried[i] = self.new()
                self.emit(
                    f"{carried[i]} = phi {self.types.number} [ {old}, %{before} ], "
                    f"[ {result}, %{last} ]"
                )

    def at(self, pointer: str, index: str, scale: int, offset: int = 0) -> str:
        """Return the address of the number ``index * scale + offset`` from a pointer on."""
        if index and scale:
            moved, place = self.new(), self.new()
            self.emit(f"{place} = mul i64 {index}, {scale}")
            self.emit(f"{moved} = getelementptr {self.real.name}, ptr {pointer}, i64 {place}")
            pointer = moved
        if not offset:
            return pointer
        moved = self.new()
        self.emit(f"{moved} = getelementptr {self.real.name}, ptr {pointer}, i64 {offset}")
        return moved

    def read(self, pointer: str, kind: str) -> str:
        name = self.new()
        self.emit(f"{name} = load {kind}, ptr {pointer}, align {self.real.size}")
        return name

    def write(self, value: str, pointer: str, kind: str) -> None:
        self.emit(f"store {kind} {value}, ptr {pointer}, align {self.real.size}")

    def moved(self, count: int, source: str, step: int, target: str, stride: int) -> None:
        """Copy numbers that are ``step`` apart to places that are ``stride`` apart."""
        if count <= WRITTEN_OUT:
            for j in range(count):
                x = self.read(self.at(source, "", 0, j * step), self.real.name)
                self.write(x, self.at(target, "", 0, j * stride), self.real.name)
            return
        with self.counted("0", str(count)) as k:
            x = self.read(self.at(source, k, step), self.real.name)
            self.write(x, self.at(target, k, stride), self.real.name)

    def load_word(self, name: str, base: str, place: int, kind: str = "i64") -> None:
        """Load one of the words of 8 bytes at ``base``, into a register of that name."""
        self.emit(f"%{name}.p = getelementptr i64, ptr {base}, i64 {place}")
        self.emit(f"%{name} = load {kind}, ptr %{name}.p")

    def binary(self, name: str, x: str, y: str) -> str:
        result = self.new()
        self.emit(f"{result} = {name} {self.types.number} {x}, {y}")
        return result

    def broadcast(self, number: str) -> str:
        """Return the vector of a number everywhere."""
        if self.types.width == 1:
            return number
        kind, first, name = self.types.number, self.new(), self.new()
        self.emit(f"{first} = insertelement {kind} poison, {self.real.name} {number}, i32 0")
        self.emit(
            f"{name} = shufflevector {kind} {first}, {kind} poison, "
            f"<{self.types.width} x i32> zeroinitializer"
        )
        return name

    def one_of(self, vector: str, lane: int) -> str:
        """Return one number of a vector."""
        if self.types.width == 1:
            return vector
        name = self.new()
        self.emit(f"{name} = extractelement {self.types.number} {vector}, i32 {lane}")
        return name

    def vector_of(self, numbers: list[str]) -> str:
        """Return the vector of as many numbers as it has."""
        vector, kind, real = "poison", self.types.number, self.real.name
        if self.types.width == 1:
            return numbers[0]
        for lane, number in enumerate(numbers):
            name = self.new()
            self.emit(f"{name} = insertelement {kind} {vector}, {real} {number}, i32 {lane}")
            vector = name
        return vector

    def crossed(self, a: str, b: str, step: int) -> tuple[str, str]:
        """Return two vectors with every other ``step`` places of one and the other exchanged.

        Repeated with steps 1, 2, 4, ... it turns a square of rows into its columns.
        """
        kind, width = self.types.number, self.types.width
        results = []
        for begin in (0, step):
            places = [
                side * width + group + begin + i
                for group in range(0, width, 2 * step)
                for side in (0, 1)
                for i in range(step)
            ]
            name, mask = self.new(), ", ".join(f"i32 {place}" for place in places)
            self.emit(f"{name} = shufflevector {kind} {a}, {kind} {b}, <{width} x i32> <{mask}>")
            results.append(name)
        return results[0], results[1]

    def merged(self, parts: list[str], merge: Callable[[str, str], str]) -> str:
        """Return the vector of what the lanes of each of as many vectors become, two by two."""
        step = 1
        while len(parts) > 1:
            pairs = [self.crossed(parts[i], parts[i + 1], step) for i in range(0, len(parts), 2)]
            parts = [merge(low, high) for low, high in pairs]
            step *= 2
        return parts[0]

    def chosen(self, condition: str, x: str, y: str) -> str:
        name, number = self.new(), self.types.number
        self.emit(f"{name} = select {condition}, {number} {x}, {number} {y}")
        return name
