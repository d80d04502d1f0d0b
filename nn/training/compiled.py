"""Training as machine code: loss, gradients, clipping and update, a batch at a time, in arrays."""

from __future__ import annotations

import math
from array import array
from collections.abc import Callable, Iterator, Sequence
from copy import copy
from functools import cache, cached_property
from itertools import chain, repeat, starmap
from struct import Struct
from typing import Any, NamedTuple, NoReturn

import autograd
from autograd import CompileError, Value
from nn.history import StepRecord, layers_of
from nn.hygiene import Hygiene, not_finite, relative
from nn.optim import Optimizer
from nn.training.clipping import Clipping
from nn.training.dataset import Dataset
from nn.training.masks import Masks
from nn.training.onlookers import has_onlookers
from nn.training.plan import Plan
from nn.training.rows import Rows
from nn.training.steps import Epoch, Factor, Start, Tell, forward
from nn.training.targets import check_targets, values_refused
from nn.units import FLAT, Unit, unit_of, units_below


class Learnt(NamedTuple):
    """What an epoch's steps left behind, as arrays.

    Attributes:
        costs, rates, scales: of each step.
        losses, predictions, units, targets: of each sample, at the moment it was learnt from.
        gradients: each step's, before clipping, in rows; the next epoch reuses their memory.
        weights: before each step, in rows, and after the last one; likewise.
    """

    costs: list[float]
    rates: list[float]
    scales: list[float]
    losses: Any
    predictions: Any
    units: Any
    targets: Any
    gradients: Any
    weights: Any


class Snapshot(NamedTuple):
    """What a training is at between two steps.

    Attributes:
        weights, slopes: numbers of the optimiser's parameters, and their last gradients.
        memory, steps: the optimiser's.
        drawn: how many masks each dropout has drawn.
    """

    weights: Any
    memory: list[Any]
    steps: int
    drawn: list[int]
    slopes: Any


def compiled_update(
    optimizer: Optimizer, *, exact: bool = False, dtype: str = "float64"
) -> autograd.Compiled:
    """Return an optimiser's formula, of ``(w, g, *memory)``; its parameters are a step's rates.

    Raises:
        CompileError: a step of it is more than its `rates` and its formula.
    """
    kind = type(optimizer)
    for name in ("step", "zero_grad"):
        if getattr(kind, name) is not getattr(Optimizer, name):
            raise CompileError(
                f"{kind.__name__} has a {name} of its own: write update(w, g, *memory, *rates), or "
                "compile=False"
            )
    # Of a copy: who counts the steps in it is to count no other.
    rates = [Value(rate) for rate in copy(optimizer).rates(1)]

    def update(w: Value, g: Value, *memory: Value) -> tuple[Value, ...]:
        return optimizer.update(w, g, *memory, *rates)

    zeros = [0.0] * len(optimizer.remembers)
    settings: dict[str, Any] = {"backend": "llvm", "exact": exact, "dtype": dtype}
    compiled = autograd.compile(update, 0.0, 0.0, *zeros, wrt=rates, **settings)
    refuse_if_by_steps(compiled, optimizer)
    return compiled


def refuse_if_by_steps(compiled: autograd.Compiled, optimizer: Optimizer) -> None:
    """Raise if compiled code goes by what each step sets in the optimiser.

    Raises:
        CompileError: it does.
    """
    before = optimizer.scale, optimizer.steps
    optimizer.scale, optimizer.steps = optimizer.scale + 1.0, optimizer.steps + 1
    try:
        compiled.look(now=True)
    finally:
        optimizer.scale, optimizer.steps = before
    compiled.look(now=True)


def sample_loss(
    model: Callable[[Any], Any],
    loss: Callable[[Any, Any], Any],
    masks: Masks,
    watched: dict[int, list[Unit]],
) -> Callable[..., tuple[Any, ...]]:
    """Return the loss of a sample twice, the answer and its units, of which ``watched`` is told.

    It holds nothing of the training's, whose state would be looked at in every call.
    """

    def of_sample(x: Any, target: Any, *given: Any) -> tuple[Any, ...]:
        with masks.given(given):
            out = model(x)
        term = loss(out, target)
        units = units_below(term)
        watched[len(units)] = list(map(unit_of, units))
        return term, term, out, units

    of_sample.__wrapped__ = loss  # type: ignore[attr-defined]  # what messages name
    return of_sample


class CompiledSteps:
    """The steps of one training, compiled.

    While it learns, model and optimiser stay as they were; `sync` brings them up to the last
    whole step.

    Args:
        plan: of the training.
        exact: every bit as in the eager engine.

    Attributes:
        hygiene: is told of every unit's answers, if somebody watches.

    Raises:
        CompileError: something in the plan can't be compiled; the message says what.
        MissingExtraError: the extra ``fast`` is not installed.
    """

    def __init__(self, plan: Plan, *, exact: bool) -> None:
        import numpy

        self.numpy = numpy
        self.plan = plan
        self.hygiene: Hygiene | None = None
        self.exact = exact
        optimizer, samples = plan.optimizer, plan.samples
        self.is_ragged = any(part is not None and part.is_ragged for part in (samples, plan.tests))
        if self.is_ragged and plan.dropouts:
            raise CompileError("samples of different lengths and a Dropout, whose masks are of one")
        # The longest, which may use parameters that others don't.
        longest = samples.firsts[max(samples.firsts)]
        self._example = samples.inputs[longest], samples.targets[longest]
        self._watched: dict[int, list[Unit]] = {}
        self.layers = list(layers_of(plan.model).values())
        with plan.in_mode(training=True):
            self._compile()
        self.inputs, self.targets = self._arrays(samples)
        self._rooms: dict[str, Any] = {}
        self.ahead: Snapshot | None = None
        self.is_watched = has_onlookers(optimizer, plan.schedule)
        refuse_if_by_steps(self._cost, optimizer)
        self._evaluated: dict[Dataset, tuple[Any, Any]] = {samples: (self.inputs, self.targets)}

    def _is_current(self) -> bool:
        return (
            self._cost.is_current()
            and self._update.is_current()
            and self.masks.are_current()
            and self.held == self.plan.optimizer.parameters
        )

    def _compile(self) -> None:
        """Compile the steps for what model, loss and optimiser are now."""
        plan = self.plan
        self.held = list(plan.optimizer.parameters)
        self.clip = Clipping(plan.clip, self.held, exact=self.exact)
        self.rows = Rows(self.held, self.layers, exact=self.exact)
        self.masks = Masks(plan.model, plan.dropouts, plan.samples)
        with values_refused():
            self._cost = autograd.compile(
                sample_loss(plan.model, plan.loss, self.masks, self._watched),
                *self._example,
                *self.masks.examples(),
                wrt=plan.optimizer.parameters,
                backend="llvm",
                exact=self.exact,
                dtype=plan.dtype,
            )
        check_targets(plan)
        self._update = compiled_update(plan.optimizer, exact=self.exact, dtype=plan.dtype)
        self._descent: Any = None
        vars(self).pop("_evaluation", None)

    @property
    def name(self) -> str:
        """The back end, as a history names it."""
        if self.plan.dtype == "float32":
            return "llvm, float32"
        return "llvm, exact" if self.exact else "llvm"

    def learn(
        self, epoch: int, order: Sequence[Sequence[int]], factor: Factor, tell: Tell
    ) -> Epoch:
        """Learn from mini-batches one after the other; each step wholly or not at all.

        To be followed by `sync`, whatever happens, before anybody looks at the model.

        Args:
            order: the places in the samples, batch by batch.
        """
        learnt = self._learn(order, factor, tell)
        gradients, sizes, ways = (
            self.rows.norms(rows).tolist()
            for rows in (learnt.gradients, learnt.weights[:-1], self.rows.ways(learnt.weights))
        )
        updates = [tuple(map(relative, way, size)) for way, size in zip(ways, sizes, strict=True)]
        records = map(
            StepRecord,
            repeat(epoch),
            range(len(order)),
            learnt.costs,
            learnt.rates,
            learnt.scales,
            map(tuple, gradients),
            updates,
        )
        if self.hygiene and self.hygiene.is_looking:
            for unit, samples, flat in self._units(learnt):
                self.hygiene.note_answers(unit, samples, flat)
        return Epoch(list(records), learnt.losses.tolist(), learnt.predictions, learnt.targets)

    def _learn(self, order: Sequence[Sequence[int]], factor: Factor, tell: Tell) -> Learnt:
        numpy = self.numpy
        rows = numpy.array(list(chain.from_iterable(order)))
        self.plan.optimizer.check_memory()
        self.ahead = self._state()
        if not self._is_current():
            self._compile()  # a callback, or the user's own code, has changed something
            if not self.is_ragged:
                self._ready(self.inputs, self.targets)  # of tables that may have become shorter
        if self.is_ragged:
            return self._walk(
                order, factor, tell, *([c[i] for i in rows] for c in (self.inputs, self.targets))
            )
        inputs = self._room("inputs", (len(rows), self.inputs.shape[1]))
        numpy.take(self.inputs, rows, axis=0, out=inputs, mode="clip")
        targets = self._room("targets", (len(rows), *self.targets.shape[1:]))
        numpy.take(self.targets, rows, axis=0, out=targets, mode="clip")
        if not self._is_bare or not self._suits_one_thread(max(map(len, order))):
            return self._walk(order, factor, tell, inputs, targets)
        factor = cache(factor)  # the user's code is asked once for a step
        learnt = self._descend(order, factor, tell, inputs, targets)
        done = len(learnt.costs)
        if done < len(order):  # something is another since
            begin = sum(map(len, order[:done]))
            self._compile()
            rest = self._walk(
                order[done:],
                lambda i: factor(done + i),
                lambda i: tell(done + i),
                inputs[begin:],
                targets[begin:],
            )
            learnt = self._joined(learnt, rest, begin)
        return learnt

    def _walk(
        self,
        order: Sequence[Sequence[int]],
        factor: Factor,
        tell: Tell,
        inputs: Any,
        targets: Any,
    ) -> Learnt:
        """Learn step by step, with Python between them."""
        numpy, optimizer = self.numpy, self.plan.optimizer
        state = self._state()
        weights = self._room("weights", (len(order) + 1, self._size))
        gradients = self._room("gradients", (len(order), self._size))
        weights[0] = state.weights
        costs, rates, scales, losses, outs, answers = [], [], [], [], [], []
        begin = 0
        for i, places in enumerate(order):
            tell(i)
            end = begin + len(places)
            if self.is_watched:
                self.sync()
            optimizer.scale = factor(i)
            if self.plan.schedule is not None:
                state = self._state()
                weights[i] = state.weights
                if not self._is_current():
                    self._compile()
            (cost, terms, out, units), g = self._cost.value_and_grad(
                inputs[begin:end],
                targets[begin:end],
                *self.masks.arrays(len(places)),
                params=self._numbers(state),
            )
            if not math.isfinite(cost):
                self._refuse(places, cost)
            slopes = self.clip(g)
            if self.is_watched:
                self._show(slopes)
            settings = numpy.array(optimizer.rates(state.steps + 1))
            w, *memory = self._update(state.weights, slopes, *state.memory, params=settings)
            state = self.ahead = Snapshot(w, memory, state.steps + 1, self.masks.drawn(), slopes)
            costs.append(cost)
            rates.append(optimizer.learning_rate * optimizer.scale)
            scales.append(optimizer.scale)
            weights[i + 1], gradients[i] = w, g
            losses.append(terms)
            outs.append(out)
            answers.append(units)
            begin = end
        return Learnt(
            costs,
            rates,
            scales,
            numpy.concatenate(losses),
            list(chain.from_iterable(outs)) if self.is_ragged else numpy.concatenate(outs),
            list(chain.from_iterable(answers)) if self.is_ragged else numpy.concatenate(answers),
            targets,
            gradients,
            weights,
        )

    @property
    def _is_bare(self) -> bool:
        """Whether a step is no more than a gradient, clipped, and an update, of all parameters."""
        all_held = len(self._cost.parameters) == self._size
        return all_held and not (self.exact or self.masks.calls or self.is_watched)

    def _suits_one_thread(self, samples: int) -> bool:
        from autograd import Descent  # brings NumPy, which importing nn must not

        return Descent.suits(self._cost, samples)

    def _descend(
        self,
        order: Sequence[Sequence[int]],
        factor: Factor,
        tell: Tell,
        inputs: Any,
        targets: Any,
    ) -> Learnt:
        """Learn likewise, many steps at a time, in arrays that stay where they are.

        That ends where the schedule has changed what the steps go by.
        """
        from autograd import Descent

        optimizer, state = self.plan.optimizer, self._state()
        descent = self._descent
        if descent is None or len(descent.gradients) != len(order):
            descent = self._descent = Descent(
                [self._cost],
                self._update,
                [[inputs, targets]],
                len(order),
                self._size,
                clip_value=self.clip.largest,
                clip_norm=self.clip.norm,
            )
            ends = self.numpy.cumsum([0, *map(len, order)])  # as in every epoch
            spans = self.numpy.stack((0 * ends[1:], ends[:-1], ends[1:]), axis=1)
            descent.plan(spans, self.numpy.arange(len(ends)))
        descent.begin(state.weights, state.memory)
        rates: list[float] = []
        scales: list[float] = []
        is_current = is_finite = True
        try:
            while is_current and (done := descent.done) < len(order):
                tell(done)
                broken: BaseException | None = None
                settings = []
                for i in range(done, min(done + descent.pace, len(order))):
                    try:
                        optimizer.scale = factor(i)
                        is_current = self.plan.schedule is None or self._is_current()
                        if not is_current:
                            break
                        settings.append(optimizer.rates(state.steps + i + 1))
                    except BaseException as error:  # which is for when the steps before are made
                        broken = error
                        break
                    rates.append(optimizer.learning_rate * optimizer.scale)
                    scales.append(optimizer.scale)
                answer = descent.run(settings)
                made = descent.done
                is_finite = answer != "not finite"
                if not is_finite:
                    optimizer.scale = scales[made]
                    break
                if answer == "doubtful":
                    optimizer.scale = scales[made]
                    descent.move(self.clip(descent.gradients[made]), settings[made - done])
                    del rates[made + 1 :], scales[made + 1 :]
                elif broken:
                    raise broken
        finally:
            done = descent.done
            slopes = descent.slopes.copy() if done else state.slopes
            steps = state.steps + done
            self.ahead = Snapshot(descent.last, descent.memory, steps, state.drawn, slopes)
        if not is_finite:
            (cost,) = descent.costs(done, done + 1)
            self._refuse(order[done], cost)
        terms, outs, units = descent.outputs
        gradients, weights = descent.gradients[:done], descent.weights[: done + 1]
        costs = descent.costs(0, done)
        return Learnt(costs, rates, scales, terms, outs, units, targets, gradients, weights)

    def _joined(self, first: Learnt, rest: Learnt, begin: int) -> Learnt:
        """Return what the steps of one epoch left behind, in two parts.

        Args:
            begin: from which sample on the second part has learnt.
        """
        join = self.numpy.concatenate
        return Learnt(
            first.costs + rest.costs,
            first.rates + rest.rates,
            first.scales + rest.scales,
            join([first.losses[:begin], rest.losses]),
            join([first.predictions[:begin], rest.predictions]),
            join([first.units[:begin], rest.units]),
            first.targets,
            join([first.gradients, rest.gradients]),
            join([first.weights[:-1], rest.weights]),
        )

    def _arrays(self, samples: Dataset) -> tuple[Any, Any]:
        """Return inputs and targets as arrays; as lists where their lengths differ.

        Raises:
            IndexError: one chooses a row that a table doesn't have.
        """
        if self.is_ragged:
            return samples.inputs, samples.targets
        width = len(samples.inputs[0])
        # Three times as fast as to make the array of the lists.
        packed = b"".join(starmap(Struct(f"{width}d").pack, samples.inputs))
        inputs = self.numpy.frombuffer(packed).reshape(len(samples), width)
        return self._ready(inputs, self.numpy.array(samples.targets, dtype=float))

    def _ready(self, inputs: Any, targets: Any) -> tuple[Any, Any]:
        """Return samples as the code takes them.

        Raises:
            IndexError: one chooses a row that a table doesn't have.
        """
        from autograd import Descent

        ready = Descent.ready(self._cost, [inputs, targets])
        return ready[0], ready[1]

    def _room(self, name: str, shape: tuple[int, ...]) -> Any:
        """Return the array of this name, made anew only where its shape has changed."""
        if name not in self._rooms or self._rooms[name].shape != shape:
            self._rooms[name] = self.numpy.empty(shape, self.plan.dtype)
        return self._rooms[name]

    def _refuse(self, places: Sequence[int], cost: float) -> NoReturn:
        """Raise the error for a batch whose cost is not finite."""
        self.sync()
        rate = self.plan.optimizer.learning_rate * self.plan.optimizer.scale
        drawn = self.masks.drawn()
        try:
            forward(self.plan, places)  # a row may be undefined there, which says more
            error = not_finite(cost, rate, lambda: forward(self.plan, places))
        finally:
            self.masks.restore(drawn)
        if self.plan.dtype == "float32":
            error.add_note("in float32, whose largest number is 3.4e38: float64 may go on")
        raise error

    def evaluate(self, samples: Dataset) -> tuple[list[float], Any]:
        """Return loss and prediction of each sample, by the model as it is used."""
        if samples not in self._evaluated:
            self._evaluated[samples] = self._arrays(samples)
        if not self._evaluation.is_current():
            vars(self).pop("_evaluation")
        numbers = self._numbers(self._state())
        losses, outs = self._evaluation(*self._evaluated[samples], params=numbers)
        return list(map(float, losses)), outs

    def _units(self, learnt: Learnt) -> Iterator[tuple[Unit, int, int]]:
        """Yield the units, how many answers each gave in an epoch, and how many of its flat side.

        A unit that answers a sample several times comes as often.
        """
        groups: dict[int, Any] = {}
        if self.is_ragged:
            for row in learnt.units:
                groups.setdefault(len(row), []).append(row)
        else:
            groups[learnt.units.shape[1]] = learnt.units
        for size, rows in groups.items():
            units = self.numpy.array(rows).reshape(len(rows), size)
            flat = {op: is_flat(units).sum(axis=0).tolist() for op, is_flat in FLAT.items()}
            for i, unit in enumerate(self._watched[size]):
                yield unit, len(rows), flat[unit[1]][i]

    @cached_property
    def _evaluation(self) -> autograd.Compiled:
        model, loss = self.plan.model, self.plan.loss

        def evaluate(x: Any, target: Any) -> tuple[Any, Any]:
            out = model(x)
            return loss(out, target), out

        wrt = self._cost.parameters
        settings: dict[str, Any] = {"exact": self.exact, "dtype": self.plan.dtype}
        return autograd.compile(evaluate, *self._example, wrt=wrt, backend="llvm", **settings)

    @property
    def _size(self) -> int:
        return len(self.plan.optimizer.parameters)

    def _state(self) -> Snapshot:
        """Return where the training is: ahead of the model, or where the model is."""
        if self.ahead:
            return self.ahead
        numpy, optimizer = self.numpy, self.plan.optimizer
        with numpy.errstate(over="ignore"):
            weights = numpy.array([leaf.data for leaf in optimizer.parameters], self.plan.dtype)
            memory = [numpy.array(column, self.plan.dtype) for column in optimizer.memory]
        return Snapshot(weights, memory, optimizer.steps, self.masks.drawn(), None)

    def _numbers(self, state: Snapshot) -> Any:
        """Return the numbers of all parameters: the optimiser's, and those it doesn't hold."""
        others = self._cost.parameters[self._size :]
        if not others:
            return state.weights
        return self.numpy.append(state.weights, [leaf.data for leaf in others])

    def sync(self) -> None:
        """Bring model, optimiser and dropouts to where the training is."""
        state = self.ahead
        if state is None:
            return
        leaves = self.plan.optimizer.parameters
        for leaf, w in zip(leaves, state.weights.tolist(), strict=True):
            leaf.data = w
        if state.slopes is not None:
            self._show(state.slopes)
        self.plan.optimizer.memory = tuple(column.tolist() for column in state.memory)
        self.plan.optimizer.steps = state.steps
        self.masks.restore(state.drawn)
        self.ahead = None

    def _show(self, slopes: Any) -> None:
        """Let the parameters have their gradients."""
        for leaf, slope in zip(self.plan.optimizer.parameters, slopes.tolist(), strict=True):
            leaf.grad = slope

    def start(self) -> Start:
        """Return where the training is."""
        state, optimizer = self._state(), self.plan.optimizer
        columns = zip(optimizer.remembers, state.memory, strict=True)
        memory = {name: _packed(column) for name, column in columns}
        settings = {**optimizer.settings(), "steps": state.steps, "scale": optimizer.scale}
        return Start(_packed(state.weights), settings | memory, state.drawn)


def _packed(column: Any) -> array[float]:
    return array("d", column.astype(float, copy=False).tobytes())
