"""What runs of a function have changed, put back, where what was recorded of them is of no use."""

from __future__ import annotations

import random
import sys
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Any

from autograd.compiler.held import Held
from autograd.compiler.places import held_by
from autograd.compiler.reach import reached
from autograd.engine import Value


def as_it_was(f: Any) -> Callable[[], None]:
    """Return what puts back all that ``f`` can reach: generators, attributes, variables, lists.

    Iterators that have gone on, files, and the insides of other objects in C stay as they are.

    Cost: linear in what can be reached; each time it is called, likewise.
    """
    things = [*reached(f)]
    held = held_by(f, things, is_users=True)
    generators = _generators(things)

    def undo() -> None:
        for put_back in generators:
            put_back()
        for place in held:
            if not place.is_there():
                _put_back(place)

    return undo


def _put_back(place: Held) -> None:
    holder: Any = place.holder
    value = place.value
    if isinstance(value, list) and isinstance(holder, list | deque | set) and not place.attribute:
        holder.clear()
        holder.update(value) if isinstance(holder, set) else holder.extend(value)
    elif isinstance(holder, dict) and isinstance(value, list) and place.is_rare:
        for key in [key for key in holder if key not in value]:
            del holder[key]
    elif isinstance(value, bytes) and hasattr(holder, "dtype"):
        holder[...] = sys.modules["numpy"].frombuffer(value, holder.dtype).reshape(holder.shape)
    else:
        place.put(value)


def _generators(things: list[Any]) -> list[Callable[[], None]]:
    """Return what sets each random generator to where it is now."""
    found: list[Callable[[], None]] = [partial(random.setstate, random.getstate())]
    numpy: Any = sys.modules.get("numpy.random")
    if numpy:
        found.append(partial(numpy.set_state, numpy.get_state()))
    for thing in things:
        if type(thing) is Value:
            continue
        if isinstance(thing, random.Random) and not isinstance(thing, random.SystemRandom):
            found.append(partial(thing.setstate, thing.getstate()))
        if type(thing).__module__.partition(".")[0] != "numpy":
            continue
        bits = getattr(thing, "bit_generator", None)
        if hasattr(thing, "set_state"):
            found.append(partial(thing.set_state, thing.get_state()))
        elif bits is not None:
            found.append(partial(setattr, bits, "state", bits.state))
    return found
