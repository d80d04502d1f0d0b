"""`Answers`: which units have answered which samples, by the code that computed it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import autograd
from nn.units import Unit, unit_at

Answered = tuple[list[Unit], Any]
"""Units, and a row of their answers for each of some samples."""


class Answers:
    """Names the units that have answered, as the code's last result.

    Args:
        code: of a sample's input and target.
        is_ragged: whether inputs are of different lengths, each with units of its own.
    """

    def __init__(self, code: autograd.Compiled, *, is_ragged: bool) -> None:
        self._code = code
        self._is_ragged = is_ragged
        self._units: dict[Any, list[Unit]] = {}

    def of(self, inputs: Sequence[Any], targets: Sequence[Any], rows: Any) -> list[Answered]:
        """Return the answers to some samples, with the units whose they are."""
        if not self._is_ragged:
            return [(self._units_for(), rows)]
        shapes = zip(map(_shape, inputs), map(_shape, targets), strict=True)
        return [(self._units_for(*each), [row]) for each, row in zip(shapes, rows, strict=True)]

    def _units_for(self, *shapes: tuple[int, ...]) -> list[Unit]:
        """Return the units that answer samples of such shapes; or of the example's."""
        if shapes not in self._units:
            code = self._code.of(shapes) if shapes else self._code
            self._units[shapes] = [unit_at(*maker) for maker in code.makers[-1] if maker]
        return self._units[shapes]


def _shape(x: float | list[float]) -> tuple[int, ...]:
    return (len(x),) if isinstance(x, list) else ()
