"""Domains: what they contain, how they print, and the messages made of them."""

from __future__ import annotations

import math

import pytest

from autograd import (
    FINITE,
    NONNEGATIVE,
    POSITIVE,
    REAL,
    TABLE,
    UNIT,
    Domain,
    DomainError,
    Joint,
    Op,
)

inf, nan = math.inf, math.nan


@pytest.mark.parametrize(
    ("domain", "inside", "outside", "text"),
    [
        (REAL, [0.0, -inf, inf], [], "real"),
        (FINITE, [0.0, 1.7e308], [inf, -inf], "finite"),
        (POSITIVE, [5e-324, inf], [0.0, -0.0, -1.0], "> 0"),
        (NONNEGATIVE, [0.0, -0.0], [-5e-324], ">= 0"),
        (UNIT, [-1.0, 1.0], [math.nextafter(1, 2), -2.0, inf], "in [-1, 1]"),
        (Domain(-1, 1, open_low=True, open_high=True), [0.0], [-1.0, 1.0], "in (-1, 1)"),
        (Domain(0, 2, open_high=True), [0.0], [2.0], "in [0, 2)"),
        (Domain(high=3), [3.0, -inf], [4.0], "<= 3"),
        (Domain(high=3, open_high=True), [2.0], [3.0], "< 3"),
        (REAL.without(0), [1.0], [0.0, -0.0], "!= 0"),
        (POSITIVE.without(1).without(2), [3.0], [0.0, 1.0, 2.0], "> 0 and != 1 and != 2"),
    ],
)
def test_domain(domain: Domain, inside: list[float], outside: list[float], text: str) -> None:
    assert all(x in domain for x in [*inside, nan])  # NaN is the trace of an earlier accident
    assert not any(x in domain for x in outside)
    assert repr(domain) == text


def test_joint_domain_of_numbers_that_depend_on_each_other() -> None:
    ordered = Joint("low <= high", lambda low, high: low <= high)
    assert repr(ordered) == "low <= high"
    width = Op(
        "width", lambda low, high: high - low, (lambda z, x, y: -1, lambda z, x, y: 1), ordered
    )
    assert width(1.0, 3.0) == 2.0
    assert math.isnan(width(nan, 3.0))
    with pytest.raises(DomainError, match=r"width\(3.0, 1.0\) .*: width needs low <= high"):
        width(3.0, 1.0)


def test_a_joint_domain_is_not_asked_about_nan() -> None:
    whole = Joint("a whole number", lambda x: int(x) == x)
    assert math.isnan(Op("count", lambda x: x, (lambda y, x: 1,), whole)(nan))


@pytest.mark.parametrize(
    ("name", "args", "value"),
    [
        ("atan2", (0.0, 1.0), 0.0),
        ("atan2", (1.0, 0.0), math.pi / 2),
        ("clamp", (0.0, 1.0, 1.0), 1.0),
        ("pow", (0.0, 0.0), 1.0),
        ("pow", (-2.0, -3.0), -0.125),
        ("pow", (-inf, 0.5), inf),
        ("pow", (-2.0, inf), inf),
    ],
)
def test_a_domain_reaches_to_its_border(name: str, args: tuple[float, ...], value: float) -> None:
    assert TABLE[name](*args) == value


@pytest.mark.parametrize(
    ("name", "args", "message"),
    [
        ("log", (-1.0,), "log(-1.0) is undefined: log needs x > 0"),
        ("log", (0.0,), "log(0.0) is undefined: log needs x > 0"),
        ("div", (1.0, 0.0), "1.0 / 0.0 is undefined: div needs y != 0"),
        ("sqrt", (-1.0,), "sqrt(-1.0) is undefined: sqrt needs x >= 0"),
        ("sin", (inf,), "sin(inf) is undefined: sin needs x finite"),
        ("asin", (2.0,), "asin(2.0) is undefined: asin needs x in [-1, 1]"),
        ("atanh", (1.0,), "atanh(1.0) is undefined: atanh needs x in (-1, 1)"),
        ("atan2", (0.0, 0.0), "atan2(0.0, 0.0) is undefined: atan2 needs x and y not both 0"),
        ("clamp", (0.0, 2.0, 1.0), "clamp(0.0, 2.0, 1.0) is undefined: clamp needs low <= high"),
        ("pow", (-1.0, 0.5), "(-1.0) ** 0.5 is undefined: pow needs a base > 0, "),
        ("pow", (0.0, -1.0), "0.0 ** -1.0 is undefined: pow needs a base > 0, "),
    ],
)
def test_messages_name_op_number_and_need(name: str, args: tuple[float, ...], message: str) -> None:
    with pytest.raises(DomainError) as caught:
        TABLE[name](*args)
    assert str(caught.value).startswith(message)
