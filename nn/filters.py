"""`Dropout` and `Standardize`: what passes numbers on changed, with nothing to learn."""

from __future__ import annotations

import random
from collections.abc import Sequence
from numbers import Integral
from typing import Any

from autograd import CompileError, Value, is_compiling
from nn.arguments import finite, generator, number, share, wrong_length
from nn.module import Module

Inputs = Sequence[Value | float]
Seed = int | random.Random | None


class Dropout(Module):
    """In training, each input is dropped with probability ``rate`` and the rest scaled up.

    The rest is multiplied by 1 / (1 − rate), so that the expected value stays; used (`eval`),
    it gives its inputs as they are. The n-th mask follows from the seed and n alone, so a
    training run can be resumed and a step replayed.

    Args:
        rate: probability of being dropped, at least 0 and below 1.
        seed: of the masks; given a ``random.Random``, as shared by a whole model, one number
            is drawn from it.

    Source: Srivastava et al. 2014, Dropout: a simple way to prevent neural networks from
    overfitting, section 10 (the scaling during training).

    >>> dropout = Dropout(0.5, seed=2)
    >>> sorted(set(dropout([1.0] * 8)))
    [0.0, 2.0]
    >>> dropout.eval()([1.0, 1.0])
    [1.0, 1.0]
    """

    def __init__(self, rate: float = 0.5, seed: Seed = None) -> None:
        self.rate = share("rate", rate)
        source = generator(seed)
        self.seed = int(seed) if isinstance(seed, Integral) else source.getrandbits(32)
        self.masks = 0

    def forward(self, x: Inputs) -> Any:
        """Return the inputs, some of them times 0 and the others scaled up in training."""
        if not self.training or not self.rate:
            return list(x)
        return [each * factor for each, factor in zip(x, self.mask(len(x)), strict=True)]

    def mask(self, n: int) -> list[Any]:
        """Return the next mask: what each of ``n`` inputs is multiplied with.

        Raises:
            CompileError: it would be the same for all samples of what is being compiled.
        """
        if is_compiling():
            raise CompileError(
                "a Dropout in training draws another mask each time: call model.eval() before "
                "compile, or leave the training to fit(compile=True)"
            )
        draw, rate = random.Random(f"{self.seed}:{self.masks}").random, self.rate
        self.masks += 1
        factor = 1 / (1 - rate)
        return [factor if draw() >= rate else 0.0 for _ in range(n)]

    def settings(self) -> dict[str, Any]:
        return {"rate": self.rate, "seed": self.seed}

    def __repr__(self) -> str:
        return f"Dropout({self.rate:g})"


class Standardize(Module):
    """(x − mean) / deviation of each input: a fixed first layer, so that a model takes raw inputs.

    It has no parameters. The means and deviations are those of an `nn.data.Standardizer`; an
    input whose deviation is 0 becomes 0.

    Args:
        means, deviations: one of each for every input.
        invert: whether to go back, mean + deviation * x: a last layer for targets that were
            standardised.

    >>> Standardize([2.0, 5.0], [1.0, 0.0])([3.0, 5.0])
    [1.0, 0.0]
    >>> Standardize([10.0], [2.0], invert=True)([1.5])
    13.0
    """

    def __init__(
        self, means: Sequence[float], deviations: Sequence[float], invert: bool = False
    ) -> None:
        if len(means) != len(deviations) or not len(means):
            raise ValueError(
                "Standardize needs as many means as deviations, at least one: "
                f"got {len(means)} and {len(deviations)}"
            )
        if not isinstance(invert, bool):
            raise TypeError(f"invert must be True or False: got {invert!r:.60}")
        self.means = [finite(f"means[{i}]", x) for i, x in enumerate(means)]
        self.deviations = [number(f"deviations[{i}]", x) for i, x in enumerate(deviations)]
        self.invert = invert
        self.nin = self.nout = len(means)

    def forward(self, x: Inputs) -> Any:
        """Return the numbers shifted and scaled: a list, or the one number by itself.

        Raises:
            ValueError: there are not as many inputs as means.
        """
        if len(x) != len(self.means):
            raise wrong_length(self, x, len(self.means))
        outs: list[Any] = [
            mean + deviation * each
            if self.invert
            else (each - mean) / deviation
            if deviation
            else 0.0
            for each, mean, deviation in zip(x, self.means, self.deviations, strict=True)
        ]
        return outs[0] if len(outs) == 1 else outs

    def settings(self) -> dict[str, Any]:
        return {"means": self.means, "deviations": self.deviations, "invert": self.invert}

    def __repr__(self) -> str:
        return f"Standardize({len(self.means)}{', invert=True' if self.invert else ''})"
