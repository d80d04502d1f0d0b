"""Generated recorders against `record`, which they stand for: the same node, or the same error."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from itertools import product as combinations
from typing import Any

import pytest

import autograd
from autograd import (
    TABLE,
    Domain,
    DomainError,
    Op,
    Value,
    debug,
    dot,
    forms,
    lowering,
    no_grad,
    recorders,
    scope,
)
from autograd.acceleration import accelerator
from autograd.contexts import unchecked
from autograd.engine import record
from autograd.lowering import UNROLLED
from autograd.operation import Number
from autograd.ops import OPERATORS
from autograd.recorders import CALLS_WORTHWHILE, SHORT, _attach, recorder
from tests.floats import bits
from tests.test_forms import XS

MODES: dict[str, Callable[[], AbstractContextManager[None]]] = {
    "plain": nullcontext,
    "scope": lambda: scope("layers.0"),
    "no_grad": no_grad,
    "unchecked": unchecked,
    "debug": debug,
}


def outcome(make: Callable[[], Value]) -> tuple[Any, ...]:
    """Return all of a new node, or the error in its place."""
    try:
        node = make()
    except DomainError as error:
        return ("error", re.sub(r":\d+", "", str(error)))
    scope_, *_ = node.origin or ("",)
    return bits(node.data), bits(node.grad), node.args, node.label, scope_, node._form, node._mark


def recorded(op: Op, pattern: tuple[bool, ...], args: tuple[Any, ...]) -> Value:
    how = recorder(op, pattern)
    return how(*args) if len(args) < 3 else how(args)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("op", TABLE.values(), ids=TABLE)
def test_a_recorder_does_as_record(op: Op, mode: str) -> None:
    rng = random.Random(f"{op.name} {mode}")
    for arity in [op.arity] if op.arity else [1, 2, 3, 6]:
        patterns = list(combinations((True, False), repeat=arity))[:-1]
        for _ in range(12):
            pattern = rng.choice(patterns)
            args = tuple(
                Value(x, "v") if is_node else x
                for x, is_node in zip(rng.choices(XS, k=arity), pattern, strict=True)
            )
            ways: list[Callable[[], Value]] = [
                lambda args=args: record(op, args),
                lambda args=args, pattern=pattern: recorded(op, pattern, args),
            ]
            with MODES[mode]():
                expected, found = [outcome(way) for way in ways]
            assert found == expected, (args, pattern)


def test_operators_methods_and_functions_take_the_recorders_once_they_are_worthwhile() -> None:
    x = Value(0.5)
    ways: list[Callable[[], Value]] = [
        lambda: x + x, lambda: x + 2.0, lambda: 2 - x, lambda: x / 2, lambda: -x, lambda: abs(x),
        lambda: x.tanh(), lambda: TABLE["tanh"](x), lambda: TABLE["atan2"](x, 1.0),
    ]  # fmt: skip
    for way in ways:
        first = outcome(way)
        for _ in range(CALLS_WORTHWHILE):
            way()
        assert outcome(way) == first


def test_an_error_comes_alone_however_often_there_was_none() -> None:
    """Not "during the handling of another exception", which libm has raised in a recorder."""
    x = Value(0.0)
    for way in (lambda y: 1.0 / y, lambda y: y.log(), lambda y: TABLE["atanh"](y - 1.0)):
        for _ in range(CALLS_WORTHWHILE + 1):
            way(x + 0.5)
        with pytest.raises(DomainError) as caught:
            way(x)
        assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_data_that_is_no_number_is_refused_the_same_however_often_it_was_one() -> None:
    x = Value(0.5)
    own = Op("own_of_floats", lambda x: float.hex(x) and x, (lambda y, x: 1.0,))
    ways: list[Callable[[Value], Value]] = [
        lambda y: y + 1.0, lambda y: 2.0 / y, lambda y: -y, lambda y: y.tanh(), lambda y: y * x,
        lambda y: TABLE["relu"](y), lambda y: autograd.dot([y, x], [x, y]), own,
    ]  # fmt: skip
    for way in ways:
        for _ in range(2):
            for wrong in ("a", None):
                y = Value(1.0)
                y.data = wrong  # type: ignore[assignment]
                with pytest.raises(TypeError, match=f"expected a real number, got {wrong!r}") as e:
                    way(y)
                assert e.value.__suppress_context__ or e.value.__context__ is None
            for _ in range(CALLS_WORTHWHILE + 1):
                way(x)
    y.data = 3
    with pytest.raises(TypeError, match="hex"):  # a row's own error stays
        own(y)


@pytest.mark.parametrize("name", ["__sub__", "__rsub__", "__neg__", "tanh"])
def test_a_method_becomes_a_recorder_when_it_has_been_called_so_often(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Value, name, getattr(Value, name))  # put back afterwards
    op, is_reflected = TABLE[name.strip("_").removeprefix("r")], name.startswith("__r")
    pattern = (True,) if op.arity == 1 else (not is_reflected, True)
    _attach(name, op, pattern, reflected=is_reflected)  # as at the start
    x, made = Value(0.5), recorder(op, pattern, reflected=is_reflected)
    for _ in range(CALLS_WORTHWHILE):
        getattr(x, name)(*[2.0][: op.arity - 1])
        assert getattr(Value, name) is not made
    getattr(x, name)(*[2.0][: op.arity - 1])
    assert getattr(Value, name) is made


def test_a_long_mix_of_arguments_that_came_before_is_known_at_a_glance(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """By a few of its types, and equal to the last one of these: no key of all of them is made."""
    w, x = [Value(0.1 * i) for i in range(40)], [0.2 * i for i in range(40)]
    expected = dot(w, x).data
    for _ in range(CALLS_WORTHWHILE + 1):
        dot(w, x)
    monkeypatch.setattr(recorders, "_known", None)
    assert dot(w, x).data == expected


@pytest.mark.skipif(bool(accelerator), reason="C records them there")
def test_every_operator_is_a_recorder_or_is_to_become_one() -> None:
    for name, op in OPERATORS.items():
        for is_reflected in (False, True)[: op.arity]:
            way = getattr(Value, f"__{'r' * is_reflected}{name}__")
            pattern = (True,) if op.arity == 1 else (not is_reflected, True)
            made = recorder(op, pattern, reflected=is_reflected)
            assert way is made or way.__module__ == "autograd.recorders"


def test_an_operator_given_something_else_refuses_it_as_before() -> None:
    x = Value(0.5)
    for other in ("a", None, [1.0], 1j):
        for way in (lambda o=other: x + o, lambda o=other: o - x):
            with pytest.raises(TypeError):
                way()
            for _ in range(2 * CALLS_WORTHWHILE):
                x + 1.0, 1.0 - x
            with pytest.raises(TypeError, match="expected a real number"):
                way()


def test_a_row_with_a_domain_of_its_users_is_looked_at() -> None:
    op = Op("above_one", lambda x: x * 2.0, (lambda y, x: 2.0,), (Domain(low=1),))
    with pytest.raises(DomainError, match="above_one needs x >= 1"):
        recorder(op, (True,))(Value(0.5))
    with unchecked():
        assert recorder(op, (True,))(Value(0.5)).data == 1.0


@pytest.mark.parametrize("inputs", [Value, float])
@pytest.mark.parametrize("n", [2, 16, UNROLLED // 2 - 1, UNROLLED // 2 + 1, 784])
def test_no_size_and_no_float_falls_off_the_quick_way(
    n: int, inputs: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Counts which path was taken, just below and above the limits: never `record`, nor Number."""
    w, x, b = [Value(0.1 * i) for i in range(n)], [inputs(0.2 * i) for i in range(n)], Value(0.5)
    for _ in range(CALLS_WORTHWHILE + 1):
        dot(w, x, b)
    calls: list[str] = []

    def counted(name: str, real: Any) -> Any:
        def count(*args: Any) -> Any:
            calls.append(name)
            return real(*args)

        return count

    monkeypatch.setattr(recorders, "record", counted("record", record))
    monkeypatch.setattr("autograd.engine.record", counted("record", record))
    monkeypatch.setattr(Number, "__init__", counted("Number", Number.__init__))
    out = dot(w, x, b)
    out.backward()
    with no_grad():
        dot(w, x, b)
    assert not calls
    assert w[-1].grad == 0.2 * (n - 1)


@pytest.mark.parametrize("name", ["__mul__", "tanh"])
def test_what_a_user_puts_in_the_place_of_a_method_stays_there(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    _attach(name, TABLE[name.strip("_")], (True,) * (1 + name.startswith("_")))  # as at the start
    original, calls = getattr(Value, name), []

    def counted(*args: Any) -> Value:
        calls.append(args)
        return original(*args)

    monkeypatch.setattr(Value, name, counted)
    x = Value(0.5)
    for _ in range(2 * CALLS_WORTHWHILE):
        getattr(x, name)(*[x][: name.startswith("_")])
    assert len(calls) == 2 * CALLS_WORTHWHILE


@pytest.mark.parametrize("n", [2, SHORT // 2, SHORT, 40, UNROLLED])
def test_a_mix_that_looks_like_another_one_is_none(n: int) -> None:
    """What is asked first of many arguments, a few types, is the same in all of these."""
    xs, numbers = [Value(0.1 * i) for i in range(n)], [0.2 * i for i in range(n)]
    for weights, inputs in ((xs, numbers), (numbers, xs), (xs, xs)):
        for _ in range(CALLS_WORTHWHILE + 2):
            dot(weights, inputs)
        for odd in (3, Value(3.0), True, 3.0):
            given = [*inputs[:1], odd, *inputs[2:]]
            for args in ((weights, given), (weights, given, 1.0), (given, weights, Value(1.0))):
                out, expected = dot(*args), [x for part in args[:2] for x in part] + [*args[2:]]
                assert out.args == tuple(x if isinstance(x, Value) else float(x) for x in expected)
                assert {*map(type, out.args)} <= {Value, float}
                assert out.data == record(TABLE["dot"], tuple(expected)).data


def test_ever_another_mix_of_arguments_does_not_fill_the_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(recorders, "MOST_RECORDERS", 10)
    monkeypatch.setattr(recorders, "_known", {})
    x = Value(2.0)
    for n in range(1, 40):
        for _ in range(2):
            assert autograd.sum([x, *[1.0] * n]).data == 2.0 + n
        assert len(recorders._known) <= 10
    for cached in (recorders.recorder, forms.form, lowering.value_function, lowering._code):
        assert cached.cache_info().maxsize == 4096


def test_arrays_go_through_their_elements_in_every_mode() -> None:
    numpy = pytest.importorskip("numpy")
    x = Value(3.0)
    for _ in range(2 * CALLS_WORTHWHILE):  # until there are recorders
        _ = x * 2.0, 2.0 * x
    with debug():
        assert [v.data for v in x * numpy.array([1.0, 2.0])] == [3.0, 6.0]
        assert (x * numpy.array(2.0)).data == (numpy.array(2.0) * x).data == 6.0
    compiled = autograd.compile(lambda v: x * v * numpy.array(2.0), 1.0, backend="python")
    assert compiled(5.0) == 30.0
