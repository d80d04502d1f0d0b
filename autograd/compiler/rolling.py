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
from operator import sub
from struct import pack
from typing import Any, NamedTuple

from autograd.compiler.chains import SHORTEST_CHAIN, Piece, pieces_of
from autograd.compiler.loops import (
    Access,
    Local,
    Loop,
    Loops,
    Read,
    Repeat,
    Statement,
    Stretch,
    Walk,
)
from autograd.compiler.program import Arg, Program, Scan
from autograd.compiler.ranks import ranks_of
from autograd.compiler.scans import PART

BITS = 40
"""An address is a number: which array it is in, and behind so many bits the place there."""
ARRAYS = " xtua"
X, T, U, A = (k << BITS for k in range(1, 5))

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


class _Memory:
    """The arrays, as far as they are given away; one for a program and all loops in it.

    Attributes:
        arrays: their names; behind those of `ARRAYS` what walks through one.
        t, u, a: how much of them is.
        constants: what stands in ``u`` behind the parameters.
        uniform: the loops over what all samples share.
    """

    def __init__(self, parameters: int) -> None:
        self.arrays = list(ARRAYS)
        self.t = self.a = 0
        self.u = parameters
        self.constants: list[float] = []
        self.uniform: list[Loop | Repeat] = []

    def place(self, constant: float) -> int:
        """Return the address of a new constant."""
        self.constants.append(constant)
        self.u += 1
        return U + self.u - 1

    def walk(self, address: int, stride: int) -> tuple[int, Walk]:
        """Return what walks through an array, and the address of where it is."""
        array = self.arrays[address >> BITS]
        name = f"{array[0]}{len(self.arrays)}"
        self.arrays.append(name)
        offset = address & (1 << BITS) - 1
        return len(self.arrays) - 1 << BITS, Walk(name, array, offset, stride)

    def access(self, address: int, strides: tuple[int, ...]) -> Access:
        return Access(self.arrays[address >> BITS], address & (1 << BITS) - 1, strides)


class _Roller:
    """Rolls up a program, or the body of a loop in one.

    Args:
        memory: of a body, that of the program.
        is_uniform: of a body, for each of its parameters, whether all samples share it.
    """

    def __init__(
        self,
        program: Program,
        summed: Sequence[bool],
        memory: _Memory | None = None,
        is_uniform: Sequence[bool] | None = None,
    ) -> None:
        self.program = program
        self.summed = summed
        self.is_uniform = program.uniform(is_uniform)
        self.memory = memory or _Memory(program.parameters)
        self.address = {i: X + i for i in range(program.inputs)}
        self.address |= {program.inputs + i: U + i for i in range(program.parameters)}
        # Of a result, which loop computes it, and to how many outputs it has gone so far.
        self.loop: dict[int, int] = {}
        self.given: dict[int, int] = {}
        # Of a part, what it is of, and the other way round; of a loop, its body and what it is.
        self.whole: dict[int, int] = {}
        self.parts: dict[int, list[tuple[int, int]]] = {}
        self.bodies: dict[int, _Roller] = {}
        self.repeats: dict[int, Repeat] = {}
        self._stacks: dict[int, tuple[int, int]] = {}
        for number, (op, args) in enumerate(program.instructions, program.first):
            if op is PART:
                scan = int(args[0])
                self.whole[number] = scan
                self.parts.setdefault(scan, []).append((number, int(args[1])))
            elif op.__class__ is Scan:
                captured = args[op.begins : op.begins + op.body.parameters]
                shared = [self.is_uniform[int(arg)] for arg in captured]
                outputs = [False] * len(op.body.outputs)
                self.bodies[number] = _Roller(op.body, outputs, self.memory, shared)
        self.pieces = pieces_of(program, summed, self.is_uniform)
        self._place_constants(self.pieces)

    def groups(self) -> list[_Group]:
        """Return the pieces in loops, each behind what it uses."""
        return _scheduled(self._groups(self.pieces))

    def roll(self) -> Loops:
        ordered = self.groups()
        memory = self.memory
        outputs = self.program.outputs
        sums = [out for out, is_sum in zip(outputs, self.summed, strict=True) if is_sum]
        totals = [
            (place, self._operand(out, ()))
            for place, out in enumerate(sums)
            if isinstance(out, float) or self.is_uniform[out]
        ]
        uniform = *_fused([g for g in ordered if g.uniform], self), *memory.uniform
        lanes = _fused([g for g in ordered if not g.uniform], self)
        sizes = {
            "x": self.program.inputs,
            "t": memory.t,
            "u": memory.u,
            "a": memory.a,
            "r": len(sums),
            "o": len(outputs) - len(sums),
        }
        parameters = self.program.parameters
        return Loops(uniform, lanes, parameters, tuple(memory.constants), sizes, tuple(totals))

    def _place_constants(self, pieces: list[Piece]) -> None:
        """Give the constants in chains an address, side by side as the terms are.

        Chains with the same ones share them: those of one row of a matrix, by many variables.
        """
        known: dict[bytes, Sequence[int]] = {}
        for piece in pieces:
            if piece.op.__class__ is Scan:
                self._place_columns(piece, known)
            uses: Iterable[Arg | None] = piece.args
            if piece.terms:
                lefts, rights = (self._placed_alike(side, known) for side in piece.terms)
                piece.terms = lefts, rights
                uses = chain(piece.args, lefts, rights)
            found = [n for n in uses if n.__class__ is int and n >= 0]
            piece.uses = [self.whole.get(n, n) for n in found] if self.whole else found

    def _place_columns(self, piece: Piece, known: dict[bytes, Sequence[int]]) -> None:
        """Give the constants that a loop goes through an address, one after the other."""
        carries, steps, begins = piece.op.carries, piece.op.steps, piece.op.begins
        columns = (piece.args[i : i + steps] for i in range(carries, begins, steps))
        placed = chain(*(self._placed_alike(column, known) for column in columns))
        piece.args = (*piece.args[:carries], *placed, *piece.args[begins:])

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
        place = -1 - len(self.memory.constants)
        self.address[place] = self.memory.place(arg)
        return place

    def _groups(self, pieces: list[Piece]) -> list[_Group]:
        """Return the pieces in groups that are alike, level by level."""
        levels: dict[int, list[Piece]] = {}
        sinks: list[Piece] = []
        results = self.program.first + len(self.program.instructions)
        ranks = ranks_of(pieces, results, self.is_uniform)
        for piece, rank in zip(pieces, ranks, strict=True):
            if piece.sink:
                sinks.append(piece)
            else:
                levels.setdefault(rank, []).append(piece)
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
        same_op: dict[Any, list[Piece]] = {}
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
                groups += _groups_of(bucket, self._is_shared(bucket[0]))
        for group in groups:
            if group.pieces[0].sink is None:
                for piece in group.pieces:
                    self._give_address(piece, group.uniform)
                if group.dims:
                    self.loop.update(dict.fromkeys([p.number for p in group.pieces], self.memory.t))
        return groups

    def _is_shared(self, piece: Piece) -> bool:
        return piece.sink is None and self.is_uniform[piece.number]

    def _give_address(self, piece: Piece, uniform: bool) -> None:
        memory = self.memory
        if piece.op.__class__ is Scan:
            self._place_loop(piece)
        elif uniform:
            self.address[piece.number] = U + memory.u
            memory.u += 1
        else:
            self.address[piece.number] = T + memory.t
            memory.t += 1

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
        return self.memory.access(self.address[arg], strides)

    # Loops

    def _place_loop(self, piece: Piece) -> None:
        """Give a loop its memory: a record for each step, of what is carried into it and given.

        It is walked through forward or backward. What goes through the steps is walked through
        where it is, if it lies evenly spaced, and is copied otherwise.
        """
        memory, scan, body = self.memory, piece.op, self.bodies[piece.number]
        carries, gives, steps = scan.carries, scan.gives, scan.steps
        width = carries + gives
        base = T + memory.t
        memory.t += (steps + 1) * width
        sums = A + memory.a
        memory.a += scan.adds
        first, last = (steps, 0) if scan.backward else (0, steps)
        self._stacks[piece.number] = base, width
        places = [
            *range(base + last * width, base + last * width + carries),
            *(base + t * width + carries + j for t in range(steps) for j in range(gives)),
            *range(sums, sums + scan.adds),
        ]
        for number, place in self.parts.get(piece.number, ()):
            self.address[number] = places[place]
        # What is done before.
        begins = [
            Piece(piece.number, None, (arg,), sink=("t", (base + first * width + i) - T))
            for i, arg in enumerate(piece.args[:carries])
        ]
        columns = [piece.args[i : i + steps] for i in range(carries, scan.begins, steps)]
        spaced = [self._spaced(column, begins) for column in columns]
        if scan.reads:
            stack, step = self._stacks[int(piece.args[-1])]
            spaced += [(stack + (place or 0), step) for place in scan.reads]
        begin = _fused(self._alike(begins), self)
        if scan.adds:
            clear = Statement(None, (0.0,), column=memory.access(sums, (1,)))
            begin = *begin, Loop((scan.adds,), (clear,))
        walks = _Walks(memory, steps, backward=scan.backward)
        record = walks.at(base, width)
        into, out = (record + width, record) if scan.backward else (record, record + width)
        captured = piece.args[scan.begins : scan.begins + scan.body.parameters]
        inputs = [
            *range(into, into + carries),
            *walks.of(spaced),
            *range(sums, sums + scan.adds),
            *(self.address[int(arg)] for arg in captured),
        ]
        body.address.update(enumerate(inputs))
        goals = [
            *range(out, out + carries),
            *range(record + carries, record + width),
            *range(sums, sums + scan.adds),
        ]
        for sink in body.pieces:
            if sink.sink:
                array, offset, _ = memory.access(goals[sink.sink[1]], ())
                sink.sink = array, offset
        groups = body.groups()
        memory.uniform = [*_fused([g for g in groups if g.uniform], body), *memory.uniform]
        loops = _fused([g for g in groups if not g.uniform], body)
        self.repeats[piece.number] = Repeat(begin, steps, tuple(walks.all), loops)

    def _spaced(self, column: Sequence[Arg], begins: list[Piece]) -> tuple[int, int]:
        """Return where numbers begin, and how far they are apart; ``begins`` puts them there."""
        found = [self.address[arg] for arg in column if isinstance(arg, int)]
        steps = set(map(sub, found[1:], found))
        if len(found) == len(column) and len(steps) < 2 and found[0] >> BITS == found[-1] >> BITS:
            return found[0], steps.pop() if steps else 0
        memory = self.memory
        begins += [
            Piece(memory.t, None, (arg,), sink=("t", memory.t + i)) for i, arg in enumerate(column)
        ]
        memory.t += len(column)
        return T + memory.t - len(column), 1


class _Walks:
    """What the steps of a loop walk through: numbers that are as far apart do so together."""

    def __init__(self, memory: _Memory, steps: int, *, backward: bool) -> None:
        self.memory = memory
        self.steps = steps
        self.backward = backward
        self.all: list[Walk] = []

    def at(self, first: int, stride: int) -> int:
        """Return the address, in a step, of what is at ``first`` in the first of all steps."""
        if self.backward:
            first, stride = first + (self.steps - 1) * stride, -stride
        address, walk = self.memory.walk(first, stride)
        self.all.append(walk)
        return address

    def of(self, spaced: Sequence[tuple[int, int]]) -> list[int]:
        """Return the addresses, in a step, of numbers in places that are evenly spaced."""
        lowest: dict[tuple[int, int], int] = {}
        for first, stride in spaced:
            key = first >> BITS, stride
            lowest[key] = min(first, lowest.get(key, first))
        known = {key: (first, self.at(first, key[1])) for key, first in lowest.items()}
        bases = [(first, *known[first >> BITS, stride]) for first, stride in spaced]
        return [address + first - low for first, low, address in bases]


def _groups_of(bucket: list[Piece], uniform: bool) -> list[_Group]:
    """Return alike pieces in groups, as few as are found.

    What several rows of pieces have in common lies side by side, when they are sorted by it, and
    their rows are in pieces then: so each row is tried by itself, too.
    """
    bucket.sort(key=lambda piece: piece.addresses)
    best = list(_rolled(bucket, uniform))
    for k in range(len(bucket[0].addresses) if SHORTEST_LOOP * len(best) > len(bucket) else 0):
        rows: list[list[Piece]] = []
        met: dict[int, int] = {}
        for piece in bucket:
            place = met[piece.addresses[k]] = met.get(piece.addresses[k], -1) + 1
            if place == len(rows):
                rows.append([])
            rows[place].append(piece)
        found = [group for row in rows for group in _rolled(row, uniform)]
        best = min(best, found, key=len)
    return best


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


def _fused(groups: list[_Group], roller: _Roller) -> tuple[Loop | Repeat, ...]:
    """Return the groups as loops, neighbours that walk in step as one.

    What only later statements of the same body use is not stored.
    """
    bodies: list[list[_Group]] = []
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
    return _written(bodies, roller)


def _is_loop(group: _Group) -> bool:
    return group.pieces[0].op.__class__ is Scan


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


def _written(bodies: list[list[_Group]], roller: _Roller) -> tuple[Loop | Repeat, ...]:
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
    loops: list[Loop | Repeat] = []
    for body, place in zip(bodies, places, strict=True):
        if _is_loop(body[0]):
            loops.append(roller.repeats[body[0].pieces[0].number])
            continue
        statements = [_statement(group, place, read, roller) for group in body]
        loops.append(Loop(body[0].dims, tuple(statements)))
    return tuple(loops)


def _statement(group: _Group, place: dict[int, int], read: set[int], roller: _Roller) -> Statement:
    first, access = group.pieces[0], roller.memory.access
    if not (group.dims or first.terms or first.sink):
        operands: list[Read] = []
        for arg in first.args:
            if isinstance(arg, float):
                operands.append(arg)
            else:
                operands.append(Local(place[arg]) if arg in place else roller._operand(arg, ()))
        is_read = group.uniform or first.number in read
        goal = access(roller.address[first.number], ()) if is_read else None
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
        a = access(left, (*next(components), i))
        b = access(right, (*next(components), j)) if right else None
        stretches.append(Stretch(a, b, length))
    target = None
    if sink is None and (group.uniform or any(piece.number in read for piece in group.pieces)):
        steps = (group.dims[1], 1) if len(group.dims) == 2 else (1,) * len(group.dims)
        target = access(roller.address[first.number], steps)
    return Statement(
        first.op,
        tuple(args),
        tuple(stretches),
        target,
        sink if sink and sink.array == "r" else None,
        sink if sink and sink.array != "r" else None,
        first.scatter,
    )
