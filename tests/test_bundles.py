"""Batches that a function writes out itself: one sample's program, in whatever way."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

import autograd as ag
from autograd import Value, compile, detach, dot, exp, log, logsumexp, mean, softmax, tanh, where
from autograd.compiler import bundles
from autograd.compiler.bundles import FEWEST_ALIKE
from autograd.compiler.program import run
from nn import MLP
from nn.losses import cross_entropy

np = pytest.importorskip("numpy")
pytest.importorskip("llvmlite")

Loss = Callable[[], Any]


class Model:
    """A network as lectures write it: a neuron adds up its products one by one."""

    def __init__(self, outputs: int = 1, *, width: int = 3, seed: int = 0) -> None:
        source = random.Random(seed)
        weights = lambda count: [Value(source.gauss(0, 1)) for _ in range(count)]
        self.hidden = [weights(3) for _ in range(width)]
        self.out = [weights(width + 1) for _ in range(outputs)]

    def __call__(self, x: Any) -> Any:
        h = [sum((w * a for w, a in zip(ws, x, strict=False)), ws[-1]).tanh() for ws in self.hidden]
        z = [sum((w * a for w, a in zip(ws, h, strict=False)), ws[-1]) for ws in self.out]
        return z[0] if len(z) == 1 else z

    def parameters(self) -> list[Value]:
        return [w for ws in self.hidden + self.out for w in ws]


def points(n: int) -> list[tuple[list[float], float, int]]:
    """Return inputs, numbers and classes; among the first of them zeros and ones."""
    source = random.Random(n)
    normal = lambda: source.gauss(0, 1)
    some = lambda: source.choice([0.0, -0.0, 1.0, -1.0, 2.5, normal()])
    return [([some(), normal()], normal(), source.randrange(3)) for _ in range(n)]


def demo(n: int) -> tuple[Loss, list[Value]]:
    model, data = MLP(2, [4, 4, 1], seed=0), points(n)

    def loss() -> Any:
        inputs = [list(map(Value, x)) for x, _, _ in data]
        scores = list(map(model, inputs))
        pairs = zip([1 if k else -1 for _, _, k in data], scores, strict=True)
        losses = [(1 + -yi * scorei).relu() for yi, scorei in pairs]
        data_loss = sum(losses) * (1.0 / len(losses))
        reg_loss = 1e-4 * sum(p * p for p in model.parameters())
        return data_loss + reg_loss

    return loss, model.parameters()


def in_a_loop(n: int) -> tuple[Loss, list[Value]]:
    model, data = Model(), points(n)

    def loss() -> Any:
        total = Value(0.0)
        for x, y, _ in data:
            total += (model(x) - Value(y)) ** 2
        return total / n

    return loss, model.parameters()


def regularised_inside(n: int) -> tuple[Loss, list[Value]]:
    model, data = Model(), points(n)
    small = lambda: 0.01 * sum(p * p for p in model.parameters())
    return lambda: mean([(model(x) - y) ** 2 + small() for x, y, _ in data]), model.parameters()


def classes(n: int) -> tuple[Loss, list[Value]]:
    model, data = Model(3), points(n)
    return lambda: mean([cross_entropy(model(x), k) for x, _, k in data]), model.parameters()


def classes_by_hand(n: int) -> tuple[Loss, list[Value]]:
    model, data = Model(3), points(n)

    def loss() -> Any:
        total = 0.0
        for x, _, k in data:
            powers = [z.exp() for z in model(x)]
            total = total - (powers[k] / sum(powers)).log()
        return total / n

    return loss, model.parameters()


def classes_in_two_terms(n: int) -> tuple[Loss, list[Value]]:
    model, data = Model(3), points(n)

    def loss() -> Any:
        total: Any = 0.0
        for x, _, k in data:
            z = model(x)
            total = total - z[k] + logsumexp(z)
        return total

    return loss, model.parameters()


def two_classes(n: int) -> tuple[Loss, list[Value]]:
    model, data = Model(), points(n)

    def of(x: Any, t: float) -> Any:
        p = 1 / (1 + exp(-model(x)))
        return -(t * log(p) + (1 - t) * log(1 - p))

    return lambda: sum(of(x, float(k > 0)) for x, _, k in data) / n, model.parameters()


def several_outputs(n: int) -> tuple[Loss, list[Value]]:
    model, data = Model(2), points(n)
    return lambda: ag.sum(abs(z - y) for x, y, _ in data for z in model(x)), model.parameters()


def weighted(n: int) -> tuple[Loss, list[Value]]:
    model, data = Model(), points(n)
    weights = [1.0 + k for _, _, k in data]
    return lambda: dot(weights, [(model(x) - y) ** 2 for x, y, _ in data]), model.parameters()


def with_a_scale(n: int) -> tuple[Loss, list[Value]]:
    model, data, s = Model(), points(n), Value(0.3)

    def loss() -> Any:
        variance = exp(s)
        each = (0.5 * (model(x) - y) ** 2 / variance + 0.5 * log(variance) for x, y, _ in data)
        return sum(each) / n

    return loss, [*model.parameters(), s]


def root_of_a_mean(n: int) -> tuple[Loss, list[Value]]:
    model, data = Model(), points(n)
    small = lambda: 0.01 * sum(p * p for p in model.parameters())
    each = lambda: [(model(x) - y) ** 2 for x, y, _ in data]
    return lambda: mean(each()) ** 0.5 + small(), model.parameters()


def divided(n: int) -> tuple[Loss, list[Value]]:
    model, data, s = Model(), points(n), Value(0.3)
    each = lambda: [abs(model(x) - y) for x, y, _ in data]
    return lambda: exp(-s) * sum(each()) / n + s, [s, *model.parameters()]


def two_kinds(n: int) -> tuple[Loss, list[Value]]:
    model, data = Model(), points(n)

    def loss() -> Any:
        fit = mean([(model(x) - y) ** 2 for x, y, _ in data])
        return fit + 0.1 * mean([tanh(model([y, y])) for _, y, _ in data])

    return loss, model.parameters()


def one_other(n: int) -> tuple[Loss, list[Value]]:
    model, data = Model(), points(n)

    def of(i: int, x: Any, y: float) -> Any:
        return abs(model(x) - y) if i == 5 else where(model(x) - y, model(x) ** 2, y)

    return lambda: sum(of(i, x, y) for i, (x, y, _) in enumerate(data)), model.parameters()


def detached(n: int) -> tuple[Loss, list[Value]]:
    model, data = Model(3), points(n)

    def of(x: Any, y: float) -> Any:
        z = model(x)
        top = detach(ag.max(z))
        return (log(sum((a - top).exp() for a in z)) + top - y) ** 2

    return lambda: sum(of(x, y) for x, y, _ in data) / n, model.parameters()


def of_letters(n: int) -> tuple[Loss, list[Value]]:
    source = random.Random(0)
    rows = [[Value(source.gauss(0, 1)) for _ in range(4)] for _ in range(4)]
    pairs = [(source.randrange(4), source.randrange(4)) for _ in range(n)]
    each = lambda: [log(softmax(rows[i])[j]) for i, j in pairs]
    return lambda: -sum(each()) / n, [w for row in rows for w in row]


STYLES = [
    demo,
    in_a_loop,
    regularised_inside,
    classes,
    classes_by_hand,
    classes_in_two_terms,
    two_classes,
    several_outputs,
    weighted,
    root_of_a_mean,
    divided,
    with_a_scale,
    two_kinds,
    one_other,
    detached,
]


def assert_eager(found: tuple[float, Any], loss: Loss, wrt: list[Value], terms: int) -> None:
    """Compare value and gradient with the eager engine's.

    A sum of n terms in another order differs by n ulp of the sum of their sizes, here below
    100 each; twelve operations stand before it, at a few ulp each.
    """
    for p in wrt:
        p.grad = 0.0
    out = loss()
    out.backward()
    bound = (terms + 50) * 2.0**-52 * 100 * terms
    value, slopes = found
    assert math.isclose(value, out.data, rel_tol=0, abs_tol=bound)
    for slope, p in zip(slopes, wrt, strict=True):
        assert math.isclose(slope, p.grad, rel_tol=0, abs_tol=bound)


def renew(wrt: list[Value], seed: int) -> None:
    """Give parameters other numbers."""
    source = random.Random(seed)
    for p in wrt:
        p.data = source.choice([0.0, 1.0, source.gauss(0, 1)])


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take sums that are made apart for worth it, however small they are."""
    monkeypatch.setattr(bundles, "MANY_STEPS", 0)


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.long
def test_a_batch_is_one_function_of_a_sample(style: Any) -> None:
    sizes = []
    for n in (12, 24):
        loss, wrt = style(n)
        f = compile(loss, wrt=wrt)
        parts = f._code.gradient_parts()
        wanted = 2 * n if style is two_kinds else n - (style is one_other)
        assert sum(len(rows or ()) for _, rows in parts) == wanted
        sizes.append(sum(len(program.instructions) for program, _ in parts))
        renew(wrt, seed=n)
        assert_eager(added_up(f, [p.data for p in wrt]), loss, wrt, n)
    assert abs(sizes[0] - sizes[1]) < 10  # to divide by 16 is to multiply


@pytest.mark.parametrize("style", [demo, classes, two_kinds, root_of_a_mean, divided])
@pytest.mark.long
def test_machine_code_adds_up_what_was_written_out(style: Any, tmp_path: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CHAINRULE_CACHE", str(tmp_path))
        for seed in range(2):  # made, and from the cache
            loss, wrt = style(19)
            f = compile(loss, wrt=wrt)
            for again in range(4):
                renew(wrt, seed=4 * seed + again)
                assert_eager(f.value_and_grad(), loss, wrt, 19)
                numbers = np.array([p.data for p in wrt])
                for _ in range(3):  # the short way, and arrays read where they are
                    assert_eager(f.value_and_grad(params=numbers), loss, wrt, 19)
            assert math.isclose(f(), loss().data, rel_tol=1e-13)  # as above
            assert f._code.native_gradient.made(single=True).rows is not None


@pytest.mark.long
def test_what_the_function_is_given_stands_beside_the_parameters() -> None:
    data, scale = points(20), Value(0.5)

    def f(w: list[Any], b: Any) -> Any:
        each = [(tanh(w[0] * x[0] + w[1] * x[1] + b) * scale - y) ** 2 for x, y, _ in data]
        return sum(each) / len(each)

    fast = compile(f, [0.0, 0.0], 0.0, wrt=[0, 1, scale])
    for k in range(4):
        w, b, scale.data = [Value(0.1 * k), Value(-0.3)], Value(k - 1.5), 0.5 * k
        plain = [p.data for p in w], b.data
        forms = [plain, (np.array(plain[0]), np.float64(plain[1]))]
        forms.append((np.array([plain[0]]), np.array([plain[1]])))
        for given in forms:
            value, (by_w, by_b, by_scale) = fast.value_and_grad(*given)
            slopes = [*np.ravel(by_w), *np.ravel(by_b), *by_scale]
            assert_eager((value, slopes), lambda w=w, b=b: f(w, b), [*w, b, scale], 20)
            assert math.isclose(np.ravel(fast(*given))[0], value, rel_tol=1e-13)
    # Many samples of its own arguments are many sums.
    several = fast([[0.0, 0.0], [0.1, -0.3]], [0.0, k - 1.5])
    assert len(several) == 2
    assert fast._code.native_values.made(single=True).rows is not None


@pytest.mark.parametrize("settings", [{"dtype": "float32"}, {"reduce": None}, {"reduce": "sum"}])
@pytest.mark.long
def test_settings(settings: Any) -> None:
    loss, wrt = in_a_loop(FEWEST_ALIKE + 3)
    f = compile(loss, wrt=wrt, **settings)
    value, slopes = f.value_and_grad()
    assert f._code.native_gradient.made(single=True).rows is not None
    if "dtype" not in settings:
        return assert_eager((value, slopes), loss, wrt, 12)
    # Single precision has 29 bits less; that many fewer are right.
    other, wanted = compile(loss, wrt=wrt).value_and_grad()
    assert np.allclose([value, *slopes], [other, *wanted], rtol=1e-4, atol=1e-5)
    return None


@pytest.mark.long
def test_every_bit_is_kept_where_that_is_asked_for() -> None:
    loss, wrt = classes(12)
    value, slopes = compile(loss, wrt=wrt, exact=True).value_and_grad()
    out = loss()
    out.backward()
    assert (value, [*slopes]) == (out.data, [p.grad for p in wrt])


def added_up(f: Any, numbers: list[float]) -> tuple[float, list[float]]:
    """Return value and gradient by the rows themselves, sample by sample."""
    parts = f._code.gradient_parts()
    each = [run(program, [*x, *numbers]) for program, rows in parts for x in rows or ()]
    value, *slopes = map(sum, zip(*each, strict=True))
    if around := [program for program, rows in parts if rows is None]:
        value, *direct, factor = run(around[0], [value, *numbers])
        slopes = [factor * s + d for s, d in zip(slopes, direct, strict=True)]
    return value, slopes


def random_batch(seed: int) -> tuple[Loss, list[Value]]:
    """Return a sum, written in some way, of terms that are alike but for a few."""
    source = random.Random(seed)
    some = lambda: source.choice([0.0, -0.0, 1.0, -1.0, source.gauss(0, 1), source.gauss(0, 1)])
    wrt = [Value(source.gauss(0, 1)) for _ in range(4)]
    n = source.choice([FEWEST_ALIKE + 2, 17, 25])
    classes = source.choice([1, 1, 3])
    data = [([some(), some()], source.randrange(classes)) for _ in range(n)]
    rows = [lambda u, v, w: u + v, lambda u, v, w: u * v, lambda u, v, w: tanh(u) - v]
    rows += [lambda u, v, w: ag.maximum(u, v), lambda u, v, w: where(u, v, w)]
    rows += [lambda u, v, w: dot([u, w], [v, 0.5]), lambda u, v, w: detach(u) * tanh(v) + w]
    rows += [lambda u, v, w: tanh(u) / 3.0 - tanh(v), lambda u, v, w: ag.sum([u, v, w]) ** 2]
    steps = [(source.choice(rows), [source.random() for _ in range(3)]) for _ in range(8)]
    odd = {source.randrange(n) for _ in range(source.choice([0, 1, 2]))}
    is_hidden, outputs = source.random() < 0.5, source.choice([1, 1, 2])
    how, rest = source.randrange(6), source.randrange(3)

    def terms() -> list[Any]:
        shared = [tanh(p) * 2.0 for p in wrt[:2]]
        found = []
        for i, (x, k) in enumerate(data):
            inputs = list(map(Value, x)) if is_hidden else x
            nodes = [wrt[0] * inputs[0] + wrt[1], *wrt, *inputs, *shared]
            for row, places in steps:
                u, v, w = (nodes[int(at * len(nodes))] for at in places)
                u = u if isinstance(u, Value) else wrt[2] * u
                nodes.append(row(u, v, w) if i not in odd or row is not rows[1] else u - v)
            found += [tanh(node + nodes[-k - 1] * wrt[3]) for node in nodes[-outputs:]]
        return found

    sums: list[Callable[[list[Any]], Any]] = [
        sum,
        mean,
        lambda ts: -ts[0] / 3.0 - sum(ts[1:]),
        lambda ts: dot([0.1 * (i % 5) for i in range(len(ts))], ts),
        lambda ts: (mean([t * t for t in ts]) + 1.0) ** 0.5,
        lambda ts: exp(-wrt[0]) * sum(ts) + wrt[0],
    ]

    def loss() -> Any:
        total = sums[how](terms())
        return total + 0.1 * sum(p * p for p in wrt) * rest - rest

    return loss, wrt


@pytest.mark.parametrize(
    "seeds", [range(6), pytest.param(range(100, 500), marks=pytest.mark.slow)], ids=len
)
def test_random_batches(seeds: range) -> None:
    """Also where a sample is another, is that of another class, or shares what is of none."""
    found = 0
    for seed in seeds:
        loss, wrt = random_batch(seed)
        f = compile(loss, wrt=wrt)
        if f._code.bundles.parts:
            found += 1
            renew(wrt, seed)
            assert_eager(added_up(f, [p.data for p in wrt]), loss, wrt, 40)
    assert 2 * found >= len(seeds)


@pytest.mark.long
def test_samples_that_come_again_are_one() -> None:
    """Such as pairs of letters, each of which has a row of parameters."""
    loss, wrt = of_letters(90)
    f = compile(loss, wrt=wrt)
    ((_, rows),) = f._code.value_parts()
    assert len(rows) == 16
    renew(wrt, seed=1)
    assert_eager(f.value_and_grad(), loss, wrt, 90)


def test_small_sums_that_are_made_apart_stay_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    loss, wrt = root_of_a_mean(30)
    steps = 30 * 25  # more or less
    for most, count in ((steps // 2, 1), (steps * 2, 0)):
        monkeypatch.setattr(bundles, "MANY_STEPS", most)
        assert len(compile(loss, wrt=wrt)._code.bundles.parts) == count


def recurrent(n: int) -> Any:
    w, state, total = Value(0.5), Value(0.1), Value(0.0)
    for x, y, _ in points(n):
        state = tanh(w * state + x[0])
        total = total + (state - y) ** 2
    return total


def windows(xs: list[Any]) -> Any:
    return sum((1 - a) ** 2 + 100 * (b - a * a) ** 2 for a, b in pairwise(xs))


@pytest.mark.parametrize(
    ("f", "example"),
    [
        (lambda: recurrent(20), ()),  # each term is computed from the one before
        (windows, ([0.0] * 30,)),  # each of numbers of its own
        (lambda x: [tanh(x * k) for k in range(20)], (0.0,)),  # not added up
        (lambda x: sum(exp(x * k) for k in range(FEWEST_ALIKE - 1)), (0.0,)),  # few
        (lambda x: tanh(x), (0.0,)),
        (lambda: 3.0, ()),
    ],
)
def test_what_is_no_batch_stays_as_it_is(f: Any, example: Any) -> None:
    assert compile(f, *example)._code.bundles.parts == []
