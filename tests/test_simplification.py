"""Every simplification keeps every bit, and what looks like one but isn't is left alone."""

from __future__ import annotations

import math
import random
import sys
from collections.abc import Sequence
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograd import TABLE, Op, Value, ops
from autograd.compiler.program import Program, run
from autograd.compiler.writer import program_of
from autograd.contexts import unchecked
from tests.floats import bits

inf, nan = math.inf, math.nan
XS = [0.0, 5e-324, 1e-310, sys.float_info.min, 0.3, 1.0, 3.0, 1e300, sys.float_info.max]
XS = [*XS, *(-x for x in XS), inf, -inf, nan]
CONSTANTS = [0.0, 1.0, 0.5, 2.0, 3.0, 2.0**-1019, 2.0**1018, 2.0**1022, 5e-324]
CONSTANTS = [*CONSTANTS, *(-c for c in CONSTANTS), inf, -inf, nan]


def program_for(op: Op, args: Sequence[float | None]) -> Program:
    """Return the program that applies ``op`` to numbers, and to inputs in place of None."""
    inputs = [Value(0.5) for arg in args if arg is None]
    places = iter(inputs)
    with unchecked():
        out = op(*(next(places) if arg is None else arg for arg in args))
    return program_of(inputs, [], [out])


@pytest.mark.parametrize(
    ("op", "args", "body"),
    [
        (ops.mul, (None, 1.0), "return v0"),
        (ops.mul, (1.0, None), "return v0"),
        (ops.mul, (None, -1.0), "v1 = neg(v0)\nreturn v1"),
        (ops.mul, (-1.0, None), "v1 = neg(v0)\nreturn v1"),
        (ops.div, (None, 1.0), "return v0"),
        (ops.div, (None, 8.0), "v1 = mul(v0, 0.125)\nreturn v1"),
        (ops.div, (None, -0.5), "v1 = mul(v0, -2.0)\nreturn v1"),
        (ops.div, (None, -1.0), "v1 = neg(v0)\nreturn v1"),
        (ops.sub, (None, 0.0), "return v0"),
        (ops.add, (None, -0.0), "return v0"),
        (ops.add, (-0.0, None), "return v0"),
        (ops.pow, (None, 1.0), "return v0"),
        (ops.where, (1.0, None, None), "return v0"),
        (ops.where, (0.0, None, None), "return v1"),
        (ops.where, (nan, None, None), "return v1"),
        (ops.mul_no_nan, (2.0, None), "v1 = mul(2.0, v0)\nreturn v1"),
        (ops.mul_no_nan, (inf, None), "v1 = mul(inf, v0)\nreturn v1"),
        (ops.sum, (None,), "return v0"),
        (ops.dot, (None, None), "v2 = mul(v0, v1)\nreturn v2"),
        (ops.dot, (None, 1.0), "return v0"),
    ],
)
def test_what_is_simplified(op: Op, args: tuple[float | None, ...], body: str) -> None:
    lines = str(program_for(op, args)).splitlines()[1:]
    assert [line.strip() for line in lines] == body.splitlines()


@pytest.mark.parametrize(
    ("op", "args"),
    [
        (ops.mul, (None, 0.0)),  # NaN for inf and NaN; -0.0 for a negative number
        (ops.add, (None, 0.0)),  # 0.0 for -0.0
        (ops.sub, (None, -0.0)),  # 0.0 for -0.0
        (ops.sub, (0.0, None)),  # 0.0 for 0.0, where neg gives -0.0
        (ops.div, (None, 3.0)),  # 1 / 3 is rounded
        (ops.div, (None, 2.0**1023)),  # its reciprocal is subnormal
        (ops.div, (None, 0.0)),
        (ops.div, (None, inf)),
        (ops.div, (1.0, None)),
        (ops.pow, (None, 2.0)),  # libm's pow is no product
        (ops.mul_no_nan, (nan, None)),
        (ops.mul_no_nan, (None, 2.0)),  # 0.0 for -0.0
        (ops.where, (None, 1.0, 1.0)),
    ],
)
def test_what_is_not_simplified(op: Op, args: tuple[float | None, ...]) -> None:
    (instruction,) = program_for(op, args).instructions
    assert instruction.op is op
    assert [arg for arg in instruction.args if isinstance(arg, float)] == pytest.approx(
        [arg for arg in args if arg is not None], rel=0, abs=0, nan_ok=True
    )


def patterns(op: Op) -> list[tuple[float | None, ...]]:
    """Return arguments with at least one input and at least one constant."""
    rng = random.Random(op.name)
    choices: list[tuple[float | None, ...]] = []
    for arity in [op.arity] if op.arity else [1, 2, 3, 4]:
        choices += product([None, *CONSTANTS], repeat=arity) if arity < 3 else []
        choices += [tuple(rng.choices([None, None, *CONSTANTS], k=arity)) for _ in range(200)]
    return [args for args in choices if None in args]


@pytest.mark.parametrize("op", TABLE.values(), ids=TABLE)
def test_every_bit_is_kept(op: Op) -> None:
    rng = random.Random(op.name)
    for args in patterns(op):
        program = program_for(op, args)
        for numbers in zip(*(rng.sample(XS, len(XS)) for _ in range(program.inputs)), strict=True):
            places = iter(numbers)
            full = [next(places) if arg is None else arg for arg in args]
            assert bits(run(program, numbers)[0]) == bits(op.ieee(*full)), full


@given(st.floats(), st.integers(-1074, 1023), st.sampled_from([1.0, -1.0]))
def test_dividing_by_a_power_of_two_keeps_every_bit(x: float, k: int, sign: float) -> None:
    divisor = sign * 2.0**k
    assert bits(run(program_for(ops.div, (None, divisor)), [x])[0]) == bits(x / divisor)
