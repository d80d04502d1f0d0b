"""What types are written with; while a program runs, stand-ins for it.

`typing` takes longer to load than the whole engine does: only type checkers look there.
"""

from __future__ import annotations

from collections import namedtuple

__all__ = ["Any", "NamedTuple", "NoReturn", "Protocol", "Self", "TypeVar", "final", "overload"]

TYPE_CHECKING = False  # type checkers take it for true
if TYPE_CHECKING:
    from typing import Any, NamedTuple, NoReturn, Protocol, Self, TypeVar, final, overload
else:

    class Fields(type):
        """Makes a class with annotations a `namedtuple` of these fields."""

        def __new__(cls, name, bases, body):
            fields = body["__annotations__"]
            row = namedtuple(name, fields, defaults=[body.pop(x) for x in fields if x in body])
            return type(name, (row,), {"__slots__": (), **body})

    Any = NoReturn = Protocol = Self = object
    NamedTuple = type.__new__(Fields, "NamedTuple", (), {})
    TypeVar = lambda name, **_: name
    final = overload = lambda x: x
