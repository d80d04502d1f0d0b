"""How a `Value` looks to Python: compared, tested, read as a float, copied.

These are its special methods, which no backward pass needs; the engine is whole without them.
"""

from __future__ import annotations

import operator
import sys
import warnings
from collections.abc import Callable
from functools import cache
from types import FrameType

from autograd.annotations import Any
from autograd.engine import Value
from autograd.errors import GraphCutWarning
from autograd.forms import describe
from autograd.modes import current_mode
from autograd.operand import real_or_foreign
from autograd.pickling import reduce_node


def _comparison(symbol: str, compare: Callable[[float, float], bool]) -> Any:
    """Return the method that compares the number of a Value with another one."""

    def method(self: Value, other: Any) -> bool:
        _refuse_unless_told(self, symbol)
        if isinstance(other, Value):
            return compare(self.data, other.data)
        other = real_or_foreign(other)
        return compare(self.data, other) if isinstance(other, float) else NotImplemented

    return method


def _equal(self: Value, other: Any) -> Any:
    """Leave it to identity, which of numbers in a function's code is hardly what is meant."""
    if tracer := current_mode().tracing:
        tracer.meet_equal(self, other)
    return NotImplemented


def _refuse_unless_told(self: Value, asked: str) -> None:
    tracer = current_mode().tracing
    if tracer and not tracer.is_told(self, asked):
        self._refuse_if_traced(asked)


def _item(self: Value) -> float:
    """Return the number, as PyTorch's and NumPy's scalars do."""
    return self.data


def _bool(self: Value) -> bool:
    _refuse_unless_told(self, "if")
    if current_mode().debug:
        _warn(
            f"the truth of a Value is that of its number, here {self.data} (micrograd's is "
            f"always true){describe(self)}; write v.data != 0, or v is not None"
        )
    return bool(self.data)


def _float(self: Value) -> float:
    _refuse_unless_told(self, "float()")
    is_parameter = self._form is None and "." in self.label  # it has its path as a label
    if (self._form or is_parameter) and not _is_formatting(sys._getframe(1)):
        _warn(
            f"float() of {'a parameter' if is_parameter else 'an inner node'} cuts the graph: what "
            f"follows has no gradient{describe(self)}; use the functions of autograd in place of "
            "math's, lists in place of arrays of floats, and .data to read the number"
        )
    return float(self.data)


def _warn(message: str) -> None:
    warnings.warn(message, GraphCutWarning, stacklevel=3)


def _is_formatting(frame: FrameType) -> bool:
    """Return whether a frame is about to format by ``%``: no Value has another use for it."""
    instruction = frame.f_code.co_code[frame.f_lasti : frame.f_lasti + 2]
    return instruction == _instruction("x % y", "x @ y")


@cache
def _instruction(operation: str, other: str) -> bytes:
    """Return what stands in the code of an operation where another one differs."""
    code, different = (compile(text, "", "eval").co_code for text in (operation, other))
    at = next(i for i, (x, y) in enumerate(zip(code, different, strict=True)) if x != y)
    return code[at - 1 : at + 1]


def _format(self: Value, spec: str) -> str:
    return format(self.data, spec) if spec else str(self)


def _copy(self: Value) -> Value:
    twin = Value.__new__(Value)
    twin.__setstate__((_fields(self),))
    return twin


def _reduce(self: Value, protocol: Any) -> tuple[Any, ...]:
    return reduce_node(self, _fields(self))


def _fields(self: Value) -> tuple[Any, ...]:
    self._refuse_if_traced("a copy", "so there is none: use the value itself, or detach(v)")
    if self.op:
        self.op.refuse_copies()
    return self.data, self.grad, self.op, self.args, self.label, self.origin


for _name, _method in {
    "__lt__": _comparison("<", operator.lt),
    "__le__": _comparison("<=", operator.le),
    "__gt__": _comparison(">", operator.gt),
    "__ge__": _comparison(">=", operator.ge),
    "__eq__": _equal,
    "__bool__": _bool,
    "__float__": _float,
    "__format__": _format,
    "__copy__": _copy,
    "__reduce_ex__": _reduce,
    "item": _item,
}.items():
    setattr(Value, _name, _method)
