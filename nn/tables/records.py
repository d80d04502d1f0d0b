"""`records_of`: the records that a text of JSON holds, as other programs write tables."""

from __future__ import annotations

import json
import re
from typing import Any

BEGINNING = re.compile(r'[\ufeff\s]*(\[\s*\{|\{\s*"|\{\s*\})')
"""How a list of objects begins, or an object."""


def records_of(text: str) -> list[dict[str, Any]] | None:
    """Return the objects in a list, or one a line; None if that isn't what the text is.

    An object in which a single list of objects stands is taken for that list. What is nested
    in a record is named by its path.

    Raises:
        ValueError: it is damaged, or one of the records holds a list, which is no cell.

    >>> records_of('[{"a": 1, "b": {"c": "x"}}]')
    [{'a': 1, 'b.c': 'x'}]
    >>> records_of('{"a": 1}' + chr(10) + '{"a": 2}')
    [{'a': 1}, {'a': 2}]
    """
    if not BEGINNING.match(text):
        return None
    text = text.lstrip("\ufeff")
    try:
        found = _loaded(text)
    except RecursionError:
        raise ValueError("holds JSON that is nested too deep for a table") from None
    if isinstance(found, dict):
        lists = [each for each in found.values() if _are_records(each)]
        found = lists[0] if len(lists) == 1 else found
    if not _are_records(found):
        return None
    return [_flat(record, f"record {i}") for i, record in enumerate(found, 1)]


def _loaded(text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        whole = error
    found = []
    for i, line in enumerate(text.split("\n"), 1):
        try:
            found += [json.loads(line)] if line.strip() else []
        except json.JSONDecodeError as error:
            place, why = (i, error.msg) if found else (whole.lineno, whole.msg)
            raise ValueError(f"holds JSON that is damaged in line {place}: {why}") from None
    return found


def _are_records(found: Any) -> bool:
    return isinstance(found, list) and bool(found) and all(isinstance(each, dict) for each in found)


def _flat(record: dict[str, Any], place: str) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    waiting = [*reversed(record.items())]
    while waiting:
        name, given = waiting.pop()
        if isinstance(given, list):
            raise ValueError(
                f"has a list in {place}, {name!r:.60}: a cell is a number, a word or nothing"
            )
        if isinstance(given, dict):
            waiting += [(f"{name}.{key}", each) for key, each in reversed(given.items())]
        else:
            flat[name] = given
    return flat
