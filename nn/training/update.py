"""`Update`: an optimiser's formula as machine code."""

from __future__ import annotations

from copy import copy
from types import MemberDescriptorType
from typing import Any

import autograd
from autograd import CompileError, Value
from nn.optim import Optimizer

STATE = {"scale", "steps", "memory"}
"""What each step sets in an optimiser."""


class Update:
    """An optimiser's formula, of ``(w, g, *memory)``; its parameters are a step's rates.

    It goes by a copy that has the settings only: all that an optimiser remembers would be looked
    at in each step, and be another one.

    Args:
        exact: every bit as in the eager engine.

    Attributes:
        code: the formula.

    Raises:
        CompileError: a step of the optimiser is more than its `rates` and its formula.
    """

    def __init__(
        self, optimizer: Optimizer, *, exact: bool = False, dtype: str = "float64"
    ) -> None:
        kind = type(optimizer)
        for name in ("step", "zero_grad"):
            if getattr(kind, name) is not getattr(Optimizer, name):
                raise CompileError(
                    f"{kind.__name__} has a {name} of its own: write update(w, g, *memory, "
                    "*rates), or compile=False"
                )
        self._optimizer = optimizer
        self._held = tuple(optimizer.parameters)
        members = [item for base in kind.__mro__ for item in vars(base).items()]
        self._slots = [name for name, part in members if type(part) is MemberDescriptorType]
        # Who counts the steps in it, or sets something, is to do so for no other.
        undo = autograd.as_it_was(optimizer)
        rates = [Value(rate) for rate in copy(optimizer).rates(1)]
        undo()
        bare: Any = copy(optimizer)
        bare.parameters = self._held
        for name in STATE:
            delattr(bare, name)
        self._bare = bare

        def update(w: Value, g: Value, *memory: Value) -> tuple[Value, ...]:
            moved: tuple[Value, ...] = bare.update(w, g, *memory, *rates)
            return moved

        zeros = [0.0] * len(optimizer.remembers)
        settings: dict[str, Any] = {"backend": "llvm", "exact": exact, "dtype": dtype}
        try:
            self.code = autograd.compile(update, 0.0, 0.0, *zeros, wrt=rates, **settings)
        except AttributeError as error:
            if error.obj is bare and error.name in STATE:
                raise CompileError(
                    f"{kind.__name__}'s update goes by its {error.name}, which each step sets: "
                    "return the number that it needs from rates(step), or compile=False"
                ) from error
            raise

    def look(self) -> None:
        """Notice what has been set in the optimiser.

        Raises:
            CompileError: the formula goes by it, or the parameters are others.
        """
        own = vars(self._optimizer)
        if (*own["parameters"],) != self._held:
            raise CompileError(
                f"{type(self._optimizer).__name__} has other parameters than when its steps were "
                "compiled: begin anew with these"
            )
        bare = vars(self._bare)
        bare.update({name: own[name] for name in own.keys() - {*STATE, "parameters"}})
        for gone in bare.keys() - own.keys():
            del bare[gone]
        for slot in self._slots:
            if hasattr(self._optimizer, slot):
                setattr(self._bare, slot, getattr(self._optimizer, slot))
            elif hasattr(self._bare, slot):
                delattr(self._bare, slot)
        self.code.look()

    def is_current(self) -> bool:
        """Return whether the formula, and what it moves, are those of the optimiser by now."""
        try:
            self.look()
        except CompileError:
            return False
        return True


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
