"""Groups of alike pieces as loops, neighbours that walk in step as one."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import chain, repeat
from typing import NamedTuple

from autograd.compiler.addresses import Memory, Sides, stretches_of
from autograd.compiler.groups import LoopGroup
from autograd.compiler.loops import Access, Local, Loop, Read, Repeat, Statement, Stretch
from autograd.compiler.program import Arg, Scan

LONGEST_SEGMENT = 400
"""Straight code is cut here: an optimiser's time grows faster than the code."""


class Places(NamedTuple):
    """Where the results of a program are.

    Attributes:
        address: by a result's number.
        repeats: likewise, the loops that it had before.
    """

    memory: Memory
    address: Mapping[int, int]
    repeats: Mapping[int, Repeat]
    sides: Sides

    def operand(self, arg: Arg, strides: tuple[int, ...]) -> Access | float:
        if isinstance(arg, float):
            return arg
        return self.memory.access(self.address[arg], strides)


def fused(groups: list[LoopGroup], places: Places) -> tuple[Loop | Repeat, ...]:
    """Return the groups as loops, neighbours that walk in step as one.

    What only later statements of the same body use is not stored.
    """
    bodies: list[list[LoopGroup]] = []
    # By number: the place in the current body, and for which index of the loop.
    made: dict[int, tuple[int, int]] = {}
    for group in groups:
        joins = bool(bodies) and bodies[-1][0].dims == group.dims
        joins = joins and not (_is_loop(group) or _is_loop(bodies[-1][0]))
        if joins and not group.dims:
            joins = len(bodies[-1]) < LONGEST_SEGMENT
        elif joins:
            joins = _walks_in_step(group, made)
            if group.pieces[0].terms:
                joins = joins and not any(g.pieces[0].terms for g in bodies[-1])
        if not joins:
            bodies.append([])
            made.clear()
        for i, piece in enumerate(group.pieces):
            if piece.sink is None:
                made[piece.number] = len(bodies[-1]), i
        bodies[-1].append(group)
    return _written(bodies, places)


def _is_loop(group: LoopGroup) -> bool:
    return group.pieces[0].op.__class__ is Scan


def _walks_in_step(group: LoopGroup, made: dict[int, tuple[int, int]]) -> bool:
    """Return whether a group takes from its loop's body nothing but one statement's own result.

    Side by side in memory, the results of two statements look like those of one.
    """
    for piece in group.pieces:
        if piece.terms and not made.keys().isdisjoint(chain(*piece.terms)):
            return False
    for arguments in zip(*[piece.args for piece in group.pieces], strict=True):
        found = [made.get(n) if isinstance(n, int) else None for n in arguments]
        if any(found) and found != [found[0] and (found[0][0], i) for i in range(len(found))]:
            return False
    return True


def _written(bodies: list[list[LoopGroup]], places: Places) -> tuple[Loop | Repeat, ...]:
    within = [
        {
            piece.number: i
            for i, g in enumerate(body)
            if g.pieces[0].sink is None
            for piece in g.pieces
        }
        for body in bodies
    ]
    read: set[int] = set()
    rows: set[tuple[int, ...]] = set()
    for body, place in zip(bodies, within, strict=True):
        for group in body:
            for piece in group.pieces:
                read.update([n for n in piece.args if n.__class__ is int and n not in place])
                rows.update(piece.rows)
    read.update(*rows)
    loops: list[Loop | Repeat] = []
    for body, place in zip(bodies, within, strict=True):
        if _is_loop(body[0]):
            loops.append(places.repeats[body[0].pieces[0].number])
            continue
        statements = [_statement(group, place, read, places) for group in body]
        loops.append(Loop(body[0].dims, tuple(statements)))
    return tuple(loops)


def _statement(
    group: LoopGroup, place: dict[int, int], read: set[int], places: Places
) -> Statement:
    first, access = group.pieces[0], places.memory.access
    if not (group.dims or first.terms or first.sink):
        operands: list[Read] = []
        for arg in first.args:
            if isinstance(arg, float):
                operands.append(arg)
            else:
                operands.append(Local(place[arg]) if arg in place else places.operand(arg, ()))
        is_read = group.uniform or first.number in read
        goal = access(places.address[first.number], ()) if is_read else None
        return Statement(first.op, tuple(operands), (), goal)
    components = iter(zip(*group.strides, strict=True)) if group.dims else repeat(())
    sink = Access(*first.sink, next(components)) if first.sink else None
    args: list[Read] = []
    for arg in first.args:
        if isinstance(arg, int):
            strides = next(components)
            operand = places.operand(arg, strides)
            args.append(Local(place[arg]) if arg in place else operand)
        else:
            args.append(arg)
    stretches = []
    for left, right, length, (i, j) in stretches_of(first, places.sides):
        a = access(left, (*next(components), i))
        b = access(right, (*next(components), j)) if right else None
        stretches.append(Stretch(a, b, length))
    target = None
    if sink is None and (group.uniform or any(piece.number in read for piece in group.pieces)):
        target = access(places.address[first.number], _steps(group, places))
    return Statement(
        first.op,
        tuple(args),
        tuple(stretches),
        target,
        sink if sink and sink.array == "r" else None,
        sink if sink and sink.array != "r" else None,
        first.scatter,
    )


def _steps(group: LoopGroup, places: Places) -> tuple[int, ...]:
    """Return how far the results of a loop are apart, which lie side by side."""
    if len(group.dims) < 2:
        return (1,) * len(group.dims)
    first, below = (places.address[group.pieces[k].number] for k in (0, group.dims[1]))
    return below - first, 1
