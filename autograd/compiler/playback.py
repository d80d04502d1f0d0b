"""Tapes as functions: kept in the cache, loaded, and played by code made once for many of them."""

from __future__ import annotations

import ctypes
import json
from collections.abc import Sequence
from functools import cache
from math import prod
from typing import Any

from autograd.compiler.blocks import SampleBlock
from autograd.compiler.frames import Signature
from autograd.compiler.machine import host, kept_code, load, object_code
from autograd.compiler.parts import Made
from autograd.compiler.player import HEAD, player_of
from autograd.compiler.reals import REALS
from autograd.compiler.repetition import Shape
from autograd.compiler.tape import Tape
from autograd.extras import missing_extra

try:
    import numpy as np
except ImportError as error:
    missing_extra("numpy", "fast", error)

TAKES = 10
"""How many operations of machine code an instruction takes as long as."""

RUN = """\
define void @run(ptr %args) {{
  call void inttoptr (i64 {play} to ptr)(ptr %args, {tape})
  ret void
}}
"""


def kept(tape: Tape, signature: Signature, *, exact: bool, single: bool) -> bytes:
    """Return all that a call needs, as `played` takes it: what there is, and the arrays.

    Args:
        single: whether samples are played one by one.
    """
    outputs = [*zip(tape.outputs.tolist(), signature.summed, strict=True)]
    summed = [place for place, is_sum in outputs if is_sum]
    given = [place for place, is_sum in outputs if not is_sum]
    ways_in = _ways(signature.arguments, 0, range(tape.inputs))
    ways_out = _ways(signature.results, len(signature.arguments), given)
    counts = {
        "inputs": tape.inputs,
        "parameters": signature.parameters,
        "constants": len(tape.constants),
        "outputs": len(given),
        "sums": len(summed),
        "places": tape.places,
        "shared_code": tape.shared_code,
        "shared_places": tape.shared,
    }
    head = np.array([*(counts[name] for name in HEAD), *summed, *ways_in, *ways_out], np.int64)
    width = 1 if exact or single else host().lanes(signature.real)
    header = {
        "workspace": (tape.places + len(summed)) * width,
        "operations": TAKES * (len(tape.code) // 3),
        "tape": [tape.ops, signature.real.dtype, width, exact],
        "sizes": [len(head), len(tape.code), len(tape.constants)],
    }
    arrays = head, tape.constants, tape.code
    return b"\n".join([json.dumps(header).encode(), b"".join(x.tobytes() for x in arrays)])


def _ways(shapes: Sequence[Shape], first: int, places: Sequence[int]) -> list[int]:
    """Return the words of numbers that lie in arrays, one after the other."""
    words: list[int] = []
    place = iter(places)
    for array, shape in enumerate(shapes, first):
        size = prod(shape)
        for column in range(size):
            words += array, size, column, next(place)
    return words


def played(header: dict[str, Any], content: bytes) -> Made:
    """Return the function of a tape that was kept."""
    names, dtype, width, exact = header["tape"]
    block = SampleBlock(width, 1, exact, 1, REALS[dtype])
    player, play = _player(tuple(names), block)
    head, code, constants = header["sizes"]
    ends = [0, 8 * head, 8 * (head + constants), 8 * (head + constants) + 4 * code]
    room = np.frombuffer(content, np.uint8).copy()  # where doubles may begin
    tape = ", ".join(f"ptr inttoptr (i64 {room.ctypes.data + ends[i]} to ptr)" for i in (0, 2, 1))
    engine = load(object_code(RUN.format(play=play, tape=tape)))
    call: Any = ctypes.CFUNCTYPE(None, ctypes.c_void_p)(engine.get_function_address("run"))
    call.engine = engine, player, room  # they live as long as whoever may call it
    return Made(call, header["workspace"], header["operations"])


@cache
def _player(names: tuple[str, ...], block: SampleBlock) -> tuple[Any, int]:
    """Return the code that plays tapes of some operations, and where its function is."""
    engine = load(kept_code(player_of(names, host(), block)))
    return engine, engine.get_function_address("play")
