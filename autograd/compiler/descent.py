"""`Descent`: steps of gradient descent with nothing between them but machine code."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from struct import Struct
from typing import Any

import numpy as np

from autograd.compiler.compiled import Compiled
from autograd.compiler.frames import MOST_LANES, Array, aligned, converted
from autograd.compiler.llvm import ARRAYS, PARAMETERS, SCALE, START, STOP, SUMS, WORKSPACE

Span = tuple[int, int, int]
"""Samples of one kind, and from where to where in its arrays they are."""


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
        self.call = made.call
        room = aligned(made.workspace, dtype)
        words = _words(room, [*inputs, *self.outputs])
        self.at = words.ctypes.data
        # A number is written through a memoryview in half the time that an array takes.
        self.words = words.data
        self.floats: Any = words.view(np.float64).data
        self._kept = room, inputs


class Descent:
    """An epoch's steps: the gradient of a batch, and the update of every parameter by it.

    The arrays stay where they are; a step is two calls into machine code.

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

    Attributes:
        done: how many steps have been made.
        weights: before each step, and after the last one, in rows.
        gradients: of each step, in rows.
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
    ) -> None:
        step = update._code.native_values
        real = step.signature.real
        dtype = step.dtype
        self.done = 0
        numbers = np.empty((steps + 1, size + len(fixed)), dtype)
        self._fixed = numbers[:, size:]
        self.fix(fixed)
        self.weights = numbers[:, :size]
        # A kernel writes its sums a vector at a time: the value, the slopes, and room behind.
        self._sums = np.empty((steps, size + MOST_LANES), dtype)
        self._more = np.empty(size + MOST_LANES, dtype)
        self._size = size + 1
        self.gradients = self._sums[:, 1 : size + 1]
        self._samples = list(zip(costs, inputs, strict=True))
        self._single = single
        self._kinds: dict[int, _Kind] = {}
        # Two sets: a step that is broken off leaves the one it read as it was.
        columns = len(step.signature.results) - 1
        self._memory = [[np.empty(size, dtype) for _ in range(columns)] for _ in range(2)]
        settings = np.empty(step.signature.parameters, dtype)
        updating = step.made()
        self._update_call = updating.call
        updating_room = aligned(updating.workspace, dtype)
        updates = []
        for old, new in (self._memory, self._memory[::-1]):
            # The settings take the places of w and g until a step says where they are.
            own = _words(updating_room, [settings, settings, *old, settings, *new])
            own[PARAMETERS], own[STOP] = settings.ctypes.data, size
            updates.append(own)
        self._next = ARRAYS + 2 + columns
        self._weights_at, self._sums_at = self.weights.ctypes.data, self._sums.ctypes.data
        self._more_at = self._more.ctypes.data
        self._weights_step, self._sums_step = self.weights.strides[0], self._sums.strides[0]
        self._values = self._sums[:, 0].data
        self._real = real
        self._settings = partial(Struct(f"{len(settings)}{real.code}").pack_into, settings.data, 0)
        self._updates = [(own.data, own.ctypes.data) for own in updates]
        self._kept = updating_room

    @staticmethod
    def suits(cost: Compiled, samples: int) -> bool:
        """Return whether batches of so many samples are done best by one thread at a time."""
        gradient = cost._code.native_gradient
        return gradient.parts(samples) == 1

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
    def memory(self) -> list[Array]:
        """What the update remembers after the last step."""
        return self._memory[self.done % 2]

    def begin(self, weights: Array, memory: Sequence[Array]) -> None:
        """Begin an epoch, with what the parameters are and what ``update`` remembers of them.

        Raises:
            IndexError: a sample chooses a row that a table doesn't have.
        """
        for cost, inputs in self._samples:
            cost._choices.check(inputs)
        dtype = self.weights.dtype
        self.weights[0] = converted(weights, dtype)
        for room, column in zip(self._memory[0], memory, strict=True):
            room[:] = converted(column, dtype)
        self.done = 0

    def cost(self, spans: Sequence[Span]) -> float:
        """Return the cost of a batch; its gradient is noted.

        Args:
            spans: one for each kind of which there are samples in it.
        """
        i = self.done
        parameters, sums = self._weights_at + i * self._weights_step, self._sums_at
        sums += i * self._sums_step
        scale = 1.0 / sum(end - begin for _, begin, end in spans)
        for place, (kind, begin, end) in enumerate(spans):
            part = self._kinds.get(kind) or self._kind(kind)
            words = part.words
            words[START], words[STOP] = begin, end
            words[PARAMETERS] = parameters
            words[SUMS] = self._more_at if place else sums
            part.floats[SCALE] = scale
            part.call(part.at)
            if place:
                self._sums[i, : self._size] += self._more[: self._size]
        return self._values[i]

    def _kind(self, place: int) -> _Kind:
        """Return a kind of samples, with its machine code, which is made when it is asked for."""
        if place not in self._kinds:
            self._kinds[place] = _Kind(*self._samples[place], single=self._single)
        return self._kinds[place]

    @property
    def outputs(self) -> list[Array]:
        """What the first of ``costs`` returns besides the value, of each sample."""
        return self._kind(0).outputs

    def update(self, settings: Sequence[float]) -> None:
        """Move the parameters by the gradient of the last cost."""
        i = self.done
        words, at = self._updates[i % 2]
        here = self._weights_at + i * self._weights_step
        try:
            self._settings(*settings)
        except OverflowError:
            self._settings(*map(self._real.rounded, settings))
        words[ARRAYS] = here
        words[ARRAYS + 1] = self._sums_at + i * self._sums_step + self._real.size
        words[self._next] = here + self._weights_step
        self._update_call(at)
        self.done = i + 1


def _words(workspace: Array, arrays: Sequence[Array]) -> Any:
    words = np.zeros(ARRAYS + len(arrays), dtype=np.int64)
    words[WORKSPACE] = workspace.ctypes.data
    words[ARRAYS:] = [array.ctypes.data for array in arrays]
    return words
