"""What one run of a function leaves behind for the next, and whether that one goes by it.

What is compiled is recorded once, and leaves nothing behind. A function may count its calls or
keep notes of them; but where it goes by what it finds there, its hundredth call may be another than
those that were recorded. So it runs once more with stand-ins for all that is another in each run.
"""

from __future__ import annotations

import gc
import operator
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import chain
from sys import _getframe
from types import BuiltinFunctionType, MethodWrapperType
from typing import Any
from weakref import ProxyTypes

from autograd.compiler.askers import is_users
from autograd.compiler.held import ABSENT, IS, SAME, Held, attributes_of
from autograd.compiler.places import held_by, is_state, named_by
from autograd.compiler.reach import is_foreign, reached
from autograd.compiler.readings import is_on
from autograd.compiler.standins import (
    CONTAINERS,
    Inspection,
    LeftNumber,
    LeftThing,
    container,
    is_stand_in,
    row,
    stand_in,
    without_stand_in,
)

CLOCKS = [
    name
    for clock in "time monotonic perf_counter process_time thread_time clock_gettime".split()
    for name in (clock, f"{clock}_ns")
]
"""Functions of `time` that give a number: it may be noted, but decides nothing."""


LINK_OF_A_CACHE = "_lru_list_elem"
"""What functools.lru_cache keeps results in: its code, in C, expects no stand-in there."""

READS = frozenset("getvalue getbuffer read readline readlines tell".split())
"""Methods of a text in memory that tell what is in it."""

ITEMS_ONE_BY_ONE = 64
"""A list of more is data, and none of its items an iterator that is looked for."""


class Leftovers:
    """What is another in each run of a function.

    Args:
        f: the function.
        held: what it held before its last run.
        clocks: functions of `CLOCKS` that it called.

    Attributes:
        lasting: what is another in each run, and nothing can stand in its place.
    """

    def __init__(self, f: Any, held: Sequence[Held], clocks: Iterable[str]) -> None:
        self._f = f
        self._held = held
        self._clocks = [*clocks]
        self._changed = [each for each in held if not each.is_there()]
        self._iterators = [
            each
            for home in held
            for each in ([home] if home.spelled != SAME else _items(home.holder))
            if any(map(_is_iterator, _parts(each.value)))
        ]
        self._put: list[tuple[Held, Any]] = []
        self.lasting: list[str] = []

    def __bool__(self) -> bool:
        return bool(self._changed or self._iterators or self._clocks)

    @property
    def named(self) -> list[str]:
        """What is left, as messages name it."""
        left = [_left_in(self._name_of(each)) for each in self._changed]
        return left + [_gone_through(each.name) for each in self._iterators]

    @contextmanager
    def replaced(self, run: Inspection) -> Iterator[None]:
        """Put stand-ins in all places; afterwards, none is left."""
        keys = [x.value for x in self._held if x.name.startswith("the keys of") or _is_set(x)]
        run.has_keys |= any(type(key) in (int, float) for key in chain.from_iterable(keys))
        try:
            for held in self._iterators:
                self._replace_iterator(held, run)
            for held in self._changed:
                told = told_of(run.name, _left_in(self._name_of(held)))
                if held.spelled == SAME or held.name.startswith("the keys of"):
                    self._replace_contents(held, told, run)
                elif not held.spelled.endswith(IS):
                    is_of_nodes = str(getattr(held.holder, "dtype", "")) == "object"
                    is_others = held.name == "os.environ" or self._is_asked(held)
                    if is_others or (type(held.value) is bytes and not is_of_nodes):
                        self.lasting.append(told)
                elif (
                    type(held.value).__name__ == LINK_OF_A_CACHE
                    or _is_gone(held)
                    or not self._replace(held, stand_in(held.read(), told, run))
                ):
                    self.lasting.append(told)
            with self._noted_clocks(run):
                yield
        finally:
            for held, before in reversed(self._put):
                held.put(before)
            for held in held_by(self._f):
                _clean(held)

    @property
    def passing(self) -> frozenset[tuple[int, str]]:
        """The places where there is something else after each run."""
        return frozenset(each.place for each in self._changed)

    def _is_asked(self, held: Held) -> bool:
        """Return whether an object in C is another, and not only written to."""
        is_written = hasattr(held.holder, "getvalue") and READS.isdisjoint(
            named_by(reached(self._f))
        )
        return is_state(held) and not is_written

    def _name_of(self, held: Held) -> str:
        """Return what a place is called; of a container, where it is."""
        if not held.spelled.endswith(IS):
            homes = [x.name for x in self._held if x.value is held.holder and x is not held]
            return next(iter(homes), held.name)
        return held.name

    def _replace_iterator(self, held: Held, run: Inspection) -> None:
        told = told_of(run.name, _gone_through(held.name))
        others = [stand_in(x, told, run) if _is_iterator(x) else x for x in _parts(held.value)]
        self._replace(held, tuple(others) if type(held.value) is tuple else others[0])

    def _replace(self, held: Held, other: Any) -> bool:
        before = held.read()
        if not held.put(other):
            return False
        self._put.append((held, before))
        return True

    def _replace_contents(self, held: Held, told: str, run: Inspection) -> None:
        """Put stand-ins where items of a container are others, or for all of it."""
        things, before = held.holder, held.value
        if type(things) not in CONTAINERS:
            self.lasting.append(told)
            return
        if run.is_strict:
            other: Any = LeftThing(things, told, run)  # C code reads a list without asking
        elif type(things) is list and len(things) == len(before):
            pairs = zip(things, before, strict=True)
            other = row([x if x is y else stand_in(x, told, run) for x, y in pairs], told, run)
        else:
            other = container(things, told, run)
        is_found, known = False, {id(other)}
        for home in self._held:
            now = home.read()
            known |= {id(home.holder), id(attributes_of(home.holder))}
            if now is things and home.spelled.endswith(IS):
                is_found |= self._replace(home, other)
            elif type(now) is tuple and any(x is things for x in now):
                is_found |= self._replace(home, tuple(other if x is things else x for x in now))
            elif type(now) is list and home.spelled == SAME and any(x is things for x in now):
                i = next(i for i, x in enumerate(now) if x is things)
                is_found |= self._replace(_item(now, i), other)
        if run.is_strict:
            is_found &= all(
                id(thing) in known or not any(x is things for x in gc.get_referents(thing))
                for thing in reached(self._f)
            )
        if not (is_found or self._iterators):  # which may go through it
            self.lasting.append(told)

    @contextmanager
    def _noted_clocks(self, run: Inspection) -> Iterator[None]:
        """Let clocks give a user's code numbers that may be noted."""
        own = {name: getattr(time, name) for name in self._clocks}

        def noted(name: str, *args: Any) -> Any:
            now = own[name](*args)
            is_asked = is_on(run) and is_users(_getframe(1))
            told = told_of(run.name, f"time.{name}()")
            return LeftNumber(now, told, run) if is_asked else now

        others: dict[int, Any] = {id(own[name]): partial(noted, name) for name in own}
        for name in own:
            setattr(time, name, others[id(own[name])])
        try:
            for held in self._held:
                if type(held.value) is BuiltinFunctionType and id(held.value) in others:
                    self._replace(held, others[id(held.value)])
            yield
        finally:
            for name, clock in own.items():
                setattr(time, name, clock)


def told_of(name: str, of: str, does: str = "goes by") -> str:
    """Return what is said of a function that does something with what is another in each run."""
    return (
        f"{name} {does} {of}: what is compiled is recorded once and does the same in each "
        "call; pass it as an argument, or set it in the function before it is read"
    )


def _left_in(name: str) -> str:
    return f"what an earlier run has left in {name}"


def _gone_through(name: str) -> str:
    return f"how far an earlier run has gone through {name}"


def _parts(thing: Any) -> Sequence[Any]:
    return thing if type(thing) is tuple else (thing,)


def _items(things: Any) -> list[Held]:
    """Return the places in a list, if it is no data."""
    count = min(len(things), ITEMS_ONE_BY_ONE) if type(things) is list else 0
    return [_item(things, i) for i in range(count)]


def _item(things: list[Any], i: int) -> Held:
    return Held(f"item {i} of a list", partial(operator.getitem, things, i), things[i], "", things)


def _is_iterator(thing: Any) -> bool:
    """Return whether something goes on from where it is: an iterator, a file, a method of these."""
    if isinstance(thing, partial):
        return any(map(_is_iterator, thing.args))
    is_method = type(thing) in (BuiltinFunctionType, MethodWrapperType)
    owner = thing.__self__ if is_method else thing
    kind = type(owner)
    is_proxy = kind in ProxyTypes  # which has all methods, whatever it is of
    if is_proxy or not hasattr(kind, "__next__") or not is_foreign(kind.__module__):
        return False
    return not hasattr(kind, "write") or owner.closed or not owner.writable()


def _is_set(held: Held) -> bool:
    return held.spelled == SAME and type(held.holder) is set


def _is_gone(held: Held) -> bool:
    """Return whether nothing is in a place where something was."""
    try:
        return held.read() is ABSENT
    except Exception:  # an attribute, a variable
        return True


def _clean(held: Held) -> None:
    """Put what a stand-in stands for in its place, where a run has handed it on."""
    now = held.value
    if held.spelled == SAME:
        things = held.holder
        if type(things) is list and any(map(is_stand_in, things)):
            things[:] = map(without_stand_in, things)
    elif is_stand_in(now):
        held.put(without_stand_in(now))
