"""What is computed: the same data, weights and loss for every contender, in float64."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from autograd import dot, logsumexp, mean
from nn import MLP
from nn.data import digits, moons, train_test_split
from nn.losses import hinge
from tests.benchmarks.measurement import seconds_per_call

TRAINED = 1500
"""Samples of the digits that are learnt from; the other 297 are the test."""

Array = Any
Step = Callable[[], Any]
Read = Callable[[Any], tuple[Any, Array]]


@dataclass(frozen=True)
class Work:
    """A step: the mean loss over all samples and its gradient in the parameters.

    Attributes:
        widths: of the inputs and of each layer.
        activation: of the hidden layers.
        inputs: ``[samples, inputs]``.
        targets: ``[samples, outputs]``: -1 or 1, or 1 at the class and 0 elsewhere.
        loss: of one sample, ``loss(outputs, target)``, on Values.
    """

    widths: tuple[int, ...]
    activation: str
    inputs: Array
    targets: Array
    loss: Callable[[list[Any], list[Any]], Any]

    @property
    def has_classes(self) -> bool:
        """Whether the targets are classes, and not labels of which there are two."""
        return self.widths[-1] > 1

    def model(self) -> MLP:
        """Return the network with its first weights."""
        nin, *nouts = self.widths
        return MLP(nin, nouts, activation=self.activation, seed=0)

    def parameters(self) -> Array:
        """Return the first weights in one array, in the order of ``model().parameters()``."""
        return np.array([p.data for p in self.model().parameters()])

    def layers(self, flat: Array) -> Iterator[tuple[Array, Array]]:
        """Yield each layer's weights ``[nout, nin]`` and biases: a neuron is w1, ..., wn, b."""
        start = 0
        for nin, nout in pairwise(self.widths):
            block = flat[start : start + nout * (nin + 1)].reshape(nout, nin + 1)
            start += block.size
            yield block[:, :-1], block[:, -1]

    def flat(self, layers: Iterable[tuple[Array, Array]]) -> Array:
        """Return what `layers` had taken apart."""
        return np.concatenate([np.column_stack(layer).ravel() for layer in layers])

    def sample_loss(self, model: MLP) -> Callable[[list[Any], list[Any]], Any]:
        """Return the loss of one sample as a function of its inputs and target."""
        loss = self.loss

        def of_sample(x: list[Any], target: list[Any]) -> Any:
            out = model(x)
            return loss(out if isinstance(out, list) else [out], target)

        return of_sample  # which doesn't hold the samples, as a loop over batches wouldn't

    def eager(self) -> tuple[float, Array]:
        """Return the value and the gradient as the engine computes them, node by node."""
        model = self.model()
        cost = mean(list(map(self.sample_loss(model), self.inputs.tolist(), self.targets.tolist())))
        cost.backward()
        return cost.data, np.array([p.grad for p in model.parameters()])

    def flops(self) -> int:
        """Return the additions and multiplications of the weighted sums in a step.

        Each weight has a multiplication and an addition for the output, for its own gradient
        and, but in the first layer, for the gradient of its input.
        """
        weights = [nin * nout for nin, nout in pairwise(self.widths)]
        return len(self.inputs) * 2 * (3 * sum(weights) - weights[0])

    def bytes(self) -> int:
        """Return what a step must at least read and write: data, parameters, gradient."""
        return int(self.inputs.nbytes + self.targets.nbytes + 2 * self.parameters().nbytes)


def _moons(activation: str) -> Work:
    points, labels = moons(100)
    targets = 2.0 * np.array(labels)[:, None] - 1

    def loss(out: list[Any], target: list[Any]) -> Any:
        return hinge(out[0], target[0])

    return Work((2, 16, 16, 1), activation, np.array(points), targets, loss)


def split_digits() -> tuple[tuple[Array, Array], tuple[Array, Array]]:
    """Return inputs and labels of the digits, shuffled: 1,500 to learn from and 297 to test."""
    data = digits()
    parts = train_test_split(data, test=1 - TRAINED / len(data[1]), stratified=False)
    train, test = ((np.array(inputs), np.array(labels)) for inputs, labels in parts)
    assert len(train[1]) == TRAINED
    return train, test


def _digits() -> Work:
    (inputs, labels), _ = split_digits()

    def loss(out: list[Any], target: list[Any]) -> Any:
        return logsumexp(out) - dot(target, out)

    return Work((64, 32, 10), "relu", inputs, np.eye(10)[labels], loss)


WORKS: dict[str, Callable[[], Work]] = {
    "moons relu": lambda: _moons("relu"),
    "moons tanh": lambda: _moons("tanh"),
    "digits": _digits,
}


def time_step(work: Work, contender: Callable[[Work], tuple[Step, Read]]) -> dict[str, Any]:
    """Return the seconds of a contender's step, its value and its gradient."""
    step, read = contender(work)
    value, gradient = read(step())
    return {
        "seconds": seconds_per_call(step),
        "value": float(value),
        "gradient": np.asarray(gradient).tolist(),
    }
