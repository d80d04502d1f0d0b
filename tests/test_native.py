"""Machine code and memory: arrays are read where they are, and nothing is written elsewhere."""

from typing import Any

import numpy as np
import pytest

from autograd import Compiled, Value, compile, tanh
from autograd.compiler import frames, objects, parts
from nn import MLP
from nn.losses import cross_entropy


@pytest.fixture
def line() -> tuple[Compiled, Any]:
    w = Value(2.0)
    return compile(lambda x, y: (w * x - y) ** 2, 0.0, 0.0, wrt=[w]), w


def test_arrays_that_come_again_are_read_anew(line: tuple[Compiled, Any]) -> None:
    f, w = line
    x, y, p = np.array([1.0, 2.0]), np.array([0.0, 0.0]), np.array([3.0])
    for factor in (1.0, 2.0, -1.0, 0.5, 0.0):
        x[:] = [factor, 2 * factor]
        p[0] = factor
        value, gradient = f.value_and_grad(x, y, params=p)
        # Powers of two: every product is exact.
        assert value == 2.5 * factor**4
        assert gradient.tolist() == [5.0 * factor**3]
    # The model's own number, after the array's has been read where it is.
    w.grad = 0.0
    assert f.backward(x + 1.0, y) == 4.0
    assert w.grad == 4.0
    assert f.value_and_grad(x + 1.0, y, params=p)[0] == 0.0


def test_an_array_changed_in_place_is_another_one(line: tuple[Compiled, Any]) -> None:
    f, _ = line
    x, y, p = np.ones(4), np.zeros(4), np.array([1.0])
    for _ in range(4):
        f.value_and_grad(x, y, params=p)
    x.resize((2, 2), refcheck=False)  # NumPy 2.5 warns of setting .shape
    with pytest.raises(ValueError, match=r"argument 0 .* has shape \(2, 2\)"):
        f.value_and_grad(x, y, params=p)
    x.resize((4,), refcheck=False)
    assert f.value_and_grad(x[::2], y[::2], params=p)[0] == 1.0
    every_other = np.arange(8.0)[::2]
    for _ in range(3):
        assert f.value_and_grad(every_other, y, params=p)[0] == 14.0


@pytest.mark.long
def test_nothing_is_written_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    kept: list[tuple[Any, int, int]] = []

    def guarded(size: int, dtype: Any) -> Any:
        """Return an aligned array of ``size`` numbers between others that must stay 7.25."""
        whole = np.full(size + 304, 7.25, dtype)
        begin = 128 - whole.ctypes.data % 64 // whole.itemsize
        kept.append((whole, begin, begin + size))
        return whole[begin : begin + size]

    for home in (frames, parts):
        monkeypatch.setattr(home, "aligned", guarded)
        monkeypatch.setattr(home, "sums_room", lambda size, dtype: guarded(size + 16, dtype)[:size])
    for widths in ((2, 3, 3), (9, 17, 10)):
        model = MLP(widths[0], list(widths[1:]), activation="relu", seed=0)

        def loss(x: Any, y: Any, model: MLP = model) -> Any:
            out = model(x)
            return cross_entropy(out, y), out

        for settings in ({}, {"reduce": None}, {"exact": True}, {"dtype": "float32"}):
            f = compile(loss, [0.0] * widths[0], 1.0, wrt=model, **settings)
            for n in (1, 7, 8, 31, 33, 64, 81):
                x, y = np.ones((n, widths[0])), np.zeros(n)
                for _ in range(2):
                    f.value_and_grad(x, y)
                f(x, y)
    assert kept
    for whole, begin, end in kept:
        assert (whole[:begin] == 7.25).all()
        assert (whole[end:] == 7.25).all()


def test_numbers_of_values_are_read_and_added_to() -> None:
    leaves = [Value(float(i)) for i in range(5)]
    slots, numbers = objects.Slots(leaves), np.zeros(5)
    slots.read(numbers, numbers.ctypes.data)
    assert numbers.tolist() == [0.0, 1.0, 2.0, 3.0, 4.0]
    part = numbers[1:4]
    for _ in range(2):
        slots.add(part, part.ctypes.data)
    assert [leaf.grad for leaf in leaves] == [2.0, 4.0, 6.0, 0.0, 0.0]


def test_a_data_that_is_no_float_is_taken_as_python_takes_it() -> None:
    leaves = [Value(1.0), Value(2.0)]
    slots, numbers = objects.Slots(leaves), np.zeros(2)
    leaves[1].data = 7
    slots.read(numbers, numbers.ctypes.data)
    assert numbers.tolist() == [1.0, 7.0]
    leaves[1].data = "seven"  # type: ignore[assignment]
    with pytest.raises(TypeError, match="must be real number, not str"):
        slots.read(numbers, numbers.ctypes.data)


def test_where_slots_are_not_found_python_reads_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(objects, "_slots", lambda: None)
    leaves = [Value(1.0), Value(2.0)]
    slots, numbers = objects.Slots(leaves), np.zeros(2)
    slots.read(numbers, numbers.ctypes.data)
    slots.add(numbers, numbers.ctypes.data)
    assert [leaf.grad for leaf in leaves] == numbers.tolist() == [1.0, 2.0]


def test_backward_is_that_of_the_values_whatever_they_are_made_of() -> None:
    w, v = Value(0.5), Value(-2.0)
    f = compile(lambda x: tanh(w * x) * v, 1.0, wrt=[w, v])
    x = np.linspace(-1, 1, 9)
    for grad in (0.0, 1.0, 1.0):
        w.grad = v.grad = grad
        f.backward(x)
    slopes = f.value_and_grad(x)[1]
    assert [w.grad - 1.0, v.grad - 1.0] == pytest.approx(slopes.tolist(), abs=4e-16)
