"""What an op can be applied to besides plain numbers: anything that is an `Operand`."""

from __future__ import annotations

import numbers
from collections.abc import Callable

from autograd.annotations import TYPE_CHECKING, Any, NoReturn, TypeVar
from autograd.errors import quoted

T = TypeVar("T", bound="Operand")


def real(x: object) -> float:
    """Return a plain number as a float; a bool, NumPy's too, is 0.0 or 1.0.

    Raises:
        TypeError, ValueError: ``x`` is not a real number, or larger than all floats.
    """
    if type(x) is float:
        return x
    is_mask = getattr(x, "dtype", None) == "bool" and not hasattr(x, "__len__")
    if not (is_mask or isinstance(x, numbers.Real)):
        raise TypeError(refusal(x))
    try:
        return float(x)  # type: ignore[arg-type]
    except OverflowError:
        raise ValueError(f"{quoted(x)} is beyond the range of floats") from None


def real_or_foreign(x: Any) -> Any:
    """Return a plain number as a float, and as it is what has operators of its own for a Value.

    That is an array, which goes through its elements, or a user's ``Vector`` with a ``__radd__``.

    Raises:
        TypeError: ``x`` is neither.
    """
    try:
        return real(x)
    except TypeError:
        kind = type(x)
        is_own = hasattr(kind, "__radd__") and kind.__module__ != "builtins"
        if hasattr(kind, "__array_ufunc__") or (is_own and not hasattr(kind, "__array__")):
            return x
        raise


def refusal(x: object) -> str:
    """Return why ``x`` can't be a number of a graph, and what to do instead."""
    kind = f"{type(x).__qualname__:.60}"
    hint = "give a plain int or float"
    if isinstance(x, Operand):
        hint = "it already is one; use it directly, or .data for its number"
    elif isinstance(x, complex):
        hint = "only real numbers are supported"
    elif getattr(x, "shape", None) == ():
        hint = "its .item() is a plain number"
    elif hasattr(x, "__len__") and not isinstance(x, str | bytes):
        hint = "values are scalars; use one per element"
        if hasattr(x, "tolist"):
            hint += ", such as those of its .tolist()"
    return f"expected a real number, got {quoted(x)} of type {kind}: {hint}"


class Operand:
    """Anything that an op can be applied to, with the operators and methods of the table.

    A subclass says in `_apply` what applying a row means. ``==`` and ``hash`` stay identity.
    """

    __slots__ = ()
    __array_priority__ = -1.0
    """Above that of NumPy's scalars, which leave ``np.float64(2) * v`` to us, and below that of
    its arrays, which go through their elements."""

    @classmethod
    def _apply(cls, op: Any, args: tuple[Any, ...]) -> Any:
        """Return ``op``, a row of the table, applied to ``args``, of which one is of this kind."""
        raise NotImplementedError

    def __pos__(self: T) -> T:
        return self

    conjugate = __pos__  # NumPy's std asks for it

    def _refuse(self, *_: object) -> NoReturn:
        raise TypeError(
            "floor, ceil, round, int, // and % have no row, as what makes whole numbers has the "
            "derivative 0 wherever there is one; of a Value, take its .data"
        )

    __floor__ = __ceil__ = __trunc__ = __round__ = __int__ = _refuse
    __floordiv__ = __rfloordiv__ = __mod__ = __rmod__ = __divmod__ = __rdivmod__ = _refuse

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
