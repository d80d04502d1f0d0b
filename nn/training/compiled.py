"""Training as machine code: loss, gradients, clipping and update, a batch at a time, in arrays."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import cache, cached_property
from itertools import chain, repeat
from typing import Any, NoReturn

import autograd
from autograd import CompileError
from nn.history import StepRecord, layers_of
from nn.hygiene import Hygiene, not_finite, relative
from nn.training.answers import Answered, Answers
from nn.training.clipping import Clipping
from nn.training.dataset import Dataset
from nn.training.lead import Lead, Snapshot
from nn.training.learnt import Learnt
from nn.training.masks import Masks
from nn.training.onlookers import has_onlookers
from nn.training.patience import Patience
from nn.training.plan import Plan
from nn.training.rows import Rows
from nn.training.sample import arrays_of, sample_evaluation, sample_loss
from nn.training.steps import Epoch, Factor, Start, Tell, forward
from nn.training.targets import check_targets, values_refused
from nn.training.update import Update, refuse_if_by_steps


class CompiledSteps:
    """The steps of one training, compiled.

    While it learns, model and optimiser stay as they were; `sync` brings them up to the last
    whole step.

    Args:
        plan: of the training.
        exact: every bit as in the eager engine.
        patience: how often they may be compiled anew, where somebody goes on if they can't be.

    Attributes:
        hygiene: is told of every unit's answers, if somebody watches.
        stopped: why `learn` has made less than all steps, where it can't compile the others.

    Raises:
        CompileError: something in the plan can't be compiled; the message says what.
        MissingExtraError: the extra ``fast`` is not installed.
    """

    def __init__(self, plan: Plan, *, exact: bool, patience: Patience | None = None) -> None:
        import numpy

        self.patience = patience
        self.stopped: CompileError | None = None

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
        self.layers = list(layers_of(plan.model).values())
        with plan.in_mode(training=True):
            self._compile()
            refuse_if_by_steps(self._cost, optimizer)
        self.inputs, self.targets = self._arrays(samples)
        self._rooms: dict[str, Any] = {}
        self.lead = Lead(plan)
        self.is_watched = has_onlookers(optimizer, plan.schedule)
        self._evaluated: dict[Dataset, tuple[Any, Any]] = {samples: (self.inputs, self.targets)}

    def _is_current(self) -> bool:
        return self._cost.is_current() and self._update.is_current() and self.masks.are_current()

    def _goes_by_the_same(self) -> bool:
        """Return whether they are current where nobody could reach the optimiser meanwhile."""
        return self._cost.is_current() and self._update.code.is_current()

    def _compile(self) -> None:
        """Compile the steps for what model, loss and optimiser are now."""
        plan = self.plan
        self.held = list(plan.optimizer.parameters)
        self.clip = Clipping(plan.clip, self.held, exact=self.exact)
        self.rows = Rows(self.held, self.layers, exact=self.exact)
        self.masks = Masks(plan.model, plan.dropouts, plan.samples)
        with values_refused():
            self._cost = autograd.compile(
                sample_loss(plan.model, plan.loss, self.masks),
                *self._example,
                *self.masks.examples(),
                wrt=plan.optimizer.parameters,
                backend="llvm",
                exact=self.exact,
                dtype=plan.dtype,
            )
        check_targets(plan)
        self._compile_update()
        self._answers = Answers(self._cost, is_ragged=self.is_ragged)
        vars(self).pop("_evaluation", None)

    def _compile_update(self) -> None:
        self._update = Update(self.plan.optimizer, exact=self.exact, dtype=self.plan.dtype)
        self._descent: Any = None

    def _renew(self, compile: Callable[[], None]) -> None:
        """Compile anew, as a callback, or the user's own code, has changed something.

        Args:
            compile: the steps, or the optimiser's formula alone.

        Raises:
            CompileError: they can't be compiled any more, or have been too often.
        """
        plan = self.plan
        if self.patience and not self.patience.takes_one():
            for code in (self._cost, self._update.code):
                code.look(now=True)
        undo = autograd.as_it_was((plan.model, plan.loss, plan.optimizer))
        try:
            compile()
        except CompileError:
            undo()
            raise

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
        self._answers = Answers(self._cost, is_ragged=self.is_ragged)  # with the names of now
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
            for unit, samples, flat in learnt.units():
                self.hygiene.note_answers(unit, samples, flat)
        return Epoch(list(records), learnt.losses.tolist(), learnt.predictions, learnt.targets)

    def _learn(self, order: Sequence[Sequence[int]], factor: Factor, tell: Tell) -> Learnt:
        numpy = self.numpy
        rows = numpy.array(list(chain.from_iterable(order)))
        self.plan.optimizer.check_memory()
        self.lead.snapshot = self.lead.now()
        if not self._is_current():
            try:
                self._renew(self._compile)
            except CompileError as error:
                self._stop(error, 0)
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
            try:
                self._renew(self._compile)
                rest = self._walk(
                    order[done:],
                    lambda i: factor(done + i),
                    lambda i: tell(done + i),
                    inputs[begin:],
                    targets[begin:],
                )
            except CompileError as error:
                self._stop(error, done)
                return learnt.only(begin)
            learnt = learnt.before(begin, rest)
        return learnt

    def _stop(self, reason: CompileError, made: int) -> None:
        """Leave the other steps to somebody else; raise if there were none, or nobody is there."""
        self.stopped = reason
        if not made or self.patience is None:
            raise reason

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
        state = self.lead.now()
        weights = self._room("weights", (len(order) + 1, self._size))
        gradients = self._room("gradients", (len(order), self._size))
        weights[0] = state.weights
        costs, rates, scales, losses, outs = [], [], [], [], []
        answers: list[Answered] = []
        begin = 0
        for i, places in enumerate(order):
            tell(i)
            end = begin + len(places)
            if self.is_watched:
                self.sync()
            optimizer.scale = factor(i)
            if self.is_watched or self.plan.schedule is not None:
                state = self.lead.now()
                weights[i] = state.weights
                if not self._is_current():
                    try:
                        self._renew(self._compile)
                    except CompileError as error:
                        self._stop(error, i)
                        break
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
                self.lead.show(slopes)
            settings = numpy.array(optimizer.rates(state.steps + 1))
            if self.is_watched and not self._update.is_current():  # by rates of the user's
                try:
                    self._renew(self._compile_update)
                except CompileError as error:
                    self._stop(error, i)
                    break
            w, *memory = self._update.code(state.weights, slopes, *state.memory, params=settings)
            state = self.lead.snapshot = Snapshot(
                w, memory, state.steps + 1, self.masks.drawn(), slopes
            )
            costs.append(cost)
            rates.append(optimizer.learning_rate * optimizer.scale)
            scales.append(optimizer.scale)
            weights[i + 1], gradients[i] = w, g
            losses.append(terms)
            outs.append(out)
            answers += self._answers.of(inputs[begin:end], targets[begin:end], units)
            begin = end
            if self.patience:
                self.patience.note(len(places))
        return Learnt(
            costs,
            rates,
            scales,
            numpy.concatenate(losses),
            list(chain.from_iterable(outs)) if self.is_ragged else numpy.concatenate(outs),
            answers,
            targets[:begin],
            gradients[: len(costs)],
            weights[: len(costs) + 1],
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

        optimizer, state = self.plan.optimizer, self.lead.now()
        descent = self._descent
        if descent is None or len(descent.gradients) != len(order):
            descent = self._descent = Descent(
                [self._cost],
                self._update.code,
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
                        is_current = self.plan.schedule is None or self._goes_by_the_same()
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
            if self.patience:
                self.patience.note(sum(map(len, order[:done])))
            slopes = descent.slopes.copy() if done else state.slopes
            steps = state.steps + done
            self.lead.snapshot = Snapshot(descent.last, descent.memory, steps, state.drawn, slopes)
        if not is_finite:
            (cost,) = descent.costs(done, done + 1)
            self._refuse(order[done], cost)
        terms, outs, units = descent.outputs
        gradients, weights = descent.gradients[:done], descent.weights[: done + 1]
        costs, answers = descent.costs(0, done), self._answers.of(inputs, targets, units)
        return Learnt(costs, rates, scales, terms, outs, answers, targets, gradients, weights)

    def _arrays(self, samples: Dataset) -> tuple[Any, Any]:
        """Return inputs and targets as arrays; as lists where their lengths differ.

        Raises:
            IndexError: one chooses a row that a table doesn't have.
        """
        if self.is_ragged:
            return samples.inputs, samples.targets
        return self._ready(*arrays_of(samples))

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
        numbers = self._numbers(self.lead.now())
        losses, outs = self._evaluation(*self._evaluated[samples], params=numbers)
        return list(map(float, losses)), outs

    @cached_property
    def _evaluation(self) -> autograd.Compiled:
        evaluate = sample_evaluation(self.plan.model, self.plan.loss)
        wrt = self._cost.parameters
        settings: dict[str, Any] = {"exact": self.exact, "dtype": self.plan.dtype}
        return autograd.compile(evaluate, *self._example, wrt=wrt, backend="llvm", **settings)

    @property
    def _size(self) -> int:
        return len(self.plan.optimizer.parameters)

    def _numbers(self, state: Snapshot) -> Any:
        """Return the numbers of all parameters: the optimiser's, and those it doesn't hold."""
        others = self._cost.parameters[self._size :]
        if not others:
            return state.weights
        return self.numpy.append(state.weights, [leaf.data for leaf in others])

    def sync(self) -> None:
        """Bring model, optimiser and dropouts to where the training is."""
        self.lead.sync()

    def start(self) -> Start:
        """Return where the training is."""
        return self.lead.start()
