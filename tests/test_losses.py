"""Losses: values, slopes, extremes; the loss of a sample and the cost over a data set."""

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from autograd import Value, gradcheck
from nn.losses import (
    absolute_error,
    binary_cross_entropy,
    binary_cross_entropy_with_logits,
    cost,
    cross_entropy,
    half_squared_error,
    hinge,
    huber,
    mean_absolute_error,
    mean_squared_error,
    squared_error,
)


def slope(loss: Callable[..., Any], prediction: float, *rest: Any) -> float:
    leaf = Value(prediction)
    loss(leaf, *rest).backward()
    return leaf.grad


@pytest.mark.parametrize(
    ("loss", "prediction", "target", "value", "derivative"),
    [
        (half_squared_error, 3.0, 1.0, 2.0, 2.0),
        (squared_error, 3.0, 1.0, 4.0, 4.0),
        (absolute_error, 3.0, 1.0, 2.0, 1.0),
        (absolute_error, 0.0, 1.0, 1.0, -1.0),
        (absolute_error, 1.0, 1.0, 0.0, 0.0),
        (huber, 0.5, 0.0, 0.125, 0.5),
        (huber, -3.0, 0.0, 2.5, -1.0),
        (huber, 1.0, 0.0, 0.5, 1.0),
        (partial(huber, delta=2.0), 5.0, 0.0, 8.0, 2.0),
        (hinge, 0.25, 1, 0.75, -1.0),
        (hinge, 0.25, -1, 1.25, 1.0),
        (hinge, 1.0, 1, 0.0, 0.0),
        (hinge, 3.0, 1, 0.0, 0.0),
        (binary_cross_entropy, 0.25, 1, math.log(4), -4.0),
        (binary_cross_entropy, 0.25, 0, -math.log(0.75), 1 / 0.75),
    ],
)
def test_values_and_slopes(
    loss: Callable[..., Any], prediction: float, target: float, value: float, derivative: float
) -> None:
    # A handful of roundings of 1.1e-16, relative.
    assert loss(prediction, target) == pytest.approx(value, rel=1e-15)
    assert slope(loss, prediction, target) == pytest.approx(derivative, rel=1e-15)


def test_slopes_agree_with_differences() -> None:
    for loss in (half_squared_error, squared_error, huber, binary_cross_entropy):
        for target in (0.0, 1.0, 0.3):
            gradcheck(lambda p, loss=loss, target=target: loss(p, target), 0.6).raise_if_wrong()
    for smoothing in (0.0, 0.1):
        report = gradcheck(lambda *z, s=smoothing: cross_entropy(list(z), 1, s), 0.3, -1.2, 2.0)
        report.raise_if_wrong()


@pytest.mark.parametrize("target", [0, 1, 0.25])
def test_binary_cross_entropy_is_minus_the_log_likelihood(target: float) -> None:
    for z in (-3.0, -0.1, 0.0, 2.0):
        p = 1 / (1 + math.exp(-z))
        expected = -target * math.log(p) - (1 - target) * math.log(1 - p)
        # The formula loses |z| 2**-53 absolutely, the expected value as much in 1 - p.
        assert binary_cross_entropy_with_logits(z, target) == pytest.approx(expected, abs=1e-14)
        derivative = slope(binary_cross_entropy_with_logits, z, target)
        assert derivative == pytest.approx(p - target, abs=1e-15)


@pytest.mark.parametrize("z", [1e4, -1e4])
@pytest.mark.parametrize("y", [0, 1])
def test_binary_cross_entropy_of_extreme_logits(z: float, y: int) -> None:
    wrong = (z > 0) != (y == 1)
    assert binary_cross_entropy_with_logits(z, y) == (1e4 if wrong else 0.0)
    assert slope(binary_cross_entropy_with_logits, z, y) == (math.copysign(1, z) if wrong else 0)


def test_cross_entropy_is_minus_the_log_of_the_softmax() -> None:
    logits = [0.5, -1.0, 2.0]
    total = sum(map(math.exp, logits))
    for label, z in enumerate(logits):
        assert cross_entropy(logits, label) == pytest.approx(-math.log(math.exp(z) / total))
    leaves = [Value(z) for z in logits]
    cross_entropy(leaves, 2).backward()
    # The theory's p - y, to a few roundings.
    expected = [math.exp(z) / total - (i == 2) for i, z in enumerate(logits)]
    assert [leaf.grad for leaf in leaves] == pytest.approx(expected, abs=1e-15)


def test_label_smoothing_mixes_in_all_classes() -> None:
    logits, s = [0.5, -1.0, 2.0], 0.3
    every = [cross_entropy(logits, label) for label in range(3)]
    expected = (1 - s) * every[1] + s * sum(every) / 3
    assert cross_entropy(logits, 1, smoothing=s) == pytest.approx(expected, rel=1e-14)


@pytest.mark.parametrize("big", [1e4, -1e4])
def test_extreme_logits_give_exact_losses_and_finite_slopes(big: float) -> None:
    right = 0 if big > 0 else 1
    assert cross_entropy([big, 0.0], right) == 0.0
    assert cross_entropy([big, 0.0], 1 - right) == 1e4
    assert slope(lambda z: cross_entropy([z, 0.0], 1 - right), big) == math.copysign(1, big)
    assert math.isfinite(cross_entropy([big, 0.0, -big], 0, smoothing=0.1))


def test_probabilities_of_0_and_1_are_bounded_and_raise_nothing() -> None:
    for p in (0.0, 1.0):
        assert binary_cross_entropy(p, 1 - p) == pytest.approx(100.0)
        assert binary_cross_entropy(p, p) == 0.0
        assert math.isfinite(slope(binary_cross_entropy, p, 1 - p))


@pytest.mark.parametrize(
    "loss", [half_squared_error, squared_error, absolute_error, huber, binary_cross_entropy, hinge]
)
def test_losses_of_several_outputs_add_up(loss: Callable[..., Any]) -> None:
    assert loss([0.2, 0.9], [0.0, 1.0]) == loss(0.2, 0.0) + loss(0.9, 1.0)
    with pytest.raises(ValueError, match=f"{loss.__name__} needs as many targets as outputs"):
        loss([0.2, 0.9], [0.0])
    with pytest.raises(ValueError, match=f"{loss.__name__} needs as many targets as outputs"):
        loss([0.2, 0.9], 0.0)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([[0.0, 1.0]], [1]), "cross_entropy is of one sample: the mean over several is"),
        (([0.0, 1.0], 2), "cross_entropy of 2 classes needs a label from 0 to 1: got 2"),
        (([0.0, 1.0], [0.0, 1.0]), r"takes the number of the class, from 0 to 1: got \[0\.0"),
        (([0.0, 1.0], -1), "from 0 to 1: got -1"),
        (([0.0, 1.0], 0.5), r"from 0 to 1: got 0\.5"),
        ((0.3, 0), "takes a list of one logit for each class: got 0.3"),
        (([0.0, 1.0], 0, 1.0), "smoothing must be at least 0 and below 1"),
    ],
)
def test_bad_input_is_named(arguments: tuple[Any, ...], message: str) -> None:
    with pytest.raises((TypeError, ValueError), match=message):
        cross_entropy(*arguments)


def test_the_cost_is_the_mean_of_the_losses() -> None:
    predictions, targets = [1.0, 3.0, -2.0], [0.0, 1.0, 0.0]
    assert mean_squared_error(predictions, targets) == 9 / 3
    assert mean_absolute_error(predictions, targets) == 5 / 3
    assert cost(half_squared_error, predictions, targets) == 4.5 / 3
    leaves = [Value(p) for p in predictions]
    mean_squared_error(leaves, targets).backward()
    assert [leaf.grad for leaf in leaves] == pytest.approx([2 / 3, 4 / 3, -4 / 3], rel=1e-15)
    with pytest.raises(TypeError, match="of one sample, as fit takes it, is squared_error"):
        mean_squared_error(leaves[0], 0.0)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="at least one: got 0 and 0"):
        mean_squared_error([], [])


def test_every_loss_gives_its_source() -> None:
    for loss in (
        half_squared_error,
        squared_error,
        absolute_error,
        huber,
        hinge,
        cross_entropy,
        binary_cross_entropy,
        binary_cross_entropy_with_logits,
    ):
        assert "Source:" in str(loss.__doc__), loss.__name__
