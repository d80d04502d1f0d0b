"""Learning-rate schedules: by which factor the learning rate is multiplied, and when.

A schedule is called before every step with the epochs gone by so far, 2.5 in the middle of the
third, and returns the factor. One that follows the loss has ``observe`` called with it after
each epoch.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from nn.arguments import count, number

Schedule = Callable[[float], float]


def _power(factor: float, exponent: float) -> float:
    """Return a power, which may be beyond all floats."""
    try:
        return math.pow(factor, exponent)
    except OverflowError:
        return math.inf


class Staircase:
    """Multiplies by ``factor`` after every so many epochs.

    >>> [Staircase(every=2, factor=0.1)(epoch) for epoch in (0, 1.9, 2, 4)]
    [1.0, 1.0, 0.1, 0.010000000000000002]
    """

    def __init__(self, every: int, factor: float = 0.1) -> None:
        self.every = count("every", every)
        self.factor = number("factor", factor, positive=True)

    def __call__(self, epoch: float) -> float:
        return _power(self.factor, epoch // self.every)

    def __repr__(self) -> str:
        return f"Staircase(every={self.every}, factor={self.factor:g})"


class Exponential:
    """Multiplies by ``factor`` every epoch, little by little.

    >>> Exponential(0.25)(0.5)
    0.5
    """

    def __init__(self, factor: float) -> None:
        self.factor = number("factor", factor, positive=True)

    def __call__(self, epoch: float) -> float:
        return _power(self.factor, epoch)

    def __repr__(self) -> str:
        return f"Exponential({self.factor:g})"


class Cosine:
    """Falls from 1 to ``floor`` over ``epochs``, along half a cosine, and stays there.

    Source: Loshchilov & Hutter 2017, SGDR: stochastic gradient descent with warm restarts,
    equation 5.

    >>> [Cosine(10)(epoch) for epoch in (0, 5, 10, 12)]
    [1.0, 0.5, 0.0, 0.0]
    """

    def __init__(self, epochs: int, floor: float = 0.0) -> None:
        self.epochs = count("epochs", epochs)
        self.floor = number("floor", floor)

    def __call__(self, epoch: float) -> float:
        gone = min(epoch / self.epochs, 1.0)
        return self.floor + (1 - self.floor) * (1 + math.cos(math.pi * gone)) / 2

    def __repr__(self) -> str:
        return f"Cosine({self.epochs}, floor={self.floor:g})"


class WarmUp:
    """Rises evenly to 1 over ``epochs``, then follows another schedule, if there is one.

    The first factor is ``start``, above 0, as a step with learning rate 0 would be none.

    Source: Goyal et al. 2017, Accurate, large minibatch SGD, section 2.2.

    >>> warm_up = WarmUp(4, start=0.2, then=Exponential(0.5))
    >>> [warm_up(epoch) for epoch in (0, 4, 5)]
    [0.2, 1.0, 0.5]
    """

    def __init__(self, epochs: int, start: float = 0.1, then: Schedule | None = None) -> None:
        self.epochs = count("epochs", epochs)
        self.start = number("start", start, positive=True)
        if then is not None and not callable(then):
            raise TypeError(f"then must be a schedule: got {then!r:.60}")
        self.then = then

    def __call__(self, epoch: float) -> float:
        if epoch < self.epochs:
            return self.start + (1 - self.start) * epoch / self.epochs
        return self.then(epoch - self.epochs) if self.then else 1.0

    def observe(self, loss: float) -> None:
        """Hand the epoch's loss on to the schedule that follows."""
        observe = getattr(self.then, "observe", None)
        if observe:
            observe(loss)

    def state_dict(self) -> dict[str, Any]:
        """Return what the schedule that follows remembers."""
        follower = getattr(self.then, "state_dict", None)
        return follower() if follower else {}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over what `state_dict` returned."""
        if state:
            self.then.load_state_dict(state)  # type: ignore[union-attr]

    def __repr__(self) -> str:
        return f"WarmUp({self.epochs}, start={self.start:g}, then={self.then})"


class ReduceOnPlateau:
    """Multiplies by ``factor`` each time the loss has not improved for over ``patience`` epochs.

    The loss is the validation's, or where there is none the training's.

    Args:
        factor: below 1.
        patience: how many epochs without improvement are borne.
        threshold: an improvement is a loss below (1 − threshold) times the best one.

    Source: the rule of PyTorch's ``ReduceLROnPlateau``.

    >>> schedule = ReduceOnPlateau(factor=0.5, patience=1)
    >>> for loss in (1.0, 0.8, 0.8, 0.8):
    ...     schedule.observe(loss)
    >>> schedule(4)
    0.5
    """

    def __init__(self, factor: float = 0.1, patience: int = 10, threshold: float = 1e-4) -> None:
        self.factor = number("factor", factor, positive=True)
        if self.factor >= 1:
            raise ValueError(f"factor must be below 1: got {factor}")
        self.patience = count("patience", patience)
        self.threshold = number("threshold", threshold)
        self.best = math.inf
        self.waited = 0
        self.scale = 1.0

    def __call__(self, epoch: float) -> float:
        return self.scale

    def observe(self, loss: float) -> None:
        """Take note of the loss after an epoch."""
        if loss < self.best - abs(self.best) * self.threshold or self.best == math.inf:
            self.best, self.waited = loss, 0
        else:
            self.waited += 1
        if self.waited > self.patience:
            self.scale *= self.factor
            self.waited = 0

    def state_dict(self) -> dict[str, Any]:
        """Return what has been learnt of the losses."""
        return {"best": self.best, "waited": self.waited, "scale": self.scale}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over what `state_dict` returned."""
        best, waited, scale = float(state["best"]), int(state["waited"]), float(state["scale"])
        self.best, self.waited, self.scale = best, waited, scale

    def __repr__(self) -> str:
        return f"ReduceOnPlateau(factor={self.factor:g}, patience={self.patience})"
