"""A function's run with plain numbers for its arguments, held against the one with Values.

What is compiled is recorded with Values, and called with numbers. A Value is another object than
the number that it holds: no key of a dict is the same, and it is an instance of another class.
"""

from __future__ import annotations

import warnings
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from itertools import chain
from math import isclose
from types import FunctionType
from typing import Any, NamedTuple

from autograd.compiler.examples import returned
from autograd.compiler.instructions import asks_kinds
from autograd.compiler.reach import is_foreign
from autograd.compiler.repetition import Shape
from autograd.compiler.undoing import as_it_was
from autograd.engine import Value
from autograd.errors import CompileError
from autograd.modes import changed_mode

ADVICE = (
    "what is compiled holds for all numbers, so those of arguments come as Values, which are no "
    "floats, and equal no number or key; write arithmetic, where(c, a, b), and take(values, i) "
    "where an argument chooses one of some values"
)

Numbers = Sequence[Sequence[float]]


def refuse_if_otherwise(
    f: Callable[..., Any],
    name: str,
    shapes: tuple[Shape, ...],
    numbers: Numbers,
    home: str,
    things: Iterable[Any],
) -> None:
    """Raise if ``f`` gives other numbers where its arguments are plain ones.

    It is run only where its code may ask what an argument is, or look it up.

    Args:
        numbers: of the example; a 1 is tried for a 0, which may be there for want of a number, and
            equal ones for others: in pairs, and all of them.
        things: what the function can reach.

    Raises:
        CompileError: it does.
    """
    if not any(map(_asks, things)):
        return
    samples: list[list[list[float]]] = []
    given = [[x or 1.0 for x in xs] for xs in numbers]
    in_pairs = [[xs[i - i % 2] for i in range(len(xs))] for xs in given]
    first = next(chain.from_iterable(given), 1.0)
    all_equal = [[first] * len(xs) for xs in given]
    for sample in (given, in_pairs, all_equal):
        if sample in samples:
            continue
        samples.append(sample)
        wanted = _outcome(f, name, shapes, sample)
        found = wanted and _outcome(f, name, shapes, [[*map(Value, xs)] for xs in sample])
        if wanted and found and not _are_close(wanted, found):
            shown = [xs if shape else xs[0] for shape, xs in zip(shapes, sample, strict=True)]
            raise CompileError(
                f"{home}{name} of {', '.join(map(repr, shown))} gives other numbers than where "
                f"these are Values: it asks for types, or looks an argument up: {ADVICE}"
            )


def takes_numbers(
    f: Callable[..., Any], name: str, shapes: tuple[Shape, ...], numbers: Numbers
) -> bool:
    """Return whether a function that fails with Values for its arguments takes plain numbers."""
    return _outcome(f, name, shapes, numbers) is not None


class _Outcome(NamedTuple):
    """What a function gives: shapes, whether it is a tuple, and all numbers."""

    shapes: tuple[Shape, ...]
    several: bool
    numbers: list[float]


def _outcome(
    f: Callable[..., Any], name: str, shapes: tuple[Shape, ...], given: Sequence[Sequence[Any]]
) -> _Outcome | None:
    """Return what ``f`` gives, and leave things as they were; None if it fails."""
    undo = as_it_was(f)
    try:
        with changed_mode(tracing=None, grad=True, debug=None), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            results, several, flat = returned(f, name, shapes, [[*xs] for xs in given])
        numbers = [x.data if isinstance(x, Value) else float(x) for x in flat]
        return _Outcome(results, several, numbers)
    except Exception:
        return None
    finally:
        undo()


def _asks(thing: Any) -> bool:
    if isinstance(thing, FunctionType):
        return not is_foreign(thing.__module__ or "") and asks_kinds(thing.__code__)
    return isinstance(thing, defaultdict | Counter)


def _are_close(wanted: _Outcome, found: _Outcome) -> bool:
    pairs = zip(wanted.numbers, found.numbers, strict=False)
    return wanted[:2] == found[:2] and all(
        isclose(x, y, rel_tol=1e-9) or (x != x and y != y) for x, y in pairs
    )
