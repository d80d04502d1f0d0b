"""Under `debug`, the first bad number tells its whole story."""

import math
import sys
from types import SimpleNamespace

import pytest

import autograd
from autograd import (
    CompileError,
    DomainError,
    StaleValueError,
    Value,
    compile,
    debug,
    exp,
    grad,
    log,
    softmax,
    sqrt,
    where,
)


def line_of(function: object, offset: int) -> str:
    return f"test_debugging.py:{function.__code__.co_firstlineno + offset}"  # type: ignore[attr-defined]


def story(action) -> list[str]:
    with debug(), pytest.raises(DomainError) as caught:
        action()
    return str(caught.value).splitlines()


def test_in_a_notebook_the_cell_is_named_as_in_its_tracebacks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As IPython's ``CachingCompiler.format_code_name`` answers: None for a file."""
    names = {__file__: ("Cell", "In[7]")}
    shell = SimpleNamespace(compile=SimpleNamespace(format_code_name=names.get))
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))

    def loss() -> Value:
        return log(Value(-1.0))

    line = loss.__code__.co_firstlineno + 1
    assert story(loss)[0].endswith(f"   at Cell In[7], line {line}")
    names.clear()
    assert story(loss)[0].endswith(line_of(loss, 1))


def test_log_of_a_vanished_probability() -> None:
    def loss() -> Value:
        w, x = Value(2.0, "w"), Value(-900.0, "x")
        p = softmax([w * x, w])
        return -log(p[0])

    lines = story(loss)
    assert lines[0].startswith("log(0.0) is undefined: log needs x > 0   at ")
    assert lines[0].endswith(line_of(loss, 3))
    assert lines[1].endswith(line_of(loss, 2))
    assert "(exp node) / (sum node) = 0.0 / 1.0" in lines[1]
    assert "  it would poison the gradient of w, x" in lines
    assert lines[-1] == "  instead: log_softmax(xs), which never forms the probabilities"


def test_overflow() -> None:
    lines = story(lambda: exp(Value(20.0, "w") * 100))
    assert lines[0].startswith("exp(2000.0) overflows: the result is inf")
    assert "w * 100.0 = 20.0 * 100.0 = 2000.0" in lines[1]
    assert "sigmoid" in lines[-1]


@pytest.mark.parametrize(
    ("action", "cause"),
    [
        (lambda: Value(math.inf) * 0, "inf * 0.0 is NaN: 0 times infinity"),
        (lambda: Value(math.inf) - math.inf, "inf - inf is NaN: infinities of opposite sign"),
        (lambda: Value(math.inf) / math.inf, "inf / inf is NaN: infinity over infinity"),
    ],
)
def test_nan_from_infinities(action, cause: str) -> None:
    assert story(action)[0].startswith(cause)


def test_nan_that_came_in_is_no_new_accident() -> None:
    with debug():
        assert math.isnan((Value(math.nan) * 2).data)


def test_a_derivative_that_is_not_finite() -> None:
    x, y = Value(0.0, "x"), Value(0.0, "y")

    def loss() -> None:
        norm = sqrt(x * x + y * y)
        (norm * 2).backward()

    lines = story(loss)
    assert lines[0].startswith("the derivative of sqrt(0.0) with respect to its argument x is inf")
    assert lines[1] == "  on the way (mul node) > (sqrt node)"
    assert "  it would poison the gradient of x, y" in lines
    assert lines[-1].startswith("  instead: hypot(x, y)")
    assert (x.grad, y.grad) == (0.0, 0.0)


@pytest.mark.parametrize(
    ("action", "remedy"),
    [
        (lambda x: log(autograd.sigmoid(x - 1000)), "-softplus(-x)"),
        (lambda x: log(exp(x - 1000)), "x itself"),
        (lambda x: log(exp(x - 1000) + exp(x - 1000)), "logsumexp(xs)"),
        (lambda x: log(x - 1), "clamp(x, 1e-12, inf)"),
        (lambda x: 1 / (x - 1), "where(c, a, b)"),
        (lambda x: sqrt(x - 2), "maximum(x, 0.0)"),
        (lambda x: (x - 2) ** 0.5, "maximum(x, 0.0)"),
        (lambda x: (x - 2) ** 1.5, "integer exponent"),
    ],
)
def test_remedies(action, remedy: str) -> None:
    assert remedy in story(lambda: action(Value(1.0, "x")))[-1]


def test_a_long_way_is_abridged_and_says_so() -> None:
    def loss() -> None:
        y = sqrt(Value(0.0, "x"))
        for _ in range(20):
            y = y + 1
        y.backward()

    way = "(add node) > " * 6 + "... > " + "(add node) > " * 5 + "(sqrt node)"
    assert story(loss)[1] == f"  on the way {way}"


def test_of_many_arguments_the_first_and_the_last_are_spelled() -> None:
    xs = [Value(float(i), f"x{i}") for i in range(100)]
    lines = story(lambda: log(autograd.sum(xs) - 5000))
    assert "sum(x0, x1, x2, x3, x4, x5, ..., x94, x95, x96, x97, x98, x99) = sum(0.0, " in lines[2]
    assert max(map(len, lines)) < 400


def test_many_leaves_are_counted_and_long_lines_of_descent_cut() -> None:
    xs = [Value(1.0, f"x{i}") for i in range(20)]

    def loss() -> Value:
        total = sum(xs)
        for _ in range(50):
            total = total * 1.0
        return log(total - 20)

    lines = story(loss)
    assert any(line.endswith("and 14 more") for line in lines)
    assert len(lines) < 12


def test_stale_values() -> None:
    with debug():
        x = Value(2.0, "x")
        y = x * x
        x.data = 5
        with pytest.raises(StaleValueError) as caught:
            y.backward()
    message = str(caught.value)
    assert message.startswith("5.0 * 5.0 is 25.0 now, but (mul node) holds 4.0   at ")
    assert line_of(test_stale_values, 3) in message
    assert f"x set at {__file__}" in message
    assert line_of(test_stale_values, 4) in message
    assert x.grad == 0.0
    with debug():
        y = x * x
        y.backward()
    assert x.grad == 10.0
    with debug():
        unnamed = Value(2.0)
        y = unnamed * unnamed
        unnamed.data = 5
        with pytest.raises(StaleValueError, match=r"holds 4\.0 .*, \(leaf\) set at "):
            y.backward()


def test_assignments_are_checked() -> None:
    x = Value(2.0)
    with debug():
        with pytest.raises(TypeError, match="expected a real number"):
            x.data = "5"  # type: ignore[assignment]
        x.data = 3
    assert x.data == 3.0


def test_functions_are_compiled_inside() -> None:
    w = Value(3.0)
    before = w * w
    with debug():
        times = compile(lambda x: w * x**2, 0.0, wrt=[w])
        assert times.value_and_grad(2.0) == (12.0, [4.0])
        before.backward()  # that the compiler hid the number of w was no change of it
        assert (w.data, w.grad) == (3.0, 6.0)

        def setting(x: Value) -> Value:
            w.data = 5.0
            return w * x

        with pytest.raises(CompileError, match="is set"):
            compile(setting, 0.0)
        assert w.data == 3.0


def test_the_watch_ends_with_the_context() -> None:
    plain = Value.__dict__["data"]
    with debug(), debug():
        assert Value.__dict__["data"] is not plain
    assert Value.__dict__["data"] is plain


def test_a_decorator_and_rules_inside() -> None:
    @debug()
    def slope() -> float:
        return grad(lambda x: where(x, sqrt(x), 2 * x))(0.0)

    assert slope() == 2.0  # graphs of rules follow IEEE 754: they are no accident
