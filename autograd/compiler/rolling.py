"""A program rolled up into loops.

A recorded network is thousands of assignments of a few shapes. Instructions that do the same at
evenly spaced addresses become one loop, loops of one shape become a loop of loops, and chains
of additions become the inner product that they are. So the size of the code follows the number
of layers, not of weights. Nothing is computed in another order within a sum.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, repeat
from struct import pack
from typing import Any, NamedTuple

from autograd.compiler.chains import SHORTEST_CHAIN, Piece, pieces_of
from autograd.compiler.loops import Access, Local, Loop, Loops, Read, Statement, Stretch
from autograd.compiler.program import Arg, Program
from autograd.operation import Op

BITS = 40
"""An address is a number: which array it is in, and behind so many bits the place there."""
ARRAYS = " xtu"
X, T, U = (k << BITS for k in range(1, 4))

SHORTEST_LOOP = 3
"""Fewer alike instructions stay as they are."""

LONGEST_SEGMENT = 400
"""Straight code is cut here: an optimiser's time grows faster than the code."""


def loops_of(program: Program, summed: Sequence[bool]) -> Loops:
    """Return a program as loops.

    Args:
        summed: for each output, whether it is added up over the samples; the others are
            outputs of each sample.
    """
    return _Roller(program, summed).roll()


class _Group(NamedTuple):
    """Pieces that become one loop, in its order; a single one has no dims."""

    dims: tuple[int, ...]
    strides: tuple[tuple[int, ...], ...]
    pieces: list[Piece]
    uniform: bool


class _Roller:
    def __init__(self, program: Program, summed: Sequence[bool]) -> None:
        self.program = program
        self.summed = summed
        self.is_uniform = program.uniform()
        self.constants: list[float] = []
        self.address = {i: X + i for i in range(program.inputs)}
        self.address |= {program.inputs + i: U + i for i in range(program.parameters)}
        self.size_t = 0
        self.size_u = program.parameters
        # Of a result, which loop computes it, and to how many outputs it has gone so far.
        self.loop: dict[int, int] = {}
        self.given: dict[int, int] = {}

    def roll(self) -> Loops:
        pieces = pieces_of(self.program, self.summed, self.is_uniform)
        self._place_constants(pieces)
        groups = self._groups(pieces)
        ordered = _scheduled(groups)
        outputs = self.program.outputs
        sums = [out for out, is_sum in zip(outputs, self.summed, strict=True) if is_sum]
        totals = [
            (place, self._operand(out, ()))
            for place, out in enumerate(sums)
            if isinstance(out, float) or self.is_uniform[out]
        ]
        uniform = _fused([g for g in ordered if g.uniform], self)
        lanes = _fused([g for g in ordered if not g.uniform], self)
        sizes = {
            "x": self.program.inputs,
            "t": self.size_t,
            "u": self.size_u,
            "r": len(sums),
            "o": len(outputs) - len(sums),
        }
        parameters = self.program.parameters
        return Loops(uniform, lanes, parameters, tuple(self.constants), sizes, tuple(totals))

    def _place_constants(self, pieces: list[Piece]) -> None:
        """Give the constants in chains an address, side by side as the terms are.

        Chains with the same ones share them: those of one row of a matrix, by many variables.
        """
        known: dict[bytes, Sequence[int]] = {}
        for piece in pieces:
            uses: Iterable[Arg | None] = piece.args
            if piece.terms:
                lefts, rights = (self._placed_alike(side, known) for side in piece.terms)
                piece.terms = lefts, rights
                uses = chain(piece.args, lefts, rights)
            piece.uses = [n for n in uses if n.__class__ is int and n >= 0]

    def _placed_alike(
        self, side: Sequence[Any], known: dict[bytes, Sequence[int]]
    ) -> Sequence[Any]:
        kinds = set(map(type, side))
        if float not in kinds:
            return side
        if len(kinds) > 1 or len(side) < SHORTEST_CHAIN:
            return [x if x is None else self._placed(x) for x in side]
        key = pack(f"{len(side)}d", *side)  # 0.0 is not -0.0
        if key not in known:
            known[key] = list(map(self._placed, side))
        return known[key]

    def _placed(self, arg: Arg) -> int:
        """Return a result's number; for a constant, a new one with an address."""
        if isinstance(arg, int):
            return arg
        place = -1 - len(self.constants)
        self.constants.append(arg)
        self.address[place] = U + self.size_u
        self.size_u += 1
        return place

    def _groups(self, pieces: list[Piece]) -> list[_Group]:
        """Return the pieces in groups that are alike, level by level."""
        level = [0] * (self.program.first + len(self.program.instructions) + 1)
        levels: dict[int, list[Piece]] = {}
        sinks: list[Piece] = []
        for piece in pieces:
            deepest = max([level[n] for n in piece.uses], default=0)
            if piece.sink:
                sinks.append(piece)
            else:
                level[piece.number] = deepest + 1
                levels.setdefault(deepest + 1, []).append(piece)
        groups = []
        for depth in sorted(levels):
            groups += self._alike(levels[depth])
        return groups + self._alike(sinks)

    def _alike(self, pieces: list[Piece]) -> list[_Group]:
        """Return pieces that don't use each other in groups of which each becomes a loop."""
        groups: list[_Group] = []
        if len(pieces) < SHORTEST_LOOP:  # one after the other, as most of a formula is
            for piece in pieces:
                uniform = self._is_shared(piece)
                groups.append(_Group((), (), [piece], uniform))
                if piece.sink is None:
                    self._give_address(piece, uniform)
            return groups
        same_op: dict[Op | None, list[Piece]] = {}
        for piece in pieces:
            same_op.setdefault(piece.op, []).append(piece)
        for candidates in same_op.values():
            if len(candidates) < SHORTEST_LOOP:  # as in straight code
                groups += [_Group((), (), [x], self._is_shared(x)) for x in candidates]
                continue
            buckets: dict[tuple[object, ...], list[Piece]] = {}
            for piece in candidates:
                self._describe(piece)
                buckets.setdefault(piece.shape, []).append(piece)
            for bucket in buckets.values():
                bucket.sort(key=lambda piece: piece.addresses)
                groups += _rolled(bucket, self._is_shared(bucket[0]))
        for group in groups:
            if group.pieces[0].sink is None:
                for piece in group.pieces:
                    self._give_address(piece, group.uniform)
                if group.dims:
                    self.loop.update(dict.fromkeys([p.number for p in group.pieces], self.size_t))
        return groups

    def _is_shared(self, piece: Piece) -> bool:
        return piece.sink is None and self.is_uniform[piece.number]

    def _give_address(self, piece: Piece, uniform: bool) -> None:
        if uniform:
            self.address[piece.number] = U + self.size_u
            self.size_u += 1
        else:
            self.address[piece.number] = T + self.size_t
            self.size_t += 1

    def _describe(self, piece: Piece) -> None:
        """Note an piece's addresses, and what must be equal for two pieces to share a loop."""
        addresses: list[int] = [piece.sink[1]] if piece.sink else []
        shape: list[object] = [
            piece.op,
            piece.sink and piece.sink[0],
            piece.scatter,
            piece.sink is None and self.is_uniform[piece.number],
        ]
        for arg in piece.args:
            if arg.__class__ is float:
                shape.append(repr(arg))
            else:
                at = self.address[arg]  # type: ignore[index]
                shape.append(at >> BITS)
                addresses.append(at)
        if piece.sink and piece.sink[0] == "o":
            # Of interleaved outputs, such as a matrix's bands, each may be evenly spaced.
            (out,) = piece.args
            count = self.given[out] = self.given.get(out, 0) + 1  # type: ignore[index, arg-type]
            shape += self.loop.get(out), count  # type: ignore[arg-type]
        for left, right, length, strides in self._stretches(piece) if piece.terms else ():
            shape += left >> BITS, right and right >> BITS, length, strides
            addresses.append(left)
            if right:
                addresses.append(right)
        piece.shape = tuple(shape)
        piece.addresses = tuple(addresses)

    def _stretches(self, piece: Piece) -> Iterator[tuple[int, int, int, tuple[int, int]]]:
        """Yield the stretches of a chain: where both sides begin, the length, and their strides.

        Where there is no right side, its address is 0.
        """
        address = self.address
        lefts = [address[n] for n in piece.terms[0]]  # type: ignore[index]
        rights = [0 if n is None else address[n] for n in piece.terms[1]]  # type: ignore[index]
        begin, size = 0, len(lefts)
        while begin < size:
            left, right = lefts[begin], rights[begin]
            i = j = 0
            end = begin + 1
            if end < size and (left >> BITS, right >> BITS) == (
                lefts[end] >> BITS,
                rights[end] >> BITS,
            ):
                i, j = lefts[end] - left, rights[end] - right
                a, b = left, right
                while end < size and lefts[end] == a + i and rights[end] == b + j:
                    a, b, end = lefts[end], rights[end], end + 1
            yield left, right, end - begin, (i, j)
            begin = end

    def _operand(self, arg: Arg, strides: tuple[int, ...]) -> Access | float:
        if isinstance(arg, float):
            return arg
        return _access(self.address[arg], strides)


def _access(address: int, strides: tuple[int, ...]) -> Access:
    return Access(ARRAYS[address >> BITS], address & (1 << BITS) - 1, strides)


def _rolled(bucket: list[Piece], uniform: bool) -> Iterator[_Group]:
    """Yield groups of alike pieces at evenly spaced addresses, rows of equal rows as one."""
    rows: list[tuple[int, tuple[int, ...], list[Piece]]] = []
    begin = 0
    while begin < len(bucket):
        end, stride = begin + 1, None
        while end < len(bucket):
            step = _difference(bucket[end].addresses, bucket[end - 1].addresses)
            if stride not in (None, step):
                break
            stride = step
            end += 1
        # Two that are followed by more of another spacing: the second may begin that row.
        if end - begin == 2 and end + 1 < len(bucket):
            ahead = _difference(bucket[end].addresses, bucket[end - 1].addresses)
            if ahead == _difference(bucket[end + 1].addresses, bucket[end].addresses):
                end, stride = begin + 1, None
        rows.append((end - begin, stride or (), bucket[begin:end]))
        begin = end
    begin = 0
    while begin < len(rows):
        length, stride, _ = rows[begin]
        end, outer = begin + 1, None
        while end < len(rows) and rows[end][:2] == (length, stride):
            step = _difference(rows[end][2][0].addresses, rows[end - 1][2][0].addresses)
            if outer not in (None, step):
                break
            outer = step
            end += 1
        members = [piece for row in rows[begin:end] for piece in row[2]]
        if len(members) < SHORTEST_LOOP:
            for piece in members:
                yield _Group((), (), [piece], uniform)
        elif outer is None or length == 1:
            strides = stride if outer is None else outer
            yield _Group((len(members),), (strides,), members, uniform)
        else:
            yield _Group((end - begin, length), (outer, stride), members, uniform)
        begin = end


def _difference(a: tuple[int, ...], b: tuple[int, ...]) -> tuple[int, ...]:
    return tuple([x - y for x, y in zip(a, b, strict=True)])


def _scheduled(groups: list[_Group]) -> list[_Group]:
    """Return the groups such that each follows what it uses, else in the program's order."""
    if not any(group.dims for group in groups):
        return sorted(groups, key=_place)
    owner = {p.number: i for i, g in enumerate(groups) for p in g.pieces if p.sink is None}
    owning = owner.get
    waiting = [0] * len(groups)
    followers: list[list[int]] = [[] for _ in groups]
    for i, group in enumerate(groups):
        before: set[Any] = set()
        for piece in group.pieces:
            before.update(map(owning, piece.uses))
        before.discard(None)
        waiting[i] = len(before)
        for j in before:
            followers[j].append(i)
    ready = [(_place(group), i) for i, group in enumerate(groups) if not waiting[i]]
    heapq.heapify(ready)
    ordered = []
    while ready:
        i = heapq.heappop(ready)[1]
        ordered.append(groups[i])
        for j in followers[i]:
            waiting[j] -= 1
            if not waiting[j]:
                heapq.heappush(ready, (_place(groups[j]), j))
    return ordered


def _place(group: _Group) -> tuple[int, bool]:
    return min(piece.number for piece in group.pieces), group.pieces[0].sink is not None


def _fused(groups: list[_Group], roller: _Roller) -> tuple[Loop, ...]:
    """Return the groups as loops, neighbours that walk in step as one.

    What only later statements of the same body use is not stored.
    """
    bodies: list[list[_Group]] = []
    # By number: the place in the current body, and for which index of the loop.
    made: dict[int, tuple[int, int]] = {}
    for group in groups:
        joins = bool(bodies) and bodies[-1][0].dims == group.dims
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
    return _written(bodies, roller)


def _walks_in_step(group: _Group, made: dict[int, tuple[int, int]]) -> bool:
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


def _written(bodies: list[list[_Group]], roller: _Roller) -> tuple[Loop, ...]:
    places = [
        {
            piece.number: i
            for i, g in enumerate(body)
            if g.pieces[0].sink is None
            for piece in g.pieces
        }
        for body in bodies
    ]
    read: set[int] = set()
    for body, place in zip(bodies, places, strict=True):
        for group in body:
            for piece in group.pieces:
                read.update([n for n in piece.args if n.__class__ is int and n not in place])
                if piece.terms:
                    read.update(*piece.terms)  # type: ignore[arg-type]
    loops = []
    for body, place in zip(bodies, places, strict=True):
        statements = [_statement(group, place, read, roller) for group in body]
        loops.append(Loop(body[0].dims, tuple(statements)))
    return tuple(loops)


def _statement(group: _Group, place: dict[int, int], read: set[int], roller: _Roller) -> Statement:
    first = group.pieces[0]
    if not (group.dims or first.terms or first.sink):
        operands: list[Read] = []
        for arg in first.args:
            if isinstance(arg, float):
                operands.append(arg)
            else:
                operands.append(Local(place[arg]) if arg in place else roller._operand(arg, ()))
        is_read = group.uniform or first.number in read
        goal = _access(roller.address[first.number], ()) if is_read else None
        return Statement(first.op, tuple(operands), (), goal)
    components = iter(zip(*group.strides, strict=True)) if group.dims else repeat(())
    sink = Access(*first.sink, next(components)) if first.sink else None
    args: list[Read] = []
    for arg in first.args:
        if isinstance(arg, int):
            strides = next(components)
            operand = roller._operand(arg, strides)
            args.append(Local(place[arg]) if arg in place else operand)
        else:
            args.append(arg)
    stretches = []
    for left, right, length, (i, j) in roller._stretches(first) if first.terms else ():
        a = _access(left, (*next(components), i))
        b = _access(right, (*next(components), j)) if right else None
        stretches.append(Stretch(a, b, length))
    target = None
    if sink is None and (group.uniform or any(piece.number in read for piece in group.pieces)):
        steps = (group.dims[1], 1) if len(group.dims) == 2 else (1,) * len(group.dims)
        target = _access(roller.address[first.number], steps)
    return Statement(
        first.op,
        tuple(args),
        tuple(stretches),
        target,
        sink if sink and sink.array == "r" else None,
        sink if sink and sink.array == "o" else None,
        first.scatter,
    )
