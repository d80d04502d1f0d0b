"""What becomes of a sample, as code records it; and many of them, as arrays."""

from __future__ import annotations

from collections.abc import Callable
from itertools import starmap
from struct import Struct
from typing import Any

from nn.training.dataset import Dataset
from nn.training.masks import Masks
from nn.units import units_below

Model = Callable[[Any], Any]
Loss = Callable[[Any, Any], Any]


def sample_loss(model: Model, loss: Loss, masks: Masks) -> Callable[..., tuple[Any, ...]]:
    """Return the loss of a sample twice, the answer, and the answers of its units.

    It holds nothing of the training's, whose state would be looked at in every call, and leaves
    nothing behind: what it records is kept for the next process.
    """

    def of_sample(x: Any, target: Any, *given: Any) -> tuple[Any, ...]:
        with masks.given(given):
            out = model(x)
        term = loss(out, target)
        return term, term, out, units_below(term)

    of_sample.__wrapped__ = loss  # type: ignore[attr-defined]  # what messages name
    return of_sample


def sample_evaluation(model: Model, loss: Loss) -> Callable[[Any, Any], tuple[Any, Any]]:
    """Return the loss of a sample and the answer, by the model as it is used."""

    def evaluate(x: Any, target: Any) -> tuple[Any, Any]:
        out = model(x)
        return loss(out, target), out

    return evaluate


def arrays_of(samples: Dataset) -> tuple[Any, Any]:
    """Return inputs and targets, which are of one length, as arrays."""
    import numpy

    width = len(samples.inputs[0])
    # Three times as fast as to make the array of the lists.
    packed = b"".join(starmap(Struct(f"{width}d").pack, samples.inputs))
    inputs = numpy.frombuffer(packed).reshape(len(samples), width)
    return inputs, numpy.array(samples.targets, dtype=float)
