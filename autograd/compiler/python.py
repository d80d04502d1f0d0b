"""Programs as Python: the reference for machine code, and what serves where there is none."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

from autograd.compiler.program import Program


class PythonFunction:
    """A program that can be called with lists, sample by sample.

    Args:
        program: makes the program; asked when it is first called.
    """

    def __init__(self, program: Callable[[], Program]) -> None:
        self.program = program

    @cached_property
    def _call(self) -> Callable[[Sequence[float], Sequence[float]], tuple[float, ...]]:
        names: dict[str, Any] = {}
        exec(self.program().source("python"), names)
        call: Callable[[Sequence[float], Sequence[float]], tuple[float, ...]] = names["program"]
        return call

    def __call__(
        self, samples: Sequence[Sequence[float]], parameters: Sequence[float]
    ) -> list[tuple[float, ...]]:
        """Return the outputs of each sample."""
        return [self._call(sample, parameters) for sample in samples]
