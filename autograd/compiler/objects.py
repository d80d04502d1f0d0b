"""The numbers of many Values, read and added to by machine code instead of a Python loop.

A model's parameters are Python objects, and to visit them one by one takes longer than a step of a
small network. CPython keeps what a slot holds as a pointer inside the object; where that pointer
is, is found by looking for a number of known address. Everything else goes through Python's own
C functions, under its lock. Where any of this doesn't hold, the Python loop serves.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Sequence
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from autograd.compiler.machine import load, object_code
from autograd.engine import Value

WALK = """\
define i64 @{name}(ptr %objects, ptr %numbers, i64 %n, i64 %slot) {{
entry:
  %any = icmp sgt i64 %n, 0
  br i1 %any, label %loop, label %end
loop:
  %i = phi i64 [ 0, %entry ], [ %next, %done ]
  %object.p = getelementptr ptr, ptr %objects, i64 %i
  %object = load ptr, ptr %object.p
  %place = getelementptr i8, ptr %object, i64 %slot
  %float = load ptr, ptr %place
  %number = getelementptr double, ptr %numbers, i64 %i
  %empty = icmp eq ptr %float, null
  br i1 %empty, label %stop, label %visit
visit:
  %x = call double inttoptr (i64 {as_double} to ptr)(ptr %float)
{visit}
done:
  %next = add i64 %i, 1
  %more = icmp slt i64 %next, %n
  br i1 %more, label %loop, label %end
stop:
  ret i64 %i
end:
  ret i64 %n
}}
"""
"""Visits the number in a slot of each object; returns how many have been visited."""

READ = """\
  store double %x, ptr %number
  br label %done"""

ADD = """\
  %y = load double, ptr %number
  %z = fadd double %x, %y
  %new = call ptr inttoptr (i64 {from_double} to ptr)(double %z)
  %failed = icmp eq ptr %new, null
  br i1 %failed, label %stop, label %replace
replace:
  store ptr %new, ptr %place
  call void inttoptr (i64 {release} to ptr)(ptr %float)
  br label %done"""


class _Slots(NamedTuple):
    """How machine code gets at numbers: its functions, and where the slots of a Value are."""

    read: Any
    add: Any
    data: int
    grad: int
    engine: Any


class Slots:
    """The ``data`` and ``grad`` of some Values, in order.

    An array is given with its address, which takes NumPy a microsecond to find out.

    >>> leaves = [Value(1.0), Value(2.0)]
    >>> slots, numbers = Slots(leaves), np.zeros(2)
    >>> slots.read(numbers, numbers.ctypes.data)
    >>> slots.add(numbers, numbers.ctypes.data)
    >>> numbers.tolist(), leaves[1].grad
    ([1.0, 2.0], 2.0)
    """

    def __init__(self, leaves: Sequence[Value]) -> None:
        self.leaves = tuple(leaves)
        self._objects = np.array([id(leaf) for leaf in self.leaves], dtype=np.int64)
        self._address = self._objects.ctypes.data

    def read(self, numbers: NDArray[np.float64], address: int) -> None:
        """Copy every ``data`` into ``numbers``."""
        known, done = _slots(), 0
        if known:
            done = known.read(self._address, address, len(self.leaves), known.data)
        for i in range(done, len(self.leaves)):
            numbers[i] = self.leaves[i].data

    def add(self, numbers: NDArray[np.float64], address: int) -> None:
        """Add ``numbers`` to the ``grad`` of as many Values."""
        known, done = _slots(), 0
        if known:
            done = known.add(self._address, address, len(numbers), known.grad)
        for i in range(done, len(numbers)):
            self.leaves[i].grad += float(numbers[i])


@cache
def _slots() -> _Slots | None:
    """Return how to get at the slots; None where that isn't certain."""
    if sys.implementation.name != "cpython" or not getattr(sys, "_is_gil_enabled", lambda: True)():
        return None
    probe = Value(1234.5)
    probe.grad = 5432.25
    data, grad = _place(probe, probe.data), _place(probe, probe.grad)
    if data is None or grad is None:
        return None
    python = ctypes.pythonapi
    as_double, from_double, release = (
        ctypes.cast(function, ctypes.c_void_p).value
        for function in (python.PyFloat_AsDouble, python.PyFloat_FromDouble, python.Py_DecRef)
    )
    replacing = ADD.format(from_double=from_double, release=release)
    visits = {"read": READ, "add": replacing}
    walks = [
        WALK.format(name=name, visit=visit, as_double=as_double) for name, visit in visits.items()
    ]
    engine = load(object_code("\n".join(walks)))
    # These hold Python's lock, and pass on an error that its functions note.
    prototype = ctypes.PYFUNCTYPE(ctypes.c_int64, *[ctypes.c_void_p] * 2, *[ctypes.c_int64] * 2)
    read, add = (prototype(engine.get_function_address(name)) for name in ("read", "add"))
    return _Slots(read, add, data, grad, engine)


def _place(value: Value, number: float) -> int | None:
    """Return at which byte of ``value`` the pointer to ``number`` is, if at exactly one."""
    size = sys.getsizeof(value) // 8
    words = (ctypes.c_void_p * size).from_address(id(value))
    found = [8 * i for i in range(size) if words[i] == id(number)]
    return found[0] if len(found) == 1 else None
