"""A recorded graph as a program: one assignment after the other, in primitives and sums.

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

import gc
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache, partial
from itertools import accumulate
from types import MappingProxyType
from typing import Any, NamedTuple

from autograd import ops
from autograd.compiler.forks import lazy
from autograd.compiler.scans import PART, SCAN, LoopOp, LoopStep, Nesting, begins_of, index_of
from autograd.compiler.simplification import SIMPLIFIED, simplified
from autograd.errors import CompileError
from autograd.graph import topological_order
from autograd.lowering import symbols
from autograd.operand import Operand
from autograd.operation import TABLE, Op, Primitive, Symbol, plain

Arg = int | float
"""The number of an earlier result, or a constant: told apart by their type."""

INSTRUCTIONS = frozenset(
    op for op in TABLE.values() if op.is_built_in and isinstance(op.forward, Primitive)
) | {ops.sum, ops.dot, ops.take, PART}
"""What a program consists of: the primitives that targets can spell, and three formulas that stay
whole, as they are loops over memory, or a look into it, in the end. For machine code there are
loops besides, and parts of their results."""


class Instruction(NamedTuple):
    """One assignment: a primitive, `sum`, `dot`, `take` or loop of earlier results."""

    op: Any
    args: tuple[Arg, ...]


class Program:
    """Straight-line code in single-assignment form; what is not needed is not there.

    Results are numbered: the inputs first, then the parameters, then one for each instruction.

    Attributes:
        inputs, parameters: how many there are.
        instructions: each uses only results with smaller numbers.
        outputs: what the program returns.
        choices: the inputs that choose a row of a table, and of how many: whole numbers below. A
            `take` is of one of these and as many others, or more.
    """

    def __init__(
        self,
        inputs: int,
        parameters: int,
        instructions: Sequence[Instruction],
        outputs: Sequence[Arg],
        choices: Mapping[int, int] = MappingProxyType({}),
    ) -> None:
        self.inputs = inputs
        self.parameters = parameters
        self.instructions = tuple(instructions)
        self.outputs = tuple(outputs)
        self.choices = choices

    @property
    def first(self) -> int:
        """The number of the first instruction's result."""
        return self.inputs + self.parameters

    def uniform(self, parameters: Sequence[bool] | None = None) -> list[bool]:
        """Return for each result whether it is the same for all samples; a loop's are taken not to.

        Args:
            parameters: which of them are; by default all.
        """
        known = [False] * self.inputs
        known += [True] * self.parameters if parameters is None else parameters
        for op, args in self.instructions:
            is_shared = op.__class__ is not Scan
            for arg in args if is_shared else ():
                if arg.__class__ is int and not known[arg]:
                    is_shared = False
                    break
            known.append(is_shared)
        return known

    def validate(self) -> Program:
        """Return the program itself.

        Raises:
            CompileError: it uses a result before it is there, or an op with no spelling.
        """
        good: set[tuple[Any, int]] = set()
        for number, (op, args) in enumerate(self.instructions, self.first):
            if (op, len(args)) not in good:
                if op.__class__ is Scan:
                    op.check(args)
                elif op not in INSTRUCTIONS:
                    raise CompileError(f"v{number} = {op.name}(...) is no primitive of the table")
                elif op.arity not in (None, len(args)):
                    raise CompileError(f"v{number}: {op.name} takes {op.arity} arguments")
                good.add((op, len(args)))
            for arg in args:
                if arg.__class__ is int:
                    if 0 <= arg < number:
                        continue
                elif arg.__class__ is float:
                    continue
                raise CompileError(f"v{number} uses {arg!r}, which is no earlier result")
            if op is ops.take and self.choices.get(args[0], math.inf) >= len(args):  # type: ignore[arg-type]
                raise CompileError(f"v{number} takes a row by {args[0]!r}, which may be none's")
        end = self.first + len(self.instructions)
        for arg in self.outputs:
            if arg.__class__ is not float and not (arg.__class__ is int and 0 <= arg < end):
                raise CompileError(f"return uses {arg!r}, which is no earlier result")
        return self

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Program) and str(self) == str(other)

    __hash__ = None  # type: ignore[assignment]

    def __str__(self) -> str:
        return self._text

    @lazy
    def _text(self) -> str:
        lines = [f"program of {self.inputs} inputs, {self.parameters} parameters:"]
        lines += [
            f"  v{number} = {op.name}({_spelled(args)})"
            for number, (op, args) in enumerate(self.instructions, self.first)
        ]
        return "\n".join([*lines, f"  return {_spelled(self.outputs)}"])

    def __repr__(self) -> str:
        return (
            f"<program of {self.inputs} inputs, {self.parameters} parameters, "
            f"{len(self.instructions)} instructions, {len(self.outputs)} outputs>"
        )


@dataclass(frozen=True, slots=True, eq=False)
class Scan:
    """A loop, as an instruction: of where it begins, of each step's numbers, of what all steps use.

    Its results are what it carries in the end, what each step gives, and what is added up.

    Attributes:
        body: computes a step, of what is carried, columns, what it reads, and sums so far, and
            with what all steps use as parameters; returns what is carried, given, and the sums.
        steps: how many there are.
        carries, columns, gives, adds: how many these are.
        reads: of an earlier loop, the last argument then, which of its columns it reads: what it
            carried into the step, and behind what that gave; None for what the body doesn't use.
        backward: whether it begins with the last step.
    """

    body: Program
    steps: int
    carries: int
    columns: int
    gives: int
    reads: tuple[int | None, ...] = ()
    adds: int = 0
    backward: bool = False

    @property
    def name(self) -> str:
        counts = self.steps, self.carries, self.columns, self.gives, self.reads, self.adds
        return f"scan{counts!r}{' backward' * self.backward} of ({self.body})"

    @property
    def begins(self) -> int:
        """How many arguments there are before those that all steps use."""
        return self.carries + self.columns * self.steps

    def check(self, args: Sequence[Arg]) -> None:
        """Raise unless it can be applied to these."""
        count = self.begins + self.body.parameters + bool(self.reads)
        inputs = self.carries + self.columns + len(self.reads) + self.adds
        outputs = self.carries + self.gives + self.adds
        if (len(args), self.body.inputs, len(self.body.outputs)) != (count, inputs, outputs):
            raise CompileError(f"a loop of {count} arguments is given {len(args)}")


def _spelled(args: Iterable[Arg]) -> str:
    return ", ".join([f"v{arg}" if arg.__class__ is int else repr(arg) for arg in args])


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


@contextmanager
def without_gc() -> Iterator[None]:
    """Pause Python's gc, which would search what is made inside again and again for nothing."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


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
            # A number and a constant of the same size are equal in Python, as are 0.0 and -0.0.
            key = (op, *[x.hex() if x.__class__ is float else x for x in args])
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


def run(program: Program, numbers: Sequence[float]) -> list[float]:
    """Return the outputs by the rows themselves: the readable meaning of a program.

    >>> from autograd import Value
    >>> x = Value(3.0)
    >>> run(program_of([x], [], [x * x]), [2.0])
    [4.0]
    """
    results = list(numbers)
    pick: Callable[[Arg], float] = lambda arg: results[arg] if isinstance(arg, int) else arg
    for op, args in program.instructions:
        results.append(op.ieee(*map(pick, args)))
    return [pick(out) for out in program.outputs]
