"""Where sums over the samples are added up, and which products many samples have in common.

Most sums are kept as a vector, a place for each of a few neighbouring samples, and the places are
added up at the end of a call. Of the slopes of a layer's weights there are many: they are the
outer product of what came back to the neurons and of the inputs. Where these inputs are an
argument's, their rows lie in memory as they are needed: a vector then holds neighbouring weights,
the samples are gone through one by one, and a sum is a single number from the beginning. What came
back is kept until there are many samples, so that sums are seldom read and written. Likewise a
layer's weighted sums of an argument are computed for many samples before anything else.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import accumulate, pairwise
from math import prod
from typing import NamedTuple

from autograd import ops
from autograd.compiler.blocks import SampleBlock
from autograd.compiler.loops import Access, Local, Loop, Loops, Repeat, Statement, loops_in

WORTH_A_PRODUCT = 256
"""Weighted sums of fewer terms stay where they are: laying the inputs out anew costs more."""


class InputRow(NamedTuple):
    """Where numbers lie in an argument, for each sample.

    Attributes:
        argument: which array.
        size: how many numbers a sample has there.
        column: where among them they begin.
    """

    argument: int
    size: int
    column: int


class Product(NamedTuple):
    """The weighted sums ``start[i] + sum of weights[i, j] * row[j]``, for all i, j below dims.

    Attributes:
        weights, start: what all samples share.
        place: of the first among all that are kept for a sample, in ``h``.
    """

    dims: tuple[int, int]
    weights: Access
    start: Access | float
    row: InputRow
    place: int


class Outer(NamedTuple):
    """The sums over the samples of ``left[i] * row[j]``, for all i and j below dims.

    Attributes:
        place: of the first left among all that are kept of a sample, in ``d``.
        target: where the sums go; the last stride is 1.
        kept: where they are added up until then, the rows padded to whole vectors.
    """

    dims: tuple[int, int]
    place: int
    row: InputRow
    target: Access
    kept: Access


class Sums(NamedTuple):
    """The sums of a program.

    Attributes:
        lanes: what is computed for every sample; the sums that are vectors lie side by side.
        products: what is computed for many samples before that.
        outers: sums that are numbers, computed for many samples behind it.
        moved: where the vectors' totals go: for all indices below dims, from where to where.
        vectors: how many are kept as vectors.
        numbers: how many are kept as numbers, with the padding.
        scattered: from where to where among the vectors a sample adds to one of many; they are
            cleared first.
    """

    lanes: tuple[Loop | Repeat, ...]
    products: tuple[Product, ...]
    outers: tuple[Outer, ...]
    moved: tuple[tuple[tuple[int, ...], Access, Access], ...]
    vectors: int
    numbers: int
    scattered: tuple[tuple[int, int], ...] = ()

    @property
    def ahead(self) -> int:
        """How many weighted sums are kept for a sample."""
        return sum([product.dims[0] for product in self.products])

    @property
    def behind(self) -> int:
        """How many factors of outer products are kept of a sample."""
        return sum([outer.dims[0] for outer in self.outers])

    def rows(self) -> list[tuple[int, int]]:
        """Return the arguments whose rows are read as they lie in memory, and their sizes."""
        return sorted({(each.row.argument, each.row.size) for each in self.products + self.outers})

    def reads(self, begin: int, end: int) -> bool:
        """Return whether the lanes read any of some inputs."""
        if any(isinstance(loop, Repeat) for loop in self.lanes):
            return True
        for _, loop in loops_in(self.lanes):
            for statement in loop.statements:
                for access, dims in _inputs(statement, loop.dims):
                    ends = [s * (n - 1) for s, n in zip(access.strides, dims, strict=True)]
                    low, high = (access.offset + sum(f(0, x) for x in ends) for f in (min, max))
                    if begin <= high and low < end:
                        return True
        return False


def sums_of(loops: Loops, arguments: Sequence[int], block: SampleBlock) -> Sums:
    """Return where the sums of a program are added up.

    Args:
        arguments: how many of the inputs each array holds for a sample.
    """
    if block.vectors == 1:
        return Sums(loops.lanes, (), (), (), loops.sizes["r"], 0, tuple(_scattered(loops)))
    products: list[Product] = []
    lanes = [_ahead(loop, arguments, block, products) for loop in loops.lanes]
    # All are vectors, and stay in the order in which they are given back.
    scattered = tuple(_scattered(loops))
    plain = Sums(tuple(lanes), tuple(products), (), (), loops.sizes["r"], 0, scattered)
    return plain if scattered else _apart(plain, arguments, block)


def _apart(plain: Sums, arguments: Sequence[int], block: SampleBlock) -> Sums:
    """Return sums of which those that are outer products are computed apart."""
    lanes: list[Loop | Repeat] = []
    outers: list[Outer] = []
    moved: list[tuple[tuple[int, ...], Access, Access]] = []
    vectors = numbers = behind = 0
    for loop in plain.lanes:
        if isinstance(loop, Repeat):
            lanes.append(loop)
            continue
        found = _outer(loop, arguments, block, numbers, behind)
        if found:
            left, outer = found
            goal = Access("d", behind * block.together, (block.together,))
            lanes.append(Loop(outer.dims[:1], (Statement(None, (left,), (), goal),)))
            outers.append(outer)
            numbers += outer.dims[0] * outer.kept.strides[0]
            behind += outer.dims[0]
            continue
        statements = []
        for statement in loop.statements:
            if statement.sums:
                strides = tuple(prod(loop.dims[k + 1 :]) for k in range(len(loop.dims)))
                place = Access("r", vectors, strides)
                end = statement.sums._replace(array="sums")
                moved.append((loop.dims, place._replace(array="sums_in_order"), end))
                vectors += prod(loop.dims)
                statements.append(statement._replace(sums=place))
            else:
                statements.append(statement)
        lanes.append(Loop(loop.dims, tuple(statements)))
    if not outers:
        return plain
    return plain._replace(
        lanes=tuple(lanes),
        outers=tuple(outers),
        moved=tuple(moved),
        vectors=vectors,
        numbers=numbers,
    )


def _scattered(loops: Loops) -> Iterator[tuple[int, int]]:
    """Yield from where to where sums lie of which a sample adds to one."""
    for _, loop in loops_in(loops.lanes):
        for statement in loop.statements:
            if statement.scatter and statement.sums:
                _, rows, stride = statement.scatter
                begin, strides = statement.sums.offset, [*statement.sums.strides, stride]
                ends = [step * (n - 1) for step, n in zip(strides, [*loop.dims, rows], strict=True)]
                low, high = (sum(f(0, end) for end in ends) for f in (min, max))
                yield begin + low, begin + high + 1


def _ahead(
    loop: Loop | Repeat, arguments: Sequence[int], block: SampleBlock, found: list[Product]
) -> Loop | Repeat:
    """Return a loop that finds weighted sums of an argument computed; they are noted in found."""
    if isinstance(loop, Repeat) or len(loop.dims) != 1:
        return loop
    statements = []
    for statement in loop.statements:
        place = sum([product.dims[0] for product in found])
        product = _product(statement, loop.dims[0], arguments, block, place)
        if product:
            found.append(product)
            one = Access("h", place, (1,))
            statement = statement._replace(args=(one,), stretches=())
        statements.append(statement)
    return loop._replace(statements=tuple(statements))


def _product(
    statement: Statement, rows: int, arguments: Sequence[int], block: SampleBlock, place: int
) -> Product | None:
    """Return a statement as weighted sums of an argument, if it is that.

    Args:
        place: where they are kept.
    """
    if statement.op or len(statement.stretches) != 1 or len(statement.args) > 1:
        return None
    ((left, right, length),) = statement.stretches
    start = statement.args[0] if statement.args else -0.0
    if not right or length < max(WORTH_A_PRODUCT, block.width) or isinstance(start, Local):
        return None
    if isinstance(start, Access) and start.array != "u":
        return None
    for weights, inputs in ((left, right), (right, left)):
        if weights.array == "u" and inputs.array == "x" and inputs.strides == (0, 1):
            row = _row(arguments, inputs.offset, length)
            if row:
                return Product((rows, length), weights, start, row, place)
    return None


def _row(arguments: Sequence[int], begin: int, length: int) -> InputRow | None:
    """Return where neighbouring inputs lie in an argument, if all of them are of one."""
    for argument, (first, end) in enumerate(pairwise(accumulate(arguments, initial=0))):
        if first <= begin and begin + length <= end:
            return InputRow(argument, end - first, begin - first)
    return None


def _outer(
    loop: Loop, arguments: Sequence[int], block: SampleBlock, kept: int, place: int
) -> tuple[Access, Outer] | None:
    """Return a loop as an outer product with rows of inputs, if it is one and they are long.

    Args:
        kept: from where on its sums are kept.
        place: likewise its factors, of which it is told where they are computed.
    """
    if len(loop.dims) != 2 or len(loop.statements) != 1:
        return None
    (statement,) = loop.statements
    columns = loop.dims[1]
    sums = statement.sums
    if statement.op is not ops.mul or not sums or sums.strides[1] != 1 or columns < block.width:
        return None
    for left, right in (statement.args, statement.args[::-1]):
        if (
            isinstance(left, Access)
            and isinstance(right, Access)
            and left.array == "t"
            and right.array == "x"
            and not left.strides[1]
            and right.strides == (0, 1)
        ):
            row = _row(arguments, right.offset, columns)
            if row:
                target = sums._replace(array="sums")
                room = Access("q", kept, (block.padded(columns), 1))
                outer = Outer(loop.dims, place, row, target, room)
                return left._replace(strides=left.strides[:1]), outer
    return None


def _inputs(
    statement: Statement, dims: tuple[int, ...]
) -> Iterator[tuple[Access, tuple[int, ...]]]:
    """Yield what a statement reads of the inputs, and over which loops."""
    for access in statement.args:
        if isinstance(access, Access) and access.array == "x":
            yield access, dims
    for left, right, length in statement.stretches:
        for side in (left, right):
            if side and side.array == "x":
                yield side, (*dims, length)
