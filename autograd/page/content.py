"""What the page embeds of a run, as plain data in columns.

Events are not among it: they follow from the graph, so the page makes them itself.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

from autograd.drawing.palette import STEPS
from autograd.drawing.picture import shorten
from autograd.engine import Value
from autograd.formula import json_number, number
from autograd.operation import Number, Op, Symbol
from autograd.page.javascript import RowScript, key, rows
from autograd.page.layout import HEIGHT, WIDTH, arrange
from autograd.page.levels import levels_of
from autograd.page.source import excerpts, shown_paths
from autograd.stepping.events import Recording
from autograd.stepping.mistakes import WAYS
from autograd.stepping.notation import formulas

MOST_NODES = 15_000
"""A larger graph is embedded around its root."""

LONGEST_NAME = 60


def embedded(recording: Recording, position: int, title: str) -> tuple[dict[str, Any], RowScript]:
    """Return the data of the page, and the rows of the table that it needs."""
    nodes = nearest(recording)
    is_whole = len(nodes) == len(recording.nodes)
    place = {node: i for i, node in enumerate(nodes)}
    edges = [(place[arg], i) for i, node in enumerate(nodes) for arg in node.args if arg in place]
    script = rows((node.op, len(node.args)) for node in nodes if node.op)
    forms = _Forms(script)
    form_numbers = [forms.of(node) for node in nodes]
    drawn = arrange(len(nodes), edges)
    data = {
        "schema": 1,
        "title": title,
        "seed": _json(recording.seed),
        # At the start there is nothing to see: the page begins where the backward pass does.
        "position": position if is_whole and position else len(nodes) + 1,
        "total": len(recording.nodes),
        "ways": WAYS,
        "steps": STEPS,
        "totalLeaves": sum(node.op is None for node in recording.nodes),
        "names": [shorten(recording.name(node), LONGEST_NAME) for node in nodes],
        "labels": {
            i: shorten(node.label, LONGEST_NAME)
            for i, node in enumerate(nodes)
            if node.label and node.label != recording.name(node)
        },
        "forms": forms.described,
        "form": form_numbers,
        "args": [[_argument(arg, place, recording) for arg in node.args] for node in nodes],
        "data": [_json(recording.value(node)) for node in nodes],
        "locals": [_json(x) for node in nodes for x in _locals(node, place, recording)],
        "card": [WIDTH, HEIGHT],
        "at": [x for point in drawn.centres for x in point],
        "routes": [_deltas(route) for route in drawn.routes],
        "levels": levels_of(nodes) if is_whole else [],
        **_origins(nodes),
    }
    return data, script


def nearest(recording: Recording) -> list[Value]:
    """Return the nodes to embed, in topological order: all, or those nearest to the root.

    A node is taken only after all that use it. So every gradient in the page has all its
    contributions, and no node that is left out depends on one that is there.
    """
    if len(recording.nodes) <= MOST_NODES:
        return list(recording.nodes)
    waiting = {node: len(steps) for node, steps in recording.incoming.items()}
    taken = [recording.root]
    for node in taken:
        for arg in node.args:
            if isinstance(arg, Value):
                waiting[arg] -= 1
                if not waiting[arg] and len(taken) < MOST_NODES:
                    taken.append(arg)
    return sorted(taken, key=recording.position.__getitem__)


class _Forms:
    """Numbers the forms of ops: how each is written, and so are its local derivatives."""

    def __init__(self, script: RowScript) -> None:
        self.script = script
        self.described: list[dict[str, Any]] = []
        self.number_of: dict[tuple[Op, tuple[str, ...]], int] = {}

    def of(self, node: Value) -> int:
        """Return the number of a node's form, -1 for a leaf."""
        op = node.op
        if op is None:
            return -1
        # The rules of a long row gain nothing by folding.
        folds = op.pullback is None
        constants = tuple(arg if folds and isinstance(arg, float) else None for arg in node.args)
        templates = _shared_templates(op, constants)
        form = self.number_of.setdefault((op, templates), len(self.described))
        if form == len(self.described):
            row = key(op, len(constants))
            self.described.append(
                {
                    "op": op.name,
                    "symbol": str(op),
                    "row": row,
                    "live": row in self.script.live,
                    "singular": op.singular,
                    "text": templates[0],
                    "rules": templates[1:],
                }
            )
        return form


@lru_cache(maxsize=4096)
def _shared_templates(op: Op, constants: tuple[float | None, ...]) -> tuple[str, ...]:
    """Return `_templates` with a hole for each constant, too, unless one folds into a rule."""
    general, folded = _templates(op, (None,) * len(constants)), _templates(op, constants)
    filled = [_filled(template, constants) for template in general]
    return tuple(general if filled == folded else folded)


def _templates(op: Op, constants: tuple[float | None, ...]) -> list[str]:
    """Return the op and its local derivatives, with ``{i}`` for argument i and ``{z}`` for out."""
    args: tuple[Any, ...] = tuple(
        Symbol(f"{{{i}}}") if x is None else Number(x) for i, x in enumerate(constants)
    )
    return formulas(op, Symbol("{z}"), args)


def _filled(template: str, constants: tuple[float | None, ...]) -> str:
    for i, x in enumerate(constants):
        if x is not None:
            template = template.replace(f"{{{i}}}", number(x))
    return template


def _argument(arg: Value | float, place: dict[Value, int], recording: Recording) -> Any:
    """Return a node's number; a constant, or a node that is left out, as a list."""
    if not isinstance(arg, Value):
        return [_json(arg)]
    if arg in place:
        return place[arg]
    return [_json(recording.value(arg)), shorten(recording.name(arg), LONGEST_NAME)]


def _locals(node: Value, place: dict[Value, int], recording: Recording) -> list[float]:
    """Return the recorded local derivatives of a node's edges to embedded nodes."""
    found = recording.locals(node) if node.op else ()
    return [x for x, arg in zip(found, node.args, strict=True) if arg in place]


def _origins(nodes: list[Value]) -> dict[str, Any]:
    """Return the scopes, and the source as far as it is known, by node."""
    scopes: dict[str, int] = {"": 0}
    marked: dict[str, set[int]] = {}
    scope_of, places = [], []
    for node in nodes:
        scope, file, line = node.origin or ("", None, None)
        scope_of.append(scopes.setdefault(scope, len(scopes)))
        places.append((file, line) if file and line else ("", -1))
        if file and line:
            marked.setdefault(file, set()).add(line)
    file_of = {"": -1} | {file: i for i, file in enumerate(marked)}
    return {
        "scopes": list(scopes),
        "scope": scope_of,
        "files": [
            {"path": path, "excerpts": [[e.first, e.lines] for e in excerpts(file, lines)]}
            for path, (file, lines) in zip(shown_paths(list(marked)), marked.items(), strict=True)
        ],
        "file": [file_of[file] for file, _ in places] if marked else [],
        "line": [line for _, line in places] if marked else [],
    }


def _deltas(route: list[tuple[int, int]]) -> list[int]:
    """Return a route as a flat list: its first point, then differences."""
    flat: list[int] = []
    x = y = 0
    for px, py in route:
        flat += [px - x, py - y]
        x, y = px, py
    return flat


def _json(x: float) -> float | int | str:
    """Return a number as JSON has it; a whole one without its ``.0``, to save space."""
    if not math.isfinite(x):
        return json_number(x)
    return int(x) if x == int(x) and abs(x) < 1e15 and (x or math.copysign(1, x) > 0) else x
