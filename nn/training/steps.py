"""Training steps, one after the other: forward, backward, clipping, update."""

from __future__ import annotations

import math
from array import array
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from autograd import Value, mean, no_grad
from nn.clip import clip_grad_norm
from nn.history import StepRecord, layers_of
from nn.hygiene import Hygiene, moves, norms, not_finite
from nn.prediction import numbers_of
from nn.training.dataset import Dataset
from nn.training.plan import Plan

Factor = Callable[[int], float]
"""Gives the schedule's factor of a step, by its place in the epoch."""

Tell = Callable[[int], None]
"""Is told how many steps of the epoch have been made."""


class Epoch(NamedTuple):
    """What the steps of an epoch left behind.

    Attributes:
        records: of each step.
        losses, predictions, targets: of each sample, at the moment it was learnt from.
    """

    records: list[StepRecord]
    losses: list[float]
    predictions: Any
    targets: Any

    def before(self, rest: Epoch) -> Epoch:
        """Return these first steps with the rest of them, whose batches are counted from 0."""
        made = len(self.records)
        later = [record._replace(batch=made + record.batch) for record in rest.records]
        return Epoch(
            self.records + later,
            self.losses + rest.losses,
            [*map(numbers_of, self.predictions), *rest.predictions],
            [*map(numbers_of, self.targets), *rest.targets],
        )


class Start(NamedTuple):
    """What a training is at between two steps, in little memory.

    Attributes:
        weights: of the optimiser's parameters.
        optimizer: its state, with arrays for lists.
        masks: how many each dropout has drawn.
    """

    weights: array[float]
    optimizer: dict[str, Any]
    masks: list[int]

    @property
    def size(self) -> int:
        """How many bytes the numbers take."""
        columns = [x for x in self.optimizer.values() if isinstance(x, array)]
        return sum(8 * len(column) for column in (self.weights, *columns))

    def restore(self, plan: Plan) -> None:
        """Take model and optimizer of the plan back to here."""
        plan.optimizer.load_state_dict(self.optimizer)
        for leaf, weight in zip(plan.optimizer.parameters, self.weights, strict=True):
            leaf.data = weight
        for dropout, masks in zip(plan.dropouts, self.masks, strict=True):
            dropout.masks = masks


class EagerSteps:
    """The steps of one training, in the eager engine.

    Attributes:
        name: as a history names them.
        hygiene: is shown every step, if somebody watches.
    """

    name = "eager"

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.hygiene: Hygiene | None = None
        self.dropouts = plan.dropouts
        self.layers = list(layers_of(plan.model).values())

    def learn(
        self, epoch: int, order: Sequence[Sequence[int]], factor: Factor, tell: Tell
    ) -> Epoch:
        """Learn from mini-batches one after the other; each step wholly or not at all.

        Args:
            order: the places in the samples, batch by batch.
        """
        done = Epoch([], [], [], [])
        # A callback may have given the model, or the optimizer, other parameters.
        held = set(self.plan.optimizer.parameters)
        self.groups = [[leaf for leaf in group if leaf in held] for group in self.layers]
        self.others = [p for p in self.plan.model.named_parameters().values() if p not in held]
        for i, places in enumerate(order):
            tell(i)
            self.plan.optimizer.scale = factor(i)
            outs, terms, record = self._step(epoch, i, places)
            done.records.append(record)
            done.losses.extend(term.data for term in terms)
            done.predictions.extend(map(numbers_of, outs))
            done.targets.extend(self.plan.samples.targets[place] for place in places)
        return done

    def evaluate(self, samples: Dataset) -> tuple[list[float], list[Any]]:
        """Return loss and prediction of each sample, by the model as it is used."""
        with no_grad():
            outs = [self.plan.model(inputs) for inputs, _ in samples]
            pairs = zip(outs, samples, strict=True)
            terms = [self.plan.loss(out, target) for out, (_, target) in pairs]
            return list(map(numbers_of, terms)), list(map(numbers_of, outs))

    def start(self) -> Start:
        """Return where the training is."""
        optimizer = self.plan.optimizer
        state = {
            name: array("d", x) if name in optimizer.remembers else x
            for name, x in optimizer.state_dict().items()
        }
        weights = array("d", [leaf.data for leaf in optimizer.parameters])
        return Start(weights, state, [dropout.masks for dropout in self.dropouts])

    def sync(self) -> None:
        """Bring the model to where the training is: it is there."""

    def _step(
        self, epoch: int, place: int, places: Sequence[int]
    ) -> tuple[list[Any], list[Value], StepRecord]:
        """Return a batch's predictions, its losses, and the record of the step."""
        optimizer, clip = self.plan.optimizer, self.plan.clip
        before = {leaf: leaf.data for leaf in optimizer.parameters}
        memory, steps = optimizer.memory, optimizer.steps
        masks = [dropout.masks for dropout in self.dropouts]
        kept = [leaf.grad for leaf in self.others]
        try:
            outs, terms, cost = forward(self.plan, places)
            rate = optimizer.learning_rate * optimizer.scale
            if not math.isfinite(cost.data):
                raise not_finite(cost.data, rate, lambda: forward(self.plan, places))
            optimizer.zero_grad()
            if self.hygiene:
                self.hygiene.before_backward()
                self.hygiene.watch(cost)
            cost.backward()
            for leaf, grad in zip(self.others, kept, strict=True):
                leaf.grad = grad
            gradients = norms(self.groups)
            if callable(clip):
                clip(optimizer.parameters)
            elif clip is not None:
                clip_grad_norm(optimizer.parameters, clip)
            optimizer.step()
        except BaseException:
            for leaf, weight in before.items():
                leaf.data = weight
            optimizer.memory, optimizer.steps = memory, steps
            for dropout, drawn in zip(self.dropouts, masks, strict=True):
                dropout.masks = drawn
            raise
        updates = moves(self.groups, before)
        record = StepRecord(epoch, place, cost.data, rate, optimizer.scale, gradients, updates)
        return outs, terms, record


def forward(plan: Plan, places: Sequence[int]) -> tuple[list[Any], list[Value], Value]:
    """Return predictions, losses and cost of one batch."""
    batch = [plan.samples[place] for place in places]
    outs = [plan.model(inputs) for inputs, _ in batch]
    terms = [plan.loss(out, target) for out, (_, target) in zip(outs, batch, strict=True)]
    return outs, terms, mean(terms)
