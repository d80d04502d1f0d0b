"""Derivatives for SciPy's optimisers, with the entries that can be other than 0."""

from __future__ import annotations

import itertools
import math
import re
import time
from typing import Any

import numpy as np
import pytest
from scipy.optimize import least_squares, minimize
from scipy.sparse import csr_array

import autograd
from autograd import CompileError, Value, detach, exp, hessian, jacobian, sin
from nn import MLP

compile = autograd.compile


@pytest.fixture(params=["llvm", "python"])
def backend(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def luksan_vlcek(x: Any) -> Any:
    """Return the chained Rosenbrock function.

    Source: Luksan & Vlcek 1999, Sparse and partially separable test problems, problem 5.1.
    """
    total: Any = 0.0
    for a, b in itertools.pairwise(x):
        total = total + 100 * (a * a - b) ** 2 + (a - 1) ** 2
    return total


def points(n: int) -> Any:
    return np.random.default_rng(n).normal(size=n)


@pytest.mark.long
def test_an_objective_has_value_gradient_hessian_and_its_product(backend: str) -> None:
    n, x, way = 7, points(7), points(8)[1:]
    for f in (luksan_vlcek, lambda v: exp(v[0] * v[1]) + sin(v[2] + v[3]) * v[4], lambda v: v[2]):
        o = compile(f, [0.0] * n, backend=backend).objective()
        value, gradient = autograd.value_and_grad(f)(x.tolist())
        matrix = np.array(hessian(f)(x.tolist()))
        # A dozen operations each; contracted ones differ by an ulp of the largest term.
        assert o.fun(x) == pytest.approx(value, rel=1e-13)
        assert np.allclose(o.jac(x), gradient, rtol=1e-12, atol=1e-12)
        assert np.allclose(o.hess(x), matrix, rtol=1e-12, atol=1e-11)
        assert np.allclose(o.hessp(x, way), matrix @ way, rtol=1e-11, atol=1e-11)


def test_a_sparse_hessian_has_no_other_entries() -> None:
    n, x = 50, points(50)
    o = compile(luksan_vlcek, [0.0] * n).objective(sparse=True)
    found = o.hess(x)
    assert isinstance(found, csr_array)
    assert found.shape == (n, n)
    assert found.nnz == 3 * n - 2
    assert np.allclose(found.toarray(), hessian(luksan_vlcek)(x.tolist()), rtol=1e-12, atol=1e-10)


EXACTLY = [{"exact": True}, {"backend": "python"}]


def barrier(v: Any) -> Any:
    """Return a function with kinks, infinite slopes where nothing flows, and a detached factor."""
    parts = [
        autograd.sqrt(abs(a)) * detach(b) + autograd.relu(a) * b
        for a, b in zip(v, v[2:], strict=False)
    ]
    return autograd.sum(parts) ** 2 + autograd.max([v[0], v[1]]) * v[0] + 3.0 * v[3]


FUNCTIONS = {
    "chain": (luksan_vlcek, 9),
    "barrier": (barrier, 6),
    "shared": (lambda v: sum(x * y for x in v for y in v) * exp(v[0] * 0.1), 4),
    "repeated": (lambda v: (v[0] * v[1] + v[0] * v[1] + v[0] * v[1]) ** 3 / v[2] ** v[3], 4),
    "constant": (lambda v: 3.0, 2),
    "linear": (lambda v: v[1] * 3.0 - v[0], 3),
}


@pytest.mark.long
@pytest.mark.parametrize("name", FUNCTIONS)
def test_sparse_derivatives_are_the_dense_ones(name: str) -> None:
    f, n = FUNCTIONS[name]
    x = (np.abs(points(n)) + 0.1).tolist()
    for derivative in (hessian, lambda f, **words: jacobian(autograd.grad(f), **words)):
        dense, sparse = derivative(f), derivative(f, sparse=True)
        found = sparse(x)
        # Some dozen operations in another order; the largest entries are near 1,000.
        assert np.allclose(found.toarray(), dense(x), rtol=1e-11, atol=1e-11)
        assert not np.any(found.data == 0) or name == "barrier"
        for words in EXACTLY:
            again = autograd.compile(sparse, [0.0] * n, **words)(x)
            for part in ("data", "indices", "indptr"):
                assert getattr(again, part).tolist() == getattr(found, part).tolist()
        fast = autograd.compile(sparse, [0.0] * n)
        assert np.allclose(fast(x).toarray(), found.toarray(), rtol=1e-11, atol=1e-11)


def test_a_pattern_is_that_of_all_numbers() -> None:
    f = lambda v: [v[0] * v[1], autograd.heaviside(v[2]) + v[1], 4.0, v[3] - v[3], v[3]]
    found = jacobian(f, sparse=True)([0.0] * 4)
    assert found.shape == (5, 4)
    pattern = [[0, 1], [1], [], [], [3]]
    rows = [found.indices[i:j].tolist() for i, j in itertools.pairwise(found.indptr)]
    assert rows == pattern  # those of v0 * v1 are 0 here, and elsewhere something else
    compiled = autograd.compile(jacobian(f, sparse=True), [0.0] * 4)([1.0, 2.0, 3.0, 4.0])
    assert compiled.indices.tolist() == found.indices.tolist()


def test_sparse_arrays_of_several_arguments_and_samples(backend: str) -> None:
    f = lambda a, b: [a[0] * b, a[1] + b * b, sin(a[0])]
    sparse = jacobian(f, (0, 1), sparse=True)
    by_a, by_b = sparse([2.0, 3.0], 4.0)
    assert (by_a.shape, by_b.shape) == ((3, 2), (3, 1))
    compiled = autograd.compile(sparse, [0.0, 0.0], 0.0, backend=backend)
    a, b = points(6).reshape(3, 2), points(3)
    many_a, many_b = compiled(a, b)
    for i in range(3):
        by_a, by_b = sparse(a[i].tolist(), float(b[i]))
        assert np.allclose(many_a[i].toarray(), by_a.toarray(), rtol=1e-14)
        assert np.allclose(many_b[i].toarray(), by_b.toarray(), rtol=1e-14)
    by_b = autograd.compile(jacobian(f, -1, sparse=True), [0.0, 0.0], 0.0, backend=backend)
    assert np.allclose(by_b(a, b)[1].toarray(), many_b[1].toarray(), rtol=1e-14)


def test_no_array_is_anothers() -> None:
    compiled = autograd.compile(hessian(luksan_vlcek, sparse=True), [0.0] * 9)
    x = points(9)
    wanted = compiled(x).toarray()
    for _ in range(4):
        found = compiled(x)
        assert (found.toarray() == wanted).all()
        found.data[:] = 0.0
        found.indices[:] = 0
        found.eliminate_zeros()


def test_what_a_sparse_array_cannot_hold_is_refused() -> None:
    w = Value(3.0)
    f = lambda v: w * v[0] * v[0]
    for call in (
        lambda: hessian(f, sparse=True)([1.0]),
        lambda: hessian(luksan_vlcek, sparse=True)([w, w]),
        lambda: autograd.grad(lambda x: hessian(luksan_vlcek, sparse=True)([x, x]))(1.0),
        lambda: autograd.compile(lambda v: hessian(f, sparse=True)(v), [0.0]),
    ):
        with pytest.raises(TypeError, match="which holds no Values: leave out sparse=True"):
            call()
    compiled = autograd.compile(hessian(f, sparse=True), [0.0])
    assert compiled([1.0]).toarray().tolist() == [[6.0]]
    w.data = 5.0
    assert compiled([1.0]).toarray().tolist() == [[10.0]]
    assert compiled([1.0], params=[0.5]).toarray().tolist() == [[1.0]]
    with pytest.raises(CompileError, match="gives matrices"):
        compiled.value_and_grad([1.0])
    with pytest.raises(CompileError, match=r"returns 1 numbers in lists: a Hessian"):
        autograd.compile(hessian(lambda v: [v[0]], sparse=True), [0.0])
    with pytest.raises(IndexError, match="argnums=1, but there are 1"):
        autograd.compile(jacobian(f, 1, sparse=True), [0.0])


@pytest.mark.parametrize("transform", [autograd.grad, jacobian, hessian])
def test_arguments_given_beside_the_function_are_told_where_to_go(transform: Any) -> None:
    with pytest.raises(TypeError, match=r"got \[1\.0, 2\.0\]; the .* as in grad\(f\)\(x\)"):
        transform(lambda x: x * x, [1.0, 2.0])(3.0)


INFINITE = [
    lambda v: autograd.sqrt(v[0]) * 2.0,
    lambda v: v[0] ** 1.5 * v[1],  # nothing arrives at the power where v1 is 0
    lambda v: autograd.sqrt(v[0] * v[1]) + v[1],
    lambda v: [autograd.sqrt(v[0]) * v[1], exp(v[0] * v[1]) / (v[1] + 1.0), v[1] ** 0.5],
]


@pytest.mark.parametrize("f", INFINITE)
def test_where_a_derivative_is_infinite_the_sparse_one_does_as_the_dense_one(f: Any) -> None:
    derivative = jacobian if isinstance(f([1.0, 1.0]), list) else hessian
    for x in ([0.0, 1.0], [0.0, 0.0], [1.0, 0.0]):
        try:
            wanted, message = derivative(f)(x), ""
        except autograd.DomainError as error:
            message = str(error)
        if message:
            with pytest.raises(autograd.DomainError, match=re.escape(message)):
                derivative(f, sparse=True)(x)
        else:
            assert derivative(f, sparse=True)(x).toarray().tolist() == wanted
            compiled = autograd.compile(derivative(f, sparse=True), [0.0, 0.0])
            assert compiled(x).toarray().tolist() == wanted


@pytest.mark.long
def test_methods_of_scipy_find_the_minimum() -> None:
    o = compile(luksan_vlcek, [0.0] * 10).objective()
    start = np.full(10, -0.5)
    for method, more in (
        ("BFGS", {}),
        ("Newton-CG", {"hess": o.hess}),
        ("Newton-CG", {"hessp": o.hessp}),
        ("trust-exact", {"hess": o.hess}),
    ):
        assert minimize(o.fun, start, jac=o.jac, method=method, **more).fun < 1e-8
    sparse = compile(luksan_vlcek, [0.0] * 10).objective(sparse=True)
    found = minimize(sparse.fun, start, jac=sparse.jac, hess=sparse.hess, method="trust-constr")
    assert found.fun < 1e-8


def rollout(v: Any, steps: int, nx: int, nu: int) -> list[Any]:
    """Return x[k + 1] - A x[k] - B u[k] of all steps: the constraints of predictive control."""
    source = np.random.default_rng(0)
    a, b = source.normal(size=(nx, nx)).tolist(), source.normal(size=(nx, nu)).tolist()
    states = [v[k * nx : (k + 1) * nx] for k in range(steps + 1)]
    inputs = [v[(steps + 1) * nx + k * nu : (steps + 1) * nx + (k + 1) * nu] for k in range(steps)]
    return [
        states[k + 1][i] - autograd.dot(a[i] + b[i], states[k] + inputs[k])
        for k in range(steps)
        for i in range(nx)
    ]


def test_a_sparse_jacobian_has_no_other_entries(backend: str) -> None:
    steps, nx, nu = 3, 4, 2
    n = (steps + 1) * nx + steps * nu
    f = compile(lambda v: rollout(v, steps, nx, nu), [0.0] * n, backend=backend)
    r = f.residuals(sparse=True)
    x = points(n)
    found = r.jac(x)
    assert found.nnz == steps * nx * (nx + nu + 1)
    dense = jacobian(lambda v: rollout(v, steps, nx, nu))(x.tolist())
    assert np.allclose(found.toarray(), dense, rtol=1e-13)
    assert np.allclose(r.fun(x), f(x))
    assert np.allclose(f.residuals().jac(x), dense, rtol=1e-13)


def test_least_squares_fits_a_curve() -> None:
    data = [(t / 10, 2.0 * math.exp(-1.5 * t / 10)) for t in range(20)]
    f = compile(lambda p: [p[0] * exp(p[1] * t) - y for t, y in data], [0.0, 0.0])
    for sparse in (False, True):
        r = f.residuals(sparse=sparse)
        found = least_squares(r.fun, [1.0, 0.0], jac=r.jac)
        assert np.allclose(found.x, [2.0, -1.5], atol=1e-6)


def test_parameters_are_read_at_each_call(backend: str) -> None:
    p = Value(2.0)
    o = compile(lambda x: p * x[0] * x[0], [0.0], backend=backend).objective()
    assert o.jac([3.0]).tolist() == [12.0]
    p.data = 5.0
    assert (o.jac([3.0]).tolist(), o.hess([3.0]).tolist()) == ([30.0], [[10.0]])


def test_what_is_detached_has_no_derivative(backend: str) -> None:
    def f(v: Any) -> Any:
        return detach(v[0] * v[1]) * v[0] ** 3 + (v[0] * v[1]).data * v[1] ** 2

    x = points(2)
    o = compile(f, [0.0, 0.0], backend=backend).objective()
    c = x[0] * x[1]
    assert np.allclose(o.jac(x), [3 * c * x[0] ** 2, 2 * c * x[1]], rtol=1e-14)
    # And the number that was detached is none of the gradient's either.
    assert np.allclose(o.hess(x), np.diag([6 * c * x[0], 2 * c]), rtol=1e-14)
    assert np.allclose(o.hessp(x, [1.0, 2.0]), [6 * c * x[0], 4 * c], rtol=1e-14)


def test_a_networks_hessian_in_its_input() -> None:
    model = MLP(3, [4, 1], activation="tanh", seed=0)
    x = points(3)
    found = compile(model, [0.0] * 3, wrt=0).objective().hess(x)
    wanted = [[v.data for v in row] for row in hessian(lambda v: model(v))(x.tolist())]
    assert np.allclose(found, wanted, rtol=1e-12)


def test_other_signatures_are_refused() -> None:
    with pytest.raises(CompileError, match=r"takes 2 argument\(s\): SciPy's optimisers give one"):
        compile(lambda x, y: x[0] * y, [0.0], 0.0).objective()
    with pytest.raises(CompileError, match=r"returns 2 numbers in lists: .* residuals\(\) are for"):
        compile(lambda x: [x[0], x[0]], [0.0]).objective()


@pytest.mark.slow
def test_structure_is_cheap() -> None:
    start = time.thread_time()
    o = compile(luksan_vlcek, [0.0] * 1000).objective(sparse=True)
    o.hess(points(1000))
    assert time.thread_time() - start < 3.0
    steps, nx, nu = 40, 20, 10
    n = (steps + 1) * nx + steps * nu
    start = time.thread_time()
    r = compile(lambda v: rollout(v, steps, nx, nu), [0.0] * n).residuals(sparse=True)
    found = r.jac(points(n))
    assert (time.thread_time() - start) / found.nnz < 30e-6
