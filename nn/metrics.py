"""How good predictions are, in numbers that a person reads."""

from __future__ import annotations

from collections.abc import Sequence

from autograd import Value


def accuracy(predictions: Sequence[Value | float], labels: Sequence[float]) -> float:
    """Return the share of predictions on the right side of 0: above it for a label above 0.

    Args:
        predictions: scores or logits, as `nn.losses.hinge` and
            `nn.losses.binary_cross_entropy_with_logits` take them.
        labels: 0 and 1, or -1 and 1.

    Raises:
        ValueError: the lengths differ, or are 0.

    >>> accuracy([2.5, -0.1, 0.3, 1.0], [1, 0, 0, 1])
    0.75
    """
    if len(predictions) != len(labels) or not labels:
        raise ValueError(
            "accuracy needs as many predictions as labels, at least one: "
            f"got {len(predictions)} and {len(labels)}"
        )
    right = [(p > 0) == (label > 0) for p, label in zip(predictions, labels, strict=True)]
    return right.count(True) / len(right)
