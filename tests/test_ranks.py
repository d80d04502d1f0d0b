"""Which instructions are done side by side: those that are alike, though not equally deep."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from math import prod
from operator import add
from typing import Any

import pytest

from autograd import Value, compile, dot, max, relu, softmax, tanh
from autograd.compiler.adjoints import gradient_program
from autograd.compiler.chains import pieces_of
from autograd.compiler.loops import Loop
from autograd.compiler.program import Program
from autograd.compiler.ranks import ranks_of
from autograd.compiler.recording import record
from autograd.compiler.rolling import loops_of
from autograd.compiler.writer import program_of

WIDTH = 5
Matrix = list[list[Value]]


def matrix(seed: int, rows: int = WIDTH, columns: int = WIDTH) -> Matrix:
    return [
        [Value(((seed + 3 * i + 7 * j) % 11 - 5) / 20) for j in range(columns)] for i in range(rows)
    ]


def times(rows: Matrix, x: Sequence[Any]) -> list[Value]:
    return [dot(row, x) for row in rows]


W, H, OUT = matrix(0), matrix(4), matrix(9, 2)


def attention(numbers: Sequence[Any]) -> Value:
    """Positions that look at one number, at two, ...: each goes through the same matrices."""
    total: Any = 0.0
    for t in range(1, len(numbers) + 1):
        weights = softmax(numbers[:t])
        mixed = [dot(weights, [x * k for x in numbers[:t]]) for k in range(1, WIDTH + 1)]
        total = total + max(times(OUT, [relu(h) for h in times(W, mixed)]))
    return total


def recurrence(numbers: Sequence[Any]) -> Value:
    """Each step goes through the matrix with what the one before has left."""
    state: list[Any] = [0.1] * WIDTH
    for x in numbers:
        state = [tanh(h + x) for h in times(W, state)]
    return reduce(add, times(OUT, state))


def layers_alike(numbers: Sequence[Any]) -> Value:
    """Two layers of one matrix, for positions that lie at different depths."""
    total: Any = 0.0
    for t in range(1, len(numbers) + 1):
        x: list[Any] = [reduce(add, numbers[:t], 0.5 * k) for k in range(WIDTH)]
        for _ in range(2):
            x = [relu(h) for h in times(W, x)]
        total = total + reduce(add, times(OUT, x))
    return total


def crossed(numbers: Sequence[Any]) -> Value:
    """Two matrices, by one sample in this order and by another in that: none can wait."""
    first = times(H, times(W, [x * 1.5 for x in numbers[:WIDTH]]))
    second = times(W, times(H, [tanh(x) for x in numbers[-WIDTH:]]))
    return dot(first, second)


def causal(numbers: Sequence[Any]) -> Value:
    """Attention as it is in a GPT: two heads, each position looks back."""
    vectors = [times(W, [x * k for k in range(1, WIDTH + 1)]) for x in numbers]
    mixed: list[list[Any]] = [[] for _ in vectors]
    for head in (slice(0, 2), slice(2, 4)):
        for t, x in enumerate(vectors):
            weights = softmax([dot(x[head], y[head]) for y in vectors[: t + 1]])
            columns = zip(*(y[head] for y in vectors[: t + 1]), strict=True)
            mixed[t] += [dot(weights, column) for column in columns]
    return reduce(add, [max(times(H, [*x, 1.0])) for x in mixed])


FUNCTIONS = [attention, causal, recurrence, layers_alike, crossed]


def program(f: Callable[..., Value], length: int) -> Program:
    graph = record(f, [[0.0] * length], ())
    return program_of(graph.inputs, graph.parameters, graph.outputs)


def ranked(made: Program) -> list[tuple[Any, int]]:
    is_uniform = made.uniform()
    pieces = pieces_of(made, [False] * len(made.outputs), is_uniform)
    for piece in pieces:
        sides = [*piece.args, *(piece.terms[0] if piece.terms else ())]
        sides += [n for n in (piece.terms[1] if piece.terms else ()) if n is not None]
        piece.rows = [tuple(n for n in sides if isinstance(n, int))]
    results = made.first + len(made.instructions)
    return list(zip(pieces, ranks_of(pieces, results, is_uniform), strict=True))


@pytest.mark.parametrize("f", FUNCTIONS, ids=lambda f: f.__name__)
def test_whatever_is_used_has_a_lower_rank(f: Callable[..., Value]) -> None:
    found = ranked(program(f, 6))
    rank = {piece.number: rank for piece, rank in found if not piece.sink}
    assert all(
        rank.get(n, 0) < own
        for piece, own in found
        if not piece.sink
        for row in piece.rows
        for n in row
    )


def products(f: Callable[..., Value], length: int) -> list[int]:
    """Return how often there is a product with W, loop by loop; the widths are all that's five."""
    loops = loops_of(program(f, length), [False])
    return [
        loop.dims[0] * loop.dims[1] if len(loop.dims) == 2 else sum(loop.dims)
        for loop in loops.lanes
        if isinstance(loop, Loop)
        for s in loop.statements
        if any(
            x.length == WIDTH and "u" in (x.left.array, x.right.array)
            for x in s.stretches
            if x.right
        )
    ]


def test_a_matrix_waits_for_all_positions() -> None:
    # What they look at isn't evenly spaced: the first matrix has a loop for one or two of them.
    assert products(attention, 7) == [2 * WIDTH, 2 * WIDTH, 2 * WIDTH, WIDTH, 7 * 2]


def test_positions_stay_one_loop_on_the_way_back() -> None:
    """However many look at one: what comes back lies in rows, as what goes on with it reads it."""
    found = []
    for length in (8, 12):
        graph = record(
            causal, [[0.0] * length], [w for rows in (W, H) for row in rows for w in row]
        )
        made = gradient_program(graph, graph.parameters)
        loops = loops_of(made, [True] * len(made.outputs))
        by_weights = [
            prod(loop.dims)
            for loop in loops.lanes
            if isinstance(loop, Loop)
            for s in loop.statements
            if any(x.right and x.left.array == "t" and x.right.array == "u" for x in s.stretches)
        ]
        found.append(len(by_weights))
    assert found[0] == found[1] <= 5


def test_layers_of_one_matrix_are_a_loop_each() -> None:
    assert products(layers_alike, 6) == [6 * WIDTH, 6 * WIDTH, 6 * 2]


def test_steps_do_not_wait_for_each_other() -> None:
    # The first is the same for all samples, and two rows are no loop.
    assert products(recurrence, 6) == [WIDTH] * 5 + [0, 0]


@pytest.mark.parametrize("f", FUNCTIONS, ids=lambda f: f.__name__)
@pytest.mark.long
def test_gradients_are_those_of_the_eager_engine(f: Callable[..., Value]) -> None:
    numbers = [0.3, -0.8, 1.1, 0.6, -0.2, 0.9]
    xs = [Value(x) for x in numbers]
    for w in (w for rows in (W, H, OUT) for row in rows for w in row):
        w.grad = 0.0
    f(xs).backward()
    compiled = compile(f, [0.0] * len(numbers))
    _, gradient = compiled.value_and_grad([numbers])
    used = [w.grad for w in compiled.parameters]
    # Sums of fewer than 100 products below 1, in another order.
    assert list(gradient) == pytest.approx(used, rel=1e-12, abs=1e-13)
