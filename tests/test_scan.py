"""`scan`: a Python loop in the eager engine, a loop of machine code compiled."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from autograd import (
    Value,
    compile,
    detach,
    dot,
    exp,
    maximum,
    no_grad,
    scan,
    sigmoid,
    sin,
    softplus,
    tanh,
    where,
)

np = pytest.importorskip("numpy")
pytest.importorskip("llvmlite")

STEPS = (0, 1, 2, 7, 100)


# Eager


def test_it_is_the_loop() -> None:
    w = Value(0.5)
    (total, last), (doubles, none) = scan(
        lambda c, x: ((c[0] + w * x["a"], x["b"][1]), (2 * x["a"], None)),
        (0.0, 7),
        {"a": [1.0, 2.0, 4.0], "b": [(0, 1), [0, 2], (0, 3)][:1] * 3},
    )
    assert (total.data, last.data, [y.data for y in doubles], none) == (3.5, 1.0, [2, 4, 8], None)
    total.backward()
    assert w.grad == 7.0


def test_what_f_is_given_is_a_value_in_every_step() -> None:
    seen: list[type] = []

    def f(c: Any, x: Any) -> Any:
        seen.extend((type(c["n"]), type(x)))
        return {"n": 1.0}, 2.0

    carry, ys = scan(f, {"n": 0}, [1, True, np.float64(2)])
    assert seen == [Value] * 6
    assert (carry["n"].data, [y.data for y in ys]) == (1.0, [2.0] * 3)


def test_forms_of_what_goes_in_and_out() -> None:
    assert scan(lambda c, x: (c, x), [], np.ones((2, 1)))[1][1][0].data == 1.0
    carry, ys = scan(lambda c, x: ((c[1], c[0] + c[1]), None), (0, 1), length=10)
    assert (carry[0].data, ys) == (55.0, None)
    carry, ys = scan(lambda c, x: (c, c), 3.0, [])
    assert (carry.data, ys) == (3.0, [])
    (a, b), pairs = scan(lambda c, x: ({"p": c["p"], "q": x}, (c["q"], [x])), {"q": 1, "p": 2}, [5])
    assert (a, b) == ("q", "p")
    assert (pairs[0][0].data, pairs[1][0][0].data) == (1.0, 5.0)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: scan(lambda c, x: c, 0.0, [1.0]), TypeError, "must return a carry and what"),
        (lambda: scan(lambda c, x: (c, 0.0), 0.0), ValueError, "give length"),
        (lambda: scan(lambda c, x: (c, 0.0), 0.0, [1.0], 2), ValueError, "length is 2, but xs is"),
        (lambda: scan(lambda c, x: (c, 0.0), 0.0, 3.0), TypeError, "xs must be a list"),
        (lambda: scan(lambda c, x: (c, 0.0), 0.0, ([1.0], [])), ValueError, "are of 1 and 0"),
        (lambda: scan(lambda c, x: (c, 0.0), "a", [1.0]), TypeError, "scan: .*'a'"),
        (lambda: scan(lambda c, x: ([c], 0.0), 0.0, [1.0]), TypeError, "the carry must be of the"),
        (lambda: scan(lambda c, x: ((c[0],), 0.0), (0.0, 1), [1.0]), TypeError, "the carry must"),
        (lambda: scan(lambda c, x: ({"b": x}, x), {"a": 1}, [1.0]), TypeError, "the carry must"),
        (
            lambda: scan(lambda c, x: (x, x if x.data else [x]), 0, [1.0, 0.0]),
            TypeError,
            "what f gives must be of the same form in each step",
        ),
    ],
)
def test_what_is_wrong_is_said(
    call: Callable[[], Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        call()


# Compiled: random bodies


class Case(NamedTuple):
    """A function of a list, and the same with the loop written in Python, with their parameters."""

    f: Callable[[Any, Any], Any]
    g: Callable[[Any, Any], Any]
    parameters: list[Value]


def looped(f: Callable[..., Any], carry: Any, xs: list[Any]) -> tuple[Any, Any]:
    ys = []
    for x in xs:
        carry, y = f(carry, x)
        ys.append(y)
    return carry, ys


def random_case(seed: int, steps: int) -> Case:
    """Return functions of ``2 * steps`` numbers and one more, with everything a body may use."""
    source = random.Random(seed)
    weights = [Value(source.gauss(0, 0.5)) for _ in range(8)]
    unary = [tanh, sigmoid, sin, lambda v: exp(-v * v), softplus, lambda v: 0.5 * v, detach]
    plan = [
        (source.randrange(9), source.choice(unary), source.randrange(8), source.randrange(64))
        for _ in range(source.randrange(2, 7))
    ]
    uses_ys, has_constant = source.random() < 0.5, source.random() < 0.3
    inits = [source.randrange(3) for _ in range(3)]

    def of(run: Callable[..., Any]) -> Callable[[Any, Any], Any]:
        def f(xs: Any, s: Any) -> Any:
            hoisted = tanh(weights[0] * s)

            def body(c: Any, x: Any) -> Any:
                pool = [c["a"][0], c["a"][1], c["b"], *x, s, hoisted]
                for kind, function, w, place in plan:
                    a, b = pool[place % len(pool)], pool[place // 8 % len(pool)]
                    if kind < 4:
                        new = function(a * weights[w] + b)
                    elif kind == 4:
                        new = dot(weights[:4], [a, b, x[0], s], weights[w])
                    elif kind == 5:
                        new = where(a, function(b), weights[w] * b)
                    elif kind == 6:
                        new = maximum(a, b) / (1.0 + weights[w] * weights[w])
                    elif kind == 7:
                        new = function(weights[w]) * b
                    else:
                        with no_grad():
                            scale = sigmoid(a)
                        new = scale * b
                    pool.append(tanh(new))
                last = Value(0.25) if has_constant else pool[-2]
                return {"a": [pool[-1], c["b"]], "b": last * 0.5}, (pool[-1] * x[1], x[0])

            starts = [Value(0.5), s, weights[7] * s]
            carry = {"a": [starts[inits[0]], starts[inits[1]]], "b": starts[inits[2]]}
            pairs = [list(xs[2 * t : 2 * t + 2]) for t in range(steps)]
            carry, ys = run(body, carry, pairs)
            total = carry["a"][0] + 2.0 * carry["a"][1] * s - carry["b"]
            if uses_ys:
                for t, y in enumerate(ys):
                    total = total + y * (1.0 + 0.1 * t)
            return total

        return f

    def of_scan(body: Any, carry: Any, xs: Any) -> Any:
        carry, ys = scan(body, carry, xs)
        return carry, ys[0] if ys else ys

    def of_loop(body: Any, carry: Any, xs: Any) -> Any:
        carry, ys = looped(body, carry, xs)
        return carry, [y for y, _ in ys]

    return Case(of(of_scan), of(of_loop), weights)


def eager(case: Case, xs: list[float], s: float) -> tuple[float, list[float], list[float]]:
    """Return value, gradient by the arguments, and by the parameters."""
    inputs, last = [Value(x) for x in xs], Value(s)
    for leaf in case.parameters:
        leaf.grad = 0.0
    out = Value(0.0) + case.g(inputs, last)
    out.backward()
    return out.data, [v.grad for v in (*inputs, last)], [p.grad for p in case.parameters]


def numbers(seed: int, steps: int) -> tuple[list[float], float]:
    source = random.Random(seed)
    return [source.gauss(0, 1) for _ in range(2 * steps)], source.gauss(0, 1)


def close(found: Any, wanted: Any, steps: int) -> bool:
    # Sums of as many terms as there are steps, of sizes about 1, in another order; an error in a
    # step is carried on, by factors about 1.
    size = 1.0 + float(np.max(np.abs(wanted), initial=0.0))
    return bool(np.all(np.abs(np.array(found) - np.array(wanted)) <= 1e-14 * (steps + 10) * size))


@pytest.mark.parametrize("steps", STEPS)
@pytest.mark.parametrize("seed", range(4))
def test_compiled_is_the_eager_loop(seed: int, steps: int) -> None:
    case = random_case(seed + 10 * steps, steps)
    xs, s = numbers(seed, steps)
    value, by_inputs, by_weights = eager(case, xs, s)
    f = compile(case.f, xs, s, wrt=[0, 1, *case.parameters])
    assert close(f(xs, s), value, steps)
    found, (slopes, slope, weights) = f.value_and_grad(xs, s)
    assert close(found, value, steps)
    assert close([*slopes, slope], by_inputs, steps)
    assert close(weights, by_weights, steps)
