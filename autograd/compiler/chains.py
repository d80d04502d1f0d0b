"""A program's instructions on their way into loops: chains of additions, and where outputs go."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from autograd import ops
from autograd.compiler.loops import Scatter
from autograd.compiler.program import Arg, Program
from autograd.compiler.scans import PART
from autograd.compiler.scatters import landing_of, scatters_of
from autograd.operation import Op

SHORTEST_CHAIN = 4
"""Fewer terms are added one by one: a loop would cost more than it saves."""


Terms = tuple[tuple[Arg, ...], tuple[Arg | None, ...]]
"""What is multiplied with what, and added up; None with nothing."""

Chain = tuple[list[tuple[Arg, Arg | None]], list[Arg]]
"""The terms, and the instructions that are in them."""


class Piece:
    """An instruction, a chain, or where an output goes, on its way into a loop.

    Attributes:
        uses: the results that it is applied to, once its constants are placed.
        rows: likewise, those in its terms: a row of numbers that are multiplied by many others is
            one tuple, which is gone through once for all of them.
    """

    __slots__ = (
        "addresses",
        "args",
        "number",
        "op",
        "rows",
        "scatter",
        "shape",
        "sink",
        "terms",
        "uses",
    )

    def __init__(
        self,
        number: int,
        op: Any,
        args: tuple[Arg, ...],
        terms: Terms | None = None,
        sink: tuple[str, int] | None = None,
        scatter: Scatter | None = None,
    ) -> None:
        self.number = number
        self.op = op
        self.args = args
        self.terms = terms
        self.sink = sink
        self.scatter = scatter
        self.addresses: tuple[int, ...] = ()
        self.shape: tuple[object, ...] = ()
        self.uses: Sequence[int] = ()
        self.rows: Sequence[tuple[int, ...]] = ()


def pieces_of(program: Program, summed: Sequence[bool], is_uniform: Sequence[bool]) -> list[Piece]:
    """Return instructions with chains and outputs put together, in the program's order.

    Args:
        summed: for each output, whether it is added up over the samples. What all samples share
            is left out there: it is but multiplied.
        is_uniform: for each result, whether all samples share it.
    """
    first = program.first
    uses = [0] * (first + len(program.instructions))
    for _, args in program.instructions:
        for arg in args:
            if arg.__class__ is int:
                uses[arg] += 1
    for out in program.outputs:
        if out.__class__ is int:
            uses[out] += 1

    def lone(arg: Arg, op: Op) -> bool:
        """Whether only this use needs the result of an ``op``."""
        return (
            arg.__class__ is int
            and arg >= first
            and uses[arg] == 1
            and program.instructions[arg - first].op is op
        )

    def term(arg: Arg) -> tuple[Arg, Arg | None]:
        if lone(arg, ops.mul):
            left, right = program.instructions[int(arg) - first].args
            if isinstance(left, int) and isinstance(right, int):
                return left, right
        return arg, None

    # By the number of the last addition: the terms, and the instructions that are in them.
    shorter: dict[int, Chain] = {}
    chains: dict[int, Chain] = {}
    # Likewise of the last maximum.
    largest: dict[int, Chain] = {}
    for number, (op, args) in enumerate(program.instructions, first):
        if op is ops.add or op is ops.maximum:
            known = chains if op is ops.add else largest
            left, right = args
            if op is ops.add and lone(right, op) and not lone(left, op):
                left, right = right, left  # a + b is b + a, to the bit
            if lone(left, op):
                terms, parts = known.pop(int(left))
                parts.append(left)
                added: tuple[Arg, ...] = (right,)
            else:
                terms, parts, added = [], [], (left, right)
            for arg in added:
                terms.append(term(arg) if op is ops.add else (arg, None))
                if terms[-1][1] is not None:
                    parts.append(arg)
            known[number] = terms, parts
    summing = [out for out, is_sum in zip(program.outputs, summed, strict=True) if is_sum]
    landings = [
        found
        for place, out in enumerate(summing if program.choices else ())
        if isinstance(out, int) and uses[out] == 1
        for each, other in (chains[out][0] if out in chains else [(out, None)])
        if other is None and lone(each, ops.where)
        if (found := landing_of(program, int(each), place))
    ]
    absorbed: set[Arg] = set()

    def drop(arg: Arg) -> None:
        """Forget one use of a result, and the result with its last one."""
        uses[int(arg)] -= 1
        if not uses[int(arg)] and arg >= first:
            absorbed.add(arg)
            for other in program.instructions[int(arg) - first].args:
                if other.__class__ is int:
                    drop(other)

    end = len(uses)
    sinks: list[Piece] = []
    for landed, scatter in scatters_of(landings):
        _, _, chooser, _, gain, place = landed[0]
        # Numbered behind all else: by then, whatever else adds to these sums has done so.
        sinks.append(Piece(end, None, (chooser, gain), sink=("r", place), scatter=scatter))
        for each in landed:
            absorbed.add(each.number)
            drop(each.condition)
            out = summing[each.place]
            if out in chains:
                terms, parts = chains.pop(int(out))
                terms.remove((each.number, None))
                if terms:
                    shorter[int(out)] = chains[int(out)] = terms, parts
                else:
                    absorbed.update(parts, [out])
    chains = {n: chain for n, chain in chains.items() if len(chain[0]) >= SHORTEST_CHAIN} | shorter
    # Those of two wait for as much as one of many, and are written as they are.
    largest = {n: chain for n, chain in largest.items() if len(chain[0]) > 2}
    absorbed.update(part for found in (chains, largest) for _, x in found.values() for part in x)

    def sum_of(number: int) -> tuple[tuple[Arg, ...], Terms] | None:
        """Return what a result adds up, if it is a sum: what is added at the end, and the terms."""
        op, args = program.instructions[number - first]
        if number in chains:
            lefts, rights = zip(*chains[number][0], strict=True)
            return (), (lefts, rights)
        if op is ops.sum:
            return (), (args, (None,) * len(args))
        if op is ops.dot:
            half = len(args) // 2
            return args[2 * half :], (args[:half], args[half : 2 * half])
        return None

    sums = columns = 0
    for out, is_sum in zip(program.outputs, summed, strict=True):
        if is_sum:
            sink, sums = ("r", sums), sums + 1
            if isinstance(out, float) or is_uniform[out] or out in absorbed:
                continue
            whole = sum_of(out) if out >= first and uses[out] == 1 else None
            if whole:
                absorbed.add(out)
                sinks.append(Piece(out, None, *whole, sink=sink))
                continue
            factor, other = term(out)
            if other is not None:
                absorbed.add(out)
                sinks.append(Piece(out, ops.mul, (factor, other), sink=sink))
                continue
            number = out
        else:
            sink, columns = ("o", columns), columns + 1
            number = out if isinstance(out, int) else end
        sinks.append(Piece(number, None, (out,), sink=sink))
    pieces = []
    for number, (op, args) in enumerate(program.instructions, first):
        if number in absorbed or op is PART:
            continue
        if whole := sum_of(number):
            pieces.append(Piece(number, None, *whole))
        elif number in largest:
            lefts, rights = zip(*largest[number][0], strict=True)
            pieces.append(Piece(number, op, (), (lefts, rights)))
        elif op is ops.take:
            pieces.append(Piece(number, op, args[:1], (args[1:], (None,) * len(args[1:]))))
        else:
            pieces.append(Piece(number, op, args))
    return pieces + sinks
