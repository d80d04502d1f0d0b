"""Samples of different lengths in compiled functions: as one by one, in code for each length."""

from __future__ import annotations

import random
from typing import Any

import pytest

from autograd import CompileError, Value, compile, dot, logsumexp, mean, relu, tanh
from autograd import sum as total
from nn import GPT, MLP, Embedding, Module, fit, next_token_loss
from nn.losses import cross_entropy, squared_error
from nn.optim import Adam

np = pytest.importorskip("numpy")
pytest.importorskip("llvmlite")

HOWS: list[dict[str, Any]] = [{}, {"exact": True}, {"backend": "python"}]


def recurrent(w: list[Value], xs: list[Any], y: Any) -> tuple[Any, Any, Any]:
    """Return the loss of a sequence, its last state, and all states."""
    state: Any = 0.0
    states = []
    for x in xs:
        state = tanh(w[0] * state + w[1] * x + w[2])
        states.append(state)
    error = w[3] * state - y
    return error * error, state, states


def weights() -> list[Value]:
    return [Value(0.3 * k - 0.4, f"w{k}") for k in range(4)]


def samples(n: int, seed: int = 0) -> tuple[list[list[float]], list[float]]:
    source = random.Random(seed)
    xs = [[source.gauss(0, 1) for _ in range(source.choice((1, 3)))] for _ in range(n)]
    return xs, [source.gauss(0, 1) for _ in range(n)]


@pytest.mark.parametrize("how", HOWS, ids=str)
@pytest.mark.parametrize("reduce", ["mean", "sum", None])
@pytest.mark.long
def test_results_are_those_of_the_samples_one_by_one(how: dict[str, Any], reduce: Any) -> None:
    w = weights()
    f = lambda xs, y: recurrent(w, xs, y)
    xs, ys = samples(11)
    step = compile(f, [0.0] * 3, 0.0, wrt=[0, *w], reduce=reduce, **how)
    own = {n: compile(f, [0.0] * n, 0.0, wrt=[0, *w], reduce=reduce, **how) for n in (1, 3)}
    alone = [own[len(x)] for x in xs]
    # Vectors have a tanh of their own, and sums of 11 numbers below 10 another order.
    close = lambda x: pytest.approx(x, rel=1e-14, abs=1e-14)
    last, states = step(xs, ys)[1:]
    each = [one(x, y) for one, x, y in zip(alone, xs, ys, strict=True)]
    assert last == close([result[1] for result in each])
    assert states == [close(result[2]) for result in each]
    (value, *others), (by_x, by_w) = step.value_and_grad(xs, ys)
    assert others == [last, states]
    apart = [one.value_and_grad(x, y) for one, x, y in zip(alone, xs, ys, strict=True)]
    if reduce is None:
        assert value == close([other[0] for other, _ in apart])
        assert [*map(list, by_w)] == [close(list(slopes[1])) for _, slopes in apart]
        assert by_x == [close(slopes[0]) for _, slopes in apart]
        return
    n = len(xs) if reduce == "mean" else 1
    assert value == close(sum(other[0] for other, _ in apart) / n)
    assert list(by_w) == close([sum(c) / n for c in zip(*(s[1] for _, s in apart), strict=True)])
    assert by_x == [close([g / n for g in slopes[0]]) for _, slopes in apart]


@pytest.mark.parametrize("how", HOWS[1:], ids=str)
def test_exact_sums_have_the_eager_bits(how: dict[str, Any]) -> None:
    w = weights()
    f = lambda xs, y: recurrent(w, xs, y)[0]
    xs, ys = samples(9, 1)
    step = compile(f, xs[0], 0.0, wrt=w, **how)
    cost = mean([f([*x], y) for x, y in zip(xs, ys, strict=True)])
    cost.backward()
    grads = [leaf.grad for leaf in w]
    value, slopes = step.value_and_grad(xs, ys)
    assert (value, list(slopes)) == (cost.data, grads)
    for leaf in w:
        leaf.grad = 0.0
    assert step.backward(xs, ys) == cost.data
    assert [leaf.grad for leaf in w] == grads
    assert step.reduced(xs, ys) == cost.data


@pytest.mark.long
def test_each_length_is_recorded_once_and_what_fits_goes_the_usual_way() -> None:
    lengths = []

    def f(xs: list[Any]) -> Any:
        lengths.append(len(xs))
        return total(xs)

    step = compile(f, [0.0, 0.0], reduce="sum")
    assert lengths == [2, 2, 2]
    for _ in range(2):
        assert step([[1.0], [2.0, 3.0], [4.0]]) == [1.0, 5.0, 4.0]
        assert step([1.0, 2.0, 3.0, 4.0]) == 10.0
        assert step([[1.0] * 4] * 2) == [4.0, 4.0]
        assert step([np.ones(3), (1.0, 2.0)]) == [3.0, 3.0]
        assert step.value_and_grad([[1.0], [2.0, 3.0]]) == (6.0, [[1.0], [1.0, 1.0]])
        assert step([]) == []
    assert lengths == [n for n in (2, 1, 4, 3) for _ in range(3)]
    assert step(np.ones((2, 2))).tolist() == [2.0, 2.0]
    with pytest.raises(ValueError, match=r"shape \(2, 3\): give \(n, 2\)"):
        step(np.ones((2, 3)))


@pytest.mark.long
def test_params_and_arrays_beside_ragged_lists() -> None:
    w = weights()
    step = compile(lambda xs, y: recurrent(w, xs, y)[0], [0.0], 0.0, wrt=w)
    xs, ys = samples(5, 2)
    params = np.array([leaf.data for leaf in w])
    value, slopes = step.value_and_grad(xs, np.array(ys), params=params)
    assert isinstance(slopes, np.ndarray)
    assert (value, slopes.tolist()) == step.value_and_grad(xs, ys)
    assert step(xs, np.array(ys), params=params) == step(xs, ys)


def test_what_a_function_does_not_take_is_named() -> None:
    w = weights()
    pair = compile(lambda v: v[0] * v[1], [0.0, 0.0])
    for given, message in (
        ([[1.0, 2.0], [1.0]], "argument 0 of .* is a list of 1, where it was compiled for 2, and"),
        ([[1.0, 2.0, 3.0]], r"is a list of 3, .* for 2, and <lambda> makes no use of x0\[2\]"),
        ([1.0], "<lambda> fails for that: list index out of range"),
    ):
        for call in (pair, pair.value_and_grad):
            with pytest.raises(ValueError, match=message):
                call(given)
    growing = compile(lambda xs: dot(w[: len(xs)], xs), [1.0, 1.0])
    assert growing([2.0]) == 2.0 * w[0].data
    with pytest.raises(CompileError, match=r"uses a parameter .*'w2'.* that it didn't use then"):
        growing([1.0, 1.0, 1.0])
    lists = compile(lambda xs: [x * w[0] for x in xs], [1.0])
    assert lists([[1.0], [1.0, 2.0]]) == [[w[0].data], [w[0].data, 2 * w[0].data]]
    with pytest.raises(CompileError, match="lists of other lengths for other samples"):
        lists.reduced([[1.0], [1.0, 2.0]])


@pytest.mark.long
def test_documents_of_a_gpt_are_compiled_by_length() -> None:
    model = GPT(5, block_size=4, embedding=4, heads=2, seed=0)
    documents = [[0, 2, 0], [0, 3], [0, 4, 4]]
    cost = mean([next_token_loss(model, document) for document in documents])
    cost.backward()
    grads = [p.grad for p in model.parameters()]
    for how in HOWS[::2]:
        step = compile(lambda d: next_token_loss(model, d), [0.0] * 2, wrt=model, **how)
        value, slopes = step.value_and_grad(documents)
        if how:
            assert (value, list(slopes)) == (cost.data, grads)
        else:
            # Some hundred operations on the way, each within an ulp or two.
            assert value == pytest.approx(cost.data, rel=1e-13)
            assert list(slopes) == pytest.approx(grads, rel=1e-11, abs=1e-14)
    with pytest.raises(IndexError, match=r"by 5, .* rows 0 to 4: it is x0\[1\] of sample 0"):
        step([0, 5, 0])


def test_a_length_of_its_own_for_each_argument() -> None:
    f = lambda a, b: logsumexp(a) * total(b)
    f = compile(f, [0.0], [0.0], wrt=[0, 1], reduce=None, exact=True)
    a, b = [[1.0, 2.0], [1.0], [3.0, 4.0]], [[1.0], [2.0, 3.0], [5.0]]
    value, (by_a, by_b) = f.value_and_grad(a, b)
    for i in range(3):
        one, (slopes_a, slopes_b) = f.value_and_grad(a[i], b[i])
        assert (value[i], by_a[i], by_b[i]) == (one, slopes_a, slopes_b)


class Reader(Module):
    """A recurrent cell that reads letters, and after each says which may follow."""

    def __init__(self) -> None:
        self.token = Embedding(4, 3, seed=0)
        self.out = Embedding(4, 3, seed=1)

    def forward(self, letters: list[Any]) -> list[list[Any]]:
        state: list[Any] = [0.0] * 3
        rows = []
        for letter in letters:
            mixed = zip(state, self.token(letter), strict=True)
            state = [relu(h + w + 0.1) for h, w in mixed]
            rows.append([dot(row, state) for row in self.out.weight])
        return rows


def following_loss(rows: list[list[Any]], targets: list[Any]) -> Any:
    return mean([cross_entropy(row, y) for row, y in zip(rows, targets, strict=True)])


@pytest.mark.long
@pytest.mark.parametrize("clip", [None, 0.5], ids=str)
def test_fit_learns_from_sequences_of_any_lengths(clip: float | None) -> None:
    texts = [[(k * j + k) % 4 for j in range(3 + k % 3)] for k in range(20)]
    data = [text[:-1] for text in texts], [text[1:] for text in texts]

    def trained(compile: Any) -> tuple[list[float], list[float], list[float]]:
        model = Reader()
        history = fit(
            model, data, following_loss, Adam(model.parameters(), 0.02), epochs=3, batch_size=4,
            clip=clip, validation=([[1, 1, 3, 3], [2, 3]], [[1, 3, 3, 0], [3, 1]]), compile=compile,
        )  # fmt: skip
        assert history.backend.startswith("llvm") == bool(compile)
        weights = [p.data for p in model.parameters()]
        return history.loss, history.validation_loss, weights

    loss, validation, weights = trained(False)
    assert trained("exact") == (loss, validation, weights)
    found = trained(True)
    # Adam's first steps are of one size whatever the gradient, but for its sign.
    for part, expected in zip(found, (loss, validation, weights), strict=True):
        assert part == pytest.approx(expected, rel=1e-8)


def test_a_length_that_a_model_does_not_take_is_named_before_anything_is_learnt() -> None:
    model = MLP(2, [1], seed=0)
    data = [[0.0, 1.0], [1.0, 0.0], [1.0]], [0.0, 1.0, 0.0]
    with pytest.raises(
        ValueError, match=r"inputs\[2\] has 1 numbers, inputs\[0\] has 2, and the m"
    ):
        fit(model, data, squared_error, Adam(model.parameters(), 0.1), epochs=1)
