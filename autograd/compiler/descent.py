"""`Descent`: steps of gradient descent with nothing between them but machine code."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from functools import cache
from time import perf_counter
from typing import Any

import numpy as np

from autograd.compiler.compiled import Compiled
from autograd.compiler.llvm import ARRAYS, MOST_VECTORS, PARAMETERS, STOP, WORKSPACE
from autograd.compiler.machine import address_of, host, kept_code, load
from autograd.compiler.march import ANSWERS, BY_NORM, BY_NUMBER, FRAME, NOT, WORD, steps_of
from autograd.compiler.reals import Real
from autograd.compiler.rooms import MOST_LANES, Array, aligned, converted

PATIENCE = 0.02
"""Seconds after which steps are to pause for Python, which may have been interrupted."""

IN_NEAR_CACHES = 32_768
"""Numbers that a processor's own cache holds for sure, beside the parameters."""

WORK_A_NUMBER = 4
"""Operations for each number that is kept, from which on most are in sums within a sample."""

STEPS_A_CALL = 64
"""So many steps are one call at most: more would save nothing."""


class _Kind:
    """Samples of one shape, and the kernel that computes their cost.

    Args:
        single: whether each is done by itself.
    """

    def __init__(self, cost: Compiled, inputs: Sequence[Array], *, single: bool) -> None:
        gradient = cost._code.native_gradient
        n, dtype = len(inputs[0]), gradient.dtype
        self.outputs = [np.empty((n, *x), dtype) for x in gradient.signature.results]
        made = gradient.made(single=single)
        self._call, self.add = made.call, made.add
        room = aligned(made.workspace, dtype)
        self._words = _words(room, [*inputs, *self.outputs])
        self.run, self.words = address_of(made.call), self._words.ctypes.data
        self._kept = room, inputs


class Descent:
    """An epoch's steps: the gradient of a batch, and the update of every parameter by it.

    The arrays stay where they are, and many steps are one call into machine code.

    Args:
        costs: of each kind of samples, such as those of one length: by parameters only, the same
            for all, and a mean over the samples.
        update: maps ``(w, g, *memory)`` to ``(w, *memory)``; its parameters are the settings
            of a step, such as the learning rate.
        inputs: of each kind the samples of an epoch, in order: an array for each argument, as
            `ready` gives it, whose numbers may be others for the next one.
        steps: how many an epoch has at most.
        size: how many parameters there are.
        fixed: the numbers of others that ``costs`` have behind them, and that stay.
        single: whether each sample is done by itself: where few of a kind come together.
        keeps: whether weights and gradients of all steps are kept; the last ones stay in the
            nearest caches.
        clip_value, clip_norm: bounds of each number of a step's gradient, or of the norm of all,
            to which it is clipped before the update.

    Attributes:
        weights: before each step, and after the last one, in rows, if they are kept.
        gradients: of each step, before clipping, in rows, if they are kept.
        pace: how many steps to make at once, so that Python has its say in time.
    """

    def __init__(
        self,
        costs: Sequence[Compiled],
        update: Compiled,
        inputs: Sequence[Sequence[Array]],
        steps: int,
        size: int,
        *,
        fixed: Sequence[float] = (),
        single: bool = False,
        keeps: bool = True,
        clip_value: float | None = None,
        clip_norm: float | None = None,
    ) -> None:
        step = update._code.native_values
        real = step.signature.real
        dtype = step.dtype
        # A step that is broken off leaves what it read.
        numbers = np.empty((steps + 1 if keeps else 2, size + len(fixed)), dtype)
        self._fixed = numbers[:, size:]
        self.fix(fixed)
        self.weights = numbers[:, :size]
        # A kernel writes its sums a vector at a time: the value, the slopes, and room behind.
        self._sums = np.empty((steps if keeps else 1, size + MOST_LANES), dtype)
        self._costs = np.empty(steps, dtype)
        self._more = np.empty(size + MOST_LANES, dtype)
        self.gradients = self._sums[:, 1 : size + 1]
        self._samples = list(zip(costs, inputs, strict=True))
        self._single = single
        self._kinds: dict[int, _Kind] = {}
        # Two sets: a step that is broken off leaves the one it read as it was.
        columns = len(step.signature.results) - 1
        self._memory = [[np.empty(size, dtype) for _ in range(columns)] for _ in range(2)]
        self._settings = np.empty(step.signature.parameters, dtype)
        self._rows = np.empty((STEPS_A_CALL, len(self._settings)), dtype)
        self._updating = updating = step.made()
        room = aligned(updating.workspace, dtype)
        self._updates = []
        for old, new in (self._memory, self._memory[::-1]):
            # The settings take the places of w and g until a step says where they are.
            own = _words(room, [self._settings, self._settings, *old, self._settings, *new])
            own[PARAMETERS], own[STOP] = self._settings.ctypes.data, size
            self._updates.append(own)
        way, bound = NOT, 0.0
        if clip_value is not None:
            way, bound = BY_NUMBER, clip_value
        elif clip_norm is not None:
            way, bound = BY_NORM, clip_norm
        self._is_clipped = way != NOT
        self._clipped = np.empty(size, dtype)
        self._frame = np.zeros(len(FRAME), dtype=np.int64)
        self._frame.view(np.float64)[WORD["bound"]] = bound
        for name, word in {
            "weights": self.weights.ctypes.data,
            "weights_step": self.weights.strides[0],
            "sums": self._sums.ctypes.data,
            "sums_step": self._sums.strides[0],
            "costs": self._costs.ctypes.data,
            "weights_rows": -1 if keeps else 1,
            "sums_rows": -1 if keeps else 0,
            "more": self._more.ctypes.data,
            "count": size + 1,
            "settings_count": len(self._settings),
            "settings": self._rows.ctypes.data,
            "settings_at": self._settings.ctypes.data,
            "update": address_of(updating.call),
            "words0": self._updates[0].ctypes.data,
            "words1": self._updates[1].ctypes.data,
            "next": ARRAYS + 2 + columns,
            "clip": way,
            "slopes": self._clipped.ctypes.data,
        }.items():
            self._frame[WORD[name]] = word
        # A number is written through a memoryview in half the time that an array takes.
        self._words = self._frame.data
        self._frame_at = self._frame.ctypes.data
        self._steps = _steps(real)
        self.pace = 1
        self._kept = room

    @staticmethod
    def suits(cost: Compiled, samples: int) -> bool:
        """Return whether batches of so many samples are done best by one thread at a time."""
        gradient = cost._code.native_gradient
        return gradient.parts(samples) == 1

    @staticmethod
    def suits_one_by_one(cost: Compiled) -> bool:
        """Return whether samples are done best one by one, however many of a kind there are.

        So it is where a sample has sums for vectors of its own, and a block of samples would leave
        the nearest caches.
        """
        gradient = cost._code.native_gradient
        made = gradient.made(single=True)
        block = MOST_VECTORS * host().lanes(gradient.signature.real) * made.workspace
        return (
            bool(made.add)
            and made.operations > WORK_A_NUMBER * made.workspace
            and block > IN_NEAR_CACHES
        )

    @staticmethod
    def ready(cost: Compiled, arrays: Sequence[Any]) -> list[Array]:
        """Return samples as a descent takes them: looked at, and in the numbers of its code.

        Raises:
            IndexError: one chooses a row that a table doesn't have.
        """
        cost._choices.check(arrays)
        dtype = cost._code.native_gradient.dtype
        return [converted(np.asarray(array), dtype) for array in arrays]

    def fix(self, numbers: Sequence[float]) -> None:
        """Take other numbers for the parameters that stay."""
        self._fixed[:] = converted(np.array(numbers), self._fixed.dtype)

    @property
    def done(self) -> int:
        """How many steps have been made."""
        done: int = self._words[0]
        return done

    def costs(self, begin: int, end: int) -> list[float]:
        """Return the costs of some steps; that of one which failed is known, too."""
        costs: list[float] = self._costs[begin:end].tolist()
        return costs

    @property
    def slopes(self) -> Array:
        """By what the last step has moved the parameters: its gradient, clipped."""
        kept = self.done - 1 if len(self.gradients) > 1 else 0
        return self._clipped if self._is_clipped else self.gradients[kept]

    @property
    def last(self) -> Array:
        """The weights after the last step."""
        return self._weights_before(self.done)

    @property
    def memory(self) -> list[Array]:
        """What the update remembers after the last step."""
        return self._memory[self.done % 2]

    def begin(self, weights: Array, memory: Sequence[Array]) -> None:
        """Begin an epoch, with what the parameters are and what ``update`` remembers of them."""
        dtype = self.weights.dtype
        self.weights[0] = converted(weights, dtype)
        for room, column in zip(self._memory[0], memory, strict=True):
            room[:] = converted(column, dtype)
        self._words[0] = 0

    def plan(self, spans: Any, ends: Any) -> None:
        """Say which samples the epoch's steps are of.

        Args:
            spans: rows of whole numbers: which kind, and from where to where in its arrays.
            ends: after how many of them a step ends, and first 0.
        """
        kinds = {place: self._kind(place) for place in np.unique(spans[:, 0]).tolist()}
        adds = all(kind.add for kind in kinds.values())
        self._words[WORD["adds"]] = adds
        places = np.zeros((len(self._samples), 2), dtype=np.int64)
        for place, kind in kinds.items():
            places[place] = kind.add if adds else kind.run, kind.words
        sizes = np.add.reduceat(spans[:, 2] - spans[:, 1], ends[:-1])
        self._plan = {
            "ends": np.ascontiguousarray(ends, dtype=np.int64),
            "spans": np.concatenate((places[spans[:, 0]], spans[:, 1:]), axis=1, dtype=np.int64),
            "scales": 1.0 / sizes,
        }
        for name, column in self._plan.items():
            self._words[WORD[name]] = column.ctypes.data

    def run(self, settings: Sequence[Sequence[float]]) -> str:
        """Make steps, one after the other, each wholly or not at all; return why it ended.

        That is "" if all are made; else the next one's cost is "not finite", or the norm of its
        gradient "doubtful": nearer to 0 or to infinity than its square can tell.

        Args:
            settings: of each step, `STEPS_A_CALL` at most, the numbers of the update's parameters.
        """
        if not settings:
            return ""
        words, first = self._words, self.done
        self._rows[: len(settings)] = converted(np.array(settings, dtype=float), self._rows.dtype)
        words[WORD["first"]], words[WORD["last"]] = first, first + len(settings)
        start = perf_counter()
        answer = self._steps(self._frame_at)
        each = (perf_counter() - start) / (1 + self.done - first)
        self.pace = max(1, min(int(PATIENCE / each), STEPS_A_CALL))
        return ANSWERS[answer]

    def move(self, slopes: Array, settings: Sequence[float]) -> None:
        """Make the step of the last cost, by other slopes than its gradient."""
        i = self.done
        self._clipped[:] = slopes
        self._settings[:] = converted(np.array(settings, dtype=float), self._settings.dtype)
        own = self._updates[i % 2]
        before, after = self._weights_before(i), self._weights_before(i + 1)
        own[ARRAYS], own[ARRAYS + 1] = before.ctypes.data, self._clipped.ctypes.data
        own[self._words[WORD["next"]]] = after.ctypes.data
        self._updating.call(own.ctypes.data)
        self._words[0] = i + 1

    def _weights_before(self, step: int) -> Array:
        row: Array = self.weights[step & self._words[WORD["weights_rows"]]]
        return row

    def _kind(self, place: int) -> _Kind:
        """Return a kind of samples, with its machine code, which is made when it is asked for."""
        if place not in self._kinds:
            self._kinds[place] = _Kind(*self._samples[place], single=self._single)
        return self._kinds[place]

    @property
    def outputs(self) -> list[Array]:
        """What the first of ``costs`` returns besides the value, of each sample."""
        return self._kind(0).outputs


@cache
def _steps(real: Real) -> Any:
    """Return the machine code of steps with some kind of numbers."""
    engine = load(kept_code(steps_of(real)))
    address = engine.get_function_address("steps")
    call: Any = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_void_p)(address)
    call.engine = engine  # the code lives as long as whoever may call it
    return call


def _words(workspace: Array, arrays: Sequence[Array]) -> Any:
    words = np.zeros(ARRAYS + len(arrays), dtype=np.int64)
    words[WORKSPACE] = workspace.ctypes.data
    words[ARRAYS:] = [array.ctypes.data for array in arrays]
    return words
