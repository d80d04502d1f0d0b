"""What a check evaluates: how often, which results, which inputs, and what it says of the rest."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest

from autograd import Op, Value, cos, gradcheck, no_grad, sin, tanh
from autograd.checking.line import FEWEST_LEFT

np = pytest.importorskip("numpy")


class Counted:
    """A function that counts its calls."""

    def __init__(self, f: Callable[..., Any]) -> None:
        self.f = f
        self.calls = 0

    def __call__(self, *args: Any) -> Any:
        self.calls += 1
        return self.f(*args)


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize(
    ("f", "args", "gradient"),
    [
        (lambda x, y: sin(x * y), (0.5, 2.0), None),
        (lambda x, y: [x * y, sin(x)], (0.5, 2.0), None),
        (lambda x: math.sin(x), (0.5,), lambda x: math.cos(x)),
        (lambda x: [math.sin(x), x * x], (0.5,), lambda x: [math.cos(x), 2 * x]),
        (lambda x: x * x, (0.0,), None),  # which looks nearby as well
    ],
)
def test_every_evaluation_is_counted(f: Any, args: Any, gradient: Any, order: int) -> None:
    counted = Counted(f)
    report = gradcheck(counted, *args, gradient=gradient, order=order)
    assert report.ok
    assert report.evaluations == counted.calls


def test_evaluations_of_a_closure_are_counted_and_its_leaves_set_back() -> None:
    x, y = Value(0.5, "x"), Value(2.0, "y")
    counted = Counted(lambda: sin(x * y))
    report = gradcheck(lambda: counted(), x, y)
    assert report.ok
    assert report.evaluations == counted.calls
    assert (x.data, y.data) == (0.5, 2.0)
    with pytest.raises(TypeError, match="a leaf is given twice"):
        gradcheck(lambda: x * y, x, x)
    with pytest.raises(TypeError, match="must be leaf Values"):
        gradcheck(lambda: x * y, x, x * y)
    with pytest.raises(TypeError, match="must be leaf Values"):
        gradcheck(lambda: x * y, 2.0)


@pytest.mark.parametrize("count", [2, 8, 9])
def test_results_are_looked_at_one_by_one_while_they_are_few(count: int) -> None:
    def f(x: Any) -> list[Any]:
        return [x * k for k in range(1, count + 1)]

    for report in (gradcheck(f, 2.0), gradcheck(f, 2.0, gradient=list(range(1, count + 1)))):
        labels = [check.label for check in report.inputs]
        if count <= 8:
            assert labels == [f"out[{k}] by x" for k in range(count)]
            assert [check.analytic for check in report.inputs] == [*range(1, count + 1)]
        else:
            assert labels == [f"combination {k} of 3 ({count} results) by x" for k in (1, 2, 3)]
        assert report.ok


def test_a_wrong_result_among_right_ones() -> None:
    def f(x: float, v: Any) -> dict[str, Any]:
        return {"a": x * v[0], "b": (x + v[1], v * v)}

    def slopes(wrong: float) -> dict[str, Any]:
        square = [np.zeros(2), np.array([[6.0, wrong], [0.0, 8.0]])]
        return {"a": [3.0, np.array([2.0, 0.0])], "b": ([1.0, np.array([0.0, 1.0])], square)}

    v = np.array([3.0, 4.0])
    assert gradcheck(f, 2.0, v, gradient=slopes(0.0)).ok
    report = gradcheck(f, 2.0, v, gradient=slopes(0.5))
    wrong = [check for check in report.inputs if check.verdict != "ok"]
    assert [(c.label, c.verdict, c.analytic) for c in wrong] == [
        ("out['b'][1][0] by v[1]", "wrong", 0.5)
    ]
    assert abs(wrong[0].numeric) <= wrong[0].error < 1e-9


def test_results_that_are_none() -> None:
    with pytest.raises(TypeError, match="must return a scalar, or several: got a NoneType"):
        gradcheck(lambda x: None, 1.0)
    with pytest.raises(TypeError, match="must return a scalar, or several: got a list"):
        gradcheck(lambda x: [], 1.0)
    with pytest.raises(TypeError, match=r"the function must return numbers: out\[1\]"):
        gradcheck(lambda x: [x, "y"], 1.0)
    with pytest.raises(TypeError, match=r"squares can't be called with 2 argument\(s\)"):
        gradcheck(squares, 1.0, 2.0)
    with pytest.raises(TypeError, match="needs the point to check at"):
        gradcheck(lambda: 1.0)


def squares(v: Any) -> float:
    return float((v * v).sum())


def wrong_at(*places: int) -> Callable[[Any], Any]:
    def slopes(v: Any) -> Any:
        found = 2 * v
        found[list(places)] += 1
        return found

    return slopes


@pytest.mark.parametrize("place", range(11))
def test_halving_finds_the_wrong_input(place: int) -> None:
    report = gradcheck(squares, np.arange(1.0, 12.0), gradient=wrong_at(place), evaluations=400)
    *_, last = report.inputs
    assert (last.index, last.label, last.verdict) == (place, f"v[{place}]", "wrong")
    assert (last.analytic, report.notes) == (2 * (place + 1) + 1, ())
    assert last.numeric == pytest.approx(2 * (place + 1), abs=last.error)
    # Three directions, then 6, 3, 2, 1 inputs; the other one of two is looked at as well.
    assert len(report.inputs) <= 3 + 5


def test_halving_says_what_it_has_left_untried() -> None:
    v = np.arange(1.0, 12.0)
    report = gradcheck(squares, v, gradient=wrong_at(), evaluations=400)
    assert [check.verdict for check in report.inputs] == ["ok", "ok", "ok"]
    assert report.inputs[0].label == "direction 1 of 3 (11 scalars)"
    assert report.notes == ("left untried: 11 input(s) one by one",)
    report = gradcheck(squares, v, gradient=wrong_at(5), evaluations=60)
    assert report.inputs[-1].label == "6 inputs, v[0] ... v[5]"
    assert report.notes == (
        "the wrong input is one of 6, v[0] ... v[5]; more evaluations would tell",
    )
    assert report.evaluations <= 60


def test_a_budget_has_room_for_one_direction() -> None:
    with pytest.raises(ValueError, match=f"at least {FEWEST_LEFT + 1}, got {FEWEST_LEFT}"):
        gradcheck(sin, 1.0, evaluations=FEWEST_LEFT)
    report = gradcheck(math.sin, 1.0, gradient=math.cos, evaluations=FEWEST_LEFT + 1)
    assert report.evaluations <= FEWEST_LEFT + 1
    assert report.inputs


def test_a_gradient_of_numbers_has_no_second_order() -> None:
    with pytest.raises(ValueError, match="give gradient as a function"):
        gradcheck(math.sin, 1.0, gradient=math.cos(1.0), order=2)
    assert gradcheck(math.sin, 1.0, gradient=math.cos(1.0)).ok
    assert gradcheck(math.sin, 1.0, gradient=math.cos, order=2).ok
    with pytest.raises(ValueError, match="order is 1, 2"):
        gradcheck(sin, 1.0, order=0)


def test_what_a_point_nearby_says_of_zeros() -> None:
    assert gradcheck(lambda x: x * x, 0.0).notes == (
        "vacuous: 0 for x, as many a wrong rule is there; nearby: ok",
    )
    bad = Op("bad_cube", lambda x: x * x * x, (lambda y, x: 4 * x * x,))
    (note,) = gradcheck(lambda x: bad(x), 0.0).notes
    at = 0.0137
    said, _, rest = note.partition("; nearby, ")
    assert said == "vacuous: 0 for x, as many a wrong rule is there"
    assert rest == f"x is wrong: {4 * at * at:.6g}, differences give {3 * at * at:.6g}"
    assert not gradcheck(lambda x, y: x * y, 2.0, 3.0).notes


@pytest.mark.parametrize(
    ("f", "slope"),
    [
        (lambda x: (x - 1) ** 2, lambda x: 2 * (x - 1)),
        (lambda x: 3.0, lambda x: 0.0),
        (lambda x: max(0.0, abs(x) - 1.5), lambda x: 0.0),
        (lambda x: math.exp(-1e3 * x * x), lambda x: -2e3 * x * math.exp(-1e3 * x * x)),
    ],
)
def test_a_point_nearby_is_among_the_30_evaluations(f: Any, slope: Any) -> None:
    calls = []
    report = gradcheck(lambda x: calls.append(x) or f(x), 1.0, gradient=slope)
    assert report.ok
    assert report.inputs[0].vacuous
    assert len(calls) <= 30
    # Where few don't tell that a slope is 0, none are left for elsewhere.
    assert gradcheck(lambda x: abs(x) ** 1.5, 0.0, gradient=lambda x: 1.5 * abs(x) ** 0.5).ok


def test_who_is_to_blame_if_no_op_is() -> None:
    (note,) = gradcheck(lambda x: math.sin(float(x)), 1.0).notes
    assert note.startswith("the function returned a plain number, so that nothing was recorded")

    def unrecorded(x: Any) -> Any:
        with no_grad():
            part = cos(x)
        return x * part.data

    (note,) = gradcheck(unrecorded, 1.0).notes
    assert note.startswith("every recorded op is right, so part of the computation was not")
    bad = Op("bad_sine", lambda x: sin(x), (lambda y, x: 2 * cos(x),))
    report = gradcheck(lambda x, y: tanh(bad(x) * y), 1.0, 0.5)
    assert [(c.verdict, c.culprit and c.culprit.op) for c in report.inputs] == [
        ("wrong", "bad_sine"),
        ("ok", None),
    ]
    assert report.culprit is not None
    assert report.culprit.where.startswith(f"{__file__}:")
    assert report.notes == ()


def test_what_is_not_derived_by_is_handed_on_as_it_is() -> None:
    def loss(logits: Any, labels: Any, kind: str) -> Any:
        assert kind == "mean"
        z = logits - logits.max(-1, keepdims=True)
        picked = z[np.arange(len(labels)), labels]
        return (np.log(np.exp(z).sum(-1)) - picked).mean()

    def slopes(logits: Any, labels: Any, kind: str) -> Any:
        p = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
        p[np.arange(len(labels)), labels] -= 1
        return [p / len(labels), None, None]

    args = np.array([[0.5, -1.0, 2.0], [0.1, 0.2, 0.3]]), np.array([0, 2]), "mean"
    for gradient in (slopes, slopes(*args)):
        report = gradcheck(loss, *args, gradient=gradient)
        assert report.ok, report
        assert [check.label for check in report.inputs][:2] == ["logits[0, 0]", "logits[0, 1]"]
    report = gradcheck(lambda x, n: sum(x for _ in range(n)), 2.0, 3, gradient=[2.9, None])
    assert [check.verdict for check in report.inputs] == ["wrong"]


def test_an_array_that_is_returned_again_and_again() -> None:
    buffer = np.zeros(3)

    def squares(v: Any) -> Any:
        return np.multiply(v, v, out=buffer)

    point = np.array([1.0, 2.0, 0.5])
    assert gradcheck(squares, point, gradient=lambda v: np.diag(2 * v)).ok
    wrong = gradcheck(squares, point, gradient=lambda v: np.diag([2, 2.1, 2] * v))
    assert [c.label for c in wrong.inputs if c.verdict == "wrong"] == ["out[1] by v[1]"]


def test_results_of_one_number_in_any_shape() -> None:
    for shape in ((), (1,), (1, 1)):
        f, x = (lambda v, shape=shape: (v**2).sum().reshape(shape)), np.array([3.0])
        assert gradcheck(f, x, gradient=[np.array([6.0])]).ok
        assert gradcheck(f, x, gradient=np.full((*shape, 1), 6.0)).ok
    with pytest.raises(TypeError, match=r"derivatives of 1 result\(s\), the function returns 2"):
        gradcheck(lambda x: (x, x), 1.0, gradient=lambda x: [1.0])
