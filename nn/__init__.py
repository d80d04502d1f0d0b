"""Neural networks on the engine: micrograd's three classes, and what it takes to train them.

>>> from nn import MLP
>>> MLP(2, [16, 16, 1])([1.0, -2.0]).op
<op dot>
"""

from __future__ import annotations

from nn import data, losses, metrics, optim, plots
from nn.layers import MLP, Layer, Neuron
from nn.module import Module
from nn.train import History, fit

__all__ = [
    "MLP",
    "History",
    "Layer",
    "Module",
    "Neuron",
    "data",
    "fit",
    "losses",
    "metrics",
    "optim",
    "plots",
]
