"""Things that turn out to belong together, joined into sets.

>>> sets = DisjointSets("abc")
>>> sets.join("c", "b")
>>> sets.join("b", "a")
>>> [sets.first(thing) for thing in "abc"]
['a', 'a', 'a']
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import Generic, TypeVar

Thing = TypeVar("Thing", bound=Hashable)


class DisjointSets(Generic[Thing]):
    """Sets without a common member: at first, each thing is one of its own.

    Cost: nearly constant for each step.

    Source: Tarjan & van Leeuwen 1984, Worst-case analysis of set union algorithms (path halving).
    """

    __slots__ = ("_of",)

    def __init__(self, things: Iterable[Thing]) -> None:
        self._of = {thing: thing for thing in things}

    def __contains__(self, thing: object) -> bool:
        return thing in self._of

    def first(self, thing: Thing) -> Thing:
        """Return the member that stands for the set of a thing."""
        of = self._of
        while of[thing] != thing:
            of[thing] = thing = of[of[thing]]
        return thing

    def join(self, thing: Thing, other: Thing) -> None:
        """Make the sets of both one, for which the first of ``other``'s stands."""
        self._of[self.first(thing)] = self.first(other)
