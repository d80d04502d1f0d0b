"""What `fit` calls after each epoch: ``callback(model, history)``, which returns True to stop.

One with ``state_dict`` and ``load_state_dict`` is saved in checkpoints, and one with ``finish``
has ``finish(model)`` called at the end of training.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from nn.arguments import count, number
from nn.history import History
from nn.module import Module

Callback = Callable[[Module, History], Any]


class EarlyStopping:
    """Stops when the loss has not improved for ``patience`` epochs, and keeps the best weights.

    The loss is the validation's, or where there is none the training's.

    Args:
        patience: how many epochs without improvement end the training.
        improvement: by how much the loss must fall to count as better.

    Attributes:
        best: the lowest loss seen.
        epoch: in which, from 1.

    Source: Prechelt 1998, Early stopping - but when?
    """

    def __init__(self, patience: int = 10, improvement: float = 0.0) -> None:
        self.patience = count("patience", patience)
        self.improvement = number("improvement", improvement)
        self.best = math.inf
        self.epoch = 0
        self.weights: dict[str, float] = {}

    def __call__(self, model: Module, history: History) -> bool:
        epoch = len(history.loss)
        if epoch == 1:  # of another training
            self.best, self.epoch = math.inf, 0
        loss = (history.validation_loss or history.loss)[-1]
        if loss < self.best - self.improvement:
            self.best, self.epoch, self.weights = loss, epoch, model.state_dict()
        return epoch - self.epoch >= self.patience

    def finish(self, model: Module) -> None:
        """Give the model its best weights back."""
        if self.weights:
            model.load_state_dict(self.weights)
            self.weights = {}

    def state_dict(self) -> dict[str, Any]:
        """Return the best so far."""
        return {"best": self.best, "epoch": self.epoch, "weights": self.weights}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over what `state_dict` returned."""
        self.best, self.epoch = float(state["best"]), int(state["epoch"])
        self.weights = dict(state["weights"])
