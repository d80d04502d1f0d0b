"""`Descent`: steps of gradient descent with nothing between them but machine code."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from struct import Struct
from typing import Any

import numpy as np

from autograd.compiler.compiled import Compiled
from autograd.compiler.llvm import ARRAYS, PARAMETERS, SCALE, START, STOP, SUMS, WORKSPACE
from autograd.compiler.native import WORTH_A_THREAD, Array, aligned


class Descent:
    """An epoch's steps: the gradient of a batch, and the update of every parameter by it.

    The arrays stay where they are; a step is two calls into machine code.

    Args:
        cost: its only ``wrt`` are parameters, and it has no others; a mean over the samples.
        update: maps ``(w, g, *memory)`` to ``(w, *memory)``; its parameters are the settings
            of a step, such as the learning rate.
        inputs: the samples of an epoch, in order: an array for each argument of ``cost``, whose
            numbers may be others for the next one.
        steps: how many an epoch has at most.
        size: how many parameters there are.

    Attributes:
        done: how many steps have been made.
        weights: before each step, and after the last one, in rows.
        gradients: of each step, in rows.
        outputs: what ``cost`` returns besides the value, of each sample.
    """

    def __init__(
        self,
        cost: Compiled,
        update: Compiled,
        inputs: Sequence[Array],
        steps: int,
        size: int,
    ) -> None:
        gradient, step = cost._native_gradient, update._native_values
        n = len(inputs[0])
        self.done = 0
        self.weights = np.empty((steps + 1, size))
        # A kernel writes its sums a vector at a time: the value, the slopes, and room behind.
        self._sums = np.empty((steps, size + 16))
        self.gradients = self._sums[:, 1 : size + 1]
        self.outputs = [np.empty((n, *shape)) for shape in gradient.signature.results]
        # Two sets: a step that is broken off leaves the one it read as it was.
        columns = len(step.signature.results) - 1
        self._memory = [[np.empty(size) for _ in range(columns)] for _ in range(2)]
        settings = np.empty(step.signature.parameters)
        made, updating = gradient.made(), step.made()
        self._call, self._update_call = made.call, updating.call
        room, updating_room = aligned(made.workspace), aligned(updating.workspace)
        words = _words(room, [*inputs, *self.outputs])
        self._at = words.ctypes.data
        updates = []
        for old, new in (self._memory, self._memory[::-1]):
            # The settings take the places of w and g until a step says where they are.
            own = _words(updating_room, [settings, settings, *old, settings, *new])
            own[PARAMETERS], own[STOP] = settings.ctypes.data, size
            updates.append(own)
        self._next = ARRAYS + 2 + columns
        self._weights_at, self._sums_at = self.weights.ctypes.data, self._sums.ctypes.data
        self._weights_step, self._sums_step = self.weights.strides[0], self._sums.strides[0]
        # A number is written through a memoryview in half the time that an array takes.
        self._words = words.data
        self._floats: Any = words.view(np.float64).data
        self._values = self._sums[:, 0].data
        self._settings = partial(Struct(f"{len(settings)}d").pack_into, settings.data, 0)
        self._updates = [(own.data, own.ctypes.data) for own in updates]
        self._kept = room, updating_room, inputs

    @staticmethod
    def suits(cost: Compiled, samples: int) -> bool:
        """Return whether batches of so many samples are done best by one thread at a time."""
        return samples * cost._native_gradient.made().operations <= WORTH_A_THREAD

    @property
    def memory(self) -> list[Array]:
        """What the update remembers after the last step."""
        return self._memory[self.done % 2]

    def begin(self, weights: Array, memory: Sequence[Array]) -> None:
        """Begin an epoch, with what the parameters are and what ``update`` remembers of them."""
        self.weights[0] = weights
        for room, column in zip(self._memory[0], memory, strict=True):
            room[:] = column
        self.done = 0

    def cost(self, begin: int, end: int) -> float:
        """Return the cost of some of the samples; their gradient is noted."""
        words, i = self._words, self.done
        words[START], words[STOP] = begin, end
        words[PARAMETERS] = self._weights_at + i * self._weights_step
        words[SUMS] = self._sums_at + i * self._sums_step
        self._floats[SCALE] = 1.0 / (end - begin)
        self._call(self._at)
        return self._values[i]

    def update(self, settings: Sequence[float]) -> None:
        """Move the parameters by the gradient of the last cost."""
        i = self.done
        words, at = self._updates[i % 2]
        here = self._weights_at + i * self._weights_step
        self._settings(*settings)
        words[ARRAYS] = here
        words[ARRAYS + 1] = self._sums_at + i * self._sums_step + 8
        words[self._next] = here + self._weights_step
        self._update_call(at)
        self.done = i + 1


def _words(workspace: Array, arrays: Sequence[Array]) -> Any:
    words = np.zeros(ARRAYS + len(arrays), dtype=np.int64)
    words[WORKSPACE] = workspace.ctypes.data
    words[ARRAYS:] = [array.ctypes.data for array in arrays]
    return words
