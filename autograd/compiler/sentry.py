"""Looks at all places by machine code: whether each has what it had."""

from __future__ import annotations

from bisect import bisect
from collections.abc import Iterable, Sequence
from itertools import chain
from types import MemberDescriptorType
from typing import Any

import numpy as np

from autograd.compiler.held import ABSENT, EQUAL, IS, SAME, Held
from autograd.compiler.objects import TYPE_AT
from autograd.compiler.sight import (
    ARRAY,
    ARRAY_WORDS,
    BEFORE_ITEMS,
    DICT,
    FIRST,
    ITEMS,
    LIST,
    PAIRS,
    Look,
    dict_place,
    only_place,
    word_at,
)


class Sentry:
    """Looks at places, until one of them has something else.

    Args:
        places: of all kinds.
        known: what `sight.look` returns.

    Attributes:
        others: places that it doesn't look at.

    >>> from autograd.compiler.places import held_by
    >>> from autograd.compiler.sight import look
    >>> rates = [1.0, 2.0]
    >>> found = Sentry(held_by(rates.index), look())
    >>> found.replaced()
    >>> rates[1] = 3.0
    >>> found.replaced().was()
    'the list was [1.0, 2.0]'
    """

    def __init__(self, places: Iterable[Held], known: Look) -> None:
        self.others: list[Held] = []
        self._kept: dict[int, Any] = {}  # so that no address is used again
        self._starts: list[int] = []
        self._records: list[Sequence[Held]] = []
        self._words: list[int] = [0] * FIRST
        pairs: list[tuple[Held, int]] = []
        tables: dict[int, list[Held]] = {}
        arrays: dict[int, list[Held]] = {}
        for held in places:
            if held.table is not None:
                tables.setdefault(id(held.table), []).append(held)
            elif held.spelled == SAME and type(held.holder) is list:
                self._add([held], LIST, id(held.holder), len(held.value), *map(id, held.value))
            elif type(held.holder) is np.ndarray:
                arrays.setdefault(id(held.holder), []).append(held)
            elif place := _place_of(held, known):
                pairs.append((held, place))
            else:
                self.others.append(held)
        words = [(place, word_at(place)) for _, place in pairs]
        self._add([x for x, _ in pairs], PAIRS, 0, len(pairs), *chain.from_iterable(words))
        for items in tables.values():
            self._add_table(items)
        for parts in arrays.values():
            self._add_array(parts)
        self._words[0] = len(self._words)
        self._numbers = np.array(self._words, dtype=np.int64)
        self._look, self._address = known.call, self._numbers.ctypes.data

    def _add(self, places: Sequence[Held], *words: int) -> None:
        self._starts.append(len(self._words))
        self._records.append(places)
        self._words += words

    def _add_table(self, places: list[Held]) -> None:
        """Add what is looked at in one dict: all of it in order, or some items."""
        table = id(places[0].table)
        keys = next((held for held in places if held.spelled.endswith(EQUAL)), None)
        items = {held.key: held for held in places if held.spelled.endswith(IS)}
        if keys:
            named = [key for key in keys.value if key in items and items[key].value is not ABSENT]
            found = {key: items.pop(key) for key in named}
            pairs = [(id(key), id(found[key].value) if key in found else 0) for key in keys.value]
            of_keys = [found.get(key, keys) for key in keys.value]
            self._add([keys, *of_keys], DICT, table, len(pairs), 0, *chain.from_iterable(pairs))
        some = {key: held for key, held in items.items() if type(key) is str}
        self.others += [held for key, held in items.items() if key not in some]
        if some:
            pairs = [(id(key), _address(held.value)) for key, held in some.items()]
            self._add([*some.values()], ITEMS, table, len(pairs), 0, *chain.from_iterable(pairs))

    def _add_array(self, parts: list[Held]) -> None:
        """Add what is looked at of one array."""
        array: Any = parts[0].holder
        own = {word: word_at(id(array) + 8 * word) for word in ARRAY_WORDS}
        contents = b"".join(held.value for held in parts if type(held.value) is bytes)
        form, is_known = [*array.shape, *array.strides], False
        if (own[2], own[7]) == (array.ctypes.data, id(array.dtype)) and array.flags.c_contiguous:
            places = [own[at] + 8 * i for at in (4, 5) for i in range(array.ndim)]
            is_known = form == [*map(word_at, places)]
        if not is_known:  # of another build of NumPy, or its contents lie apart
            self.others += parts
            return
        copy = np.frombuffer(contents, np.uint8)
        self._kept[len(self._words)] = copy
        size = len(contents), copy.ctypes.data
        self._add(parts, ARRAY, id(array), array.ndim, *size, *own.values(), *form)

    def replaced(self) -> Held | None:
        """Return a place where something else is now; None if there is none."""
        while (word := self._look(self._address)) >= 0:
            if held := self._replaced_at(word):
                return held
        return None

    def _replaced_at(self, word: int) -> Held | None:
        """Return a place that has something else; None if what it has will do as well."""
        record = bisect(self._starts, word) - 1
        places, start = self._records[record], self._starts[record]
        kind = self._words[start]
        at = word - start - BEFORE_ITEMS.get(kind, 0)
        is_key = kind == DICT and at % 2 == 0
        if at < 0 or kind in (LIST, ARRAY):
            return next((held for held in places if not held.is_there()), places[0])
        held = places[0] if is_key else places[at // 2 + (kind == DICT)]
        if not held.is_there():
            return held
        # An equal number will do, too; so will an equal key.
        now = [*held.holder][at // 2] if is_key else held.read()
        address = word_at(self._words[word - 1]) if kind == PAIRS else _address(now)
        if address == self._numbers[word] or address not in (id(now), 0):
            return held
        self._kept[word] = now
        self._numbers[word] = address
        return None


def _address(value: Any) -> int:
    """Return where an object is, as the words have it."""
    return 0 if value is ABSENT else id(value)


def _place_of(held: Held, known: Look) -> int:
    """Return where the address of what is in a place stands, 0 if that isn't certain."""
    name, holder, value = (
        held.spelled.removeprefix("{0}.").removesuffix(IS),
        held.holder,
        held.value,
    )
    kind = type(holder)
    at = known.own.get((kind, name), 0)
    if name == "__class__":
        at = TYPE_AT
    elif name == "__dict__":
        at = dict_place(kind)
    elif (name == "__bases__" and kind is type) or _is_slot(kind, name):
        at = only_place(holder, value)
    # Nothing stands for None in a function.
    found = word_at(id(holder) + at) if at else 0
    return id(holder) + at if at and found in (id(value), 0 if value is None else -1) else 0


def _is_slot(kind: Any, name: str) -> bool:
    """Return whether an attribute is what stands in a slot."""
    found = next((vars(each)[name] for each in kind.__mro__ if name in vars(each)), None)
    return type(found) is MemberDescriptorType and kind.__getattribute__ is object.__getattribute__
