"""`Order`: in which order, and which mini-batches, an epoch goes through the data."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from nn.data import batches


class Order:
    """Gives an epoch's mini-batches as places in the samples: ``order(epoch)``, from 1.

    Args:
        samples, batch_size, seed: as for `nn.data.batches`.

    >>> order = Order(3, 2, seed=0)
    >>> order(2) == list(islice(batches(3, 2, seed=0), 1, 2))[0]
    True
    """

    def __init__(self, samples: int, batch_size: int, seed: int) -> None:
        self._arguments = samples, batch_size, seed
        self._every: Iterator[list[list[int]]] = iter(())
        self._last = -1

    def __call__(self, epoch: int) -> list[list[int]]:
        """Cost: constant for the epoch after the last one asked for; else all epochs before."""
        if epoch != self._last + 1:
            self._every = islice(batches(*self._arguments), epoch - 1, None)
        self._last = epoch
        return next(self._every)
