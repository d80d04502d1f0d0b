"""What ops are applied to: numbers under IEEE 754, symbols, and the engine's values.

`Operand` gives all of them the operators and methods; what applying an op means is up to each.
"""

from __future__ import annotations

import numbers
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar, cast

from autograd.errors import RuleError

if TYPE_CHECKING:
    from autograd.operation import Op

T = TypeVar("T", bound="Operand")

TABLE: dict[str, Op] = {}
"""Every row by name, in the order of definition; a row enters when it is made."""


def real(x: object) -> float:
    """Return a plain number as a float.

    Raises:
        TypeError: ``x`` is not a real number; a bool is not one either.
    """
    if type(x) is float:
        return x
    if isinstance(x, numbers.Real) and not isinstance(x, bool):
        return float(x)
    raise TypeError(refusal(x))


def refusal(x: object) -> str:
    """Return why ``x`` can't be a number of a graph, and what to do instead."""
    kind = type(x).__qualname__
    hint = "give a plain int or float"
    if isinstance(x, bool):
        hint = "where(c, a, b) chooses between numbers, float(x) turns a bool into 0.0 or 1.0"
    elif isinstance(x, Operand):
        hint = "it already is one; use it directly, or .data for its number"
    elif isinstance(x, complex):
        hint = "only real numbers are supported"
    elif getattr(x, "shape", None) == ():
        hint = "its .item() is a plain number"
    elif hasattr(x, "__len__") and not isinstance(x, str | bytes):
        hint = "values are scalars; use one per element"
    return f"expected a real number, got {x!r:.60} of type {kind}: {hint}"


class Operand:
    """Anything that an op can be applied to; gives it operators and methods.

    A subclass implements `_apply`. ``==`` and ``hash`` stay identity.
    """

    __slots__ = ()
    __array_ufunc__ = None
    """Tells NumPy to leave ``np.float64(2) * v`` to us."""

    @classmethod
    def _apply(cls, op: Op, args: tuple[Any, ...]) -> Any:
        raise NotImplementedError

    def _infix(self, name: str, other: Any, *, swap: bool = False) -> Any:
        if not isinstance(other, Operand):
            other = real(other)
        return TABLE[name](*((other, self) if swap else (self, other)))

    def __add__(self: T, other: T | float) -> T:
        return cast(T, self._infix("add", other))

    def __radd__(self: T, other: float) -> T:
        return cast(T, self._infix("add", other, swap=True))

    def __sub__(self: T, other: T | float) -> T:
        return cast(T, self._infix("sub", other))

    def __rsub__(self: T, other: float) -> T:
        return cast(T, self._infix("sub", other, swap=True))

    def __mul__(self: T, other: T | float) -> T:
        return cast(T, self._infix("mul", other))

    def __rmul__(self: T, other: float) -> T:
        return cast(T, self._infix("mul", other, swap=True))

    def __truediv__(self: T, other: T | float) -> T:
        return cast(T, self._infix("div", other))

    def __rtruediv__(self: T, other: float) -> T:
        return cast(T, self._infix("div", other, swap=True))

    def __pow__(self: T, other: T | float) -> T:
        return cast(T, self._infix("pow", other))

    def __rpow__(self: T, other: float) -> T:
        return cast(T, self._infix("pow", other, swap=True))

    def __neg__(self: T) -> T:
        return TABLE["neg"](self)

    def __pos__(self: T) -> T:
        return self

    def __abs__(self: T) -> T:
        return TABLE["abs"](self)

    if TYPE_CHECKING:
        # `seal` makes a method of every built-in row of one argument; type checkers know these.
        def exp(self: T) -> T: ...
        def log(self: T) -> T: ...
        def log1p(self: T) -> T: ...
        def expm1(self: T) -> T: ...
        def sqrt(self: T) -> T: ...
        def sin(self: T) -> T: ...
        def cos(self: T) -> T: ...
        def tan(self: T) -> T: ...
        def asin(self: T) -> T: ...
        def acos(self: T) -> T: ...
        def atan(self: T) -> T: ...
        def sinh(self: T) -> T: ...
        def cosh(self: T) -> T: ...
        def tanh(self: T) -> T: ...
        def asinh(self: T) -> T: ...
        def acosh(self: T) -> T: ...
        def atanh(self: T) -> T: ...
        def erf(self: T) -> T: ...
        def erfc(self: T) -> T: ...
        def sigmoid(self: T) -> T: ...
        def softplus(self: T) -> T: ...
        def relu(self: T) -> T: ...
        def gelu(self: T) -> T: ...
        def silu(self: T) -> T: ...
        def abs(self: T) -> T: ...
        def sign(self: T) -> T: ...
        def heaviside(self: T) -> T: ...


class Number(Operand):
    """A plain number under IEEE 754: what the readable interpretation of a rule computes with.

    >>> (Number(1.0) / 0.0).value
    inf
    """

    __slots__ = ("value",)

    def __init__(self, value: float) -> None:
        self.value = value

    @classmethod
    def _apply(cls, op: Op, args: tuple[Any, ...]) -> Number:
        return cls(op.ieee(*map(plain, args)))


def plain(x: Any) -> Any:
    """Return a Number's float, and anything else as it is (an int as a float)."""
    if isinstance(x, Number):
        return x.value
    return float(x) if type(x) is int else x


class Symbol(Operand):
    """A name, or an op applied to symbols and numbers: a formula.

    >>> x = Symbol("x")
    >>> (1 - x * x).op
    <op sub>
    """

    __slots__ = ("args", "name", "op")

    def __init__(self, name: str, op: Op | None = None, args: tuple[Any, ...] = ()) -> None:
        self.name = name
        self.op = op
        self.args = args

    @classmethod
    def _apply(cls, op: Op, args: tuple[Any, ...]) -> Symbol:
        args = tuple(arg if isinstance(arg, Symbol) else real(plain(arg)) for arg in args)
        if op.name == "mul" and args[0].__class__ is float and args[0] == 1:
            return cast(Symbol, args[1])  # a pullback of 1 then reads as the local derivatives
        return cls("", op, args)

    def _refuse(self, *_: object) -> NoReturn:
        raise RuleError(
            "a rule can't test its argument or turn it into a number: use where(c, a, b)"
        )

    __bool__ = __float__ = __int__ = __index__ = __lt__ = __le__ = __gt__ = __ge__ = _refuse
    __eq__ = __ne__ = _refuse  # as identity they would freeze a branch, without a word
    __hash__ = object.__hash__
