"""A program rolled up into loops.

A recorded network is thousands of assignments of a few shapes. Instructions that do the same at
evenly spaced addresses become one loop, loops of one shape become a loop of loops, and chains
of additions become the inner product that they are. So the size of the code follows the number
of layers, not of weights. Nothing is computed in another order within a sum.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain
from operator import sub
from struct import pack
from typing import Any

from autograd.compiler.addresses import BITS, A, Memory, Sides, T, U, Walks, X, stretches_of
from autograd.compiler.chains import SHORTEST_CHAIN, Piece, pieces_of
from autograd.compiler.fusion import Places, fused
from autograd.compiler.groups import SHORTEST_LOOP, LoopGroup, grouped, scheduled
from autograd.compiler.loops import Loop, Loops, Repeat, Statement
from autograd.compiler.order import order_of, places_in
from autograd.compiler.program import Arg, Program, Scan
from autograd.compiler.ranks import ranks_of
from autograd.compiler.scans import PART


def loops_of(program: Program, summed: Sequence[bool]) -> Loops:
    """Return a program as loops.

    Args:
        summed: for each output, whether it is added up over the samples; the others are
            outputs of each sample.
    """
    return _Roller(program, summed).roll()


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
        memory: Memory | None = None,
        is_uniform: Sequence[bool] | None = None,
    ) -> None:
        self.program = program
        self.summed = summed
        self.is_uniform = program.uniform(is_uniform)
        self.memory = memory or Memory(program.parameters)
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
        self.sides = Sides(self.address)
        self.places = Places(self.memory, self.address, self.repeats, self.sides)
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
        self.order = order_of(self.pieces)

    def groups(self) -> list[LoopGroup]:
        """Return the pieces in loops, each behind what it uses."""
        return scheduled(self._groups(self.pieces))

    def roll(self) -> Loops:
        ordered = self.groups()
        memory = self.memory
        outputs = self.program.outputs
        sums = [out for out, is_sum in zip(outputs, self.summed, strict=True) if is_sum]
        totals = [
            (place, self.places.operand(out, ()))
            for place, out in enumerate(sums)
            if isinstance(out, float) or self.is_uniform[out]
        ]
        uniform = *fused([g for g in ordered if g.uniform], self.places), *memory.uniform
        lanes = fused([g for g in ordered if not g.uniform], self.places)
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
        known: dict[bytes, tuple[int, ...]] = {}
        rows: dict[tuple[Any, ...], tuple[int, ...]] = {}
        for piece in pieces:
            if piece.op.__class__ is Scan:
                self._place_columns(piece, known)
            if piece.terms:
                lefts, rights = (self._placed_alike(side, known) for side in piece.terms)
                piece.terms = lefts, rights
                for side in piece.terms:
                    if side not in rows:
                        rows[side] = self._results(side)
                piece.rows = rows[lefts], rows[rights]
            piece.uses = self._results(piece.args)

    def _results(self, args: Iterable[Any]) -> tuple[int, ...]:
        """Return what is computed, and not there from the beginning."""
        found = [n for n in args if n.__class__ is int and n >= self.program.first]
        return tuple([self.whole.get(n, n) for n in found] if self.whole else found)

    def _place_columns(self, piece: Piece, known: dict[bytes, tuple[int, ...]]) -> None:
        """Give the constants that a loop goes through an address, one after the other."""
        carries, steps, begins = piece.op.carries, piece.op.steps, piece.op.begins
        columns = (piece.args[i : i + steps] for i in range(carries, begins, steps))
        placed = chain(*(self._placed_alike(column, known) for column in columns))
        piece.args = (*piece.args[:carries], *placed, *piece.args[begins:])

    def _placed_alike(
        self, side: tuple[Any, ...], known: dict[bytes, tuple[int, ...]]
    ) -> tuple[Any, ...]:
        kinds = set(map(type, side))
        if float not in kinds:
            return side
        if len(kinds) > 1 or len(side) < SHORTEST_CHAIN:
            return tuple([x if x is None else self._placed(x) for x in side])
        key = pack(f"{len(side)}d", *side)  # 0.0 is not -0.0
        if key not in known:
            known[key] = tuple(map(self._placed, side))
        return known[key]

    def _placed(self, arg: Arg) -> int:
        """Return a result's number; for a constant, a new one with an address."""
        if isinstance(arg, int):
            return arg
        place = -1 - len(self.memory.constants)
        self.address[place] = self.memory.place(arg)
        return place

    def _groups(self, pieces: list[Piece]) -> list[LoopGroup]:
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

    def _alike(self, pieces: list[Piece]) -> list[LoopGroup]:
        """Return pieces that don't use each other in groups of which each becomes a loop."""
        groups: list[LoopGroup] = []
        if len(pieces) < SHORTEST_LOOP:  # one after the other, as most of a formula is
            for piece in pieces:
                uniform = self._is_shared(piece)
                groups.append(LoopGroup((), (), [piece], uniform))
                if piece.sink is None:
                    self._give_address(piece, uniform)
            return groups
        same_op: dict[Any, list[Piece]] = {}
        for piece in pieces:
            same_op.setdefault(piece.op, []).append(piece)
        for candidates in same_op.values():
            if len(candidates) < SHORTEST_LOOP:  # as in straight code
                groups += [LoopGroup((), (), [x], self._is_shared(x)) for x in candidates]
                continue
            buckets: dict[tuple[object, ...], list[Piece]] = {}
            for piece in candidates:
                self._describe(piece)
                buckets.setdefault(piece.shape, []).append(piece)
            for bucket in buckets.values():
                groups += grouped(bucket, self._is_shared(bucket[0]))
        in_order = places_in(self.order, groups)
        for group in groups:
            if group.pieces[0].sink is None:
                for piece in group.pieces:
                    if piece.number not in in_order:
                        self._give_address(piece, group.uniform)
                if group.dims:
                    numbers = [piece.number for piece in group.pieces]
                    self.loop.update(dict.fromkeys(numbers, numbers[0]))
        self.address.update({n: T + self.memory.t + i for n, i in in_order.items()})
        self.memory.t += len(in_order)
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
        for left, right, length, strides in stretches_of(piece, self.sides):
            shape += left >> BITS, right and right >> BITS, length, strides
            addresses.append(left)
            if right:
                addresses.append(right)
        piece.shape = tuple(shape)
        piece.addresses = tuple(addresses)

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
        begin = fused(self._alike(begins), self.places)
        if scan.adds:
            clear = Statement(None, (0.0,), column=memory.access(sums, (1,)))
            begin = *begin, Loop((scan.adds,), (clear,))
        walks = Walks(memory, steps, backward=scan.backward)
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
        memory.uniform = [*fused([g for g in groups if g.uniform], body.places), *memory.uniform]
        loops = fused([g for g in groups if not g.uniform], body.places)
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
