"""The gradient check finds wrong rules, names them, and leaves right ones alone."""

from __future__ import annotations

import io
import json
import math
import random
import warnings
from collections.abc import Callable
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rich.console import Console

import autograd
import nn
from autograd import (
    TABLE,
    GradientError,
    Op,
    Value,
    abs,
    atan2,
    clamp,
    exp,
    gradcheck,
    hypot,
    log,
    maximum,
    minimum,
    relu,
    sin,
    softplus,
    sqrt,
    tanh,
    where,
)
from autograd.checking.differences import Sampler
from autograd.checking.line import BUDGET, Line, Sample
from autograd.checking.signature import names_of
from autograd.checking.trial import MANY_SCALARS
from autograd.functions import mean
from autograd.testing.straightline import Assignment, StraightLine
from autograd.testing.strategies import expressions, floats_in
from tests.benchmarks.mutations import find_mutants, judge


def verdicts(*args: Any, **options: Any) -> list[str]:
    return [check.verdict for check in gradcheck(*args, **options).inputs]


@pytest.fixture
def wrong_square() -> Op:
    return Op("wrong_square", lambda x: x * x, (lambda y, x: 2.001 * x,))


def test_what_f_warns_of_is_said_of_the_point_alone() -> None:
    def f(x: float) -> float:
        warnings.warn(f"at {x}", autograd.GraphCutWarning, stacklevel=1)
        return x * x

    with pytest.warns(autograd.GraphCutWarning) as caught:
        assert gradcheck(f, 2.0, gradient=4.0).ok
    assert {str(warning.message) for warning in caught} == {"at 2.0"}


def test_right_gradients_are_ok() -> None:
    assert verdicts(lambda x, y: tanh(x) * exp(y) / x, 0.7, -1.0) == ["ok", "ok"]
    assert verdicts(lambda v, b: v[0] * v[1] + b, [1e-3, 1e5], 2.0) == ["ok"] * 3
    assert verdicts(log, 1e-300) == verdicts(log, 1e300) == ["ok"]
    assert verdicts(lambda x: log(x + 1e-5), 1e-300) == ["ok"]
    assert verdicts(lambda x: sin(1000 * x), 1.0) == ["ok"]


def test_wrong_gradient_is_found_and_its_op_named(wrong_square: Op) -> None:
    def f(x: Value, y: Value) -> Value:
        inner = sin(x) * y
        return exp(wrong_square(inner)) + y

    report = gradcheck(f, 3.0, 2.0)
    assert [check.verdict for check in report.inputs] == ["wrong", "wrong"]
    assert not report.ok
    culprit = report.culprit
    assert culprit is not None
    assert (culprit.op, culprit.slot, culprit.parameter) == ("wrong_square", 0, "x")
    assert culprit.rule == "2.001 * x"
    assert culprit.local == pytest.approx(2.001 * 2 * math.sin(3.0))
    assert culprit.numeric == pytest.approx(4 * math.sin(3.0))
    line = f.__code__.co_firstlineno + 2
    assert culprit.where == f"{__file__}:{line}"
    assert report.inputs[0].rate == pytest.approx(1.0, abs=0.2)
    with pytest.raises(
        GradientError, match=r"disagrees with finite differences\ninput .*"
    ) as error:
        report.raise_if_wrong()
    assert error.value.report is report


def test_the_first_of_two_wrong_ops_is_named(wrong_square: Op) -> None:
    report = gradcheck(lambda x: wrong_square(wrong_square(x) + 1), 0.5)
    assert report.culprit is not None
    assert report.culprit.position == 1


def test_a_wrong_argument_among_right_ones() -> None:
    op = Op("wrong_area", lambda x, y: x * y, (lambda z, x, y: y, lambda z, x, y: x + 0.01))
    report = gradcheck(lambda a, b: op(a, b) * 2, 3.0, 5.0)
    assert [check.verdict for check in report.inputs] == ["ok", "wrong"]
    assert report.culprit is not None
    assert report.culprit.parameter == "y"
    # Both arguments are one node: only the wrong edge is blamed.
    both = gradcheck(lambda a: op(a, a), 3.0)
    assert both.culprit is not None
    assert both.culprit.slot == 1


def test_an_overflow_in_a_branch_that_is_not_taken_hides_no_wrong_op(wrong_square: Op) -> None:
    report = gradcheck(lambda x: where(x, wrong_square(x), exp(1000 * x)), 3.0)
    assert [check.verdict for check in report.inputs] == ["wrong"]
    assert report.culprit is not None
    assert report.culprit.op == "wrong_square"
    assert verdicts(lambda x: where(x, x * x, exp(1000 * x)), 3.0) == ["ok"]


def test_a_rule_that_is_not_finite() -> None:
    op = Op("wrong_double", lambda x: 2 * x, (lambda y, x: 2 / (x - x),), singular=True)
    report = gradcheck(op, 3.0)
    assert [check.verdict for check in report.inputs] == ["wrong"]


def test_a_computation_that_is_not_recorded() -> None:
    report = gradcheck(lambda x: x * math.exp(x), Value(0.5, "x"))
    assert report.inputs[0].verdict == "wrong"
    assert report.culprit is None
    assert "look for float(v), v.data" in str(report)
    plain = gradcheck(lambda x: math.exp(x), Value(0.5, "x"))
    assert plain.inputs[0].verdict == "wrong"
    assert "give the derivatives by gradient=" in str(plain)


@pytest.mark.parametrize("beside", [0.0, 1e-12, -1e-12, 1e-13, 1e-300])
@pytest.mark.parametrize(
    ("f", "x"),
    [
        (abs, 0.0), (relu, 0.0), (lambda x: maximum(x, 2.0), 2.0),
        (lambda x: minimum(2.0, x), 2.0), (lambda x: clamp(x, 2.0, 3.0), 3.0),
        (lambda x: where(x, 1.0, 2.0), 0.0), (lambda x: where(x, x, 2 * x), 0.0),
        (lambda x: hypot(x, 0.0), 0.0), (lambda x: 3 + tanh(abs(sin(x))), 0.0),
    ],
)  # fmt: skip
def test_kinks_are_not_wrong(f: Any, x: float, beside: float) -> None:
    assert verdicts(f, x + beside) == ["kink"]


def test_a_jump_is_found_without_being_declared() -> None:
    assert verdicts(lambda x: atan2(x, -1.0), 0.0) == ["kink"]
    assert verdicts(math.floor, 2.0, gradient=0.0) == ["kink"]


def test_what_is_smooth_through_a_kink_is_ok() -> None:
    assert verdicts(lambda x: x * abs(x), 0.0) == ["ok"]
    assert verdicts(lambda x: abs(x) ** 2, 0.0) == ["ok"]
    assert verdicts(abs, 1e-9) == ["ok"]


def test_hypot_at_the_origin() -> None:
    assert verdicts(hypot, 0.0, 0.0) == ["kink", "kink"]
    assert verdicts(hypot, 1e-13, 0.0) == ["kink", "kink"]


def test_undefined_at_a_point_without_a_derivative() -> None:
    assert verdicts(sqrt, 0.0) == ["undefined"]
    assert verdicts(lambda x: exp(x) * exp(x), 700.0) == ["undefined"]


def test_derivatives_that_overflow_when_added() -> None:
    assert verdicts(lambda x: x * 1e308 + x * 1e308, 0.1) == ["undefined"]
    opposite = [Value(0.0) for _ in range(MANY_SCALARS)]
    steep = lambda: sqrt(opposite[0]) - sqrt(opposite[1]) + autograd.sum(opposite)
    # The two are named, and the directions are those of the others.
    assert verdicts(steep, *opposite) == ["undefined"] * 2 + ["ok"] * 3


def test_noise_where_rounding_drowns_the_differences() -> None:
    # The floats around 1e20 are 16384 apart, and the sine has waves of length 6.
    assert verdicts(sin, 1e20) == ["noise"]
    assert verdicts(lambda x: sin(x) + 1e18, 1.0) == ["noise"]


def test_tolerances_of_ones_own(wrong_square: Op) -> None:
    assert verdicts(wrong_square, 3.0, rtol=0.01) == ["ok"]
    assert verdicts(wrong_square, 3.0, atol=0.01) == ["ok"]
    assert verdicts(wrong_square, 3.0, rtol=1e-4) == ["wrong"]


def test_second_order(wrong_square: Op) -> None:
    report = gradcheck(lambda x, y: sin(x * y) * exp(y), 0.5, 2.0, order=3)
    assert [(c.order, c.verdict) for c in report.inputs] == [(k, "ok") for k in (1, 1, 2, 2, 3, 3)]
    assert "x, order 2" in str(report)
    # The first derivative is right; the rule of wrong_square, of which it is made, is not.
    op = Op("bent", lambda x: x**3, (lambda y, x: 3 * wrong_square(x),))
    checks = gradcheck(op, 2.0, order=2).inputs
    assert [check.verdict for check in checks] == ["ok", "wrong"]
    assert checks[1].culprit is not None
    assert checks[1].culprit.op == "wrong_square"


def test_second_order_of_what_is_small() -> None:
    """Slopes add up from 0, beside which nothing is too small."""
    for size in (1e-18, 1e-100):
        second = gradcheck(lambda x, size=size: size * x**3, 1.3, order=2).inputs[-1]
        assert second.verdict == "ok"
        assert second.numeric == pytest.approx(second.analytic, rel=1e-9, abs=0)


@pytest.mark.long
def test_parameters_of_a_module() -> None:
    model = nn.MLP(2, [4, 1], activation="tanh", seed=1)
    samples, targets = nn.data.moons(6, 0.1, 0)

    def loss() -> Value:
        pairs = zip(samples, targets, strict=True)
        return mean([softplus(-target * model(x)) for x, target in pairs])

    parameters = model.parameters()
    before = [(p.data, p.grad) for p in parameters]
    report = gradcheck(loss, *parameters)
    assert {check.verdict for check in report.inputs} == {"ok"}
    assert len(report.inputs) == len(parameters)
    assert [(p.data, p.grad) for p in parameters] == before
    assert {check.verdict for check in gradcheck(loss, *parameters, order=2).inputs} == {"ok"}
    # Handed in as one list, they are arguments; f need not use them otherwise.
    assert gradcheck(lambda v: v[0] * v[1], parameters[:2]).ok


def test_leaves_are_set_back_whatever_happens() -> None:
    x, y = Value(2.0, "x"), Value(3.0, "y")
    calls = iter(range(100))

    def f() -> Value:
        if next(calls) == 5:
            raise KeyboardInterrupt
        return x * y

    with pytest.raises(KeyboardInterrupt):
        gradcheck(f, x, y)
    assert (x.data, y.data) == (2.0, 3.0)


@pytest.mark.long
def test_random_directions_for_thousands(wrong_square: Op) -> None:
    draw = random.Random(0)
    weights = [Value(draw.gauss(0, 1), f"w{i}") for i in range(2000)]

    def f() -> Value:
        return tanh(autograd.sum(weights[1:]) / 50) * exp(wrong_square(weights[0]))

    def right() -> Value:
        return tanh(autograd.sum(weights) / 50)

    report = gradcheck(right, *weights)
    assert [check.verdict for check in report.inputs] == ["ok"] * 3
    assert report.inputs[0].label == "direction 1 of 3 (2,000 scalars)"
    assert report.evaluations <= 3 * BUDGET + 1
    wrong = gradcheck(f, *weights)
    assert {check.verdict for check in wrong.inputs} == {"wrong"}
    assert wrong.culprit is not None
    assert wrong.culprit.op == "wrong_square"
    assert gradcheck(right, *weights, seed=1).inputs[0].analytic != report.inputs[0].analytic
    assert len(weights) >= MANY_SCALARS


def test_a_gradient_of_ones_own() -> None:
    def f(x: float, v: list[float]) -> float:
        return math.sin(x) * v[0] + v[1] ** 2

    def slopes(x: float, v: list[float]) -> tuple[float, list[float]]:
        return math.cos(x) * v[0], [math.sin(x), 2 * v[1]]

    assert verdicts(f, 0.5, [2.0, 3.0], gradient=slopes) == ["ok"] * 3
    assert verdicts(f, 0.5, [2.0, 3.0], gradient=slopes(0.5, [2.0, 3.0])) == ["ok"] * 3
    assert verdicts(math.exp, 1.0, gradient=math.exp) == ["ok"]
    assert verdicts(math.exp, 1.0, gradient=1.001 * math.e) == ["wrong"]
    assert verdicts(math.fabs, 0.0, gradient=0.0) == ["kink"]
    assert verdicts(math.fabs, 1e-13, gradient=1.0) == ["ok"]
    assert verdicts(math.fabs, 1e-13, gradient=0.5) == ["wrong"]
    assert verdicts(math.fabs, 0.1, gradient=1.0) == ["ok"]
    assert verdicts(math.sqrt, 0.0, gradient=math.inf) == ["undefined"]
    assert verdicts(math.sin, 1e20, gradient=math.cos) == ["noise"]
    with pytest.raises(TypeError, match=r"gradient has 1 number\(s\) for 3 input\(s\)"):
        gradcheck(f, 0.5, [2.0, 3.0], gradient=1.0)


def test_a_function_of_numpy() -> None:
    np = pytest.importorskip("numpy")
    x = np.array([[0.5, 1.5], [2.0, -1.0]])

    def f(x: Any, scale: float) -> Any:
        assert x.shape == (2, 2)
        return np.sum(np.sin(x)) * scale

    def slopes(x: Any, scale: float) -> Any:
        return np.cos(x) * scale, np.sum(np.sin(x))

    report = gradcheck(f, x, 3.0, gradient=slopes)
    assert [(c.label, c.verdict) for c in report.inputs] == [
        ("x[0, 0]", "ok"), ("x[0, 1]", "ok"), ("x[1, 0]", "ok"), ("x[1, 1]", "ok"), ("scale", "ok"),
    ]  # fmt: skip


def test_single_precision_inside_is_noticed() -> None:
    np = pytest.importorskip("numpy")

    def f(v: Any) -> float:
        return float(np.sum(np.float32(v) ** 2))

    right = verdicts(f, np.array([2.3, 5.3]), gradient=lambda v: 2 * v)
    assert set(right) <= {"ok", "noise"}
    assert verdicts(f, np.array([2.3, 5.3]), gradient=lambda v: 2.01 * v) == ["wrong", "wrong"]


def test_report_reads_as_table_and_as_data(wrong_square: Op) -> None:
    report = gradcheck(lambda x, v: x * v[0], Value(2.0, "mass"), [3.0])
    lines = str(report).splitlines()
    assert lines[0].split() == [
        "input", "analytic", "numeric", "difference", "tolerance", "verdict",
    ]  # fmt: skip
    assert [line.split()[0] for line in lines[1:]] == ["mass", "v[0]"]
    assert [line.split()[-1] for line in lines[1:]] == ["ok", "ok"]
    wrong = gradcheck(lambda x: wrong_square(x), Value(2.0, "<mass>"))
    document = json.loads(json.dumps(wrong.to_json(), allow_nan=False))
    assert document["ok"] is False
    assert document["inputs"][0]["culprit"]["op"] == "wrong_square"
    undefined = gradcheck(sqrt, 0.0).to_json()
    assert json.loads(json.dumps(undefined, allow_nan=False))["inputs"][0]["analytic"] == "inf"
    bundle = wrong._repr_mimebundle_()
    assert bundle["text/plain"] == str(wrong)
    assert "<td>&lt;mass&gt;</td>" in bundle["text/html"]
    assert "first wrong op: wrong_square" in bundle["text/html"]


def test_report_in_rich(wrong_square: Op) -> None:
    console = Console(width=120, record=True, file=io.StringIO())
    console.print(gradcheck(lambda x: wrong_square(x), Value(2.0, "[bold]")))
    text = console.export_text()
    assert "[bold]" in text
    assert "first wrong op: wrong_square" in text


def test_line_estimates_its_error() -> None:
    for f, slope, x in ((math.sin, math.cos(2.0), 2.0), (math.exp, math.exp(3.0), 3.0)):
        line = Sampler(Line(lambda t, f=f: Sample(f(t)), x, Sample(f(x))), 0.0)
        found = line.central(line.sweep(1 / 8))
        assert math.fabs(found.value - slope) <= found.error < 1e-9 * max(1, math.fabs(slope))


def test_checking_touches_no_gradient() -> None:
    x = Value(2.0)
    gradcheck(lambda v: v * v, x)
    assert x.grad == 0.0


def test_bad_input() -> None:
    with pytest.raises(TypeError, match="takes a function first, then its arguments: got 3"):
        gradcheck(3, 1.0)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="gradcheck needs the point"):
        gradcheck(tanh)
    with pytest.raises(autograd.DomainError, match=r"log\(-1.0\)"):
        gradcheck(log, -1.0)
    with pytest.raises(TypeError, match=r"can't be called with 1 argument\(s\)"):
        gradcheck(lambda x, y: x * y, 1.0)
    with pytest.raises(TypeError, match="must be leaf Values"):
        gradcheck(lambda: Value(1.0), 2.0)
    x = Value(1.0)
    with pytest.raises(TypeError, match="given twice"):
        gradcheck(lambda: x * x, x, x)
    with pytest.raises(ValueError, match="order is 1, 2"):
        gradcheck(tanh, 1.0, order=0)
    with pytest.raises(ValueError, match="order 2 looks at the gradient nearby"):
        gradcheck(math.tanh, 1.0, gradient=1.0, order=2)
    with pytest.raises(TypeError, match="expected a real number"):
        gradcheck(tanh, "1.0")
    with pytest.raises(TypeError, match=r"tanh takes 1 argument\(s\), got 2"):
        gradcheck(tanh, 1.0, 2.0)
    with pytest.raises(TypeError, match=r"must return a scalar, .* NoneType"):
        gradcheck(lambda x: None, 1.0)
    with pytest.raises(ValueError, match="rtol is a number of at least 0, got -1"):
        gradcheck(tanh, 1.0, rtol=-1)


@pytest.mark.parametrize("every", [3, pytest.param(1, marks=pytest.mark.long)])
@pytest.mark.parametrize("name", TABLE)
def test_every_mutant_is_detected_and_named(name: str, every: int) -> None:
    """One point per mutant here, each third one but in the long mode; the benchmark tries more."""
    mutants = [*find_mutants(TABLE[name], points=1)]
    for mutant, args in mutants[list(TABLE).index(name) % every :: every]:
        assert judge(mutant, args) in ("detected", "same"), (mutant, args)


@pytest.mark.long
@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(expressions())
def test_no_false_alarm_on_random_expressions(program: StraightLine) -> None:
    report = gradcheck(program, *program.inputs)
    assert "wrong" not in [check.verdict for check in report.inputs], report
    assert report.evaluations <= BUDGET * len(program.inputs) + 1


@pytest.mark.parametrize("name", TABLE)
@settings(max_examples=5)
@given(data=st.data())
def test_no_false_alarm_from_1e_minus_300_to_1e300(name: str, data: st.DataObject) -> None:
    args = data.draw(floats_in(name, wide=True))
    report = gradcheck(TABLE[name], *args)
    assert "wrong" not in [check.verdict for check in report.inputs], report


def test_the_inputs_of_a_row_have_the_names_of_its_rules() -> None:
    report = gradcheck(TABLE["leaky_relu"], 2.0, 0.1)
    assert [check.label for check in report.inputs] == ["x", "slope"]
    assert labels(TABLE["sum"], 2.0, 0.1) == ["arg0", "arg1"]


def labels(f: Callable[..., Any], *args: float) -> list[str]:
    return [check.label for check in gradcheck(f, *args).inputs]


def test_inputs_are_named_as_the_function_names_them() -> None:
    assert labels(lambda x, *v: x * v[0] * v[1], 2.0, 3.0, 4.0) == ["x", "v0", "v1"]
    assert labels(lambda x, *, scale=2.0, **rest: x * scale, 2.0) == ["x"]
    program = StraightLine((2.0, 3.0), (Assignment("mul", (0, 1)),))
    assert labels(program, *program.inputs) == ["v0", "v1"]  # as where it is printed
    assert names_of(max, 2) == ["arg0", "arg1"]  # a builtin has no signature


def test_what_is_not_finite_beside_a_finite_slope_is_wrong() -> None:
    def square(v: list[float]) -> float:
        return sum(x * x for x in v)

    assert verdicts(square, [1.0, 2.0], gradient=[2.0, math.nan]) == ["ok", "wrong"]
    assert verdicts(square, [1.0, 2.0], gradient=[2.0, math.inf]) == ["ok", "wrong"]
    many = [1.0 + i / 1000 for i in range(1000)]
    slopes = [2 * x for x in many]
    slopes[77] = math.nan
    report = gradcheck(square, many, gradient=slopes)
    first = report.inputs[0]
    assert (first.label, first.verdict) == ("v[77]", "wrong")
    assert {check.verdict for check in report.inputs[1:]} == {"ok"}


def test_a_kink_excuses_only_what_lies_between_its_slopes() -> None:
    for claim in (-1.0, -0.3, 0.0, 1.0):
        assert verdicts(math.fabs, 0.0, gradient=claim) == ["kink"]
    for claim in (-1.01, 17.0, math.nan):
        assert verdicts(math.fabs, 0.0, gradient=claim) == ["wrong"]
    # No kink at all, and the engine's 0 is no slope of it.
    assert verdicts(lambda v: relu(v) - relu(-v), 0.0) == ["wrong"]
    assert verdicts(lambda v: max(v, 0) - max(-v, 0), 0.0, gradient=1.0) == ["ok"]
    assert verdicts(math.floor, 2.0, gradient=17.0) == ["wrong"]


def test_cancellation_hides_no_sign() -> None:
    def softplus_of_minus(x: float) -> float:
        return math.log(1 + math.exp(-x))

    slope = -1 / (1 + math.exp(10))
    assert verdicts(softplus_of_minus, 10.0, gradient=slope) == ["ok"]
    assert verdicts(softplus_of_minus, 10.0, gradient=-slope) == ["wrong"]
    x = 0.1516160123684348
    assert verdicts(lambda x: x * x / 2 + 3.7 - 3.7, x, gradient=x) == ["ok"]


def test_steps_have_no_period_in_common() -> None:
    wave = lambda x: x + math.sin(16 * math.pi * x)
    slope = 1 + 16 * math.pi * math.cos(16 * math.pi * 0.3)
    assert verdicts(wave, 0.3, gradient=slope) == ["ok"]
    assert verdicts(wave, 0.3, gradient=1.0) == ["wrong"]
    steps = lambda x: round(128 * x) / 128
    for x in (0.3, 1.3, 5.2):
        assert verdicts(steps, x, gradient=1.0) == ["wrong"]
        assert verdicts(steps, x, gradient=0.0) == ["ok"]


STEPPED = {
    "a 300th": (lambda x: round(300 * x) / 300, 0.0, 1.0),
    "a seventh": (lambda x: math.floor(7 * x) / 7, 0.0, 1.0),
    "0.01": (lambda x: round(x, 2), 0.0, 1.0),
    "0.01 e": (lambda x: math.floor(x / (0.01 * math.e)) * 0.01 * math.e, 0.0, 1.0),
    "0.05 of a table": (lambda x: math.exp(-round(x / 0.05) * 0.05), 0.0, lambda x: -math.exp(-x)),
    "a count": (lambda x: sum(k / 997 < x / 10 for k in range(997)) / 997, 0.0, 0.1),
}
"""Functions that move in steps: their slope, and that over many steps."""


@pytest.mark.parametrize("width", STEPPED)
@pytest.mark.parametrize("x", [0.31, 0.123, 1.7, 2.2222, 4.4])
def test_steps_of_ones_own_are_not_a_slope(width: str, x: float) -> None:
    f, right, over = STEPPED[width]
    over = over(x) if callable(over) else over
    assert verdicts(f, x, gradient=right)[0] != "wrong"
    assert verdicts(f, x, gradient=over)[0] in ("wrong", "noise")
    assert not gradcheck(f, x, gradient=[over]).ok


@pytest.mark.parametrize("x", [0.31, 0.123, 1.7, 2.2222, 4.4])
def test_a_slope_beside_steps_is_that_within_them(x: float) -> None:
    square = lambda x: x * x + round(300 * x) / 300
    assert verdicts(square, x, gradient=2 * x) == ["ok"]
    for wrong in (2 * x + 1, 2.002 * x, 0.0):
        assert verdicts(square, x, gradient=wrong) == ["wrong"]


def test_steps_that_may_be_either_are_said_to_be() -> None:
    for slope in (0.0, math.cos(0.3)):
        report = gradcheck(lambda x: round(math.sin(x), 4), 0.3, gradient=[slope])
        assert [check.verdict for check in report.inputs] == ["noise"]
        (note,) = report.notes
        assert note.startswith("x: f moves in steps ")
        assert "its slope is 0 within one, and over many of them 0.955" in note


def test_what_is_not_deterministic_is_said_to_be() -> None:
    draw = random.Random(0)
    report = gradcheck(lambda x: x * x + 1e-9 * draw.random(), 1.5, gradient=[3.0])
    assert report.ok
    assert report.notes[0].startswith("f is not deterministic: at the same point it gave 2.25")
    calls = count()
    report = gradcheck(lambda x: x * x + next(calls), 1.5, gradient=[3.0])  # a jump to each side
    assert [check.verdict for check in report.inputs] == ["noise"]
    report = gradcheck(lambda x: x * draw.choice((0.0, 2.0)), 1.5, gradient=[2.0])
    assert not report.ok
    assert any("not deterministic" in note for note in report.notes)
    report = gradcheck(lambda x: x * Value(draw.random()), 1.5)
    assert any("not deterministic" in note for note in report.notes)


def test_steps_follow_the_input() -> None:
    slope = 1e9 * math.cos(0.3)
    assert verdicts(lambda t: math.sin(1e9 * t), 3e-10, gradient=slope) == ["ok"]
    assert verdicts(lambda t: math.sin(1e9 * t), 3e-10, gradient=-slope) == ["wrong"]
    assert verdicts(lambda v: v**2, 1e-20, gradient=2e-20) == ["ok"]
    assert verdicts(lambda v: v**2, 1e-20, gradient=2.2e-20) == ["wrong"]


def test_what_two_zeros_say_is_said() -> None:
    report = gradcheck(lambda x: (x - 1) ** 2, 1.0, gradient=lambda x: 6 * (x - 1))
    assert report.ok
    assert report.inputs[0].vacuous
    assert "nearby, x is wrong: 0.0822" in str(report)


def test_order_2_looks_at_f_itself() -> None:
    bent = Op("bent", lambda x: x**3, (lambda y, x: 3 * x * x + (x - 2),))
    checks = gradcheck(bent, 2.0, order=2).inputs
    assert [check.verdict for check in checks] == ["ok", "ok", "wrong"]
    assert checks[2].label == "x, nearby"
    given = {"gradient": lambda x: 3 * x * x + (x - 2), "order": 2}
    assert verdicts(lambda x: x**3, 2.0, **given) == ["ok", "wrong"]
    assert verdicts(math.sin, 0.5, gradient=math.cos, order=2) == ["ok"]


def test_nested_arguments_and_several_results() -> None:
    def f(p: dict[str, Any]) -> dict[str, Any]:
        return {"area": p["sides"][0] * p["sides"][1], "half": [p["b"] / 2]}

    def slopes(p: dict[str, Any]) -> dict[str, Any]:
        a, b = p["sides"]
        return {
            "area": {"sides": (b, a), "b": 0.0},
            "half": [{"sides": (0.0, 0.0), "b": 0.5}],
        }

    point = {"sides": (2.0, 3.0), "b": 1.0}
    report = gradcheck(f, point, gradient=slopes)
    assert report.ok
    assert report.inputs[1].label == "out['area'] by p['sides'][1]"
    assert gradcheck(f, point).ok  # and on Values
    # Keys in another order are the same gradient; other keys are not.
    area = lambda p: p["a"] * p["b"]
    assert gradcheck(area, {"a": 2.0, "b": 3.0}, gradient=[{"b": 2.0, "a": 3.0}]).ok
    with pytest.raises(TypeError, match=r"gradient\[0\] has the keys \['c', 'a'\]"):
        gradcheck(area, {"a": 2.0, "b": 3.0}, gradient=[{"c": 2.0, "a": 3.0}])
    with pytest.raises(TypeError, match=r"out is complex"):
        gradcheck(lambda x: 1j * x, 1.0, gradient=1.0)


def test_a_budget_is_spent_on_finding_the_wrong_input() -> None:
    def square(v: list[float]) -> float:
        return sum(x * x for x in v)

    slopes = [3.0 if i == 31 else 2.0 for i in range(180)]
    report = gradcheck(square, [1.0] * 180, gradient=slopes, evaluations=200)
    assert report.evaluations <= 200
    assert (report.inputs[-1].label, report.inputs[-1].verdict) == ("v[31]", "wrong")
    right = gradcheck(square, [1.0] * 180, gradient=[2.0] * 180, evaluations=60)
    assert right.ok
    assert "left untried: 180 input(s) one by one" in str(right)
    with pytest.raises(ValueError, match="evaluations is at least 10"):
        gradcheck(square, [1.0], gradient=[2.0], evaluations=3)


def test_a_long_table_begins_with_what_is_wrong() -> None:
    slopes = [3.0 if i == 131 else 2.0 for i in range(180)]
    report = gradcheck(lambda v: sum(x * x for x in v), [1.0] * 180, gradient=slopes)
    lines = str(report).splitlines()
    assert lines[1].startswith("v[131]")
    assert lines[-1] == "and 140 more: 140 ok"


def test_arrays_of_other_shapes() -> None:
    np = pytest.importorskip("numpy")
    assert gradcheck(lambda x: float(x) ** 2, np.array(3.0), gradient=np.array(6.0)).ok
    assert gradcheck(lambda x: x.sum(), np.ones(0), gradient=[np.ones(0)]).inputs == ()
    with pytest.raises(TypeError, match=r"shape \(3, 2\) for an argument of the shape \(2, 3\)"):
        gradcheck(lambda x: x.sum(), np.ones((2, 3)), gradient=[np.ones((3, 2))])


def test_away_from_the_point_f_may_end_in_any_way() -> None:
    def ends(x: float) -> float:
        if x > 1.001:
            raise RuntimeError("no further")
        return x * x

    assert verdicts(ends, 1.0, gradient=2.0) == ["ok"]


@pytest.mark.parametrize("x", [0.3, 0.77, 1.3, 2.1, 5.2])
def test_steps_of_half_precision_are_not_those_of_a_function(x: float) -> None:
    np = pytest.importorskip("numpy")
    rounded = lambda v: float(np.float16(v) * np.float16(v))
    assert verdicts(rounded, x, gradient=2 * x) == ["ok"]
    assert verdicts(rounded, x, gradient=0.0) == ["wrong"]
    assert verdicts(rounded, x, gradient=-2 * x) == ["wrong"]
    assert verdicts(math.floor, x, gradient=0.0) == ["ok"]
    assert verdicts(math.floor, x, gradient=1.0) == ["wrong"]


def test_a_zero_of_a_constant_is_told_from_noise() -> None:
    one = lambda x: math.sin(x) ** 2 + math.cos(x) ** 2
    assert verdicts(one, 0.7, gradient=0.0) == ["ok"]
    assert verdicts(one, 0.7, gradient=1e-3) == ["wrong"]


def test_a_slope_between_noise_and_curvature_is_found() -> None:
    softplus_of_minus = lambda x: math.log(1 + math.exp(-x))  # 6,000 times the spacing
    slope = -1 / (1 + math.exp(27))
    assert verdicts(softplus_of_minus, 27.0, gradient=slope) == ["ok"]
    assert verdicts(softplus_of_minus, 27.0, gradient=-slope) == ["wrong"]


def test_what_is_off_by_little_may_be_approximate() -> None:
    """Half a per mille too little, as of a solver: smooth, so that no noise tells."""
    report = gradcheck(lambda x: 0.9995 * math.exp(x), 1.0, gradient=math.exp(1.0))
    assert report.inputs[0].verdict == "wrong"
    said = "off by 5.0e-04 of the differences at most; if f is itself approximate (a solver's "
    assert report.notes == (said + "tolerance), rtol=0.0006 accepts it",)
    again = gradcheck(lambda x: 0.9995 * math.exp(x), 1.0, gradient=math.exp(1.0), rtol=6e-4)
    assert again.ok
    # Where the slope is small, the same error is a larger share of it: 3 % are said, too.
    small = gradcheck(lambda x: 0.97 * math.exp(x), 1.0, gradient=math.exp(1.0))
    assert small.inputs[0].verdict == "wrong"
    assert "rtol=0.04 accepts it" in small.notes[0]
    far = gradcheck(math.exp, 1.0, gradient=2 * math.exp(1.0))
    assert not far.notes


def test_a_tolerance_leaves_what_is_zero() -> None:
    report = gradcheck(lambda v: v[0] ** 2 + 0 * v[1], [1.0, 2.0], gradient=[2.001, 0], rtol=0.01)
    assert report.ok


def test_a_node_by_hand_that_keeps_its_slope_is_wrong_when_used_twice() -> None:
    kept = {}

    def square(x: Value) -> Value:
        kept["slope"] = 2 * x.data
        out = Value(x.data**2, (x,), "square")

        def _backward() -> None:
            x.grad += kept["slope"] * out.grad

        out._backward = _backward
        return out

    report = gradcheck(square, 3.0)
    found = [(c.label, c.verdict) for c in report.inputs]
    assert found == [("x", "ok"), ("x, used twice", "wrong")]
    assert "right if used once" in str(report)
    assert gradcheck(lambda x: Value(x.data**2, (x,), (2 * x.data,)), 3.0).ok


@pytest.mark.parametrize(
    ("per_unit", "x"),
    [(1e8, 0.030586817515281927), (1e9, 0.00043232229424465535), (1e10, -0.4028946335276427),
     (1e12, 0.22863584327825345), (1e12, -0.1)],
)  # fmt: skip
def test_waves_far_shorter_than_an_input_are_seen(per_unit: float, x: float) -> None:
    waves = lambda t: math.cos(per_unit * t) * math.exp(-t)
    phase = per_unit * x
    slope = -(per_unit * math.sin(phase) + math.cos(phase)) * math.exp(-x)
    assert verdicts(waves, x, gradient=slope) == ["ok"]
    for factor in (1.05, -1.0, 0.0):
        assert verdicts(waves, x, gradient=factor * slope) == ["wrong"]


@pytest.mark.parametrize("x", [0.3542265317905793, 0.7199835358, 0.873956891859495])
def test_small_waves_are_no_noise(x: float) -> None:
    waves = lambda x: x + 1e-4 * math.sin(1000 * x)
    assert verdicts(waves, x, gradient=1 + 0.1 * math.cos(1000 * x)) == ["ok"]
    assert verdicts(waves, x, gradient=1.0) == ["wrong"]


def test_of_many_derivatives_that_are_not_finite_ten_are_looked_at() -> None:
    x = [0.01 * i for i in range(MANY_SCALARS)]
    given = [math.nan] * 12 + [1.0] * (len(x) - 12)
    report = gradcheck(lambda v: sum(v), x, gradient=[given])
    single = [check.label for check in report.inputs if "direction" not in check.label]
    assert single == [f"v[{i}]" for i in range(10)]
    assert "12 derivatives are not finite; 10 were looked at" in report.notes
