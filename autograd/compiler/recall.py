"""A recorded function, or what an earlier process has kept of it, until the graph is asked for."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from typing import Any

from autograd.compiler import cache as disk
from autograd.compiler.fingerprint import Fingerprint, fingerprint_of
from autograd.compiler.forks import lazy
from autograd.compiler.recording import Example, FunctionGraph
from autograd.compiler.repetition import Shape
from autograd.compiler.sharing import shared, text_of
from autograd.engine import Value
from autograd.errors import CompileError

Record = Callable[[], FunctionGraph]


class Recalled:
    """What a function does.

    Args:
        record: records it, when the graph is first asked for.

    Attributes:
        name, shapes, results, several, parameters, choices: as of a `FunctionGraph`.
        outputs: how many numbers the function returns.
        is_built_in: whether all of its rows are the table's own.
        passing: as of a `FunctionGraph`; of one that is kept there are none.
    """

    def __init__(
        self,
        name: str,
        shapes: tuple[Shape, ...],
        results: tuple[Shape, ...],
        several: bool,
        parameters: list[Value],
        choices: dict[int, int],
        outputs: int,
        record: Record,
    ) -> None:
        self.name = name
        self.shapes = shapes
        self.results = results
        self.several = several
        self.parameters = parameters
        self.choices = choices
        self.outputs = outputs
        self.is_built_in = True
        self.passing: frozenset[tuple[int, str]] = frozenset()
        self._record = record

    @classmethod
    def of(cls, graph: FunctionGraph, once: FunctionGraph | None = None) -> Recalled:
        """Return what a graph does.

        Args:
            once: the same with each distinct node once, where that is known.
        """
        known = cls(
            graph.name,
            graph.shapes,
            graph.results,
            graph.several,
            graph.parameters,
            graph.choices,
            len(graph.outputs),
            lambda: graph,
        )
        known.is_built_in = all(node.op is None or node.op.is_built_in for node in graph.nodes)
        known.passing = graph.passing
        vars(known)["graph"] = graph
        if once:
            vars(known)["shared"] = once
        return known

    @lazy
    def graph(self) -> FunctionGraph:
        """The graph as it was recorded.

        Raises:
            CompileError: by now it is another than was kept.
        """
        graph = self._record()
        if not self._is_kept(graph):
            raise CompileError(
                f"{self.name} was compiled when something that it goes by was other than it is "
                "now: compile it again"
            )
        return graph

    @lazy
    def shared(self) -> FunctionGraph:
        """The graph with each distinct node once."""
        return shared(self.graph)

    @lazy
    def digest(self) -> str:
        """A digest of the graph's text, each distinct node once."""
        return _digest(self.shared)

    def _is_kept(self, graph: FunctionGraph) -> bool:
        return graph.parameters == self.parameters and _digest(shared(graph)) == self.digest

    def is_like(self, graph: FunctionGraph) -> bool:
        """Return whether a recording from now does the same."""
        if "graph" not in vars(self):
            return self._is_kept(graph)
        is_same = text_of(graph) == text_of(self.graph)
        return is_same and graph.parameters == self.parameters


def _digest(graph: FunctionGraph) -> str:
    return hashlib.sha256(text_of(graph).encode()).hexdigest()


def recalled(
    f: Callable[..., Any],
    sample: Example,
    wrt: Sequence[Value],
    record: Record,
    *,
    kept: bool,
) -> Recalled:
    """Return what ``f`` does: by what was kept of it if its fingerprint is that, or recorded now.

    Args:
        sample: what it is recorded with.
        wrt: parameters that come first.
        record: records it.
        kept: whether there is to be anything kept.
    """
    fingerprint = fingerprint_of(f, wrt) if kept and disk.is_on() else None
    if fingerprint is None:
        return Recalled.of(record())
    # Functions that go by what a number's text is, say, are refused only if the numbers tell.
    key = hashlib.sha256(f"{fingerprint.key} {sample} {len(wrt)}".encode()).hexdigest()
    content = disk.load(key)
    if content:
        found = json.loads(content)
        known = Recalled(
            sample.name,
            sample.shapes,
            tuple(map(tuple, found["results"])),
            found["several"],
            [fingerprint.values[i] for i in found["parameters"]],
            dict(found["choices"]),
            found["outputs"],
            record,
        )
        vars(known)["digest"] = found["digest"]
        return known
    known = Recalled.of(record())
    _keep(known, key, fingerprint, fingerprint_of(f, wrt))
    return known


def _keep(known: Recalled, key: str, fingerprint: Fingerprint, now: Fingerprint | None) -> None:
    """Keep what a recording found, unless recording has changed what the function holds."""
    places = {leaf: i for i, leaf in enumerate(fingerprint.values)}
    is_reached = places.keys() >= set(known.parameters)
    if not (known.is_built_in and is_reached and now and now.held == fingerprint.held):
        return
    kept = {
        "results": known.results,
        "several": known.several,
        "parameters": [places[leaf] for leaf in known.parameters],
        "choices": list(known.choices.items()),
        "outputs": known.outputs,
        "digest": known.digest,
    }
    disk.store(key, json.dumps(kept).encode())
