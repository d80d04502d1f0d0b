"""A recorded run as plain data, for any front end."""

from __future__ import annotations

from typing import Any

from autograd.engine import Value
from autograd.formula import json_data
from autograd.stepping.events import Recording

SCHEMA = 1


def as_json(recording: Recording) -> dict[str, Any]:
    """Return the run as plain data for any front end.

    ``{"schema": 1, "nodes": [...], "events": [...]}``. Nodes stand in topological order and
    are referred to by their position, ``id``:

    - a node: ``{"id", "name", "label", "op": name | null, "args": [{"node": id} |
      {"number": x}], "data", "scope", "file", "line"}``
    - an event: ``{"index", "kind", "node": id, "slot", "arg": id, "rule", "upstream",
      "local", "product", "total"}``, the fields of `Event`

    What does not apply is null. Numbers that JSON lacks are the strings "inf", "-inf", "nan".
    """
    nodes = []
    for i, node in enumerate(recording.nodes):
        scope, file, line = node.origin or ("", None, None)
        args = [
            {"node": recording.position[a]} if isinstance(a, Value) else {"number": json_data(a)}
            for a in node.args
        ]
        nodes.append(
            {
                "id": i,
                "name": recording.name(node),
                "label": node.label,
                "op": node.op.name if node.op else None,
                "args": args,
                "data": json_data(recording.value(node)),
                "scope": scope,
                "file": file,
                "line": line,
            }
        )
    events = [
        {
            "index": e.index,
            "kind": e.kind,
            "node": recording.position[e.node],
            "slot": e.slot,
            "arg": None if e.arg is None else recording.position[e.arg],
            "rule": e.rule,
            "upstream": json_data(e.upstream),
            "local": json_data(e.local),
            "product": json_data(e.product),
            "total": json_data(e.total),
        }
        for e in recording.events
    ]
    return {"schema": SCHEMA, "nodes": nodes, "events": events}
