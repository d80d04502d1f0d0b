"""`minimize`: a function of samples of any lengths, descended in machine code as it is eagerly."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterator, Sequence
from functools import partial, reduce
from itertools import pairwise
from typing import Any

import pytest

import nn
from autograd import CompileError, Descent, Value, compile, dot, mean, take, tanh
from nn import GPT, minimize, next_token_loss
from nn.optim import SGD, Adam, Optimizer
from nn.training import minimization
from nn.training.batches import by_length, gathered
from tests.test_programs import FOLDER, run

pytest.importorskip("llvmlite")

from autograd.compiler.choices import Choices
from autograd.compiler.native import NativeFunction


def recurrent(w: Sequence[Value], fixed: Value) -> Any:
    """Return the loss of a sequence of whole numbers below 3, and a last one to be foretold."""

    def loss(xs: list[Any]) -> Value:
        state: Any = 0.1
        for x in xs[:-1]:
            state = tanh(w[3] * state + take(w[:3], x) * fixed)
        error = state - take([0.0, 0.5, -0.5], xs[-1])
        return error * error  # type: ignore[no-any-return]

    return loss


def trained(steps: int = 150, **settings: Any) -> tuple[list[float], list[float], Optimizer]:
    w, fixed = [Value(0.1 * k - 0.2) for k in range(4)], Value(1.5)
    optimizer = Adam(w, 0.02, (0.85, 0.99))
    # Batches of one to three samples, of three lengths, often mixed.
    samples = [[float((k * j + j) % 3) for j in range(2 + k % 3)] for k in range(3 * steps)]
    batches = [samples[3 * i : 3 * i + settings.pop("size", 1 + i % 3)] for i in range(steps)]
    losses = minimize(recurrent(w, fixed), batches, optimizer, **settings)
    assert fixed.data == 1.5
    return losses, [leaf.data for leaf in w], optimizer


@pytest.mark.parametrize("alone", [minimization.ALONE, 0], ids=["one by one", "as lanes"])
@pytest.mark.long
def test_compiled_steps_are_the_eager_ones(alone: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(minimization, "ALONE", alone)
    schedule = lambda i: 1 - i / 200
    told: list[float] = []
    losses, weights, optimizer = trained(schedule=schedule, tell=told.append, compile=True)
    assert told == losses
    expected, kept, eager = trained(schedule=schedule, compile=False)
    # Rounding errors of 1e-16 in gradients, of which Adam takes quotients, 150 times.
    assert losses == pytest.approx(expected, rel=1e-9)
    assert weights == pytest.approx(kept, rel=1e-9)
    assert (optimizer.steps, optimizer.scale) == (eager.steps, eager.scale) == (150, 1 - 149 / 200)
    for column, other in zip(optimizer.memory, eager.memory, strict=True):
        assert column == pytest.approx(other, rel=1e-9)


@pytest.mark.parametrize("together", [minimization.ALONE, minimization.ALONE + 1])
def test_few_of_a_length_are_done_one_by_one(
    together: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    w, ways = Value(0.5), []
    whole = NativeFunction.made

    def made(self: Any, *, single: bool = False) -> Any:
        ways.append(single)
        return whole(self, single=single)

    monkeypatch.setattr(NativeFunction, "made", made)
    batch = [[1.0, 2.0]] * together
    losses = minimize(lambda x: (w * x[0] - x[1]) ** 2, [batch], SGD([w], 0.1), compile=True)
    assert losses == [2.25]
    assert ways[-1] is (together == minimization.ALONE)


@pytest.mark.parametrize(
    ("length", "is_large"), [(2, False), pytest.param(8, True, marks=pytest.mark.long)]
)
def test_samples_with_sums_of_their_own_are_done_one_by_one(length: int, is_large: bool) -> None:
    """However many are of a length, where a block of them would leave the nearest caches."""
    model = GPT(27, seed=0)
    loss = partial(next_token_loss, model)
    cost = compile(loss, [0.0] * length, wrt=model.parameters())
    assert Descent.suits_one_by_one(cost) is is_large


def test_a_long_formula_has_no_vectors_of_its_own() -> None:
    w = Value(0.5)
    long = compile(lambda x: reduce(lambda a, _: tanh(a * w), range(9000), x[0]), [0.0], wrt=[w])
    assert not Descent.suits_one_by_one(long)


def test_samples_are_looked_at_once_however_many_steps_follow(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looked: list[int] = []
    check = Choices.check

    def noted(choices: Any, columns: Any) -> None:
        looked.append(len(columns[0]))
        check(choices, columns)

    monkeypatch.setattr(Choices, "check", noted)
    table = [Value(0.1 * k) for k in range(3)]
    batches = [[[k % 3], [k % 2, k % 3]] for k in range(3 * minimization.STRETCH)]
    loss = lambda xs: take(table, xs[0]) ** 2 + take(table, xs[-1])
    minimize(loss, batches, SGD(table, 0.01), compile=True)
    assert looked == [len(batches)] * 2


def test_steps_are_of_the_samples_of_their_batch_in_their_order() -> None:
    given = [[[1.0, 2.0], [3.0]], [[4.0]], [[5.0], [6.0, 7.0], [8.0], [9.0, 10.0]]]
    kinds, spans, ends = by_length(gathered(given), [2, 1])
    assert [kind.tolist() for kind in kinds] == [
        [[1.0, 2.0], [6.0, 7.0], [9.0, 10.0]],
        [[3.0], [4.0], [5.0], [8.0]],
    ]
    steps = [spans[begin:end].tolist() for begin, end in pairwise(ends)]
    assert steps == [[[0, 0, 1], [1, 0, 1]], [[1, 1, 2]], [[0, 1, 3], [1, 2, 4]]]


def test_a_list_that_is_filled_anew_for_each_batch_is_read_in_time() -> None:
    """As a reader of a long file has it; compiled and eager alike."""

    def batches(sample: list[float]) -> Iterator[list[list[float]]]:
        for k in range(5):
            sample[0] = 0.5 * k
            yield [sample]

    found = []
    for fast in (True, False):
        w = Value(1.0)
        found.append(
            minimize(lambda x, w=w: (w - x[0]) ** 2, batches([0.0]), SGD([w], 0.25), compile=fast)
        )
    assert found[0] == found[1] == [1.0, 0.0, 0.25, 0.5625, 0.765625]


def test_a_step_that_fails_leaves_the_weights_before_it() -> None:
    """However few rows there are for them: after an odd and an even number of steps."""
    for made in (5, 6, minimization.STRETCH + 1):
        w = Value(1.0)
        batches = [[[0.5 * k]] for k in range(made)]
        loss = lambda xs, w=w: (w - xs[0]) ** 2
        losses = minimize(loss, batches, Adam([w], 0.1), compile=True)
        other, told = Value(1.0), []
        with pytest.raises(FloatingPointError, match=f"in step {made + 1}"):
            minimize(
                lambda xs, w=other: (w - xs[0]) ** 2,
                [*batches, [[1e200]], [[0.0]]],
                Adam([other], 0.1),
                tell=told.append,
                compile=True,
            )
        assert (told, other.data) == (losses, w.data)


def test_a_run_goes_on_where_one_ended() -> None:
    w = [Value(1.0), Value(-1.0)]
    loss = lambda xs: dot(w, xs[:2]) ** 2 + (w[0] - xs[-1]) ** 2
    batches = [[[0.1 * k, 0.5, 1.0]] for k in range(6)]
    whole = minimize(loss, batches, Adam(w, 0.1), compile=True)
    ends = [leaf.data for leaf in w]
    w[0].data, w[1].data = 1.0, -1.0
    optimizer = Adam(w, 0.1)
    parts = minimize(loss, batches[:4], optimizer, compile=True)
    parts += minimize(loss, batches[4:], optimizer, compile=True)
    assert (parts, [leaf.data for leaf in w]) == (whole, ends)


def test_what_is_not_worth_compiling_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    w, made = Value(1.0), []
    monkeypatch.setattr(minimization.autograd, "compile", lambda *_, **__: made.append(1))
    loss = lambda xs: (w - xs[0]) ** 2
    few, many = ([[[1.0]]] * (minimization.SAMPLES_WORTHWHILE + k) for k in (-1, 0))
    minimize(loss, few, SGD([w], 0.25))
    minimize(loss, [*many[:-2], [[1.0, 2.0]]], SGD([w], 0.25))
    assert not made
    with pytest.raises(AttributeError):  # as nothing is compiled here
        minimize(loss, many, SGD([w], 0.25))
    assert made


@pytest.mark.parametrize("fast", [True, False])
def test_what_ends_it_leaves_a_whole_step(fast: bool) -> None:
    minimize = partial(nn.minimize, compile=fast)
    w = Value(8.0)
    loss = lambda xs: (w - xs[0]) ** 2
    told: list[float] = []

    def tell(value: float) -> None:
        told.append(value)
        if len(told) == 2:
            raise KeyboardInterrupt

    optimizer = SGD([w], 0.25)
    with pytest.raises(KeyboardInterrupt):
        minimize(loss, [[[0.0]]] * 5, optimizer, tell=tell)
    assert (told, w.data, optimizer.steps) == ([64.0, 16.0], 2.0, 2)
    with pytest.raises(FloatingPointError, match="became inf in step 4: try a smaller learning"):
        minimize(loss, [[[0.0]], [[1e200]], [[0.0]]], optimizer)
    assert (w.data, optimizer.steps) == (1.0, 3)
    with pytest.raises(ValueError, match="batch 1 has no sample"):
        minimize(loss, [[[0.0]], []], optimizer)
    assert minimize(loss, [], optimizer) == []
    # Found before the first step, where code is made; at its own step in the eager engine.
    table = lambda xs: take([w, 2 * w], xs[0]) ** 2
    with pytest.raises(IndexError, match=r"rows 0 to 1"):
        minimize(table, [[[0]], [[2]]], optimizer)
    assert w.data == (1.0 if fast else 0.5)


def test_only_leaves_that_the_optimiser_holds_are_moved() -> None:
    w, other = Value(1.0), Value(3.0)
    minimize(lambda xs: (w * other - xs[0]) ** 2, [[[0.0]]], SGD([w], 0.01), compile=True)
    assert (w.data, other.data) == (pytest.approx(0.82, rel=1e-15), 3.0)


@pytest.mark.long
def test_a_gpt_of_modules_is_minimised() -> None:
    found = []
    for fast in (True, False):
        model = GPT(4, block_size=3, embedding=4, heads=2, seed=0)
        optimizer = Adam(model.parameters(), 0.01)
        batches = [[[0, 1, 2, 0]], [[0, 3, 0]], [[0, 1, 2, 0], [0, 2, 0]]]
        if fast:
            losses = minimize(partial(next_token_loss, model), batches, optimizer, compile=True)
        else:
            losses = []
            for batch in batches:
                optimizer.zero_grad()
                cost = mean([next_token_loss(model, d) for d in batch])
                cost.backward()
                optimizer.step()
                losses.append(cost.data)
        found.append((losses, [p.data for p in model.parameters()]))
    assert found[0][0] == pytest.approx(found[1][0], rel=1e-9)
    # Adam's first steps are of one size whatever the gradient: one of 1e-10 is off by 1e-6 of it.
    assert found[0][1] == pytest.approx(found[1][1], rel=1e-6, abs=1e-9)


CLASS = "from autograd import Value, softmax, take"
"""In place of the class, and of the softmax."""

ALTERED = {
    "import random": "import nn, random",
    "    x = [t + p for t, p in zip(state['wte'][token], state['wpe'][pos])]": "    x = [t + p for "
    "t, p in zip(take(state['wte'], token), state['wpe'][pos])]",
    "for step in range(3):": "def loss_of(tokens):",
    "        losses.append(-probs[tokens[pos + 1]].log())": "        losses.append("
    "-take(probs, tokens[pos + 1]).log())",
    "    loss = (1 / n) * sum(losses)": "    return (1 / n) * sum(losses)",
    "    loss.backward()": "history = nn.minimize(loss_of, [[[BOS, *map(chars.index, doc), BOS]] "
    "for doc in docs], nn.optim.Adam(params, lr, (beta1, beta2)), lambda step: 1 - step / 3, "
    "compile=True)",
}
"""What is altered in a GPT as one finds it, to have it compiled."""


@pytest.mark.long
def test_a_gpt_in_plain_python_is_compiled_with_six_lines_altered() -> None:
    text = (FOLDER / "microgpt_names.py").read_text(encoding="utf-8")
    before = ["import random", *text.partition("# Instead: ")[2].splitlines()[1:]]
    after = [ALTERED.get(line, line) for line in before]
    find = lambda start: next(i for i, line in enumerate(after) if line.startswith(start))
    begin = find("def softmax")
    del after[begin : begin + 6]
    del after[find("    tokens = ")]
    del after[find("history = nn") + 1 :]
    added = [line for line in difflib.ndiff(before, after) if line.startswith("+ ")]
    assert len(added) == 6
    names: dict[str, Any] = {}
    exec("\n".join([CLASS, *after]), names)
    expected = run("microgpt_names", here=False)
    assert len(names["history"]) == 3
    for i, value in enumerate(names["history"]):
        assert math.isclose(value, expected[f"result['loss'][{i}]"], rel_tol=1e-12)
    for i, leaf in enumerate(names["params"][::5]):
        # Adam's steps are quotients of gradients, of which none is so small as to be but rounding.
        assert math.isclose(leaf.data, expected[f"result['params'][{i}]"], rel_tol=1e-9)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"loss": None}, "loss must be a function of a sample: got None"),
        (
            {"loss": lambda x: 1.0},
            r"loss must return a Value, .*: got 1\.0",
        ),
        ({"batches": None}, "batches must be a list of batches, which .*: got None"),
        ({"batches": [1.0]}, r"batches must be a list of batches, which .*: got \[1.0\]"),
        ({"batches": [[1.0]]}, r"batch 0 must be a list of samples, which .*: got \[1.0\]"),
        ({"batches": [[["a"]]]}, "a number of batch 0 must be a number: got 'a'"),
        ({"batches": [[[1.0]], []]}, "batch 1 has no sample"),
        ({"optimizer": []}, r"optimizer must be one of nn.optim, such as SGD: got \[\]"),
        ({"schedule": 0.5}, "schedule must be a function: got 0.5"),
        ({"schedule": lambda step: None}, "what schedule returns must be a number: got None"),
        ({"tell": 1}, "tell must be a function: got 1"),
    ],
)
def test_what_can_not_be_used_is_named(wrong: dict[str, Any], message: str) -> None:
    w = Value(0.5)
    given: dict[str, Any] = {"loss": lambda x: w * x[0], "batches": [[[1.0]]]}
    given |= {"optimizer": SGD([w], 0.1)} | wrong
    with pytest.raises((TypeError, ValueError), match=message):
        minimize(**given)
    assert (w.data, w.grad) == (0.5, 0.0)


def annealed(who: str, compile: bool) -> tuple[list[float], float]:
    """Return losses and parameter of a descent during which a Value is halved with each step."""
    w, heat = Value(0.5), Value(1.0)

    def halve(_: float) -> float:
        heat.data /= 2
        return 1.0

    between: dict[str, Any] = {who: halve}
    losses = minimize(
        lambda x: (w * x[0] * heat - 1.0) ** 2,
        [[[1.0]], [[2.0]], [[3.0]]],
        SGD([w], 0.125),
        compile=compile,
        **between,
    )
    return losses, w.data


def grown() -> None:
    """Give the optimiser a further parameter while it is at work."""
    w = Value(0.5)
    used = SGD([w], 0.125, 0.5)
    tell = lambda loss: used.parameters.append(Value(1.0)) if used.steps == 1 else None
    minimize(lambda x: w * x[0], [[[1.0]]] * 3, used, tell=tell, compile=True)


def test_what_changes_between_steps_is_followed_or_refused() -> None:
    pytest.importorskip("llvmlite", reason="comes with the extra fast")
    for who in ("schedule", "tell"):
        losses, last = annealed(who, compile=False)
        # A dozen operations on numbers around 1.
        assert annealed(who, compile=True) == (
            pytest.approx(losses, rel=1e-12),
            pytest.approx(last),
        )
    with pytest.raises(CompileError, match="SGD has other parameters than when its steps were"):
        grown()
    w, gain = Value(0.5), [1.0]
    with pytest.raises(CompileError, match=r"the list gain was \[1\.0\], and it is another now"):
        minimize(
            lambda x: (w * x[0] - gain[0]) ** 2,
            [[[1.0]], [[2.0]]],
            SGD([w], 0.125),
            tell=lambda loss: gain.__setitem__(0, 2.0),
            compile=True,
        )
