"""`Learnt`: what an epoch's steps left behind, as arrays."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple, Self

from nn.training.answers import Answered
from nn.units import FLAT, Unit


class Learnt(NamedTuple):
    """What an epoch's steps left behind, as arrays.

    Attributes:
        costs, rates, scales: of each step.
        losses, predictions, targets: of each sample, at the moment it was learnt from.
        answers: likewise, those of units: the units, and a row for each of some samples.
        gradients: each step's, before clipping, in rows; the next epoch reuses their memory.
        weights: before each step, in rows, and after the last one; likewise.
    """

    costs: list[float]
    rates: list[float]
    scales: list[float]
    losses: Any
    predictions: Any
    answers: list[Answered]
    targets: Any
    gradients: Any
    weights: Any

    def only(self, end: int) -> Learnt:
        """Return this, of steps in one go, without what was made ready for more samples.

        Args:
            end: how many were learnt from.
        """
        return self._replace(
            losses=self.losses[:end],
            predictions=self.predictions[:end],
            answers=[(units, rows[:end]) for units, rows in self.answers],
            targets=self.targets[:end],
        )

    def before(self, begin: int, rest: Self) -> Learnt:
        """Return this, of an epoch's first steps, with what the rest of them left behind.

        Args:
            begin: from which sample on the rest has learnt.
        """
        from numpy import concatenate

        first = self.only(begin)
        return Learnt(
            self.costs + rest.costs,
            self.rates + rest.rates,
            self.scales + rest.scales,
            concatenate([first.losses, rest.losses]),
            concatenate([first.predictions, rest.predictions]),
            first.answers + rest.answers,
            self.targets,
            concatenate([self.gradients, rest.gradients]),
            concatenate([self.weights[:-1], rest.weights]),
        )

    def units(self) -> Iterator[tuple[Unit, int, int]]:
        """Yield the units, how many answers each gave, and how many of them of its flat side.

        A unit that answers a sample several times comes as often.
        """
        import numpy

        groups: dict[int, tuple[list[Unit], list[Any]]] = {}
        for units, rows in self.answers:
            groups.setdefault(id(units), (units, []))[1].append(rows)
        for units, parts in groups.values():
            answers = numpy.concatenate(parts)
            flat = {op: is_flat(answers).sum(axis=0).tolist() for op, is_flat in FLAT.items()}
            for i, unit in enumerate(units):
                yield unit, len(answers), flat[unit[1]][i]
