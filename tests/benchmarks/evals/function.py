"""`Function`: what an eval asks for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple


class Function(NamedTuple):
    """A function of an eval: what it does with a message's input, and what is timed."""

    compute: Callable[[Any], Any]
    prepare: Callable[[Any], Any] = lambda given: given
