"""Products of matrices and many samples: weighted sums of an argument, and slopes by its rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from autograd import Value, compile, maximum, ops, take
from autograd.compiler.blocks import SampleBlock
from autograd.compiler.loops import Loop, Repeat
from autograd.compiler.products import AT_A_TIME
from autograd.compiler.reals import REALS
from autograd.compiler.rolling import loops_of
from autograd.compiler.sums import WORTH_A_PRODUCT, Sums, sums_of

np = pytest.importorskip("numpy")
pytest.importorskip("llvmlite")

BLOCK = SampleBlock(4, 4)


def samples(dtype: str) -> tuple[int, ...]:
    """Return numbers around vectors, blocks, and what is computed at once."""
    together = BLOCK._replace(real=REALS[dtype]).together
    return 1, 7, 33, 65, together - 1, together, together + 1, 2 * together + 17


def layer(rows: int, columns: int, dtype: str) -> Any:
    """Return a compiled half square of weighted sums, and of a start each, that are above 0.

    The numbers are behind another in the second of two arguments.
    """
    weights = [[Value(1.0) for _ in range(columns)] for _ in range(rows)]
    starts = [Value(1.0) for _ in range(rows)]

    def loss(y: Any, x: list[Any]) -> Any:
        outs = [ops.dot(*w, *x[1:], b) for w, b in zip(weights, starts, strict=True)]
        return ops.sum(*[0.5 * maximum(out, 0.0) ** 2 for out in outs]) * y

    leaves = [leaf for w in weights for leaf in w] + starts
    return compile(loss, 1.0, [0.0] * (1 + columns), wrt=leaves, dtype=dtype, reduce="sum")


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize(
    ("rows", "columns"),
    [
        (5, 17),
        (5, WORTH_A_PRODUCT + 1),
        pytest.param(129, WORTH_A_PRODUCT, marks=pytest.mark.long),
        pytest.param(7, 3 * AT_A_TIME + 1, marks=pytest.mark.long),
    ],
)
def test_values_and_slopes_are_those_of_matrices(rows: int, columns: int, dtype: str) -> None:
    """Of small whole numbers, every sum is exact in either precision."""
    f = layer(rows, columns, dtype)
    sums = sums_in(f, [1, 1 + columns])
    assert [each.dims for each in sums.outers] == [(rows, columns)]
    products = [(rows, columns)] if columns >= WORTH_A_PRODUCT else []
    assert [each.dims for each in sums.products] == products
    source = np.random.default_rng(columns)
    for n in samples(dtype):
        draw = lambda *shape: source.integers(-1, 2, shape).astype(float)
        w, b, x, y = draw(rows, columns), draw(rows), draw(n, 1 + columns), draw(n)
        value, slopes = f.value_and_grad(y, x, params=np.append(w.ravel(), b))
        above = np.maximum(x[:, 1:] @ w.T + b, 0.0)
        back = above * y[:, None]
        assert value == 0.5 * (above**2).sum(axis=1) @ y
        assert slopes[: w.size].reshape(w.shape).tolist() == (back.T @ x[:, 1:]).tolist()
        assert slopes[w.size :].tolist() == back.sum(axis=0).tolist()


@pytest.mark.parametrize("columns", [20, WORTH_A_PRODUCT])
def test_no_sample_reads_anothers_numbers(columns: int) -> None:
    """One that is infinite, or no number, spoils its own outputs, wherever it stands."""
    weights = [[Value(1.0) for _ in range(columns)] for _ in range(3)]
    f = compile(lambda x: [ops.dot(*w, *x) for w in weights], [0.0] * columns)
    for n in (3, 16, 17, BLOCK.together + 5):
        for place in {0, n // 2, n - 1}:
            x = np.ones((n, columns))
            x[place] = np.nan
            found = np.array(f(x)).reshape(n, 3)
            assert np.isnan(found[place]).all()
            assert (np.delete(found, place, axis=0) == columns).all()


def sums_in(f: Any, arguments: Sequence[int]) -> Sums:
    kernels = f._code.native_gradient
    return sums_of(loops_of(kernels.program(), kernels.signature.summed), arguments, BLOCK)


def test_an_argument_that_only_products_read_is_not_laid_out_again() -> None:
    size = 1 + WORTH_A_PRODUCT
    sums = sums_in(layer(4, WORTH_A_PRODUCT, "float64"), [1, size])
    assert sums.rows() == [(1, size)]
    assert (sums.reads(0, 1), sums.reads(1, 1 + size)) == (True, False)


@pytest.mark.parametrize("apart", ["short", "steps", "others", "chosen"])
def test_other_sums_are_computed_sample_by_sample(apart: str) -> None:
    """Those of few terms, of every other input, of what was computed, and of what is looked up."""
    n = WORTH_A_PRODUCT - 1 if apart == "short" else WORTH_A_PRODUCT
    weights = [[Value(1.0 + i - j) for i in range(n)] for j in range(3)]
    table = [[Value(1.0 * i) for i in range(n)] for _ in range(3)]

    def loss(x: list[Any], i: Any) -> Any:
        inputs = {"steps": x[::2], "others": [v * v for v in x[:n]], "chosen": take(table, i)}
        outs = [ops.dot(*w, *inputs.get(apart, x[:n])) for w in weights]
        return ops.sum(*[out * out for out in outs])

    leaves = [leaf for w in weights for leaf in w]
    f = compile(loss, [0.0] * (2 * n), 0.0, wrt=leaves, reduce="sum")
    assert not sums_in(f, [2 * n, 1]).products
    rows = np.random.default_rng(0).integers(-2, 3, (19, 2 * n)).astype(float)
    chosen = np.arange(19.0) % 3
    exact = compile(loss, [0.0] * (2 * n), 0.0, wrt=leaves, reduce="sum", backend="python")
    value, slopes = f.value_and_grad(rows, chosen)
    wanted, its = exact.value_and_grad(rows.tolist(), chosen.tolist())
    assert (value, list(slopes)) == (wanted, list(its))


def test_reads_looks_at_every_loop() -> None:
    """What steps read isn't known, so it may be anything."""
    none = Sums((), (), (), (), 0, 0)
    assert not none.reads(0, 1)
    assert not none._replace(lanes=(Loop((3,), ()),)).reads(0, 1)
    assert none._replace(lanes=(Repeat((), 2, (), ()),)).reads(0, 1)
