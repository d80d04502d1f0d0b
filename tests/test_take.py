"""`take`: a row that an argument chooses; no node in the eager engine, a look-up compiled."""

from __future__ import annotations

import math
import random
import shutil
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest

import autograd
from autograd import (
    CompileError,
    Value,
    compile,
    detach,
    dot,
    exp,
    gradients,
    hessian,
    logsumexp,
    mean,
    no_grad,
    softmax,
    take,
    tanh,
    value_and_grad,
)
from nn import Embedding, Module, fit
from nn.losses import cross_entropy
from nn.optim import Adam

np = pytest.importorskip("numpy")
pytest.importorskip("llvmlite")

ROWS, WIDTH = 7, 3


def table(seed: int, rows: int = ROWS, width: int = WIDTH) -> list[list[Value]]:
    source = random.Random(seed)
    return [[Value(source.gauss(0, 1)) for _ in range(width)] for _ in range(rows)]


def leaves(*nested: Any) -> list[Value]:
    found: list[Value] = []
    for part in nested:
        found += leaves(*part) if isinstance(part, list) else [part]
    return found


# Eager


def test_the_row_itself_is_returned_and_no_node_made() -> None:
    rows = table(0)
    for index in (3, 3.0, np.int64(3), Value(3.0)):
        assert take(rows, index) is rows[3]
    assert take(["a", "b"], 1) == "b"


def test_a_derivative_goes_to_the_row_and_to_no_index() -> None:
    rows = table(0)
    i = Value(2.0)
    (take(rows, i)[0] * 3.0).backward()
    assert [leaf.grad for leaf in leaves(rows)] == [3.0 * (k == 6) for k in range(21)]
    assert i.grad == 0.0
    value, (by_x, by_i) = value_and_grad(lambda x, i: take(x, i) ** 2, (0, 1))([3.0, 5.0], 1)
    assert (value, by_x, by_i) == (25.0, [0.0, 10.0], 0.0)


@pytest.mark.parametrize(
    ("index", "error", "message"),
    [
        (7, IndexError, "no row 7: the table has the rows 0 to 6"),
        (-1, IndexError, "no row -1"),
        (0.5, IndexError, "no row 0.5"),
        (math.nan, IndexError, "no row nan"),
        (True, IndexError, "no row True"),
        (Value(9.0, "token"), IndexError, r"no row 9.0 \(node 'token'\)"),
        (Value(1.0, "token") + 1.0, TypeError, "a computed index.*'token'.*is refused"),
        ("1", TypeError, "take: expected a real number, got '1'"),
        ([1], TypeError, "take: expected a real number"),
    ],
)
def test_what_is_no_row_is_refused(index: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        take(table(0), index)
    with pytest.raises(IndexError, match="the table is empty"):
        take([], 0)


# Compiled: random programs


class Case(NamedTuple):
    """A function of some indices and a number, with what it is made of."""

    f: Callable[[list[Any], Any], Any]
    parameters: list[Value]
    indices: int


def random_case(seed: int) -> Case:
    """Return a function that takes rows of parameters, of floats, of what it computes."""
    source = random.Random(seed)
    first, second = table(seed), table(seed + 1)
    mixed: list[Any] = [first[1][0], 0.5, second[2][1], first[0][2], -1.0, second[6][0]]
    source.shuffle(mixed)
    shuffled = first[:]
    source.shuffle(shuffled)
    count = source.randrange(1, 5)
    kinds = [source.randrange(6) for _ in range(count)]

    def f(indices: list[Any], x: Any) -> Any:
        hidden = [x, x * x, 1.0 - x]
        for i, kind in zip(indices, kinds, strict=True):
            if kind == 0:
                hidden = [tanh(h + w) for h, w in zip(hidden, take(first, i), strict=True)]
            elif kind == 1:
                hidden = [h * w for h, w in zip(hidden, take(shuffled, i), strict=True)]
            elif kind == 2:
                hidden[0] = hidden[0] + take(mixed, i)
            elif kind == 3:
                logits = [dot(row, hidden) for row in second]
                hidden[1] = logsumexp(logits) - take(logits, i)
            elif kind == 4:
                row = take([first[1], second[5]], i)  # the index is below 2
                hidden[2] = hidden[2] * row[0] + row[0] * row[2]
            else:
                tied = take(second, i)
                hidden[0] = tanh(dot(tied, hidden) + dot(second[3], tied))
        return hidden[0] * hidden[1] + hidden[2] + x

    return Case(f, leaves(first, second), count)


def data(case: Case, n: int, seed: int) -> tuple[list[list[float]], list[float]]:
    source = random.Random(seed)
    # Whatever a place chooses from has at least 2 rows.
    indices = [[float(source.randrange(2)) for _ in range(case.indices)] for _ in range(n)]
    return indices, [source.gauss(0, 1) for _ in range(n)]


def eager(case: Case, indices: Any, xs: Any) -> tuple[float, list[float]]:
    for leaf in case.parameters:
        leaf.grad = 0.0
    cost = mean([case.f(list(i), x) for i, x in zip(indices, xs, strict=True)])
    cost.backward()
    return cost.data, [leaf.grad for leaf in case.parameters]


SEEDS = [2, *(pytest.param(seed, marks=pytest.mark.long) for seed in (0, 1, 3))]


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("how", [{"exact": True}, {"backend": "python"}], ids=str)
def test_exact_code_has_the_eager_bits(seed: int, how: dict[str, Any]) -> None:
    case = random_case(seed)
    indices, xs = data(case, 5, seed)
    step = compile(case.f, indices[0], 0.0, wrt=case.parameters, **how)
    value, slopes = step.value_and_grad(indices, xs)
    assert (value, list(slopes)) == eager(case, indices, xs)


@pytest.mark.parametrize("seed", SEEDS)
def test_fast_code_is_the_eager_engine_but_for_rounding(seed: int) -> None:
    case = random_case(seed)
    step = compile(case.f, [0.0] * case.indices, 0.0, wrt=[1, *case.parameters])
    for n in (1, 3, 8, 33, 70):  # part of a vector, a vector, blocks and a rest
        indices, xs = data(case, n, seed)
        value, (by_x, slopes) = step.value_and_grad(np.array(indices), np.array(xs))
        expected, grads = eager(case, indices, xs)
        # Below 100 operations a sample, each off by some ulp of numbers below 50.
        assert value == pytest.approx(expected, rel=1e-12, abs=1e-12)
        assert slopes == pytest.approx(np.array(grads), rel=1e-12, abs=1e-12)
        _, by_one = value_and_grad(case.f, 1)(indices[0], xs[0])
        assert by_x[0] * n == pytest.approx(getattr(by_one, "data", by_one), rel=1e-12, abs=1e-12)


def test_derivatives_of_derivatives_are_right() -> None:
    f = lambda w, i, j: take(w, i) ** 3 * take(w, j) + exp(take(w, 1))
    args = [0.3, -0.7, 1.1], 2, 0
    expected = hessian(f)(*args)
    found = compile(hessian(f), [0.0] * 3, 0, 0)(*args)
    assert np.array(found.toarray() if hasattr(found, "toarray") else found) == pytest.approx(
        np.array(expected), rel=1e-14
    )


# Where sums go


def of_rows(w: list[list[Value]], parameters: Sequence[Value]) -> Any:
    def f(i: Any, j: Any) -> Any:
        a, b = take(w, i), take(w, j)
        return tanh(dot(a, b)) + dot(w[0], a)

    return compile(f, 0.0, 0.0, wrt=list(parameters)), f


@pytest.mark.parametrize("which", ["some", "shuffled"])
@pytest.mark.long
def test_a_gradient_is_added_to_the_rows_wherever_they_are(which: str) -> None:
    w = table(5)
    every = leaves(w)
    wrt = {
        "some": every[3:-6],  # neither the first row, nor the last ones
        "shuffled": random.Random(0).sample(every, len(every)),
    }[which]
    step, f = of_rows(w, wrt)
    i, j = ([float(k * m % ROWS) for k in range(41)] for m in (1, 3))
    value, slopes = step.value_and_grad(np.array(i), np.array(j))
    for leaf in every:
        leaf.grad = 0.0
    cost = mean([f(a, b) for a, b in zip(i, j, strict=True)])
    cost.backward()
    assert value == pytest.approx(cost.data, rel=1e-13)
    assert slopes == pytest.approx(np.array([leaf.grad for leaf in wrt]), rel=1e-13, abs=1e-15)


def test_code_does_not_grow_with_the_rows() -> None:
    """A look-up and an addition each, whatever the table: counted in the loops of the gradient."""
    sizes = []
    for rows in (5, 50):
        w = table(0, rows)
        step, _ = of_rows(w, leaves(w))
        loops = step._code.native_gradient._loops().lanes
        statements = [statement for loop in loops for statement in loop.statements]
        assert any(statement.scatter for statement in statements)
        sizes.append([statement.op for statement in statements])
    assert sizes[0] == sizes[1]
    assert autograd.TABLE["where"] not in sizes[0]


# What is refused, before anything runs


@pytest.mark.long
def test_an_index_out_of_range_is_named_and_nothing_done() -> None:
    w = table(1)
    step, _ = of_rows(w, leaves(w))
    plain = compile(lambda i, w: take(w, i), 0.0, [0.0] * 4, wrt=1, reduce="sum")
    good = np.arange(3.0)
    params = np.zeros(len(leaves(w)))
    for _ in range(4):  # the short ways of calls that come again
        step.value_and_grad(good, good, params=params)
        step(good, good, params=params)
        step.backward(good, good)
    grads = [leaf.grad for leaf in leaves(w)]
    for bad in (7.0, -1.0, 0.5, math.nan, math.inf, -math.inf, 1e300):
        wrong = np.array([0.0, bad, 1.0])
        for call in (
            lambda *a: step(*a),
            lambda *a: step(*a, params=params),
            step.value_and_grad,
            lambda *a: step.value_and_grad(*a, params=params),
            step.backward,
            step.reduced,
        ):
            for args in ((good, wrong), (good.tolist(), wrong.tolist())):
                message = rf"argument 1 of f chooses .* by {bad:g}, .* rows 0 to 6: it is x1 of s"
                with pytest.raises(IndexError, match=message.replace("+", r"\+") + "ample 1"):
                    call(*args)
        with pytest.raises(IndexError, match="argument 0 of"):
            plain([0.0, bad], [[1.0] * 4] * 2)
    assert [leaf.grad for leaf in leaves(w)] == grads
    assert plain.value_and_grad([3, 0], [[1, 2, 3, 4]] * 2)[1] == [[0, 0, 0, 1], [1, 0, 0, 0]]


def test_the_shortest_table_bounds_an_index() -> None:
    f = lambda x: take([1.0, 2.0, 3.0], x[0]) + take([5.0, 7.0], x[0]) + take([0.0] * 9, x[1])
    step = compile(f, [0.0, 0.0])
    assert step([1.0, 8.0]) == 9.0
    with pytest.raises(IndexError, match=r"by 2, .* 0 to 1: it is x0\[0\] of sample 0"):
        step([2.0, 8.0])
    with pytest.raises(IndexError, match=r"by 9, .* 0 to 8: it is x0\[1\] of sample 1"):
        step([[1.0, 8.0], [1.0, 9.0]])


def test_only_an_argument_chooses_in_compiled_code() -> None:
    w = [Value(1.0), Value(2.0)]
    parameter = Value(1.0, "which")
    for f, message in (
        (lambda x: take(w, parameter) * x, "'which'.* that is no argument"),
        (lambda x: take(w, detach(x)), "that is no argument"),
        (lambda x: take([[w[0]], w], x)[0], "rows of a table must be of one length"),
    ):
        with pytest.raises((CompileError, ValueError), match=message):
            compile(f, 0.0)
    with pytest.raises(TypeError, match="a computed index"):
        compile(lambda x: take(w, x + 1.0), 0.0)
    assert compile(lambda x: x * take(w, Value(1.0)) * take(w, 0), 0.0, wrt=0)(3.0) == 6.0


def test_a_row_of_the_table_by_any_number_is_the_formula() -> None:
    """Applied as a row, it may be anywhere, and is 0 between whole numbers."""
    row = autograd.TABLE["take"]
    step = compile(lambda i, x, y: row(i, x, y), 0.0, 0.0, 0.0)
    points = [(0.0, 2.0, 3.0), (1.0, 2.0, 3.0), (0.5, 2.0, 3.0), (-1.0, 2.0, 3.0), (9.0, 2.0, 3.0)]
    assert [step(*point) for point in points] == [2.0, 3.0, 0.0, 0.0, 0.0]
    assert [row(*point) for point in points] == [2.0, 3.0, 0.0, 0.0, 0.0]


def test_an_order_that_an_index_decides_is_refused_where_bits_count() -> None:
    x = [Value(0.5), Value(1.5)]
    open_ended = lambda i: take([tanh(x[0]), tanh(x[0] * x[1])], i) * x[1]
    with pytest.raises(CompileError, match="is computed there for the first time"):
        compile(open_ended, 0.0, exact=True).value_and_grad(1.0)
    for how in ({}, {"backend": "python"}):
        _, slopes = compile(open_ended, 0.0, wrt=x, **how).value_and_grad(1.0)
        assert slopes == pytest.approx([g.data for g in gradients(open_ended(1.0), x)], rel=1e-14)


def test_results_are_followed_without_a_gradient() -> None:
    w = table(2)

    def f(i: Any) -> Any:
        with no_grad():
            hidden = take(w, i)
        return dot(hidden, take(w, i))

    step = compile(f, 0.0, wrt=leaves(w), reduce="sum")
    _, slopes = step.value_and_grad(np.array([2.0, 2.0]))
    expected = [2 * leaf.data * (6 <= k < 9) for k, leaf in enumerate(leaves(w))]
    assert slopes.tolist() == expected


# Other targets


def code_case() -> tuple[Any, list[list[float]], list[float]]:
    w = table(3, 4, 2)
    f = lambda i, x: dot(take(w, i), [x, 1.0]) * take([2.0, 3.0, x, 5.0], i)
    step = compile(f, 0.0, 0.0, wrt=leaves(w))
    return step, [[float(k), 0.5 - k] for k in range(4)], [leaf.data for leaf in leaves(w)]


def expected_of(step: Any, samples: list[list[float]]) -> list[list[float]]:
    pairs = [step.value_and_grad(i, x) for i, x in samples]
    return [[value, *slopes] for value, slopes in pairs]


def test_python_source_takes_rows() -> None:
    step, samples, numbers = code_case()
    names: dict[str, Any] = {}
    exec(step.source(), names)
    for sample, expected in zip(samples, expected_of(step, samples), strict=True):
        assert names["program"](sample, numbers) == pytest.approx(expected, rel=1e-15)


@pytest.mark.skipif(not shutil.which("cc"), reason="there is no C compiler")
def test_c_source_takes_rows(tmp_path: Path) -> None:
    import ctypes

    step, samples, numbers = code_case()
    (tmp_path / "p.c").write_text(step.source("c"))
    command = "cc -std=c99 -O1 -shared -fPIC p.c -o p.so -lm".split()
    subprocess.run(command, cwd=tmp_path, check=True)
    program = ctypes.CDLL(str(tmp_path / "p.so")).program
    doubles = lambda xs: (ctypes.c_double * len(xs))(*xs)
    for sample, expected in zip(samples, expected_of(step, samples), strict=True):
        out = doubles([0.0] * len(expected))
        program(doubles(sample), doubles(numbers), out)
        assert list(out) == pytest.approx(expected, rel=1e-15)


@pytest.mark.parametrize("target", ["jax", "torch"])
def test_source_of_libraries_takes_rows(target: str) -> None:
    library = pytest.importorskip(target)
    step, samples, numbers = code_case()
    names: dict[str, Any] = {}
    exec(step.source(target), names)
    if target == "jax":
        library.config.update("jax_enable_x64", True)
        program = library.jit(library.vmap(names["program"], in_axes=(0, None)))
        found = program(library.numpy.array(samples), library.numpy.array(numbers))
    else:
        tensor = lambda x: library.tensor(x, dtype=library.float64)
        found = names["program"](tensor(samples), tensor(numbers))
    rows = np.array([np.asarray(column) for column in found]).T
    assert rows == pytest.approx(np.array(expected_of(step, samples)), rel=1e-14)


# Networks


class Bigram(Module):
    """A letter embedded, and logits of the one that follows."""

    def __init__(self) -> None:
        self.token = Embedding(6, 3, seed=0)
        self.out = Embedding(6, 3, seed=1)

    def forward(self, x: list[Any]) -> list[Any]:
        hidden = [tanh(h) for h in self.token(x[0])]
        return [dot(row, hidden) for row in self.out.weight]


@pytest.mark.long
@pytest.mark.parametrize("clip", [None, 1.0], ids=str)
def test_a_training_with_embeddings_is_the_same_compiled(clip: float | None) -> None:
    inputs = [[float(k % 6)] for k in range(20)]
    targets = [float((k * k + 1) % 6) for k in range(20)]

    def trained(compile: Any) -> tuple[list[float], list[float]]:
        model = Bigram()
        history = fit(
            model, (inputs, targets), cross_entropy, Adam(model.parameters(), 0.05), epochs=4,
            batch_size=8, clip=clip, compile=compile,
        )  # fmt: skip
        assert history.backend.startswith("llvm") == bool(compile)
        return history.loss, [p.data for p in model.parameters()]

    loss, weights = trained(False)
    assert trained("exact") == (loss, weights)
    fast_loss, fast_weights = trained(True)
    # Adam's first steps are of one size whatever the gradient, but for its sign.
    assert fast_loss == pytest.approx(loss, rel=1e-9)
    assert fast_weights == pytest.approx(weights, rel=1e-9)


def test_labels_of_compiled_cross_entropy_are_whole_numbers() -> None:
    step = compile(lambda z, y: cross_entropy(z, y), [0.0] * 3, 0, wrt=0)
    _, slopes = step.value_and_grad([1.0, 2.0, 3.0], 1)
    expected = [p - (k == 1) for k, p in enumerate(softmax([1.0, 2.0, 3.0]))]
    assert slopes == pytest.approx(expected, abs=1e-15)
    with pytest.raises(IndexError, match="argument 1 of <lambda> chooses a row of a table by 3"):
        step([1.0, 2.0, 3.0], 3)
