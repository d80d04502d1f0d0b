"""JAX and PyTorch as back ends: called as machine code is, with the same results."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from autograd import CompileError, Value, compile, exp, hessian, jacobian, log, take, tanh
from nn import MLP
from nn.losses import binary_cross_entropy_with_logits as cross_entropy

numpy = pytest.importorskip("numpy")

pytestmark = pytest.mark.peer

CLOSE = {"rtol": 1e-12, "atol": 1e-12}
"""Their functions are within 4 ulp, their sums in another order: 1e-12 is 4,500 ulp."""


@pytest.fixture(params=["jax", "torch"])
def library(request: pytest.FixtureRequest) -> str:
    name = str(request.param)
    pytest.importorskip(name, exc_type=ImportError)
    return name


def both(f: Callable[..., Any], *example: Any, library: str, **options: Any) -> tuple[Any, Any]:
    return tuple(compile(f, *example, backend=b, **options) for b in (library, "python"))  # type: ignore[return-value]


@pytest.mark.parametrize("reduce", ["mean", "sum", None])
def test_values_and_gradients_are_those_of_python(library: str, reduce: str | None) -> None:
    model = MLP(2, [3, 1], seed=0)

    def loss(x: Any, y: Any) -> Any:
        return cross_entropy(model(x), y)

    f, g = both(loss, [0.0, 0.0], 1.0, wrt=[0, model], reduce=reduce, library=library)
    assert f.backend == library
    assert library in repr(f)
    rng = numpy.random.default_rng(0)
    for n in (0, 1, 7):
        x, y = rng.normal(size=(n, 2)), (rng.random(n) > 0.5) * 1.0
        numpy.testing.assert_allclose(f(x, y), g(x, y), **CLOSE)
        for params in (None, rng.normal(size=len(f.parameters))):
            value, (dx, dp) = f.value_and_grad(x, y, params=params)
            right, (ex, ep) = g.value_and_grad(x, y, params=params)
            assert type(dx) is type(dp) is numpy.ndarray
            for one, other in ((value, right), (dx, ex), (dp, ep)):
                assert numpy.shape(one) == numpy.shape(other)
                numpy.testing.assert_allclose(one, other, **CLOSE)


def test_lists_in_are_lists_out_and_backward_adds(library: str) -> None:
    w = Value(2.0, "w")
    f = compile(lambda x: (w * x) ** 2, 1.0, wrt=w, backend=library)
    assert f([1.0, 3.0]) == [4.0, 36.0]
    assert f.value_and_grad([1.0, 3.0]) == (20.0, [20.0])
    assert f.value_and_grad(3.0) == (36.0, [36.0])
    assert f.backward([1.0, 3.0]) == 20.0
    f.backward([1.0, 3.0])
    assert w.grad == 40.0
    w.data = 1.0
    assert f(3.0) == 9.0


def test_lists_tuples_and_plain_numbers_are_returned(library: str) -> None:
    f, g = both(lambda x: ([x[0] * x[1], 1.0], exp(x[0])), [0.0, 0.0], library=library)
    x = numpy.array([[1.0, 2.0], [0.5, 3.0], [0.0, -1.0]])
    for one, other in zip(f(x), g(x), strict=True):
        numpy.testing.assert_allclose(one, other, **CLOSE)
    for one, other in zip(f.reduced(x), g.reduced(x), strict=True):
        numpy.testing.assert_allclose(one, other, **CLOSE)


def test_other_lengths_and_choices(library: str) -> None:
    table = [Value(1.0), Value(2.0), Value(4.0)]
    f = compile(
        lambda word: sum(take(table, i) for i in word),
        [0, 0], wrt=table, reduce="sum", backend=library,
    )  # fmt: skip
    assert f.value_and_grad([[2], [2, 0, 1]]) == (11.0, [1.0, 1.0, 2.0])
    with pytest.raises(IndexError):
        f([[0, 3]])


def test_derivatives_of_higher_order(library: str) -> None:
    def f(v: Any) -> Any:
        return v[0] ** 2 * tanh(v[1]) + log(v[0])

    for transform in (jacobian, hessian):
        one, other = both(transform(f), [1.0, 0.0], library=library)
        numpy.testing.assert_allclose(one([1.5, 0.5]), other([1.5, 0.5]), **CLOSE)


def test_infinities_are_those_of_the_rows(library: str) -> None:
    f, g = both(lambda x: 1.0 / x + exp(x), 1.0, library=library)
    x = numpy.array([1000.0, -1000.0, 1e-300])
    numpy.testing.assert_array_equal(numpy.isinf(f(x)), numpy.isinf(g(x)))


def test_machine_code_is_not_needed(library: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "llvmlite", None)
    w = Value(2.0, "w")
    f = compile(lambda x: w * x, 1.0, wrt=w, backend=library)
    assert f.backward([1.0, 3.0]) == 4.0
    assert w.grad == 2.0


def test_single_precision(library: str) -> None:
    w = [Value(0.5), Value(-2.0)]

    def f(x: Any, i: Any) -> Any:
        return tanh(w[0] * x) * take(w, i), x * 0.1, 1.5

    single = compile(f, 1.0, 0.0, wrt=w, dtype="float32", backend=library)
    double = compile(f, 1.0, 0.0, wrt=w, backend="python")
    x, i = numpy.linspace(-1, 1, 5), numpy.array([0, 1, 1, 0, 1])
    (value, *parts), slopes = single.value_and_grad(x, i)
    (wanted, *others), exact = double.value_and_grad(x, i)
    # A dozen operations of numbers below 2, each off by 2**-24, and tanh by 4 ulp.
    close = {"rtol": 0, "atol": 40 * 2.0**-24}
    for one, other in ((value, wanted), (slopes, exact), *zip(parts, others, strict=True)):
        numpy.testing.assert_allclose(one, other, **close)
    assert {array.dtype.name for array in (slopes, *parts, *single(x, i))} == {"float32"}
    assert single(1e39, 0)[0] == 0.5
    with pytest.raises(IndexError):
        single(x, i + 1e-9)
    with pytest.raises(ValueError, match="exact=True is of float64"):
        compile(f, 1.0, 0.0, dtype="float32", exact=True, backend=library)


def test_every_bit_is_refused(library: str) -> None:
    with pytest.raises(ValueError, match=f"exact=True .* {library} rounds"):
        compile(tanh, 1.0, backend=library, exact=True)
    f = compile(lambda x: [x, x], 1.0, backend=library)
    with pytest.raises(CompileError, match="only a single number has a gradient"):
        f.value_and_grad(1.0)


def test_a_program_can_still_be_printed(library: str) -> None:
    f = compile(tanh, 1.0, backend=library)
    assert f"{'jnp' if library == 'jax' else 'torch'}.tanh" in f.source(library)


DEVICES = """
import sys
import jax, numpy
from autograd import compile
from nn import MLP
from nn.losses import squared_error as error
model = MLP(3, [5, 2], activation="tanh", seed=0)
loss = lambda x, y: sum(map(error, model(x), y))
f = compile(loss, [0.0] * 3, [0.0] * 2, wrt=[0, model], backend="jax")
rng = numpy.random.default_rng(0)
for n in (1, 8, 29):
    x, y = rng.normal(size=(n, 3)), rng.normal(size=(n, 2))
    value, (dx, dp) = f.value_and_grad(x, y)
    for number in (value, *f(x, y).ravel(), *dx.ravel(), *dp):
        print(float(number).hex())
assert jax.numpy.ones(1).dtype == "float32", "the switch for all"
print(len(jax.devices()))
"""


@pytest.mark.long
def test_eight_devices_compute_what_one_does() -> None:
    pytest.importorskip("jax")
    found = []
    for count in (1, 8):
        environment = {
            **os.environ,
            "XLA_FLAGS": f"--xla_force_host_platform_device_count={count}",
            "JAX_PLATFORMS": "cpu",
        }
        done = subprocess.run(
            [sys.executable, "-c", DEVICES],
            env=environment, capture_output=True, text=True, check=True,
        )  # fmt: skip
        *numbers, devices = done.stdout.split()
        assert int(devices) == count
        found.append([float.fromhex(number) for number in numbers])
    one, eight = found
    numpy.testing.assert_allclose(eight, one, rtol=0, atol=1e-12)
