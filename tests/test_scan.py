"""`scan`: a Python loop in the eager engine, a loop of machine code compiled."""

from __future__ import annotations

import operator
import random
from collections.abc import Callable
from functools import reduce
from typing import Any, NamedTuple

import pytest

from autograd import (
    Value,
    compile,
    detach,
    dot,
    exp,
    grad,
    hessian,
    jvp,
    maximum,
    no_grad,
    scan,
    sigmoid,
    sin,
    softplus,
    take,
    tanh,
    where,
)
from autograd.compiler import adjoints
from autograd.compiler.scans import LoopOp
from autograd.transforms import descendants

np = pytest.importorskip("numpy")
pytest.importorskip("llvmlite")

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


def is_kept(f: Any) -> bool:
    """Return whether a compiled function has a loop."""
    return any(isinstance(node.op, LoopOp) for node in f._graph.graph.nodes)


def same_as_eager(seed: int, steps: int, samples: int = 0) -> bool:
    """Return whether a random function, compiled, is the eager loop, for one sample or several."""
    case = random_case(seed, steps)
    xs, s = numbers(seed, steps)
    f = compile(case.f, xs, s, wrt=[0, 1, *case.parameters])
    assert is_kept(f) == (steps > 1)
    if not samples:
        value, by_inputs, by_weights = eager(case, xs, s)
        found, (slopes, slope, weights) = f.value_and_grad(xs, s)
        return (
            close([f(xs, s), found], value, steps)
            and close([*slopes, slope], by_inputs, steps)
            and close(weights, by_weights, steps)
        )
    given = [numbers(seed + k, steps) for k in range(samples)]
    batch = np.array([xs for xs, _ in given]), np.array([s for _, s in given])
    each = [eager(case, xs, s) for xs, s in given]
    value, (slopes, slope, weights) = f.value_and_grad(*batch)
    found = np.column_stack([slopes, slope]) * samples
    return (
        close(f.reduced(*batch), np.mean([one[0] for one in each]), steps)
        and close(value, np.mean([one[0] for one in each]), steps)
        and close(found, [one[1] for one in each], steps)
        and close(weights, np.mean([one[2] for one in each], axis=0), steps)
    )


@pytest.mark.parametrize("steps", [0, 1, 2, 7, pytest.param(100, marks=pytest.mark.long)])
@pytest.mark.parametrize("seed", range(3))
def test_compiled_is_the_eager_loop(seed: int, steps: int) -> None:
    assert same_as_eager(seed + 10 * steps, steps)


@pytest.mark.parametrize("samples", [5, pytest.param(41, marks=pytest.mark.long)])
def test_so_it_is_for_many_samples(samples: int) -> None:
    assert same_as_eager(samples, 3, samples)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 200))
def test_compiled_is_the_eager_loop_at_length(seed: int) -> None:
    assert same_as_eager(seed, 2 + seed % 19)
    assert same_as_eager(seed, 2 + seed % 5, 33 + seed % 40)


def test_what_is_kept_for_the_way_back_makes_no_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    for found in ([], None):
        if found is None:
            monkeypatch.setattr(adjoints, "CHEAP", frozenset())
        else:
            monkeypatch.setattr(adjoints, "_dear", lambda *_: [])
        assert same_as_eager(3, 5)
        monkeypatch.undo()


def forgetful(nest: Any, nodes: Any, wrt: Any) -> Any:
    """Return what depends on ``wrt``, but for what comes round."""
    return descendants(nodes, wrt)


def stretched(*args: Any) -> Any:
    """Return what a loop gives back, a little more of it."""
    return [(node, 1.0001 * part) for node, part in THROUGH(*args)]


THROUGH = adjoints._through


@pytest.mark.parametrize(("name", "mutant"), [("_concerned", forgetful), ("_through", stretched)])
@pytest.mark.long
def test_a_wrong_way_back_is_noticed(
    name: str, mutant: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CHAINRULE_CACHE", "off")
    monkeypatch.setattr(adjoints, name, mutant)
    assert not any(same_as_eager(seed, 3) for seed in (7, 10))


def test_code_does_not_grow_with_the_steps() -> None:
    w = [Value(0.1 * i) for i in range(6)]

    def f(xs: Any) -> Any:
        body = lambda h, x: ([tanh(dot(w[:3], h) * v + x) for v in w[3:]], h[0])
        h, ys = scan(body, [0.0] * 3, xs)
        return h[0] + ys[-1]

    code = [compile(f, [0.0] * n, wrt=w).source("llvm").splitlines() for n in (16, 1024)]
    assert len(code[0]) == len(code[1])


# Other programs


WEIGHTS = [Value(0.3), Value(-0.7)]
XS = [0.5, -1.0, 2.0, 0.25]


class Cell:
    """A step that keeps something it has computed once."""

    def __init__(self) -> None:
        self.known: dict[str, float] = {}

    def __call__(self, c: Any, x: Any) -> Any:
        factor = self.known.setdefault("factor", 2.0)
        return tanh(c * WEIGHTS[0] + x) * factor, x


def plainly(body: Any, carry: Any, xs: Any) -> Any:
    values = [x if isinstance(x, Value | list) else Value(x) for x in xs]
    return looped(body, carry if isinstance(carry, Value) else Value(carry), values)


def over(body: Any, carry: Any = 0.4) -> Any:
    """Return a function of a run and a list: the last carry and the sum of what is given."""

    def f(run: Any, xs: Any) -> Any:
        last, given = run(body, carry, xs)
        return last * WEIGHTS[1] + reduce(operator.add, given)

    return f


def with_descent(run: Any, xs: Any) -> Any:
    slope = grad(lambda c, x: (c - x) ** 2 * WEIGHTS[0] + c**4)
    return over(lambda c, x: (c - 0.1 * slope(c, x), c))(run, xs)


def with_a_gradient(run: Any, xs: Any) -> Any:
    f = lambda s: over(lambda c, x: (tanh(c * WEIGHTS[0] + x), c), s)(run, xs)
    return grad(f)(xs[0]) ** 2


def with_a_loop_inside(run: Any, xs: Any) -> Any:
    def body(c: Any, x: Any) -> Any:
        inner = lambda d, z: (sin(d * z * WEIGHTS[0] + c), d + x)
        d, given = run(inner, x, [c, x, WEIGHTS[1]])
        return d, given[0] * given[2]

    return over(body)(run, xs)


def with_no_gradient(run: Any, xs: Any) -> Any:
    with no_grad():
        last, given = run(lambda c, x: (tanh(c * WEIGHTS[0] + x), c), 0.2, xs)
    return last * WEIGHTS[1] + given[2] * xs[0]


def partly_without(c: Any, x: Any) -> Any:
    with no_grad():
        d = c * x
    return d + detach(x), x * WEIGHTS[0] + c.data


def with_constants(run: Any, xs: Any) -> Any:
    return over(lambda c, x: (c * xs[0] + x * WEIGHTS[0], c), 1.0)(run, [0.1, 0.2, 0.7])


def with_a_mixture(run: Any, xs: Any) -> Any:
    given = [xs[0], 0.2, xs[2] * xs[0], WEIGHTS[1]]
    return over(lambda c, x: (c * xs[0] + x, c), xs[1])(run, given)


KEPT = {
    "a step that keeps something": over(Cell()),
    "a descent": with_descent,
    "a loop inside": with_a_loop_inside,
    "no gradient": with_no_gradient,
    "partly none": over(partly_without),
    "constants": with_constants,
    "a mixture": with_a_mixture,
    "backwards": lambda run, xs: over(lambda c, x: (c * WEIGHTS[0] + x, c))(run, xs[::-1]),
    "another's carry": over(lambda c, x: (WEIGHTS[0], c * x)),
    "a constant carry": over(lambda c, x: (Value(2.0), c * x)),
}


def counting(run: Any, xs: Any) -> Any:
    count = [0]

    def body(c: Any, x: Any) -> Any:
        count[0] += 1
        return c + x * WEIGHTS[0] * count[0], c

    return over(body)(run, xs)


def late(run: Any, xs: Any) -> Any:
    count = [0]

    def body(c: Any, x: Any) -> Any:
        count[0] += 1
        return (c * x if count[0] == 3 else c + x), c

    return over(body)(run, xs)


def before(run: Any, xs: Any) -> Any:
    seen: list[Any] = []

    def body(c: Any, x: Any) -> Any:
        seen.append(x)
        return tanh(c + x) * (seen[-2] if len(seen) > 1 else 1.0), c

    return over(body)(run, xs)


def escaping(run: Any, xs: Any) -> Any:
    kept = {}

    def body(c: Any, x: Any) -> Any:
        kept["last"] = tanh(c + x)
        return kept["last"] * WEIGHTS[0], c

    return over(body)(run, xs) + kept["last"]


def into_another(run: Any, xs: Any) -> Any:
    kept: list[Any] = [None]

    def body(c: Any, x: Any) -> Any:
        kept[0] = c
        return tanh(c + x), c

    return over(body)(run, xs) + over(lambda c, x: (c * kept[0] + x, c))(run, xs)


def length(run: Any, xs: Any) -> Any:
    seen: list[int] = []

    def body(c: Any, x: Any) -> Any:
        seen.append(0)
        return c + x, c

    return over(body)(run, xs) * len(seen)


def choosing(run: Any, xs: Any) -> Any:
    return over(lambda c, x: (tanh(c + take(WEIGHTS, x)), c))(run, [0.0, 1.0, 1.0]) * xs[0]


def telling(run: Any, xs: Any) -> Any:
    notes: list[str] = []

    def body(c: Any, x: Any) -> Any:
        notes.append(f"{c.data:.3f}")
        return c * x, c

    return over(body)(run, xs)


WRITTEN_OUT = {
    "a gradient": with_a_gradient,
    "a counter": counting,
    "a count that matters late": late,
    "what was there before": before,
    "a node that escapes": escaping,
    "one that goes into another loop": into_another,
    "a count of the steps": length,
    "a row that a step chooses": choosing,
    "a number that is told": telling,
}


def results(f: Any, xs: Any) -> tuple[float, list[float], list[float]]:
    value, (slopes, weights) = f.value_and_grad(xs)
    assert abs(f(xs) - value) <= 1e-15 * abs(value)
    return value, [*slopes], [*weights]


@pytest.mark.parametrize("name", [*KEPT, *WRITTEN_OUT])
@pytest.mark.long
def test_it_is_right_or_written_out(name: str) -> None:
    f = (KEPT | WRITTEN_OUT)[name]
    compiled = compile(lambda xs: f(scan, xs), XS, wrt=[0, *WEIGHTS])
    written = compile(lambda xs: f(plainly, xs), XS, wrt=[0, *WEIGHTS])
    assert is_kept(compiled) == (name in KEPT)
    xs = [0.5, -1.0, 2.0, 1.0]
    for found, wanted in zip(results(compiled, xs), results(written, xs), strict=True):
        assert close(found, wanted, len(xs))


def test_a_row_that_an_argument_chooses() -> None:
    def of(run: Any) -> Any:
        return lambda xs, i: over(lambda c, x: (tanh(c + x) * take(WEIGHTS, i), c))(run, xs)

    found, wanted = (compile(of(run), XS, 0, wrt=[0, *WEIGHTS]) for run in (scan, plainly))
    assert is_kept(found)
    for i in (0.0, 1.0):
        pairs = zip(found.value_and_grad(XS, i)[1], wanted.value_and_grad(XS, i)[1], strict=True)
        assert all(close(x, y, 4) for x, y in pairs)


@pytest.mark.long
def test_all_other_forms_are_of_what_is_written_out() -> None:
    f, g = (lambda xs: over(Cell())(scan, xs)), (lambda xs: over(Cell())(plainly, xs))
    for options in ({"exact": True}, {"backend": "python"}):
        found, wanted = (compile(h, XS, **options) for h in (f, g))  # type: ignore[arg-type]
        assert found.value_and_grad([XS, XS[::-1]]) == wanted.value_and_grad([XS, XS[::-1]])
    found, wanted = compile(f, XS), compile(g, XS)
    assert is_kept(found)
    for target in ("python", "c", "jax", "torch"):
        assert found.source(target) == wanted.source(target)
    assert str(found.program) == str(wanted.program)
    params = [0.2, 0.9]
    pairs = zip(
        found.value_and_grad(XS, params=params)[1],
        wanted.value_and_grad(XS, params=params)[1],
        strict=True,
    )
    assert all(close(x, y, 4) for x, y in pairs)
    ragged = [XS, XS[:2], [0.1]]
    assert close(found(ragged), wanted(ragged), 4)
    assert close(found.value_and_grad(ragged)[1], wanted.value_and_grad(ragged)[1], 4)


def test_derivatives_of_it_are_written_out() -> None:
    f = lambda run: lambda v: over(lambda c, x: (tanh(c * x + v[1]), c), v[0])(run, v)
    second, wanted = (compile(hessian(f(run)), XS) for run in (scan, plainly))
    assert second(XS) == wanted(XS)
    found, wanted = (compile(f(run), XS, wrt=0).objective() for run in (scan, plainly))
    assert np.array_equal(found.hess(XS), wanted.hess(XS))
    assert jvp(lambda c: scan(lambda c, x: (c * x, None), c, [2.0, 3.0])[0], (1.0,), (1.0,)) == (
        6.0,
        6.0,
    )
