"""`History`: what happened in training, step by step, and the way back into any step."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import autograd
from autograd import Value
from nn.layers import Layer
from nn.module import Module


class StepRecord(NamedTuple):
    """One step of training.

    Attributes:
        epoch, batch: when: the epoch from 1, the mini-batch in it from 0.
        loss: the mean loss of the batch, before the step.
        learning_rate: with the schedule's factor.
        scale: the schedule's factor alone.
        gradients: the norm of each layer's gradients, before clipping.
        updates: how far each layer's parameters moved, relative to their norm.
    """

    epoch: int
    batch: int
    loss: float
    learning_rate: float
    scale: float
    gradients: tuple[float, ...]
    updates: tuple[float, ...]


class History:
    """What happened in training.

    Attributes:
        loss: the mean loss of each epoch's samples, each at the moment it was learnt from.
        accuracy: likewise the share of them that was right; empty unless the loss is one of
            classification.
        validation_loss, validation_accuracy: after each epoch, if there is validation data.
        metrics: by name, the values after each epoch, on the validation data if there is any.
        steps: a `StepRecord` of each step.
        layers: the paths of the layers that the records' tuples are about, inputs first.
        warnings: what `nn.hygiene` had to say.
        dead_units: the paths of the ReLU units that were 0 for all samples of an epoch.
        backend: what computed the steps: "eager", "llvm", "llvm, exact" or "llvm, float32".
        stopped: whether a callback ended the training.
        interrupted: whether Ctrl-C ended the training; only whole epochs are listed.
    """

    def __init__(self) -> None:
        self.loss: list[float] = []
        self.accuracy: list[float] = []
        self.validation_loss: list[float] = []
        self.validation_accuracy: list[float] = []
        self.metrics: dict[str, list[Any]] = {}
        self.steps: list[StepRecord] = []
        self.layers: tuple[str, ...] = ()
        self.warnings: list[str] = []
        self.dead_units: list[str] = []
        self.backend = "eager"
        self.stopped = False
        self.interrupted = False

    _replay: Callable[[int], Value] | None = None

    def replay(self, step: int) -> Value:
        """Return the cost of a recorded step, computed anew: the same batch, weights and masks.

        The model itself stays as it is; a copy is taken back to the beginning of the epoch and
        trained up to the step.

        Args:
            step: its place in `steps`; negative ones count from the end.

        Raises:
            IndexError: there is no such step.
            ValueError: it can't be: it was made in another process, before the training was
                resumed or the history was copied; too much had to be kept
                (`nn.training.replay.BYTES`); or a callback has changed the model since.
        """
        if not -len(self.steps) <= step < len(self.steps):
            raise IndexError(f"there is no step {step}: {len(self.steps)} are recorded")
        if self._replay is None:
            raise ValueError("only the history that fit returned can be replayed, not a copy")
        return self._replay(step % len(self.steps))

    def stepper(self, step: int) -> autograd.Stepper:
        """Return the debugger inside a recorded step: its cost's backward pass, as `replay`."""
        return autograd.Stepper(self.replay(step))

    def state_dict(self) -> dict[str, Any]:
        """Return all that is recorded, as lists and numbers."""
        return {
            name: [list(record) for record in kept] if name == "steps" else kept
            for name, kept in vars(self).items()
            if name not in ("_replay", "interrupted")
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over what `state_dict` returned."""
        vars(self).update(state)
        self.layers = tuple(state["layers"])
        self.steps = [
            StepRecord._make([*record[:5], tuple(record[5]), tuple(record[6])])
            for record in state["steps"]
        ]

    def __getstate__(self) -> dict[str, Any]:
        # A replay holds the model, the data and the way back: it is of this process.
        return {name: kept for name, kept in vars(self).items() if name != "_replay"}

    def __repr__(self) -> str:
        parts = [f"{len(self.loss)} epochs"]
        parts += [f"loss {self.loss[-1]:.4g}"] if self.loss else []
        parts += [f"accuracy {self.accuracy[-1]:.1%}"] if self.accuracy else []
        if self.validation_loss:
            parts.append(f"validation loss {self.validation_loss[-1]:.4g}")
        if self.validation_accuracy:
            parts.append(f"validation accuracy {self.validation_accuracy[-1]:.1%}")
        return f"History({', '.join(parts + ['interrupted'] * self.interrupted)})"


def layers_of(model: Module) -> dict[str, list[Value]]:
    """Return the parameters by layer: a `Layer` as a whole, else the module that owns them.

    >>> from nn import MLP
    >>> {path: len(parameters) for path, parameters in layers_of(MLP(2, [16, 1])).items()}
    {'layers.0': 48, 'layers.1': 17}
    """
    groups: dict[str, list[Value]] = {}
    seen: set[Value] = set()
    named = model.named_modules()
    # From the inside out, so that a module is left with what no module within it holds; but a
    # layer's neurons don't stand for themselves.
    whole = [path for path, module in named.items() if isinstance(module, Layer)]
    for path in sorted(named, key=lambda path: -path.count(".") - bool(path)):
        if any(path.startswith(f"{layer}." if layer else "") and path != layer for layer in whole):
            continue
        own = [p for p in named[path].parameters() if p not in seen]
        seen.update(own)
        if own:
            groups[path] = own
    return {path: groups[path] for path in named if path in groups}
