"""`Replay`: the way back into a step of a training."""

from __future__ import annotations

import math

from autograd import Value
from nn.history import History
from nn.training.compiled import CompiledSteps
from nn.training.order import Order
from nn.training.plan import Plan
from nn.training.steps import EagerSteps, Start, forward

BYTES = 64 * 2**20
"""How much is kept of where epochs began. Beyond it, every second of them is dropped, and a replay
goes on from the one before; 0 keeps nothing, and nothing can be replayed."""

APART = {"float64": 1e-6, "float32": 1e-3}
"""How far a replayed loss may be from the recorded one, relative to it or absolutely.

Weights come back to the bit; only the loss itself may be rounded in another order, or more: with
float32, a thousandth is ten thousand roundings of its sums that all go one way.
"""


class Replay:
    """Computes the cost of a recorded step anew: ``replay(step)``.

    Args:
        plan: of the training.
        history: of the training.
        backend: what computes its steps, as a history names it.
    """

    def __init__(self, plan: Plan, history: History, backend: str) -> None:
        self.plan = plan
        self.history = history
        self.backend = backend
        self._starts: dict[int, Start] = {}
        self._rates: dict[int, float] = {}
        self._stride = 1

    def keep(self, epoch: int, start: Start) -> None:
        """Keep where an epoch begins, if the bound allows."""
        self._rates[epoch] = self.plan.optimizer.learning_rate
        first = min(self._starts, default=epoch)
        if (epoch - first) % self._stride:
            return
        self._starts[epoch] = start
        while start.size * len(self._starts) > BYTES:
            if len(self._starts) == 1:
                self._starts.clear()
                return
            self._stride *= 2
            for known in list(self._starts):
                if (known - first) % self._stride:
                    del self._starts[known]

    def __call__(self, step: int) -> Value:
        """Return the cost of a step, from a copy of the model.

        Raises:
            ValueError: where it began isn't kept, or the model was changed from outside.
        """
        record = self.history.steps[step]
        before = [epoch for epoch in self._starts if epoch <= record.epoch]
        if not before:
            first = min(self._starts, default=None)
            raise ValueError(
                f"step {step} can't be replayed, as the beginnings of epochs take more than "
                f"nn.training.replay.BYTES, {BYTES:,}"
                if first is None
                else f"step {step} was made before the training was resumed: replay the steps "
                f"from epoch {first} on, or train anew"
            )
        twin = self.plan.of_a_copy()
        self._starts[max(before)].restore(twin)
        steps = self._steps(twin)
        order = Order(len(twin.samples), twin.batch_size, twin.seed)
        scales = self._scales(max(before), record.epoch)
        twin.model.train()
        for epoch in range(max(before), record.epoch + 1):
            twin.optimizer.learning_rate = self._rates[epoch]
            batches = order(epoch)
            last = record.batch if epoch == record.epoch else len(batches)
            if last:
                steps.learn(epoch, batches[:last], scales[epoch].__getitem__, lambda _: None)
        steps.sync()
        twin.optimizer.scale = record.scale
        twin.optimizer.zero_grad()
        cost = forward(twin, batches[record.batch])[2]
        apart = APART[self.plan.dtype]
        if not math.isclose(cost.data, record.loss, rel_tol=apart, abs_tol=apart):
            raise ValueError(
                f"step {step} can't be replayed: its loss was {record.loss:g}, and would be "
                f"{cost.data:g}; a callback has changed the model, or the data have changed"
            )
        return cost

    def _steps(self, plan: Plan) -> CompiledSteps | EagerSteps:
        """Return what computes the steps of a copy as those of the training were."""
        if self.backend == "eager":
            return EagerSteps(plan)
        return CompiledSteps(plan, exact=self.backend == "llvm, exact")

    def _scales(self, first: int, last: int) -> dict[int, list[float]]:
        """Return the schedule's factors in these epochs."""
        scales: dict[int, list[float]] = {}
        for record in self.history.steps:
            if first <= record.epoch <= last:
                scales.setdefault(record.epoch, []).append(record.scale)
        return scales
