"""Programs as other people write them, each on the engine it came with and on this one.

A file in ``programs`` is a plain program: an engine class of its own, the line
``# Instead: from autograd import Value as ...``, and what is done with it, which leaves numbers
in ``result``. Here it runs as it stands, and once more with that import in the place of the engine.
"""

import ast
import functools
import io
import math
import random
import re
from collections.abc import Iterator
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from autograd import Value

FOLDER = Path(__file__).parent / "programs"
PROGRAMS = sorted(path.stem for path in FOLDER.glob("*.py"))
INSTEAD = re.compile(r"^# Instead: (.+)$", re.MULTILINE)

# The two engines round alike in each operation, and differ in three ways: the order in which
# gradients are added up (theirs often follows a set, in the order of addresses), the formula
# (x * y**-1 for a quotient, exponentials for tanh), and libm's last bit. Each costs an operation
# a few roundings of 1.1e-16. The longest chain here, sixty steps of a spring and back, has about
# 600 operations one after the other: three roundings each are 2e-13. The few steps of training are
# too short to enlarge that by 5. No number in a `result` is what is left of much larger ones that
# cancel, so the bound needs no absolute part: a zero is zero on both.
REL = 1e-12

REFUSED = {
    "parameter_subclass": (TypeError, "Value is final: keep your own data beside it"),
    "state_on_the_value": (AttributeError, "dict"),
}
"""What it won't run: the error, and how it says what to write."""

DIFFERENT = {
    # Slopes of now. The fast weight goes from 2 by 2 (2 - 5) / 8 to 2.75; of the slow one's
    # (6 - 5)**2 the slope is 2 * 1 * 2.75, so it goes from 3 by 5.5 / 8 to 2.3125. Then 2.75
    # by 2 (5.5 - 8) 2 / 8 to 4, and of (2.3125 * 2.75 - 8)**2 the slope is 2 * -1.640625 * 4.
    "fast_weights": [1, 2.75, 5.5, 2.3125, 2.691650390625, 4, -13.125, 3.953125],
    # The nodes of (x - y)**2 / x + 2 and relu of it: five operations on x and y; a number is no
    # node. What is "+" besides is one; no "*", as x - y is no x + -1 * y; two leaves.
    "op_strings": [7, 1, 0, 0, 0, 0, 2],
    # In doubles, from the numbers that float32 has for 0.1 and 0.7: y = 0.375 x + 0.25,
    # y*y + 0.375 x', 2 y x + x' and 2 y.
    "single_precision_data": [
        0.375 * 0.10000000149011612 + 0.25,
        (0.375 * 0.10000000149011612 + 0.25) ** 2 + 0.375 * 0.699999988079071,
        2 * (0.375 * 0.10000000149011612 + 0.25) * 0.10000000149011612 + 0.699999988079071,
        2 * (0.375 * 0.10000000149011612 + 0.25),
    ],
    # d a*a / d a at the a of the backward pass, 2 * 2.3: micrograd's closures read it then, too.
    "slopes_of_the_past": [-6, 4, 2.3, -3, 2, 4.6],
    # bool(v) is bool(v.data), as in NumPy and PyTorch, so there is no bias: w goes from 2 by
    # 0.1 * 2 (1.5 w - 1) 1.5 to 1.4, 1.07, 0.8885.
    "truth_of_zero": [4, 1.21, 0.366025, 0.8885, 0],
    # Each backward starts afresh on the trunk, as in PyTorch: 2 b and 2 a, then 3 b and 3 a more.
    "two_losses": [-6, 4, -15, 10],
}
"""What it computes otherwise on purpose, and the numbers here, worked out by hand."""

SAME = [name for name in PROGRAMS if name not in REFUSED | DIFFERENT]


@pytest.fixture(autouse=True)
def untouched() -> Iterator[None]:
    """Undo what programs do to the world: they seed the global generators, and add methods."""
    state, numpy_state, attributes = random.getstate(), np.random.get_state(), dict(vars(Value))
    yield
    random.setstate(state)
    np.random.set_state(numpy_state)
    for name in [name for name in vars(Value) if name not in attributes]:
        delattr(Value, name)
    for name, attribute in attributes.items():
        if vars(Value)[name] is not attribute:
            setattr(Value, name, attribute)


def source(name: str) -> tuple[str, re.Match[str]]:
    """Return a program's text, and where its engine ends."""
    text = (FOLDER / f"{name}.py").read_text(encoding="utf-8")
    (mark,) = INSTEAD.finditer(text)
    return text, mark


def parts(name: str) -> tuple[list[ast.stmt], list[ast.stmt], list[ast.stmt]]:
    """Return a program's engine, the import that can stand in for it, and the rest."""
    text, mark = source(name)
    line = text.count("\n", 0, mark.start()) + 1
    body = ast.parse(text, f"{name}.py").body
    instead = ast.parse("\n" * (line - 1) + mark[1]).body
    above = [statement for statement in body if statement.lineno < line]
    return above, instead, [statement for statement in body if statement.lineno > line]


def run(name: str, *, here: bool) -> dict[str, float]:
    """Return the numbers of a program, on this engine or on its own, by their place in `result`."""
    above, instead, below = parts(name)
    if here:  # what the engine imported is there for the program too
        is_import = (ast.Import, ast.ImportFrom)
        above = [each for each in above if isinstance(each, is_import)] + instead
    module = ast.Module(above + below, [])
    namespace: dict[str, Any] = {"__name__": "__main__"}
    with redirect_stdout(io.StringIO()):
        exec(compile(module, f"{name}.py", "exec", dont_inherit=True), namespace)
    if here:
        assert Value in namespace.values()
    return dict(numbers(namespace["result"], "result"))


@functools.cache
def run_on_its_own(name: str) -> dict[str, float]:
    return run(name, here=False)


def numbers(value: Any, place: str) -> Iterator[tuple[str, float]]:
    """Yield the numbers in nested dictionaries and lists, each with its place."""
    if isinstance(value, dict | list | tuple):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        for key, item in items:
            yield from numbers(item, f"{place}[{key!r}]")
    else:
        assert isinstance(value, int | float), f"{place} is no number: {value!r}"
        yield place, float(value)


def differing(theirs: dict[str, float], ours: dict[str, float]) -> list[str]:
    """Return what differs, as text."""
    assert list(theirs) == list(ours)
    return [
        f"{place}: {theirs[place]!r} on its own engine, {ours[place]!r} here"
        for place in theirs
        if not math.isclose(theirs[place], ours[place], rel_tol=REL, abs_tol=0.0)
    ]


@pytest.mark.parametrize("name", SAME)
def test_a_program_computes_the_same_here(name: str) -> None:
    assert differing(run_on_its_own(name), run(name, here=True)) == []


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused_says_what_to_write(name: str) -> None:
    assert run_on_its_own(name)
    error, message = REFUSED[name]
    with pytest.raises(error, match=message):
        run(name, here=True)


@pytest.mark.parametrize("name", DIFFERENT)
def test_what_differs_on_purpose_differs_so(name: str) -> None:
    ours = run(name, here=True)
    assert differing(run_on_its_own(name), ours)
    assert list(ours.values()) == pytest.approx(DIFFERENT[name], rel=REL, abs=0)


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_result_is_worth_comparing(name: str) -> None:
    """A program that left nothing, zeros or NaN would agree with anything."""
    found = run_on_its_own(name).values()
    assert all(map(math.isfinite, found))
    assert len({x for x in found if x}) >= 4


@pytest.mark.parametrize("name", SAME)
def test_a_wrong_gradient_would_be_noticed(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """With backward passes a thousandth too large, each program tells other numbers."""
    backward = Value.backward
    text, mark = source(name)
    if ".backward(" in text[mark.end() :]:  # else it steps by hand
        monkeypatch.setattr(Value, "backward", lambda root, by=1.0: backward(root, 1.001 * by))
        assert differing(run_on_its_own(name), run(name, here=True))


def test_the_tables_name_programs_that_exist() -> None:
    assert {*REFUSED, *DIFFERENT} <= set(PROGRAMS)
    assert not REFUSED.keys() & DIFFERENT.keys()


@pytest.mark.long
def test_no_engine_is_another_with_other_names() -> None:
    """The kinds of the nodes of its syntax tree tell an engine, whatever its names are."""
    shapes = {
        tuple(type(node) for statement in parts(name)[0] for node in ast.walk(statement)): name
        for name in PROGRAMS
    }
    assert sorted(shapes.values()) == PROGRAMS
