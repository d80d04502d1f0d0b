"""`minimize`: a function of a sample descended by an optimiser, compiled where that can be."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from functools import cache, partial
from importlib.util import find_spec
from typing import Any

import autograd
from autograd import CompileError, Value, mean, quoted
from nn.arguments import real
from nn.optim import Optimizer
from nn.training.batches import Data, Sample, by_length, gathered
from nn.training.changeover import compiled_if_possible, say
from nn.training.onlookers import has_onlookers
from nn.training.patience import Patience
from nn.training.plan import check_dtype
from nn.training.steps import Factor
from nn.training.targets import check_samples, values_refused
from nn.training.update import Update

Loss = Callable[[Any], Value]

SAMPLES_WORTHWHILE = 64
"""Samples of each length from which on it is compiled: making the code takes about as long as the
eager engine for so many."""

ALONE = 3
"""So many samples of one length in a step, on the average, are best done one by one: for a vector
of samples it takes longer."""

STRETCH = 64
"""Steps that are planned at once."""


def minimize(
    loss: Loss,
    batches: Iterable[Iterable[Sample]],
    optimizer: Optimizer,
    schedule: Callable[[int], float] | None = None,
    tell: Callable[[float], object] | None = None,
    *,
    compile: bool | None = None,
    dtype: str = "float64",
) -> list[float]:
    """Return the loss of each step: the mean over a batch, which the optimiser then descends.

    For functions that are no module, and samples of different lengths, such as documents; a module
    with inputs and targets is for `nn.fit`. Compiled, each length has code of its own, made when it
    first comes. Whatever ends it, the parameters are those after a whole step.

    Args:
        loss: of a sample, a list of numbers; it computes with the optimiser's parameters.
        batches: the samples of each step.
        schedule: gives the factor of the learning rate of a step, counted from 0.
        tell: is told the loss of each step, when it has been made.
        compile: whether to; by default where the extra ``fast`` is installed, the samples are so
            many for their lengths that the code is worth making, and that can be done; if it
            can't, or not any more, one line says why.
        dtype: "float32" for single precision, as for `nn.fit`: always compiled.

    Raises:
        CompileError: it is to be compiled, and the loss decides by a number, or does something
            else each time, or after something that a step goes by is another.
        FloatingPointError: a loss is not finite.
        TypeError, ValueError: an argument is unusable; nothing has been changed.

    >>> from nn.optim import SGD
    >>> w = Value(0.0)
    >>> minimize(lambda x: (w - x[0]) ** 2, [[[1.0], [3.0]]] * 3, SGD([w], 0.25))
    [5.0, 2.0, 1.25]
    >>> w.data
    1.75
    """
    if not callable(loss):
        raise TypeError(f"loss must be a function of a sample: got {quoted(loss)}")
    if not isinstance(optimizer, Optimizer):
        raise TypeError(f"optimizer must be one of nn.optim, such as SGD: got {quoted(optimizer)}")
    check_dtype(dtype, compile)
    for name, function in (("schedule", schedule), ("tell", tell)):
        if function is not None and not callable(function):
            raise TypeError(f"{name} must be a function: got {quoted(function)}")
    data = gathered(batches)
    count = len(data.ends) - 1
    if not count:
        return []
    if dtype == "float32":
        compile = True
    is_asked = compile is not None
    price = SAMPLES_WORTHWHILE * len(set(data.lengths))
    if compile is None:
        is_there = find_spec("llvmlite") and find_spec("numpy")
        compile = len(data.lengths) >= price and bool(is_there)
    make = partial(_Compiled, loss, data, optimizer, dtype, schedule, tell)
    descent: _Compiled | _Eager | None = None
    if compile:
        descent = make() if is_asked else compiled_if_possible("minimize", (loss, optimizer), make)
    descent = descent or _Eager(loss, data, optimizer)
    patience = Patience(price)
    losses: list[float] = []
    asked = cache(schedule) if schedule else None  # once for a step
    factor: Factor = lambda i: real("what schedule returns", asked(i)) if asked else optimizer.scale
    try:
        while (done := len(losses)) < count:
            # Who is told of each step may end it all.
            try:
                values = descent.steps_from(done, 1 if tell else descent.pace, factor)
            except CompileError as error:
                if is_asked or isinstance(descent, _Eager):
                    raise
                descent.sync()
                again = None
                if patience.takes_one():
                    again = compiled_if_possible("minimize", (loss, optimizer), make)
                else:
                    say("minimize", error)
                descent = again or _Eager(loss, data, optimizer)
                descent.begin(done)
                continue
            patience.note(data.ends[done + len(values)] - data.ends[done])
            for value in values:
                losses.append(value)
                if tell:
                    tell(value)
    finally:
        descent.sync()
    return losses


def _checked(value: float, optimizer: Optimizer) -> float:
    if not math.isfinite(value):
        raise FloatingPointError(
            f"the loss became {value} in step {optimizer.steps + 1}: try a smaller learning rate "
            f"than {optimizer.learning_rate * optimizer.scale:g}"
        )
    return value


class _Eager:
    """Steps in the eager engine."""

    def __init__(self, loss: Loss, data: Data, optimizer: Optimizer) -> None:
        self.loss = loss
        self.data = data
        self.spans = [*data.spans()]
        self.optimizer = optimizer

    pace = 1

    def begin(self, i: int) -> None:
        """Begin at a step: any will do."""

    def steps_from(self, i: int, most: int, factor: Factor) -> list[float]:
        """Make the next step; return its loss, in a list."""
        self.optimizer.scale = factor(i)
        self.optimizer.zero_grad()
        numbers, _, ends = self.data
        spans = self.spans[ends[i] : ends[i + 1]]
        cost = mean([self.loss(numbers[begin:end]) for begin, end in spans])
        if not isinstance(cost, Value):
            raise TypeError(
                f"loss must return a Value, computed with the parameters: got {quoted(cost)}"
            )
        value = _checked(cost.data, self.optimizer)
        cost.backward()
        self.optimizer.step()
        return [value]

    def sync(self) -> None:
        """Bring the parameters to where the steps are: they are there."""


class _Compiled:
    """Steps in machine code; parameters and optimiser stay as they were until `sync`.

    Args:
        between: what is called between steps. If it can reach parameters or optimiser, these are
            brought there after each step, and the next one begins with what they are then.
    """

    def __init__(
        self,
        loss: Loss,
        data: Data,
        optimizer: Optimizer,
        dtype: str,
        *between: Callable[..., Any] | None,
    ) -> None:
        from autograd import Descent

        self.optimizer = optimizer
        self.is_ahead = False
        # The longest comes first, as it may use parameters that others don't.
        lengths = sorted(set(data.lengths), reverse=True)
        settings: dict[str, Any] = {"backend": "llvm", "dtype": dtype}
        with values_refused():
            cost = autograd.compile(loss, [0.0] * lengths[0], wrt=optimizer.parameters, **settings)
        check_samples(loss, data.samples())
        size = len(optimizer.parameters)
        self.cost, self.others = cost, cost.parameters[size:]
        self.is_watched = has_onlookers(optimizer, *between, others=self.others)
        self.fixed = [leaf.data for leaf in self.others]
        kinds, self.spans, self.ends = by_length(data, lengths)
        costs = [cost.of(((length,),)) for length in lengths]
        is_few = len(data.lengths) <= ALONE * len(self.spans)
        self.update = Update(optimizer, dtype=dtype)
        self.descent = Descent(
            costs,
            self.update.code,
            [Descent.ready(one, [kind]) for one, kind in zip(costs, kinds, strict=True)],
            STRETCH,
            size,
            fixed=self.fixed,
            keeps=False,
            single=is_few or Descent.suits_one_by_one(cost),
        )
        self.broken: BaseException | None = None
        self.begin(0)

    def begin(self, i: int) -> None:
        """Begin at a step, with what parameters and optimiser are."""
        import numpy

        weights = numpy.array([leaf.data for leaf in self.optimizer.parameters])
        self.descent.begin(weights, list(map(numpy.array, self.optimizer.memory)))
        self._plan(i)

    def _plan(self, i: int) -> None:
        ends = self.ends[i : i + STRETCH + 1]
        self.descent.plan(self.spans[ends[0] : ends[-1]], ends - ends[0])

    @property
    def pace(self) -> int:
        """How many steps to make at once."""
        return 1 if self.is_watched else self.descent.pace

    def steps_from(self, i: int, most: int, factor: Factor) -> list[float]:
        """Make the next steps, so many at most; return their losses.

        What keeps one of them from being made is raised at once, or when the next is to be.
        """
        optimizer, descent = self.optimizer, self.descent
        if self.broken:
            raise self.broken
        self._look()
        if descent.done == STRETCH:
            descent.begin(descent.last, descent.memory)
            self._plan(i)
        first = descent.done
        scales: list[float] = []
        settings: list[Sequence[float]] = []
        for k in range(i, min(i + min(most, STRETCH - first), len(self.ends) - 1)):
            try:
                optimizer.scale = factor(k)
                self._look()
                rates = optimizer.rates(optimizer.steps + k - i + 1)
                if self.is_watched:  # rates of the user's may change what the formula goes by
                    self.update.look()
                settings.append(rates)
            except BaseException as error:  # which is for when the steps before are made
                self.broken = error
                break
            scales.append(optimizer.scale)
        if self.is_watched:
            self.begin(i)
            first = 0
        self.is_ahead = True
        try:
            descent.run(settings)
        finally:
            made = descent.done - first
            optimizer.steps += made
        if made < len(settings):
            optimizer.scale = scales[made]
            (value,) = descent.costs(first + made, first + made + 1)
            self.sync()
            optimizer.zero_grad()  # those of the step that is not made are of no use
            _checked(value, optimizer)
        if self.broken and not made:
            raise self.broken
        if self.is_watched:
            self.sync()
        return descent.costs(first, first + made)

    def _look(self) -> None:
        """Notice what the schedule, or who is told, has changed.

        Raises:
            CompileError: the steps go by it.
        """
        self.cost.look()
        if not self.is_watched:  # nobody reaches the optimiser, nor what it doesn't hold
            self.update.code.look()
            return
        self.update.look()
        fixed = [leaf.data for leaf in self.others]
        if fixed != self.fixed:
            self.fixed = fixed
            self.descent.fix(fixed)

    def sync(self) -> None:
        """Bring the parameters, and what the optimiser remembers, to where the steps are."""
        if not self.is_ahead:
            return  # what is set since stays
        descent, optimizer = self.descent, self.optimizer
        self.is_ahead = False
        for leaf, w in zip(optimizer.parameters, descent.last.tolist(), strict=True):
            leaf.data = w
        optimizer.memory = tuple(column.tolist() for column in descent.memory)
        if descent.done:
            for leaf, slope in zip(optimizer.parameters, descent.slopes.tolist(), strict=True):
                leaf.grad = slope
