"""The strategies draw what they promise, from the table and from rows of one's own."""

from __future__ import annotations

import math
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import Phase, find, given, settings
from hypothesis import strategies as st

import autograd
from autograd import TABLE, Op, Value, gradcheck, gradients
from autograd.testing.straightline import Assignment, StraightLine, program_of
from autograd.testing.strategies import datasets, expressions, floats_in, is_smooth, mlps
from nn import MLP


@pytest.fixture
def own_row() -> Iterator[Op]:
    op = Op("cube", lambda x: x * x * x, (lambda y, x: 3 * x * x,), kinks=lambda x: (x - 2,))
    yield op
    del TABLE[op.name]


@pytest.mark.parametrize("name", TABLE)
@settings(max_examples=20)
@given(data=st.data())
@pytest.mark.long
def test_floats_in_stay_in_the_domain(name: str, data: st.DataObject) -> None:
    args = data.draw(floats_in(name))
    assert TABLE[name].arity in (None, len(args))
    assert is_smooth(TABLE[name], args)
    assert math.isfinite(TABLE[name](*args))


@pytest.mark.parametrize("name", [name for name, op in TABLE.items() if op.kinks])
@settings(max_examples=20)
@given(data=st.data())
@pytest.mark.long
def test_floats_at_kinks(name: str, data: st.DataObject) -> None:
    args = data.draw(floats_in(name, kinks=True))
    kinks = TABLE[name].kinks
    assert kinks is not None
    assert min(abs(k) for k in kinks(*args)) <= 1e-12
    assert not TABLE[name].violation(list(args))


@pytest.mark.long
@given(floats_in("log", wide=True))
def test_wide_floats(args: tuple[float, ...]) -> None:
    assert 1e-301 < args[0] < 1e301


@pytest.mark.long
def test_wide_floats_reach_far() -> None:
    assert find(floats_in("log", wide=True), lambda args: args[0] > 1e200)
    assert find(floats_in("log", wide=True), lambda args: args[0] < 1e-200)


def test_a_row_without_kinks_says_so() -> None:
    with pytest.raises(ValueError, match="exp has no kinks; those that have some are atan2, "):
        floats_in("exp", kinks=True)
    with pytest.raises(ValueError, match="leave out either kinks or wide"):
        floats_in("abs", kinks=True, wide=True)
    with pytest.raises(ValueError, match="no row 'nope'"):
        expressions(ops=["nope"])
    with pytest.raises(ValueError, match="at least one node"):
        expressions(max_nodes=0)
    with pytest.raises(ValueError, match="ops is empty"):
        expressions(ops=[])


@pytest.mark.long
@given(expressions(max_nodes=5, ops=["add", TABLE["tanh"]]))
def test_expressions_of_chosen_ops(program: StraightLine) -> None:
    names = [step.name for step in program.steps]
    assert set(names) <= {"add", "tanh", "sum"}  # a sum joins loose ends
    assert len(names) <= 6


@settings(max_examples=50)
@given(expressions(smooth=False))
def test_a_printed_program_computes_the_same(program: StraightLine) -> None:
    names: dict[str, object] = {}
    exec(str(program), names)
    out = names["f"](*map(Value, names["point"]))  # type: ignore[operator,arg-type]
    assert repr(out.data) == repr(program.floats()[-1])


def test_a_printed_program_runs_as_a_file(tmp_path) -> None:
    program = StraightLine(
        (0.5, -math.inf), (Assignment("maximum", (0, 1)), Assignment("pow", (-2.0, 2.0)))
    )
    path = tmp_path / "program.py"
    path.write_text(f"{program}\nprint(f(*point))\n")
    done = subprocess.run(
        [sys.executable, path],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": str(Path(autograd.__file__).parent.parent)},
    )
    assert done.stdout == "4.0\n"


@pytest.mark.long
def test_expressions_share_and_fan_out() -> None:
    def shares(program: StraightLine) -> bool:
        uses = [arg for step in program.steps for arg in step.args if isinstance(arg, int)]
        return len(uses) > len(set(uses)) and len(program.steps) > 4

    assert find(
        expressions(), shares, settings=settings(max_examples=2000, phases=[Phase.generate])
    )


@pytest.mark.long
def test_shrinking_leads_to_few_nodes_and_simple_numbers() -> None:
    program = find(expressions(max_nodes=6), lambda p: any(s.name == "sin" for s in p.steps))
    assert program == StraightLine((0.0,), (Assignment("sin", (0,)),))


@pytest.mark.slow
@pytest.mark.parametrize("name", list(TABLE)[::6])
def test_shrinking_leaves_out_what_does_not_matter(name: str) -> None:
    program = find(expressions(), lambda p: any(s.name == name for s in p.steps))
    # Beside the row itself: a step for a number in its domain, and the sum of loose ends.
    assert len(program.steps) <= 3
    assert {*program.inputs} <= {0.0, 1.0}


@pytest.mark.long
def test_a_row_of_ones_own_is_drawn(own_row: Op) -> None:
    drawn = settings(max_examples=2000, phases=[Phase.generate])
    assert find(expressions(), lambda p: any(s.name == "cube" for s in p.steps), settings=drawn)
    args = find(floats_in(own_row, kinks=True), lambda args: True)
    assert args == (2.0,)
    program = StraightLine((1.0,), (Assignment("cube", (0,)),))
    assert "TABLE['cube'](v0)" in str(program)
    assert "import the module that defines the row 'cube'" in str(program)


@pytest.mark.long
@given(expressions())
def test_a_graph_becomes_a_program_again(program: StraightLine) -> None:
    root = program.values()[-1]
    again = program_of(root)
    assert again.values()[-1].data == root.data
    assert len(again.steps) <= len(program.steps)


@given(mlps(), st.data())
@pytest.mark.long
def test_mlps_are_networks(model, data: st.DataObject) -> None:
    inputs = len(model.layers[0].neurons[0].w)
    found = data.draw(datasets(inputs=inputs, max_samples=3))
    assert len(found.X) == len(found.y)
    for x in found.X:
        out = model(x)
        values = out if isinstance(out, list) else [out]
        assert all(math.isfinite(value.data) for value in values)
    gradients(values[0], model.parameters())


@given(datasets(classes=True))
@pytest.mark.long
def test_datasets_of_classes(data) -> None:
    assert set(data.y) <= {-1.0, 1.0}
    assert len({len(x) for x in data.X}) == 1


def examples_of(strategy: st.SearchStrategy[StraightLine], count: int) -> list[StraightLine]:
    found: list[StraightLine] = []

    @settings(max_examples=count, database=None, derandomize=True, phases=[Phase.generate])
    @given(strategy)
    def collect(program: StraightLine) -> None:
        found.append(program)

    collect()
    return found


@pytest.mark.slow
def test_200_expressions_find_a_wrong_rule_of_each_row(monkeypatch: pytest.MonkeyPatch) -> None:
    programs = examples_of(expressions(), 200)
    missed = []
    for name, op in list(TABLE.items()):
        concerned = [p for p in programs if any(step.name == name for step in p.steps)]
        wrong = wrong_row(op)
        monkeypatch.setitem(TABLE, name, wrong)
        if not any(is_found(program) for program in concerned):
            missed.append(name)
        monkeypatch.setitem(TABLE, name, op)
        del TABLE[wrong.name]
    assert not missed


def wrong_row(op: Op) -> Op:
    """Return a row whose rules are off by a tenth and a bit."""
    if op.pullback is not None:
        right = op.pullback
        rules = {"pullback": lambda g, z, xs: [1.1 * c + 0.3 * g for c in right(g, z, xs)]}
        return Op("wrong", op.forward, (), op.domain, kinks=op.kinks, **rules)
    partials = tuple((lambda *args, rule=rule: 1.1 * rule(*args) + 0.3) for rule in op.partials)
    return Op("wrong", op.forward, partials, op.domain, kinks=op.kinks)


def is_found(program: StraightLine) -> bool:
    """Return whether the check finds a gradient wrong."""
    report = gradcheck(program, *program.inputs)
    return any(check.verdict == "wrong" for check in report.inputs)


@pytest.mark.long
def test_a_failing_network_is_printed_as_a_program_and_soon() -> None:
    started = time.monotonic()

    @settings(database=None, deadline=None)
    @given(mlps())
    def deep(model: MLP) -> None:
        assert len(model.parameters()) < 5 or max(p.data for p in model.parameters()) < 0.1

    with pytest.raises(AssertionError) as failure:
        deep()
    printed = "\n".join(failure.value.__notes__)
    call = printed[printed.index("MLP(") : printed.index(",\n)")]
    model = eval(call, {"MLP": MLP})
    assert len(model.parameters()) >= 5
    assert time.monotonic() - started < 20
