"""What a function holds that was recorded as it was: numbers, and who the parameters are.

The numbers of parameters are read at each call; not so which Values the parameters are, nor what a
plain number, a setting in an attribute or a small array is by now. If one of these is another, it
is noticed.
"""

from __future__ import annotations

import gc
import os
import re
import sys
import time
import weakref
from array import array
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextvars import ContextVar
from functools import partial
from itertools import chain, filterfalse
from keyword import iskeyword
from operator import is_
from types import CodeType, FunctionType, ModuleType
from typing import Any, NamedTuple

from autograd.compiler.reach import (
    ATOMS,
    EVALUATES,
    SAID_OF_A_CLASS,
    behind,
    is_foreign,
    is_installed,
    names_of,
    reached,
)
from autograd.engine import Value
from autograd.errors import quoted
from autograd.lowering import function_of
from autograd.modes import OWN_CODE
from autograd.operation import Op

PLACES_A_CALL = 64
"""So many places of a user's are looked at in each call, which takes some 20 ns for each; a list
counts as two, and one for each two of its items."""
WATCHING_SHARE, AT_ONCE = 0.01, 0.02
"""Others, and what our own modules hold, are looked at for this share of the time; when that has
been saved up, for so many seconds at once."""
own_time = getattr(time, "thread_time", time.process_time)
"""The seconds this thread has worked for; in a browser there is but one, and no such clock."""
LONGEST_WATCHED = 1_000_000
"""Longer lists and arrays, or larger ones in bytes, are data, and not looked at."""
COMPARED = {int, float, bool, str, bytes}
"""Types of which another one that is written alike will do; of others it has to be the same."""

IS, EQUAL, SAME = " is {1}", " == {1}", "same({0}, {1})"

NONE: dict[str, Any] = {}
ABSENT = "absent"
"""What is in a place that isn't there."""
SAID = SAID_OF_A_CLASS | {"__doc__", "__module__", "__weakref__", "_abc_impl"}

REFLECTS = EVALUATES | set("__dict__ vars getattr attrgetter asdict astuple fields dir".split())
"""Code that names one of these may use attributes that it doesn't name."""


class Held(NamedTuple):
    """Something that a function can reach, in one place.

    Attributes:
        name: what the place is called, for messages.
        read: returns what is there now; of a list or an array its contents.
        value: what was there.
        spelled: code that says whether in the holder, {0}, still is the value, {1}; {2} reads it.
        holder: where the place is.
        attribute: of an instance, which one.
        is_rare: whether it is one that is hardly ever another, or in a module of this project's.
    """

    name: str
    read: Callable[[], Any]
    value: Any
    spelled: str
    holder: Any
    attribute: str = ""
    is_rare: bool = False

    @property
    def size(self) -> int:
        """How much is compared."""
        is_one = self.spelled.endswith(IS) or not hasattr(self.value, "__len__")
        return 0 if is_one else len(self.value)

    @property
    def place(self) -> tuple[int, str]:
        """What tells it from other places."""
        return id(self.holder), self.spelled if self.spelled[:3] == "{0}" else self.name

    def was(self) -> str:
        """Return what it was, as messages say it."""
        told = self.value[:9] if isinstance(self.value, list) else self.value
        return f"{self.name} was {_said(told)}"

    def put(self, other: Any) -> bool:
        """Put something else there; return whether that could be done."""
        holder: Any = self.holder
        name: Any = getattr(self.read, "args", ("",))[-1]
        try:
            if isinstance(holder, ContextVar):
                holder.set(other)
            elif isinstance(holder, type):
                setattr(holder, name, other)
            elif isinstance(holder, dict | list):
                holder[name] = other
            elif name in _attributes(holder):
                _attributes(holder)[name] = other
            else:
                object.__setattr__(holder, name, other)
        except Exception:  # it is read-only
            return False
        return True

    def is_there(self) -> bool:
        _, read, value, spelled, *_ = self
        try:
            now = read()
            if now is value:
                return True
            kind = type(now)
            if spelled == SAME:
                return _same(now, value)
            if spelled.endswith(IS):  # 0.0 is another number than -0.0, and than 0
                return kind in COMPARED and kind is type(value) and repr(now) == repr(value)
            return bool(now == value)
        except Exception:  # the place is gone
            return False


class Watch:
    """Notices that a function holds something else by now.

    Args:
        held: what it held before it was recorded. What recording it has changed, such as a count
            of calls, was different in each run, and doesn't matter.
        since: what it holds after it was recorded, of which places are taken that are new, such as
            an item that was made when it was first asked for, or were filled for good.
        passing: places where there is something else after each run.
    """

    def __init__(
        self,
        held: Iterable[Held],
        since: Iterable[Held] = (),
        passing: Collection[tuple[int, str]] = (),
    ) -> None:
        before = {each.place: each for each in held}
        found = [each for each in before.values() if each.is_there()]
        places = {each.place for each in found} | {*passing}
        found += [
            each
            for each in since
            if each.place not in places and not (each.is_rare and each.place in before)
        ]
        self._due = time.perf_counter() - AT_ONCE / WATCHING_SHARE
        self._often: list[Held] = []
        self._seldom: list[Held] = []
        left = PLACES_A_CALL
        for each in found:
            needed = 2 + each.size // 2 if each.spelled == SAME else 1 + each.size // 4
            takes = PLACES_A_CALL if each.is_rare else needed
            (self._often if takes <= left else self._seldom).append(each)
            left -= takes if takes <= left else 0
        # Code that looks at the places of a user's.
        terms = [
            x.spelled.format(f"h{i}", f"v{i}", f"r{i}")
            for i, x in enumerate(self._often)
            if x.spelled != SAME
        ]
        # Lists together: a call for each would take ten times as long as its items.
        lists = [x for x in self._often if x.spelled == SAME]
        if lists:
            terms.append("same(holders, lengths, items)")
        known = {f"h{i}": each.holder for i, each in enumerate(self._often)}
        known |= {f"v{i}": each.value for i, each in enumerate(self._often)}
        known |= {f"r{i}": each.read for i, each in enumerate(self._often)}
        known["same"] = _are_same
        known["holders"] = [x.holder for x in lists]
        known["lengths"] = [len(x.value) for x in lists]
        known["items"] = [*chain.from_iterable(x.value for x in lists)]
        self._is_as_it_was = function_of("", [f"return {' and '.join(terms) or True}"], [], known)

    def replaced(self, *, now: bool = False) -> Held | None:
        """Return a place where something else is now; None if there is none.

        Args:
            now: whether to look at all places, however often that has been done.
        """
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
        at = time.perf_counter()
        if at < self._due and not now:
            return None
        begin = own_time()
        found = next(filterfalse(Held.is_there, self._seldom), None)
        taken = own_time() - begin
        self._due = max(self._due, at - AT_ONCE / WATCHING_SHARE) + taken / WATCHING_SHARE
        return found


def held_by(f: Any, things: Sequence[Any] = (), *, is_users: bool = False) -> list[Held]:
    """Return what a function holds, place by place.

    Args:
        things: what it can reach, where that is known.
        is_users: whether only in what is of a user's own.
    """
    found: list[Held] = []
    named: set[str] = set()
    things = things or list(reached(f))
    for thing in things:
        if isinstance(thing, FunctionType) and not is_foreign(thing.__module__ or ""):
            named |= names_of(thing.__code__)
    ours: set[int] = set()
    attributes = {id(own) for own in map(_attributes, things)}
    for thing in things:
        kind = thing.__class__
        if kind is Op or id(thing) in attributes or (kind is Value and "label" not in named):
            continue  # a row stays as it is, and the number of a value is followed
        is_ours = id(thing) in ours or type(thing).__module__.partition(".")[0] in OWN_CODE
        is_others = is_users and (is_ours or is_installed(kind.__module__))
        if (is_ours or is_others) and kind is not Value:  # so is what it keeps for itself
            ours |= {*map(id, [*gc.get_referents(thing), *_attributes(thing).values()])}
        if is_others:
            continue
        found += [
            held._replace(is_rare=True) if is_ours else held for held in _places_in(thing, named)
        ]
    if named & REFLECTS:
        return found
    # A setting that no code of a user's names is one of ours, or of no effect.
    return [
        held
        for held in found
        if not held.attribute or held.attribute in named or type(held.value) not in ATOMS
    ]


def _places_in(thing: Any, named: set[str]) -> Iterator[Held]:
    """Yield the places in one object; ``named`` is what code of a user's names."""
    if thing.__class__ is Value:
        yield from _place("the label of a value", thing, ".label", lambda: thing.label, "label")
    elif isinstance(thing, FunctionType):
        if not is_foreign(thing.__module__ or ""):
            yield from _places_in_function(thing)
    elif isinstance(thing, list | set | deque):
        if len(thing) <= LONGEST_WATCHED:
            yield _items(thing)
    elif isinstance(thing, dict):
        if len(thing) <= LONGEST_WATCHED:
            yield _keys(f"the keys of a {type(thing).__name__}", thing)
            for key in thing:
                yield from _item(f"the item {_said(key)}", thing, key)
    elif isinstance(thing, bytearray | memoryview | array) or _is_memory(thing):
        yield from _places_in_memory(thing)
    elif isinstance(thing, weakref.ref | ContextVar):
        name = f"variable {thing.name}" if isinstance(thing, ContextVar) else "a weak reference"
        yield from _place(name, thing, "", partial(behind, thing))
    elif isinstance(thing, type):
        if not is_foreign(thing.__module__):
            yield _keys(f"the attributes of {thing.__name__}", vars(thing))
            for key in vars(thing).keys() - SAID:
                way = f".__dict__[{key!r}]"
                read = partial(_get, vars(thing), key)
                yield from _place(f"{thing.__name__}.{key}", thing, way, read, key)
    elif isinstance(thing, ModuleType):
        if not is_foreign(thing.__name__):
            for key in named:
                yield from _item(f"{thing.__name__}.{key}", vars(thing), key)
    elif not isinstance(thing, CodeType):
        slots = [getattr(kind, "__slots__", ()) for kind in type(thing).__mro__]
        names = [name for each in slots for name in ([each] if isinstance(each, str) else each)]
        own = _attributes(thing)
        if own is not NONE:
            yield _keys(f"the attributes of {type(thing).__name__}", own)
        for key in [*own, *names]:
            name = f"{type(thing).__name__}.{key}"
            way = f".{key}" if _is_name(key) else ""
            yield from _place(name, thing, way, partial(getattr, thing, key), key)


def _said(thing: Any) -> str:
    """Return a thing as messages say it: without its address."""
    return re.sub(r" at 0x[0-9a-fA-F]+", "", quoted(thing))


def _places_in_function(f: FunctionType) -> Iterator[Held]:
    """Yield what a function closes over, the globals that it names, and what it is."""
    names = names_of(f.__code__)
    for name, cell in zip(f.__code__.co_freevars, f.__closure__ or (), strict=True):
        yield from _place(name, cell, ".cell_contents", partial(getattr, cell, "cell_contents"))
    for name in names:
        yield from _item(name, f.__globals__, name)
    if names & {"globals", *EVALUATES}:
        for name in [name for name, x in f.__globals__.items() if type(x) in ATOMS]:
            for held in _item(name, f.__globals__, name):
                yield held._replace(is_rare=True)
    for name in ("__code__", "__defaults__", "__kwdefaults__"):
        read = partial(getattr, f, name)
        for held in _place(f"{f.__name__}.{name}", f, f".{name}", read):
            yield held._replace(is_rare=True)
    for name in vars(f):
        yield from _item(f"{f.__name__}.{name}", vars(f), name)
    if "argv" in names:
        yield _items(sys.argv)
    if names & {"environ", "getenv"}:
        now = os.environ.copy
        yield Held("os.environ", now, now(), "{2}()" + EQUAL, os.environ, is_rare=True)


def _places_in_memory(thing: Any) -> Iterator[Held]:
    """Yield the contents of an array, or of something like one."""
    size = getattr(thing, "nbytes", 0)  # of NumPy's, what has none is no array
    if type(thing).__module__ != "numpy" and not size:
        size = len(bytes(thing))
    if 0 < size <= LONGEST_WATCHED * 8:
        read = partial(_contents, thing)
        yield Held(f"the {type(thing).__name__}", read, read(), "{2}()" + EQUAL, thing)


def _is_memory(thing: Any) -> bool:
    """Return whether it is NumPy's, or one of ctypes'."""
    kind = type(thing)
    return kind.__module__ == "numpy" or (
        hasattr(kind, "from_buffer_copy") and not isinstance(thing, type)
    )


def _contents(thing: Any) -> bytes:
    return thing.tobytes() if hasattr(thing, "tobytes") else bytes(thing)


def _items(things: Any) -> Held:
    """Return the place of all items."""
    return Held(f"the {type(things).__name__}", lambda: things, list(things), SAME, things)


def _same(things: Any, before: list[Any]) -> bool:
    """Return whether these objects are the items."""
    return len(things) == len(before) and all(map(is_, things, before))


def _are_same(things: list[Any], lengths: list[int], before: list[Any]) -> bool:
    """Return whether the items of several, one after the other, are these objects."""
    return list(map(len, things)) == lengths and all(map(is_, chain.from_iterable(things), before))


def _keys(name: str, table: Any) -> Held:
    read: Callable[[], list[Any]] = partial(list, table)
    return Held(name, read, read(), "{2}()" + EQUAL, table, is_rare=True)


def _attributes(thing: Any) -> dict[str, Any]:
    own = getattr(thing, "__dict__", None)
    return own if type(own) is dict else NONE


def _item(name: str, table: Any, key: Any, attribute: str = "") -> Iterator[Held]:
    """Yield the place of an item; of a name that there isn't, which another may be given later."""
    if key in table:
        way = f"[{key!r}]" if _is_name(key) else ""
        yield from _place(name, table, way, partial(_get, table, key), attribute)
    else:
        read = partial(_get, table, key)
        yield Held(name, read, ABSENT, "{2}()" + IS, table, attribute, is_rare=True)


def _get(table: Any, key: Any) -> Any:
    try:
        return table[key]
    except KeyError:
        return ABSENT


def _place(
    name: str, holder: Any, way: str, read: Callable[[], Any], attribute: str = ""
) -> Iterator[Held]:
    """Yield a place; ``way`` is how it is written after its holder, "" if it can't be."""
    try:
        value = read()
    except Exception:  # an empty cell, a property that fails
        return
    yield Held(name, read, value, (f"{{0}}{way}" if way else "{2}()") + IS, holder, attribute)


def _is_name(key: Any) -> bool:
    return type(key) is str and key.isascii() and key.isidentifier() and not iskeyword(key)
