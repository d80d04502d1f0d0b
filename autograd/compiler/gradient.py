"""How value and gradient of many samples are computed: fast, or with every bit of the eager engine.

Both give, of a batch, the value, the gradient of the parameters, and what is of each sample: the
gradients of arguments, and the function's other outputs.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from functools import reduce as fold
from typing import Any

from autograd.compiler.arguments import Batch
from autograd.compiler.code import Code
from autograd.compiler.python import parted

Parts = tuple[Any, Any, list[Any]]
"""Value, gradient of the parameters, and what is of each sample."""

InOrder = Callable[[Sequence[Any]], list[Any]]
"""Brings what each of several batches gave, sample by sample, in the order of a call."""


class FastGradient:
    """Sums by machine code, or by a library; samples side by side."""

    def __init__(self, code: Code) -> None:
        self.code = code

    def of(self, batch: Batch, numbers: Any, scale: float) -> Parts:
        """Return what is of a batch.

        Args:
            scale: of value and gradients.
        """
        code = self.code
        sums, outputs = code.gradient(batch.arrays(), numbers, batch.n, scale)
        if not code.is_reduced:
            value, *rest = outputs
            return value, rest[0] if code.weights else None, rest[bool(code.weights) :]
        if scale != 1:
            for array in outputs[: len(code.moving)]:
                array *= scale
        return float(sums[0]), sums[1:], outputs

    def of_several(
        self,
        batches: Sequence[tuple[FastGradient, Batch]],
        numbers: Any,
        scale: float,
        in_order: InOrder,
    ) -> tuple[Any, Any, list[list[Any]]]:
        """Return what is of batches of several lengths; what is of each sample, batch by batch."""
        found = [one.of(batch, numbers, scale) for one, batch in batches]
        values, slopes, parts = (list(column) for column in zip(*found, strict=True))
        return float(fold(operator.add, values)), fold(operator.add, slopes), parts


class ExactGradient:
    """Sums contribution by contribution, in the order of the eager sweep over the whole batch."""

    def __init__(self, code: Code) -> None:
        self.code = code

    def of(self, batch: Batch, numbers: Any, scale: float) -> Parts:
        """Return what is of a batch.

        Args:
            scale: of value and gradients.
        """
        values, uses, moved = self._contributions(batch, numbers, scale)
        weights = self._added_up(uses, self._placed(batch))
        if not self.code.is_reduced:
            return values, weights, moved
        return self._total(values, scale), weights, moved

    def of_several(
        self,
        batches: Sequence[tuple[ExactGradient, Batch]],
        numbers: Any,
        scale: float,
        in_order: InOrder,
    ) -> tuple[Any, Any, list[list[Any]]]:
        """Return what is of batches of several lengths; what is of each sample, batch by batch."""
        found = [one._contributions(batch, numbers, scale) for one, batch in batches]
        values, uses, moved = (list(column) for column in zip(*found, strict=True))
        placed = in_order([one._placed(batch) for one, batch in batches])
        weights = self._added_up(in_order(uses), placed)
        return self._total(in_order(values), scale), weights, moved

    def _total(self, values: Sequence[Any], scale: float) -> float:
        """Return the reduced value."""
        # In the order of the eager sum, which has no start.
        total = float(fold(operator.add, values)) if len(values) else 0.0
        return total if scale == 1 else total / len(values)

    def _contributions(self, batch: Batch, numbers: Any, scale: float) -> tuple[Any, Any, Any]:
        """Return each sample's value, what it gives to each use of a parameter, and the rest."""
        if self.code.backend == "llvm":
            import numpy

            numbers = numpy.append(numbers, scale)
            _, (values, uses, *moved) = self.code.native_gradient(batch.arrays(), numbers, batch.n)
        else:
            rows = self.code.python_gradient(batch.rows(), [*numbers, scale])
            values, uses, *moved = parted(rows, self.code.parts())
        return values, uses, moved

    def _placed(self, batch: Batch) -> Any:
        """Return for each sample, and each use of a parameter, which parameter it is.

        The last place is for what is none; see `Uses`.
        """
        uses = self.code.uses
        chosen = uses.chosen
        rows = batch.rows() if chosen else []
        if self.code.backend == "python":
            return [uses.placed(row) for row in rows] if chosen else [uses.placed([])] * batch.n
        import numpy

        fixed = [0 if isinstance(place, tuple) else place for place in uses.places]
        places = numpy.tile(numpy.array(fixed, int), (batch.n, 1))
        for i, (index, table) in chosen.items():
            places[:, i] = numpy.array(table)[[int(row[index]) for row in rows]]
        return places

    def _added_up(self, uses: Any, places: Any) -> Any:
        """Return the contributions of all uses by parameter, added in the eager sweep's order.

        Args:
            places: as `_placed` has them.

        Source: the order of `Value.backward`, which meets the last sample first.
        """
        if self.code.backend == "llvm":
            import numpy

            if not self.code.is_reduced:
                each = numpy.zeros((len(uses), self.code.weights + 1))
                samples = numpy.arange(len(uses))
                for i in range(len(self.code.uses.places)):
                    each[samples, places[:, i]] += uses[:, i]
                return each[:, : self.code.weights]
            total = numpy.zeros(self.code.weights + 1)
            if isinstance(uses, list):  # of several lengths
                numpy.add.at(total, numpy.concatenate(places[::-1]), numpy.concatenate(uses[::-1]))
            else:
                numpy.add.at(total, places[::-1].ravel(), uses[::-1].ravel())
            return total[: self.code.weights]
        if not self.code.is_reduced:
            return [self._summed([row], [at]) for row, at in zip(uses, places, strict=True)]
        return self._summed(uses[::-1], places[::-1])

    def _summed(self, rows: Any, places: Any) -> list[float]:
        total = [0.0] * (self.code.weights + 1)
        for row, at in zip(rows, places, strict=True):
            for place, g in zip(at, row, strict=True):
                total[place] += g
        return total[: self.code.weights]
