"""`Learnt`: what an epoch's steps left behind, as arrays."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple, Self

from nn.units import FLAT, Unit


class Learnt(NamedTuple):
    """What an epoch's steps left behind, as arrays.

    Attributes:
        costs, rates, scales: of each step.
        losses, predictions, units, targets: of each sample, at the moment it was learnt from.
        gradients: each step's, before clipping, in rows; the next epoch reuses their memory.
        weights: before each step, in rows, and after the last one; likewise.
    """

    costs: list[float]
    rates: list[float]
    scales: list[float]
    losses: Any
    predictions: Any
    units: Any
    targets: Any
    gradients: Any
    weights: Any

    def only(self, end: int) -> Learnt:
        """Return this without what was made ready for more samples than were learnt from.

        Args:
            end: how many these were.
        """
        return self._replace(
            losses=self.losses[:end],
            predictions=self.predictions[:end],
            units=self.units[:end],
            targets=self.targets[:end],
        )

    def before(self, begin: int, rest: Self) -> Learnt:
        """Return this, of an epoch's first steps, with what the rest of them left behind.

        Args:
            begin: from which sample on the rest has learnt.
        """
        from numpy import concatenate

        return Learnt(
            self.costs + rest.costs,
            self.rates + rest.rates,
            self.scales + rest.scales,
            concatenate([self.losses[:begin], rest.losses]),
            concatenate([self.predictions[:begin], rest.predictions]),
            concatenate([self.units[:begin], rest.units]),
            self.targets,
            concatenate([self.gradients, rest.gradients]),
            concatenate([self.weights[:-1], rest.weights]),
        )

    def answers(self, watched: Mapping[int, Sequence[Unit]]) -> Iterator[tuple[Unit, int, int]]:
        """Yield the units, how many answers each gave, and how many of them of its flat side.

        A unit that answers a sample several times comes as often.

        Args:
            watched: the units, by how many answers a sample has.
        """
        import numpy

        groups: dict[int, Any] = {}
        if isinstance(self.units, list):  # of samples of different lengths
            for row in self.units:
                groups.setdefault(len(row), []).append(row)
        else:
            groups[self.units.shape[1]] = self.units
        for size, rows in groups.items():
            units = numpy.array(rows).reshape(len(rows), size)
            flat = {op: is_flat(units).sum(axis=0).tolist() for op, is_flat in FLAT.items()}
            for i, unit in enumerate(watched[size]):
                yield unit, len(rows), flat[unit[1]][i]
