"""What a training is at after an epoch, and the way back to there: wholly or not at all."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from nn.arguments import listed, number, real, whole
from nn.documents import StateError
from nn.history import History
from nn.training.checkpoint import Saved, read
from nn.training.identity import differences
from nn.training.plan import Plan
from nn.training.steps import Start

BACKENDS: dict[str, tuple[bool | str, str]] = {
    "eager": (False, "float64"),
    "llvm": (True, "float64"),
    "llvm, exact": ("exact", "float64"),
    "llvm, float32": (True, "float32"),
}
"""By what a history calls it, how to ask for it: ``compile`` and ``dtype``."""


def state_of(
    plan: Plan, identity: Any, rate: float, history: History, begun: Start | None
) -> dict[str, Any]:
    """Return what a checkpoint holds of the time when the last epoch was finished.

    Args:
        rate: the learning rate that was asked for; a callback may have changed it meanwhile.
        begun: what the next epoch started from, if steps have been made since.
    """
    weights = plan.model.state_dict()
    optimizer: Any = plan.optimizer.state_dict()
    masks = [dropout.masks for dropout in plan.dropouts]
    if begun:
        numbers = dict(zip(plan.optimizer.parameters, begun.weights, strict=True))
        named = plan.model.named_parameters()
        weights = {name: numbers.get(leaf, leaf.data) for name, leaf in named.items()}
        optimizer = {
            name: list(x) if name in plan.optimizer.remembers else x
            for name, x in begun.optimizer.items()
        }
        masks = begun.masks
    return {
        "training": identity,
        "learning_rate": rate,
        "backend": history.backend,
        "stopped": history.stopped,
        "weights": weights,
        "optimizer": optimizer,
        "masks": masks,
        "schedule": _state_of(plan.schedule),
        "callbacks": list(map(_state_of, plan.callbacks)),
    }


def saved_of(plan: Plan, identity: Any) -> Saved | None:
    """Return the checkpoint to resume; None if the training is to begin.

    Raises:
        StateError: it is damaged, or of another training.
    """
    if plan.resume is None:
        return None
    saved = read(Path(plan.resume))
    differing = differences(saved.state["training"], identity)
    if differing:
        raise StateError(
            f"{saved.path} is of another training: {listed(differing, mark='; ', width=200)}. "
            "Resume with the same arguments, or train anew"
        )
    return saved


def compile_of(plan: Plan, saved: Saved) -> bool | str:
    """Return how to ask for the back end of a checkpoint, for the same bits.

    Raises:
        StateError: that is not what was asked for.
    """
    backend = saved.history.backend
    if not isinstance(backend, str) or backend not in BACKENDS:
        raise StateError(f"{plan.resume} is of the unknown back end {backend!r:.40}")
    before, dtype = BACKENDS[backend]
    if plan.compile not in (None, before) or plan.dtype != dtype:
        single = f", dtype={dtype!r}" if dtype != plan.dtype else ""
        raise StateError(
            f"{plan.resume} is of a training by the back end {backend!r}: resume it with "
            f"compile={before!r}{single}, for the same bits"
        )
    return before


def take_over(plan: Plan, saved: Saved) -> None:
    """Give model, optimizer, schedule and callbacks what a checkpoint has, or none of them.

    A learning rate other than was asked for then counts from now on.

    Raises:
        StateError: it is damaged.
    """
    state, rate = saved.state, plan.optimizer.learning_rate
    things: list[Any] = [plan.schedule, *plan.callbacks]
    stateful = [thing for thing in things if hasattr(thing, "load_state_dict")]
    kept = [x.state_dict() for x in stateful]
    optimizer = plan.optimizer.state_dict()
    named = plan.model.named_parameters()
    try:
        if set(state["weights"]) != set(named):
            raise ValueError("the weights are of other parameters")
        weights = {name: real(name, state["weights"][name]) for name in named}
        masks = [whole("masks", n) for n in state["masks"]]
        drawing = list(zip(plan.dropouts, masks, strict=True))
        asked = number("learning_rate", state["learning_rate"], positive=True)
        states = [state["schedule"], *state["callbacks"]]
        for thing, own in zip(things, states, strict=True):
            if hasattr(thing, "load_state_dict"):
                thing.load_state_dict(own)
        plan.optimizer.load_state_dict(state["optimizer"])
    except Exception as error:
        for thing, own in zip(stateful, kept, strict=True):
            thing.load_state_dict(own)
        plan.optimizer.load_state_dict(optimizer)
        raise StateError(
            f"{plan.resume} is damaged: {type(error).__name__}: {error!s:.200}"
        ) from error
    for name, leaf in named.items():
        leaf.data = weights[name]
    for dropout, drawn in drawing:
        dropout.masks = drawn
    if rate != asked:
        plan.optimizer.learning_rate = rate


def _state_of(thing: Any) -> Any:
    return thing.state_dict() if hasattr(thing, "state_dict") else None
