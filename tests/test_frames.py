"""Calls on the short way: plain numbers, arrays of any size, and what must not go there."""

from __future__ import annotations

from typing import Any

import pytest

from autograd import CompileError, Value, compile, take, tanh

pytest.importorskip("llvmlite")

from autograd.compiler import compiled, frames

np = pytest.importorskip("numpy")


@pytest.fixture
def slow_ways(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the names of functions whose calls have not gone the short way so far."""
    taken: list[str] = []
    read = compiled.read
    monkeypatch.setattr(
        compiled, "read", lambda name, *rest: taken.append(name) or read(name, *rest)
    )
    return taken


def test_plain_numbers_never_become_arrays(slow_ways: list[str]) -> None:
    w = Value(3.0)
    f = compile(lambda x, v: (w * x + v[0] * v[1], [v, [x, 2.0]]), 0.0, [0.0, 0.0], wrt=[1, w])
    assert f(2.0, [4, 5.0]) == (26.0, [[4.0, 5.0], [2.0, 2.0]])
    value, gradient = f.value_and_grad(2.0, [4.0, 5.0])
    assert value == (26.0, [[4.0, 5.0], [2.0, 2.0]])
    assert gradient == ([5.0, 4.0], [2.0])
    w.data = -1.0
    assert f(2, [4.0, 5.0])[0] == 18.0
    assert not slow_ways
    # What else is a number, or is none, is read as ever.
    assert f(np.float64(2.0), [4.0, True])[0] == 2.0
    assert slow_ways
    for wrong in ("2", None, [1.0], 1j):
        with pytest.raises((TypeError, ValueError)):
            f(wrong, [4.0, 5.0])
    with pytest.raises(ValueError, match="beyond the range of floats"):
        f(10**400, [4.0, 5.0])
    with pytest.raises(TypeError, match=r"takes 2 argument\(s\), got 1"):
        f(1.0)


def test_a_short_call_keeps_every_bit_that_is_asked_for() -> None:
    f = compile(lambda x: tanh(x) / 3.0 + x, 0.0, exact=True)
    for x in (0.3, -0.0, float("inf"), 5e-324):
        assert repr(f(x)) == repr(float(f(np.array([x]))[0]))


def test_what_chooses_a_row_is_looked_at() -> None:
    table = [Value(1.0), Value(2.0)]
    f = compile(lambda i: take(table, i) * 2.0, 0)
    assert f(1) == 4.0
    with pytest.raises(IndexError):
        f(2)


def test_what_was_replaced_is_noticed_on_the_short_way() -> None:
    setting = [1.0]
    f = compile(lambda x: x * setting[0], 0.0)
    assert f(2.0) == 2.0
    setting[0] = 5.0
    with pytest.raises(CompileError):
        f(2.0)


@pytest.mark.parametrize(
    "n", [frames.SMALL_ARRAY // 2, frames.SMALL_ARRAY // 2 + 1, frames.SMALL_ARRAY + 1]
)
@pytest.mark.long
def test_large_arrays_go_the_short_way_too(n: int, slow_ways: list[str]) -> None:
    """Arguments and outputs: below and above the size up to which they are copied."""
    w = Value(2.0)
    f = compile(lambda x: (w * x[0] * x[1], [x[1], w * x[0]]), [0.0, 0.0], wrt=[w])
    x, p = np.arange(2.0 * n).reshape(n, 2), np.array([2.0])
    first = f.value_and_grad(x, params=p)
    taken = len(slow_ways)
    for _ in range(4):
        x += 1.0  # in place
        (value, rows), slope = f.value_and_grad(x, params=p)
        mean = float((x[:, 0] * x[:, 1]).mean())
        assert value == pytest.approx(2.0 * mean, rel=1e-12)  # n sums in another order
        assert slope[0] == pytest.approx(mean, rel=1e-12)
        assert rows.tolist() == np.stack([x[:, 1], 2.0 * x[:, 0]], 1).tolist()
    assert len(slow_ways) == taken
    assert first[0][1] is not rows
    # Arrays that can't be read where they are, take the long way.
    assert f.value_and_grad(np.asfortranarray(x), params=p)[0][0] == pytest.approx(value, rel=1e-12)
    w.grad = 0.0
    assert f.backward(x) == value
    assert w.grad == pytest.approx(mean, rel=1e-12)


def test_the_gradient_by_arguments_goes_the_short_way(slow_ways: list[str]) -> None:
    f = compile(lambda x: x[0] * x[0] + 3.0 * x[1], [0.0, 0.0])
    batch, alone = np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([5.0, 6.0])
    for given, expected in ((batch, [[1.0, 1.5], [3.0, 1.5]]), (alone, [10.0, 3.0])):
        for _ in range(3):
            assert f.value_and_grad(given)[1].tolist() == expected
    assert len(slow_ways) == 2


def test_a_mean_over_several_lengths_leaves_no_weight_behind() -> None:
    """A frame that a mixture of lengths has used has another weight for a sample."""
    w = Value(1.0)
    f = compile(lambda x: sum((w * a for a in x), 0.0), [0.0] * 3, wrt=[w])
    x, p = np.ones((2, 3)), np.array([1.0])
    assert f.value_and_grad(x, params=p)[0] == 3.0
    mixed: Any = [[1.0] * 3, [1.0] * 3, [1.0]]
    assert f.value_and_grad(mixed)[0] == pytest.approx(7 / 3)
    assert f.value_and_grad(x, params=p)[0] == 3.0
    assert f.backward(x) == 3.0


def test_code_for_one_sample_is_made_when_there_is_one() -> None:
    f = compile(lambda x: x * 3.0, 0.0)
    f(np.zeros(5))
    assert list(f._code.native_values._made) == [False]
    f(1.0)
    assert list(f._code.native_values._made) == [False, True]
