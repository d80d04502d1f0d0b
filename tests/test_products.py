"""Products of matrices and many samples: weighted sums of an argument, and slopes by its rows."""

from typing import Any

import pytest

from autograd import Value, compile, maximum, ops

np = pytest.importorskip("numpy")
pytest.importorskip("llvmlite")

SAMPLES = (1, 7, 33, 65, 129)
"""Around vectors and blocks."""


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
        pytest.param(129, 31, marks=pytest.mark.long),
        pytest.param(7, 257, marks=pytest.mark.long),
    ],
)
def test_values_and_slopes_are_those_of_matrices(rows: int, columns: int, dtype: str) -> None:
    """Of small whole numbers, every sum is exact in either precision."""
    f = layer(rows, columns, dtype)
    source = np.random.default_rng(columns)
    for n in SAMPLES:
        draw = lambda *shape: source.integers(-1, 2, shape).astype(float)
        w, b, x, y = draw(rows, columns), draw(rows), draw(n, 1 + columns), draw(n)
        value, slopes = f.value_and_grad(y, x, params=np.append(w.ravel(), b))
        above = np.maximum(x[:, 1:] @ w.T + b, 0.0)
        back = above * y[:, None]
        assert value == 0.5 * (above**2).sum(axis=1) @ y
        assert slopes[: w.size].reshape(w.shape).tolist() == (back.T @ x[:, 1:]).tolist()
        assert slopes[w.size :].tolist() == back.sum(axis=0).tolist()


def test_no_sample_reads_anothers_numbers() -> None:
    """One that is infinite, or no number, spoils its own outputs, wherever it stands."""
    weights = [[Value(1.0) for _ in range(20)] for _ in range(3)]
    f = compile(lambda x: [ops.dot(*w, *x) for w in weights], [0.0] * 20)
    for n in (3, 16, 17, 133):
        for place in {0, n // 2, n - 1}:
            x = np.ones((n, 20))
            x[place] = np.nan
            found = np.array(f(x)).reshape(n, 3)
            assert np.isnan(found[place]).all()
            assert (np.delete(found, place, axis=0) == 20.0).all()
