"""`Rows`: arrays with a number for each parameter, a row a step, and layers' norms in them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from autograd import Value


class Rows:
    """Where each layer's parameters are in a row.

    Args:
        parameters: of which a row has the numbers, in order.
        groups: the layers' parameters; those not in a row don't count.
        exact: norms with every bit as in the eager engine.
    """

    def __init__(
        self, parameters: Sequence[Value], groups: Sequence[Sequence[Value]], *, exact: bool
    ) -> None:
        import numpy

        self.numpy = numpy
        self.exact = exact
        place = {leaf: i for i, leaf in enumerate(parameters)}
        self.places = [
            _places([place[leaf] for leaf in group if leaf in place]) for group in groups
        ]
        self._ways = numpy.empty((0, 0))

    def norms(self, rows: Any) -> Any:
        """Return the norm of each layer's part of each row."""
        numpy = self.numpy
        norms = numpy.empty((len(rows), len(self.places)))
        parts = [rows[:, places] for places in self.places]
        with numpy.errstate(all="ignore"):
            for k, part in enumerate(parts):
                # Each row with itself, in a third of the time that einsum takes.
                norms[:, k] = numpy.matmul(part[:, None], part[..., None])[:, 0, 0]
            numpy.sqrt(norms, out=norms)
            # A square over- or underflows long before a norm does.
            least, most = (1e-140, 1e140) if rows.dtype == float else (1e-15, 1e18)
            doubtful = ~((norms > least) & (norms < most)) | self.exact
        for i, k in zip(*doubtful.nonzero(), strict=True):
            norms[i, k] = math.hypot(*parts[k][i])
        return norms

    def ways(self, rows: Any) -> Any:
        """Return how far each number goes from row to row; the next call reuses the memory."""
        shape = len(rows) - 1, rows.shape[1]
        if self._ways.shape != shape:
            self._ways = self.numpy.empty(shape)
        return self.numpy.subtract(rows[1:], rows[:-1], out=self._ways)


def _places(found: list[int]) -> Any:
    """Return places as a slice, if they are side by side."""
    begin = found[0] if found else 0
    is_whole = found == list(range(begin, begin + len(found)))
    return slice(begin, begin + len(found)) if is_whole else found
