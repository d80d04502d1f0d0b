"""How weights start: each function draws one weight of a layer of ``nin`` inputs, ``nout`` units.

A weighted sum of n inputs has n times the variance of one product. So that signals neither die
out nor explode on their way through many layers, the variance of a weight must be about 1/n,
n being ``nin`` on the way forward and ``nout`` on the way back.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable

from autograd import quoted
from nn.arguments import meant

Init = Callable[[int, int, random.Random], float]


def uniform(nin: int, nout: int, source: random.Random) -> float:
    """Return a weight uniform in [-1, 1], whatever the width: micrograd's start."""
    return source.uniform(-1, 1)


def xavier_uniform(nin: int, nout: int, source: random.Random) -> float:
    """Return a uniform weight of variance 2 / (nin + nout), for tanh, sigmoid and linear units.

    Source: Glorot & Bengio 2010, Understanding the difficulty of training deep feedforward
    neural networks, equation 16.
    """
    return _uniform(2 / (nin + nout), source)


def xavier_normal(nin: int, nout: int, source: random.Random) -> float:
    """Return a normal weight of variance 2 / (nin + nout).

    Source: Glorot & Bengio 2010, equation 12.
    """
    return source.gauss(0, math.sqrt(2 / (nin + nout)))


def he_uniform(nin: int, nout: int, source: random.Random) -> float:
    """Return a uniform weight of variance 2 / nin."""
    return _uniform(2 / nin, source)


def he_normal(nin: int, nout: int, source: random.Random) -> float:
    """Return a normal weight of variance 2 / nin, for ReLU, which lets half of the signal pass.

    Source: He, Zhang, Ren & Sun 2015, Delving deep into rectifiers, equation 10.
    """
    return source.gauss(0, math.sqrt(2 / nin))


def lecun_uniform(nin: int, nout: int, source: random.Random) -> float:
    """Return a uniform weight of variance 1 / nin."""
    return _uniform(1 / nin, source)


def lecun_normal(nin: int, nout: int, source: random.Random) -> float:
    """Return a normal weight of variance 1 / nin.

    Source: LeCun, Bottou, Orr & Müller 1998, Efficient backprop, equation 16.
    """
    return source.gauss(0, math.sqrt(1 / nin))


def standard_normal(nin: int, nout: int, source: random.Random) -> float:
    """Return a normal weight of variance 1, as the rows of an embedding have: none is summed."""
    return source.gauss(0, 1)


NAMED: dict[str, Init] = {
    function.__name__: function
    for function in (
        uniform,
        xavier_uniform,
        xavier_normal,
        he_uniform,
        he_normal,
        lecun_uniform,
        lecun_normal,
        standard_normal,
    )
}

RECTIFIERS = ("relu", "leaky_relu", "elu", "gelu", "silu", "softplus")
"""The activations that let about half of the signal pass."""


def fitting(activation: str) -> Init:
    """Return the initialisation that fits an activation: He for rectifiers, else Xavier.

    >>> fitting("relu").__name__, fitting("tanh").__name__, fitting("linear").__name__
    ('he_normal', 'xavier_uniform', 'xavier_uniform')
    """
    return he_normal if activation in RECTIFIERS else xavier_uniform


def chosen(given: str | Init) -> Init:
    """Return the initialisation that ``given`` is or names.

    Raises:
        ValueError: there is none of that name; the message lists them.
    """
    if callable(given):
        return given
    if not isinstance(given, str) or given not in NAMED:
        raise ValueError(
            f"init must be a function or one of {', '.join(NAMED)}: got {quoted(given)}"
            f"{meant(given, NAMED)}"
        )
    return NAMED[given]


def _uniform(variance: float, source: random.Random) -> float:
    bound = math.sqrt(3 * variance)
    return source.uniform(-bound, bound)
