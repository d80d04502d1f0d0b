"""Metrics: two classes by a score, more by a list of logits, and R2."""

import math

import pytest

from autograd import Value
from nn import MLP, fit
from nn.losses import binary_cross_entropy_with_logits
from nn.metrics import (
    accuracy,
    confusion_matrix,
    mean_absolute_error,
    mean_of,
    precision,
    r2,
    recall,
)
from nn.optim import SGD

SCORES = [2.0, -1.0, 0.5, -0.5, 1.0, 3.0]
LABELS = [1, 0, 0, 1, 1, 1]
LOGITS = [[2.0, 0.0, 1.0], [0.0, 1.0, 3.0], [0.0, 5.0, 1.0], [1.0, 0.0, 0.5]]
CLASSES = [0, 2, 1, 2]


def test_two_classes() -> None:
    assert accuracy(SCORES, LABELS) == 4 / 6
    assert confusion_matrix(SCORES, LABELS) == [[1, 1], [1, 3]]
    assert precision(SCORES, LABELS) == 3 / 4
    assert recall(SCORES, LABELS) == 3 / 4
    assert precision(SCORES, LABELS, positive=0) == recall(SCORES, LABELS, positive=0) == 1 / 2


def test_several_classes() -> None:
    assert accuracy(LOGITS, CLASSES) == 3 / 4
    assert confusion_matrix(LOGITS, CLASSES) == [[1, 0, 0], [0, 1, 0], [1, 0, 1]]
    assert recall(LOGITS, CLASSES, positive=2) == 1 / 2
    assert precision(LOGITS, CLASSES, positive=0) == 1 / 2
    values = [[Value(x) for x in row] for row in LOGITS]
    assert accuracy(values, CLASSES) == 3 / 4


@pytest.mark.parametrize("low", [0, -1])
def test_accuracy_takes_the_sign_of_the_score(low: int) -> None:
    assert accuracy([0.5, -0.5, 0.0, Value(2.0)], [1, low, low, low]) == 0.75


def test_probabilities_have_their_threshold() -> None:
    assert accuracy([0.4, 0.6], [0, 1], threshold=0.5) == 1.0


def test_nothing_predicted_or_labelled_positive_is_zero() -> None:
    assert precision([-1.0], [1]) == 0.0
    assert recall([1.0], [0]) == 0.0


def test_classes_may_be_more_than_occur() -> None:
    assert confusion_matrix([[1.0, 0.0, 0.0]], [0], classes=3) == [[1, 0, 0], [0] * 3, [0] * 3]


def test_each_of_several_outputs_with_a_label_counts() -> None:
    scores, labels = [[1.0, -2.0], [3.0, 2.0]], [[1, 0], [0, 1]]
    assert accuracy(scores, labels) == 3 / 4
    assert confusion_matrix(scores, labels) == [[1, 1], [0, 2]]
    assert precision(scores, labels) == 2 / 3


@pytest.mark.parametrize("compile", [False, True])
def test_a_training_on_several_labels_counts_each(compile: bool) -> None:
    if compile:
        pytest.importorskip("llvmlite")
    model = MLP(1, [2], seed=0)
    data = [[-1.0], [1.0]], [[0, 1], [1, 0]]
    other = [[-0.5], [0.5]], data[1]
    loss = binary_cross_entropy_with_logits
    optimizer = SGD(model.parameters(), 1.0)
    history = fit(model, data, loss, optimizer, epochs=9, validation=other, compile=compile)
    assert history.accuracy[-1] == history.validation_accuracy[-1] == 1.0


def test_a_label_that_is_no_class_is_named() -> None:
    with pytest.raises(ValueError, match="recall of 3 classes needs labels from 0 to 2: got -1"):
        recall(LOGITS, [-1, 2, 1, 2])
    with pytest.raises(ValueError, match="class 2 occurs, but there are only 2 classes"):
        confusion_matrix(LOGITS, CLASSES, classes=2)


def test_r2() -> None:
    assert r2([1.0, 2.0, 3.0], [1.0, 2.0, 3.0]) == 1.0
    assert r2([2.0, 2.0, 2.0], [1.0, 2.0, 3.0]) == 0.0
    assert r2([Value(3.0), 2.0, 1.0], [1.0, 2.0, 3.0]) == -3.0
    assert math.isnan(r2([1.0], [1.0]))
    assert math.isnan(r2([math.inf, 1e308, -1e308], [1e308, 0.0, 1.0]))


def test_of_nothing_or_of_other_lengths_is_an_error() -> None:
    for metric in (accuracy, confusion_matrix, precision, recall, r2):
        with pytest.raises(ValueError, match=rf"{metric.__name__} needs.*got 0 and 0"):
            metric([], [])
        with pytest.raises(ValueError, match=rf"{metric.__name__} needs.*got 1 and 2"):
            metric([1.0], [0, 1])


def test_r2_of_logits_is_refused() -> None:
    with pytest.raises(TypeError, match=r"one number a sample: predictions\[0\] is \[1\.0, 2\.0\]"):
        r2([[1.0, 2.0]], [1])  # type: ignore[list-item]


@pytest.mark.parametrize("exponent", [0, 600, 1020, -600, -1000])
def test_r2_is_the_same_at_every_scale(exponent: int) -> None:
    guesses, goals = [1.0, 2.0, 3.5], [1.0, 2.0, 3.0]
    scaled = ([math.ldexp(x, exponent) for x in part] for part in (guesses, goals))
    assert r2(*scaled) == 0.875


def test_a_mean_of_large_numbers() -> None:
    assert mean_of([1.7e308] * 7) == pytest.approx(1.7e308, rel=1e-15)
    assert mean_absolute_error([1.7e308, 1.7e308], [-1e308, 0.0]) == math.inf
    assert mean_absolute_error([1.7e308, 0.0], [-1e308, 0.0]) == pytest.approx(1.35e308)
    assert mean_of([1.7e308, -1.7e308, 1e308, 1e308]) == pytest.approx(5e307, rel=1e-15)
    assert mean_of([0.1, 0.2, 0.4]) == math.fsum([0.1, 0.2, 0.4]) / 3
