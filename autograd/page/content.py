"""What the page embeds of a run, as plain data in columns.

Events are not among it: they follow from the graph, so the page makes them itself.
"""

from __future__ import annotations

import math
from typing import Any

from autograd.drawing.palette import STEPS
from autograd.drawing.picture import shorten
from autograd.engine import Value
from autograd.events import Recording
from autograd.formula import number, rule, text
from autograd.kernels import form
from autograd.mistakes import WAYS
from autograd.operand import Number, Symbol
from autograd.operation import Op
from autograd.page.javascript import Rows, key, rows
from autograd.page.layout import HEIGHT, WIDTH, arrange
from autograd.page.source import excerpts, shown_paths

MOST_NODES = 5_000
"""A larger graph is embedded around its root."""

LONGEST_NAME = 60


def embedded(recording: Recording, title: str) -> tuple[dict[str, Any], Rows]:
    """Return the data of the page, and the rows of the table that it needs."""
    nodes = nearest(recording)
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

    def __init__(self, script: Rows) -> None:
        self.script = script
        self.described: list[dict[str, Any]] = []
        self.number_of: dict[Any, int] = {}

    def of(self, node: Value) -> int:
        """Return the number of a node's form, -1 for a leaf."""
        op, constants = node.op, tuple(a if isinstance(a, float) else None for a in node.args)
        if op is None:
            return -1
        arity = len(constants)
        if op.pullback is not None:
            constants = (None,) * arity  # the rules of a long row gain nothing by folding
        if (op, constants) in self.number_of:
            return self.number_of[op, constants]
        general = _templates(op, (None,) * arity)
        folded = _templates(op, constants)
        filled = [_filled(template, constants) for template in general]
        wanted = (op, (None,) * arity) if filled == folded else (op, constants)
        if wanted not in self.number_of:
            applied, *rules = general if filled == folded else folded
            self.number_of[wanted] = len(self.described)
            self.described.append(
                {
                    "op": op.name,
                    "symbol": str(op),
                    "row": key(op, arity),
                    "live": key(op, arity) in self.script.live,
                    "singular": op.singular,
                    "text": applied,
                    "rules": rules,
                }
            )
        self.number_of[op, constants] = self.number_of[wanted]
        return self.number_of[wanted]


def _templates(op: Op, constants: tuple[float | None, ...]) -> list[str]:
    """Return the op and its local derivatives, with ``{i}`` for argument i and ``{z}`` for out."""
    args: tuple[Any, ...] = tuple(
        Symbol(f"{{{i}}}") if x is None else Number(x) for i, x in enumerate(constants)
    )
    out = Symbol("{z}")
    rules = (
        [rule(op, slot, out, args) for slot in range(len(args))]
        if op.pullback is None
        else list(op.pullback(Number(1.0), out, args))
    )
    return [text(Symbol._apply(op, args)), *map(text, rules)]


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
    if node.op is None:
        return []
    floats = [recording.value(arg) for arg in node.args]
    pattern = tuple(isinstance(arg, Value) for arg in node.args)
    found = form(node.op, pattern).locals(recording.value(node), *floats)
    return [x for x, arg in zip(found, node.args, strict=True) if arg in place]


def _origins(nodes: list[Value]) -> dict[str, Any]:
    """Return the scopes, and the source as far as it is known, by node."""
    scopes: dict[str, int] = {"": 0}
    marked: dict[str, set[int]] = {}
    for node in nodes:
        scope, file, line = node.origin or ("", None, None)
        scopes.setdefault(scope, len(scopes))
        if file and line:
            marked.setdefault(file, set()).add(line)
    files = list(marked)
    found = [excerpts(file, marked[file]) for file in files]
    lines = [-1] * len(nodes)
    which = [-1] * len(nodes)
    for i, node in enumerate(nodes):
        if node.origin and node.origin[1] and node.origin[2]:
            which[i], lines[i] = files.index(node.origin[1]), node.origin[2]
    return {
        "scopes": list(scopes),
        "scope": [scopes[node.origin[0] if node.origin else ""] for node in nodes],
        "files": [
            {"path": path, "excerpts": [[e.first, e.lines] for e in parts]}
            for path, parts in zip(shown_paths(files), found, strict=True)
        ],
        "file": which if files else [],
        "line": lines if files else [],
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
        return str(x)
    return int(x) if x == int(x) and abs(x) < 1e15 and (x or math.copysign(1, x) > 0) else x
