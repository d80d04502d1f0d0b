"""Plain data in files: JSON with exact floats, read in time and memory linear in its size."""

from __future__ import annotations

import json
import math
import os
import stat
from pathlib import Path
from typing import Any, NoReturn

from autograd import ChainruleError, json_data, write_whole

MAX_BYTES = 256 * 2**20
NOT_FINITE = ("inf", "-inf", "nan")
"""The floats that JSON doesn't have, as strings."""


class StateError(ChainruleError, ValueError):
    """A file that is damaged, or does not fit; what it was to be loaded into is unchanged."""

    def __init__(self, message: str) -> None:
        super().__init__(" ".join(message.splitlines()))  # what it quotes may be anything


def write_json(path: Path, content: Any) -> None:
    """Write plain data in one go; a float that is not finite becomes the string of its repr."""
    write_whole(path, (as_text(content) + "\n").encode())


def read_json(path: Path) -> Any:
    """Return plain data from a file.

    Raises:
        StateError: it is too large, too deep, cut off or no JSON.
        FileNotFoundError: there is no file.
    """
    return parsed(str(path), contents_of(path))


def as_text(content: Any) -> str:
    """Return plain data as JSON on one line; NumPy's arrays and numbers count as plain.

    >>> as_text({"loss": [0.1, float("inf")]})
    '{"loss": [0.1, "inf"]}'
    """
    return json.dumps(json_data(content), allow_nan=False)


def parsed(name: str, content: bytes) -> Any:
    """Return the plain data that JSON stands for.

    Raises:
        StateError: it is too deep, cut off or no JSON; the message begins with ``name``.
    """

    def refuse(constant: str) -> NoReturn:
        raise ValueError(f"{constant} is no number of JSON")

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) != len(pairs):
            seen: set[str] = set()
            twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
            raise ValueError(f"{twice!r:.60} stands twice")
        return found

    try:
        text = content.decode("utf-8")
        return json.loads(text, parse_constant=refuse, object_pairs_hook=unique)
    except UnicodeDecodeError as error:
        raise StateError(f"{name} is no UTF-8 text: {error}") from None
    except RecursionError:
        raise StateError(f"{name} is nested too deep") from None
    except ValueError as error:
        raise StateError(f"{name} is damaged or no JSON: {error}") from None


def contents_of(path: Path) -> bytes:
    """Return what is in a regular file, once its size is known to be bearable.

    Raises:
        StateError: it is too large, or a folder, a pipe or a device.
        FileNotFoundError: there is no file.
    """
    check_regular(path)
    # Not even a pipe that has just taken the file's place is waited for.
    with open(os.open(path, os.O_RDONLY | _AT_ONCE), "rb") as file:
        return file.read(MAX_BYTES)


def check_regular(path: Path) -> None:
    """Look at a file before it is opened.

    Raises:
        StateError: it is too large, or a folder, a pipe or a device.
        FileNotFoundError: there is no file.
    """
    status = os.stat(path)
    if not stat.S_ISREG(status.st_mode):
        raise StateError(f"{path} is no regular file")
    if status.st_size > MAX_BYTES:
        raise StateError(f"{path} has {status.st_size:,} bytes, at most {MAX_BYTES:,} are read")


def as_float(name: str, given: Any) -> float:
    """Return a number as a file holds it: a JSON number, or "inf", "-inf", "nan".

    Raises:
        StateError: it is none.
    """
    if isinstance(given, float | int) and not isinstance(given, bool):
        try:
            x = float(given)
        except OverflowError:
            x = math.inf
        if math.isinf(x):
            raise StateError(f"{name} holds a number beyond the range of floats")
        return x
    if given in NOT_FINITE:
        return float(given)
    raise StateError(f"{name} holds {given!r:.40}, which is no number")


_AT_ONCE = getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0)
