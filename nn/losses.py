"""Losses: of one sample, ``loss(prediction, target)``, and the cost over a data set.

A *loss* is of one sample; the *cost* is its mean over a data set or a batch, and what training
descends. Predictions are floats or Values; for a model of several outputs, lists of them, whose
losses add up. `cross_entropy` takes the list of all classes' logits.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial, wraps
from typing import Any, TypeVar

from autograd import (
    Value,
    abs,
    log,
    logsumexp,
    maximum,
    mean,
    quoted,
    relu,
    softplus,
    sum,
    take,
    where,
)
from nn.arguments import number, share

T = TypeVar("T", float, Value)
Loss = Callable[..., Any]

LEAST_PROBABILITY = math.exp(-100)
"""Probabilities below count as this in a logarithm, so that no loss exceeds 100 (as PyTorch)."""


def _summed(loss: Callable[..., Any]) -> Callable[..., Any]:
    """Return ``loss`` such that it also takes lists, whose losses it adds up."""

    @wraps(loss)
    def over(prediction: Any, target: Any, *args: Any, **kwargs: Any) -> Any:
        if not isinstance(prediction, list | tuple):
            return loss(prediction, target, *args, **kwargs)
        if not hasattr(target, "__len__") or len(target) != len(prediction):
            raise ValueError(
                f"{loss.__name__} needs as many targets as outputs: {len(prediction)} outputs, "
                f"targets {target!r:.60}"
            )
        return sum(loss(p, t, *args, **kwargs) for p, t in zip(prediction, target, strict=True))

    return over


@_summed
def half_squared_error(prediction: T, target: float) -> T:
    """Return ½(a − y)², whose derivative is the error a − y.

    Source: Rumelhart, Hinton & Williams 1986, Learning representations by back-propagating
    errors, equation 3.

    >>> half_squared_error(3.0, 1.0), half_squared_error([3.0, 1.0], [1.0, 0.0])
    (2.0, 2.5)
    """
    error = prediction - target
    return 0.5 * error * error


@_summed
def squared_error(prediction: T, target: float) -> T:
    """Return (a − y)²; its mean over a data set is the `mean_squared_error`.

    Source: Gauss 1809, Theoria motus, section 179; Bishop 2006, equation 1.2 (there halved).
    """
    error = prediction - target
    return error * error


@_summed
def absolute_error(prediction: T, target: float) -> T:
    """Return |a − y|, with derivative 0 at its kink.

    Source: Boscovich 1757; Hastie, Tibshirani & Friedman 2009, The Elements of Statistical
    Learning, section 10.6.
    """
    return abs(prediction - target)


@_summed
def huber(prediction: T, target: float, delta: float = 1.0) -> T:
    """Return ½ e² for an error |e| up to ``delta``, and delta (|e| − ½ delta) beyond.

    Source: Huber 1964, Robust estimation of a location parameter, section 1.

    >>> huber(0.5, 0.0), huber(3.0, 0.0)
    (0.125, 2.5)
    """
    number("delta", delta, positive=True)
    size = abs(prediction - target)
    return where(size - delta, delta * (size - 0.5 * delta), 0.5 * size * size)


@_summed
def binary_cross_entropy(prediction: T, target: float) -> T:
    """Return −y log p − (1 − y) log(1 − p) of a probability p; at most 100.

    A sigmoid rounds to 1 for logits above 37, and its gradient is lost: where there is a logit,
    `binary_cross_entropy_with_logits` is right.

    Args:
        prediction: the probability p of label 1.
        target: the label y, from 0 to 1.

    Source: Bishop 2006, Pattern Recognition and Machine Learning, equation 4.90; the bound,
    PyTorch's ``BCELoss``.

    >>> binary_cross_entropy(0.5, 1), binary_cross_entropy(0.0, 1)
    (0.6931471805599453, 100.0)
    """
    # A term whose weight is 0 is left out: 0 times the bounded log would still cost a node.
    if target == 1:
        return -log(maximum(prediction, LEAST_PROBABILITY))
    if target == 0:
        return -log(maximum(1 - prediction, LEAST_PROBABILITY))
    return -target * log(maximum(prediction, LEAST_PROBABILITY)) - (1 - target) * log(
        maximum(1 - prediction, LEAST_PROBABILITY)
    )


@_summed
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


def cross_entropy(prediction: Sequence[Any], target: float, smoothing: float = 0.0) -> Any:
    """Return −log softmax(z)[y] of the logits z of all classes, written as logsumexp(z) − z[y].

    Right for any finite logits. With smoothing s, the target is no longer class y for certain
    but 1 − s of it and s spread evenly over all K classes: logsumexp(z) − Σ q z with
    q = s / K, and 1 − s more for y.

    Args:
        prediction: one logit for each class.
        target: the class y, a whole number from 0, or a Value given one.
        smoothing: s; to train with it, pass ``functools.partial(cross_entropy, smoothing=s)``.

    Source: Bishop 2006, equation 4.108; the smoothing, Szegedy et al. 2016, Rethinking the
    Inception architecture, section 7.

    >>> cross_entropy([1e4, 0.0, 0.0], 0), cross_entropy([1e4, 0.0, 0.0], 2)
    (0.0, 10000.0)
    """
    if not isinstance(prediction, Sequence) or isinstance(prediction, str):
        raise TypeError(
            f"cross_entropy takes a list of one logit for each class: got {quoted(prediction)}"
        )
    if isinstance(target, Value) or target in range(len(prediction)):
        hit = take(prediction, target)
    elif isinstance(target, Sequence) and any(isinstance(z, Sequence) for z in prediction):
        raise ValueError(
            "cross_entropy is of one sample: the mean over several is "
            "nn.losses.cost(cross_entropy, predictions, targets)"
        )
    elif isinstance(target, Sequence):
        raise ValueError(
            "cross_entropy takes the number of the class, from 0 to "
            f"{len(prediction) - 1}: got {quoted(target)}; of a row with a single 1, its place: "
            "row.index(1)"
        )
    else:
        raise ValueError(
            f"cross_entropy of {len(prediction)} classes needs a label from 0 to "
            f"{len(prediction) - 1}: got {quoted(target)}"
        )
    if not share("smoothing", smoothing):
        return logsumexp(prediction) - hit
    expected = (1 - smoothing) * hit + smoothing * mean(prediction)
    return logsumexp(prediction) - expected


@_summed
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


def cost(loss: Loss, predictions: Sequence[Any], targets: Sequence[Any]) -> Any:
    """Return the mean of a sample's ``loss`` over a data set: what training descends.

    Raises:
        ValueError: there are no samples, or not as many predictions as targets.

    >>> cost(half_squared_error, [1.0, 3.0], [0.0, 1.0])
    1.25
    """
    if not hasattr(predictions, "__len__"):
        raise TypeError(
            f"cost takes lists of predictions and of targets: got {quoted(predictions)}; the loss "
            f"of one sample, as fit takes it, is {getattr(loss, '__name__', 'the function itself')}"
        )
    if len(predictions) != len(targets) or not len(targets):
        raise ValueError(
            "cost needs as many predictions as targets, at least one: "
            f"got {len(predictions)} and {len(targets)}"
        )
    return mean(loss(p, t) for p, t in zip(predictions, targets, strict=True))


def mean_squared_error(predictions: Sequence[Any], targets: Sequence[Any]) -> Any:
    """Return the MSE over a data set, 1/n Σ (a − y)²."""
    return cost(squared_error, predictions, targets)


def mean_absolute_error(predictions: Sequence[Any], targets: Sequence[Any]) -> Any:
    """Return the MAE over a data set, 1/n Σ |a − y|."""
    return cost(absolute_error, predictions, targets)


LABELS: dict[Loss, tuple[float, float]] = {
    binary_cross_entropy: (0.0, 1.0),
    binary_cross_entropy_with_logits: (0.0, 1.0),
    hinge: (-1.0, 1.0),
}
"""The two labels of each loss for two classes."""


def bare(loss: Loss) -> Loss:
    """Return the function inside a ``functools.partial``, or the loss itself."""
    return loss.func if isinstance(loss, partial) else loss


def labels_of(loss: Loss) -> tuple[float, float] | None:
    """Return the two labels of a loss for two classes; None for another."""
    return next((labels for known, labels in LABELS.items() if known is bare(loss)), None)


def is_classification(loss: Loss) -> bool:
    """Return whether predictions under this loss are right or wrong."""
    return bare(loss) is cross_entropy or labels_of(loss) is not None


def threshold(loss: Loss) -> float:
    """Return above which prediction a loss of two classes means the second one."""
    return 0.5 if bare(loss) is binary_cross_entropy else 0.0
