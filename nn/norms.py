"""`RMSNorm` and `LayerNorm`: a vector brought to one size, whatever the size of its inputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from autograd import Value, dot, mean, sqrt
from nn.arguments import check_inputs, count, number
from nn.module import Module

Vector = Sequence[Value | float]


class RMSNorm(Module):
    """x / √(mean of x² + epsilon), then times a gain for each number.

    Args:
        width: how many numbers come in and go out.
        epsilon: above 0, it keeps a vector of zeros from being divided by 0.
        gain: whether there are gains; they start at 1.

    Source: Zhang & Sennrich 2019, Root mean square layer normalization, equation 4; epsilon as
    in PyTorch's ``RMSNorm(width, eps=epsilon)``.

    >>> [y.data for y in RMSNorm(2, epsilon=0.0)([3.0, -3.0])]
    [1.0, -1.0]
    """

    def __init__(self, width: int, epsilon: float = 1e-5, gain: bool = True) -> None:
        self.nin = self.nout = count("width", width)
        self.epsilon = number("epsilon", epsilon)
        self.weight = [Value(1.0) for _ in range(self.nout)] if gain else None
        self.label_parameters()

    def forward(self, x: Vector) -> list[Any]:
        """Return the vector, brought to a mean square of 1.

        Raises:
            ValueError: the length of ``x`` is not ``width``.
        """
        check_inputs(self, x, self.nin)
        scale = 1 / sqrt(dot(x, x) / len(x) + self.epsilon)
        scaled = [each * scale for each in x]
        if self.weight is None:
            return scaled
        return [gain * each for gain, each in zip(self.weight, scaled, strict=True)]

    @classmethod
    def size_of(cls, settings: Mapping[str, Any]) -> int:
        return int(settings["width"] * settings["gain"])

    def settings(self) -> dict[str, Any]:
        return {"width": self.nin, "epsilon": self.epsilon, "gain": self.weight is not None}

    def __repr__(self) -> str:
        return f"RMSNorm({self.nin}{'' if self.weight else ', gain=False'})"


class LayerNorm(Module):
    """(x − mean) / √(variance + epsilon), then times a gain and plus a shift for each number.

    Args:
        width, epsilon: as for `RMSNorm`.
        gain: whether there are gains and shifts; they start at 1 and 0.

    Source: Ba, Kiros & Hinton 2016, Layer normalization, equation 3; epsilon and the variance,
    that of the n numbers, as in PyTorch's ``LayerNorm``.

    >>> [y.data for y in LayerNorm(2, epsilon=0.0)([5.0, 1.0])]
    [1.0, -1.0]
    """

    def __init__(self, width: int, epsilon: float = 1e-5, gain: bool = True) -> None:
        self.nin = self.nout = count("width", width)
        self.epsilon = number("epsilon", epsilon)
        self.weight = [Value(1.0) for _ in range(self.nout)] if gain else None
        self.bias = [Value(0.0) for _ in range(self.nout)] if gain else None
        self.label_parameters()

    def forward(self, x: Vector) -> list[Any]:
        """Return the vector, brought to mean 0 and variance 1.

        Raises:
            ValueError: the length of ``x`` is not ``width``.
        """
        check_inputs(self, x, self.nin)
        centre = mean(x)
        moved = [each - centre for each in x]
        scale = 1 / sqrt(dot(moved, moved) / len(x) + self.epsilon)
        if self.weight is None or self.bias is None:
            return [each * scale for each in moved]
        return [
            gain * (each * scale) + shift
            for gain, each, shift in zip(self.weight, moved, self.bias, strict=True)
        ]

    @classmethod
    def size_of(cls, settings: Mapping[str, Any]) -> int:
        return int(2 * settings["width"] * settings["gain"])

    def settings(self) -> dict[str, Any]:
        return {"width": self.nin, "epsilon": self.epsilon, "gain": self.weight is not None}

    def __repr__(self) -> str:
        return f"LayerNorm({self.nin}{'' if self.weight else ', gain=False'})"
