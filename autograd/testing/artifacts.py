"""A failed gradient check as files: a program to run, the report, the graph in colour."""

from __future__ import annotations

import json
from contextlib import suppress
from copy import deepcopy
from dataclasses import replace
from pathlib import Path

from autograd.checking.culprit import Culprit
from autograd.checking.report import Report
from autograd.drawing import picture_of, text_of
from autograd.drawing.picture import Picture
from autograd.engine import Value
from autograd.errors import DomainError, MissingExtraError
from autograd.graph import topological_order
from autograd.testing.straightline import program_of

LARGE_GRAPH = 200
"""Graphs of more nodes are drawn around the culprit only."""

CHECK = """

if __name__ == "__main__":
    from autograd import gradcheck

    print(gradcheck(f, *point{options}))
"""


def save(report: Report, folder: Path) -> list[Path]:
    """Write program, report and drawing of a check into ``folder``, and return their paths.

    The report has the point. There is a program and a drawing if a graph was recorded, and a
    picture of it, with the wrong edge in red, where Graphviz is installed.

    Raises:
        OSError: the files can't be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    contents = {
        "report.txt": f"{report}\n",
        "report.json": json.dumps(report.to_json(), indent=1) + "\n",
    }
    if report.graph is not None:
        contents["program.py"] = program(report)
        contents["graph.dot"] = drawing(report.graph, report.blamed)
        with suppress(MissingExtraError, ValueError):
            contents["graph.svg"] = _rendered(contents["graph.dot"])
    paths = []
    for name, text in contents.items():
        paths.append(folder / name)
        paths[-1].write_text(text, encoding="utf-8")
    return paths


def program(report: Report) -> str:
    """Return Python that carries out the check once more."""
    assert report.graph is not None
    order = max(check.order for check in report.inputs)
    options = f", order={order}" if order > 1 else ""
    return f"{program_of(report.graph)}\n{CHECK.format(options=options)}"


def drawing(root: Value, culprit: Culprit | None) -> str:
    """Return the graph below ``root`` as DOT, the edge of the culprit in red."""
    root = deepcopy(root)
    with suppress(DomainError):
        root.backward()
    order = topological_order(root)
    node = order[culprit.position] if culprit else None
    picture = picture_of(root, focus=node if len(order) > LARGE_GRAPH else None)
    if culprit is not None and node is not None:
        picture = _marked(picture, order, node, culprit)
    return text_of(picture, "dot")


def _marked(picture: Picture, order: list[Value], node: Value, culprit: Culprit) -> Picture:
    """Return the picture with the edge of the culprit marked as wrong, if it isn't folded away."""
    arg = node.args[culprit.slot]
    assert isinstance(arg, Value)
    before = sum(other is arg for other in node.args[: culprit.slot])
    items = list(picture.items)
    for i, item in enumerate(items):
        if item.key == f"n{culprit.position}":
            edges = [k for k, link in enumerate(item.args) if link.arg == f"n{order.index(arg)}"]
            if before < len(edges):
                links = list(item.args)
                links[edges[before]] = replace(links[edges[before]], wrong=True)
                items[i] = replace(item, args=tuple(links))
    return replace(picture, items=tuple(items))


def _rendered(text: str) -> str:
    """Return a DOT text as SVG.

    Raises:
        MissingExtraError: Graphviz is not installed.
    """
    from autograd.drawing.renderer import choose_renderer

    choose_renderer()
    import graphviz

    return str(graphviz.Source(text).pipe(format="svg", encoding="utf-8", quiet=True))
