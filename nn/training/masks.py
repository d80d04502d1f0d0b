"""`Masks`: what the dropouts of a model are given in code that draws no numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

from nn.filters import Dropout
from nn.module import Module
from nn.training.dataset import Dataset


class Masks:
    """The masks of a model's dropouts, as arguments.

    Args:
        model: in training.
        dropouts: the model's.
        samples: of which one is tried out, to see which dropouts it passes.
    """

    def __init__(self, model: Module, dropouts: Sequence[Dropout], samples: Dataset) -> None:
        self.dropouts = dropouts
        self._drawing = self._which_draw()
        self.calls: list[tuple[Dropout, int]] = []
        if dropouts:

            def draw(dropout: Dropout, n: int) -> list[float]:
                self.calls.append((dropout, n))
                return [1.0] * n

            with _drawing(dropouts, draw):
                model(samples[0][0])

    def _which_draw(self) -> list[bool]:
        return [dropout.rate > 0 for dropout in self.dropouts]

    def are_current(self) -> bool:
        """Return whether the same dropouts draw as when it was made."""
        return self._drawing == self._which_draw()

    def examples(self) -> list[list[float]]:
        """Return a mask for each call of a dropout, in order."""
        return [[1.0] * n for _, n in self.calls]

    def arrays(self, samples: int) -> list[Any]:
        """Return the next masks of so many samples, drawn sample by sample."""
        if not self.calls:
            return []
        import numpy

        masks = [numpy.empty((samples, size)) for _, size in self.calls]
        for i in range(samples):
            for mask, (dropout, size) in zip(masks, self.calls, strict=True):
                mask[i] = dropout.mask(size)
        return masks

    def drawn(self) -> list[int]:
        """Return how many masks each dropout has drawn."""
        return [dropout.masks for dropout in self.dropouts]

    def restore(self, drawn: Sequence[int]) -> None:
        """Take the dropouts back to where they had drawn so many."""
        for dropout, masks in zip(self.dropouts, drawn, strict=True):
            dropout.masks = masks

    @contextmanager
    def given(self, masks: Sequence[Any]) -> Iterator[None]:
        """Let the dropouts take these masks, one after the other."""
        left = iter(masks)
        with _drawing(self.dropouts, lambda _, n: next(left)):
            yield


@contextmanager
def _drawing(dropouts: Sequence[Dropout], draw: Callable[[Dropout, int], Any]) -> Iterator[None]:
    """Let the dropouts take their masks from ``draw``."""
    for dropout in dropouts:
        vars(dropout)["mask"] = partial(draw, dropout)
    try:
        yield
    finally:
        for dropout in dropouts:
            del vars(dropout)["mask"]
