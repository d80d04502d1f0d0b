"""The loss of one sample: ``loss(prediction, target)``, for floats and Values alike."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from autograd import Value, relu, softplus

T = TypeVar("T", float, Value)


def half_squared_error(prediction: T, target: float) -> T:
    """Return ½(a − y)², whose derivative is the error a − y.

    Source: Rumelhart, Hinton & Williams 1986, Learning representations by back-propagating
    errors, equation 3.

    >>> half_squared_error(3.0, 1.0)
    2.0
    """
    error = prediction - target
    return 0.5 * error * error


def binary_cross_entropy_with_logits(prediction: T, target: float) -> T:
    """Return −y log σ(z) − (1 − y) log(1 − σ(z)) of a logit z, written as softplus(z) − y z.

    Right for any finite logit; the absolute error is a few 1e-16 times max(1, \\|z\\|).

    Args:
        prediction: the logit z; σ(z) is the probability of label 1.
        target: the label y, 0 or 1.

    Source: Bishop 2006, Pattern Recognition and Machine Learning, equation 4.90.

    >>> binary_cross_entropy_with_logits(1e4, 0), binary_cross_entropy_with_logits(1e4, 1)
    (10000.0, 0.0)
    """
    return softplus(prediction) - target * prediction


def hinge(prediction: T, target: float) -> T:
    """Return max(0, 1 − t s) of a score s.

    Args:
        prediction: the score s; its sign is the predicted label.
        target: the label t, −1 or 1.

    Source: Cortes & Vapnik 1995, Support-vector networks, equations 5 and 6 (the slack ξ).

    >>> hinge(0.25, 1), hinge(0.25, -1), hinge(2.0, 1)
    (0.75, 1.25, 0.0)
    """
    return relu(1 - target * prediction)


LABELS: dict[Callable[..., object], tuple[float, float]] = {
    binary_cross_entropy_with_logits: (0.0, 1.0),
    hinge: (-1.0, 1.0),
}
"""The two labels of each loss for classification; a prediction above 0 means the second."""
