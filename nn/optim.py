"""Optimisers: what a step does with the gradients."""

from __future__ import annotations

from collections.abc import Iterable

from autograd import Value
from nn.arguments import number


class SGD:
    """Stochastic gradient descent: w ← w − η dE/dw.

    Args:
        parameters: the leaf Values to update, such as ``model.parameters()``.
        learning_rate: η; may be set anew between steps.

    Raises:
        TypeError: something other than leaf Values is given.
        ValueError: there are no parameters, or the learning rate is not finite and above 0.

    Source: Robbins & Monro 1951; as backpropagation uses it, Rumelhart, Hinton & Williams 1986.

    >>> w = Value(1.0)
    >>> optimizer = SGD([w], learning_rate=0.1)
    >>> (w * w).backward()
    >>> optimizer.step()
    >>> w.data
    0.8
    """

    def __init__(self, parameters: Iterable[Value], learning_rate: float) -> None:
        self.parameters = _leaves(parameters)
        self.learning_rate = learning_rate

    @property
    def learning_rate(self) -> float:
        return self._learning_rate

    @learning_rate.setter
    def learning_rate(self, learning_rate: float) -> None:
        self._learning_rate = number("learning_rate", learning_rate, positive=True)

    def zero_grad(self) -> None:
        """Set the gradients of all parameters back to 0.0."""
        for parameter in self.parameters:
            parameter.grad = 0.0

    def step(self) -> None:
        """Move every parameter against its gradient."""
        for parameter in self.parameters:
            parameter.data -= self._learning_rate * parameter.grad

    def __repr__(self) -> str:
        return f"SGD({len(self.parameters)} parameters, learning_rate={self.learning_rate})"


def _leaves(parameters: Iterable[Value]) -> list[Value]:
    """Return the parameters, each once."""
    if not isinstance(parameters, Iterable):
        raise TypeError(f"parameters must be a list, as model.parameters(): got {parameters!r:.60}")
    leaves = list(parameters)
    for leaf in leaves:
        if not isinstance(leaf, Value) or leaf.op is not None:
            raise TypeError(f"a parameter must be a leaf Value: got {leaf!r:.60}")
    if not leaves:
        raise ValueError("there are no parameters to optimise")
    return list(dict.fromkeys(leaves))
