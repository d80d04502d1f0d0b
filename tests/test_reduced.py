"""All that a compiled function returns, reduced over the samples."""

from __future__ import annotations

import functools
import operator
from typing import Any

import numpy as np
import pytest
from scipy.sparse import csr_array

import autograd
from autograd import CompileError, Value, gradients, hessian, jacobian, tanh
from nn import MLP

compile = autograd.compile

BACKENDS: list[dict[str, Any]] = [{}, {"exact": True}, {"backend": "python"}]


@pytest.fixture(params=BACKENDS, ids=str)
def words(request: pytest.FixtureRequest) -> dict[str, Any]:
    return dict(request.param)


def model_and_hessian() -> tuple[MLP, Any]:
    """Return a network, and its loss's second derivatives by the weights, of one sample."""
    model = MLP(2, [3, 1], activation="tanh", seed=0)
    weights = model.parameters()

    def second(x: list[Any], y: Any) -> Any:
        slopes = gradients((model(x) - y) ** 2, weights)
        return [gradients(slope, weights) for slope in slopes]

    return model, second


def data(n: int) -> tuple[Any, Any]:
    source = np.random.default_rng(n)
    return source.normal(size=(n, 2)), source.normal(size=n)


@pytest.mark.parametrize(
    "n", [0, 5, 100, *(pytest.param(n, marks=pytest.mark.long) for n in (1, 1001))]
)
@pytest.mark.parametrize("reduce", ["mean", pytest.param("sum", marks=pytest.mark.long)])
def test_a_networks_hessian_is_reduced_as_its_gradient_is(
    n: int, reduce: str, words: dict[str, Any]
) -> None:
    if words.get("backend") and n > 100:
        pytest.skip("sample by sample, in Python")
    model, second = model_and_hessian()
    xs, ys = data(n)
    f = compile(second, [0.0, 0.0], 0.0, reduce=reduce, **words)
    found = f.reduced(xs, ys)
    each = f(xs, ys)
    count = len(model.parameters())
    assert found.shape == (count, count)
    wanted = each.sum(axis=0) / (n if reduce == "mean" and n else 1)
    # Sums of n terms below 10, in another order.
    assert np.allclose(found, wanted, rtol=0, atol=1e-15 * 20 * (n + 1))
    assert np.allclose(found, found.T, rtol=0, atol=1e-15 * 20 * (n + 1))
    theta = np.array([p.data for p in f.parameters])
    for _ in range(3):
        assert np.array_equal(f.reduced(xs, ys, params=theta), found)


def test_exact_sums_have_the_bits_of_the_eager_ones() -> None:
    _, second = model_and_hessian()
    xs, ys = data(7)
    f = compile(second, [0.0, 0.0], 0.0, reduce="sum", exact=True)
    matrices = [
        np.array([[entry.data for entry in row] for row in second([Value(a), Value(b)], y)])
        for (a, b), y in zip(xs.tolist(), ys.tolist(), strict=True)
    ]
    assert np.array_equal(f.reduced(xs, ys), functools.reduce(operator.add, matrices))


def test_the_form_is_that_of_one_sample(words: dict[str, Any]) -> None:
    def f(x: Any, v: list[Any]) -> Any:
        return x * v[0], [v[1], x, 2.0], [[x * x, v[0]], [1.0, -x]]

    compiled = compile(f, 0.0, [0.0, 0.0], reduce="sum", **words)
    lists = compiled.reduced([1.0, 2.0], [[1.0, 3.0], [2.0, 5.0]])
    assert lists == (5.0, [8.0, 3.0, 4.0], [[5.0, 3.0], [2.0, -3.0]])
    arrays = compiled.reduced(np.array([1.0, 2.0]), np.array([[1.0, 3.0], [2.0, 5.0]]))
    assert isinstance(arrays[0], float)
    assert [part.tolist() for part in arrays[1:]] == list(lists[1:])
    assert compiled.reduced(1.0, [1.0, 3.0]) == (1.0, [3.0, 1.0, 2.0], [[1.0, 1.0], [1.0, -1.0]])
    assert compiled.reduced([], []) == (0.0, [0.0] * 3, [[0.0, 0.0], [0.0, 0.0]])
    with pytest.raises(ValueError, match="has 1 samples, others 2"):
        compiled.reduced([1.0, 2.0], [[1.0, 3.0]])
    with pytest.raises(CompileError, match='compile it with reduce="mean" or "sum"'):
        compile(f, 0.0, [0.0, 0.0], reduce=None, **words).reduced(1.0, [1.0, 3.0])


@pytest.mark.parametrize("reduce", ["mean", "sum"])
def test_sparse_matrices_are_reduced_too(reduce: str, words: dict[str, Any]) -> None:
    f = lambda v: v[0] ** 2 * 3.0 + tanh(v[1]) * v[2] + v[3] ** 2
    xs = np.random.default_rng(0).normal(size=(5, 4))
    for derivative in (
        hessian(f, sparse=True),
        jacobian(lambda v: [v[0] * 2.0, v[1]], sparse=True),
    ):
        compiled = compile(derivative, [0.0] * 4, reduce=reduce, **words)
        found = compiled.reduced(xs)
        assert isinstance(found, csr_array)
        matrices = [derivative(x).toarray() for x in xs.tolist()]
        wanted = np.sum(matrices, axis=0) / (5 if reduce == "mean" else 1)
        assert np.allclose(found.toarray(), wanted, rtol=1e-14, atol=1e-14)
