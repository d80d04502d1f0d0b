"""Generated code against its reference, the rules interpreted on numbers: the same bits."""

from __future__ import annotations

import math
import random
import re
import sys
from collections.abc import Iterator
from itertools import product as combinations

import pytest

from autograd import TABLE, DomainError, Op, Value, logsumexp, primitive
from autograd.contexts import unchecked
from autograd.engine import record
from autograd.forms import form, product
from autograd.formula import rule
from autograd.lowering import UNROLLED, value_function
from autograd.operation import Number, plain
from tests.floats import bits

XS = [0.0, -0.0, 5e-324, -1e-310, 1e-200, 0.3, -0.7, 1.0, -1.0, 1.5, -2.0, 3.0, 30.0, -800.0]
XS += [1e17, -1e200, sys.float_info.max, math.inf, -math.inf, math.nan]


def samples(op: Op) -> Iterator[tuple[float, ...]]:
    rng = random.Random(op.name)
    for arity in [op.arity] if op.arity else [1, 2, 3, 6, UNROLLED - 50]:
        if arity <= 2:
            every = list(combinations(XS, repeat=arity))
            yield from rng.sample(every, min(len(every), 80))
        else:
            yield from (tuple(rng.choices(XS, k=arity)) for _ in range(100 if arity < 9 else 2))
            yield tuple(rng.uniform(-2, 2) for _ in range(arity))


def reference(op: Op, out: float, args: tuple[float, ...], slots: list[int]) -> list[float]:
    """Return local derivatives by the rule itself."""
    numbers = tuple(map(Number, args))
    if op.pullback:
        parts = op.pullback(Number(1.0), Number(out), numbers)
        return [plain(parts[slot]) for slot in slots]
    return [plain(rule(op, slot, Number(out), numbers)) for slot in slots]


@pytest.mark.parametrize("op", TABLE.values(), ids=TABLE)
def test_values_and_locals_have_the_bits_of_the_rules(op: Op) -> None:
    for args in samples(op):
        out = op.ieee(*args)
        assert bits(value_function(op, len(args))(*args)) == bits(out)
        slots = list(range(len(args)))[:6]
        expected = list(map(bits, reference(op, out, args, slots)))
        locals_ = form(op, (True,) * len(args)).locals(out, *args)
        assert [bits(locals_[slot]) for slot in slots] == expected


@pytest.mark.parametrize("op", TABLE.values(), ids=TABLE)
def test_pull_adds_upstream_times_local(op: Op) -> None:
    """For every pattern of nodes and plain numbers, in order, also where one node is two."""
    rng = random.Random(op.name)
    everything = [args for args in samples(op) if len(args) < 9]
    for args in rng.sample(everything, min(60, len(everything))):
        patterns = list(combinations((True, False), repeat=len(args)))[:-1]
        for pattern in rng.sample(patterns, min(4, len(patterns))):
            with unchecked():
                mixed = [
                    Value(x) if is_node else x for x, is_node in zip(args, pattern, strict=True)
                ]
                node = record(op, tuple(mixed))
            locals_ = reference(op, node.data, args, list(range(len(args))))
            for g in (1.0, -0.3, 0.0, 1e300):
                leaves = [arg for arg in mixed if isinstance(arg, Value)]
                for leaf in leaves:
                    leaf.grad = 0.0
                edges = [(slot, arg) for slot, arg in enumerate(mixed) if isinstance(arg, Value)]
                try:
                    expected = [0.0 + product(node, slot, g, locals_[slot]) for slot, _ in edges]
                except DomainError as error:
                    with pytest.raises(DomainError, match=re.escape(str(error))):
                        form(op, pattern).pull(node, g)
                    continue
                form(op, pattern).pull(node, g)
                assert [bits(leaf.grad) for leaf in leaves] == list(map(bits, expected))


def test_an_argument_given_twice_gets_both_contributions() -> None:
    x = Value(3.0)
    node = x / x
    form(TABLE["div"], (True, True)).pull(node, 2.0)
    assert x.grad == 2.0 * (1 / 3.0) + 2.0 * (-1.0 / 3.0) == 0.0


def test_there_is_one_form_for_each_pattern() -> None:
    mul = TABLE["mul"]
    assert form(mul, (True, False)) is form(mul, (True, False))
    assert form(mul, (True, False)) is not form(mul, (False, True))


@pytest.mark.parametrize("n", [199, 201, UNROLLED, UNROLLED + 1, 1000])
def test_deep_nesting_is_no_limit(n: int) -> None:
    """Python's parser refuses 200 nested parentheses; the maximum of n numbers is n - 1 calls."""
    xs = [Value(i / n) for i in range(n)]
    out = logsumexp(xs)
    out.backward()
    assert math.fsum(x.grad for x in xs) == pytest.approx(1, abs=n * sys.float_info.epsilon)
    assert bits(out.data) == bits(TABLE["logsumexp"].ieee(*(x.data for x in xs)))


def test_equal_parts_are_computed_once_and_signed_zeros_are_not_equal() -> None:
    calls = []

    def counted(x: float) -> float:
        calls.append(x)
        return x

    noisy = Op("noisy", primitive(counted), (lambda y, x: 1.0,))
    twice = Op("twice", lambda x: noisy(x) * noisy(x), (lambda y, x: 2 * x,))
    zeros = Op("zeros", lambda x: 1 / (x * 0.0) + 1 / (x * -0.0), (lambda y, x: 0.0,))
    assert value_function(twice, 1)(3.0) == 9.0
    assert calls == [3.0]
    assert math.isnan(value_function(zeros, 1)(1.0))  # inf + -inf


def test_a_row_may_call_another_with_several_numbers_of_arguments() -> None:
    total = TABLE["sum"]
    op = Op("five", lambda x: total(x, x) + total(x, x, x), (lambda y, x: total(1, 1) + 3,))
    x = Value(2.0)
    y = op(x)
    y.backward()
    assert (y.data, x.grad) == (10.0, 5.0)


def test_a_name_that_python_reads_in_another_form() -> None:
    half = Op("\N{MICRO SIGN}", lambda x: x * 0.5, (lambda y, x: 0.5,))
    op = Op("quarter", lambda x: half(half(x)), (lambda y, x: half(half(x)) / x,))
    x = Value(3.0)
    op(x).backward()
    assert x.grad == 0.25


def test_numpys_numbers_in_a_rule() -> None:
    one = pytest.importorskip("numpy").float64(1)
    op = Op("same", lambda x: x, (lambda y, x: TABLE["where"](x, one, 1) * one,))
    x = Value(3.0)
    op(x).backward()
    assert x.grad == 1.0


def test_long_rows_of_a_user_follow_ieee_754() -> None:
    """Python's (-1.0) ** 0.5 is a complex number."""
    total = TABLE["sum"]
    op = Op(
        "roots",
        lambda *xs: total(*(x**0.5 for x in xs)),
        pullback=lambda g, z, xs: [g * (0.5 * x**-0.5) for x in xs],
        singular=True,
    )
    xs = [Value(4.0)] * UNROLLED + [Value(-1.0)]
    assert math.isnan(op(*xs).data)
    assert op(*xs[:-1], 9.0).data == 2.0 * UNROLLED + 3.0


def test_a_row_of_any_length_passes_floats_back() -> None:
    """Whatever a user's pullback makes of the numbers that it is given, a constant first of all."""
    second = Op(
        "second",
        lambda *xs: 2 * xs[1],
        pullback=lambda g, z, xs: [0, 2 * g, *[0 for _ in xs[2:]]],
    )
    for n in (3, UNROLLED + 1):
        xs = [Value(float(i)) for i in range(n)]
        second(*xs).backward()
        assert [x.grad for x in xs] == [0.0, 2.0, *[0.0] * (n - 2)]
        assert {type(x.grad) for x in xs} == {float}


def test_plain_numbers_have_no_local_derivative_however_many_there_are() -> None:
    for n in (3, UNROLLED + 1):
        pattern = (True, *[False] * (n - 1))
        assert form(TABLE["sum"], pattern).locals(0.0, *[0.0] * n) == (1.0, *[0.0] * (n - 1))
