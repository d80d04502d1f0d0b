"""Locks that a fork waits for, so that the child finds nothing half done.

A child has one thread. Whatever the others were about stays as it was, their locks held for ever:
numbers hidden while a function is recorded, LLVM in the middle of its work.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class lazy(Generic[T]):  # noqa: N801 - a decorator, as functools' cached_property
    """A property that is computed once an object, without a lock that a fork could leave held.

    Python 3.11's own holds one for all objects of a class. Two threads may both compute it here.
    """

    def __init__(self, compute: Callable[[Any], T]) -> None:
        self.compute = compute
        self.name = compute.__name__
        self.__doc__ = compute.__doc__

    def __get__(self, thing: Any, owner: Any = None) -> T:
        if thing is None:
            return self  # type: ignore[return-value]
        found = vars(thing)[self.name] = self.compute(thing)
        return found


_locks: list[AbstractContextManager[Any]] = []
_held: list[ExitStack] = []


def wait_for(*locks: AbstractContextManager[Any]) -> None:
    """Let forks wait for some locks, from now on; they are taken in the order of these calls."""
    _locks.extend(locks)


def _take() -> None:
    stack = ExitStack()
    for lock in _locks:
        stack.enter_context(lock)
    _held.append(stack)


def _release() -> None:
    _held.pop().close()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_take, after_in_parent=_release, after_in_child=_release)
