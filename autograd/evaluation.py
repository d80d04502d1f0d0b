"""A function run to be differentiated: on leaves of its own, its results as floats or Values."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from itertools import islice
from typing import Any

from autograd.engine import Value, sweep
from autograd.errors import quoted
from autograd.functions import detach
from autograd.graph import topological_order
from autograd.modes import changed_mode, current_mode
from autograd.operand import real
from autograd.recorders import tick

_depth: ContextVar[int] = ContextVar("depth", default=0)


def recorded(
    f: Callable[..., Any],
    args: tuple[Any, ...],
    argnums: int | Sequence[int],
    *,
    lists: bool = False,
) -> tuple[bool, Any, list[Any]]:
    """Return whether Values come out, what ``f`` returned, and what to differentiate it by.

    Each scalar to differentiate becomes a node of its own, even where a Value is given: its
    other uses must not count (no perturbation confusion). ``x * 1.0`` keeps the bits and the
    link to x.
    """
    numbers = list(argnums) if isinstance(argnums, Sequence) else [argnums]
    for number in numbers:
        if not hasattr(number, "__index__"):
            raise TypeError(
                f"argnums is the place of an argument, or several: got {quoted(argnums)}; "
                "the arguments themselves go to what comes back, as in grad(f)(x)"
            )
        if not -len(args) <= number < len(args):
            raise IndexError(f"argnums={quoted(argnums)}, but there are {len(args)} argument(s)")
    inside = _depth.get() > 0 or any(isinstance(x, Value) for arg in args for x in flat(arg))
    tick()
    start = Value(0.0)
    fresh = list(args)
    for number in {n % len(args) for n in numbers}:
        leaves = (x * 1.0 if isinstance(x, Value) else Value(x) for x in flat(args[number]))
        fresh[number] = shaped(args[number], leaves)
    out = _run(f, tuple(fresh), lists=lists)
    if not inside:
        made = topological_order(*(x for x in flat(out) if isinstance(x, Value)), since=start._age)
        inside = any(n._age < start._age for n in made)
    return inside, out, [fresh[n] for n in numbers]


@contextmanager
def _deeper() -> Iterator[None]:
    token = _depth.set(_depth.get() + 1)
    try:
        with changed_mode(grad=True):  # a no_grad around it is about the results
            yield
    finally:
        _depth.reset(token)


def _run(f: Callable[..., Any], args: tuple[Any, ...], *, lists: bool) -> Any:
    with _deeper():
        out = f(*args)
    for x in flat(out) if lists else [out]:
        if not isinstance(x, Value):
            try:
                real(x)
            except TypeError as error:
                wanted = "a scalar or a flat list of scalars" if lists else "a scalar"
                name = getattr(f, "__name__", "the function")
                raise TypeError(f"{name} must return {wanted}: {error}") from None
    return out


def outputs(inside: bool, outs: list[Any], result: Any) -> Any:
    """Return nested lists and tuples of Values; as floats, unless ``inside``.

    Under `no_grad` Values are cut off from their graph.

    Raises:
        DomainError: floats aren't finite, and `Value.backward` from one of ``outs`` raises.
    """
    if inside:
        return result if current_mode().grad else _cut(result)
    numbers = floats(result)
    if not is_finite(numbers):
        for out in outs:
            for _ in sweep(out) if isinstance(out, Value) else ():
                pass
    return numbers


def _cut(result: Any) -> Any:
    if isinstance(result, list | tuple):
        parts = map(_cut, result)
        return list(parts) if isinstance(result, list) else tuple(parts)
    return detach(result) if isinstance(result, Value) else result


def floats(result: Any) -> Any:
    """Return nested lists and tuples with the numbers of their Values."""
    if isinstance(result, list | tuple):
        numbers = [
            x if x.__class__ is float else x.data if x.__class__ is Value else floats(x)
            for x in result
        ]
        return numbers if isinstance(result, list) else tuple(numbers)
    return result.data if isinstance(result, Value) else result


def is_finite(result: Any) -> bool:
    """Return whether all floats in nested lists and tuples are; what is none is not judged."""
    if isinstance(result, list | tuple):
        if {type(x) for x in result} == {float}:
            return all(map(math.isfinite, result))
        return all(map(is_finite, result))
    return not isinstance(result, float) or math.isfinite(result)


def shape(x: Any) -> int | None:
    """Return the length of a list, None for a scalar."""
    return len(x) if isinstance(x, list | tuple) else None


def flat(x: Any) -> list[Any]:
    """Return the elements of a list, or a scalar as its only one."""
    return list(x) if isinstance(x, list | tuple) else [x]


def shaped(like: Any, items: Iterable[Any]) -> Any:
    """Return the next of some items as a list like another, or the next one."""
    items = iter(items)
    return list(islice(items, len(like))) if isinstance(like, list | tuple) else next(items)
