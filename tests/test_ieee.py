"""The functions that never raise: Python's results where it gives any, IEEE 754's where not."""

from __future__ import annotations

import math
import operator
import sys
from collections.abc import Callable
from itertools import product

import pytest

from autograd import ieee
from tests.floats import bits

inf, nan = math.inf, math.nan
XS = [0.0, 5e-324, 1e-300, 0.3, 0.5, 1.0, 1.5, 2.0, 3.0, 700.0, 1000.0, 1e16, sys.float_info.max]
XS = [*XS, *(-x for x in XS), inf, -inf, nan]


TWINS: list[tuple[Callable[..., float], Callable[..., float], int]] = [
    (ieee.div, operator.truediv, 2),
    (ieee.pow, math.pow, 2),
    *(
        (getattr(ieee, name), getattr(math, name), 1)
        for name in (
            "exp",
            "expm1",
            "sinh",
            "cosh",
            "log",
            "log1p",
            "atanh",
            "sqrt",
            "sin",
            "cos",
            "tan",
            "asin",
            "acos",
            "acosh",
        )
    ),
]


@pytest.mark.parametrize(("total", "partial", "arity"), TWINS)
def test_twins_agree_wherever_python_gives_a_number(
    total: Callable[..., float], partial: Callable[..., float], arity: int
) -> None:
    raised = 0
    for args in product(XS, repeat=arity):
        got = total(*args)
        assert type(got) is float
        try:
            assert bits(got) == bits(partial(*args))
        except (ValueError, ArithmeticError):
            raised += 1
            assert not math.isfinite(got)
    assert raised  # else it needs no twin


@pytest.mark.parametrize(
    ("function", "args", "result"),
    [
        (ieee.div, (1.0, 0.0), inf),
        (ieee.div, (1.0, -0.0), -inf),
        (ieee.div, (-1.0, 0.0), -inf),
        (ieee.div, (-inf, -0.0), inf),
        (ieee.div, (0.0, 0.0), nan),
        (ieee.div, (nan, 0.0), nan),
        (ieee.pow, (-8.0, 1 / 3), nan),
        (ieee.pow, (0.0, -1.0), inf),
        (ieee.pow, (-0.0, -1.0), -inf),
        (ieee.pow, (-0.0, -2.0), inf),
        (ieee.pow, (-0.0, -0.5), inf),
        (ieee.pow, (0.0, -inf), inf),
        (ieee.pow, (-0.0, math.nextafter(-1.0, 0.0)), inf),
        (ieee.pow, (-0.0, -(2.0**53) - 2), inf),
        (ieee.pow, (-0.0, -(2.0**53) + 1), -inf),
        (ieee.pow, (-1e200, 3.0), -inf),
        (ieee.pow, (-1e200, 2.0), inf),
        (ieee.pow, (-1e-200, -3.0), -inf),
        (ieee.pow, (nan, 0.0), 1.0),
        (ieee.pow, (1.0, nan), 1.0),
        (ieee.exp, (1e3,), inf),
        (ieee.expm1, (1e3,), inf),
        (ieee.sinh, (-1e3,), -inf),
        (ieee.cosh, (-1e3,), inf),
        (ieee.log, (0.0,), -inf),
        (ieee.log, (-0.0,), -inf),
        (ieee.log, (-1.0,), nan),
        (ieee.log1p, (-1.0,), -inf),
        (ieee.log1p, (-2.0,), nan),
        (ieee.atanh, (1.0,), inf),
        (ieee.atanh, (-1.0,), -inf),
        (ieee.atanh, (1.5,), nan),
        (ieee.sqrt, (-1.0,), nan),
        (ieee.sqrt, (-0.0,), -0.0),
        (ieee.sin, (inf,), nan),
        (ieee.acosh, (0.5,), nan),
        (ieee.maximum, (nan, 1.0), nan),
        (ieee.maximum, (1.0, nan), nan),
        (ieee.minimum, (nan, 1.0), nan),
        (ieee.minimum, (1.0, nan), nan),
        (ieee.maximum, (2.0, 3.0), 3.0),
        (ieee.maximum, (-0.0, 0.0), -0.0),
        (ieee.minimum, (0.0, -0.0), 0.0),
        (ieee.minimum, (2.0, 3.0), 2.0),
        (ieee.heaviside, (0.0,), 0.0),
        (ieee.heaviside, (5e-324,), 1.0),
        (ieee.heaviside, (nan,), nan),
        (ieee.sign, (-5e-324,), -1.0),
        (ieee.sign, (-0.0,), 0.0),
        (ieee.sign, (nan,), nan),
        (ieee.where, (0.0, 1.0, 2.0), 2.0),
        (ieee.where, (inf, 1.0, nan), 1.0),
        (ieee.mul_no_nan, (0.0, inf), 0.0),
        (ieee.mul_no_nan, (-0.0, nan), 0.0),
        (ieee.mul_no_nan, (2.0, inf), inf),
        (ieee.mul_no_nan, (nan, 0.0), nan),
    ],
)
def test_special_values(
    function: Callable[..., float], args: tuple[float, ...], result: float
) -> None:
    assert bits(function(*args)) == bits(result)
