"""The gradient check finds wrong rules, and leaves right ones alone."""

import json
import math

import pytest

import autograd
from autograd import GradientError, Op, Value, exp, gradcheck, log, relu, tanh
from autograd.check import central_difference


def verdicts(*args: object, **options: float) -> list[str]:
    return [check.verdict for check in gradcheck(*args, **options).inputs]  # type: ignore[arg-type]


@pytest.fixture
def wrong_square():
    op = Op("wrong_square", lambda x: x * x, (lambda y, x: 2.001 * x,))
    yield op
    autograd.TABLE.pop(op.name)


def test_right_gradients_are_ok() -> None:
    assert verdicts(lambda x, y: tanh(x) * exp(y) / x, 0.7, -1.0) == ["ok", "ok"]
    assert verdicts(lambda v, b: v[0] * v[1] + b, [1e-3, 1e5], 2.0) == ["ok"] * 3
    assert verdicts(log, 1e-300) == verdicts(log, 1e300) == ["ok"]


def test_wrong_gradient_is_found(wrong_square: Op) -> None:
    report = gradcheck(lambda x: wrong_square(x) + 1, 3.0)
    (check,) = report.inputs
    assert check.verdict == "wrong"
    assert not report.ok
    assert check.analytic == 2.001 * 3
    assert check.numeric == pytest.approx(6.0, abs=check.error)
    with pytest.raises(GradientError, match=r"disagrees with finite differences\ninput .*\nx .*"):
        report.raise_if_wrong()


def test_kink_is_not_wrong() -> None:
    report = gradcheck(relu, 1e-13)
    assert [check.verdict for check in report.inputs] == ["kink"]
    report.raise_if_wrong()


def test_tolerances_of_ones_own(wrong_square: Op) -> None:
    assert verdicts(wrong_square, 3.0, rtol=0.01) == ["ok"]
    assert verdicts(wrong_square, 3.0, atol=0.01) == ["ok"]
    assert verdicts(wrong_square, 3.0, rtol=1e-4) == ["wrong"]


def test_report_reads_as_table_and_as_data() -> None:
    report = gradcheck(lambda x, v: x * v[0], Value(2.0, "mass"), [3.0])
    lines = str(report).splitlines()
    assert lines[0].split() == [
        "input", "analytic", "numeric", "difference", "tolerance", "verdict",
    ]  # fmt: skip
    assert [line.split()[0] for line in lines[1:]] == ["mass", "v[0]"]
    assert [line.split()[-1] for line in lines[1:]] == ["ok", "ok"]
    document = json.loads(json.dumps(report.to_json(), allow_nan=False))
    assert document["ok"] is True
    assert document["inputs"][1]["label"] == "v[0]"


def test_undefined_at_a_point_without_a_derivative() -> None:
    assert verdicts(autograd.sqrt, 0.0) == ["undefined"]


def test_central_difference_estimates_its_error() -> None:
    for f, slope, x in ((math.sin, math.cos(2.0), 2.0), (math.exp, math.exp(3.0), 3.0)):
        found = central_difference(f, x)
        assert abs(found.value - slope) <= found.error < 1e-9 * max(1, abs(slope))


def test_checking_touches_no_gradient() -> None:
    x = Value(2.0)
    gradcheck(lambda v: v * v, x)
    assert x.grad == 0.0


def test_bad_input() -> None:
    with pytest.raises(TypeError, match="gradcheck needs the point"):
        gradcheck(tanh)
    with pytest.raises(autograd.DomainError, match=r"log\(-1.0\)"):
        gradcheck(log, -1.0)
