"""`Lead`: where compiled steps are, while model and optimiser stay as they were."""

from __future__ import annotations

from array import array
from typing import Any, NamedTuple

from nn.training.plan import Plan
from nn.training.steps import Start


class Snapshot(NamedTuple):
    """What a training is at between two steps.

    Attributes:
        weights, slopes: numbers of the optimiser's parameters, and their last gradients.
        memory, steps: the optimiser's.
        drawn: how many masks each dropout has drawn.
    """

    weights: Any
    memory: list[Any]
    steps: int
    drawn: list[int]
    slopes: Any


class Lead:
    """By what a training is ahead of its model.

    Args:
        plan: of the training.

    Attributes:
        snapshot: where it is; None where the model is.
    """

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.snapshot: Snapshot | None = None

    def now(self) -> Snapshot:
        """Return where the training is: ahead of the model, or where the model is."""
        if self.snapshot:
            return self.snapshot
        import numpy

        plan, optimizer = self.plan, self.plan.optimizer
        with numpy.errstate(over="ignore"):
            weights = numpy.array([leaf.data for leaf in optimizer.parameters], plan.dtype)
            memory = [numpy.array(column, plan.dtype) for column in optimizer.memory]
        drawn = [dropout.masks for dropout in plan.dropouts]
        return Snapshot(weights, memory, optimizer.steps, drawn, None)

    def sync(self) -> None:
        """Bring model, optimiser and dropouts to where the training is."""
        state, plan = self.snapshot, self.plan
        if state is None:
            return
        for leaf, w in zip(plan.optimizer.parameters, state.weights.tolist(), strict=True):
            leaf.data = w
        if state.slopes is not None:
            self.show(state.slopes)
        plan.optimizer.memory = tuple(column.tolist() for column in state.memory)
        plan.optimizer.steps = state.steps
        for dropout, masks in zip(plan.dropouts, state.drawn, strict=True):
            dropout.masks = masks
        self.snapshot = None

    def show(self, slopes: Any) -> None:
        """Let the parameters have their gradients."""
        for leaf, slope in zip(self.plan.optimizer.parameters, slopes.tolist(), strict=True):
            leaf.grad = slope

    def start(self) -> Start:
        """Return where the training is, as a new one may begin."""
        state, optimizer = self.now(), self.plan.optimizer
        columns = zip(optimizer.remembers, state.memory, strict=True)
        memory = {name: _packed(column) for name, column in columns}
        settings = {**optimizer.settings(), "steps": state.steps, "scale": optimizer.scale}
        return Start(_packed(state.weights), settings | memory, state.drawn)


def _packed(column: Any) -> array[float]:
    return array("d", column.astype(float, copy=False).tobytes())
