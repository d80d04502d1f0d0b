"""The number of a recorded value, as the code that is being recorded reads it.

Arithmetic on it is followed; what would make a decision or a plain float of it is refused.
"""

from __future__ import annotations

import numbers
import sys
from collections.abc import Callable, Iterable
from typing import Any

from autograd.compiler.telling import (
    asserted,
    is_about_telling,
    is_in_a_text,
    is_only_printed,
    is_only_told,
)
from autograd.engine import Value
from autograd.forms import describe
from autograd.modes import OWN_CODE, current_mode
from autograd.operand import Operand
from autograd.operation import Op

ASKED = {"lt": "<", "le": "<=", "gt": ">", "ge": ">=", "eq": "==", "ne": "!=", "bool": "if"}
"""What decides by a number: its special methods, and how they are written."""

FLOATS_OWN = frozenset(name for name in dir(float) if not name.startswith("_"))
"""What a float offers besides its operators: ``is_integer`` and the like."""

new = object.__new__

WHOLE = "take(table, i) for a row that an argument chooses; whole numbers else have no row"
INSTEAD = {
    "<": (
        "where(c, a, b), maximum or minimum, heaviside(v) for v > 0, and for the largest of many "
        "detach(autograd.max(values)), or softmax(values), which subtracts it by itself"
    ),
    "float()": "functions of autograd in place of math's and NumPy's, and where(c, a, b)",
    "hash()": "a key that is no number, such as the value itself",
    "text": "a call that only tells it, as print(v), or make it of what the function returns",
} | {f"{name}()": WHOLE for name in "int round floor ceil trunc index".split()}
"""What to write in place of what is asked of a number."""


def is_on(run: Any) -> bool:
    """Return whether this is what records just now."""
    return current_mode().tracing is run


class TracedNumber(Operand):
    """The number of a node, as code that is being recorded reads it.

    Elsewhere, such as in another thread, it is used as the number that it is.
    """

    __slots__ = ("node", "number", "tracer")

    def __init__(self, node: Value, number: float, tracer: Any) -> None:
        self.node = node
        self.number = number
        self.tracer = tracer

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        """What ``isinstance`` asks, too: to code that is not our own, a float."""
        name = sys._getframe(1).f_globals.get("__name__", "")
        return type(self) if name.partition(".")[0] in OWN_CODE else float

    @classmethod
    def _apply(cls, op: Op, args: tuple[Any, ...]) -> Any:
        tracer: Any = current_mode().tracing
        args = tuple(arg._plain(str(op)) if type(arg) is TracedGrad else arg for arg in args)
        args = tuple(arg._elsewhere() if _is_over(arg, tracer) else arg for arg in args)
        if tracer and not any(isinstance(arg, Value) for arg in args):
            return tracer.follow(op, args) if any(map(is_reading, args)) else op(*args)
        return op(*args) if _is_plain(args) else Value._apply(op, args)

    def _plain(self, asked: str) -> float:
        """Return the number; raise while it is followed.

        Raises:
            CompileError: names the place, and what to write there.
        """
        if is_on(self.tracer):
            raise self.tracer.refused(
                f"{asked} of a number that is read of a recorded value{describe(self.node)}: what "
                "is compiled holds for all numbers, so none can decide or become a plain float; "
                f"write {INSTEAD.get(asked, INSTEAD['<'])}"
            )
        return self._elsewhere()

    def _elsewhere(self) -> float:
        """Return the number to code that its recording doesn't see."""
        self.tracer.ask_elsewhere(self.node)
        return self.number

    def __getattr__(self, name: str) -> Any:
        if name not in FLOATS_OWN:
            raise AttributeError(f"'float' object has no attribute {name!r}")
        return getattr(self._plain(f".{name}"), name)

    def __repr__(self) -> str:
        return repr(self._shown())

    def __format__(self, spec: str) -> str:
        return format(self._shown(), spec)

    def _shown(self) -> float:
        if not is_on(self.tracer):
            return self._elsewhere()
        return self._known() if is_only_told() else self._plain("text")

    def _known(self) -> float:
        """Return the number to who goes by it nowhere."""
        if self.number != self.number:
            self.tracer.refuse_loops()
        return self.number


def traced_number(node: Value, number: float, tracer: Any) -> TracedNumber:
    """Return a `TracedNumber`, in half the time that its class takes for one."""
    made = new(TracedNumber)
    made.node, made.number, made.tracer = node, number, tracer
    return made


class TracedGrad(TracedNumber):
    """The grad of a leaf, which a backward pass has left there: compiled code knows of none."""

    __slots__ = ()

    def _plain(self, asked: str) -> float:
        if is_on(self.tracer):
            raise self.tracer.refused(
                f"{asked} of the grad of a recorded value{describe(self.node)}: it is what the "
                "last backward pass has left there, which compiled code doesn't see; pass the "
                "number as an argument, or write grad(f) or gradients(out, wrt)"
            )
        self.tracer.elsewhere.add(self.node)
        return self.number


def is_for_telling(asked: str) -> bool:
    """Return whether what a number is asked for is only printed, or decides that.

    An assertion, which decides nothing else, is taken for one, too.
    """
    if asked == "if":  # it has nothing to print
        return is_about_telling()
    return is_only_printed() or is_about_telling() or asserted() is not None


def _deciding(name: str) -> Callable[..., Any]:
    """Return the method of this name: that of the number, which is refused while it is followed."""
    asked = ASKED.get(name, f"{name}()")

    def method(self: TracedNumber, *args: Any) -> Any:
        is_followed = is_on(self.tracer)
        if name in ASKED and is_followed and (answer := asserted()) is not None:
            return answer
        if name in ("float", "int") and is_in_a_text():
            number = self._shown()
        elif is_followed and is_for_telling(asked):
            number = self._known()
        else:
            number = self._plain(asked)
        args = tuple(arg.number if isinstance(arg, TracedNumber) else arg for arg in args)
        return getattr(number, f"__{name}__")(*args)

    return method


for _name in (
    "lt le gt ge eq ne bool float int trunc round floor ceil hash "
    "floordiv rfloordiv mod rmod divmod rdivmod"
).split():
    setattr(TracedNumber, f"__{_name}__", _deciding(_name))

# Outside of a recording it may stand wherever a number is asked for.
numbers.Real.register(TracedNumber)


def is_reading(x: Any) -> bool:
    return type(x) is TracedNumber


def _is_over(x: Any, tracer: Any) -> bool:
    """Return whether this is a reading of another recording: a number by now."""
    return type(x) is TracedNumber and x.tracer is not tracer


def _is_plain(args: Iterable[Any]) -> bool:
    return not any(isinstance(arg, Operand) for arg in args)
