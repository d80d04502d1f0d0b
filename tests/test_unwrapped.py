"""Compiled functions are called with plain numbers: what these are not as Values is refused."""

from __future__ import annotations

import itertools
import math
import re
from collections import Counter, defaultdict
from collections.abc import Callable
from functools import singledispatch
from typing import Any

import numpy as np
import pytest

import autograd
from autograd import CompileError, Value, relu, take

W = [Value(0.5), Value(-0.7), Value(1.5)]
ONES = {1, 3}
BY_LABEL = {1: W[0], 2: W[1]}
NONE: Any = defaultdict(lambda: W[2], BY_LABEL)


def by_a_pattern(x: Any, y: Any) -> Any:
    match y:
        case 0:
            return W[0] * x
        case 1:
            return W[1] * x
    return W[2] * x


def by_an_index(x: Any, y: Any) -> Any:
    return W[[0, 1, 2].index(y)] * x


def by_a_key(x: Any, y: Any) -> Any:
    try:
        return BY_LABEL[y] * x
    except KeyError:
        return W[2] * x


@singledispatch
def weight(y: object) -> Any:
    return W[0]


@weight.register
def _(y: float) -> Any:
    return W[1]


EQUAL: list[Callable[[Any, Any], Any]] = [
    lambda x, y: W[0] * x if y == 1 else W[1] * x,
    lambda x, y: W[0] * x if y != 0 else W[1] * x,
    lambda x, y: W[0] * x if 1 == y else W[1] * x,  # noqa: SIM300
    lambda x, y: W[0] * x if y in (1, 2) else W[1] * x,
    lambda x, y: W[0] * x if x == y else W[1] * x,
    lambda x, y: W[0] * [x, y, x].count(1),
    lambda x, y: (np.array([x, y]) * (np.array([x, y]) == 1)).sum(),
    lambda x, y: W[0] * len(list(itertools.groupby([x, y, y]))) + W[1] * x,
    by_a_pattern,
    by_an_index,
]
LOOKED_UP: list[Callable[[Any, Any], Any]] = [
    lambda x, y: W[0] * x if y in ONES else W[1] * x,
    lambda x, y: BY_LABEL.get(y, W[2]) * x,
    lambda x, y: NONE[y] * x,
    lambda x, y: W[0] * len({x, y}),
    lambda x, y: W[0] * len(Counter([x, y])),
    lambda x, y: W[0] * x if isinstance(y, float) else W[1] * x,
    lambda x, y: (W[0] if hasattr(y, "grad") else W[1]) * x,
    lambda x, y: weight(y) * x,
    by_a_key,
]
FAILING: list[Callable[[Any, Any], Any]] = [
    lambda x, y: BY_LABEL[y] * x,
    lambda x, y: W[int(y)] * x,
    lambda x, y: W[0] * x.is_integer() * y,
]


@pytest.mark.parametrize("f", EQUAL)
def test_a_number_equals_no_value(f: Any) -> None:
    with pytest.raises(CompileError, match=rf"{re.escape(__file__)}:\d+: == of a recorded value"):
        autograd.compile(f, 0.0, 0.0)


@pytest.mark.parametrize("f", LOOKED_UP)
@pytest.mark.parametrize("sample", [(0.0, 0.0), (1.0, 1.0)])
def test_what_looks_an_argument_up_or_asks_for_its_type_is_refused(f: Any, sample: Any) -> None:
    with pytest.raises(CompileError, match=rf"{re.escape(__file__)}:\d+: .*, 1\.0 gives other"):
        autograd.compile(f, *sample)


@pytest.mark.parametrize("f", FAILING)
def test_what_fails_of_a_value_is_refused_where_numbers_do(f: Any) -> None:
    with pytest.raises(CompileError, match=rf"{re.escape(__file__)}:\d+: .* as Values, which are"):
        autograd.compile(f, 1.0, 1.0)


ALIKE: list[Callable[[Any, Any], Any]] = [
    lambda x, y: W[0] * x * y if isinstance(x, Value) else W[0] * Value(x) * y,
    lambda x, y: sum({"a": x * W[1], "b": y * W[0]}.values()),
    lambda x, y: W[0] * x * getattr(y, "data", y),
    lambda x, y: x * W[0] if x is not None and "a" in {"a": 1} else y,
    lambda x, y: W[0] * x if W[0] in W[:1] and W[0] != W[1] and x == x else y,
    lambda x, y: take(W, y) * x,
    lambda x, y: W[W.index(W[1])] * relu(x - y),
]


@pytest.mark.parametrize("f", ALIKE)
def test_what_does_the_same_with_both_is_compiled(f: Any) -> None:
    compiled = autograd.compile(f, 0.5, 1.0)
    for x, y in ((0.5, 1.0), (2.0, 2.0), (-1.0, 0.0)):
        assert compiled(x, y) == pytest.approx(f(x, y).data, rel=1e-12)
        assert compiled(x, y) == pytest.approx(f(Value(x), Value(y)).data, rel=1e-12)


def test_it_is_tried_without_a_trace() -> None:
    seen: list[Any] = []

    def f(x: Any) -> Any:
        seen.append(isinstance(x, float))
        return W[0] * x

    compiled = autograd.compile(f, 1.0)
    assert compiled(2.0) == 1.0
    assert not any(seen)


def test_a_list_is_tried_with_equal_numbers_as_well() -> None:
    f = lambda xs: W[0] * len({*xs}) + sum(xs)
    with pytest.raises(CompileError, match=r" of \[0\.1, 0\.1, 0\.3\] gives other numbers"):
        autograd.compile(f, [0.1, 0.2, 0.3])


@pytest.mark.parametrize(
    ("f", "sample"),
    [
        (lambda xs: W[0] * len({xs[0], xs[2]}), ([0.1, 0.2, 0.3],)),
        (lambda x, y: W[0] * len({x, y}), (0.1, 0.2)),
    ],
)
def test_numbers_far_apart_are_tried_as_equal_ones_as_well(f: Any, sample: Any) -> None:
    with pytest.raises(CompileError, match=r"0\.1.*0\.1.* gives other numbers"):
        autograd.compile(f, *sample)


@pytest.mark.parametrize(
    "f",
    [
        lambda x: [x, x] if isinstance(x, float) else [x],
        lambda x: [[x]] if isinstance(x, float) else [x],
        lambda x: (x,) if isinstance(x, float) else x,
        lambda x: [x * math.inf * 0.0, x * 2.0 if isinstance(x, float) else x],
        lambda x: x * math.nan if isinstance(x, float) else x,
    ],
)
def test_results_of_another_shape_or_beside_what_is_no_number_are_others(f: Any) -> None:
    with pytest.raises(CompileError, match="gives other numbers"):
        autograd.compile(f, 0.5)


def test_a_result_that_is_no_number_either_way_is_the_same() -> None:
    f = lambda x: [x * math.nan, {"a": x}.get("a")]
    assert str(autograd.compile(f, 0.5)(0.5)) == "[nan, 0.5]"
