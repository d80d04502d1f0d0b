"""From machine code to the eager engine, where nobody has asked for one of them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from typing import Any, TypeVar

import autograd
from autograd import CompileError, MissingExtraError
from nn.hygiene import Hygiene
from nn.training.compiled import CompiledSteps
from nn.training.dataset import Dataset
from nn.training.plan import Plan
from nn.training.steps import EagerSteps, Epoch, Factor, Start, Tell

Compiled = TypeVar("Compiled")


def compiled_if_possible(
    name: str, things: Iterable[Any], make: Callable[[], Compiled]
) -> Compiled | None:
    """Return what ``make`` compiles; None where it can't, which is said in one line.

    Args:
        name: of what is run, for that line.
        things: those that ``make`` runs, which may count their calls and draw random numbers: they
            are put back to where they were.
    """
    undo = autograd.as_it_was(tuple(things))
    try:
        return make()
    except (CompileError, MissingExtraError) as error:
        undo()
        say(name, error)
    return None


def say(name: str, error: Exception) -> None:
    """Say in one line why something runs in the eager engine."""
    sys.stderr.write(f"{name} runs in the eager engine: {error}\n")


class StepsWherePossible:
    """The steps of one training, compiled, and eager from where they can't be any more.

    A callback or a schedule may have changed what they go by, so that it can't be compiled, or
    does so more often than it pays to compile it anew.

    Args:
        steps: compiled, with the patience that they have.
    """

    def __init__(self, plan: Plan, steps: CompiledSteps) -> None:
        self.plan = plan
        self.steps: CompiledSteps | EagerSteps = steps

    @property
    def name(self) -> str:
        """What makes the steps now, as a history names it."""
        return self.steps.name

    @property
    def hygiene(self) -> Hygiene | None:
        """Who is shown every step, if somebody watches."""
        return self.steps.hygiene

    @hygiene.setter
    def hygiene(self, hygiene: Hygiene | None) -> None:
        self.steps.hygiene = hygiene

    def learn(
        self, epoch: int, order: Sequence[Sequence[int]], factor: Factor, tell: Tell
    ) -> Epoch:
        """Learn from mini-batches one after the other; each step wholly or not at all."""
        factor = cache(factor)  # the user's code is asked once for a step
        done = Epoch([], [], [], [])
        if isinstance(self.steps, CompiledSteps):
            try:
                done = self.steps.learn(epoch, order, factor, tell)
                reason = self.steps.stopped
            except CompileError as error:
                if error is not self.steps.stopped:  # it is of the user's own code
                    raise
                reason = error  # before the first step
            if reason is None:
                return done
            self._change(reason)
        made = len(done.records)
        rest = self.steps.learn(
            epoch, order[made:], lambda i: factor(made + i), lambda i: tell(made + i)
        )
        return done.before(rest) if made else rest

    def evaluate(self, samples: Dataset) -> tuple[list[float], Any]:
        """Return loss and prediction of each sample, by the model as it is used."""
        try:
            return self.steps.evaluate(samples)
        except CompileError as error:
            if self.steps.name == EagerSteps.name:
                raise
            self._change(error)
            return self.steps.evaluate(samples)

    def start(self) -> Start:
        """Return where the training is."""
        return self.steps.start()

    def sync(self) -> None:
        """Bring the model to where the training is."""
        self.steps.sync()

    def _change(self, reason: CompileError) -> None:
        self.steps.sync()
        hygiene, self.steps = self.steps.hygiene, EagerSteps(self.plan)
        self.steps.hygiene = hygiene
        say("fit", reason)
