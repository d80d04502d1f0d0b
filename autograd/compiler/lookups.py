"""Memory that each sample looks up at a place of its own: numbers read, and sums added to.

What a sample may not choose has been refused before. But memory that somebody changes meanwhile
must not lead anywhere else, so every place is brought into its bounds.
"""

from __future__ import annotations

from autograd.compiler.emitter import Emitter


class Place:
    """Where one sample looks: a row among some that lie evenly spaced.

    Args:
        chooser: the number of the row, counted from some other row.
        first, rows: which row they begin with, and how many they are.

    Attributes:
        row: the place among them; elsewhere, that of the last one.
        is_there: whether it is one of them.
    """

    def __init__(self, code: Emitter, chooser: str, first: int, rows: int) -> None:
        whole, place, self.is_there, self.row = (code.new() for _ in range(4))
        kind, suffix = code.real.name, code.real.suffix
        code.emit(f"{whole} = call i64 @llvm.fptosi.sat.i64.{suffix}({kind} {chooser})")
        code.emit(f"{place} = sub i64 {whole}, {first}")
        code.emit(f"{self.is_there} = icmp ult i64 {place}, {rows}")
        code.emit(f"{self.row} = call i64 @llvm.umin.i64(i64 {place}, i64 {rows - 1})")


def read_at(code: Emitter, place: Place, pointer: str, stride: int, other: str, kind: str) -> str:
    """Return the number of a row, or neighbouring ones; ``other`` where it isn't there.

    Args:
        pointer: to that of the first row.
        kind: the type of a number, or of a vector.
    """
    found, name = code.read(code.at(pointer, place.row, stride), kind), code.new()
    code.emit(f"{name} = select i1 {place.is_there}, {kind} {found}, {kind} {other}")
    return name


def add_at(code: Emitter, place: Place, pointer: str, stride: int, gain: str, kind: str) -> None:
    """Write what adds to the number of a row, or to neighbouring ones, if it is there."""
    added, total = code.new(), code.new()
    at = code.at(pointer, place.row, stride)
    before = code.read(at, kind)
    code.emit(f"{added} = fadd {kind} {before}, {gain}")
    code.emit(f"{total} = select i1 {place.is_there}, {kind} {added}, {kind} {before}")
    code.write(total, at, kind)
