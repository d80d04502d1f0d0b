"""Recorded graphs as programs: what they compute, what is refused, and how big they may be."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given, settings

from autograd import Op, Value, gradients, ops
from autograd.compiler.program import Instruction, Program, run
from autograd.compiler.writer import program_of
from autograd.contexts import unchecked
from autograd.errors import CompileError
from autograd.testing.straightline import StraightLine
from autograd.testing.strategies import expressions
from tests.floats import bits

inf, nan = math.inf, math.nan


@settings(max_examples=25)
@given(expressions(smooth=False))
@pytest.mark.long
def test_a_program_has_the_bits_of_the_graph(expression: StraightLine) -> None:
    values = expression.values()
    inputs = values[: len(expression.inputs)]
    wanted = [values[-1], *gradients(values[-1], inputs)]
    program = program_of(inputs, [], wanted).validate()
    assert list(map(bits, run(program, expression.inputs))) == [bits(v.data) for v in wanted]


def test_parameters_follow_the_inputs() -> None:
    x, w, b = Value(2.0), Value(3.0), Value(4.0)
    program = program_of([x], [w, b], [w * x + b])
    assert (program.inputs, program.parameters, program.first) == (1, 2, 3)
    assert run(program, [5.0, 6.0, 7.0]) == [37.0]
    assert program.uniform() == [False, True, True, False, False]


def test_formula_rows_are_written_out_and_sums_stay() -> None:
    x, w = Value(2.0), Value(3.0)
    program = program_of([x], [w], [ops.sigmoid(ops.dot(w, x, 1.0)) + ops.sum(x, w, x)])
    names = [op.name for op, _ in program.instructions]
    assert {"dot", "sum"} < set(names)
    assert "sigmoid" not in names


def test_dead_code_is_dropped() -> None:
    x = Value(2.0)
    # The rows of both branches are written down before the constant condition is met.
    out = ops.where(1.0, ops.cos(x), ops.sin(x))
    assert [op for op, _ in program_of([x], [], [out]).instructions] == [ops.cos]


def test_equal_parts_are_computed_once() -> None:
    x, y = Value(2.0), Value(3.0)
    program = program_of([x, y], [], [ops.sin(x * y) + ops.sin(x * y), ops.sin(x * y), y * x])
    # y * x has the bits of x * y, but isn't written the same way.
    assert [op.name for op, _ in program.instructions] == ["mul", "sin", "add", "mul"]
    assert program.outputs[1] == 3


def test_zeros_of_either_sign_are_different_constants() -> None:
    x = Value(2.0)
    program = program_of([x], [], [x * 0.0, x * -0.0])
    assert len(program.instructions) == 2
    assert list(map(bits, run(program, [1.0]))) == [bits(0.0), bits(-0.0)]


def test_a_result_is_not_the_constant_of_its_number() -> None:
    x, y = Value(2.0), Value(3.0)
    program = program_of([x, y], [], [ops.hypot(x, y), ops.hypot(x, 1.0), ops.hypot(0.0, y)])
    assert len(program.instructions) == 3
    assert run(program, [3.0, 4.0]) == [5.0, math.hypot(3.0, 1.0), 4.0]


def test_constants_are_folded_by_ieee_754() -> None:
    """The rows of a formula may meet constants where Python's operators raise."""
    log = Op("shielded", lambda x, y: ops.where(y, ops.log(x), y), (lambda z, x, y: 0.0,) * 2)
    inverse = Op("inverted", lambda x, y: ops.where(y, 1 / x, y), (lambda z, x, y: 0.0,) * 2)
    y = Value(2.0)
    with unchecked():
        program = program_of([y], [], [log(0.0, y), log(-1.0, y), inverse(-0.0, y)])
    assert list(map(bits, run(program, [1.0]))) == list(map(bits, [-inf, nan, -inf]))


def test_inputs_and_plain_numbers_may_be_outputs() -> None:
    x = Value(2.0)
    program = program_of([x], [], [x, 1.5, x * 1.0])
    assert program.instructions == ()
    assert run(program, [7.0]) == [7.0, 1.5, 7.0]


def test_an_opaque_row_is_refused_by_name() -> None:
    murky = Op("murky", lambda x: math.sin(float(x)), (lambda y, x: ops.cos(x),))
    x = Value(2.0)
    with pytest.raises(CompileError, match="murky can't be compiled: its forward is opaque"):
        program_of([x], [], [murky(x) + 1.0])


@pytest.mark.parametrize(
    ("instructions", "outputs", "message"),
    [
        ([(ops.sin, (1,))], [1], "v1 uses 1, which is no earlier result"),
        ([(ops.sin, (2,)), (ops.sin, (0,))], [1], "v1 uses 2, which"),
        ([(ops.sin, (-1,))], [1], "v1 uses -1, which"),
        ([(ops.sin, (True,))], [1], "v1 uses True, which"),
        ([(ops.sin, ("x",))], [1], "v1 uses 'x', which"),
        ([(ops.sin, (0, 0))], [1], "v1: sin takes 1 arguments"),
        ([(ops.mul, (0,))], [1], "v1: mul takes 2 arguments"),
        ([(ops.sigmoid, (0,))], [1], r"v1 = sigmoid\(...\) is no primitive"),
        ([(ops.logsumexp, (0, 0))], [1], r"v1 = logsumexp\(...\) is no primitive"),
        ([], [1], "return uses 1, which"),
    ],
)
def test_validate_refuses(instructions: list[Any], outputs: list[Any], message: str) -> None:
    program = Program(1, 0, [Instruction(*parts) for parts in instructions], outputs)
    with pytest.raises(CompileError, match=message):
        program.validate()


def test_validate_returns_what_is_fine() -> None:
    program = Program(1, 1, [Instruction(ops.dot, (0, 1, 0.5)), Instruction(ops.sin, (2,))], [3, 0])
    assert program.validate() is program


def test_programs_are_equal_when_they_read_the_same() -> None:
    x, y = Value(2.0), Value(3.0)
    assert program_of([x], [], [x * 2.0]) == program_of([y], [], [y * 2.0])
    assert program_of([x], [], [x * 2.0]) != program_of([y], [], [y * 2.5])
    assert program_of([x], [], [x * 0.0]) != program_of([x], [], [x * -0.0])


@pytest.mark.long
def test_depth_is_no_limit() -> None:
    v = x = Value(0.5)
    for i in range(100_000):
        v = v * 1.5 if i % 2 else ops.sin(v)
    program = program_of([x], [], [v])
    assert len(program.instructions) == 100_000
    assert bits(run(program, [0.5])[0]) == bits(v.data)
