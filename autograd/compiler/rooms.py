"""Arrays as memory of machine code: of one kind of numbers, where a vector may begin."""

from __future__ import annotations

import ctypes
from typing import Any

from autograd.extras import missing_extra

try:
    import numpy as np
    from numpy.typing import NDArray
except ImportError as error:
    missing_extra("numpy", "fast", error)

Array = NDArray[np.floating[Any]]

# Words of an array object, by NumPy's C API: PyArrayObject_fields. Its flags are half a word.
DATA, DESCR, FLAGS, FIELDS = 2, 7, 8, 9

PLAIN = 0x0101
"""NPY_ARRAY_C_CONTIGUOUS and NPY_ARRAY_ALIGNED."""

MOST_LANES = 16
"""Numbers in the widest of vectors, of 64 bytes."""


def converted(array: Array, dtype: Any) -> Array:
    """Return an array of some kind of numbers, the nearest ones; infinite beyond the largest."""
    if array.dtype is dtype:
        return array
    with np.errstate(all="ignore"):
        return np.asarray(array, dtype, order="C")


def fields_of(array: Array) -> Any:
    """Return the words of an array object, as they are from now on; they live as long as it.

    >>> array = np.ones(3)
    >>> fields_of(array)[DATA] == array.ctypes.data
    True
    """
    words = (ctypes.c_int64 * FIELDS).from_address(id(array))
    view = memoryview(words).cast("B").cast("q")
    known = array.ctypes.data, id(array.dtype), array.flags.num & PLAIN
    # Of another build of Python or NumPy, no word is taken for what it isn't: nothing is plain.
    return view if (view[DATA], view[DESCR], view[FLAGS] & PLAIN) == known else [0] * FIELDS


def sums_room(count: int, dtype: Any) -> Array:
    """Return room for sums, which are written a vector at a time."""
    room: Array = np.empty(count + MOST_LANES, dtype)
    return room[:count]


def aligned(size: int, dtype: Any) -> Array:
    """Return room for numbers, beginning where a vector may."""
    room: Array = np.empty(size + MOST_LANES, dtype)
    skip = -room.ctypes.data % 64 // room.itemsize
    return room[skip : skip + size]
