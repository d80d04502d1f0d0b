"""What a function holds that was recorded as it was: numbers, and who the parameters are.

The numbers of parameters are read at each call; not so which Values the parameters are, nor what a
plain number, a setting in an attribute or a small array is by now. If one of these is another, it
is noticed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from time import perf_counter
from types import CodeType, FunctionType, ModuleType
from typing import Any, NamedTuple

from autograd.compiler.reach import ATOMS, is_foreign, names_of, reached
from autograd.engine import Value
from autograd.errors import quoted

FEW = 12
"""So many places are looked at in each call. To look at more takes as long as a call of a small
network, and is done for a hundredth of the time."""
MOST = 256
"""Longer lists and arrays are data, which takes longer to look at than a call does."""
COMPARED = {int, float, bool, str, bytes, list}
"""Types of which another one that is equal will do; of all others it has to be the same."""

NONE: dict[str, Any] = {}


class Held(NamedTuple):
    """Something that a function can reach, in one place.

    Attributes:
        name: what the place is called, for messages.
        read: returns what is there now; of a list or an array its contents.
        value: what was there.
        attribute: of an instance, which one.
    """

    name: str
    read: Callable[[], Any]
    value: Any
    attribute: str = ""

    def is_there(self) -> bool:
        try:
            now = self.read()
        except Exception:  # the place is gone
            return False
        if now is self.value:
            return True
        kind = type(now)
        return kind in COMPARED and kind is type(self.value) and bool(now == self.value)


class Watch:
    """Notices that a function holds something else by now.

    Args:
        held: what it held before it was recorded. What recording it has changed, such as a count
            of calls, was different in each run, and doesn't matter.
    """

    def __init__(self, held: Iterable[Held]) -> None:
        self._held = [each for each in held if each.is_there()]
        self._due = 0.0

    def replaced(self) -> Held | None:
        """Return a place where something else is now; None if there is none."""
        if len(self._held) <= FEW:
            return self._look()
        begin = perf_counter()
        if begin < self._due:
            return None
        found = self._look()
        end = perf_counter()
        self._due = end + 100 * (end - begin)
        return found

    def _look(self) -> Held | None:
        for held in self._held:
            if not held.is_there():
                return held
        return None

    def renew(self, held: Held) -> None:
        """Take what is there now for what was recorded."""
        self._held.remove(held)
        self._held += list(_place(held.name, held.read))


def held_by(f: Any) -> list[Held]:
    """Return what a function holds, place by place."""
    found: list[Held] = []
    named: set[str] = set()
    things = list(reached(f))
    attributes = {id(own) for own in map(_attributes, things)}
    for thing in things:
        if thing.__class__ is Value or id(thing) in attributes:
            continue  # the numbers of a Value are followed
        if isinstance(thing, FunctionType) and not is_foreign(thing.__module__ or ""):
            named |= names_of(thing.__code__)
        found += _places_in(thing)
    # A setting that no code of a user's names is one of ours, or of no effect.
    return [
        held
        for held in found
        if not held.attribute or held.attribute in named or type(held.value) not in ATOMS
    ]


def _places_in(thing: Any) -> Iterator[Held]:
    """Yield the places in one object."""
    if isinstance(thing, FunctionType):
        if is_foreign(thing.__module__ or ""):
            return
        for name, cell in zip(thing.__code__.co_freevars, thing.__closure__ or (), strict=True):
            yield from _place(f"{name}", lambda cell=cell: cell.cell_contents)  # type: ignore[misc]
        for name in names_of(thing.__code__) & thing.__globals__.keys():
            yield from _item(name, thing.__globals__, name)
    elif isinstance(thing, list):
        if len(thing) <= MOST:
            is_plain = ATOMS.issuperset(map(type, thing))
            read = thing.copy if is_plain else (lambda: [*map(id, thing)])
            yield Held(f"the list {quoted(thing)}", read, read())
    elif isinstance(thing, dict):
        if len(thing) <= MOST:
            for key in thing:
                yield from _item(f"the item {quoted(key)}", thing, key)
    elif type(thing).__module__ == "numpy":
        if 0 < getattr(thing, "size", 0) <= MOST and getattr(thing, "ndim", 0):
            yield Held(f"the array {quoted(thing)}", thing.tobytes, thing.tobytes())
    elif not isinstance(thing, type | CodeType | ModuleType):
        slots = [getattr(kind, "__slots__", ()) for kind in type(thing).__mro__]
        names = [name for each in slots for name in ([each] if isinstance(each, str) else each)]
        for key in [*_attributes(thing), *names]:
            name = f"{type(thing).__name__}.{key}"
            yield from _place(name, lambda key=key: getattr(thing, key), key)  # type: ignore[misc]


def _attributes(thing: Any) -> dict[str, Any]:
    own = getattr(thing, "__dict__", None)
    return own if type(own) is dict else NONE


def _item(name: str, table: dict[Any, Any], key: Any) -> Iterator[Held]:
    return _place(name, lambda: table[key])


def _place(name: str, read: Callable[[], Any], attribute: str = "") -> Iterator[Held]:
    try:
        yield Held(name, read, read(), attribute)
    except Exception:  # an empty cell, a property that fails
        return
