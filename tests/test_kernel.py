"""The text of loops: nothing is computed, read or looped over that need not be."""

from __future__ import annotations

import re

import pytest

from autograd import Value, compile, dot
from autograd.compiler.blocks import SampleBlock
from autograd.compiler.rolling import loops_of

pytest.importorskip("llvmlite")

from autograd.compiler.llvm import kernel_of
from tests.test_loops import PAPER, network

SAMPLES = SampleBlock(8, 4)
ONE = SampleBlock(1, 1, across=8)


def blocks_of(text: str) -> list[list[str]]:
    """Return the stretches of code that are run as a whole, as lines."""
    return [code.splitlines() for code in re.split(r"(?m)^\S+:$", text)]


@pytest.mark.parametrize("block", [SAMPLES, SampleBlock(8, 1), ONE])
def test_an_address_is_computed_once_where_it_is_used(block: SampleBlock) -> None:
    for code in blocks_of(kernel_of(network(20, [16, 10]).loops, [20, 10], [], PAPER, block).text):
        products: dict[str, str] = {}
        addresses: list[tuple[str, str]] = []
        for line in code:
            if found := re.match(r"  (%\S+) = mul nsw i64 (.*)", line):
                products[found[1]] = found[2]
            elif found := re.match(r"  %\S+ = getelementptr double, ptr (%\S+), i64 (\S+)$", line):
                addresses.append((found[1], products.get(found[2], found[2])))
        inside = [address for address in addresses if address[0] != "%work"]
        assert len(set(inside)) == len(inside)


def loops_for(rows: int, columns: int, block: SampleBlock) -> int:
    """Return how many loops it takes to multiply a matrix and an input."""
    weights = [[Value(1.0 + i * j) for i in range(columns)] for j in range(rows)]
    f = compile(lambda x: [dot(row, x) for row in weights], [0.0] * columns)
    loops = loops_of(f.program, [False] * rows)
    return kernel_of(loops, [columns], [rows], PAPER, block).text.count("= phi i64")


def test_sums_of_up_to_four_terms_or_vectors_of_terms_are_written_out() -> None:
    assert loops_for(1, 4, SAMPLES) == loops_for(1, 3, SAMPLES) < loops_for(1, 5, SAMPLES)
    assert loops_for(16, 4 * 8, ONE) == loops_for(16, 2 * 8, ONE) < loops_for(16, 5 * 8, ONE)


def test_what_an_outer_product_reads_is_shared_by_a_tile_of_four_rows_and_columns() -> None:
    """Two times four vectors of factors are read for four times four products, beside the sums."""
    text = kernel_of(network(20, [16, 10]).loops, [20, 10], [], PAPER, SAMPLES).text
    code = "\n".join(max(blocks_of(text), key=lambda lines: "\n".join(lines).count(" fmul ")))
    assert code.count(" fmul ") == 4 * 4 * SAMPLES.vectors
    assert code.count(" load ") - code.count(" store ") == (4 + 4) * SAMPLES.vectors
