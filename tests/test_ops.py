"""The laws of the table, each a function of a row, run over every row and over a user's own."""

from __future__ import annotations

import dis
import math
import operator
import random
import sys
from collections.abc import Callable, Iterator
from itertools import product, starmap
from types import CodeType
from typing import Any

import pytest

import autograd
from autograd import (
    POSITIVE,
    REAL,
    TABLE,
    Domain,
    DomainError,
    Op,
    RuleError,
    Value,
    gradcheck,
    gradients,
    ops,
    primitive,
    recorders,
)
from autograd.formula import rule
from autograd.graph import topological_order
from autograd.operand import Operand
from autograd.operation import Number, Primitive, Symbol, plain
from tests.floats import bits

inf, nan = math.inf, math.nan
TINY, HUGE = sys.float_info.min, sys.float_info.max
ORDINARY = [-3.0, -1.5, -1.0, -0.3, 0.0, 0.3, 1.0, 1.5, 2.0, 7.0]
FINITE = sorted(
    {*ORDINARY, 5e-324, -5e-324, TINY, -TINY, 1e-160, 1e16, 1e160, HUGE, -HUGE, -750.0, 750.0}
)
EXTREMES = [*FINITE, -0.0, inf, -inf, nan]

BUILT_IN = {name: op for name, op in TABLE.items() if getattr(ops, name, None) is op}

INFIX: dict[str, Callable[..., Any]] = {
    "add": operator.add,
    "sub": operator.sub,
    "mul": operator.mul,
    "div": operator.truediv,
    "pow": operator.pow,
    "neg": operator.neg,
    "abs": operator.abs,
}


def tuples(op: Op, xs: list[float]) -> Iterator[tuple[float, ...]]:
    """Return argument tuples made of ``xs``: all of them, or 100 where there are too many."""
    for arity in [op.arity] if op.arity else [1, 2, 3, 5]:
        if len(xs) ** arity <= 500:
            yield from product(xs, repeat=arity)
        else:
            rng = random.Random(arity)
            yield from (tuple(rng.choices(xs, k=arity)) for _ in range(100))


def locals_by_rule(op: Op, args: tuple[float, ...]) -> list[float]:
    """Return the local derivatives, by the rule interpreted on numbers."""
    out, numbers = Number(op.ieee(*args)), tuple(map(Number, args))
    return [plain(rule(op, slot, out, numbers)) for slot in range(len(args))]


def symbolic_results(op: Op) -> list[Any]:
    """Return the forward, if it is a formula, and all rules, as formulas."""
    out, args = Symbol("out"), tuple(map(Symbol, op.parameters if op.arity else "abc"))
    results = [] if isinstance(op.forward, Primitive) or op.opaque else [op.forward(*args)]
    if op.pullback:
        return [*results, *op.pullback(Symbol("g"), out, args)]
    return [*results, *(partial(out, *args) for partial in op.partials)]


# The laws


@pytest.fixture(autouse=True)
def both_ways(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the laws meet both ways of recording: the general one first, then the recorders."""
    monkeypatch.setattr(recorders, "CALLS_WORTHWHILE", 3)


def law_no_branches(op: Op) -> None:
    """Neither the rules nor a formula contain a conditional jump."""

    def jumps(code: CodeType) -> Iterator[str]:
        for instruction in dis.get_instructions(code):
            if "JUMP" in instruction.opname and "IF" in instruction.opname:
                yield instruction.opname
        for constant in code.co_consts:
            if isinstance(constant, CodeType):
                yield from jumps(constant)

    functions = [*op.partials, *filter(None, [op.pullback, op.kinks])]
    if not (op.opaque or isinstance(op.forward, Primitive)):
        functions.append(op.forward)
    assert not [jump for function in functions for jump in jumps(function.__code__)]


def law_closed(op: Op) -> None:
    """Rules lead to rows of the table only, so that every derivative has a derivative."""
    for result in symbolic_results(op):
        for part in topological_order(result) if isinstance(result, Symbol) else []:
            assert part.op is None or TABLE[part.op.name] is part.op


def law_per_argument(op: Op) -> None:
    """Every column speaks of every argument."""
    if op.arity:
        assert len(op.partials) == len(op.parameters) == op.arity
        assert not isinstance(op.domain, tuple) or len(op.domain) in (0, op.arity)
    else:
        for n in (1, 2, 3, 6):
            contributions = op.pullback(Number(1.0), Number(0.5), (Number(0.5),) * n)
            assert len(contributions) == n


def law_ieee(op: Op) -> None:
    """Forward and rules give a float for any floats, and never raise."""
    for args in tuples(op, EXTREMES):
        assert type(op.ieee(*args)) is float
        assert all(type(local) is float for local in locals_by_rule(op, args))


def law_nan_propagates(op: Op) -> None:
    """One NaN among ordinary arguments makes the result NaN."""
    for slot in range(op.arity or 3):
        args = [-0.5] * (op.arity or 3)
        args[slot] = nan
        assert math.isnan(op.ieee(*args))


def law_singular(op: Op) -> None:
    """A local derivative is finite at all finite arguments, unless the row is marked singular.

    Arguments outside the domain count: the graphs that `gradients` makes have no domain.
    """
    bad = next(
        (a for a in tuples(op, FINITE) if not all(map(math.isfinite, locals_by_rule(op, a)))), None
    )
    assert (bad is not None) == op.singular, bad


def law_linear(op: Op) -> None:
    """A pullback is linear in g, to the bit: g times its result for 1.

    But for the sign of a zero, which no grad can tell, as it begins at 0.0.
    """
    for args in tuples(op, ORDINARY):
        out, numbers = Number(op.ieee(*args)), tuple(map(Number, args))
        ones = [plain(part) for part in op.pullback(Number(1.0), out, numbers)]
        for g in (0.1, -3.0, 0.0, -0.0, 1e-310, 1e300):
            parts = [plain(part) + 0.0 for part in op.pullback(Number(g), out, numbers)]
            assert list(map(bits, parts)) == [bits(g * one + 0.0) for one in ones]


def law_domain(op: Op) -> None:
    """Applied by the user, to floats or Values, a row raises exactly outside its domain."""
    apply = INFIX.get(op.name, op)
    for args in tuples(op, EXTREMES):
        problem = op.violation(list(args))
        attempts: list[Callable[[], Any]] = [
            lambda args=args: op(*args),
            lambda args=args: op(*map(Value, args)),
            lambda args=args: apply(*map(Value, args)),
            lambda args=args: apply(Value(args[0]), *args[1:]),
            lambda args=args: apply(*args[:-1], Value(args[-1])),
        ]
        for attempt in attempts:
            if problem:
                with pytest.raises(DomainError) as caught:
                    attempt()
                assert str(caught.value) == problem
            else:
                found = attempt()
                number = found.data if isinstance(found, Value) else found
                assert bits(number) == bits(op.ieee(*args))


def law_kinks(op: Op) -> None:
    """At a kink the derivative is a convention, between those on either side, and noted.

    Where two kinks meet (clamp with low = high) there may be no such number.
    """
    assert "derivative" in op.note or "'(0)" in op.note or "at a tie" in op.note

    def is_kink(args: tuple[float, ...]) -> bool:
        return [plain(zero) for zero in op.kinks(*map(Number, args))].count(0) == 1

    kinks = [a for a in tuples(op, ORDINARY) if not op.violation(list(a)) and is_kink(a)]
    assert kinks
    for args in kinks:
        for slot in range(len(args)):
            here = locals_by_rule(op, args)[slot]
            sides = [
                locals_by_rule(op, moved)[slot]
                for side in (-1e-9, 1e-9)
                for moved in [(*args[:slot], args[slot] + side, *args[slot + 1 :])]
                if not op.violation(list(moved))
            ]
            assert min(sides) - 1e-8 <= here <= max(sides) + 1e-8


def check_laws(op: Op) -> None:
    """Run every law that concerns ``op``."""
    for law in (law_no_branches, law_closed, law_per_argument, law_ieee, law_singular, law_domain):
        law(op)
    if op.pullback:
        law_linear(op)
    if op.kinks:
        law_kinks(op)


@pytest.mark.parametrize("op", TABLE.values(), ids=TABLE)
def test_rules_are_the_slopes_of_the_forward(op: Op) -> None:
    """To what differences can tell; `tests.test_accuracy` counts ulp."""
    points = [[*args][: op.arity] for args in ((0.37, 0.6, 0.9, -0.2), (1.7, 2.6, 3.9, -1.2))]
    allowed = [point for point in points if not op.violation(point)]
    assert allowed
    for point in allowed:
        assert {check.verdict for check in gradcheck(op, *point).inputs} <= {"ok", "kink"}


UNBOUND_BY_NAN = {"where", "take"}
"""They choose: a NaN that isn't chosen leaves no trace, and a NaN condition chooses the last."""


@pytest.mark.parametrize("op", TABLE.values(), ids=TABLE)
def test_laws(op: Op) -> None:
    check_laws(op)
    assert not op.opaque
    if op.name not in UNBOUND_BY_NAN:
        law_nan_propagates(op)


def test_where_chooses() -> None:
    where = TABLE["where"]
    assert [where(c, 1.0, 2.0) for c in (1e-300, 0.0, -1.0, nan)] == [1.0, 2.0, 2.0, 2.0]
    assert where(1.0, 2.0, nan) == 2.0


@pytest.mark.parametrize(
    ("name", "args", "locals_", "says"),
    [
        ("abs", (0.0,), [0.0], "abs'(0) = 0"),
        ("relu", (0.0,), [0.0], "relu'(0) = 0"),
        ("heaviside", (0.0,), [0.0], "derivative 0 everywhere"),
        ("heaviside", (3.0,), [0.0], "derivative 0 everywhere"),
        ("sign", (0.0,), [0.0], "derivative 0 everywhere"),
        ("sign", (-2.0,), [0.0], "derivative 0 everywhere"),
        ("leaky_relu", (0.0, 0.1), [0.1, 0.0], "leaky_relu'(0) = slope"),
        ("elu", (0.0, 0.7), [0.7, 0.0], "elu'(0) = alpha"),
        ("where", (0.0, 5.0, 6.0), [0.0, 0.0, 1.0], "derivative 0 with respect to c"),
        ("clamp", (1.0, 1.0, 2.0), [1.0, 0.0, 0.0], "derivative 1 at a bound"),
        ("clamp", (2.0, 1.0, 2.0), [1.0, 0.0, 0.0], "derivative 1 at a bound"),
        ("maximum", (3.0, 3.0), [0.5, 0.5], "half to each side at a tie"),
        ("minimum", (3.0, 3.0), [0.5, 0.5], "half to each side at a tie"),
        ("hypot", (0.0, 0.0), [0.0, 0.0], "derivative 0 at (0, 0)"),
        ("take", (1.0, 5.0, 6.0), [0.0, 0.0, 1.0], "the derivative goes to that one alone"),
        ("mul_no_nan", (0.0, inf), [0.0, 0.0], "derivative 0 there too"),
        ("pow", (0.0, 2.0), [0.0, 0.0], "d/dy is 0 at x = 0 for y > 0"),
        ("pow", (0.0, 0.0), [0.0, -inf], "0 for y = 0 at x = 0"),
        ("pow", (-2.0, 3.0), [12.0, nan], "undefined for x < 0"),
    ],
)
def test_conventions(name: str, args: tuple[float, ...], locals_: list[float], says: str) -> None:
    assert says in TABLE[name].note
    assert list(map(bits, locals_by_rule(TABLE[name], args))) == list(map(bits, locals_))


@pytest.mark.parametrize(
    ("name", "args", "local"),
    [
        ("sqrt", (0.0,), inf),
        ("asin", (1.0,), inf),
        ("asin", (-1.0,), inf),
        ("acos", (1.0,), -inf),
        ("acosh", (1.0,), inf),
        ("pow", (0.0, 0.5), inf),
    ],
)
def test_infinite_derivatives_raise_unless_nothing_asks(
    name: str, args: tuple[float, ...], local: float
) -> None:
    assert locals_by_rule(TABLE[name], args)[0] == local
    x = Value(args[0])
    with pytest.raises(DomainError, match=f"with respect to its argument x is {local}"):
        TABLE[name](x, *args[1:]).backward()
    y = TABLE[name](x, *args[1:]) * 0.0 + x
    y.backward()
    assert x.grad == 1.0


def test_a_branch_not_taken_leaves_no_trace_in_second_derivatives_either() -> None:
    where, sqrt = TABLE["where"], TABLE["sqrt"]
    x = Value(0.0)
    (first,) = gradients(where(x, sqrt(x), 0 * x), [x])
    (second,) = gradients(first, [x])
    assert (first.data, second.data) == (0.0, 0.0)
    (first,) = gradients(x * TABLE["log1p"](x), [x])
    (second,) = gradients(first, [x])
    assert (first.data, second.data) == (0.0, 2.0)  # a factor 0 that moves still counts


def test_a_rule_never_asks_for_what_a_plain_exponent_does_not_need() -> None:
    x = Value(-3.0)
    (x**2).backward()
    assert x.grad == -6.0
    y = Value(2.0)
    with pytest.raises(DomainError, match=r"\(-3.0\) \*\* 2.0 with respect to its argument y"):
        (x**y).backward()


def test_every_unary_row_is_a_method() -> None:
    for name, op in BUILT_IN.items():
        if op.arity == 1 and name != "neg":
            x = Value(next(x for x in (0.5, 1.5, -0.5) if not op.violation([x])))
            assert getattr(x, name)().op is op


def test_every_row_is_exported_by_one_name() -> None:
    # They take lists, or have defaults.
    functions = {"sum", "max", "min", "dot", "logsumexp", "take", "leaky_relu", "elu"}
    hidden = {"mul_no_nan"}
    called = {name for name, op in BUILT_IN.items() if not op.binds} - functions - hidden - {"abs"}
    assert called == set(ops.__all__), "add a row's name to __all__ in autograd/ops.py"
    assert called | functions - {"sum", "max", "min"} <= set(autograd.__all__)


# Broken rows: each law must be able to fail


@pytest.mark.parametrize(
    ("law", "op"),
    [
        (law_no_branches, lambda: Op("asks", lambda x: x, (lambda y, x: 1 if TABLE else x,))),
        (
            law_per_argument,
            lambda: Op("triple", lambda *xs: xs[0], pullback=lambda g, z, xs: [g, g, g]),
        ),
        (
            law_domain,
            lambda: Op("uneven", primitive(lambda x: x + 1, lambda x: x), (lambda y, x: 1.0,)),
        ),
        (law_closed, lambda: Op("twice_outside", lambda x: x + x, (lambda y, x: outside(x),))),
        (law_ieee, lambda: Op("raises", lambda x: 1.0 / float(x), (lambda y, x: x,))),
        (law_nan_propagates, lambda: Op("forgets", lambda x: 0 * 1.0, (lambda y, x: 0.0,))),
        (law_singular, lambda: Op("pole", lambda x: 1 / x, (lambda y, x: -y / x,))),
        (law_singular, lambda: Op("tame", lambda x: x, (lambda y, x: 1.0,), singular=True)),
        (
            law_linear,
            lambda: Op("affine", lambda *xs: xs[0], pullback=lambda g, z, xs: [g + 1 for _ in xs]),
        ),
        (
            law_kinks,
            lambda: Op(
                "bend",
                TABLE["abs"].forward,
                (lambda y, x: 3 - 2 * abs(TABLE["sign"](x)),),
                kinks=lambda x: (x,),
                note="derivative 3",
            ),
        ),
    ],
)
def test_laws_can_fail(law: Callable[[Op], None], op: Callable[[], Op]) -> None:
    with pytest.raises((AssertionError, KeyError, ZeroDivisionError)):
        law(op())


def outside(x: Any) -> Any:
    """Return x under an op that isn't in the table."""
    if not isinstance(x, Operand):
        return x
    op = object.__new__(Op)
    op.__dict__.update(TABLE["neg"].__dict__, name="outside")
    return type(x)._apply(op, (x,))


# A user's own rows


def cube() -> Op:
    return Op("cube", lambda x: x * x * x, (lambda y, x: 3 * x * x,), singular=True)


def test_own_row() -> None:
    op = cube()
    check_laws(op)
    law_nan_propagates(op)
    x = Value(2.0, label="x")
    y = op(x)
    (first,) = gradients(y, [x])
    (second,) = gradients(first, [x])
    (third,) = gradients(second, [x])
    assert [v.data for v in (y, first, second, third)] == [8.0, 12.0, 12.0, 6.0]
    y.backward()
    assert x.grad == 12.0
    assert str(y.op) == "cube"
    assert op(2) == 8.0


def test_own_row_with_a_domain_stricter_than_its_function() -> None:
    op = Op(
        "log2",
        primitive(math.log2, lambda x: math.log2(x) if x > 0 else nan),
        (lambda y, x: 1 / (x * math.log(2)),),
        (Domain(low=1),),
    )
    assert op(8.0) == 3.0
    for x in (0.5, -1.0):
        with pytest.raises(DomainError, match=rf"log2\({x}\) is undefined: log2 needs x >= 1"):
            op(x)
        with pytest.raises(DomainError, match=r"needs x >= 1 \(of node 'a'\)"):
            op(Value(x, label="a"))


def test_own_row_of_any_number_of_arguments() -> None:
    op = Op(
        "sum_of_squares",
        lambda *xs: TABLE["sum"](*(x * x for x in xs)),
        pullback=lambda g, z, xs: [g * (2 * x) for x in xs],
        singular=True,
    )
    check_laws(op)
    xs = [Value(1.0), Value(2.0), Value(3.0)]
    out = op(*xs)
    out.backward()
    assert out.data == 14.0
    assert [x.grad for x in xs] == [2.0, 4.0, 6.0]
    (second,) = gradients(gradients(out, xs)[1], [xs[1]])
    assert second.data == 2.0


def test_own_row_with_an_opaque_forward() -> None:
    def opaque_sinc(x: float) -> float:
        return math.sin(x) / x if x else 1.0

    # The rule must not branch: at 0 its 0 / 0 is never looked at, as where chooses.
    cos, where = TABLE["cos"], TABLE["where"]
    rule = lambda y, x: where(abs(x), (cos(x) - y) / where(abs(x), x, 1), 0)
    op = Op("opaque_sinc", opaque_sinc, (rule,))
    assert op.opaque
    x = Value(0.7)
    y = op(x)
    y.backward()
    # d sinc = (x cos x - sin x) / x**2; a few roundings of numbers below 1, divided by 0.7
    expected = (0.7 * math.cos(0.7) - math.sin(0.7)) / 0.49
    assert x.grad == pytest.approx(expected, abs=8 * sys.float_info.epsilon)
    (second,) = gradients(gradients(op(x), [x])[0], [x])
    # d2 sinc = -sinc - 2 / x d sinc, by sinc's differential equation
    assert second.data == pytest.approx(-y.data - 2 / 0.7 * expected, abs=1e-14)
    zero = Value(0.0)
    op(zero).backward()
    assert (op(0.0), zero.grad) == (1.0, 0.0)


def test_a_forward_that_compares_for_equality_is_opaque_not_frozen() -> None:
    op = Op("safe_inverse", lambda x: 0.0 if x == 0 else 1 / x, (lambda y, x: -y * y,))
    assert op.opaque
    assert (op(0.0), op(4.0), op(Value(0.0)).data) == (0.0, 0.25, 0.0)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: Op("r", lambda x: x, (lambda y, x: 1 if x > 0 else 0,)),
            "can't test its argument",
        ),
        (
            lambda: Op("r", lambda x: x, (lambda y, x: 1 if x == 0 else 0,)),
            "can't test its argument",
        ),
        (lambda: Op("r", lambda x: x, (lambda y, x: math.cos(x),)), "turn it into a number"),
        (lambda: Op("r", lambda x: x, (lambda y, x: None,)), "partial 0 returned None"),
        (lambda: Op("r", lambda x: None, (lambda y, x: x,)), "forward returned None"),
        (lambda: Op("r", lambda x: x, (lambda x: x,)), "partial 0: .* takes 1 positional"),
        (
            lambda: Op("r", lambda *xs: xs[0], pullback=lambda g, z, xs: None),
            "pullback returned None",
        ),
        (
            lambda: Op("r", lambda *xs: xs[0], pullback=lambda g, z, xs: [g]),
            "one contribution for each",
        ),
        (lambda: Op("r", lambda x: x), "either partials or a pullback"),
        (
            lambda: Op("r", lambda x: x, (lambda y, x: 1,), pullback=lambda g, z, xs: [g]),
            "either partials",
        ),
        (
            lambda: Op("r", lambda x: x, (lambda y, x: 1,), (REAL, POSITIVE)),
            "2 domains for 1 partials",
        ),
        (lambda: Op("exp", lambda x: x, (lambda y, x: 1,)), "built-in op 'exp'"),
        (lambda: Op("not a name", lambda x: x, (lambda y, x: 1,)), "must be an identifier"),
    ],
)
def test_malformed_rows_are_refused(make: Callable[[], Op], message: str) -> None:
    before = dict(TABLE)
    with pytest.raises(RuleError, match=message):
        make()
    assert before == TABLE


def test_a_refused_row_leaves_its_predecessor() -> None:
    first = cube()
    with pytest.raises(RuleError):
        Op("cube", lambda x: x, (lambda y, x: None,))
    assert TABLE["cube"] is first


# What a row says of itself is true both ways


def law_commutes(op: Op) -> None:
    """A row is marked where its arguments may change places and brackets, and only there."""
    if op.arity not in (2, None) or op.domain:
        assert not op.commutes
        return
    triples = [t for t in product(ORDINARY, repeat=3) if len(set(t)) == 3]

    def swaps(x: float, y: float) -> bool:
        if bits(op(x, y)) != bits(op(y, x)):
            return False  # and their derivatives with them:
        return not op.arity or locals_by_rule(op, (x, y)) == locals_by_rule(op, (y, x))[::-1]

    def brackets(x: float, y: float, z: float) -> bool:
        # Two roundings of each, and numbers below 21 in size: 4 ulp of that.
        if abs(op(op(x, y), z) - op(x, op(y, z))) >= 2e-14:
            return False
        return bool(op.arity) or abs(op(x, y, z) - op(z, x, y)) < 2e-14

    pairs = {(x, y) for x, y, _ in triples}
    assert op.commutes == (all(starmap(swaps, pairs)) and all(starmap(brackets, triples)))


def law_length(op: Op) -> None:
    """A length is 1, infinite, or one positive number for each argument."""
    if callable(op.length):
        for args in tuples(op, EXTREMES):
            lengths = op.length(*args)
            assert len(lengths) == op.arity
            assert all(length > 0 or math.isnan(length) or not any(args) for length in lengths)
    else:
        assert op.length in (1.0, inf)


@pytest.mark.parametrize("op", TABLE.values(), ids=TABLE)
def test_columns_are_true(op: Op) -> None:
    law_commutes(op)
    law_length(op)


@pytest.mark.parametrize(
    ("base", "length"), [(0.0, 1.0), (1.0, 1.0), (-1.0, 1.0), (math.e, 0.5), (1 / math.e, 0.5)]
)
def test_a_power_is_as_long_in_its_exponent_as_exp_but_for_the_logarithm_of_its_base(
    base: float, length: float
) -> None:
    for exponent in (-3.0, 0.5, 2.0):
        assert ops.pow.length(base, exponent)[1] == pytest.approx(length, rel=1e-15)


@pytest.mark.parametrize("op", [op for op in TABLE.values() if op.weighted])
def test_a_weighted_row_is_the_sum_of_its_products(op: Op) -> None:
    assert op(2.0, 3.0, 5.0, 7.0) == 2 * 5 + 3 * 7
    assert op(2.0, 3.0, 5.0, 7.0, 11.0) == 2 * 5 + 3 * 7 + 11
