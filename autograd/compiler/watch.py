"""What a function holds that was recorded as it was: numbers, and who the parameters are.

The numbers of parameters are read at each call; not so which Values the parameters are, nor what a
plain number, a setting in an attribute or a small array is by now. If one of these is another, it
is noticed.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from functools import partial
from keyword import iskeyword
from time import perf_counter
from types import CodeType, FunctionType, ModuleType
from typing import Any, NamedTuple

from autograd.compiler.reach import ATOMS, is_foreign, names_of, reached
from autograd.engine import Value
from autograd.errors import quoted
from autograd.lowering import function_of
from autograd.modes import OWN_CODE
from autograd.operation import Op

FEW = 64
"""So many places of a user's are looked at in each call, which takes some 20 ns for each. Others,
and what our own modules hold, are looked at for a hundredth of the time."""
MOST = 256
"""Longer lists and arrays are data, which takes longer to look at than a call does."""
COMPARED = {int, float, bool, str, bytes, list, set, deque}
"""Types of which another one that is equal will do; of all others it has to be the same."""

EQUAL = " == {1}"

SIMPLE = ATOMS | {Value}
"""Types whose instances are equal where they are the same, or numbers."""

NONE: dict[str, Any] = {}


class Held(NamedTuple):
    """Something that a function can reach, in one place.

    Attributes:
        name: what the place is called, for messages.
        read: returns what is there now; of a list or an array its contents.
        value: what was there.
        attribute: of an instance, which one.
        spelled: code that says whether in the holder, {0}, still is the value, {1}.
        holder: where the place is.
        is_ours: whether it is in a module of this project's.
    """

    name: str
    read: Callable[[], Any]
    value: Any
    attribute: str
    spelled: str
    holder: Any
    is_ours: bool = False

    @property
    def size(self) -> int:
        """How much is compared."""
        return len(self.value) if self.spelled.endswith(EQUAL) else 0

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
        self._arrange()

    def _arrange(self) -> None:
        """Make code that looks at the places of a user's."""
        self._often: list[Held] = []
        self._seldom: list[Held] = []
        left = FEW
        for held in self._held:
            takes = FEW if held.is_ours else 1 + held.size // 4
            (self._often if takes <= left else self._seldom).append(held)
            left -= takes if takes <= left else 0
        terms = [held.spelled.format(f"h{i}", f"v{i}") for i, held in enumerate(self._often)]
        known = {f"h{i}": held.holder for i, held in enumerate(self._often)}
        known |= {f"v{i}": held.value for i, held in enumerate(self._often)}
        self._is_as_it_was = function_of("", [f"return {' and '.join(terms) or True}"], [], known)

    def replaced(self) -> Held | None:
        """Return a place where something else is now; None if there is none."""
        try:
            is_same = self._is_as_it_was()
        except Exception:  # a place is gone
            is_same = False
        if not is_same:
            for i, held in enumerate(self._often):
                if not held.is_there():
                    return held
                # An equal number will do, too.
                self._is_as_it_was.__globals__[f"v{i}"] = held.read()
        if not self._seldom:
            return None
        begin = perf_counter()
        if begin < self._due:
            return None
        found = next((held for held in self._seldom if not held.is_there()), None)
        end = perf_counter()
        self._due = end + 100 * (end - begin)
        return found

    def renew(self, held: Held) -> None:
        """Take what is there now for what was recorded."""
        self._held.remove(held)
        with suppress(Exception):  # the place is gone, and nothing else with it
            self._held.append(held._replace(value=held.read()))
        self._arrange()


def held_by(f: Any) -> list[Held]:
    """Return what a function holds, place by place."""
    found: list[Held] = []
    named: set[str] = set()
    things = list(reached(f))
    ours: set[int] = set()
    attributes = {id(own) for own in map(_attributes, things)}
    for thing in things:
        if thing.__class__ in (Value, Op) or id(thing) in attributes:
            continue  # the numbers of a Value are followed; a row stays as it is
        is_ours = id(thing) in ours or type(thing).__module__.partition(".")[0] in OWN_CODE
        if is_ours:
            ours |= {*map(id, thing if isinstance(thing, list) else _attributes(thing).values())}
        if isinstance(thing, FunctionType) and not is_foreign(thing.__module__ or ""):
            named |= names_of(thing.__code__)
        found += [held._replace(is_ours=is_ours) for held in _places_in(thing)]
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
            yield from _place(name, cell, ".cell_contents", lambda cell=cell: cell.cell_contents)  # type: ignore[misc]
        for name in names_of(thing.__code__):
            if name in thing.__globals__:
                yield from _item(name, thing.__globals__, name)
                yield from _named_in(thing.__globals__[name], names_of(thing.__code__))
    elif isinstance(thing, list):
        if len(thing) <= MOST:
            is_plain = SIMPLE.issuperset(map(type, thing))
            read = thing.copy if is_plain else (lambda: [*map(id, thing)])
            spelled = ("{0}" if is_plain else "[*map(id, {0})]") + EQUAL
            yield Held(f"the list {quoted(thing)}", read, read(), "", spelled, thing)
    elif isinstance(thing, set | deque):
        if len(thing) <= MOST and SIMPLE.issuperset(map(type, thing)):
            name = f"the {type(thing).__name__} {quoted(thing)}"
            yield Held(name, thing.copy, thing.copy(), "", "{0}" + EQUAL, thing)
    elif isinstance(thing, dict):
        if len(thing) <= MOST:
            for key in thing:
                yield from _item(f"the item {quoted(key)}", thing, key)
    elif type(thing).__module__ == "numpy":
        if 0 < getattr(thing, "size", 0) <= MOST and getattr(thing, "ndim", 0):
            name, spelled = f"the array {quoted(thing)}", "{0}.tobytes()" + EQUAL
            yield Held(name, thing.tobytes, thing.tobytes(), "", spelled, thing)
    elif isinstance(thing, type):
        for key in () if is_foreign(thing.__module__) else vars(thing):
            if type(vars(thing)[key]) in ATOMS and not key.startswith("__"):
                own = partial(vars(thing).get, key)
                way = f"[{key!r}]" if _is_name(key) else ""
                yield from _place(f"{thing.__name__}.{key}", vars(thing), way, own, key)
    elif not isinstance(thing, CodeType | ModuleType):
        slots = [getattr(kind, "__slots__", ()) for kind in type(thing).__mro__]
        names = [name for each in slots for name in ([each] if isinstance(each, str) else each)]
        for key in [*_attributes(thing), *names]:
            name = f"{type(thing).__name__}.{key}"
            way = f".{key}" if _is_name(key) else ""
            yield from _place(name, thing, way, lambda key=key: getattr(thing, key), key)  # type: ignore[misc]


def _named_in(module: Any, names: Iterable[str]) -> Iterator[Held]:
    """Yield the places in a module of a user's that code names."""
    if isinstance(module, ModuleType) and not is_foreign(module.__name__):
        for name in names:
            if name in vars(module):
                yield from _item(f"{module.__name__}.{name}", vars(module), name)


def _attributes(thing: Any) -> dict[str, Any]:
    own = getattr(thing, "__dict__", None)
    return own if type(own) is dict else NONE


def _item(name: str, table: dict[Any, Any], key: Any) -> Iterator[Held]:
    return _place(name, table, f"[{key!r}]" if _is_name(key) else "", lambda: table[key])


def _place(
    name: str, holder: Any, way: str, read: Callable[[], Any], attribute: str = ""
) -> Iterator[Held]:
    """Yield a place; ``way`` is how it is written after its holder, "" if it can't be."""
    spelled = f"{{0}}{way or '()'} is {{1}}"
    try:
        yield Held(name, read, read(), attribute, spelled, holder if way else read)
    except Exception:  # an empty cell, a property that fails
        return


def _is_name(key: Any) -> bool:
    return type(key) is str and key.isascii() and key.isidentifier() and not iskeyword(key)
