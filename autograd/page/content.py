"""What the page embeds of a run, as plain data in columns.

Events are not among it: they follow from the graph, so the page makes them itself.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any

from autograd.drawing.layout import HEIGHT, WIDTH, arrange
from autograd.drawing.palette import STEPS
from autograd.drawing.picture import shorten
from autograd.drawing.structure import Structure
from autograd.engine import Value
from autograd.formula import json_number, short, text
from autograd.graph import node_args
from autograd.operation import Number, Op, Symbol
from autograd.page.javascript import RowScript, key, rows
from autograd.page.levels import levels_of, shown_levels
from autograd.page.packing import Column, packed, packed_text
from autograd.page.source import excerpts, shown_paths
from autograd.stepping.events import Recording
from autograd.stepping.mistakes import WAYS

LONGEST_NAME = 60
"""Characters of a node's name, or its label."""


def embedded(recording: Recording, position: int, title: str) -> tuple[dict[str, Any], RowScript]:
    """Return the data of the page, and the rows of the table that it needs.

    Cost: linear in nodes and edges; about 20 bytes a node, as what repeats is deflated.
    """
    nodes = recording.nodes
    place = recording.position
    edges = [(place[arg], i) for i, node in enumerate(nodes) for arg in node_args(node)]
    script = rows((node.op, len(node.args)) for node in nodes if node.op)
    forms = _Forms(script)
    form_numbers = [forms.of(node) for node in nodes]
    drawn = arrange(len(nodes), edges)
    structure = Structure(list(nodes))
    samples = structure.samples
    levels = levels_of(structure)
    data = {
        "schema": 2,
        "title": title,
        "seed": _json(recording.seed),
        # At the start there is nothing to see: the page begins where the backward pass does.
        "position": position or len(nodes) + 1,
        "ways": WAYS,
        "steps": STEPS,
        "forms": forms.described,
        "columns": {
            "form": packed(form_numbers),
            "data": packed(map(recording.value, nodes), "d"),
            **_arguments(recording),
            "locals": packed(_locals(recording, form_numbers, forms.described), "d"),
            **_names(recording),
            **_origins(nodes),
            "sample": packed(samples.of),
        },
        "samples": samples.names,
        "card": [WIDTH, HEIGHT],
        "at": [x for point in drawn.centres for x in point],
        "routes": [_deltas(route) for route in drawn.routes],
        "levels": levels,
        "shown": shown_levels(levels, len(nodes)),
        "files": _files(nodes),
    }
    return data, script


def _arguments(recording: Recording) -> dict[str, Column]:
    """Return the arguments of all nodes, in order.

    A node is given by how far back it stands, a leaf by where it stands, from -1 downwards: so
    the same layer of another sample has the same numbers. A 0 is the next of the constants.
    """
    found: list[int] = []
    constants: list[float] = []
    for i, node in enumerate(recording.nodes):
        for arg in node.args:
            if not isinstance(arg, Value):
                found.append(0)
                constants.append(arg)
            elif arg.op is None:
                found.append(-1 - recording.position[arg])
            else:
                found.append(i - recording.position[arg])
    return {
        "arity": packed(len(node.args) for node in recording.nodes),
        "args": packed(found),
        "constants": packed(constants, "d"),
    }


def page_names(recording: Recording) -> list[str]:
    """Return what the page calls each node: its name, or ``n<position>`` if that is too long.

    That is, if another one is the same once shortened.
    """
    names = [shorten(recording.name(node), LONGEST_NAME) for node in recording.nodes]
    count = Counter(names)
    return [name if count[name] == 1 else f"n{i}" for i, name in enumerate(names)]


def _names(recording: Recording) -> dict[str, Column]:
    """Return the names of nodes, "" for ``n<position>``, and labels that are no names."""
    names = page_names(recording)
    labels = [shorten(node.label, LONGEST_NAME) for node in recording.nodes]
    return {
        "names": packed_text("" if name == f"n{i}" else name for i, name in enumerate(names)),
        "labels": packed_text(
            "" if label == name else label for label, name in zip(labels, names, strict=True)
        ),
    }


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
                    "exact": row in self.script.exact,
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
    written = [Symbol._apply(op, args), *op.locals(Symbol("{z}"), args)]
    return [text(formula, short) for formula in written]


def _filled(template: str, constants: tuple[float | None, ...]) -> str:
    for i, x in enumerate(constants):
        if x is not None:
            template = template.replace(f"{{{i}}}", short(x))
    return template


def _locals(
    recording: Recording, form_numbers: list[int], forms: list[dict[str, Any]]
) -> Iterator[float]:
    """Yield the recorded local derivatives that the page can't compute to the bit, in order."""
    for node, form in zip(recording.nodes, form_numbers, strict=True):
        if form >= 0 and not forms[form]["exact"]:
            yield from recording.locals(node)


def _origins(nodes: Sequence[Value]) -> dict[str, Column]:
    """Return the scopes, and file and line as far as they are known, by node."""
    found = [node.origin or ("", None, None) for node in nodes]
    scopes = {scope: i for i, scope in enumerate(dict.fromkeys(("", *(s for s, _, _ in found))))}
    marked = _marked(nodes)
    number = {file: i for i, file in enumerate(marked)}
    placed = [(number[file], line) if file and line else (-1, -1) for _, file, line in found]
    return {
        "scopes": packed_text(scopes),
        "scope": packed(scopes[scope] for scope, _, _ in found),
        "file": packed(file for file, _ in placed),
        "line": packed(line for _, line in placed),
    }


def _files(nodes: Sequence[Value]) -> list[dict[str, Any]]:
    """Return the source that the nodes come from, as far as it is known."""
    marked = _marked(nodes)
    return [
        {"path": path, "excerpts": [[e.first, e.lines] for e in excerpts(file, lines)]}
        for path, (file, lines) in zip(shown_paths(list(marked)), marked.items(), strict=True)
    ]


def _marked(nodes: Sequence[Value]) -> dict[str, set[int]]:
    """Return the lines that nodes come from, by file, in order of appearance."""
    marked: dict[str, set[int]] = {}
    for node in nodes:
        if node.origin and node.origin[1] and node.origin[2]:
            marked.setdefault(node.origin[1], set()).add(node.origin[2])
    return marked


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
