"""Straight-line code: one assignment after the other, in primitives and sums."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, NamedTuple

from autograd import ops
from autograd.compiler.forks import lazy
from autograd.compiler.scans import PART
from autograd.errors import CompileError
from autograd.operation import TABLE, Primitive

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


def run(program: Program, numbers: Sequence[float]) -> list[float]:
    """Return the outputs by the rows themselves: the readable meaning of a program.

    >>> from autograd import Value
    >>> from autograd.compiler.writer import program_of
    >>> x = Value(3.0)
    >>> run(program_of([x], [], [x * x]), [2.0])
    [4.0]
    """
    results = list(numbers)
    pick: Callable[[Arg], float] = lambda arg: results[arg] if isinstance(arg, int) else arg
    for op, args in program.instructions:
        results.append(op.ieee(*map(pick, args)))
    return [pick(out) for out in program.outputs]
