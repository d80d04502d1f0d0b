"""Text and data made slightly wrong."""

from __future__ import annotations

import datetime
import json
import math
import random
from collections.abc import Callable
from copy import deepcopy
from decimal import Decimal
from fractions import Fraction
from typing import Any

from autograd import Value

PIECES = (
    *"()[]{}<>,.;:'\"`\\/|&*+-=~^%$#@!?_ \t\n\r\0\x1b\x7f",
    *("]]", "]]>", "<!--", "</script>", "\\N", "**", "//", "0x", "1e", "nan", "inf", "1e999"),
    *("9" * 30, "0" * 400, "x" * 300, "é", "Σ", "\u202e", "\ufeff", "\ud800", "🜁", "π/4", "-0.0"),
)


def mangled(source: random.Random, text: str, most: int = 4) -> str:
    """Return the text with some pieces cut, doubled, moved or put in."""
    for _ in range(source.randint(0, most)):
        i, j = sorted(source.randint(0, len(text)) for _ in "ij")
        j = min(j, i + source.choice((0, 1, 1, 3, 20)))
        match source.randrange(5):
            case 0:
                text = text[:i] + text[j:]
            case 1:
                text = text[:j] + text[i:]
            case 2:
                text = text[:i] + source.choice(PIECES) + text[j:]
            case 3:
                text = text[:i] + source.choice(PIECES) * source.choice((1, 2, 50)) + text[i:]
            case 4:
                text = text[:i] + text[i:j][::-1] + text[j:]
    return text


def mangled_bytes(source: random.Random, content: bytes) -> bytes:
    """Return a file's content, cut off, with bytes changed, or with other bytes in between."""
    data = bytearray(content)
    for _ in range(source.randint(1, 3)):
        i = source.randint(0, len(data))
        match source.randrange(4):
            case 0:
                del data[i:]
            case 1:
                data[i : i + 1] = bytes([source.randrange(256)])
            case 2:
                data[i:i] = source.randbytes(source.choice((1, 8, 200)))
            case 3:
                data[i : i + source.choice((1, 8, 100))] = b""
    return bytes(data)


def mangled_json(source: random.Random, data: Any) -> bytes:
    """Return plain data as JSON, with something in it replaced, left out or put in."""
    data = json.loads(json.dumps(data))
    for _ in range(source.randint(1, 2)):
        part, depth = data, source.randint(0, 6)
        while isinstance(part, dict | list) and part:
            key = source.choice(list(part) if isinstance(part, dict) else range(len(part)))
            if depth == 0 or not isinstance(part[key], dict | list) or not part[key]:
                _change(source, part, key)
                break
            part, depth = part[key], depth - 1
    return json.dumps(data).encode()


def _change(source: random.Random, part: Any, key: Any) -> None:
    match source.randrange(4):
        case 0:
            del part[key]
        case 1 if isinstance(part, dict):
            part[source.choice(("", "class", "same", "x" * 2000, "__metadata__"))] = part[key]
        case _:
            part[key] = deepcopy(source.choice(PLAIN))


PLAIN: tuple[Any, ...] = (
    *(None, True, -1, 0, 1, 2**63, 10**400, 0.5, 1e308, -1e-320, "", "nan", "inf", "a" * 5000),
    *([], {}, [[]], [1, 2, 3], {"same": 0}, {"class": "Neuron"}, [None] * 1000, "layers.0"),
)


class Unwritable:
    def __repr__(self) -> str:
        raise RuntimeError("no words")


def nested(depth: int = 20_000) -> list[Any]:
    found: list[Any] = []
    for _ in range(depth):
        found = [found]
    return found


WRONG: tuple[Callable[[], Any], ...] = (
    *(lambda x=x: x for x in (None, True, -1, 0, 3, 1.5, -0.0, math.nan, math.inf, -math.inf)),
    *(lambda x=x: x for x in ("", "3", "a" * 5000, "\0", "\ud800", "tanh", b"3", 1j, 10**400)),
    *(lambda x=x: x for x in (10**5000, Fraction(1, 3), Fraction(10**400, 3), Decimal("1.5"))),
    *(lambda x=x: x for x in (Decimal("NaN"), datetime.date(2026, 1, 1), datetime.timedelta(1))),
    *(lambda x=x: x for x in (..., NotImplemented, print, int, object(), range(3), Unwritable())),
    *(list, dict, set, nested, lambda: [1.0, [2.0]], lambda: [None], lambda: ["a"]),
    *(lambda: {"a": 1.0}, lambda: iter([1.0]), lambda: Value(1.0), lambda: [Value(1.0), 2.0]),
    *(lambda: Value(2.0) * Value(3.0), lambda: lambda *_: None, lambda: lambda: 1.0),
)
"""What makes something slightly wrong in the place of an argument, each time anew."""
