"""Predict mode: the next number is hidden, the learner says what it will be."""

from __future__ import annotations

import math

from autograd.stepping.events import Edge, Recording
from autograd.stepping.notation import show


class Quiz:
    """Asks for one number of a backward pass after the other, hints, and keeps score.

    Args:
        recording: the run to ask about.
        tolerance: how far off an answer may be, relative (and absolute near 0).

    Attributes:
        asked, right: how many questions have been answered, and how many of them rightly at
            the first try.

    >>> from autograd import Stepper, Value
    >>> x = Value(3.0, label="x")
    >>> quiz = Stepper(x * x).quiz()
    >>> print(quiz.question)
    n1 = x * x passes d n1/d n1 = 1.0 on to x: what is its contribution?
    >>> quiz.answer(2.0)
    False
    >>> quiz.hint()
    'd n1/d x = x, which is 3.0 here; multiply by d n1/d n1 = 1.0'
    >>> quiz.answer(3.0)
    True
    >>> quiz.score
    '0 of 1 at the first try'
    """

    def __init__(self, recording: Recording, tolerance: float = 1e-3) -> None:
        self.recording = recording
        self.tolerance = tolerance
        self.asked = 0
        self.right = 0
        self._tries = 0
        self._questions = [e for e in recording.events if isinstance(e, Edge)]

    @property
    def event(self) -> Edge | None:
        """The event whose product is asked for; None when all have been answered."""
        return self._questions[self.asked] if self.asked < len(self._questions) else None

    @property
    def question(self) -> str:
        """The question, without its answer; says so when there are no more."""
        event = self.event
        if event is None:
            return f"that was the last one: {self.score}"
        run = self.recording
        return (
            f"{run.definition(event.node)} passes {run.partial(event.node)}"
            f" = {show(event.upstream)} on to {run.name(event.arg)}: what is its contribution?"
        )

    def answer(self, number: float) -> bool:
        """Return whether ``number`` is right; then the next question is up.

        Raises:
            ValueError: all questions have been answered.
        """
        event = self._current()
        self._tries += 1
        if not math.isclose(
            number, event.product, rel_tol=self.tolerance, abs_tol=self.tolerance * 1e-3
        ):
            return False
        self._advance(self._tries == 1)
        return True

    def hint(self) -> str:
        """Return the local rule with its number."""
        event = self._current()
        run = self.recording
        return (
            f"d {run.name(event.node)}/d {run.name(event.arg)} = "
            f"{run.named_rule(event.node, event.slot)}, which is {show(event.local)} "
            f"here; multiply by {run.partial(event.node)} = {show(event.upstream)}"
        )

    def give_up(self) -> float:
        """Return the answer, and go to the next question without a point."""
        event = self._current()
        self._advance(point=False)
        return event.product

    @property
    def score(self) -> str:
        """The score, in words."""
        return f"{self.right} of {self.asked} at the first try"

    def _current(self) -> Edge:
        event = self.event
        if event is None:
            raise ValueError("all questions have been answered")
        return event

    def _advance(self, point: bool) -> None:
        self.asked += 1
        self.right += point
        self._tries = 0

    def __repr__(self) -> str:
        return f"<Quiz {self.asked} of {len(self._questions)} answered: {self.question}>"
