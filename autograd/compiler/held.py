"""A place that a function can reach, and what was there."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from operator import is_
from typing import Any, NamedTuple

from autograd.compiler.states import STATES
from autograd.errors import quoted

COMPARED = {int, float, bool, str, bytes}
"""Types of which another one that is written alike will do; of others it has to be the same."""

IS, EQUAL, SAME = " is {1}", " == {1}", "same({0}, {1})"

NONE: dict[str, Any] = {}

ABSENT = "absent"
"""What is in a place that isn't there."""


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
        table: the dict that it is an item of, or whose keys it is.
    """

    name: str
    read: Callable[[], Any]
    value: Any
    spelled: str
    holder: Any
    attribute: str = ""
    is_rare: bool = False
    table: dict[Any, Any] | None = None

    @property
    def key(self) -> Any:
        """What it is called where it is."""
        return getattr(self.read, "args", ("",))[-1]

    @property
    def place(self) -> tuple[int, str]:
        """What tells it from other places."""
        return id(self.holder), self.spelled if self.spelled[:3] == "{0}" else self.name

    def was(self) -> str:
        """Return what it was, as messages say it."""
        if self.holder is STATES or (type(self.value) is bytes and self.spelled.endswith(EQUAL)):
            return f"{self.name} was in another state"
        if self.value is ABSENT:
            return f"{self.name} wasn't there"
        told = self.value[:9] if isinstance(self.value, list) else self.value
        return f"{self.name} was {quoted(told)}"

    def put(self, other: Any) -> bool:
        """Put something else there; return whether that could be done."""
        holder: Any = self.holder
        name = self.key
        try:
            if isinstance(holder, ContextVar):
                holder.set(other)
            elif isinstance(holder, type):
                setattr(holder, name, other)
            elif self.attribute and name in attributes_of(holder):
                attributes_of(holder)[name] = other
            elif isinstance(holder, dict | list) and not self.attribute:
                holder[name] = other
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
                return is_same(now, value)
            if spelled.endswith(IS):  # 0.0 is another number than -0.0, and than 0
                return kind in COMPARED and kind is type(value) and repr(now) == repr(value)
            return bool(now == value)
        except Exception:  # the place is gone
            return False


def is_same(things: Any, before: list[Any]) -> bool:
    """Return whether these objects are the items."""
    return len(things) == len(before) and all(map(is_, things, before))


def attributes_of(thing: Any) -> dict[str, Any]:
    own = getattr(thing, "__dict__", None)
    return own if type(own) is dict else NONE
