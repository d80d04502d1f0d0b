"""A recorded graph written down as a program: each distinct assignment once.

>>> from autograd import Value, relu
>>> x, w = Value(2.0), Value(3.0)
>>> print(program_of([x], [w], [relu(x * w) * 1.0 + (x * w - 1.0)]))
program of 1 inputs, 1 parameters:
  v2 = mul(v0, v1)
  v3 = maximum(v2, 0.0)
  v4 = sub(v2, 1.0)
  v5 = add(v3, v4)
  return v5
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache, partial
from itertools import accumulate
from types import MappingProxyType
from typing import Any, NamedTuple

from autograd import ops
from autograd.compiler.program import INSTRUCTIONS, Arg, Instruction, Program, Scan
from autograd.compiler.scans import PART, SCAN, LoopOp, LoopStep, Nesting, begins_of, index_of
from autograd.compiler.simplification import SIMPLIFIED, bits, simplified
from autograd.errors import CompileError
from autograd.graph import topological_order
from autograd.lowering import symbols
from autograd.operand import Operand
from autograd.operation import Op, Primitive, Symbol, plain


def program_of(
    inputs: Iterable[Any],
    parameters: Iterable[Any],
    outputs: Sequence[Any],
    follows: Mapping[Any, Any] | None = None,
    nodes: Sequence[Any] | None = None,
    choices: Mapping[int, int] = MappingProxyType({}),
) -> Program:
    """Return the program that computes nodes of a graph from its leaves.

    Formula rows are written out, equal subexpressions computed once, constants folded; all
    of it keeps every bit. Leaves that are neither inputs nor parameters are constants.

    Args:
        follows: leaves that stand for a node each; none for what was made later.
        nodes: what the outputs depend on in topological order, where that is known already.
        choices: as of a `Program`; a `take` by anything else is written out.

    Raises:
        CompileError: a row's forward is opaque, so that no target can spell it.
    """
    follows = follows or {}
    if nodes is None:
        found = [out for out in outputs if isinstance(out, Operand)]
        nodes = topological_order(*follows.values(), *found)
    writer = Writer(inputs, parameters, choices)
    nest = Nesting(nodes, follows)
    writer.write(nest.nodes, nest)
    return writer.program([writer.result(out) for out in outputs])


class Writer:
    """Writes a program down, each distinct assignment once.

    Args:
        inputs, parameters: leaves of a graph.
        choices: as of a `Program`.

    Attributes:
        known: by a node, the number of the result that it is, or a float.
        loops: by a loop's node, how it was written, and where what a step gives went.
    """

    def __init__(
        self, inputs: Iterable[Any], parameters: Iterable[Any], choices: Mapping[int, int]
    ) -> None:
        leaves = list(inputs)
        self.inputs = len(leaves)
        leaves += parameters
        self.first = len(leaves)
        self.choices = choices
        self.known: dict[Any, Arg] = {}
        self.loops: dict[Any, tuple[Scan, dict[int, int]]] = {}
        for i, leaf in enumerate(leaves):
            self.known.setdefault(leaf, i)
        self.instructions: list[tuple[Any, tuple[Arg, ...]]] = []
        self.numbered: dict[tuple[Any, ...], int] = {}

    def write(self, nodes: Iterable[Any], nest: Nesting) -> None:
        """Write what computes some nodes, each of which comes after its arguments."""
        known, follows = self.known, nest.follows
        for node in nodes:
            if node in follows:
                known[node] = known[follows[node]]
            elif node not in known:
                op = node.op
                if op is None:
                    known[node] = node.data
                    continue
                if op.__class__ is LoopOp:
                    self._write_loop(node, nest)
                    continue
                args = [arg if arg.__class__ is float else known[arg] for arg in node.args]
                known[node] = self.apply(op, args)

    def _write_loop(self, node: Any, nest: Nesting) -> None:
        """Write a loop, or which of its results is a part of it."""
        if node.op is PART:
            place, (scan, used) = index_of(node), self.loops[node.args[0]]
            step = nest.steps[node.args[0]]
            if place >= len(step.carries):
                t, j = divmod(place - len(step.carries), len(step.given))
                place = scan.carries + t * scan.gives + used[j]
            self.known[node] = self.apply(PART, [self.known[node.args[0]], float(place)])
        elif node.op is SCAN:
            step, saved = nest.steps[node], self.saved(node, nest)
            places = nest.used(node)
            body = Writer(*self.inside(step, [*step.carries, *step.columns]))
            body.known |= self.constants(step)
            body.write(step.nodes, nest)
            results = [*step.carried, *(step.given[j] for j in places), *saved]
            program = body.program([body.result(x) for x in results])
            counts = len(step.carries), len(step.columns), len(places) + len(saved)
            scan = Scan(program, step.steps, *counts)
            self.known[node] = self.repeat(scan, [*begins_of(step), *self.captured(step)])
            self.loops[node] = scan, {j: place for place, j in enumerate(places)}

    def saved(self, scan: Any, nest: Nesting) -> Sequence[Any]:
        """Return which nodes of a loop's step are to be given besides."""
        return ()

    def captured(self, step: LoopStep) -> list[Any]:
        """Return the nodes of outside that a step uses, but for constants."""
        return [x for x in step.captured if self.known[x].__class__ is int]

    def constants(self, step: LoopStep) -> dict[Any, Arg]:
        """Return the nodes of outside that are constants by now."""
        return {x: self.known[x] for x in step.captured if self.known[x].__class__ is float}

    def inside(
        self, step: LoopStep, inputs: list[Any]
    ) -> tuple[list[Any], list[Any], dict[int, int]]:
        """Return what a writer of a loop's step is made with."""
        captured = self.captured(step)
        choices = {
            len(inputs) + i: self.choices[int(self.known[x])]
            for i, x in enumerate(captured)
            if self.known[x] in self.choices
        }
        return inputs, captured, choices

    def repeat(self, scan: Scan, args: Iterable[Any]) -> int:
        """Write a loop, of nodes, results and floats."""
        numbers = tuple([self.result(arg) for arg in args])
        self.instructions.append((scan, numbers))
        return self.first + len(self.instructions) - 1

    def result(self, x: Any) -> Arg:
        """Return where a node's number is; the number of a result, or a float, stays what it is."""
        if x.__class__ is int:
            return x
        return self.known[x] if isinstance(x, Operand) else float(x)

    def apply(self, op: Op, args: list[Any]) -> Arg:
        """Return the number of the result, or the float, of ``op`` applied to such."""
        key: tuple[Any, ...] = (op, *args)
        if float in map(type, args):
            if int not in map(type, args):
                return op.ieee(*args)
            short = simplified(op, args)
            key = (op, *[bits(x) if x.__class__ is float else x for x in args])
        else:
            short = simplified(op, args) if op in SIMPLIFIED else None
        if short is not None:
            return self.apply(*short) if short.__class__ is tuple else short
        found = self.numbered.get(key)
        if found is None:
            if op not in INSTRUCTIONS or (op is ops.take and args[0] not in self.choices):
                return self._by_its_formula(op, args)
            found = self.numbered[key] = self.first + len(self.instructions)
            self.instructions.append((op, tuple(args)))
        return found

    def _by_its_formula(self, op: Op, args: list[Arg]) -> Arg:
        if op.opaque or isinstance(op.forward, Primitive):
            forward = "opaque Python" if op.opaque else "a primitive of your own"
            raise CompileError(
                f"{op.name} can't be compiled: its forward is {forward}; write it as a "
                "formula over rows of the table"
            )
        return self.fill(forward_of(op, len(args)), args)[0]

    def fill(self, template: Template, given: Iterable[Arg]) -> list[Arg]:
        """Write what a formula says of these; return what it gives."""
        known = [*given]
        for op, refs in template.steps:
            known.append(self.apply(op, [known[x] if x.__class__ is int else x for x in refs]))
        return [known[x] if x.__class__ is int else x for x in template.results]

    def program(self, outputs: list[Arg]) -> Program:
        """Return what was written, less what no output needs."""
        first, written = self.first, self.instructions
        needed = bytearray(first + len(written))
        for out in outputs:
            if out.__class__ is int:
                needed[out] = True
        for number in range(len(needed) - 1, first - 1, -1):
            if needed[number]:
                for arg in written[number - first][1]:
                    if arg.__class__ is int:
                        needed[arg] = True
        if not all(needed[first:]):
            place = [*range(first), *accumulate(needed[first:], initial=first)]
            written = [
                (op, tuple([place[arg] if arg.__class__ is int else arg for arg in args]))
                for (op, args), is_needed in zip(written, needed[first:], strict=True)
                if is_needed
            ]
            outputs = [place[out] if isinstance(out, int) else out for out in outputs]
        kept = [*map(partial(tuple.__new__, Instruction), written)]
        return Program(self.inputs, first - self.inputs, kept, outputs, self.choices).validate()


class Template(NamedTuple):
    """A formula's steps: each a row, and what it is applied to.

    Attributes:
        steps: of what is given, of the results of earlier steps, counted behind, and of floats.
        results: likewise.
    """

    steps: tuple[tuple[Op, tuple[Arg, ...]], ...]
    results: tuple[Arg, ...]


def template_of(given: Sequence[Symbol], results: Sequence[Any]) -> Template:
    """Return formulas of some symbols as steps."""
    results = [x if isinstance(x, Symbol) else plain(x) for x in results]
    places: dict[Any, int] = {symbol: i for i, symbol in enumerate(given)}
    steps: list[tuple[Any, tuple[Arg, ...]]] = []
    for node in topological_order(*(x for x in results if isinstance(x, Symbol))):
        if node not in places:
            places[node] = len(given) + len(steps)
            refs = [x if x.__class__ is float else places[x] for x in node.args]
            steps.append((node.op, tuple(refs)))
    return Template(
        tuple(steps), tuple([x if x.__class__ is float else places[x] for x in results])
    )


@lru_cache(maxsize=1024)
def forward_of(op: Op, arity: int) -> Template:
    """Return the steps of a row that is a formula."""
    args, forward = symbols(arity), op.forward
    assert not isinstance(forward, Primitive)
    return template_of(args, [forward(*args)])
