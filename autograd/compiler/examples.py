"""A sample that a function is recorded with, and what the function returns of one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from autograd.compiler.askers import users_function
from autograd.compiler.readings import TracedNumber
from autograd.compiler.repetition import Shape
from autograd.engine import Value
from autograd.operand import real
from autograd.tree import rectangle


class Example(NamedTuple):
    """What a function is recorded with.

    Attributes:
        name: the function's.
        shapes: of the arguments.
        numbers: theirs.
    """

    name: str
    shapes: tuple[Shape, ...]
    numbers: list[list[float]]


def example_of(f: Callable[..., Any], example: Sequence[Any]) -> Example:
    """Return an example of a function's arguments: numbers and flat lists.

    Raises:
        TypeError: it is neither a number nor a list of them.
    """
    f = users_function(f)
    name = getattr(f, "__name__", None)
    name = name if isinstance(name, str) else type(f).__name__
    shapes = tuple(_shape_of(f"argument {i} of {name}", arg) for i, arg in enumerate(example))
    return Example(name, shapes, [[real(_plain(x)) for x in _elements(arg)] for arg in example])


def returned(
    f: Callable[..., Any], name: str, shapes: tuple[Shape, ...], leaves: list[list[Value]]
) -> tuple[tuple[Shape, ...], bool, list[Any]]:
    """Return what ``f`` does: the shapes, whether it is a tuple, and all elements."""
    args = [list(xs) if shape else xs[0] for shape, xs in zip(shapes, leaves, strict=True)]
    out = f(*args)
    several = isinstance(out, tuple)
    parts = [_flattened(name, part) for part in (out if several else [out])]
    return tuple(shape for shape, _ in parts), several, [x for _, flat in parts for x in flat]


def _shape_of(what: str, arg: Any) -> Shape:
    if hasattr(arg, "shape"):  # NumPy's arrays and numbers
        shape = tuple(arg.shape)
        if len(shape) > 1:
            raise TypeError(
                f"{what} is an array of shape {shape}: an example is one sample, a number or a "
                "flat list"
            )
        return shape
    if isinstance(arg, list | tuple):
        return (len(arg),)
    return ()


def _elements(arg: Any) -> list[Any]:
    return list(arg) if _shape_of("", arg) else [arg]


def without_neutral(arg: Any) -> Any:
    """Return an argument of an example, with other numbers for 0 and 1."""
    if _shape_of("", arg):
        return [without_neutral(x) for x in arg]
    number = real(_plain(arg))
    return number + 0.25 if abs(number) in (0.0, 1.0) else number


def _plain(x: Any) -> Any:
    return x.data if isinstance(x, Value) else x


def _flattened(name: str, part: Any) -> tuple[Shape, list[Value | TracedNumber | float]]:
    """Return the shape of nested lists, and their elements row by row.

    Raises:
        TypeError: rows differ in length, or an element is no number.
    """
    try:
        shape, items = rectangle(part)
    except ValueError:
        raise TypeError(
            f"{name} returned lists of different lengths, {part!r:.60}: what is compiled returns "
            "numbers, lists with rows of one length, or a tuple of these; return a tuple of what "
            "differs, or of a jacobian, compile one for each argument: argnums=0, argnums=1"
        ) from None
    try:
        return shape, [x if isinstance(x, Value | TracedNumber) else real(x) for x in items]
    except TypeError as error:
        raise TypeError(f"{name} must return numbers, or lists of them: {error}") from None
