"""What a check was asked for, what it has spent, and what it has to say besides verdicts."""

from __future__ import annotations

from dataclasses import dataclass, field

from autograd.checking.function import Function
from autograd.checking.line import BUDGET


@dataclass
class Inquiry:
    """A check as it goes on: what was asked for is in `gradcheck`.

    Attributes:
        functions: those that were evaluated.
        notes: sentences, in order, each once.
    """

    rtol: float | None
    atol: float | None
    budget: int | None
    seed: int
    functions: list[Function] = field(default_factory=list)
    notes: dict[str, None] = field(default_factory=dict)

    @property
    def evaluations(self) -> int:
        """How often functions were called."""
        return sum(function.evaluations for function in self.functions)

    @property
    def left(self) -> int:
        """How many evaluations may still be made, along one line at most."""
        return BUDGET if self.budget is None else min(BUDGET, self.budget - self.evaluations)

    def note(self, sentence: str) -> None:
        """Keep what is to be said."""
        self.notes[sentence] = None
