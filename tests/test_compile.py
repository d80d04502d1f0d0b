"""`compile`: what goes in and out, what is refused, and that it is the eager engine's result."""

from __future__ import annotations

import builtins
import compileall
import copy
import gc
import math
import os
import pickle
import random
import re
import shutil
import struct
import subprocess
import sys
import threading
import warnings
import weakref
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd
from autograd import (
    CompileError,
    MissingExtraError,
    Op,
    Value,
    dot,
    exp,
    grad,
    hessian,
    hvp,
    jacobian,
    jvp,
    logsumexp,
    mean,
    primitive,
    relu,
    sin,
    tanh,
    where,
)
from autograd.compiler import compilation, crew, native
from autograd.testing.strategies import ACTIVATIONS, datasets, expressions, mlps
from nn import MLP, Dropout, Sequential
from nn.losses import hinge, squared_error
from tests.floats import bits

BACKENDS = ("llvm", "python")

compile = autograd.compile


@pytest.fixture(params=BACKENDS)
def backend(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def product(x: Any, w: Any) -> Any:
    """Return a function of a number and a list, for which few bits are needed: all is exact."""
    return x * (w[0] - 2.0 * w[1])


X = [1.0, 2.0, -0.5]
W = [[1.0, 0.5], [0.25, -1.0], [4.0, 3.0]]
VALUES = [0.0, 4.5, 1.0]
BY_X = [0.0, 2.25, -2.0]
BY_W = [[1.0, -2.0], [2.0, -4.0], [-0.5, 1.0]]


@pytest.fixture(scope="module")
def products() -> dict[str, autograd.Compiled]:
    """Return `product` compiled for both back ends, to differentiate by both arguments."""
    return {
        name: compile(product, 1.0, [0.0, 0.0], wrt=[0, 1], reduce="sum", backend=name)
        for name in BACKENDS
    }


# What goes in and out.


def test_numpy_in_is_numpy_out(products: Any, backend: str) -> None:
    f = products[backend]
    values = f(np.array(X), np.array(W))
    assert isinstance(values, np.ndarray)
    assert values.dtype == np.float64
    assert values.tolist() == VALUES
    value, (by_x, by_w) = f.value_and_grad(np.array(X), np.array(W))
    assert value == sum(VALUES)
    assert isinstance(by_x, np.ndarray)
    assert isinstance(by_w, np.ndarray)
    assert (by_x.tolist(), by_w.tolist()) == (BY_X, BY_W)


def test_lists_in_are_lists_of_floats_out(products: Any, backend: str) -> None:
    f = products[backend]
    assert f(X, W) == VALUES
    assert f(tuple(X), tuple(map(tuple, W))) == VALUES
    value, (by_x, by_w) = f.value_and_grad(X, W)
    assert (value, by_x, by_w) == (sum(VALUES), BY_X, BY_W)
    numbers = [value, *by_x, *by_w[0], *f(X, W)]
    assert all(type(number) is float for number in numbers)


def test_one_sample_has_no_axis(products: Any, backend: str) -> None:
    f = products[backend]
    assert f(2.0, W[1]) == 4.5
    assert type(f(2.0, W[1])) is float
    assert f.value_and_grad(2, [0.25, -1]) == (4.5, (2.25, [2.0, -4.0]))
    assert f(np.array(2.0), np.array(W[1])) == 4.5
    _, (by_x, by_w) = f.value_and_grad(np.array(2.0), np.array(W[1]))
    assert by_x == 2.25
    assert isinstance(by_w, np.ndarray)
    assert by_w.tolist() == [2.0, -4.0]


def test_arrays_and_lists_may_be_mixed(products: Any, backend: str) -> None:
    f = products[backend]
    for args in ((np.array(X), W), (X, np.array(W)), (X, [np.array(row) for row in W])):
        values = f(*args)
        assert list(values) == VALUES
    assert isinstance(f(np.array(X), W), np.ndarray)


@pytest.mark.parametrize("dtype", [np.float32, np.float16, np.int64, np.uint8, ">f8"])
def test_any_real_dtype_will_do(dtype: Any, products: Any, backend: str) -> None:
    f = products[backend]
    x, w = np.array([3, 1, 2], dtype), np.array([[1, 2], [3, 4], [5, 0]], dtype)
    assert f(x, w).tolist() == [-9.0, -5.0, 10.0]


def test_strides_and_orders_are_heeded(products: Any, backend: str) -> None:
    f = products[backend]
    x, w = np.array(X), np.array(W)
    wide = np.repeat(np.repeat(w, 2, axis=0), 3, axis=1)
    assert f(np.repeat(x, 2)[::2], wide[::2, ::3]).tolist() == VALUES
    assert f(x[::-1], w[::-1]).tolist() == VALUES[::-1]
    assert f(x, np.asfortranarray(w)).tolist() == VALUES
    frozen = w.copy()
    frozen.flags.writeable = False
    assert f(x, frozen).tolist() == VALUES


def test_what_is_given_stays_as_it_is_and_results_are_the_callers(products: Any) -> None:
    f = products["llvm"]
    for n in (3, 5000):  # copied for the call, and read where it is
        x, w = np.ones(n), np.ones((n, 2))
        first = f(x, w)
        value, (by_x, _) = f.value_and_grad(x, w)
        assert (x == 1).all()
        assert (w == 1).all()
        f(2 * x, w)
        f.value_and_grad(2 * x, w)
        assert (first == -1).all()
        assert value == -n
        assert (by_x == -1).all()


def test_no_samples_are_no_values_and_no_gradient(backend: str) -> None:
    model = MLP(2, [2, 1], seed=0)
    # Infinite weights show that nothing is computed: 0 * inf would be NaN.
    model.parameters()[-1].data = math.inf
    for reduce in ("mean", "sum", None):
        f = compile(model, [0.0, 0.0], wrt=[0, model], reduce=reduce, backend=backend)
        for none in ([], np.empty((0, 2))):
            assert len(f(none)) == 0
            value, (by_x, by_p) = f.value_and_grad(none)
            assert len(by_x) == 0
            if reduce is None:
                assert len(value) == len(by_p) == 0
            else:
                assert value == 0.0
                assert list(by_p) == [0.0] * 9
        assert f.value_and_grad(np.empty((0, 2)))[1][0].shape == (0, 2)
    pairs = compile(lambda v: ([v, v], v[0]), [0.0] * 3, backend=backend)
    assert pairs([]) == ([], [])
    assert [part.shape for part in pairs(np.empty((0, 3)))] == [(0, 2, 3), (0,)]
    f = compile(model, [0.0, 0.0], backend=backend)
    assert f.backward([]) == 0.0
    assert [p.grad for p in model.parameters()] == [0.0] * 9


def test_a_list_of_no_numbers_is_an_argument_too(backend: str) -> None:
    f = compile(lambda x, none: x * (2.0 + len(none)), 1.0, [], wrt=[0, 1], backend=backend)
    assert f(3.0, []) == 6.0
    assert f([3.0, 4.0], [[], []]) == [6.0, 8.0]
    assert f(np.array([3.0, 4.0]), np.empty((2, 0))).tolist() == [6.0, 8.0]
    assert f([], []) == []
    assert f.value_and_grad([3.0, 4.0], [[], []]) == (7.0, ([1.0, 1.0], [[], []]))
    alone = compile(lambda none: 2.0, [], backend=backend)
    assert alone([]) == 2.0
    assert alone([[], [], []]) == [2.0] * 3


def test_a_function_of_nothing_has_one_value(backend: str) -> None:
    p, q = Value(3.0), Value(4.0)
    f = compile(lambda: p * p * q, backend=backend)
    assert f() == 36.0
    assert f.value_and_grad() == (36.0, [24.0, 9.0])
    pair = compile(lambda: (p * p * q, p), backend=backend)
    numbers = np.array([1.0, 2.0])
    for _ in range(2):  # the second time, the native back end knows what it is given
        assert type(f(params=numbers)) is float
        assert f(params=numbers) == 2.0
        assert pair(params=numbers) == (2.0, 1.0)
        assert pair.value_and_grad(params=numbers)[0] == (2.0, 1.0)
        value, gradient = f.value_and_grad(params=numbers)
        assert value == 2.0
        assert isinstance(gradient, np.ndarray)
        assert gradient.tolist() == [4.0, 1.0]
    assert f.backward() == 36.0
    assert (p.grad, q.grad) == (24.0, 9.0)
    assert compile(lambda: 7.0, backend=backend).value_and_grad() == (7.0, ())


# Results of every shape.


def test_lists_and_tuples_come_back_in_their_shape(backend: str) -> None:
    p = Value(0.5)

    def f(x: Any, v: list[Any]) -> Any:
        return x * p, [v[0], v[1] * x, 3], [[x, v[1]], [p, 1.0]], ([x],)

    f_compiled = compile(f, 1.0, [0.0, 0.0], backend=backend)
    first, row, matrix, nested = f_compiled([2.0, 4.0], [[1.0, 3.0], [0.0, 5.0]])
    assert first == [1.0, 2.0]
    assert row == [[1.0, 6.0, 3.0], [0.0, 20.0, 3.0]]
    assert matrix == [[[2.0, 3.0], [0.5, 1.0]], [[4.0, 5.0], [0.5, 1.0]]]
    assert nested == [[[2.0]], [[4.0]]]
    arrays = f_compiled(np.array([2.0, 4.0]), np.array([[1.0, 3.0], [0.0, 5.0]]))
    assert [array.shape for array in arrays] == [(2,), (2, 3), (2, 2, 2), (2, 1, 1)]
    assert arrays[2].tolist() == matrix
    single = f_compiled(2.0, [1.0, 3.0])
    assert single == (1.0, [1.0, 6.0, 3.0], [[2.0, 3.0], [0.5, 1.0]], [[2.0]])


def test_of_a_tuple_the_first_is_differentiated(backend: str) -> None:
    w = Value(3.0)
    f = compile(lambda x: (x * w, [x, w], x + 1), 1.0, reduce="sum", backend=backend)
    (value, pair, more), gradient = f.value_and_grad([1.0, 2.0])
    assert (value, gradient) == (9.0, [3.0])
    assert pair == [[1.0, 3.0], [2.0, 3.0]]
    assert more == [2.0, 3.0]


@pytest.mark.long
def test_inputs_parameters_and_constants_may_be_the_result(backend: str) -> None:
    p = Value(3.0)
    for f, values, gradient in (
        (lambda x: x, [1.0, 2.0], (1.0, [0.0])),
        (lambda x: p, [3.0, 3.0], (0.0, [1.0])),
        (lambda x: 4, [4.0, 4.0], (0.0, [0.0])),
        (lambda x: Value(5.0), [5.0, 5.0], (0.0, [0.0])),
    ):
        each = compile(f, 1.0, wrt=[0, p], backend=backend)
        assert each([1.0, 2.0]) == values
        value, (by_x, by_p) = each.value_and_grad([1.0, 2.0])
        assert value == sum(values) / 2
        assert by_x == [gradient[0] / 2] * 2
        assert by_p == gradient[1]


def test_leaves_made_inside_are_constants(backend: str) -> None:
    def total(v: list[Any]) -> Any:
        start = Value(0.5)
        for x in v:
            start = start + x
        return start

    f = compile(total, [0.0, 0.0], backend=backend)
    assert f.parameters == []
    assert f.value_and_grad([1.0, 2.0]) == (3.5, [1.0, 1.0])


# What to differentiate with respect to.


@pytest.mark.long
def test_wrt_takes_arguments_values_models_and_lists_of_them(backend: str) -> None:
    model = MLP(1, [1], seed=1)
    p, q = Value(2.0), Value(5.0)

    def f(x: Any, y: Any) -> Any:
        return x * x * p + y * q + model([x])

    w = model.parameters()[0].data

    def gradient(wrt: Any) -> Any:
        each = compile(f, 1.0, 1.0, wrt=wrt, reduce="sum", backend=backend)
        return each.value_and_grad([1.0, 3.0], [10.0, 20.0])[1]

    slopes = [4.0 + w, 12.0 + w]
    assert gradient(0) == slopes
    assert gradient(-1) == [5.0, 5.0]
    assert gradient([0]) == (slopes,)
    assert gradient((1, 0)) == ([5.0, 5.0], slopes)
    assert gradient(p) == [10.0]
    assert gradient([q, p]) == [30.0, 10.0]
    assert gradient(model) == [4.0, 2.0]
    assert gradient([p, model, q]) == [10.0, 4.0, 2.0, 30.0]
    assert gradient([q, 1, model]) == ([5.0, 5.0], [30.0, 4.0, 2.0])
    assert gradient([p, p, 0, 0]) == (slopes, [10.0])
    assert gradient([]) == ()
    none = compile(f, 1.0, 1.0, wrt=[], backend=backend)
    numbers = np.array([leaf.data for leaf in none.parameters])
    for _ in range(2):
        assert none.value_and_grad(np.ones(2), np.ones(2), params=numbers)[1] == ()
    # All parameters, in the order in which they are met.
    assert sorted(gradient(None)) == sorted([10.0, 30.0, 4.0, 2.0])


def test_without_parameters_all_arguments_are_differentiated(backend: str) -> None:
    f = compile(product, 1.0, [0.0, 0.0], reduce="sum", backend=backend)
    assert f.value_and_grad(X, W)[1] == (BY_X, BY_W)


def test_wrt_what_is_not_used_is_0(backend: str) -> None:
    p, unused = Value(2.0), Value(math.inf)
    f = compile(lambda x, y: x * p, 1.0, 1.0, wrt=[unused, 1, p], backend=backend)
    assert f.parameters == [unused, p]
    assert f.value_and_grad([3.0], [4.0]) == (6.0, ([0.0], [0.0, 3.0]))


@pytest.mark.parametrize(
    ("wrt", "error", "message"),
    [
        (2, IndexError, r"wrt=2, but there are 2 argument\(s\)"),
        (-3, IndexError, r"wrt=-3, but there are 2 argument\(s\)"),
        ("x", TypeError, r"wrt takes numbers of arguments, Values, or a model .* got 'x'"),
        (True, TypeError, "wrt takes numbers of arguments, .* got True"),
        ([0, 1.0], TypeError, r"wrt takes numbers of arguments, .* got 1\.0"),
        (Value(1.0) * 2, TypeError, "wrt takes leaves, not what is computed from them"),
    ],
)
def test_a_wrong_wrt_is_refused(wrt: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        compile(lambda x, y: x * y, 1.0, 1.0, wrt=wrt)


# Reductions and parameters.


def test_reductions(backend: str) -> None:
    p = Value(2.0)
    x = [1.0, 2.0, 3.0, 6.0]
    for reduce, value, by_x, by_p in (
        ("mean", 6.0, [0.5] * 4, [3.0]),
        ("sum", 24.0, [2.0] * 4, [12.0]),
        (None, [2.0, 4.0, 6.0, 12.0], [2.0] * 4, [[1.0], [2.0], [3.0], [6.0]]),
    ):
        f = compile(lambda x: x * p, 1.0, wrt=[0, p], reduce=reduce, backend=backend)
        assert f.value_and_grad(x) == (value, (by_x, by_p))
        arrays = f.value_and_grad(np.array(x))
        assert np.array_equal(arrays[0], value)
        assert arrays[1][1].shape == ((4, 1) if reduce is None else (1,))
    # One sample by itself: without the axis.
    f = compile(lambda x: x * p, 1.0, wrt=[0, p], reduce=None, backend=backend)
    assert f.value_and_grad(3.0) == (6.0, (2.0, [3.0]))


def test_params_stand_for_the_parameters_numbers(backend: str) -> None:
    p, q = Value(2.0), Value(3.0)
    f = compile(lambda x: x * p - q, 1.0, wrt=[p, q], backend=backend)
    assert f.parameters == [p, q]
    assert f([1.0, 2.0]) == [-1.0, 1.0]
    for params in ([5.0, 1.0], (5, 1), np.array([5.0, 1.0]), np.array([5, 9, 1, 9])[::2]):
        assert f([1.0, 2.0], params=params) == [4.0, 9.0]
        value, gradient = f.value_and_grad([1.0, 2.0], params=params)
        assert value == 6.5
        assert list(gradient) == [1.5, -1.0]
    p.data = 7.0  # read at each call
    assert f([1.0, 2.0]) == [4.0, 11.0]


def test_wrong_params_are_refused(backend: str) -> None:
    p, q = Value(2.0), Value(3.0)
    f = compile(lambda x: x * p - q, 1.0, backend=backend)
    for params in ([1.0], [1.0] * 3, []):
        with pytest.raises(ValueError, match=r"params must be .*2.*got"):
            f([1.0], params=params)
    for wrong in (["a", "b"], [1j, 2.0], [p, q]):
        with pytest.raises(TypeError, match="real number"):
            f([1.0], params=wrong)
    assert f([3.0], params=[True, 0.5]) == [2.5]  # a bool is a number


def test_calls_in_any_order_and_form_are_as_good() -> None:
    p, q = Value(2.0), Value(3.0)
    native_, python = (
        compile(lambda x, v: x * p - v[1] * q, 1.0, [0.0, 0.0], wrt=[p, q], backend=name)
        for name in BACKENDS
    )
    three = np.array([1.0, 2.0, -4.0]), np.array([[1.0, 0.5], [0.25, -1.0], [4.0, 3.0]])
    one = np.array(8.0), np.array([0.5, 0.25])
    batch_of_one = three[0][:1], three[1][:1]
    lists = three[0].tolist(), three[1].tolist()
    single = tuple(array.astype(np.float32) for array in three)
    turned = three[0][::-1], three[1][::-1]
    # All numbers are small multiples of 1/16, so all results are exact; 1/3 of them is not.
    for args in (three, three, turned, lists, three, one, batch_of_one, one, single, three):
        for params in (None, [5.0, 0.5], np.array([5.0, 0.5]), np.array([5, 1])):
            assert plain_list(native_(*args, params=params)) == plain_list(
                python(*args, params=params)
            )
            value, gradient = native_.value_and_grad(*args, params=params)
            wanted, by_p = python.value_and_grad(*args, params=params)
            # The division by 3 is a multiplication in vector code: 2 roundings, not 1.
            assert [value, *gradient] == pytest.approx([wanted, *by_p], rel=2 * 2**-52)
    for number in (4.0, 5, np.float64(6.0), np.float32(0.5)):
        p.data = number
        for args in (three, lists, three):
            p.grad = q.grad = 0.0
            assert native_.backward(*args) == pytest.approx(python.backward(*args), rel=2 * 2**-52)
            twice = [p.grad, q.grad]
            p.grad = q.grad = 1.0
            native_.backward(*args)
            once = [p.grad - 1.0, q.grad - 1.0]
            assert twice == pytest.approx([2 * g for g in once], rel=4 * 2**-52)
    for wrong in ((three[0], three[1][:2]), (three[0][:, None], three[1]), (three[0],)):
        with pytest.raises((TypeError, ValueError)):
            native_.backward(*wrong)
        with pytest.raises((TypeError, ValueError)):
            native_.value_and_grad(*wrong, params=np.array([5.0, 0.5]))


def plain_list(values: Any) -> Any:
    return values.tolist() if hasattr(values, "tolist") else values


def test_parameters_used_often_and_by_all_samples_alike(backend: str) -> None:
    weights = [Value(1.0 + i / 4) for i in range(6)]

    def f(x: Any) -> Any:
        penalty = autograd.sum([w * w for w in weights])
        return weights[0] * (x * weights[1] + weights[1]) + 0.5 * penalty

    each = compile(f, 1.0, reduce="sum", backend=backend)
    x = [1.0, -2.0, 3.0, 5.0]
    # All numbers here are small multiples of 2**-6, so all sums are exact in any order.
    value, gradient = each.value_and_grad(x)
    assert value == sum(f(number).data for number in x)
    total = autograd.sum([f(number) for number in x])
    total.backward()
    place = {w: i for i, w in enumerate(each.parameters)}
    assert [gradient[place[w]] for w in weights] == [w.grad for w in weights]
    assert each.backward(x) == value
    assert [w.grad for w in weights] == [2 * gradient[place[w]] for w in weights]
    alone = compile(lambda: autograd.sum([w * w for w in weights]), wrt=weights, backend=backend)
    assert alone.value_and_grad()[1] == [2 * w.data for w in weights]
    both = compile(
        lambda x: autograd.sum([w * w for w in weights]), 1.0, wrt=weights, backend=backend
    )
    assert both.value_and_grad(x)[1] == [2 * w.data for w in weights]


def test_backward_wants_parameters_and_a_reduction(backend: str) -> None:
    p = Value(2.0)
    for settings_ in ({"wrt": 0}, {"wrt": p, "reduce": None}):
        f = compile(lambda x: x * p, 1.0, backend=backend, **settings_)
        with pytest.raises(CompileError, match="backward needs parameters among wrt, and a reduc"):
            f.backward([1.0])


# Derivatives compiled.


@pytest.mark.long
def test_derivatives_of_functions_can_be_compiled(backend: str) -> None:
    p = Value(3.0)

    def f(v: list[Any]) -> Any:
        return v[0] ** 2 * v[1] * p

    def both(v: list[Any]) -> list[Any]:
        return [v[0] * v[1], 3.0 * v[0], v[1]]

    points, direction = [[3.0, 5.0], [1.0, -2.0]], [[1.0, 0.0], [2.0, 1.0]]
    for function, examples, args in (
        (grad(f), 1, (points,)),
        (jacobian(both), 1, (points,)),
        (hessian(f), 1, (points,)),
        (lambda v, t: hvp(f, (v,), (t,)), 2, (points, direction)),
        (lambda v, t: jvp(both, (v,), (t,)), 2, (points, direction)),
    ):
        each = compile(function, *[[0.0, 0.0]] * examples, backend=backend)
        found = each(*args)
        for i, sample in enumerate(zip(*args, strict=True)):
            wanted = plain(function(*sample))
            if isinstance(wanted, tuple):
                assert tuple(part[i] for part in found) == wanted
            else:
                assert found[i] == wanted


def plain(x: Any) -> Any:
    if isinstance(x, list | tuple):
        return type(x)(plain(each) for each in x)
    return x.data if isinstance(x, Value) else x


def test_a_list_has_no_gradient_but_a_jacobian() -> None:
    f = compile(lambda v: [v[0], v[1]], [0.0, 0.0])
    assert f([1.0, 2.0]) == [1.0, 2.0]
    message = r"only a single number has a gradient, and <lambda> returns a list of 2: .*jacobian"
    with pytest.raises(CompileError, match=message):
        f.value_and_grad([1.0, 2.0])


# Compiled is eager.


def eager(
    f: Callable[..., Any], parameters: Sequence[Value], samples: Iterator[Any], reduce: str
) -> tuple[float, list[float]]:
    """Return value and gradient of the loop over the samples."""
    for p in parameters:
        p.grad = 0.0
    each = [f(*sample) for sample in samples]
    total = mean(each) if reduce == "mean" else autograd.sum(each)
    total.backward()
    return total.data, [p.grad for p in parameters]


def assert_close(found: Sequence[float], wanted: Sequence[float], terms: int) -> None:
    """Compare gradients by the norm of their difference.

    Every result is wrong by 4 ulp at most (libmvec), the eager engine's by 1, and a sum of n
    terms by n more ulp of the sum of their sizes. The networks here have under 40 results in a
    row, none of which makes errors more than 8 times larger, at weights below 1 and inputs
    up to 4.
    """
    scale = math.hypot(*wanted) + 1.0
    assert math.dist(found, wanted) <= 8 * (5 * 40 + terms) * 2.0**-52 * scale


@pytest.mark.long
@pytest.mark.parametrize("exact", [True, False])
@settings(max_examples=10, deadline=None)
@given(model=mlps(), data=st.data())
def test_networks_are_as_in_the_eager_loop(exact: bool, model: MLP, data: st.DataObject) -> None:
    inputs = len(model.layers[0].neurons[0].w)
    samples = data.draw(datasets(inputs=inputs))
    reduce = data.draw(st.sampled_from(["mean", "sum"]))
    targets = [0.0] * len(model.layers[-1].neurons)

    def loss(x: list[Any], y: Any) -> Any:
        out = model(x)
        return squared_error(out, [y] * len(targets) if isinstance(out, list) else y)

    f = compile(loss, [0.0] * inputs, 0.0, wrt=model, reduce=reduce, exact=exact, backend="llvm")
    pairs = list(zip(samples.X, samples.y, strict=True))
    value, gradient = eager(loss, model.parameters(), iter(pairs), reduce)
    found, by_weights = f.value_and_grad(np.array(samples.X), np.array(samples.y))
    if exact:
        assert found == value
        assert by_weights.tolist() == gradient
        python = compile(loss, [0.0] * inputs, 0.0, wrt=model, reduce=reduce, backend="python")
        assert python.value_and_grad(samples.X, samples.y) == (value, gradient)
    else:
        assert_close([found, *by_weights], [value, *gradient], len(pairs))


@settings(max_examples=6, deadline=None)
@given(expressions())
@pytest.mark.long
def test_random_graphs_are_as_in_the_eager_engine(program: Any) -> None:
    arguments = list(range(len(program.inputs)))
    *_, out = results = program.values()
    out.backward()
    wanted = (out.data, tuple(leaf.grad for leaf in results[: len(arguments)]))
    for backend in BACKENDS:
        f = compile(program, *program.inputs, wrt=arguments, exact=True, backend=backend)
        assert f(*program.inputs) == out.data
        assert f.value_and_grad(*program.inputs) == wanted


ALL_ACTIVATIONS = (*ACTIVATIONS, "gelu", "silu", "leaky_relu", "elu", "sin", "abs")


@pytest.fixture(scope="module")
def every_activation() -> tuple[Callable[..., Any], list[Value]]:
    """Return a loss in which each weight is used several times, through every activation."""
    source = random.Random(3)
    weights = [Value(source.gauss(0, 1), f"w{i}") for i in range(8)]

    def loss(x: list[Any], y: Any) -> Any:
        hidden = []
        for i, name in enumerate(ALL_ACTIVATIONS):
            net = dot(weights[:2], x, weights[i % 8]) + weights[3] * y
            hidden.append(getattr(autograd, name)(net) * weights[(i + 5) % 8])
        far = autograd.hypot(hidden[0], hidden[1] + weights[6]) + weights[6] ** 2
        return logsumexp(hidden) * far + 0.01 * autograd.sum([w * w for w in weights])

    return loss, weights


@pytest.mark.parametrize("reduce", ["mean", "sum"])
@pytest.mark.long
def test_exact_is_the_eager_loop_to_the_bit(reduce: str, every_activation: Any) -> None:
    loss, weights = every_activation
    rng = np.random.default_rng(4)
    x, y = rng.normal(size=(37, 2)), rng.normal(size=37)
    pairs = list(zip(x.tolist(), y.tolist(), strict=True))
    f = compile(loss, [0.0, 0.0], 0.0, wrt=weights, reduce=reduce, exact=True, backend="llvm")
    value, gradient = eager(loss, weights, iter(pairs), reduce)
    found, by_weights = f.value_and_grad(x, y)
    assert (found, by_weights.tolist()) == (value, gradient)
    assert f(x, y).tolist() == [loss(*pair).data for pair in pairs]
    # On top of what is there, as backward does.
    again = mean([loss(*pair) for pair in pairs])
    if reduce == "sum":
        again = autograd.sum([loss(*pair) for pair in pairs])
    again.backward()
    wanted = [w.grad for w in weights]
    for w, g in zip(weights, gradient, strict=True):
        w.grad = g
    assert f.backward(x, y) == value
    assert [w.grad for w in weights] == wanted
    python = compile(loss, [0.0, 0.0], 0.0, wrt=weights, reduce=reduce, backend="python")
    assert python.value_and_grad(x.tolist(), y.tolist()) == (value, gradient)


@pytest.mark.long
def test_as_vectors_it_is_the_eager_loop_within_libmvecs_error(every_activation: Any) -> None:
    loss, weights = every_activation
    rng = np.random.default_rng(5)
    x, y = rng.normal(size=(101, 2)), rng.normal(size=101)
    pairs = list(zip(x.tolist(), y.tolist(), strict=True))
    f = compile(loss, [0.0, 0.0], 0.0, wrt=weights, backend="llvm")
    value, gradient = eager(loss, weights, iter(pairs), "mean")
    found, by_weights = f.value_and_grad(x, y)
    assert_close([found, *by_weights], [value, *gradient], 101)
    for w in weights:
        w.grad = 1.0
    assert f.backward(x, y) == found
    assert [w.grad for w in weights] == (1.0 + by_weights).tolist()


def test_moving_arguments_are_as_in_the_eager_loop(backend: str) -> None:
    w = Value(0.7)

    def f(x: Any, v: list[Any]) -> Any:
        return tanh(x * w) * sin(v[0]) + x * v[1]

    rng = np.random.default_rng(6)
    x, v = rng.normal(size=11), rng.normal(size=(11, 2))
    each = compile(f, 0.0, [0.0, 0.0], wrt=[0, 1, w], exact=True, backend=backend)
    value, (by_x, by_v, by_w) = each.value_and_grad(x, v)
    leaves = [(Value(a), [Value(b), Value(c)]) for a, (b, c) in zip(x, v, strict=True)]
    total, gradient = eager(f, [w], iter(leaves), "mean")
    assert value == total
    assert by_x.tolist() == [a.grad for a, _ in leaves]
    assert by_v.tolist() == [[b.grad for b in row] for _, row in leaves]
    assert by_w.tolist() == gradient


def test_after_what_eager_refuses_it_is_ieee(backend: str) -> None:
    f = compile(lambda x: autograd.log(x) / x, 1.0, reduce=None, backend=backend)
    values = f([0.0, -1.0, math.inf, math.nan])
    assert values[0] == -math.inf
    assert [x != x for x in values] == [False, True, True, True]


# What is refused.


def refused(f: Callable[..., Any], *example: Any) -> str:
    with pytest.raises(CompileError) as caught:
        compile(f, *example)
    return str(caught.value)


def line_of(f: Callable[..., Any], offset: int = 1) -> str:
    """Return file and line in a function, as messages say it."""
    return f"{f.__code__.co_filename}:{f.__code__.co_firstlineno + offset}: "


def test_what_decides_by_a_number_is_refused_with_file_and_line() -> None:
    def by_if(x: Any) -> Any:
        if x:
            return x
        return -x

    def by_comparison(x: Any) -> Any:
        return x if x < 3.0 else -x

    def by_float(x: Any) -> Any:
        return x * float(x)

    def by_math(x: Any) -> Any:
        return x * math.exp(x)

    def by_max(x: Any) -> Any:
        return max(x, 0.0)

    def by_min(x: Any) -> Any:
        return min([x * 2, x])

    def by_not(x: Any) -> Any:
        return x * (not x)

    def by_sort(x: Any) -> Any:
        return sorted([x, x + 1.0])[0]

    for f, asked in (
        (by_if, "if"),
        (by_comparison, "<"),
        (by_float, "float()"),
        (by_math, "float()"),
        (by_max, "<"),  # as max asks it: 0.0 > x
        (by_min, "<"),
        (by_not, "if"),
        (by_sort, "<"),
    ):
        message = refused(f, 1.0)
        assert message.startswith(f"{line_of(f)}{asked} of a recorded value"), message
        assert "write where(c, a, b), maximum or minimum" in message
    # Afterwards, numbers decide again.
    assert by_if(Value(1.0)).data == 1.0


def test_a_line_inside_of_what_is_called_is_named() -> None:
    def rectified(x: Any) -> Any:
        return x if x > 0 else 0.0

    assert refused(lambda x: rectified(x * 2), 1.0).startswith(line_of(rectified))


def test_drawing_numbers_is_refused() -> None:
    source = random.Random(0)
    counter = iter(range(10))
    fresh = [0.0]

    def growing(x: Any) -> Any:
        fresh.append(1.0)
        return [x] * len(fresh)

    for f, said in (
        (lambda x: x * source.random(), "draws random numbers"),
        (lambda x: x * next(counter), "each time it is run, and finds how far .* through counter:"),
        (growing, "each time it is run, and finds what an earlier run has left in fresh:"),
    ):
        assert re.match(rf"{re.escape(__file__)}:\d+: .*{said}", refused(f, 1.0))


@pytest.mark.parametrize("seed", range(4))
def test_a_dropout_in_training_is_refused_whatever_it_draws(seed: int) -> None:
    # Of two inputs, two masks are mostly the same.
    model = Sequential(MLP(2, [2], seed=0), Dropout(0.1, seed=seed))
    with pytest.raises(CompileError, match=r"a Dropout in training .* call model\.eval\(\) before"):
        compile(lambda v: model(v)[0], [0.0, 0.0])
    model.eval()
    f = compile(lambda v: model(v)[0], [0.0, 0.0])
    assert f([0.5, 1.0]) == model([0.5, 1.0])[0].data


def test_rows_that_no_target_can_spell_are_refused_by_name() -> None:
    opaque = Op("gamma_of", lambda x: math.gamma(float(x)), (lambda y, x: y,))
    own = Op("cube_root", primitive(math.cbrt), (lambda y, x: y / (3 * x),))
    outer = Op("twice_the_root", lambda x: 2 * own(x), (lambda y, x: y / (3 * x),))
    for op, name, what in (
        (opaque, "gamma_of", "opaque Python"),
        (own, "cube_root", "a primitive of your own"),
        (outer, "cube_root", "a primitive of your own"),
    ):
        message = refused(lambda x, op=op: op(x) * 2.0, 1.0)
        assert message.startswith(f"{name} can't be compiled: its forward is {what}")
        assert "write it as a formula over rows of the table" in message
    # Of constants alone it is a constant.
    assert compile(lambda x: x * own(8.0), 1.0)(2.0) == 4.0


def test_a_formula_of_ones_own_is_compiled_by_its_own_rule(backend: str) -> None:
    # The same program of the values, but another derivative: it must not come from the cache.
    gradients = []
    for slope in (1.0, 5.0):
        op = Op("straight", lambda x: x * 2.0 + 1.0, (lambda y, x, slope=slope: slope,))
        f = compile(op, 1.0, reduce="sum", backend=backend)
        assert f([3.0, 4.0]) == [7.0, 9.0]
        gradients.append(f.value_and_grad([3.0, 4.0])[1])
    assert gradients == [[1.0, 1.0], [5.0, 5.0]]


@pytest.mark.parametrize(
    ("args", "error", "message"),
    [
        ((X,), TypeError, r"product takes 2 argument\(s\), got 1"),
        ((X, W, X), TypeError, r"product takes 2 argument\(s\), got 3"),
        ((X, W[:2]), ValueError, "argument 1 of product has 2 samples, others 3"),
        (
            (X, [[1.0], [2.0], [3.0]]),
            ValueError,
            "argument 1 of product is a list of 1, where it was compiled for 2, and product fails",
        ),
        ((X, X), ValueError, r"argument 1 of product has shape \(3,\): give \(n, 2\), n samples"),
        ((W, W), ValueError, r"argument 0 of product has shape \(3, 2\): give \(n,\), n samples"),
        ((2.0, W), ValueError, r"argument 0 of product has shape \(\): give \(n,\)"),
        ((2.0, [1.0, 2.0, 3.0]), ValueError, r"a list of 3.* for 2, .* makes no use of x1\[2\]"),
        ((2.0, np.ones(3)), ValueError, r"shape \(3,\): give \(n, 2\), .* or \(2,\) for one"),
        ((X, [[1.0, 2.0], [3.0], [4.0, 5.0]]), ValueError, "a list of 1, .* product fails for"),
        ((X, [[1.0, 2.0], 3.0, [4.0, 5.0]]), ValueError, "argument 1 of product is ragged"),
        (([1.0, [2.0], 3.0], W), ValueError, "argument 0 of product is ragged"),
        (([1.0, "2", 3.0], W), TypeError, "argument 0 of product: expected a real number, got '2'"),
        (([1.0, 2j, 3.0], W), TypeError, "argument 0 of product: expected a real .* got 2j"),
        ((X, [["a", 1.0]] * 3), TypeError, "argument 1 of product: expected a real .* got 'a'"),
        (([1.0, None, 3.0], W), TypeError, "argument 0 of product: expected a real .* got None"),
        (([Value(1.0)] * 3, W), TypeError, r"argument 0 of product: expected .*\.data for its"),
        ((np.array([True] * 3), W), TypeError, "argument 0 of product holds bool: give an array"),
        ((np.array([1j] * 3), W), TypeError, "argument 0 of product holds complex128"),
        ((np.array(X, object), W), TypeError, "argument 0 of product holds object"),
        ((np.array(["a"] * 3), W), TypeError, "argument 0 of product holds <U1"),
        ((np.array(X), [[None, 1.0]] * 3), TypeError, "argument 1 of product: expected a real num"),
        ((np.array(X), [[1.0], [1.0, 2.0]]), ValueError, "argument 1 of product is ragged"),
        ((np.array(X), np.array(W).T), ValueError, r"argument 1 .* shape \(2, 3\): give \(n, 2\)"),
        ((np.array(X), np.array(W)[:2]), ValueError, "argument 1 of product has 2 samples"),
        ((np.array([X]), np.array(W)), ValueError, r"argument 0 of product has shape \(1, 3\)"),
    ],
)
def test_wrong_arguments_are_named(
    args: Any, error: type[Exception], message: str, products: Any, backend: str
) -> None:
    f = products[backend]
    for call in (f, f.value_and_grad):
        with pytest.raises(error, match=message):
            call(*args)


def test_a_table_of_pandas_is_named(products: Any, backend: str) -> None:
    table = pytest.importorskip("pandas").DataFrame(W)
    assert list(products[backend](X, table.to_numpy())) == list(products[backend](X, W))
    with pytest.raises(TypeError, match=r"argument 1 of product is a DataFrame: .* its .to_numpy"):
        products[backend](X, table)


@pytest.mark.parametrize("copied", [pickle.dumps, copy.deepcopy])
def test_what_is_compiled_stays_in_its_process(copied: Any, products: Any, backend: str) -> None:
    with pytest.raises(TypeError, match=r"compiled product.* can't be pickled or copied: compile"):
        copied(products[backend])


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: compile(3.0, 1.0), TypeError, r"compile takes a function: got 3\.0"),
        (lambda: compile(abs, 1.0, reduce="max"), ValueError, "reduce must be .* got 'max'"),
        (lambda: compile(abs, 1.0, backend="c"), ValueError, "backend must be .* got 'c'"),
        (lambda: compile(abs, [[1.0]]), TypeError, "expected a real number"),
        (lambda: compile(abs, np.ones((2, 2))), TypeError, r"argument 0 of abs .* shape \(2, 2\)"),
        (lambda: compile(abs, "x"), TypeError, "expected a real number, got 'x'"),
        (lambda: compile(abs, "1"), TypeError, "expected a real number, got '1'"),
        (lambda: compile(lambda x: None, 1.0), TypeError, "<lambda> must return numbers, or list"),
        (lambda: compile(lambda x: [[x], x], 1.0), TypeError, "returned lists of different lengt"),
        (lambda: compile(lambda x: [x, [x]], 1.0), TypeError, "returned lists of different lengt"),
        (
            lambda: compile(jacobian(lambda a, x: [a * x[0]], (0, 1)), 1.0, [1.0]),
            TypeError,
            r"rows of one length.*, compile one for each argument: argnums=0, argnums=1",
        ),
        (lambda: compile(lambda x: {"y": x}, 1.0), TypeError, "<lambda> must return numbers"),
        (lambda: compile(lambda x: "1", 1.0), TypeError, "<lambda> must return numbers"),
    ],
)
def test_what_can_not_be_compiled_is_refused(
    call: Callable[[], Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        call()


@pytest.mark.parametrize("missing", ["llvmlite", "numpy"])
def test_without_a_library_the_extra_is_named_and_python_serves(
    missing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compilation, "find_spec", lambda name: None if name == missing else name)
    with pytest.raises(MissingExtraError, match=rf"needs {missing}, .*'chainrule\[fast\]'"):
        compile(product, 1.0, [0.0, 0.0], backend="llvm")
    f = compile(product, 1.0, [0.0, 0.0], reduce="sum")
    assert f.backend == "python"
    assert f.value_and_grad(X, W) == (sum(VALUES), (BY_X, BY_W))


def test_a_broken_llvmlite_is_a_missing_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    from autograd.compiler import machine

    monkeypatch.setitem(sys.modules, "llvmlite.binding", None)
    monkeypatch.setitem(sys.modules, "llvmlite", None)
    with pytest.raises(MissingExtraError, match=r"needs llvmlite, .*'chainrule\[fast\]'"):
        machine.llvm()


def test_the_python_back_end_needs_no_numpy(monkeypatch: pytest.MonkeyPatch) -> None:
    real_import = builtins.__import__

    def without(name: str, *args: Any, **kwargs: Any) -> Any:
        if name.split(".")[0] in ("numpy", "llvmlite"):
            raise ImportError(name)
        return real_import(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    monkeypatch.delitem(sys.modules, "numpy")
    w = Value(2.0)
    f = compile(lambda x: [x * w, x][0], 1.0, wrt=[0, w], backend="python")
    assert f([1.0, 3.0]) == [2.0, 6.0]
    assert f.value_and_grad([1.0, 3.0]) == (4.0, ([1.0, 1.0], [2.0]))
    assert f.backward([1.0, 3.0]) == 4.0
    assert f([1.0], params=[5.0]) == [5.0]


# Threads, and what is left behind.


def test_threads_may_call_one_kernel_at_once(every_activation: Any) -> None:
    loss, weights = every_activation
    f = compile(loss, [0.0, 0.0], 0.0, wrt=weights, backend="llvm")
    rng = np.random.default_rng(7)
    batches = [(rng.normal(size=(n, 2)), rng.normal(size=n)) for n in (1, 5, 40, 300, 3000)]
    wanted = [f.value_and_grad(*batch) for batch in batches]
    start = threading.Barrier(4)
    wrong: list[Any] = []

    def work(first: int) -> None:
        start.wait()
        for k in range(40):
            i = (first + k) % len(batches)
            value, gradient = f.value_and_grad(*batches[i])
            if value != wanted[i][0] or not np.array_equal(gradient, wanted[i][1]):
                wrong.append((i, value, wanted[i][0]))

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_threads_may_be_the_first_to_call_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    f = compile(lambda x: exp(x) * 3.0, 1.0, backend="llvm")
    made = []
    load = native._loaded
    monkeypatch.setattr(native, "_loaded", lambda *given: made.append(1) or load(*given))
    start = threading.Barrier(4)
    results = []

    def work() -> None:
        start.wait()
        results.append(f(np.zeros(5)).tolist())

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [[3.0] * 5] * 4
    assert len(made) == 1


def test_a_batch_in_parts_is_the_sum_of_its_samples(monkeypatch: pytest.MonkeyPatch) -> None:
    w = Value(0.5)
    f = compile(lambda x: (relu(x) * w, x * w), 1.0, wrt=[0, w], reduce="sum", backend="llvm")
    # Multiples of 1/8 below 2**20: all sums are exact, whatever their order.
    x = np.arange(-5000, 5003) / 8
    whole = f.value_and_grad(x)
    monkeypatch.setattr(native, "WORTH_A_THREAD", 100)
    monkeypatch.setattr(native, "WORTH_A_SUM", 1)
    for helpers in (0, 1, 2):
        monkeypatch.setattr(crew, "_crew", crew._Crew(helpers))
        for n in (1, 40, 999, len(x)):
            (value, each), (by_x, by_w) = f.value_and_grad(x[:n])
            assert value == np.maximum(x[:n], 0).sum() / 2
            assert each.tolist() == (x[:n] / 2).tolist()
            assert by_w.tolist() == [np.maximum(x[:n], 0).sum()]
            assert by_x.tolist() == (0.5 * (x[:n] > 0)).tolist()
    assert f.value_and_grad(x)[0][0] == whole[0][0]


def test_parts_are_worth_their_sums(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(native, "WORTH_A_THREAD", 1)
    w = [Value(0.1) for _ in range(40)]
    gradient = compile(lambda x: dot(w, x) ** 2, [0.0] * 40)._code.native_gradient
    # About 80 operations for 41 sums, of which each part needs 400 for each.
    assert [gradient.parts(n) for n in (2, 100, 100_000)] == [1, 1, native.MOST_PARTS]


def test_samples_of_one_part_are_done_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Parts begin at a multiple of 64, and where only one of them has any, there is but one."""
    monkeypatch.setattr(native, "WORTH_A_THREAD", 1)
    monkeypatch.setattr(native, "WORTH_A_SUM", 1)
    for dtype in ("float64", "float32"):
        w = Value(2.0)
        gradient = compile(lambda x, w=w: (w * x) ** 2, 1.0, wrt=w, dtype=dtype)._code
        parts = gradient.native_gradient.parts
        assert (parts(1), parts(64)) == (1, 1)
        assert parts(128) > 1


def test_parts_share_what_they_work_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """There is memory for as many as work at once, which stays in their caches."""
    monkeypatch.setattr(native.NativeFunction, "parts", lambda self, n: native.MOST_PARTS)
    for helpers in (0, 2):
        monkeypatch.setattr(crew, "_crew", crew._Crew(helpers))
        w = Value(2.0)
        f = compile(lambda x, w=w: (w * x) ** 2, 1.0, wrt=w, reduce="sum")
        x = np.arange(2000.0) % 7
        for _ in range(3):
            value, slopes = f.value_and_grad(x)
            assert (value, list(slopes)) == (4 * (x @ x), [4 * (x @ x)])
        (frame,) = f._code.native_gradient._frames
        assert len(frame.parts) == native.MOST_PARTS
        assert 1 <= len(frame.spare) <= 1 + helpers


def test_few_samples_are_fewer_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    w = Value(math.inf)
    f = compile(lambda x: w, 1.0, wrt=w, reduce="sum", backend="llvm")
    monkeypatch.setattr(native.NativeFunction, "parts", lambda self, n: 4)
    # No samples times infinity were NaN.
    for n in (1, 31, 33, 100):
        assert f.value_and_grad(np.ones(n))[0] == math.inf


def test_an_interrupt_drops_what_nobody_has_begun(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crew, "_crew", crew._Crew(1))
    begun: list[str] = []
    helped, interrupted, over = (threading.Event() for _ in range(3))

    def call() -> None:
        begun.append(threading.current_thread().name)
        if begun[-1] == "chainrule-1":
            helped.set()
            assert interrupted.wait(30)
        else:
            assert helped.wait(30)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        crew.call_all([call] * 5, kept=None)
    interrupted.set()
    crew._crew.jobs.put((over.set, None))
    assert over.wait(30)
    assert sorted(begun) == ["MainThread", "chainrule-1"]


def test_without_threads_a_caller_does_all(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: object) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(crew, "_crew", crew._Crew(2))
    monkeypatch.setattr(threading.Thread, "start", fail)
    done: list[int] = []
    crew.call_all([lambda: done.append(1)] * 3, kept=None)
    assert len(done) == 3
    assert crew._crew.jobs.empty()


@pytest.mark.long
def test_code_lives_as_long_as_who_may_call_it() -> None:
    f = compile(lambda x: 3.0 * x, 1.0, backend="llvm")
    call: Any = f._code.native_values.made().call
    code = weakref.ref(call.engine)
    del f
    gc.collect()
    assert code() is not None
    del call
    gc.collect()
    assert code() is None


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.long
def test_threads_come_anew_in_a_fork() -> None:
    code = """if True:
        import os, threading
        import numpy as np
        from autograd import compile
        from autograd.compiler import crew, native
        native.WORTH_A_THREAD, native.WORTH_A_SUM, crew._processors = 100, 1, lambda: 2
        crew._assemble()
        f = compile(lambda x: 2.0 * x, 1.0, reduce="sum")
        x = np.ones(1000)
        helpers = lambda: sum(t.name.startswith("chainrule") for t in threading.enumerate())
        assert (helpers(), f.value_and_grad(x)[0], helpers()) == (0, 2000.0, 1)
        child = os.fork()
        if not child:
            os._exit((helpers(), f.value_and_grad(x)[0], helpers()) != (0, 2000.0, 1))
        assert os.waitpid(child, 0)[1] == 0
    """
    subprocess.run([sys.executable, "-W", "ignore", "-c", code], check=True, timeout=60)


def resident() -> int:
    """Return the bytes of memory that this process occupies."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def growth(cycles: int) -> int:
    """Return by how many bytes the process grows, in the later half of some cycles."""

    def cycle(i: int) -> None:
        f = compile(lambda x, w: tanh(w * x) + i % 4, 1.0, 1.0, exact=True, backend="llvm")
        f(x, x)

    x = np.ones(3)
    for i in range(cycles // 2):
        cycle(i)
    gc.collect()
    before = resident()
    for i in range(cycles // 2):
        cycle(i)
    gc.collect()
    return resident() - before


linux = pytest.mark.skipif(sys.platform != "linux", reason="asks /proc how large the process is")


@pytest.mark.long
@linux
@pytest.mark.parametrize(("cache", "cycles"), [("", 400), ("off", 100)])
def test_compiled_functions_are_freed(
    cache: str, cycles: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    if cache:
        monkeypatch.setenv("CHAINRULE_CACHE", cache)
    # A kernel's code and LLVM's own records take more than 20 kB: kept, they would show.
    assert growth(cycles) < cycles // 2 * 5_000


@linux
@pytest.mark.slow
@pytest.mark.parametrize("cache", ["", "off"])
def test_ten_thousand_compiled_functions_are_freed(
    cache: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if cache:
        monkeypatch.setenv("CHAINRULE_CACHE", cache)
    # 200 bytes each: less than the smallest thing that could be forgotten, a Python object
    # with its dictionary; 5,000 of them are 1 MB, which the allocators may keep in their hands.
    assert growth(10_000) < 5_000 * 200


# How it shows itself.


def test_a_compiled_function_says_what_it_is() -> None:
    model = MLP(2, [1], seed=0)

    def cost(x: list[Any], y: Any) -> Any:
        return hinge(model(x), y)

    f = compile(cost, [0.0, 0.0], 1.0, wrt=model, backend="python")
    assert repr(f) == "<compiled cost: python, 2 argument(s), 3 parameters>"
    assert str(f.program).startswith("program of 3 inputs, 3 parameters:\n  v6 = dot(v3, v4, ")
    assert f.parameters == model.parameters()
    g = compile(cost, [0.0, 0.0], 1.0, wrt=model, backend="llvm")
    assert "define void @run(ptr %args)" in g.source("llvm")
    assert "def program(" in g.source()
    curvature = compile(hessian(lambda v: v[0] * v[0] * v[1]), [0.0, 0.0], backend="llvm")
    assert "return v2, v3, v3, 0.0" in curvature.source()
    assert "define void @run(ptr %args)" in curvature.source("llvm")


def test_where_is_what_the_message_recommends(backend: str) -> None:
    f = compile(lambda x: where(x - 3.0, x, -x), 1.0, reduce="sum", backend=backend)
    assert f([1.0, 5.0]) == [-1.0, 5.0]
    assert f.value_and_grad([1.0, 5.0]) == (4.0, [-1.0, 1.0])


# Memory that is read where it is.


def test_an_arrays_memory_is_asked_for_at_every_call() -> None:
    p = Value(1.0)
    f = compile(lambda x: x * p, 1.0, wrt=p, backend="llvm")

    def after_five_calls(change: Callable[[Any], None]) -> Any:
        a = np.arange(100.0)
        for _ in range(5):
            f.backward(a)
        change(a)
        return f.backward(a), a.mean()

    def elsewhere(a: Any) -> None:
        a.resize(5000, refcheck=False)
        a.resize(100, refcheck=False)
        a[:] = 7.0

    def another_dtype(a: Any) -> None:
        a.dtype = np.int64
        a[:] = 3

    def another_shape(a: Any) -> None:
        a.shape = (100, 1)

    assert after_five_calls(elsewhere) == (7.0, 7.0)
    with warnings.catch_warnings():  # NumPy would like nobody to do this any more
        warnings.simplefilter("ignore", DeprecationWarning)
        assert after_five_calls(lambda a: setattr(a, "strides", (0,))) == (0.0, 0.0)
        assert after_five_calls(another_dtype) == (3.0, 3.0)
        with pytest.raises(ValueError, match="shape"):
            after_five_calls(another_shape)
    assert f.backward(np.full(100, 2.0)) == 2.0


def test_params_are_asked_for_at_every_call_too() -> None:
    p = Value(1.0)
    f = compile(lambda x: x * p, 1.0, wrt=p, backend="llvm")
    a, params = np.ones(4), np.array([2.0])
    for _ in range(5):
        f.value_and_grad(a, params=params)
    params.resize(3000, refcheck=False)
    params.resize(1, refcheck=False)
    params[:] = 5.0
    assert f.value_and_grad(a, params=params)[0] == 5.0


@pytest.mark.parametrize("exact", [False, True])
def test_gradients_are_added_all_or_none(backend: str, exact: bool) -> None:
    p, q = Value(1.0), Value(2.0)
    f = compile(lambda x: x * p + q * x, 1.0, wrt=[p, q], backend=backend, exact=exact)
    x: Any
    for x in (np.ones(3), np.ones(3), [1.0] * 3):
        f.backward(x)
        p.grad, q.grad = 1.0, "x"  # type: ignore[assignment]
        with pytest.raises(TypeError):
            f.backward(x)
        assert (p.grad, q.grad) == (1.0, "x")
        q.grad, p.grad = np.float32(0.5), 2  # other numbers become floats
        f.backward(x)
        assert (p.grad, q.grad, type(p.grad), type(q.grad)) == (3.0, 1.5, float, float)
        p.data = "x"  # type: ignore[assignment]
        with pytest.raises((TypeError, struct.error)):
            f.backward(x)
        assert (p.grad, q.grad) == (3.0, 1.5)
        p.data = 1.0


def test_none_is_refused_at_every_call(backend: str) -> None:
    p = Value(1.0)
    f = compile(lambda x: x * p, 1.0, wrt=p, backend=backend)
    for _ in range(3):
        with pytest.raises(TypeError, match=r"argument 0 .* got None"):
            f.backward(None)
        f.backward(np.ones(3))


@pytest.mark.long
def test_exact_gradients_have_the_sign_of_zero_that_backward_has(backend: str) -> None:
    f = compile(lambda x: -relu(x), 0.0, exact=True, backend=backend)
    assert math.copysign(1.0, f.value_and_grad(-1.0)[1]) == 1.0
    leaves = [Value(x) for x in (-1.0, 0.0, 2.0)]
    for seed in range(60):
        rows = [relu, tanh, lambda v: -v, lambda v: v * 0.0, autograd.abs, autograd.sign]

        def h(v: list[Any], seed: int = seed, rows: Any = rows) -> Any:
            v, picks = list(v), random.Random(seed)
            for _ in range(6):
                row = rows[picks.randrange(len(rows))]
                v.append(row(v[picks.randrange(len(v))]) * v[picks.randrange(len(v))])
            return v[-1] + v[-2]

        for leaf in leaves:
            leaf.grad = 0.0
        h(leaves).backward()
        compiled_ = compile(h, [0.0] * 3, wrt=0, exact=True, backend=backend)
        _, gradient = compiled_.value_and_grad([-1.0, 0.0, 2.0])
        assert list(map(bits, gradient)) == [bits(leaf.grad) for leaf in leaves]


@pytest.mark.long
@pytest.mark.skipif(not hasattr(os, "fork"), reason="no processes are forked here")
def test_a_fork_while_another_thread_compiles_can_compile() -> None:
    code = """if True:
        import os, signal, threading, warnings
        import numpy as np
        from autograd import compile, tanh
        warnings.simplefilter("ignore", DeprecationWarning)  # Python 3.12: of forks with threads
        def chain(k):
            def f(v):
                s = v[0]
                for i in range(60):
                    s = tanh(s * 1.01 + v[i % 3] * (k + i))
                return s
            return f
        stop = False
        started = threading.Event()
        def work():
            k = 0
            while not stop:
                k += 1
                compile(chain(k), [0.0] * 3).value_and_grad(np.ones((4, 3)))
                started.set()
        thread = threading.Thread(target=work)
        thread.start()
        started.wait()
        codes = []
        for i in range(6):
            child = os.fork()
            if not child:
                signal.alarm(60)
                value, _ = compile(lambda x: x * x * float(i), 1.0).value_and_grad(np.ones(3))
                os._exit(0 if value == i else 1)
            codes.append(os.waitpid(child, 0)[1])
        stop = True
        thread.join()
        print(codes)
    """
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"CHAINRULE_CACHE": "off"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "[0, 0, 0, 0, 0, 0]"


@pytest.mark.long
def test_installed_as_byte_code_it_compiles(tmp_path: Path) -> None:
    package = Path(autograd.__file__).parent
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(package, tmp_path / "autograd", ignore=ignored)
    compileall.compile_dir(tmp_path, quiet=1, legacy=True)
    for path in tmp_path.rglob("*.py"):
        path.unlink()
    code = "import autograd; print(autograd.compile(lambda x: x * x, 1.0)(3.0))"
    for _ in range(2):
        done = subprocess.run(
            [sys.executable, "-c", code],
            cwd=tmp_path,
            env=os.environ | {"CHAINRULE_CACHE": str(tmp_path / "cache"), "PYTHONPATH": ""},
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout.strip() == "9.0"
    # What was recorded, and the machine code: the second process has found both.
    assert len(list((tmp_path / "cache").iterdir())) == 2


def test_a_mask_is_not_overlooked() -> None:
    f = compile(lambda x: x * 2.0, 1.0)
    numbers = np.ma.masked_array([1.0, 2.0], mask=[False, True])
    with pytest.raises(TypeError, match="argument 0 of <lambda> is masked"):
        f(numbers)
    assert f(np.ma.masked_array([1.0, 2.0])).tolist() == [2.0, 4.0]
    assert f(numbers.filled(0.0)).tolist() == [2.0, 0.0]
