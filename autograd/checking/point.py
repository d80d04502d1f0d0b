"""The point at which a function is checked: arguments nested as users have them, as flat numbers.

>>> point = Point(({"w": [1.0, 2.0], "b": 0.5},), ("params",))
>>> point.numbers, point.label(1)
([1.0, 2.0, 0.5], "params['w'][1]")
>>> point.filled([10.0, 20.0, 30.0])
[{'w': [10.0, 20.0], 'b': 30.0}]
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any, NamedTuple

from autograd.engine import Value
from autograd.operand import real
from autograd.tree import children, like
from autograd.tree import items as tree_items

SCALARS = {float, int, Value}
"""What the lists consist of that most points are made of."""


class Part(NamedTuple):
    """A scalar or an array inside of nested arguments.

    Attributes:
        path: how a user would write it: ``params['layers'][0]``.
        shape: of an array; None for a scalar.
        items: its scalars in order, numbers or Values.
    """

    path: str
    shape: tuple[int, ...] | None
    items: list[Any]


class Point:
    """Arguments, flattened, and how to build others like them.

    Args:
        args: scalars and NumPy arrays, or lists, tuples and dicts of them.
        names: what the arguments are called.

    Attributes:
        numbers: all scalars in order, as floats.
        leaves: those that are Values.
    """

    def __init__(self, args: Sequence[Any], names: Sequence[str]) -> None:
        self._args = args
        self.parts = [p for arg, name in zip(args, names, strict=True) for p in parts(arg, name)]
        items = [item for part in self.parts for item in part.items]
        self.leaves = [item for item in items if isinstance(item, Value)]
        self.numbers = [item.data if isinstance(item, Value) else item for item in items]

    def label(self, i: int) -> str:
        """Return the name of a scalar: of the Value, else by its path."""
        for part in self.parts:
            if i < len(part.items):
                item = part.items[i]
                return (isinstance(item, Value) and item.label) or element(part, i)
            i -= len(part.items)
        raise IndexError(i)

    def by_name(self) -> dict[str, float]:
        """Return the numbers by their labels."""
        return {self.label(i): x for i, x in enumerate(self.numbers)}

    def filled(self, items: Sequence[Any]) -> list[Any]:
        """Return arguments like these, with other scalars."""
        rest = iter(items)
        return [_filled(arg, rest) for arg in self._args]

    def flat(self, gradient: Any, outputs: tuple[int, ...] = ()) -> list[list[float]]:
        """Return derivatives shaped like the arguments, a flat list for each output.

        Args:
            outputs: the shape of what is derived, which comes before that of an argument.

        Raises:
            TypeError: they have another shape.
        """
        whole = self._args
        if len(whole) == 1 and not _is_like(gradient, whole):
            gradient = [gradient]
        gradient = _aligned(whole, gradient, "gradient")
        rows: list[list[float]] = [[] for _ in range(math.prod(outputs))]
        found = list(parts(gradient, "gradient"))
        wanted = len(self.numbers) * len(rows)
        count = sum(len(part.items) for part in found)
        if count != wanted:
            raise TypeError(f"gradient has {count} number(s) for {wanted} input(s)")
        for arg, path in _arrays(self._args, gradient, "gradient"):
            shape, given = arg
            if given is not None and given != (*outputs, *shape):
                raise TypeError(
                    f"{path} has the shape {given} for an argument of the shape {shape}"
                )
        numbers = iter(item for part in found for item in part.items)
        for part in self.parts:
            for row in rows:
                row += islice(numbers, len(part.items))
        return rows


def parts(tree: Any, path: str) -> Iterator[Part]:
    """Yield what nested arguments, or results, consist of.

    Raises:
        TypeError: something in them is no number.
    """
    inner = children(tree)
    if inner is not None:
        for name, item in inner:
            yield from parts(item, path + name)
    elif is_array(tree):
        yield Part(path, tuple(tree.shape), [_scalar(x, path) for x in _items(tree)])
    elif tree is not None:
        yield Part(path, None, [_scalar(tree, path)])


def element(part: Part, i: int) -> str:
    """Return the path of one scalar of a part."""
    if not part.shape:
        return part.path
    index = []
    for size in reversed(part.shape):
        i, rest = divmod(i, size)
        index.append(str(rest))
    return f"{part.path}[{', '.join(reversed(index))}]"


def is_array(x: Any) -> bool:
    """Return whether this is an array of NumPy, or of a library that gives one."""
    return hasattr(x, "__array__") and hasattr(x, "shape") and not isinstance(x, Value)


def _items(array: Any) -> list[Any]:
    if hasattr(array, "detach"):  # a tensor of PyTorch, which NumPy doesn't take in every dtype
        array = array.detach()
    else:
        import numpy as np

        array = np.asarray(array)
    items: list[Any] = array.ravel().tolist()
    return items


def _scalar(x: Any, path: str) -> Any:
    if isinstance(x, Value):
        return x
    if isinstance(x, complex):
        raise TypeError(
            f"{path} is complex, {x}: check real and imaginary part as functions of real inputs"
        )
    try:
        return real(x)
    except TypeError as error:
        raise TypeError(f"{path}: {error}") from None


def _filled(tree: Any, rest: Iterator[Any]) -> Any:
    """Return what is nested like this, with the next scalars."""
    if tree.__class__ is list and SCALARS.issuperset(map(type, tree)):
        return list(islice(rest, len(tree)))
    inner = tree_items(tree)
    if inner is not None:
        return like(tree, [_filled(item, rest) for item in inner])
    if tree.__class__ is not float and is_array(tree):
        import numpy as np

        shape = tuple(tree.shape)
        items = list(islice(rest, math.prod(shape)))
        kind = object if any(isinstance(item, Value) for item in items) else float
        array = np.empty(len(items), dtype=kind)
        array[:] = items
        return array.reshape(shape)
    return None if tree is None else next(rest)


def _is_like(gradient: Any, args: Sequence[Any]) -> bool:
    """Return whether a gradient has a part for each of the arguments, here a single one."""
    if not isinstance(gradient, list | tuple) or len(gradient) != 1:
        return False
    arg = args[0]
    if isinstance(arg, list | tuple) and len(arg) == 1:
        return isinstance(gradient[0], list | tuple) or is_array(gradient[0])
    return True


def _aligned(args: Any, gradient: Any, path: str) -> Any:
    """Return a gradient laid out as the arguments are: its dicts may have another order.

    Raises:
        TypeError: the keys are others.
    """
    inner, given = children(args), children(gradient)
    if inner is None or given is None:
        return gradient
    if isinstance(gradient, dict):
        keys = list(args) if isinstance(args, dict) else [name.strip(".[]") for name, _ in inner]
        if set(keys) != set(gradient):
            raise TypeError(f"{path} has the keys {list(gradient)}, not {keys}")
        given = [(f"[{key!r}]", gradient[key]) for key in keys]
    if len(inner) != len(given):
        return gradient
    pairs = zip(inner, given, strict=True)
    return [_aligned(arg, part, path + name) for (_, arg), (name, part) in pairs]


def _arrays(
    args: Any, gradient: Any, path: str
) -> Iterator[tuple[tuple[tuple[int, ...], tuple[int, ...] | None], str]]:
    """Yield the shapes of the arrays in arguments, beside those of what stands in their place."""
    inner = children(args)
    if inner is not None:
        for (_, item), (name, other) in zip(inner, children(gradient) or (), strict=False):
            yield from _arrays(item, other, path + name)
    elif is_array(args):
        yield (tuple(args.shape), tuple(gradient.shape) if is_array(gradient) else None), path
