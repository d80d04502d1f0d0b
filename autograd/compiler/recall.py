"""A recorded function, or what an earlier process has kept of it, until the graph is asked for."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from operator import is_
from typing import Any, Protocol

from autograd.compiler import cache as disk
from autograd.compiler.examples import Example
from autograd.compiler.fingerprint import Fingerprint, fingerprint_of
from autograd.compiler.forks import lazy
from autograd.compiler.garbage import without_gc
from autograd.compiler.recording import FunctionGraph
from autograd.compiler.repetition import Shape
from autograd.compiler.sharing import shared, text_of
from autograd.engine import Value
from autograd.errors import CompileError

Maker = tuple[str, str]
"""Where a node was made, the scope's dotted path, and by which op."""


class Recorder(Protocol):
    """Records a function; ``tells_all`` as of `autograd.compiler.recording.record`."""

    def __call__(self, *, tells_all: Callable[[], bool] | None = None) -> FunctionGraph: ...


class Recalled:
    """What a function does.

    Args:
        record: records it, when the graph is first asked for.

    Attributes:
        name, shapes, results, several, parameters, choices: as of a `FunctionGraph`.
        outputs: how many numbers the function returns.
        is_built_in: whether all of its rows are the table's own.
        passing: as of a `FunctionGraph`; of one that is kept there are none.
        is_unchanged: whether it is known that all that the function holds is as before it was run,
            if it was.
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
        record: Recorder,
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
        self.is_unchanged = False
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
            lambda *, tells_all=None: graph,
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
        with without_gc():
            return _digest(self.shared)

    @lazy
    def makers(self) -> list[Maker | None]:
        """What has made each number that the function returns."""
        return _makers(self.graph)

    def _is_kept(self, graph: FunctionGraph) -> bool:
        return graph.parameters == self.parameters and _digest(shared(graph)) == self.digest

    def is_like(self, graph: FunctionGraph) -> bool:
        """Return whether a recording from now does the same."""
        if "graph" not in vars(self):
            return self._is_kept(graph)
        is_same = text_of(graph) == text_of(self.graph)
        return is_same and graph.parameters == self.parameters

    def rename(self, graph: FunctionGraph) -> None:
        """Take the scopes of a recording from now that does the same."""
        vars(self)["makers"] = _makers(graph)


def _makers(graph: FunctionGraph) -> list[Maker | None]:
    return [
        (out.origin[0], out.op.name) if isinstance(out, Value) and out.op and out.origin else None
        for out in graph.outputs
    ]


def _digest(graph: FunctionGraph) -> str:
    return hashlib.sha256(text_of(graph).encode()).hexdigest()


def recalled(
    f: Callable[..., Any],
    sample: Example,
    wrt: Sequence[Value],
    record: Recorder,
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
    fingerprint = fingerprint_of(f, wrt) if kept else None
    if fingerprint is None:
        return Recalled.of(record())

    seen: list[bool] = []

    def is_unchanged() -> bool:
        now = fingerprint_of(f, wrt)
        seen.append(
            now is not None
            and now.held == fingerprint.held
            and all(map(is_, now.values, fingerprint.values))  # which are told by their order
        )
        return seen[-1]

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
        makers = [None, *map(tuple, found["makers"])]
        vars(known)["makers"] = [makers[i] for i in found["made_by"]]
        known.is_unchanged = True
        return known
    known = Recalled.of(record(tells_all=is_unchanged if fingerprint.is_blind else None))
    known.is_unchanged = seen[-1] if seen else is_unchanged()
    if known.is_unchanged and known.is_built_in and disk.is_on():
        _keep(known, key, fingerprint)
    return known


def _keep(known: Recalled, key: str, fingerprint: Fingerprint) -> None:
    """Keep what a recording found."""
    places = {leaf: i for i, leaf in enumerate(fingerprint.values)}
    if not places.keys() >= set(known.parameters):
        return
    makers = {maker: i for i, maker in enumerate(dict.fromkeys([None, *known.makers]))}
    kept = {
        "results": known.results,
        "several": known.several,
        "parameters": [places[leaf] for leaf in known.parameters],
        "choices": list(known.choices.items()),
        "outputs": known.outputs,
        "digest": known.digest,
        "makers": [*makers][1:],
        "made_by": [makers[maker] for maker in known.makers],
    }
    disk.store(key, json.dumps(kept).encode())
