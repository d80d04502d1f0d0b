"""What an op can be applied to besides plain numbers: anything that is an `Operand`."""

from __future__ import annotations

import numbers
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

T = TypeVar("T", bound="Operand")


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
    """Anything that an op can be applied to, with the operators and methods of the table.

    A subclass says in `_apply` what applying a row means. ``==`` and ``hash`` stay identity.
    """

    __slots__ = ()
    __array_ufunc__ = None
    """Tells NumPy to leave ``np.float64(2) * v`` to us."""

    @classmethod
    def _apply(cls, op: Any, args: tuple[Any, ...]) -> Any:
        """Return ``op``, a row of the table, applied to ``args``, of which one is of this kind."""
        raise NotImplementedError

    def __pos__(self: T) -> T:
        return self

    if TYPE_CHECKING:
        # What `attach` brings; rows that are not named here work all the same.
        def __add__(self: T, other: T | float) -> T: ...
        def __radd__(self: T, other: float) -> T: ...

        __sub__ = __mul__ = __truediv__ = __pow__ = __add__
        __rsub__ = __rmul__ = __rtruediv__ = __rpow__ = __radd__

        def __neg__(self: T) -> T: ...

        __abs__ = exp = log = log1p = expm1 = sqrt = sin = cos = tan = asin = acos = atan = __neg__
        sinh = cosh = tanh = asinh = acosh = atanh = erf = erfc = sigmoid = softplus = __neg__
        relu = gelu = silu = abs = sign = heaviside = __neg__


def attach(
    name: str, op: Callable[..., Any], arity: int | None, *, reflected: bool = False
) -> None:
    """Make a row a method of every operand, by Python's name for it."""
    if arity == 1:
        method: Callable[..., Any] = lambda self: op(self)
    elif reflected:
        method = lambda self, other: op(real(other), self)
    else:
        method = lambda self, other: op(self, other if isinstance(other, Operand) else real(other))
    method.__name__, method.__qualname__ = name, f"Operand.{name}"
    method.__doc__ = f"Return {op!r} of {'other, self' if reflected else 'self'}."
    setattr(Operand, name, method)
