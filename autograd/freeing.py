"""Chains of nodes freed one after the other, where Python's own way would be too deep.

To free a node is to free what only it held, and so on down the chain. Python goes there by
recursion, which it breaks off while there is stack left. Under Emscripten, where Python runs in a
browser, it isn't Python's stack that ends first but the one around it: freeing 10,000 nodes ended
the interpreter ("Maximum call stack size exceeded").
"""

from __future__ import annotations

import sys
from collections.abc import Callable

from autograd.annotations import Any
from autograd.engine import Value


def one_by_one() -> Callable[[Value], None]:
    """Return a ``__del__`` for nodes, under which a chain needs no more stack than one node.

    What a node holds dies in the hands of the first one, and has its own taken over in turn.
    It is for one thread: Emscripten has no more.
    """
    held: list[Any] = []
    busy = False

    def free(self: Value) -> None:
        nonlocal busy
        for slot in ("_a", "_b"):
            held.append(getattr(self, slot, 0.0))  # a node may have been made in vain
            setattr(self, slot, 0.0)
        if not busy:
            busy = True
            while held:
                held.pop()
            busy = False

    return free


if sys.platform == "emscripten":
    Value.__del__ = one_by_one()  # type: ignore[attr-defined]
