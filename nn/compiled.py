"""Training as machine code: loss, gradients, clipping and update, a batch at a time, in arrays."""

from __future__ import annotations

import math
from array import array
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property, partial
from itertools import chain, starmap
from struct import Struct
from typing import Any, NamedTuple

from autograd import Compiled, CompileError, Value, compile
from nn.arguments import number
from nn.clip import clip_grad_value
from nn.dataset import Dataset
from nn.filters import Dropout
from nn.hygiene import FLAT, Unit, unit_of, units_below
from nn.losses import Loss
from nn.module import Module
from nn.optim import Optimizer

Clip = float | Callable[[list[Value]], Any]


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


class State(NamedTuple):
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


class CompiledSteps:
    """The steps of one training run, compiled.

    While it learns, model and optimiser stay as they were; `sync` brings them up to the last
    whole step.

    Args:
        model, samples, loss, optimizer, clip: as `nn.fit` takes them.
        exact: every bit as in the eager engine.

    Raises:
        CompileError: something in them can't be compiled; the message says what.
        MissingExtraError: the extra ``fast`` is not installed.
    """

    def __init__(
        self,
        model: Module,
        samples: Dataset,
        loss: Loss,
        optimizer: Optimizer,
        clip: Clip | None,
        *,
        exact: bool,
    ) -> None:
        import numpy

        self.numpy = numpy
        self.model = model
        self.loss = loss
        self.optimizer = optimizer
        self.clip = clip
        self.exact = exact
        modules = list(model.named_modules().values())
        self.dropouts = [module for module in modules if isinstance(module, Dropout)]
        self.inputs, self.targets = self._arrays(samples)
        if type(optimizer).step is not Optimizer.step:
            raise CompileError(f"{type(optimizer).__name__} has a step of its own")
        if callable(clip) and _largest(clip) is None:
            name = getattr(clip, "__name__", repr(clip))
            raise CompileError(f"clip is the function {name}, which needs the parameters' Values")
        example = samples.inputs[0], samples.targets[0]
        for module in modules:
            module.training = True
        self.calls = self._dropped(samples)
        masks = [[1.0] * n for _, n in self.calls]
        backend = "llvm"
        self._cost = compile(
            self._sample_loss,
            *example,
            *masks,
            wrt=optimizer.parameters,
            backend=backend,
            exact=exact,
        )
        for module in modules:
            module.training = False
        self._example = example
        rates = [Value(rate) for rate in optimizer.rates(1)]

        def update(w: Value, g: Value, *memory: Value) -> tuple[Value, ...]:
            return optimizer.update(w, g, *memory, *rates)

        zeros = [0.0] * len(optimizer.remembers)
        self._update = compile(update, 0.0, 0.0, *zeros, wrt=rates, backend=backend, exact=exact)
        self._rooms: dict[str, Any] = {}
        self.ahead: State | None = None
        self._descent: Any = None
        self._known: dict[int, tuple[Sequence[Value], Any]] = {}
        self._evaluated: dict[Dataset, tuple[Any, Any]] = {samples: (self.inputs, self.targets)}

    @property
    def name(self) -> str:
        """The back end, as a history names it."""
        return "llvm, exact" if self.exact else "llvm"

    def learn(
        self,
        order: Sequence[Sequence[int]],
        scale: Callable[[int], float],
        show: Callable[[int], None],
        refuse: Callable[[Sequence[int], float], None],
    ) -> Learnt:
        """Learn from mini-batches one after the other; each step wholly or not at all.

        To be followed by `sync`, whatever happens, before anybody looks at the model.

        Args:
            order: the places in the samples, batch by batch.
            scale: gives the schedule's factor of a step.
            show: is told of each step.
            refuse: raises the error for a batch whose cost is not finite.
        """
        numpy, optimizer = self.numpy, self.optimizer
        rows = numpy.array(list(chain.from_iterable(order)))
        inputs = self._room("inputs", (len(rows), self.inputs.shape[1]))
        numpy.take(self.inputs, rows, axis=0, out=inputs, mode="clip")
        targets = self._room("targets", (len(rows), *self.targets.shape[1:]))
        numpy.take(self.targets, rows, axis=0, out=targets, mode="clip")
        state = self.ahead = self._state()
        if self._is_bare and self._suits_one_thread(max(map(len, order))):
            return self._descend(order, scale, show, refuse, inputs, targets)
        weights = self._room("weights", (len(order) + 1, self._size))
        gradients = self._room("gradients", (len(order), self._size))
        weights[0] = state.weights
        costs, rates, scales, losses, outs, answers = [], [], [], [], [], []
        begin = 0
        for i, places in enumerate(order):
            show(i)
            end = begin + len(places)
            optimizer.scale = scale(i)
            (cost, terms, out, units), g = self._cost.value_and_grad(
                inputs[begin:end],
                targets[begin:end],
                *self._masks(len(places)),
                params=self._numbers(state),
            )
            if not math.isfinite(cost):
                self.sync()
                refuse(places, cost)
            settings = numpy.array(optimizer.rates(state.steps + 1))
            slopes = self._clipped(g)
            w, *memory = self._update(state.weights, slopes, *state.memory, params=settings)
            state = self.ahead = State(w, memory, state.steps + 1, self._drawn(), slopes)
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
            numpy.concatenate(outs),
            numpy.concatenate(answers),
            targets,
            gradients,
            weights,
        )

    @property
    def _is_bare(self) -> bool:
        """Whether a step is no more than a gradient and an update, of all parameters."""
        all_held = len(self._cost.parameters) == self._size
        return all_held and not (self.exact or self.clip or self.calls)

    def _suits_one_thread(self, samples: int) -> bool:
        from autograd import Descent  # brings NumPy, which importing nn must not

        return Descent.suits(self._cost, samples)

    def _descend(
        self,
        order: Sequence[Sequence[int]],
        scale: Callable[[int], float],
        show: Callable[[int], None],
        refuse: Callable[[Sequence[int], float], None],
        inputs: Any,
        targets: Any,
    ) -> Learnt:
        """Learn as `learn` does, in arrays that stay where they are."""
        from autograd import Descent

        optimizer, state = self.optimizer, self._state()
        descent = self._descent
        if descent is None or len(descent.gradients) != len(order):
            data = [inputs, targets]
            descent = Descent(self._cost, self._update, data, len(order), self._size)
            self._descent = descent
        descent.begin(state.weights, state.memory)
        costs, rates, scales = [], [], []
        begin = 0
        try:
            for i, places in enumerate(order):
                show(i)
                end = begin + len(places)
                optimizer.scale = scale(i)
                cost = descent.cost(begin, end)
                if not math.isfinite(cost):
                    break
                descent.update(optimizer.rates(state.steps + i + 1))
                costs.append(cost)
                rates.append(optimizer.learning_rate * optimizer.scale)
                scales.append(optimizer.scale)
                begin = end
        finally:
            done = descent.done
            slopes = descent.gradients[done - 1] if done else state.slopes
            steps = state.steps + done
            self.ahead = State(descent.weights[done], descent.memory, steps, state.drawn, slopes)
        if done < len(order):
            self.sync()
            refuse(order[done], cost)
        terms, outs, units = descent.outputs
        return Learnt(
            costs, rates, scales, terms, outs, units, targets, descent.gradients, descent.weights
        )

    def _arrays(self, samples: Dataset) -> tuple[Any, Any]:
        """Return inputs and targets as arrays."""
        width = len(samples.inputs[0])
        # Three times as fast as to make the array of the lists.
        packed = b"".join(starmap(Struct(f"{width}d").pack, samples.inputs))
        inputs = self.numpy.frombuffer(packed).reshape(len(samples), width)
        return inputs, self.numpy.array(samples.targets)

    def _room(self, name: str, shape: tuple[int, ...]) -> Any:
        """Return the array of this name, made anew only where its shape has changed."""
        if name not in self._rooms or self._rooms[name].shape != shape:
            self._rooms[name] = self.numpy.empty(shape)
        return self._rooms[name]

    def moves(self, weights: Any) -> Any:
        """Return how far each parameter went in each step, in rows."""
        ways = self._room("ways", (len(weights) - 1, self._size))
        return self.numpy.subtract(weights[1:], weights[:-1], out=ways)

    def norms(self, rows: Any, groups: Sequence[Sequence[Value]]) -> Any:
        """Return the norm of each group's part of each row."""
        numpy = self.numpy
        norms = numpy.empty((len(rows), len(groups)))
        parts = [rows[:, self._places(group)] for group in groups]
        with numpy.errstate(all="ignore"):
            for k, part in enumerate(parts):
                # Each row with itself, in a third of the time that einsum takes.
                norms[:, k] = numpy.matmul(part[:, None], part[..., None])[:, 0, 0]
            numpy.sqrt(norms, out=norms)
            # A square over- or underflows long before a norm does.
            doubtful = ~((norms > 1e-140) & (norms < 1e140)) | self.exact
        for i, k in zip(*doubtful.nonzero(), strict=True):
            norms[i, k] = math.hypot(*parts[k][i])
        return norms

    def _places(self, group: Sequence[Value]) -> Any:
        """Return where a group's parameters are among the optimiser's."""
        if id(group) not in self._known:
            place = {leaf: i for i, leaf in enumerate(self.optimizer.parameters)}
            found = [place[leaf] for leaf in group if leaf in place]
            begin = found[0] if found else 0
            side_by_side = found == list(range(begin, begin + len(found)))
            self._known[id(group)] = (
                group,
                slice(begin, begin + len(found)) if side_by_side else found,
            )
        return self._known[id(group)][1]

    def evaluate(self, samples: Dataset) -> tuple[list[float], Any]:
        """Return loss and prediction of each sample, by the model as it is used."""
        if samples not in self._evaluated:
            self._evaluated[samples] = self._arrays(samples)
        numbers = self._numbers(self._state())
        losses, outs = self._evaluation(*self._evaluated[samples], params=numbers)
        return losses.tolist(), outs

    def units(self, learnt: Learnt) -> Iterator[tuple[Unit, int, int]]:
        """Yield the units, how many answers each gave in an epoch, and how many of its flat side.

        A unit that answers a sample several times comes as often.
        """
        samples = len(learnt.units)
        flat = {op: is_flat(learnt.units).sum(axis=0).tolist() for op, is_flat in FLAT.items()}
        for i, unit in enumerate(self._watched):
            yield unit, samples, flat[unit[1]][i]

    def _sample_loss(self, x: Any, target: Any, *masks: Any) -> tuple[Any, ...]:
        drawn = iter(masks)
        with _drawing(self.dropouts, lambda _, n: next(drawn)):
            out = self.model(x)
        term = self.loss(out, target)
        units = units_below(term)
        self._watched = list(map(unit_of, units))
        return term, term, out, units

    @cached_property
    def _evaluation(self) -> Compiled:
        def evaluate(x: Any, target: Any) -> tuple[Any, Any]:
            out = self.model(x)
            return self.loss(out, target), out

        wrt = self._cost.parameters
        return compile(evaluate, *self._example, wrt=wrt, backend="llvm", exact=self.exact)

    def _dropped(self, samples: Dataset) -> list[tuple[Dropout, int]]:
        """Return which dropouts one sample passes, in order, with the lengths of their masks."""
        calls: list[tuple[Dropout, int]] = []
        if not self.dropouts:
            return calls

        def draw(dropout: Dropout, n: int) -> list[float]:
            calls.append((dropout, n))
            return [1.0] * n

        with _drawing(self.dropouts, draw):
            self.model(samples[0][0])
        return calls

    def _masks(self, n: int) -> list[Any]:
        """Return the next masks of ``n`` samples, drawn sample by sample."""
        masks = [self.numpy.empty((n, size)) for _, size in self.calls]
        for i in range(n if masks else 0):
            for mask, (dropout, size) in zip(masks, self.calls, strict=True):
                mask[i] = dropout.mask(size)
        return masks

    def _drawn(self) -> list[int]:
        return [dropout.masks for dropout in self.dropouts]

    def _clipped(self, g: Any) -> Any:
        numpy, clip = self.numpy, self.clip
        if clip is None:
            return g
        if callable(clip):
            return numpy.clip(g, -_largest(clip), _largest(clip))  # type: ignore[operator]
        norm = float(self.norms(g[None], [self.optimizer.parameters])[0, 0])
        if not math.isfinite(norm):
            leaf = self.optimizer.parameters[int(numpy.argmin(numpy.isfinite(g)))]
            raise FloatingPointError(f"the gradient of {leaf.label or 'a parameter'} is not finite")
        return g / norm * clip if norm > clip else g

    @property
    def _size(self) -> int:
        return len(self.optimizer.parameters)

    def _state(self) -> State:
        """Return where the training is: ahead of the model, or where the model is."""
        if self.ahead:
            return self.ahead
        numpy, optimizer = self.numpy, self.optimizer
        weights = numpy.array([leaf.data for leaf in optimizer.parameters])
        memory = [numpy.array(column) for column in optimizer.memory]
        return State(weights, memory, optimizer.steps, self._drawn(), None)

    def _numbers(self, state: State) -> Any:
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
        leaves = self.optimizer.parameters
        for leaf, w in zip(leaves, state.weights.tolist(), strict=True):
            leaf.data = w
        if state.slopes is not None:
            for leaf, slope in zip(leaves, state.slopes.tolist(), strict=True):
                leaf.grad = slope
        self.optimizer.memory = tuple(column.tolist() for column in state.memory)
        self.optimizer.steps = state.steps
        for dropout, masks in zip(self.dropouts, state.drawn, strict=True):
            dropout.masks = masks
        self.ahead = None

    def start(self) -> dict[str, Any]:
        """Return where the training is in little memory, for a replay to begin from."""
        state, optimizer = self._state(), self.optimizer
        columns = zip(optimizer.remembers, state.memory, strict=True)
        return {
            "weights": array("d", state.weights.tobytes()),
            "optimizer": {
                "steps": state.steps,
                "learning_rate": optimizer.learning_rate,
                "scale": optimizer.scale,
                **{name: array("d", column.tobytes()) for name, column in columns},
            },
            "masks": state.drawn,
        }


@contextmanager
def _drawing(dropouts: Sequence[Dropout], draw: Callable[[Dropout, int], Any]) -> Iterator[None]:
    """Let the dropouts take their masks from ``draw``."""
    for dropout in dropouts:
        vars(dropout)["mask"] = partial(draw, dropout)
    try:
        yield
    finally:
        for dropout in dropouts:
            del vars(dropout)["mask"]


def _largest(clip: Callable[..., Any]) -> float | None:
    """Return the bound of a `clip_grad_value` with its bound filled in; None for another."""
    if isinstance(clip, partial) and clip.func is clip_grad_value and not clip.args:
        bound = clip.keywords.get("max_value")
        return None if bound is None else number("max_value", bound, positive=True)
    return None
