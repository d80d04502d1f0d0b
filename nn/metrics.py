"""How good predictions are, in numbers that a person reads.

For two classes a prediction is a score or logit, and above 0 it means the label above 0; for
more, it is the list of all classes' logits, and the largest one means its class. Where the label
is a list as well, each output answers a question of two classes, and each answer counts.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence, Set
from typing import Any

from autograd import Value, quoted
from nn.arguments import count

Prediction = Value | float | Sequence[Value | float]


def predicted_class(prediction: Prediction, threshold: float = 0.0) -> int:
    """Return the class a prediction means: 0 or 1, or the place of the largest logit.

    >>> predicted_class(-0.3), predicted_class([0.1, 2.5, -1.0])
    (0, 1)
    """
    if isinstance(prediction, Sequence):
        return max(range(len(prediction)), key=lambda i: _float(prediction[i]))
    return int(_float(prediction) > threshold)


def accuracy(predictions: Any, labels: Sequence[Any], threshold: float = 0.0) -> float:
    """Return the share of predictions that are right.

    Args:
        predictions: scores or logits, as the losses take them; or NumPy's array of them.
        labels: 0 and 1, or -1 and 1; for lists of logits, the class.
        threshold: above which a score means the second of two classes.

    Raises:
        ValueError: the lengths differ, or are 0.

    >>> accuracy([2.5, -0.1, 0.3, 1.0], [1, 0, 0, 1])
    0.75
    """
    predictions, labels = _answers("accuracy", predictions, labels)
    if hasattr(predictions, "ndim"):
        if predictions.ndim == 2:
            return float((predictions.argmax(1) == labels).mean())
        return float(((predictions > threshold) == [label > 0 for label in labels]).mean())
    pairs = _pairs("accuracy", predictions, labels, threshold)
    return sum(guess == label for guess, label in pairs) / len(pairs)


def confusion_matrix(
    predictions: Sequence[Prediction],
    labels: Sequence[float],
    classes: int | None = None,
    threshold: float = 0.0,
) -> list[list[int]]:
    """Return how often each class (row) was taken for each class (column).

    >>> confusion_matrix([2.5, -0.1, 0.3, 1.0], [1, 0, 0, 1])
    [[1, 1], [0, 2]]
    """
    pairs = _pairs("confusion_matrix", predictions, labels, threshold)
    found = 1 + max(map(max, pairs))
    n = max(2, found) if classes is None else count("classes", classes)
    if found > n:
        raise ValueError(f"class {found - 1} occurs, but there are only {n} classes, from 0")
    counts = [[0] * n for _ in range(n)]
    for guess, label in pairs:
        counts[label][guess] += 1
    return counts


def precision(
    predictions: Sequence[Prediction],
    labels: Sequence[float],
    positive: int = 1,
    threshold: float = 0.0,
) -> float:
    """Return the share of right ones among those predicted ``positive``; 0.0 if there are none.

    >>> precision([2.5, -0.1, 0.3, 1.0], [1, 0, 0, 1])
    0.6666666666666666
    """
    pairs = _pairs("precision", predictions, labels, threshold)
    return _ratio([label == positive for guess, label in pairs if guess == positive])


def recall(
    predictions: Sequence[Prediction],
    labels: Sequence[float],
    positive: int = 1,
    threshold: float = 0.0,
) -> float:
    """Return the share of those labelled ``positive`` that were found; 0.0 if there are none.

    >>> recall([2.5, -0.1, -0.3, 1.0], [1, 0, 1, 1])
    0.6666666666666666
    """
    pairs = _pairs("recall", predictions, labels, threshold)
    return _ratio([guess == positive for guess, label in pairs if label == positive])


def r2(predictions: Sequence[Value | float], targets: Sequence[float]) -> float:
    """Return the coefficient of determination: 1 is perfect, 0 no better than the mean.

    NaN if all targets are equal, for then there is nothing to explain, or one is not finite.

    Raises:
        TypeError: a prediction is a list, as a classifier's logits.

    >>> r2([1.0, 2.0, 3.5], [1.0, 2.0, 3.0])
    0.875
    """
    guesses, goals = _numbers("r2", predictions, targets)
    if not all(map(math.isfinite, [*guesses, *goals])):
        return math.nan
    _, exponent = math.frexp(max(map(abs, [*guesses, *goals])))
    if abs(exponent) > 400:  # the squares would over- or underflow
        guesses, goals = ([math.ldexp(x, -exponent) for x in part] for part in (guesses, goals))
    centre = math.fsum(goals) / len(goals)
    left = math.fsum((p - t) ** 2 for p, t in zip(guesses, goals, strict=True))
    whole = math.fsum((t - centre) ** 2 for t in goals)
    return 1 - left / whole if whole else math.nan


def mean_absolute_error(predictions: Sequence[Value | float], targets: Sequence[float]) -> float:
    """Return by how much predictions are off, on average: in the unit of the targets.

    Raises:
        TypeError: a prediction is a list, as a classifier's logits.

    >>> mean_absolute_error([1.0, 2.5], [1.0, 2.0])
    0.25
    """
    guesses, goals = _numbers("mean_absolute_error", predictions, targets)
    n = len(goals)
    try:
        return math.fsum(abs(p / n - t / n) for p, t in zip(guesses, goals, strict=True))
    except OverflowError:
        return math.inf


def root_mean_squared_error(
    predictions: Sequence[Value | float], targets: Sequence[float]
) -> float:
    """Return the root of the mean squared error: in the unit of the targets, large errors first.

    Raises:
        TypeError: a prediction is a list, as a classifier's logits.

    >>> root_mean_squared_error([1.0, 2.0, 3.0, 4.0], [1.0, 2.0, 3.0, 6.0])
    1.0
    """
    guesses, goals = _numbers("root_mean_squared_error", predictions, targets)
    return math.hypot(*(p - t for p, t in zip(guesses, goals, strict=True))) / math.sqrt(len(goals))


def _numbers(
    name: str, predictions: Sequence[Value | float], targets: Sequence[float]
) -> tuple[list[float], list[float]]:
    """Return predictions and targets as floats."""
    _same_length(name, predictions, targets)
    for i, prediction in enumerate(predictions):
        if isinstance(prediction, Sequence):
            raise TypeError(
                f"{name} needs one number a sample: predictions[{i}] is {quoted(prediction)}"
            )
    return list(map(_float, predictions)), list(map(_float, targets))


def mean_of(numbers: Sequence[float]) -> float:
    """Return the mean, wherever it is a float: their sum may be none.

    >>> mean_of([1.5e308, 1.5e308])
    1.5e+308
    """
    try:
        return math.fsum(numbers) / len(numbers)
    except OverflowError:  # halves of them are added up exactly, and their sum is shared out
        size = len(numbers)
        return math.fsum(x / size for x in numbers)


THRESHOLDED = (accuracy, confusion_matrix, precision, recall)
"""The metrics that ask above which score a prediction means the second of two classes."""


def _pairs(
    name: str, predictions: Sequence[Prediction], labels: Sequence[float], threshold: float
) -> list[tuple[int, int]]:
    """Return predicted and true class of each sample."""
    pairs = []
    for prediction, label in zip(*_answers(name, predictions, labels), strict=True):
        several = isinstance(prediction, Sequence)
        if several and label not in range(len(prediction)):
            raise ValueError(
                f"{name} of {len(prediction)} classes needs labels from 0 to "
                f"{len(prediction) - 1}: got {label!r:.60}"
            )
        pairs.append(
            (predicted_class(prediction, threshold), int(label) if several else int(label > 0))
        )
    return pairs


def _answers(name: str, predictions: Any, labels: Any) -> tuple[Any, Any]:
    """Return predictions and labels, those of several questions of two classes one by one."""
    _same_length(name, predictions, labels)
    if not hasattr(next(iter(labels)), "__len__"):
        return predictions, labels
    return [x for outs in predictions for x in outs], [y for row in labels for y in row]


def _same_length(name: str, predictions: Sequence[Any], labels: Sequence[Any]) -> None:
    for given in (predictions, labels):
        if isinstance(given, str | Mapping | Set) or not hasattr(given, "__len__"):
            raise TypeError(
                f"{name} takes a list of predictions and one of labels: got {quoted(given)}"
            )
    if len(predictions) != len(labels) or not len(labels):
        raise ValueError(
            f"{name} needs as many predictions as labels, at least one: "
            f"got {len(predictions)} and {len(labels)}"
        )


def _ratio(right: list[bool]) -> float:
    return right.count(True) / len(right) if right else 0.0


def _float(x: Value | float) -> float:
    try:
        return x.data if isinstance(x, Value) else float(x)
    except (TypeError, ValueError, OverflowError):
        raise TypeError(f"predictions and targets are numbers: got {quoted(x)}") from None
