"""Notices, in every call, what a compiled function holds that is something else by now."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable
from functools import partial
from itertools import chain, filterfalse
from operator import getitem, is_
from typing import Any

from autograd.compiler.held import ABSENT, IS, SAME, Held
from autograd.lowering import function_of

PLACES_IN_PYTHON = 32
"""So many places are looked at by Python code, which takes some 20 ns for each. Machine code, if
there is any, takes a few ns for one in a list, a dict or a function, and 300 to be called. An item
of a list counts as half a place."""

ARRAY_A_CALL = 1 << 16
"""Arrays of more bytes, which take longer to copy than a small function to be called, are looked at
for a share of the time."""
SHARE, AT_ONCE = 0.01, 0.02
"""Which share that is; when it has been saved up, for so many seconds at once."""
own_time = getattr(time, "thread_time", time.process_time)
"""The seconds this thread has worked for; in a browser there is but one, and no such clock."""

COUNTED = (int, float)


class Watch:
    """Notices that a function holds something else by now.

    Args:
        held: what it held before it was recorded. What recording it has changed, such as a count
            of calls, was different in each run, and doesn't matter.
        since: what it holds after it was recorded, of which places are taken that are new, such as
            an item that was made when it was first asked for, or were filled for good.
        passing: places where there may be something else, which it doesn't go by.
        is_fast: whether machine code may look.
    """

    def __init__(
        self,
        held: Iterable[Held],
        since: Iterable[Held] = (),
        passing: Collection[tuple[int, str]] = (),
        *,
        is_fast: bool = False,
    ) -> None:
        before = {each.place: each for each in held}
        found = {place: each for place, each in before.items() if each.is_there()}
        for each in since:
            place = each.place
            if place not in found and not (each.is_rare and place in before):
                found[place] = each
        self._held = [each for place, each in found.items() if place not in passing]
        self._passing = [each for place, each in found.items() if place in passing]
        # A number may be another one there, but no other thing.
        self._held += [_kind_of(each) for each in self._passing if type(each.value) in COUNTED]
        self._large: list[Held] = []
        self._small: list[Held] = []
        for each in self._held:
            (self._large if _bytes(each) > ARRAY_A_CALL else self._small).append(each)
        self._due = time.perf_counter() - AT_ONCE / SHARE
        self._is_fast = is_fast
        # The first look is at place by place: what makes others quick takes longer than one.
        self._looks: tuple[Callable[[], Held | None], ...] = (self._first_look,)

    def replaced(self, *, now: bool = False) -> Held | None:
        """Return a place where something else is now; None if there is none.

        Args:
            now: whether to look at large arrays, however often that has been done.
        """
        for asked in self._looks or self._made():
            if held := asked():
                return held
        return self._replaced_large(now) if self._large else None

    def _first_look(self) -> Held | None:
        self._looks = ()
        return next(filterfalse(Held.is_there, self._small), None)

    def _replaced_large(self, now: bool) -> Held | None:
        at = time.perf_counter()
        if at < self._due and not now:
            return None
        begin = own_time()
        found = next(filterfalse(Held.is_there, self._large), None)
        taken = own_time() - begin
        self._due = max(self._due, at - AT_ONCE / SHARE) + taken / SHARE
        return found

    def changed(self) -> list[Held]:
        """Return all places with another number or with lists that have grown, passing or not.

        Of these it can be told whether a function goes by them; not so of another object, as
        nobody sees who asks ``is``.
        """
        return [each for each in (*self._held, *self._passing) if _is_another_number(each)]

    def was(self, held: Held) -> str:
        """Return what a place was, and where it is, as messages say it."""
        homes = (x for x in self._held if x.value is held.holder and x.spelled.endswith(IS))
        home = next(homes, None)
        if home and held.name[:4] == "the " and not held.spelled.endswith(IS):
            held = held._replace(name=f"{held.name} {home.name}")
        elif home and held.name.startswith("the item"):
            held = held._replace(name=f"{held.name} of {home.name}")
        return held.was()

    def _made(self) -> tuple[Callable[[], Held | None], ...]:
        """Return what looks at all places, made when they are looked at again."""
        others, looks = self._small, []
        if self._is_fast and sum(map(_size, others)) > PLACES_IN_PYTHON:
            from autograd.compiler.sentry import Sentry
            from autograd.compiler.sight import look

            if known := look():
                sentry = Sentry(others, known)
                others = sentry.others
                looks.append(sentry.replaced)
        if others or not looks:
            looks.append(_Glance(others).replaced)
        self._looks = tuple(looks)
        return self._looks


class _Glance:
    """Looks at places by Python code."""

    def __init__(self, places: list[Held]) -> None:
        is_many = len(places) > PLACES_IN_PYTHON
        self._lists = [x for x in places if x.spelled == SAME]
        self._items = [x for x in places if is_many and _is_item(x)]
        apart = {*map(id, self._lists), *map(id, self._items)}
        self._alone = [x for x in places if id(x) not in apart]
        terms = [x.spelled.format(f"h{i}", f"v{i}", f"r{i}") for i, x in enumerate(self._alone)]
        known = {f"h{i}": each.holder for i, each in enumerate(self._alone)}
        known |= {f"v{i}": each.value for i, each in enumerate(self._alone)}
        known |= {f"r{i}": each.read for i, each in enumerate(self._alone)}
        # Lists, and items of dicts, together: a call for each would take ten times as long.
        if self._lists:
            terms.append("same(holders, lengths, items)")
            known["same"] = _are_same
            known["holders"] = [x.holder for x in self._lists]
            known["lengths"] = [len(x.value) for x in self._lists]
            known["items"] = [*chain.from_iterable(x.value for x in self._lists)]
        self._values = [x.value for x in self._items]
        if self._items:
            terms.append("all(map(is_, map(getitem, tables, keys), values))")
            known |= {"getitem": getitem, "is_": is_, "values": self._values}
            known["tables"] = [x.table for x in self._items]
            known["keys"] = [x.key for x in self._items]
        self._is_as_it_was = function_of("", [f"return {' and '.join(terms) or True}"], [], known)

    def replaced(self) -> Held | None:
        """Return a place where something else is now; None if there is none."""
        try:
            if self._is_as_it_was():
                return None
        except Exception:  # a place is gone
            pass
        for i, held in enumerate(self._alone):
            if not held.is_there():
                return held
            # An equal number will do, too.
            self._is_as_it_was.__globals__[f"v{i}"] = held.read()
        for i, held in enumerate(self._items):
            if not held.is_there():
                return held
            self._values[i] = held.read()
        return next((held for held in self._lists if not held.is_there()), None)


def _kind_of(held: Held) -> Held:
    """Return the place of a number's type."""
    read = partial(_type_in, held)
    return Held(held.name, read, type(held.value), "{2}()" + IS, held.holder)


def _type_in(held: Held) -> type:
    return type(held.read())


def _is_another_number(held: Held) -> bool:
    """Return whether there is another number, a longer list, or another number in a list."""
    try:
        now, before = held.read(), held.value
    except Exception:  # the place is gone
        return False
    if held.spelled == SAME:
        if type(now) is not list or len(now) != len(before):
            return type(now) is list
        pairs = [(x, y) for x, y in zip(now, before, strict=True) if x is not y]
    else:
        pairs = [(now, before)] if held.spelled.endswith(IS) and not held.is_there() else []
    return bool(pairs) and all(type(x) is type(y) in COUNTED for x, y in pairs)


def _is_item(held: Held) -> bool:
    return held.table is not None and held.spelled.endswith(IS) and held.value is not ABSENT


def _bytes(held: Held) -> int:
    """Return how large the contents of an array are."""
    return len(held.value) if type(held.value) is bytes and not held.spelled.endswith(IS) else 0


def _size(held: Held) -> int:
    """Return how much is compared, in places."""
    return 1 + len(held.value) // 2 if held.spelled == SAME else 1


def _are_same(things: list[Any], lengths: list[int], before: list[Any]) -> bool:
    """Return whether the items of several, one after the other, are these objects."""
    return list(map(len, things)) == lengths and all(map(is_, chain.from_iterable(things), before))
