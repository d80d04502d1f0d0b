"""`scan`: a function repeated, each time on what it returned before and on the next of a list."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from autograd.annotations import Any
from autograd.engine import Value
from autograd.errors import quoted
from autograd.modes import current_mode
from autograd.tree import children, leaves, like, mapped


def scan(
    f: Callable[[Any, Any], tuple[Any, Any]],
    carry: Any,
    xs: Any = None,
    length: int | None = None,
) -> tuple[Any, Any]:
    """Return what a function carries from step to step in the end, and what it gave at each.

    It is ``carry, y = f(carry, x)`` for each x. A function that is compiled keeps it as a loop, so
    that its code doesn't grow with the steps, nor does the time to make it; but where f leaves
    something behind for the next step besides, or asks for a number, it is written out.

    Args:
        f: is the same in each step, and takes Values: numbers that it is given are made some.
        carry: a number, or lists, tuples and dicts of numbers; f returns one like it.
        xs: a list, or a tuple or a dict of lists of one length, from which f is given a tuple or
            a dict; None for steps without any.
        length: how many steps there are without ``xs``.

    Returns:
        The last carry, and the list of what f gave besides: where that is a tuple or a dict, one
        of lists; where it is None, None.

    Raises:
        TypeError: f returns something else, or another kind of carry.
        ValueError: there is nothing that says how many steps there are, or not the same.

    Source: ``jax.lax.scan``.

    >>> w = Value(0.5)
    >>> total, sums = scan(lambda c, x: (c + w * x, c), 0.0, [1.0, 2.0, 4.0])
    >>> total.data, [c.data for c in sums]
    (3.5, [0.0, 0.5, 1.5])
    >>> total.backward()
    >>> w.grad
    7.0
    """
    begin = _values(carry)
    state = [leaf for leaf in leaves(begin) if leaf is not None]
    steps = [_values(x) for x in _steps(xs, length)]
    given: list[Any] = []

    def step(state: Sequence[Any], x: Any) -> list[Any]:
        result = f(_filled(begin, state), x)
        if not isinstance(result, tuple) or len(result) != 2:
            raise TypeError(f"scan: f must return a carry and what it gives: got {quoted(result)}")
        new, y = result
        given.append(_values(y))
        return _leaves_like(begin, new, "the carry")

    def flat_step(state: Sequence[Any], x: Sequence[Any]) -> tuple[list[Any], list[Any]]:
        """Return the leaves of what a step returns, given leaves."""
        new = step(state, _filled(steps[0], x))
        return new, _leaves_like(given[0], given[-1], "what f gives")

    rows = _rows(steps)
    tracer: Any = current_mode().tracing
    looped = tracer.loop(f, flat_step, state, rows) if tracer and rows else None
    if looped:
        state, found = looped
        ys = [_filled(given[0], row) for row in found]
    else:
        for x in steps:
            state = step(state, x)
        ys = [_filled(given[0], _leaves_like(given[0], y, "what f gives")) for y in given]
    return _filled(begin, state), _stacked(ys)


def _steps(xs: Any, length: int | None) -> list[Any]:
    """Return what f is given, step by step.

    Raises:
        ValueError: nothing says how many steps there are, or not the same.
    """
    if xs is None:
        if length is None:
            raise ValueError("scan: without xs, give length, the number of steps")
        return [None] * length
    if hasattr(xs, "tolist"):
        xs = xs.tolist()
    if isinstance(xs, list):
        steps = xs
    else:
        parts = [_steps(item, None) for _, item in children(xs) or ()]
        if not parts:
            raise TypeError(f"scan: xs must be a list, or a tuple or dict of lists: {quoted(xs)}")
        if len(set(map(len, parts))) > 1:
            counts = " and ".join(str(len(part)) for part in parts)
            raise ValueError(f"scan: the lists of xs are of {counts}, not of one length")
        steps = [like(xs, items) for items in zip(*parts, strict=True)]
    if length not in (None, len(steps)):
        raise ValueError(f"scan: length is {length}, but xs is of {len(steps)}")
    return steps


def _stacked(ys: list[Any]) -> Any:
    """Return what f gave, a list for each of a tuple or dict; the other way round than `_steps`."""
    first = ys[0] if ys else 0.0
    if first is None:
        return None
    inner = None if isinstance(first, list) else children(first)
    if inner is None:
        return ys
    parts = zip(*([item for _, item in children(y) or ()] for y in ys), strict=True)
    return like(first, [_stacked(list(part)) for part in parts])


def _values(tree: Any) -> Any:
    """Return a tree of Values: numbers are made some, arrays lists; None is left as it is.

    Raises:
        TypeError: it holds something else.
    """

    def value(leaf: Any) -> Any:
        if leaf is None or isinstance(leaf, Value):
            return leaf
        if getattr(leaf, "shape", ()):
            return _values(leaf.tolist())
        try:
            return Value(leaf)
        except TypeError as error:
            raise TypeError(f"scan: {error}") from None

    return mapped(value, tree)


def _leaves_like(pattern: Any, tree: Any, what: str) -> list[Any]:
    """Return the Values in a tree, in the order in which another one has them.

    Raises:
        TypeError: it is of another form.
    """
    if pattern.__class__ is tree.__class__ is Value:
        return [tree]
    if hasattr(tree, "tolist"):
        tree = tree.tolist()
    inner, beside = children(pattern), children(tree)
    if inner is None and beside is None and (pattern is None) == (tree is None):
        return [] if tree is None else [_values(tree)]
    known, found = dict(inner or ()), dict(beside or ())
    if type(pattern) is not type(tree) or known.keys() != found.keys():
        raise TypeError(
            f"scan: {what} must be of the same form in each step: {quoted(tree)} is not like "
            f"{quoted(pattern)}"
        )
    return [leaf for name in known for leaf in _leaves_like(known[name], found[name], what)]


def _rows(steps: Sequence[Any]) -> list[list[Any]]:
    """Return the Values that each step is given; none where they are not of one form."""
    try:
        return [_leaves_like(steps[0], x, "xs") for x in steps]
    except TypeError:
        return []


def _filled(pattern: Any, items: Iterable[Any]) -> Any:
    """Return a tree like another one, of other leaves."""
    rest = iter(items)
    return mapped(lambda leaf: None if leaf is None else next(rest), pattern)
