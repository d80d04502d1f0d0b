"""The engine in C beside the one in Python: the same to the bit, or not there at all."""

from __future__ import annotations

import gc
import importlib.util
import inspect
import os
import random
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

import autograd
from autograd import debug, dot, grad, no_grad, ops, tanh
from autograd.acceleration import accelerator, engine_name
from autograd.byhand import HandMade
from autograd.engine import Value

HERE = Path(__file__).parent
PACKAGE = Path(autograd.__file__).parent

COMPILER = shutil.which((sysconfig.get_config_var("CC") or "none").split()[0])
"""That with which an extension is built, where there is one."""


def has_compiler() -> bool:
    """Return whether this Python is one that the accelerator is built for."""
    is_free_threaded = sysconfig.get_config_var("Py_GIL_DISABLED")
    return bool(COMPILER) and sys.implementation.name == "cpython" and not is_free_threaded


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return where the packages are, with the accelerator, and the tests beside them."""
    if not has_compiler():
        pytest.skip("there is no C compiler")
    made = tmp_path_factory.mktemp("accelerated")
    ignored = shutil.ignore_patterns("__pycache__", "*.so", "_rows.h")
    shutil.copytree(PACKAGE, made / "autograd", ignore=ignored)
    (made / "tests").mkdir()
    for name in ("__init__", "equality", "floats"):
        shutil.copy(HERE / f"{name}.py", made / "tests")
    if accelerator and not (HERE.parent / "autograd").is_dir():  # a wheel is tested
        shutil.copy(accelerator.__file__, made / "autograd")
        return made
    pytest.importorskip("hatchling", reason="it comes with the dev extra")
    spec = importlib.util.spec_from_file_location(
        "hatch_build", HERE.parent / ".ci" / "hatch_build.py"
    )
    assert spec
    assert spec.loader
    build = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(build)
    built = build.compiled(made, tmp_path_factory.mktemp("built"))
    shutil.copy(built, made / "autograd")
    return made


def said(folder: Path, *words: str, pure: bool = False) -> list[str]:
    """Return the lines that Python prints, run in a folder with either engine."""
    environment = {
        **os.environ, "AUTOGRAD_PURE": str(int(pure)), "PYTHONPATH": str(folder),
        "PYTHONHASHSEED": "0",
    }  # fmt: skip
    command = [sys.executable, *words]
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=True
    ).stdout.splitlines()


NAME = "from autograd.acceleration import engine_name; print(engine_name())"


def differing(folder: Path, first: int, last: int) -> list[str]:
    """Return the seeds whose programs the engines disagree about."""
    words = ["-m", "tests.equality", str(first), str(last)]
    in_c, in_python = said(folder, *words), said(folder, *words, pure=True)
    assert (in_c[0], in_python[0]) == ("engine in C", "engine in Python")
    assert len(in_c) == len(in_python) == 1 + last - first
    return [x for x, y in zip(in_c[1:], in_python[1:], strict=True) if x != y]


@pytest.mark.long
def test_random_programs_give_the_same_in_both_engines(folder: Path) -> None:
    assert not differing(folder, 0, 300)


@pytest.mark.slow
def test_very_many_random_programs_give_the_same_in_both_engines(folder: Path) -> None:
    for first in range(1000, 101_000, 10_000):
        assert not differing(folder, first, first + 10_000)


@pytest.mark.long
def test_an_extension_of_other_sources_is_left_alone(folder: Path, tmp_path: Path) -> None:
    """A rule that was edited since computes as it is written now, in Python."""
    edited = tmp_path / "edited"
    shutil.copytree(folder, edited)
    table = edited / "autograd" / "ops.py"
    text = table.read_text(encoding="utf-8")
    assert "(lambda y, x: 1 - y * y,)" in text
    table.write_text(text.replace("(lambda y, x: 1 - y * y,)", "(lambda y, x: 1 - y,)"))
    slope = "from autograd import Value; x = Value(0.0); x.tanh().backward(); print(x.grad)"
    assert said(folder, "-c", NAME) == ["engine in C"]
    assert said(edited, "-c", NAME) == ["engine in Python"]
    table.write_text(text.replace("(lambda y, x: 1 - y * y,)", "(lambda y, x: 3 - y * y,)"))
    assert (said(folder, "-c", slope), said(edited, "-c", slope)) == (["1.0"], ["3.0"])


@pytest.mark.long
def test_an_extension_of_another_text_in_c_is_left_alone(folder: Path, tmp_path: Path) -> None:
    """One that was built before the last pull; in a wheel there is no text to compare."""
    later = tmp_path / "later"
    shutil.copytree(folder, later)
    text = later / "autograd" / "_accelerator.c"
    if text.exists():
        text.write_bytes(text.read_bytes() + b"/* of later */\n")
        assert said(later, "-c", NAME) == ["engine in Python"]
        text.unlink()
    assert said(later, "-c", NAME) == ["engine in C"]


CHAIN = """
from autograd import Value
x = y = Value(1.0)
for _ in range({n}):
    y = y * 1.0000001
y.backward()
kept = y.args[0].args[0]
del y
x.grad
print(kept.grad > 0.999999)
"""


@pytest.mark.long
def test_a_long_chain_needs_no_stack(folder: Path) -> None:
    assert said(folder, "-c", CHAIN.format(n=1_000_000)) == ["True"]


ORDERS = """
import random
from autograd import CycleError, Value, dot, tanh
from autograd.graph import topological_order as theirs
from autograd.recorders import topological_order as ours
assert ours is not theirs
rng = random.Random(0)
for _ in range(100):
    nodes = [Value(rng.random()) for _ in range(3)]
    for _ in range(30):
        x, y = rng.choices(nodes, k=2)
        nodes.append(rng.choice([x * y, x + 1, tanh(x), dot([x, y, 2.0], [y, x, x], 1.0)]))
    roots, ends = rng.choices(nodes, k=rng.randrange(3)), rng.choices(nodes, k=rng.randrange(3))
    since = rng.choice([0.0, rng.choice(nodes)._age])
    for given in ends, tuple(ends):
        assert theirs(*roots, ends=given, since=since) == ours(*roots, ends=given, since=since)
    assert theirs(*roots) == ours(*roots)
x = Value(1.0)
y = x * 2
z = y + 1
y._a = z
try:
    z.backward()
except CycleError as error:
    print(error)
y._a = x
z.backward()
print(x.grad, theirs(z) == [x, y, z])
"""


@pytest.mark.long
def test_the_order_in_c_is_that_in_python(folder: Path) -> None:
    error, after = said(folder, "-c", ORDERS)
    assert error.startswith("the graph has a cycle of 2 node(s): Value(data=3.0")
    assert after == "2.0 True"


SLOPES = """
import random
from autograd import TABLE, Value, dot, sum
from autograd.acceleration import accelerator
from autograd.contexts import unchecked
from autograd.evaluation import floats
from autograd.transforms import _gradients
rng, in_c, differing = random.Random(0), 0, []
rows = [op for op in TABLE.values() if op.is_built_in and op.arity]
odd = [0.0, -0.0, 1.0, -1.0, 2.0, 0.5, 1e200, float("inf")]
def number():
    return rng.choice(odd) if rng.random() < 0.3 else rng.uniform(-2, 2)
for _ in range(6000):
    wrt = [Value(number()) for _ in range(3)]
    nodes = [*wrt]
    with unchecked():
        for _ in range(rng.randint(1, 6)):
            def arg():
                return rng.choice(nodes[-4:]) if rng.random() < 0.7 else number()
            op = rng.choice(rows)
            args = [rng.choice(nodes), *(arg() for _ in range(op.arity - 1))]
            rng.shuffle(args)
            made = op(*args)
            if rng.random() < 0.2:
                made = rng.choice([dot([made, arg()], [arg(), 2.0]), sum([made, arg(), made])])
            nodes.append(made)
    wrt.append(wrt[0])
    grads = [number() if rng.random() < 0.05 else 0.0 for _ in nodes]
    for node, grad in zip(nodes, grads):
        node.grad = grad
    found = accelerator.slopes(nodes[-1], *wrt)
    in_c += found is not None
    (expected,) = _gradients([nodes[-1]], wrt, ends=wrt)
    if found is not None and repr(found) != repr(floats(expected)):
        differing.append((found, nodes))
    assert repr([node.grad for node in nodes]) == repr(grads)
x = Value(2.0)
print(accelerator.slopes(x, x), accelerator.slopes(x * 3, Value(1.0)), accelerator.slopes(2.0, x))
for out in (x / 1.0 * -0.0, x / -1.0 * 0.0, x / 2.0 * -0.0):
    assert repr(accelerator.slopes(out, x)) == repr(floats(_gradients([out], [x], ends=[x])[0]))
print(in_c > 3000, len(differing))
for found, nodes in differing[:5]:
    print(found, [(n.data, n.op, n.args) for n in nodes])
"""


@pytest.mark.long
def test_slopes_in_c_are_gradients_to_the_bit(folder: Path) -> None:
    """Signs of zeros, infinities and NaN with them; and no grad is another one after it."""
    assert said(folder, "-c", SLOPES) == ["[1.0] [0.0] None", "True 0"]


QUIET = """
import sys
from autograd import Value
called = []
x = Value(2.0)
x.grad = 0
((x * x + 1).tanh() * 2).backward()
x.grad = 0
sys.setprofile(lambda frame, event, _: event == "call" and called.append(frame.f_code.co_name))
y = (x * x + 1).tanh() * 2
sys.setprofile(None)
x.grad = 0
y.backward()
print(called, type(x.grad).__name__)
"""


@pytest.mark.long
def test_a_grad_of_0_as_loops_set_it_costs_no_call_of_python(folder: Path) -> None:
    assert said(folder, "-c", QUIET) == ["[] float"]


def test_every_node_is_of_the_very_type_that_messages_name() -> None:
    x = Value(2.0)
    by_hand = [Value(4.0, (x,), "square"), Value(4.0, (x,), (4.0,)), Value(1.0, label="x")]
    for node in (x, x * x, *by_hand, x * x):
        assert type(node) is Value
        with pytest.raises(TypeError, match="for @: 'Value' and 'Value'"):
            node @ node  # type: ignore[operator]
    assert (Value.__name__, Value.__module__) == ("Value", "autograd.engine")


def test_a_node_that_loses_its_op_during_a_pass_is_refused() -> None:
    x = Value(2.0)
    y = x * x
    z = Value(1.0, (y,), "z")
    z._backward = lambda: vars(Value)["__init__"](y, 5.0)
    with pytest.raises(AttributeError, match="'NoneType' object has no attribute 'pull'"):
        z.backward()


def test_a_result_without_a_graph_is_younger_than_what_it_was_made_in() -> None:
    """By that, a derivative knows its own numbers from Values that it closes over."""

    def f(x: Value) -> Value:
        with no_grad():
            slope = tanh(x) * 2
        return x * slope

    assert type(grad(f)(0.5)) is float


LEAKS = """
import gc, sys, tracemalloc
from tests.equality import story
def run(first, last):
    for seed in range(first, last):
        for _ in story(seed):
            pass
tracemalloc.start()
held = []
for _ in range(6):
    run(0, 60)
    gc.collect()
    held.append(tracemalloc.get_traced_memory()[0])
print(min(after - before for before, after in zip(held, held[1:])))
"""


@pytest.mark.long
def test_programs_that_are_run_again_leave_nothing_behind(folder: Path) -> None:
    """Less than one node of 72 bytes for each of 60 programs; caches fill in the first rounds."""
    for pure in (False, True):
        assert int(said(folder, "-c", LEAKS, pure=pure)[0]) < 60 * 64


def test_a_leaf_is_the_same_by_every_way_to_write_it() -> None:
    """In C, what is given by position is taken at once, all else goes through Python's code."""
    ways = [Value(2.0, "x"), Value(2.0, label="x"), Value(2, "x"), Value(data=2.0, label="x")]
    told = {(x.data, x.grad, x.label, x.op, x.args, x.origin, x._mark) for x in ways}
    assert told == {(2.0, 0.0, "x", None, (), None, None)}
    assert next(iter(inspect.signature(Value).parameters)) == "data"
    y = ways[0] * 3
    vars(Value)["__init__"](y, 5.0)
    assert (y.data, y.op, y.label) == (5.0, None, "")
    with debug():
        assert Value(1.0, "x").origin is not None


def test_a_dot_of_lists_is_the_row_applied_to_their_items() -> None:
    rng = random.Random(0)
    for n in (1, 2, 3, 32, 33, 64, 65, 1024, 1025):
        for _ in range(20):
            items = [Value(rng.random()), rng.random(), Value(-rng.random()), *([2] * (n < 33))]
            weights, inputs = rng.choices(items, k=n), rng.choices(items[: rng.randint(1, 4)], k=n)
            bias = rng.choice([None, 0.5, 3, Value(0.25)])
            kinds = rng.choices([list, tuple], k=2)
            given = (kinds[0](weights), kinds[1](inputs), bias)
            expected = ops.dot(*weights, *inputs, *([] if bias is None else [bias]))
            found = dot(*given)
            assert type(found) is type(expected)
            assert float_of(found) == float_of(expected)
            if isinstance(found, Value):
                assert (found.args, found.op) == (expected.args, expected.op)
                assert {type(arg) for arg in found.args} <= {Value, float}
                with no_grad():
                    leaf = dot(*given)
                assert (leaf.data, leaf.op, leaf.args) == (found.data, None, ())
    with pytest.raises(ValueError, match="as many weights as inputs"):
        dot([1.0], (1.0, 2.0))
    with pytest.raises(TypeError, match="expected a real number"):
        dot([Value(1.0)], ["a"])


def float_of(x: Value | float) -> float:
    """Return the number of a result."""
    return x.data if isinstance(x, Value) else x


def test_a_dot_in_c_is_of_as_many_weights_as_layers_have() -> None:
    if not accelerator:
        pytest.skip("the engine in C is not there")
    for n, is_there in ((1, True), (784, True), (1024, True), (1025, False)):
        found = accelerator.weighted(ops.dot, [Value(1.0)] * n, (2.0,) * n, None)
        assert (found is not None) == is_there


def test_gc_has_no_sums_to_look_at() -> None:
    """It would look at each of their arguments; what a user built by hand may be in a cycle.

    So may all Values, once a row of this process has given way to a user's function.
    """
    x, by_hand = Value(2.0), Value(1.0, label="kept")
    assert gc.is_tracked(dot([x, x], [x, 1.0]).args) == gc.is_tracked(x)
    assert gc.is_tracked(dot([x, by_hand], [x, 1.0]).args)


def test_what_gc_runs_may_change_the_lists_of_a_dot() -> None:
    """Neither list nor any other name holds what the node is made of by then."""
    weights, inputs = [Value(1.5)], [Value(2.0)]

    class Emptying:
        def __del__(self) -> None:
            weights[:], inputs[:] = [Value(0.5)], [Value(0.5)]

    thresholds = gc.get_threshold()
    made = []
    try:
        for _ in range(50):
            weights[:], inputs[:] = [Value(1.5)], [Value(2.0)]
            cycle: list[object] = [Emptying()]
            cycle.append(cycle)
            del cycle
            gc.set_threshold(1)
            made.append(dot(weights, inputs))
            gc.set_threshold(*thresholds)
    finally:
        gc.set_threshold(*thresholds)
    for node in made:
        w, x = node.args
        assert (w.data, x.data, node.data) in {(1.5, 2.0, 3.0), (0.5, 0.5, 0.25)}


def test_what_a_wheel_brings_is_used() -> None:
    if (HERE.parent / "autograd").is_dir() or os.environ.get("AUTOGRAD_PURE"):
        pytest.skip("a checkout is pure until it is installed as editable")
    assert engine_name() == ("engine in C" if has_compiler() else "engine in Python")


@pytest.mark.long
def test_nodes_built_by_hand_that_refer_to_themselves_are_freed() -> None:
    """Their function holds the node, which holds the function: that is for gc to find."""

    class Witness:
        alive = 0

        def __init__(self) -> None:
            Witness.alive += 1

        def __del__(self) -> None:
            Witness.alive -= 1

    x = Value(2.0)
    for _ in range(3):
        y, witness = Value(4.0, (x,), "square"), Witness()
        y._backward = lambda y=y, witness=witness: y.grad
    del y, witness
    gc.collect()
    assert Witness.alive == 0


@pytest.mark.long
def test_recorded_nodes_with_a_function_of_their_users_are_freed() -> None:
    """In C they are known to gc from the second one on."""
    x = Value(2.0)
    for _ in range(5):
        y = x * x
        y._backward = lambda y=y: y.grad
    del y
    gc.collect()
    kept = sum(isinstance(found, HandMade) for found in gc.get_objects())
    for _ in range(20):
        y = x * x
        y._backward = lambda y=y: y.grad
    del y
    gc.collect()
    assert sum(isinstance(found, HandMade) for found in gc.get_objects()) <= kept
