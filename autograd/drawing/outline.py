"""A picture as indented text for the terminal: each node under what it is an argument of.

A node that is used twice stands in full at the first place, and by name at the others.
"""

from __future__ import annotations

from collections import deque

from autograd.drawing.picture import Item, Picture, drawable, shorten, shown

DEEPEST_INDENT = 24
"""Levels of indentation before the outline goes on at the margin."""

WIDEST_FORMULA = 60
"""Columns that a formula gets before it is shortened."""


def source(picture: Picture) -> str:
    """Return the whole text.

    Cost: linear in items and links.
    """
    items = {item.key: item for item in picture.items}
    written: set[str] = set()
    used = {link.arg for item in picture.items for link in item.args}
    starts = [item.key for item in reversed(picture.items) if item.key not in used]
    # A cycle of modules has no first; then the last will do.
    starts += [item.key for item in reversed(picture.items)]
    stack = deque((key, "", 0, "") for key in reversed(starts))
    lines: list[tuple[str, list[str]]] = []
    while stack:
        key, label, depth, above = stack.pop()
        item = items[key]
        margin = "  " * depth
        arrow = f"[{label}] " if label else ""
        if key in written:
            if above:
                again = f"{margin}{arrow}{_name(item)}"
                lines.append((again, ["(above)"] if item.args else _numbers(item)))
            continue
        if depth == DEEPEST_INDENT:
            lines.append((f"{margin}{arrow}{_name(item)}", ["(below)"]))
            stack.appendleft((key, "", 0, ""))
            continue
        written.add(key)
        mark = "> " if item.current else ""
        lines.append((f"{margin}{mark}{arrow}{_heading(item)}", _numbers(item)))
        inside = [(link.arg, link.label, depth + 1, key) for link in item.args if link.arg]
        stack.extend(reversed(inside))
    width = max((len(left) for left, _ in lines), default=0)
    text = [f"{left:<{width}}  {'  '.join(right)}".rstrip() for left, right in lines]
    largest = [
        f"{name}: at most {shown(picture.largest[scale])} in size" for scale, name in picture.scales
    ]
    notes = [drawable(shorten(note, 160)) for note in picture.notes]
    return "\n".join([*text, "", *largest, *notes]).rstrip() + "\n"


def _name(item: Item) -> str:
    return drawable(shorten(item.title) or item.name or shorten(item.caption))


def _heading(item: Item) -> str:
    if item.definition and item.name and item.title:
        heading = f"{shorten(item.title)}: {shorten(item.definition, WIDEST_FORMULA)}"
    elif item.definition:
        heading = shorten(item.definition, WIDEST_FORMULA)
    else:
        heading = " ".join(filter(None, (shorten(item.title), item.caption, item.name)))
    path = f"({shorten(item.path)})" if item.path else ""
    return drawable(" ".join(filter(None, (heading, item.times, path))))


def _numbers(item: Item) -> list[str]:
    return [f"{row.what} {row.text}" for row in item.rows]
