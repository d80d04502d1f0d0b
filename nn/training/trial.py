"""A first sample, of each length, tried out before a training changes anything."""

from __future__ import annotations

import nn.losses
from autograd import Value, no_grad
from nn.losses import bare, binary_cross_entropy, cross_entropy
from nn.training.dataset import Dataset
from nn.training.plan import Plan

ANSWERS_TRIED = 20
"""Samples of which a model is asked whether it answers with probabilities."""


def tried_out(plan: Plan, samples: Dataset) -> Value:
    """Return the loss of the first sample, a node to differentiate; try one of each other length.

    Raises:
        TypeError, ValueError: it is none, a label is no class of the model's, or the model takes
            no samples of some length.
    """
    term = _tried(plan, samples, 0)
    for length, i in list(samples.firsts.items())[1:]:
        try:
            _tried(plan, samples, i)
        except (TypeError, ValueError, IndexError) as error:
            raise ValueError(
                f"{samples.which}inputs[{i}] has {length} numbers, {samples.which}inputs[0] has "
                f"{len(samples.inputs[0])}, and the model does not take both: {error}"
            ) from error
    return term


def _tried(plan: Plan, samples: Dataset, i: int) -> Value:
    inputs, target = samples[i]
    with plan.in_mode(training=False):  # a dropout would draw a mask
        prediction = plan.model(inputs)
    try:
        term = plan.loss(prediction, target)
    except (TypeError, AttributeError) as error:
        if isinstance(prediction, Value) and isinstance(target, list) and len(target) == 1:
            raise TypeError(
                f"targets[0] is {target}, a list, where the model answers with one number: give a "
                "number for each sample, such as y.ravel()"
            ) from error
        if bare(plan.loss).__module__ != nn.losses.__name__:
            raise TypeError(
                f"the loss fails: {error}; it is called as loss(prediction, target), of one sample "
                f"and no batch, here of {prediction!r:.60} and {target}; fit takes their mean"
            ) from error
        error.add_note(f"in the loss of prediction {prediction!r:.60} and target {target}")
        raise
    if not isinstance(term, Value):
        raise TypeError(f"the loss must return a Value to differentiate: got {term!r:.60}")
    if term.op is None:
        raise ValueError("the loss has no graph to differentiate: train outside of no_grad()")
    if i == 0 and bare(plan.loss) is cross_entropy:
        _check_classes(len(prediction), samples)
    if i == 0 and bare(plan.loss) is binary_cross_entropy:
        _check_probabilities(plan, samples)
    return term


def _check_probabilities(plan: Plan, samples: Dataset) -> None:
    """Ask the model for some first answers, which the logarithm of a linear output would hide.

    Raises:
        ValueError: one is no probability.
    """
    for i in range(min(len(samples), ANSWERS_TRIED)):
        with plan.in_mode(training=False), no_grad():
            prediction = plan.model(samples[i][0])
        for answer in prediction if isinstance(prediction, list | tuple) else [prediction]:
            if not 0 <= float(answer) <= 1:
                raise ValueError(
                    f"binary_cross_entropy takes probabilities: for {samples.which}inputs[{i}] the "
                    f"model answers {float(answer):.4g}; end it with a sigmoid, or take "
                    "binary_cross_entropy_with_logits"
                )


def _check_classes(classes: int, samples: Dataset) -> None:
    """Compare the labels with the number of the model's outputs.

    Raises:
        ValueError: a label is no class.
    """
    known = list(map(float, range(classes)))
    for i, label in enumerate(samples.targets):
        if label not in known:
            raise ValueError(
                f"the model has {classes} outputs, so labels go from 0 to {classes - 1}: "
                f"that of sample {i} is {label:g}"
            )
