"""What is differentiated has each node once, and code is kept by all that it follows from."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import autograd
from autograd import (
    Compiled,
    Op,
    Value,
    clamp,
    detach,
    dot,
    gradients,
    leaky_relu,
    maximum,
    minimum,
    ops,
    relu,
    sigmoid,
    silu,
    softplus,
    tanh,
    where,
)
from autograd.compiler.sharing import text_of
from autograd.compiler.writer import program_of

compile = autograd.compile

# Kernels kept on the disk.

PROGRAM = """
import json, sys
from autograd import *
from autograd import Value, compile
p, q = Value(2.0), Value(3.0)
def shared_by_v(x):
    v = p * x
    return (v + v) + (q * x + q * x)
def shared_by_w(x):
    w = q * x
    return (p * x + p * x) + (w + w)
f = {f}
step = compile(f, 1.0, wrt={wrt}, exact={exact}, backend="llvm")
print(step.value_and_grad({x}))
"""


def run(cache: Path, **words: Any) -> str:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(**words)],
        env=os.environ | {"CHAINRULE_CACHE": str(cache)},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


@pytest.mark.long
def test_one_function_never_gets_anothers_gradient_from_the_cache(tmp_path: Path) -> None:
    words: dict[str, Any] = {"wrt": 0, "exact": False, "x": 0.0}
    assert run(tmp_path, f="relu", **words) == "(0.0, 0.0)"
    assert run(tmp_path, f="lambda x: maximum(x, 0.0)", **words) == "(0.0, 0.5)"
    words["x"] = 1.0
    assert run(tmp_path, f="lambda x: clamp(x, 0.0, 1.0)", **words) == "(1.0, 1.0)"
    assert run(tmp_path, f="lambda x: minimum(maximum(x, 0.0), 1.0)", **words) == "(1.0, 0.5)"
    for exact in (False, True):
        words = {"wrt": "[p, q]", "exact": exact, "x": 2.0}
        assert run(tmp_path, f="shared_by_v", **words) == "(20.0, [4.0, 4.0])"
        assert run(tmp_path, f="shared_by_w", **words) == "(20.0, [4.0, 4.0])"
    words = {"wrt": "[p]", "exact": False, "x": 2.0}
    assert run(tmp_path, f="lambda x: p * x + p", **words) == "(6.0, [3.0])"
    assert run(tmp_path, f="lambda x: p * x + detach(p)", **words) == "(6.0, [2.0])"
    assert run(tmp_path, f="lambda x: p * x + p", wrt=0, exact=False, x=2.0) == "(6.0, 2.0)"


TWINS = (
    ("relu({a})", "maximum({a}, 0.0)"),
    ("clamp({a}, -0.5, 0.5)", "minimum(maximum({a}, -0.5), 0.5)"),
    ("silu({a})", "{a} * sigmoid({a})"),
    ("leaky_relu({a}, 0.1)", "where({a}, {a}, 0.1 * {a})"),
    ("softplus({a})", "(relu({a}) + (1.0 + (-abs({a})).exp() - 1.0).log1p())"),
    ("detach({a})", "{a}"),
    ("{a} * {b} + {a} * {b}", "twice({a} * {b})"),
    ("{a} * 1.0", "{a}"),
    ("{a} / 4.0", "{a} * 0.25"),
    ("{a} + {b}", "{a} + {b}"),
    ("tanh({a})", "tanh({a})"),
    ("{a} * {b}", "{b} * {a}"),
)
"""Lines that mostly have the same value, and mostly not the same derivative."""

NAMES = {
    "Value": Value, "relu": relu, "maximum": maximum, "minimum": minimum, "clamp": clamp,
    "silu": silu, "sigmoid": sigmoid, "leaky_relu": leaky_relu, "where": where, "abs": autograd.abs,
    "softplus": softplus, "detach": detach, "tanh": tanh, "twice": lambda v: v + v,
}  # fmt: skip


def random_pair(seed: int) -> tuple[str, str]:
    """Return the sources of two functions that differ in how some lines are written."""
    source = random.Random(seed)
    names = ["x", "p", "q"]
    both: list[list[str]] = [[], []]
    for i in range(source.randint(2, 6)):
        a, b = source.choice(names), source.choice(names)
        kinds = source.choice(TWINS)
        for lines in both:
            lines.append(f"v{i} = {source.choice(kinds).format(a=a, b=b)}")
        names.append(f"v{i}")
    body = [f"\n    {'; '.join(lines)}\n    return {names[-1]} + {names[-2]}\n" for lines in both]
    return f"def f(x):{body[0]}", f"def f(x):{body[1]}"


def compiled(source: str, *, exact: bool) -> Compiled:
    names: dict[str, Any] = NAMES | {"p": Value(0.7), "q": Value(-1.2)}
    exec(source, names)
    wrt = [names["p"], names["q"], 0]
    return compile(names["f"], 0.5, wrt=wrt, exact=exact, backend="llvm")


@pytest.mark.parametrize(
    ("exact", "pairs"),
    [
        (False, 40),
        (True, 40),
        pytest.param(False, 2000, marks=pytest.mark.long),
        pytest.param(True, 500, marks=pytest.mark.long),
    ],
)
def test_equal_keys_are_equal_gradients_for_random_pairs(exact: bool, pairs: int) -> None:
    equal = differ = 0
    for seed in range(pairs):
        first, second = (compiled(source, exact=exact) for source in random_pair(seed))
        if first._code.native_gradient.key == second._code.native_gradient.key:
            equal += 1
            assert first.gradient_program == second.gradient_program, random_pair(seed)
        elif first.program == second.program:
            differ += 1
    assert equal > pairs // 40
    assert differ > pairs // 40  # they would have shared a key that is the program of the values


AT = (-2.0, -0.5, 0.0, 0.25, 0.5, 1.0)


def run_pairs(cache: Path, seeds: str, which: int) -> list[Any]:
    """Return the gradients of one of each pair, computed in a process of its own."""
    code = (
        "import json; from tests.test_sharing import AT, compiled, random_pair\n"
        f"for seed in {seeds}:\n"
        f"    f = compiled(random_pair(seed)[{which}], exact=bool(seed % 2))\n"
        "    values, (x, p) = f.value_and_grad(list(AT))\n"
        "    print(json.dumps([values.hex(), [g.hex() for g in (*x, *p)]]))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=Path(__file__).parent.parent,
        env=os.environ | {"CHAINRULE_CACHE": str(cache)},
        capture_output=True,
        text=True,
        check=True,
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


def check_pairs(cache: Path, seeds: str) -> None:
    run_pairs(cache, seeds, 0)
    assert run_pairs(cache, seeds, 1) == run_pairs(Path("off"), seeds, 1)


@pytest.mark.long
def test_a_warm_cache_has_the_bits_of_a_cold_one(tmp_path: Path) -> None:
    check_pairs(tmp_path, "range(40)")


@pytest.mark.slow
def test_a_warm_cache_has_the_bits_of_a_cold_one_for_many_pairs(tmp_path: Path) -> None:
    check_pairs(tmp_path, "range(2000)")


def test_a_text_says_what_is_differentiated() -> None:
    p = Value(2.0)
    step = compile(lambda x: relu(x * p) * (x * p) + detach(p), 1.0)
    assert text_of(step._code.shared).splitlines() == [
        "1 inputs, 1 parameters",
        "v2 = mul(x0, p0)",
        "v3 = relu(v2)",
        "v4 = mul(v3, v2)",
        "v6 = add(v4, detached p0)",
        "return v6",
    ]


def test_constants_and_equal_nodes_are_there_once() -> None:
    half = Value(0.5)

    def f(x: Any) -> Any:
        return (x + Value(0.5)) * (x + 0.5) * (tanh(half) + 1.0) + where(1.0, x, x * x) * 0.0

    step = compile(f, 1.0, wrt=[0])
    names = [node.op.name for node in step._code.shared.nodes if node.op]
    assert names == ["add", "mul", "tanh", "add", "mul", "mul", "where", "mul", "add"]


# How long a gradient is.


def determinant(rows: list[list[Any]]) -> Any:
    """Return a determinant by minors, as one writes it down: n! products."""
    if len(rows) == 1:
        return rows[0][0]
    total: Any = 0.0
    for j, x in enumerate(rows[0]):
        minor = [row[:j] + row[j + 1 :] for row in rows[1:]]
        total = total + (x if j % 2 == 0 else -x) * determinant(minor)
    return total


@pytest.mark.long
def test_a_gradient_keeps_what_the_value_shares() -> None:
    n = 6
    f = compile(lambda v: determinant([v[i * n : i * n + n] for i in range(n)]), [0.0] * n * n)
    value, gradient = len(f.program.instructions), len(f.gradient_program.instructions)
    # Each set of columns, for the rows below it, has a product and a sum for each of its columns,
    # and each entry may be negated; in the gradient, a product and a sum for each of both factors.
    assert value <= n * 2**n + n * n
    assert gradient < 5 * value
    matrix = np.random.default_rng(0).normal(size=(n, n))
    found, slopes = f.value_and_grad(matrix.ravel())
    assert found == pytest.approx(np.linalg.det(matrix), rel=1e-9)
    # Jacobi's formula.
    assert np.allclose(slopes.reshape(n, n), found * np.linalg.inv(matrix).T, rtol=1e-8)


def lines_of(op: Op, arity: int) -> tuple[int, int]:
    """Return the lines of a row's value, and those that its gradient adds to them.

    A contribution is a product with what comes from above, and is added to others.
    """
    leaves = [Value(0.25 + i / 8) for i in range(arity)]
    out = op(*leaves)
    above = Value(0.5)
    value = program_of(leaves, [], [out])
    both = program_of(leaves, [above], [out, *gradients(out * above, leaves)])
    added = len(both.instructions) - len(value.instructions) + arity
    return max(len(value.instructions), 1), added


@pytest.mark.long
def test_no_gradient_is_longer_than_its_rows() -> None:
    """The gradient's lines ≤ (the largest ratio of any row used + 1) times the value's.

    As its rows are written one by one: some of their lines may be one another's.
    """
    for seed in range(300):
        f = compiled(random_pair(seed)[0], exact=False)
        rows = [(node.op, len(node.args)) for node in f._code.shared.nodes if node.op]
        lines = [lines_of(*row) for row in rows]
        ratio = max([added / value for value, added in lines], default=0.0)
        value = sum(value for value, _ in lines)
        assert len(f.gradient_program.instructions) <= (ratio + 1) * value, random_pair(seed)


def test_products_stand_in_the_order_of_the_weights() -> None:
    """Whatever the order in which they come back: so neighbours are one stretch of a loop."""
    size = 6
    first = [[Value(0.1 * i - 0.3 * j) for j in range(size)] for i in range(size)]
    second = [[Value(w.data + 1.0) for w in row] for row in first]

    def f(x: list[Any]) -> Any:
        return sum(tanh(dot(a, x)) * dot(b, x) for a, b in zip(first, second, strict=True))

    program = compile(f, [0.5] * size, wrt=0)._code.gradient_program
    turned = [
        args[len(args) // 2 :]
        for op, args in program.instructions
        if op is ops.dot and len(args) == 4 * size
    ]
    assert len(turned) == size
    for j, weights in enumerate(turned):
        columns = range(program.inputs + j, program.first, size)
        assert list(weights) == sorted(weights)
        assert set(weights) == set(columns)
