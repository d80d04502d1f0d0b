"""The numbers of many Values, read and added to by machine code instead of a Python loop.

A model's parameters are Python objects, and to visit them one by one takes longer than a step of a
small network. CPython keeps what a slot holds as a pointer inside the object; where that pointer
is, is found by looking for a number of known address. Everything else goes through Python's own
C functions, under its lock. Where any of this doesn't hold, the Python loop serves. Where the
engine is in C, the nodes hold the numbers themselves, and it states where.
"""

from __future__ import annotations

import ctypes
import sys
from array import array
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from autograd.acceleration import accelerator
from autograd.compiler.machine import kept_code, load, object_code
from autograd.engine import Value
from autograd.operand import real

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
  %number = getelementptr double, ptr %numbers, i64 %i
{find}
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

GAIN = """\
define i64 @gain(ptr %objects, ptr %before, ptr %numbers, i64 %n, i64 %slot) {
  %seen = call i64 @read_grad(ptr %objects, ptr %before, i64 %n, i64 %slot)
  %all = icmp eq i64 %seen, %n
  br i1 %all, label %add, label %end
add:
  %done = call i64 @add(ptr %objects, ptr %numbers, i64 %n, i64 %slot)
  br label %end
end:
  ret i64 %seen
}
"""
"""Adds numbers to a slot of each object, or to none; returns how many have one."""

FIND = """\
  %float = load ptr, ptr %place
  %empty = icmp eq ptr %float, null
  br i1 %empty, label %stop, label %ask
ask:
  %type.p = getelementptr i8, ptr %float, i64 {type_at}
  %type = load ptr, ptr %type.p
  %exact = icmp eq ptr %type, inttoptr (i64 {float} to ptr)
  br i1 %exact, label %known, label %other
known:
  %number.p = getelementptr i8, ptr %float, i64 {number_at}
  %k = load double, ptr %number.p
  br label %visit
other:
  %o = call double inttoptr (i64 {as_double} to ptr)(ptr %float)
  %error = call ptr inttoptr (i64 {occurred} to ptr)()
  %failed = icmp ne ptr %error, null
  br i1 %failed, label %stop, label %visit
visit:
  %x = phi double [ %k, %known ], [ %o, %other ]"""

FIND_IN_C = """\
  %bits.p = getelementptr i8, ptr %object, i64 {bits_at}
  %bits = load i64, ptr %bits.p
  %odd = and i64 %bits, {odd}
  %plain = icmp eq i64 %odd, 0
  br i1 %plain, label %visit, label %stop
visit:
  %x = load double, ptr %place"""
"""A node that has something else than floats is for the Python loop."""

READ = """\
  store double %x, ptr %number
  br label %done"""

ADD = """\
  %y = load double, ptr %number
  %z = fadd double %x, %y
  %new = call ptr inttoptr (i64 {from_double} to ptr)(double %z)
  %none = icmp eq ptr %new, null
  br i1 %none, label %stop, label %replace
replace:
  store ptr %new, ptr %place
  call void inttoptr (i64 {release} to ptr)(ptr %float)
  br label %done"""

ADD_IN_C = """\
  %y = load double, ptr %number
  %z = fadd double %x, %y
  store double %z, ptr %place
  br label %done"""


TYPE_AT = object.__basicsize__ - 8
NUMBER_AT = float.__basicsize__ - 8
"""Where a float object has its type and its number: each is the last word of its part."""


class _Slots(NamedTuple):
    """How machine code gets at numbers: its functions, and where the slots of a Value are."""

    read: Any
    gain: Any
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
        self._before = np.empty(len(self.leaves))
        self._before_at = self._before.ctypes.data

    def read(self, numbers: NDArray[np.float64], address: int) -> None:
        """Copy every ``data`` into ``numbers``."""
        known, done = _slots(), 0
        if known:
            done = known.read(self._address, address, len(self.leaves), known.data)
        for i in range(done, len(self.leaves)):
            numbers[i] = array("d", [self.leaves[i].data])[0]  # what is no number is an error

    def add(self, numbers: NDArray[np.float64], address: int) -> None:
        """Add ``numbers`` to the ``grad`` of as many Values, or to none.

        Raises:
            TypeError: one of them is no number.
        """
        known, n = _slots(), len(numbers)
        if known and known.gain(self._address, self._before_at, address, n, known.grad) == n:
            return
        pairs = list(zip(self.leaves, numbers.tolist(), strict=False))
        for leaf, total in [(leaf, real(leaf.grad) + number) for leaf, number in pairs]:
            leaf.grad = total


@cache
def _slots() -> _Slots | None:
    """Return how to get at the slots; None where that isn't certain."""
    if accelerator:
        data, grad, bits_at, *odd_bits = accelerator.layout
        find_data, find_grad = (FIND_IN_C.format(bits_at=bits_at, odd=odd) for odd in odd_bits)
        return _walking(kept_code, find_data, find_grad, ADD_IN_C, data, grad)
    if sys.implementation.name != "cpython" or not getattr(sys, "_is_gil_enabled", lambda: True)():
        return None
    probe = Value(1234.5)
    probe.grad = 5432.25
    data, grad = _place(probe, probe.data), _place(probe, probe.grad)
    if data is None or grad is None or not _is_plain(probe.data):
        return None
    python = ctypes.pythonapi
    names = {
        "as_double": python.PyFloat_AsDouble,
        "from_double": python.PyFloat_FromDouble,
        "occurred": python.PyErr_Occurred,
        "release": python.Py_DecRef,
    }
    places: dict[str, Any] = {
        name: ctypes.cast(function, ctypes.c_void_p).value for name, function in names.items()
    }
    places |= {"float": id(float), "type_at": TYPE_AT, "number_at": NUMBER_AT}
    find = FIND.format(**places)
    return _walking(object_code, find, find, ADD.format(**places), data, grad)


def _walking(
    made: Callable[[str], bytes], find_data: str, find_grad: str, add: str, data: int, grad: int
) -> _Slots:
    walks = {"read": (find_data, READ), "read_grad": (find_grad, READ), "add": (find_grad, add)}
    texts = [WALK.format(name=name, find=f, visit=v) for name, (f, v) in walks.items()]
    engine = load(made("\n".join([*texts, GAIN])))
    # These hold Python's lock, and pass on an error that its functions note.
    prototypes = [
        ctypes.PYFUNCTYPE(ctypes.c_int64, *[ctypes.c_void_p] * places, *[ctypes.c_int64] * 2)
        for places in (2, 3)
    ]
    read, gain = (
        prototype(engine.get_function_address(name))
        for prototype, name in zip(prototypes, ("read", "gain"), strict=True)
    )
    return _Slots(read, gain, data, grad, engine)


def _is_plain(number: float) -> bool:
    """Return whether a float object's type and number are where they are taken to be."""
    kind = ctypes.c_void_p.from_address(id(number) + TYPE_AT).value
    return (
        kind == id(float) and ctypes.c_double.from_address(id(number) + NUMBER_AT).value == number
    )


def _place(value: Value, number: float) -> int | None:
    """Return at which byte of ``value`` the pointer to ``number`` is, if at exactly one."""
    size = sys.getsizeof(value) // 8
    words = (ctypes.c_void_p * size).from_address(id(value))
    found = [8 * i for i in range(size) if words[i] == id(number)]
    return found[0] if len(found) == 1 else None
