"""Where sums over the samples are added up.

Most sums are kept as a vector, a place for each of a few neighbouring samples, and the places are
added up at the end of a call. Of the slopes of a layer's weights there are many: they are the
outer product of what came back to the neurons and of the inputs. Where these inputs are an
argument's, their rows lie in memory as they are needed: a vector then holds neighbouring weights,
the samples are gone through one by one, and a sum is a single number from the beginning.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import accumulate, pairwise
from math import prod
from typing import NamedTuple

from autograd import ops
from autograd.compiler.blocks import SampleBlock
from autograd.compiler.loops import Access, Loop, Loops, Repeat, loops_in


class Outer(NamedTuple):
    """The sums over the samples of ``left[i] * row[column + j]``, for all i and j below dims.

    Attributes:
        left: what is computed for each sample; its stride is that of i.
        argument: which array the rows are of.
        size: how many numbers a row has.
        column: where in the row it begins.
        target: where the sums go; the last stride is 1.
        kept: where they are added up until then, the rows padded to whole vectors.
    """

    dims: tuple[int, int]
    left: Access
    argument: int
    size: int
    column: int
    target: Access
    kept: Access


class Sums(NamedTuple):
    """The sums of a program.

    Attributes:
        lanes: what is computed for every sample; the sums that are vectors lie side by side.
        outers: those of the lanes whose sums are numbers.
        moved: where the vectors' totals go: for all indices below dims, from where to where.
        vectors: how many are kept as vectors.
        numbers: how many are kept as numbers, with the padding.
        scattered: from where to where among the vectors a sample adds to one of many; they are
            cleared first.
    """

    lanes: tuple[Loop | Repeat | Outer, ...]
    outers: tuple[Outer, ...]
    moved: tuple[tuple[tuple[int, ...], Access, Access], ...]
    vectors: int
    numbers: int
    scattered: tuple[tuple[int, int], ...] = ()


def sums_of(loops: Loops, arguments: Sequence[int], block: SampleBlock) -> Sums:
    """Return where the sums of a program are added up.

    Args:
        arguments: how many of the inputs each array holds for a sample.
    """
    # All are vectors, and stay in the order in which they are given back.
    scattered = tuple(_scattered(loops))
    plain = Sums(loops.lanes, (), (), loops.sizes["r"], 0, scattered)
    if block.vectors == 1 or scattered:
        return plain
    lanes: list[Loop | Repeat | Outer] = []
    outers: list[Outer] = []
    moved: list[tuple[tuple[int, ...], Access, Access]] = []
    vectors = numbers = 0
    for loop in loops.lanes:
        if isinstance(loop, Repeat):
            lanes.append(loop)
            continue
        outer = _outer(loop, arguments, block, numbers)
        if outer:
            numbers += outer.dims[0] * outer.kept.strides[0]
            outers.append(outer)
            lanes.append(outer)
            continue
        statements = []
        for statement in loop.statements:
            if statement.sums:
                strides = tuple(prod(loop.dims[k + 1 :]) for k in range(len(loop.dims)))
                place = Access("r", vectors, strides)
                goal = statement.sums._replace(array="sums")
                moved.append((loop.dims, place._replace(array="sums_in_order"), goal))
                vectors += prod(loop.dims)
                statements.append(statement._replace(sums=place))
            else:
                statements.append(statement)
        lanes.append(Loop(loop.dims, tuple(statements)))
    if not outers:
        return plain
    return Sums(tuple(lanes), tuple(outers), tuple(moved), vectors, numbers)


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


def _outer(loop: Loop, arguments: Sequence[int], block: SampleBlock, place: int) -> Outer | None:
    """Return a loop as an outer product with rows of inputs, if it is one and they are long.

    Args:
        place: from where on its sums are kept.
    """
    if len(loop.dims) != 2 or len(loop.statements) != 1:
        return None
    (statement,) = loop.statements
    rows, columns = loop.dims
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
            for argument, (begin, end) in enumerate(pairwise(accumulate(arguments, initial=0))):
                if begin <= right.offset and right.offset + columns <= end:
                    return Outer(
                        (rows, columns),
                        left._replace(strides=left.strides[:1]),
                        argument,
                        end - begin,
                        right.offset - begin,
                        sums._replace(array="sums"),
                        Access("q", place, (block.padded(columns), 1)),
                    )
    return None
