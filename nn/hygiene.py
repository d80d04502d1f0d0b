"""What goes wrong in training without an error: noticed, said once, and with the fix."""

from __future__ import annotations

import math
import statistics
import sys
import warnings
from collections import defaultdict
from collections.abc import Sequence
from functools import cached_property
from typing import Any

import autograd
from autograd import DomainError, Value, topological_order
from nn.arguments import listed
from nn.history import History, StepRecord, layers_of
from nn.linear import Embedding
from nn.module import Module
from nn.optim import Optimizer
from nn.units import FLAT, Unit, unit_of, units_below

VANISHED = 2e-3
"""Of the gradients behind a layer, what is too little to reach it.

Five sigmoids, which pass on a quarter each at best, leave half of that. In networks of tanh or relu
that learn, of up to 20 layers, more than twice as much arrived.
"""

UNITS_NAMED = 20
"""How many dead units a warning lists; `History.dead_units` has all of them."""


class TrainingWarning(UserWarning):
    """Training goes on, but not as it should; the message says what to do."""


class DivergenceError(FloatingPointError):
    """The loss, or a gradient, is no longer finite; the message says where that began.

    Attributes:
        history: of the training, up to the last whole epoch; None outside of `nn.fit`.
    """

    history: History | None = None


class Hygiene:
    """Watches one training run; `nn.fit` asks it, and a loop of one's own can.

    Args:
        model, optimizer: of the run.
        history: where warnings are noted; what it holds already is not said again.

    Attributes:
        is_looking: whether `watch` looks at the units, which takes time.

    >>> from nn import MLP
    >>> from nn.optim import SGD
    >>> model = MLP(2, [1], seed=0)
    >>> hygiene = Hygiene(model, SGD(model.parameters(), 0.1), History())
    >>> model([1.0, 2.0]).backward()
    >>> with warnings.catch_warnings(record=True) as caught:
    ...     warnings.simplefilter("always")
    ...     hygiene.before_backward()
    >>> str(caught[0].message)[:50]
    'gradients are never zeroed: layers.0.neurons.0.w.0'
    """

    def __init__(self, model: Module, optimizer: Optimizer, history: History) -> None:
        self.model = model
        self.optimizer = optimizer
        self.history = history
        self.is_looking = True
        self.leap: tuple[float, str] | None = None
        self.unreached: set[str] | None = set() if history.steps else None
        self.units: dict[Unit, tuple[int, int]] = {}
        self.said = {warning.partition(":")[0] for warning in history.warnings}

    @cached_property
    def parameters(self) -> dict[str, Value]:
        """The model's parameters by path."""
        return self.model.named_parameters()

    def say(self, problem: str, details: str) -> None:
        """Warn of ``problem``, unless it has been said."""
        if problem not in self.said:
            self._warn(problem, details)

    def _warn(self, problem: str, details: str) -> None:
        self.said.add(problem)
        self.history.warnings.append(f"{problem}: {details}")
        warnings.warn(f"{problem}: {details}", TrainingWarning, stacklevel=_levels())

    def before_backward(self) -> None:
        """Look for gradients of an earlier step, of what the optimizer holds."""
        held = set(self.optimizer.parameters)
        left = [name for name, leaf in self.parameters.items() if leaf.grad and leaf in held]
        if left:
            self.say(
                "gradients are never zeroed",
                f"{listed(left, 2)} still holds the last step's, and the next would be added to "
                "it; call optimizer.zero_grad() before backward(), on all of the model's "
                "parameters",
            )

    def watch(self, cost: Value) -> None:
        """Look at the graph of a step's cost: once for what it reaches, then at the units."""
        if self.unreached is None:
            self.check_reach(cost)
        if self.is_looking:
            self.watch_units(cost)

    def check_reach(self, cost: Value) -> None:
        """Look for parameters that the cost does not depend on, or that nobody optimises."""
        self.unreached = set()
        reached = set(topological_order(cost))
        held = set(self.optimizer.parameters)
        if held <= reached and len(held) == len(self.parameters):
            return
        tables = [m for m in self.model.named_modules().values() if isinstance(m, Embedding)]
        # Which rows of a table are looked up is for the data to say.
        rows = [set(t.parameters()) for t in tables if not reached.isdisjoint(t.parameters())]
        unreached = [name for name, p in self.parameters.items() if p not in reached.union(*rows)]
        if unreached:
            self.unreached = {
                layer for layer, group in layers_of(self.model).items() if reached.isdisjoint(group)
            }
            self.say(
                "parameters are never reached",
                f"the loss does not depend on {listed(unreached, 2)}; use them in forward, or drop "
                "them",
            )
        to_train = set(self.model.parameters()) & reached - held
        left_out = [name for name, p in self.parameters.items() if p in to_train]
        if left_out:
            self.say(
                "parameters are not optimised",
                f"the optimizer does not hold {listed(left_out, 2)}; make it of "
                "model.parameters(), or call freeze() on the modules that shall stay as they are",
            )

    def check_split(self, train: Sequence[Any], test: Sequence[Any]) -> None:
        """Look for training inputs among the validation's."""
        known = {tuple(row) for row in train}
        shared = sum(tuple(row) in known for row in test)
        # A few equal rows occur in honest data; a mistaken split shares many.
        if shared > 0.05 * len(test):
            self.say(
                "the same data in training and validation",
                f"{shared} of {len(test)} validation samples were trained on, so the validation "
                "proves nothing; split with nn.data.train_test_split",
            )

    def watch_units(self, cost: Value) -> None:
        """Note what the units answered in the batch of this cost, for `check_epoch` to judge."""
        answers: defaultdict[Any, list[Value]] = defaultdict(list)
        for node in units_below(cost):
            answers[node.origin, node.op].append(node)
        for nodes in answers.values():
            unit = unit_of(nodes[0])
            is_flat = FLAT[unit[1]]
            self.note_answers(unit, len(nodes), sum(is_flat(node.data) for node in nodes))

    def note_answers(self, unit: Unit, samples: int, flat: int) -> None:
        """Note to how many samples a unit has answered, and how often from its flat side."""
        before = self.units.get(unit, (0, 0))
        self.units[unit] = before[0] + samples, before[1] + flat

    def check_epoch(self) -> None:
        """Judge the last steps, the losses so far, and the units if they were watched."""
        self._note_leap(self.history.steps[-self._steps_an_epoch() :])
        self._check_flow(self.history.steps[-max(3, self._steps_an_epoch()) :])
        self._check_overshoot()
        self._check_units()

    def _steps_an_epoch(self) -> int:
        return self.history.steps[-1].batch + 1 if self.history.steps else 0

    def _note_leap(self, steps: list[StepRecord]) -> None:
        """Note the longest step so far that moved a layer by more than its own size."""
        for step in steps:
            for layer, move in zip(self.history.layers, step.updates, strict=True):
                if 1 < move < math.inf and (self.leap is None or move > self.leap[0]):
                    self.leap = move, layer or "the model"

    def _cure(self, otherwise: str) -> str:
        """Return what to do: against a leap, lower the learning rate before all else."""
        if self.leap is None:
            return otherwise
        move, layer = self.leap
        return (
            f"lower the learning rate, {self.optimizer.learning_rate:g}: a step moved {layer} by "
            f"{move:.1e} times the size of its weights"
        )

    def _check_flow(self, steps: list[StepRecord]) -> None:
        if len(steps) < 3:
            return
        norms = [max(norms) for norms in zip(*(s.gradients for s in steps), strict=True)]
        for i, (layer, norm) in enumerate(zip(self.history.layers, norms, strict=True)):
            later = max(norms[i + 1 :], default=0.0)
            if norm < VANISHED * later and layer not in (self.unreached or ()):
                cure = self._cure(
                    "use relu with init he_normal in place of sigmoid, or nn.Residual, or fewer "
                    "layers"
                )
                self.say(
                    "vanishing gradients",
                    f"those of {layer or 'the model'} have norm {norm:.1e}, of a layer behind "
                    f"{later:.1e}; {cure}",
                )
        moves = [statistics.median(r) for r in zip(*(s.updates for s in steps), strict=True)]
        for layer, move in zip(self.history.layers, moves, strict=True):
            if move > 1:
                self.say(
                    "exploding gradients",
                    f"a step moves {layer or 'the model'} by {move:.1e} times the size of its "
                    "weights, where 0.001 is usual; lower the learning rate, or pass clip=1.0",
                )

    def _check_overshoot(self) -> None:
        losses = self.history.loss
        best = min(losses)
        if len(losses) > 3 and min(losses[-3:]) > 2 * best and losses[-1] > losses[0]:
            self.say(
                "the learning rate overshoots",
                f"the loss was {best:.3g} and has grown to {losses[-1]:.3g}; try "
                f"{self.optimizer.learning_rate / 10:g}",
            )

    def _check_units(self) -> None:
        layers: dict[tuple[str, str], dict[str, tuple[int, int]]] = {}
        for (layer, op, unit), counts in self.units.items():
            layers.setdefault((layer, op), {})[unit] = counts
        for (layer, op), units in layers.items():
            if op == "relu":
                dead = [unit for unit, (samples, flat) in units.items() if flat == samples]
                self._say_dead(layer, dead, len(units), max(n for n, _ in units.values()))
            else:
                self._check_saturation(layer, list(units.values()))
        self.units.clear()

    def _say_dead(self, layer: str, dead: list[str], among: int, samples: int) -> None:
        """Warn of the units that were dead in an epoch, of each once."""
        known = set(self.history.dead_units)
        new = sorted((unit for unit in dead if unit not in known), key=_place)
        if not new:
            return
        self.history.dead_units += new
        names = ", ".join(unit or "the model" for unit in new[:UNITS_NAMED])
        more = (
            f" and {len(new) - UNITS_NAMED} more, in history.dead_units"
            if len(new) > UNITS_NAMED
            else ""
        )
        before = f", as {len(dead) - len(new)} before" if len(dead) > len(new) else ""
        cure = self._cure("lower the learning rate, start with he_normal, or use leaky_relu")
        if self.leap is None and 2 * len(dead) >= among:
            cure += "; so few are left that another seed or more units may be needed"
        self._warn(
            "dead ReLU units",
            f"{len(new)} of {among} in {layer or 'the model'} {'was' if len(new) == 1 else 'were'} "
            f"0 for all {samples} samples of an epoch, and "
            f"{'learns' if len(new) == 1 else 'learn'} nothing{before}: {names}{more}; {cure}",
        )

    def _check_saturation(self, layer: str, units: list[tuple[int, int]]) -> None:
        stuck = sum(flat >= 0.9 * samples for samples, flat in units)
        if stuck > len(units) / 2:
            cure = self._cure("standardise the data, or start with xavier_uniform")
            self.say(
                "saturated tanh units",
                f"{stuck} of {len(units)} in {layer or 'the model'} were beyond ±0.99 for nearly "
                f"all {max(samples for samples, _ in units)} samples of an epoch, where tanh is "
                f"flat; {cure}",
            )


def not_finite(cost: float, learning_rate: float, compute: Any) -> DivergenceError:
    """Return the error for a loss that is not finite, with the genealogy of its first bad number.

    Args:
        compute: computes the loss again.
    """
    story = ""
    try:
        with autograd.debug():
            compute()
    except DomainError as error:
        story = f"\nwhere it began: {error}"
    return DivergenceError(
        f"the loss became {cost}: try a learning rate below {learning_rate:g}, or clip=1.0{story}"
    )


def norms(groups: Sequence[Sequence[Value]]) -> tuple[float, ...]:
    """Return the norm of each group's gradients."""
    return tuple(math.hypot(*(p.grad for p in group)) for group in groups)


def moves(groups: Sequence[Sequence[Value]], before: dict[Value, float]) -> tuple[float, ...]:
    """Return how far each group has moved, relative to the norm it had."""
    ratios = []
    for group in groups:
        way = math.hypot(*(p.data - before.get(p, p.data) for p in group))
        size = math.hypot(*(before.get(p, p.data) for p in group))
        ratios.append(relative(way, size))
    return tuple(ratios)


def relative(way: float, size: float) -> float:
    """Return the ratio of a move to the size moved; 0 of 0 is 0."""
    return way / size if size else math.inf if way else 0.0


def _place(path: str) -> list[tuple[int, str]]:
    """Return by what paths are sorted such that neuron 2 comes before neuron 10."""
    return [(int(key), "") if key.isdecimal() else (-1, key) for key in path.split(".")]


def _levels() -> int:
    """Return how many calls up a warning is to be shown: at the caller of this package."""
    level, frame = 2, sys._getframe(2)
    while frame.f_back and frame.f_globals.get("__name__", "").startswith("nn."):
        level, frame = level + 1, frame.f_back
    return level
