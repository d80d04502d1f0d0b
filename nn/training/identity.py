"""What makes a training the one it is: a checkpoint of it can be gone on with by no other.

The learning rate and the number of epochs may change, and the numbers of the schedule with them.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator
from typing import Any

from autograd import Value
from nn.documents import as_text, parsed
from nn.history import layers_of
from nn.module import Module
from nn.training.dataset import Dataset
from nn.training.plan import Plan, name_of

COUNTERS = ("training", "masks")
"""Attributes of modules that change while they are trained."""


def identity_of(plan: Plan) -> Any:
    """Return what must be equal, as it comes back from a file."""
    settings = {k: v for k, v in plan.optimizer.settings().items() if k != "learning_rate"}
    found = {
        "data": _digest(plan.samples),
        "validation": plan.tests and _digest(plan.tests),
        "batch_size": plan.batch_size,
        "seed": plan.seed,
        "loss": name_of(plan.loss),
        "optimizer": {"class": type(plan.optimizer).__name__, **settings},
        "clip": name_of(plan.clip) if callable(plan.clip) else plan.clip,
        "schedule": _kind(plan.schedule),
        "metrics": list(plan.metric_names),
        "callbacks": list(map(_callback, plan.callbacks)),
        "layers": list(layers_of(plan.model)),
        "model": {path: _module(part) for path, part in plan.model.named_modules().items()},
    }
    return parsed("", as_text(found).encode())


def differences(was: Any, now: Any) -> list[str]:
    """Return in which ways two identities differ, each in words.

    >>> differences({"seed": 0, "model": {"": {"rate": 0.5}}}, {"seed": 1, "model": {"": {}}})
    ['seed was 0 and is 1', 'model: rate was 0.5 and is not there']
    """
    return list(_differing("", was, now))


def _differing(path: str, was: Any, now: Any) -> Iterator[str]:
    if was == now:
        return
    if isinstance(was, dict) and isinstance(now, dict):
        for key in dict.fromkeys([*was, *now]):
            inner = f"{path}: {key}" if path and ": " not in path else f"{path}.{key}".strip(".")
            yield from _differing(inner if key else path, was.get(key), now.get(key))
        return
    if path in ("data", "validation"):
        yield f"{path} differ"
        return
    yield f"{path or 'the description'} was {_shown(was)} and is {_shown(now)}"


def _shown(part: Any) -> str:
    return "not there" if part is None else f"{part!r:.60}"


def _digest(samples: Dataset) -> str:
    """Return a number that other data would not have."""
    digest = hashlib.sha256()
    for row, target in zip(samples.inputs, samples.targets, strict=True):
        numbers = [*row, *(target if isinstance(target, list) else [target])]
        digest.update(struct.pack(f"<{len(numbers)}d", *numbers))
    return digest.hexdigest()


def _module(module: Module) -> dict[str, Any]:
    """Return a module's class and its plain attributes."""
    plain = {
        name: name_of(part) if callable(part) else part
        for name, part in vars(module).items()
        if not name.startswith("_") and name not in COUNTERS and _is_plain(part)
    }
    return {"class": type(module).__name__, **plain}


def _is_plain(part: Any) -> bool:
    if isinstance(part, list | tuple):
        return all(isinstance(each, bool | int | float | str) for each in part)
    if isinstance(part, Module | Value):
        return False
    return part is None or isinstance(part, bool | int | float | str) or callable(part)


def _kind(schedule: Any) -> Any:
    """Return the class of a schedule, or a function's name, and what follows it."""
    if schedule is None:
        return None
    if not hasattr(schedule, "__dict__") or hasattr(schedule, "__name__"):
        return name_of(schedule)
    kind = type(schedule).__name__
    after = [_kind(part) for part in vars(schedule).values() if callable(part)]
    return {"class": kind, "then": after} if after else kind


def _callback(callback: Any) -> Any:
    """Return a function's name, or a callback's class and its plain attributes but its state."""
    if hasattr(callback, "__name__"):
        return name_of(callback)
    state = callback.state_dict() if hasattr(callback, "state_dict") else {}
    plain = {
        name: part
        for name, part in getattr(callback, "__dict__", {}).items()
        if name not in state and _is_plain(part) and not callable(part)
    }
    return {"class": type(callback).__name__, **plain}
