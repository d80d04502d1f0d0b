"""Neural networks on the engine: micrograd's three classes, and what it takes to train them.

>>> from nn import MLP
>>> MLP(2, [16, 16, 1])([1.0, -2.0]).op
<op dot>
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

try:
    from nn.module import Module
except ImportError as error:  # not our autograd
    from autograd.conflict import describe_conflict

    raise ImportError(describe_conflict() or error) from error
from nn import (
    callbacks,
    clip,
    data,
    hygiene,
    init,
    losses,
    metrics,
    optim,
    plots,
    schedules,
    state,
    tables,
)
from nn.attention import CausalSelfAttention
from nn.clip import clip_grad_norm, clip_grad_value
from nn.composition import Residual, Sequential
from nn.filters import Dropout, Standardize
from nn.gpt import GPT, Block, generate, next_token_loss
from nn.history import History
from nn.layers import MLP, Layer, Neuron
from nn.linear import Embedding, Linear
from nn.norms import LayerNorm, RMSNorm
from nn.state import load, save
from nn.training.epochs import fit

if not TYPE_CHECKING:  # to which a module with __getattr__ has every name

    def __getattr__(name: str) -> Any:
        if name == "estimators":  # loaded when first used: it brings scikit-learn
            return import_module("nn.estimators")
        raise AttributeError(f"module 'nn' has no attribute {name!r}")


__all__ = [
    "GPT",
    "MLP",
    "Block",
    "CausalSelfAttention",
    "Dropout",
    "Embedding",
    "History",
    "Layer",
    "LayerNorm",
    "Linear",
    "Module",
    "Neuron",
    "RMSNorm",
    "Residual",
    "Sequential",
    "Standardize",
    "callbacks",
    "clip",
    "clip_grad_norm",
    "clip_grad_value",
    "data",
    "fit",
    "generate",
    "hygiene",
    "init",
    "load",
    "losses",
    "metrics",
    "next_token_loss",
    "optim",
    "plots",
    "save",
    "schedules",
    "state",
    "tables",
]
