"""Containers nested as users have them: dicts, lists, tuples, named tuples, dataclasses.

>>> mapped(lambda x, y: x + y, {"a": [1, (2,)]}, {"a": [10, (20,)]})
{'a': [11, (22,)]}
>>> list(leaves({"a": [1, (2,)]}))
[1, 2]
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from copy import copy
from dataclasses import fields, is_dataclass

from autograd.annotations import Any


def items(tree: Any) -> list[Any] | None:
    """Return what a container holds; None for a leaf."""
    if tree.__class__ is float:  # as most leaves are
        return None
    if isinstance(tree, dict):
        return list(tree.values())
    if isinstance(tree, list | tuple):
        return list(tree)
    if is_dataclass(tree) and not isinstance(tree, type):
        return [getattr(tree, field.name) for field in fields(tree)]
    return None


def children(tree: Any) -> list[tuple[str, Any]] | None:
    """Return what a container holds, each beside how a user would write it; None for a leaf."""
    inner = items(tree)
    if inner is None:
        return None
    if isinstance(tree, dict):
        names = [f"[{key!r}]" for key in tree]
    elif isinstance(tree, list | tuple) and not hasattr(tree, "_fields"):
        names = [f"[{i}]" for i in range(len(inner))]
    else:
        named = getattr(tree, "_fields", None) or [field.name for field in fields(tree)]
        names = [f".{name}" for name in named]
    return list(zip(names, inner, strict=True))


def like(tree: Any, held: Sequence[Any]) -> Any:
    """Return a container like this one, that holds other things."""
    if isinstance(tree, list | tuple):
        return type(tree)(*held) if hasattr(tree, "_fields") else type(tree)(held)
    other = copy(tree)
    if isinstance(tree, dict):
        other.update(zip(tree, held, strict=True))
    else:
        for field, item in zip(fields(tree), held, strict=True):
            object.__setattr__(other, field.name, item)
    return other


def mapped(change: Callable[..., Any], tree: Any, *others: Any) -> Any:
    """Return a tree with its leaves changed, each beside those in trees like it."""
    inner = items(tree)
    if inner is None:
        return change(tree, *others)
    beside = [items(other) or () for other in others]
    return like(tree, [mapped(change, *each) for each in zip(inner, *beside, strict=True)])


def rectangle(tree: Any) -> tuple[tuple[int, ...], list[Any]]:
    """Return the shape of nested lists, and what is in them, row by row; arrays count as lists.

    Raises:
        ValueError: rows differ in length.

    >>> rectangle([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    ((2, 3), [1.0, 2.0, 3.0, 4.0, 5.0, 6.0])
    """
    shape: list[int] = []
    level = [tree]
    while True:
        if any(hasattr(kind, "ndim") for kind in set(map(type, level))):
            level = [x.tolist() if getattr(x, "ndim", 0) else x for x in level]
        if not any(issubclass(kind, list | tuple) for kind in set(map(type, level))):
            return tuple(shape), level
        lengths = {len(row) if isinstance(row, list | tuple) else -1 for row in level}
        if len(lengths) > 1:
            raise ValueError("its rows differ in length")
        shape += lengths
        level = [x for row in level for x in row]


def nested(items: Sequence[Any], shape: Sequence[int]) -> Any:
    """Return what stands row by row as nested lists of some shape.

    >>> nested([1.0, 2.0, 3.0, 4.0, 5.0, 6.0], (2, 3))
    [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]
    """
    if not shape:
        return items[0]
    if len(shape) == 1:
        return [*items]
    step = len(items) // shape[0] if shape[0] else 0
    return [nested(items[i * step : (i + 1) * step], shape[1:]) for i in range(shape[0])]


def leaves(tree: Any) -> Iterator[Any]:
    """Yield what is nested in containers."""
    inner = items(tree)
    if inner is None:
        yield tree
        return
    for item in inner:
        yield from leaves(item)
