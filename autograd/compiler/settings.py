"""Which settings of this project's own objects a function may go by: those that its code names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Set
from functools import cache
from types import FunctionType
from typing import Any

from autograd.compiler.names import names_of
from autograd.compiler.reach import ATOMS, SAID_OF_A_CLASS
from autograd.modes import OWN_CODE

UNASKED = SAID_OF_A_CLASS | {"__init__", "__new__", "__init_subclass__"}
"""Special methods that nobody runs on an object that is there, or for what is printed."""


def named_in_ours(things: Iterable[Any], named: Set[str]) -> set[str]:
    """Return what code names that a function may run: its own, and this project's.

    Of this project's it may run what it can reach, the methods, of objects that it can reach, with
    a name that such code names, and the functions that this one calls.

    Args:
        things: what the function can reach.
        named: what code of a user's names.
    """
    methods: dict[str, list[FunctionType]] = {}
    waiting = [thing for thing in things if type(thing) is FunctionType and _is_ours(thing)]
    for kind in {kind for each in {*map(type, things)} for kind in each.__mro__ if _is_ours(kind)}:
        for name, method in _methods_of(kind):
            methods.setdefault(name, []).append(method)
    found: set[str] = set()
    new = named | {name for name in methods if name[:2] == "__"}
    known: set[FunctionType] = set()
    while new or waiting:
        found |= new
        for name in new & methods.keys():
            waiting += methods.pop(name)
        new = set()
        while waiting:
            f = waiting.pop()
            if f not in known:
                known.add(f)
                names = names_of(f.__code__)
                new |= names - found
                called = map(f.__globals__.get, names & f.__globals__.keys())
                waiting += [x for x in called if type(x) is FunctionType and _is_ours(x)]
    return found


@cache
def _methods_of(kind: type) -> list[tuple[str, FunctionType]]:
    """Return the methods that a class of this project defines, by their names."""
    parts = [(name, part) for name, part in vars(kind).items() if name not in UNASKED]
    return [(name, f) for name, part in parts for f in _functions_in(part)]


def _functions_in(part: Any) -> Iterator[FunctionType]:
    """Yield the functions that something in a class runs."""
    while part is not None:
        part = getattr(part, "fget", None) or getattr(part, "__func__", part)
        if type(part) is FunctionType:
            yield part
        part = getattr(part, "__wrapped__", None)


def is_data(thing: Any) -> bool:
    """Return whether something is a number, or text, or a tuple of lists of these."""
    if type(thing) is tuple:
        return all(type(x) is list and ATOMS.issuperset(map(type, x)) for x in thing)
    return type(thing) in ATOMS


def _is_ours(thing: Any) -> bool:
    """Return whether a function or a class is of this project."""
    return (thing.__module__ or "").partition(".")[0] in OWN_CODE
