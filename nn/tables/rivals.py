"""What is to be beaten: the most frequent class or the mean, and a linear model."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

from autograd import missing_extra


def baselines(
    learnt: tuple[Any, Sequence[float]], asked: Any, classes: int
) -> dict[str, list[Any]]:
    """Return by name what simple models, having learnt from the same rows, say of others.

    Args:
        learnt: inputs, standardised, and targets.
        asked: inputs of the other rows.
        classes: how many there are; 0 if the targets are numbers.

    Returns:
        Answers like a network's: numbers, or logits above 0 for the second of two classes, or
        one for each class.
    """
    try:
        import numpy
        from sklearn.linear_model import LogisticRegression, Ridge
    except ImportError as error:
        missing_extra("scikit-learn", "data", error)
    inputs, targets = numpy.asarray(learnt[0]), numpy.asarray(learnt[1])
    asked = numpy.asarray(asked)
    if not classes:
        linear = Ridge().fit(inputs, targets).predict(asked)
        return {"linear model": linear.tolist(), "mean": [float(targets.mean())] * len(asked)}
    counts = numpy.bincount(targets.astype(int), minlength=classes)
    usual: Any = (counts == counts.max()).astype(float)
    usual[int(counts.argmax())] += 1  # the first of those that are as frequent
    found = numpy.unique(targets).astype(int)
    logits = numpy.full((len(asked), classes), -1e9)
    if len(found) > 1:
        with warnings.catch_warnings(action="ignore"):  # it needn't converge to the last digit
            model = LogisticRegression(max_iter=300).fit(inputs, targets)
        scores = model.decision_function(asked)
        if scores.ndim == 1:
            scores = numpy.column_stack([-scores / 2, scores / 2])
        logits[:, found] = scores
    else:
        logits[:, found] = 0.0
    if classes == 2:
        odds = (logits[:, 1] - logits[:, 0]).tolist()
        return {
            "linear model": odds,
            "most frequent class": [float(usual[1] - usual[0])] * len(asked),
        }
    return {"linear model": logits.tolist(), "most frequent class": [usual.tolist()] * len(asked)}
