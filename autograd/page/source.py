"""The lines of the user's program that a run came from, and nothing else of it."""

from __future__ import annotations

import ast
import linecache
import os
import warnings
from pathlib import Path
from typing import NamedTuple

MOST_LINES = 200
"""Of a longer excerpt, only what lies near a line of the run is shown."""

NEAR_LINES = 20
"""So many lines before and behind one of the run are near it."""


class Excerpt(NamedTuple):
    """Consecutive lines of a file.

    Attributes:
        first: the number of the first line.
        lines: their text.
    """

    first: int
    lines: list[str]


def excerpts(file: str, marked: set[int]) -> list[Excerpt]:
    """Return the innermost functions of ``file`` that hold the ``marked`` lines.

    Of the code outside any function, the statements at the top level that hold one.
    """
    lines = [line.rstrip("\n") for line in linecache.getlines(file)]
    try:
        with warnings.catch_warnings(action="ignore"):  # the program's own, which it has given
            tree = ast.parse("\n".join(lines))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        spans = [(n, n) for n in marked]
    else:
        functions = [
            _span(node)
            for node in ast.walk(tree)
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        ]
        statements = [_span(node) for node in tree.body]
        spans = [_around(n, functions) or _around(n, statements) or (n, n) for n in marked]
    shown: set[int] = set()
    for n, (first, last) in zip(marked, spans, strict=True):
        if last - first >= MOST_LINES:
            first, last = max(first, n - NEAR_LINES), min(last, n + NEAR_LINES)
        shown.update(range(first, last + 1))
    found: list[Excerpt] = []
    for n in sorted(shown):
        if 1 <= n <= len(lines):
            if found and found[-1].first + len(found[-1].lines) == n:
                found[-1].lines.append(lines[n - 1])
            else:
                found.append(Excerpt(n, [lines[n - 1]]))
    return found


def _span(node: ast.stmt) -> tuple[int, int]:
    decorators = getattr(node, "decorator_list", [])
    first = min([node.lineno, *(decorator.lineno for decorator in decorators)])
    return first, node.end_lineno or node.lineno


def _around(line: int, spans: list[tuple[int, int]]) -> tuple[int, int] | None:
    """Return the shortest span around ``line``."""
    around = [span for span in spans if span[0] <= line <= span[1]]
    return min(around, key=lambda span: span[1] - span[0], default=None)


def shown_paths(files: list[str]) -> list[str]:
    """Return how the page calls each file: relative to the working folder, else its name alone.

    What is no file on disk, such as a notebook's cell, is numbered.
    """
    here, names, cells = Path.cwd(), [], 0
    for file in files:
        path = Path(file)
        if not path.is_file() or "ipykernel" in file:
            cells += 1
            names.append(f"cell {cells}")
            continue
        path = Path(os.path.abspath(path))
        names.append(path.relative_to(here).as_posix() if path.is_relative_to(here) else path.name)
    return names
