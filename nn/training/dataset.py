"""`Dataset`: data to learn from, checked once; inputs become leaves where a graph needs them."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from itertools import chain
from typing import Any

from autograd import Value, quoted
from nn.losses import Loss, bare, labels_of

Data = tuple[Sequence[Sequence[float]], Sequence[Any]]
Sample = tuple[list[Value], Any]


class Dataset(Sequence[Sample]):
    """Inputs and targets; ``samples[i]`` is the pair of leaves and target.

    Args:
        data: the pair of inputs and targets: lists, arrays, or pandas' frames.
        loss: may want certain labels.
        which: put before the names in messages.

    Attributes:
        inputs: rows of floats.
        targets: a float, or a list of floats, for each.
        firsts: the first sample of each length; whether the model takes them all is for it to say.

    Raises:
        TypeError, ValueError: some of it is unusable; the message says which.
    """

    def __init__(self, data: Data, loss: Loss, which: str = "") -> None:
        if not isinstance(data, tuple) or len(data) < 2:
            pairs = isinstance(data, list) and all(
                isinstance(each, tuple) and len(each) == 2 for each in data
            )
            hint = "; of a list of samples, tuple(zip(*data)) makes it" if pairs else ""
            raise TypeError(
                f"{which or 'data '}must be the pair (inputs, targets), as in fit(model, (X, y), "
                f"...): got {quoted(data)}{hint}"
            )
        inputs, targets = (x.to_numpy() if hasattr(x, "to_numpy") else x for x in data[:2])
        for name, given in (("inputs", inputs), ("targets", targets)):
            if not hasattr(given, "__len__"):
                raise TypeError(f"{which}{name} must be a list or an array: got {quoted(given)}")
        if len(inputs) != len(targets) or not len(inputs):
            raise ValueError(
                f"{which}data needs as many inputs as targets, at least one: "
                f"got {len(inputs)} and {len(targets)}"
            )
        self.which = which
        if _are_plain(inputs):
            self.inputs = list(map(list, inputs))
        else:
            self.inputs = [self._row(i, row) for i, row in enumerate(inputs)]
        self.targets = [self._target(i, target) for i, target in enumerate(targets)]
        self.firsts: dict[int, int] = {}
        for i, row in enumerate(self.inputs):
            first = self.firsts.setdefault(len(row), i)
            if _size(self.targets[i]) != _size(self.targets[first]):
                raise ValueError(
                    f"{which}targets[{i}] and {which}targets[{first}] are not of one length: got "
                    f"{self.targets[i]} and {self.targets[first]}"
                )
        self._check_labels(loss)
        self._leaves: dict[int, list[Value]] = {}

    def __len__(self) -> int:
        return len(self.inputs)

    def __getitem__(self, i: Any) -> Any:
        if isinstance(i, slice):
            return [self[j] for j in range(*i.indices(len(self)))]
        if not -len(self) <= i < len(self):
            raise IndexError(i)
        i %= len(self)
        if i not in self._leaves:
            self._leaves[i] = [
                Value(x, label=f"{self.which}inputs[{i}][{j}]")
                for j, x in enumerate(self.inputs[i])
            ]
        # Lists of their own: a model may write into what it is given.
        target = self.targets[i]
        return list(self._leaves[i]), list(target) if isinstance(target, list) else target

    @property
    def is_ragged(self) -> bool:
        """Whether the inputs are of different lengths."""
        return len(self.firsts) > 1

    def _row(self, i: int, row: Any) -> list[float]:
        name = f"{self.which}inputs[{i}]"
        if not hasattr(row, "__len__"):
            raise TypeError(f"{name} must be a list of numbers: got {quoted(row)}")
        return _several(name, row)

    def _target(self, i: int, target: Any) -> float | list[float]:
        if target.__class__ in (int, float) and abs(target) <= sys.float_info.max:
            return float(target)
        name = f"{self.which}targets[{i}]"
        if hasattr(target, "__len__") and not isinstance(target, str):
            return _several(name, target)
        return _finite(name, target)

    def _check_labels(self, loss: Loss) -> None:
        labels = labels_of(loss)
        if not labels:
            return
        for i, wanted in enumerate(self.targets):
            for label in wanted if isinstance(wanted, list) else [wanted]:
                if label not in labels:
                    low, high = labels
                    raise ValueError(
                        f"{bare(loss).__name__} needs labels {low:g} and {high:g}: "
                        f"{self.which}targets[{i}] is {wanted}"
                    )


def _are_plain(rows: Sequence[Any]) -> bool:
    """Return whether all are lists of one length and of finite floats: a look for most data.

    Some data that is just as good fails, such as finite numbers whose sum is not.
    """
    return (
        set(map(type, rows)) == {list}
        and len(set(map(len, rows))) == 1
        and set(map(type, chain.from_iterable(rows))) == {float}
        and math.isfinite(sum(chain.from_iterable(rows)))
    )


def _size(target: float | list[float]) -> int:
    return len(target) if isinstance(target, list) else -1


def _several(name: str, row: Sequence[Any]) -> list[float]:
    return [_finite(f"{name}[{j}]", x) for j, x in enumerate(row)]


def _finite(name: str, x: Any) -> float:
    try:
        number = Value(x).data
    except TypeError as error:
        raise TypeError(f"{name}: {error}") from None
    if not math.isfinite(number):
        raise ValueError(f"{name} is {number}: clean the data first")
    return number
