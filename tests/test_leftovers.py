"""What a run leaves behind is not gone by in the next, or compiling says so with file and line."""

from __future__ import annotations

import collections
import decimal
import functools
import io
import itertools
import os
import re
import sys
import time
from collections.abc import Callable, Iterator
from types import ModuleType, SimpleNamespace
from typing import Any
from xml.etree.ElementTree import Element

import numpy as np
import pytest

import autograd
from autograd import CompileError, Value, tanh

compile = functools.partial(autograd.compile, backend="python")

W = Value(0.5)


class Counted:
    made = 0

    def __init__(self) -> None:
        self.w, self.step, self.seen, self.last, self.ready = W, 0, [], None, False

    def __call__(self, x: Any) -> Any:
        self.step += 1
        return self.w * x * (0.1 if self.step > 50 else 1.0)


class Quiet(Counted):
    """Leaves all sorts of things behind, and goes by none of them."""

    def __call__(self, x: Any) -> Any:
        self.step += 1
        if not self.ready:
            self.ready, self.table = True, [1.0, 2.0]
        self.seen.append(x)
        self.last, self.states = tanh(x * self.w), [x]
        self.states.append(self.last)
        return self.states[-1] * self.table[1] * len(self.states)


class Node:
    """A Value wrapped as autograd engines of one's own do it, known by a number."""

    ids = itertools.count()
    made = 0

    def __init__(self, value: Any, args: tuple[Any, ...] = ()) -> None:
        Node.made += 1
        self.value, self.args, self.id, self.rank = value, args, next(Node.ids), Node.made

    def __mul__(self, other: Node) -> Node:
        return Node(self.value * other.value, (self, other))


def by_nodes(x: Any) -> Any:
    a = Node(x)
    out, seen, order = a * Node(W) * a, set(), []
    waiting = [out]
    while waiting:
        node = waiting.pop()
        if node.id not in seen:
            seen.add(node.id)
            order.append(node)
            waiting += node.args
    newest = max(order, key=lambda node: node.rank)
    return newest.value + len(order) * (newest.id - a.id)


def of_state(f: Callable[[Any, Any], Any], state: Any) -> Any:
    """Return a function of one number that is ``x * W`` times what ``f`` makes of a state."""
    return lambda x: x * W * f(state, x)


def of_a_generator() -> Any:
    def numbers() -> Iterator[float]:
        for i in itertools.count():
            yield 1.0 if i < 50 else 2.0

    return of_state(lambda s, x: next(s), numbers())


def turned(items: list[float], _: Any) -> float:
    items[:] = items[1:] + items[:1]
    return items[0]


def moved(items: list[float], _: Any) -> float:
    items.append(items.pop(0))
    return items[0]


def of_a_file() -> Any:
    file = open(__file__)  # noqa: SIM115 - it is read on in each run
    OPEN.append(file)
    return of_state(lambda s, x: float(len(list(s)[:0]) + 1), file)


OPEN: list[Any] = []


def in_the_environment(key: str, _: Any) -> float:
    os.environ[key] = str(int(os.environ.get(key, "0")) + 1)
    return 2.0 if int(os.environ[key]) > 50 else 1.0


def of_a_default() -> Any:
    def f(x: Any, seen: list[Any] = [], ids: Any = itertools.count()) -> Any:  # noqa: B006, B008
        seen.append(1)
        return x * W * (2.0 if next(ids) > 50 else 1.0)

    return f


def of_its_own_attribute() -> Any:
    def f(x: Any) -> Any:
        f.calls = getattr(f, "calls", 0) + 1  # type: ignore[attr-defined]
        return x * W * (2.0 if f.calls > 50 else 1.0)  # type: ignore[attr-defined]

    return f


def of_a_variable() -> Any:
    calls = 0

    def f(x: Any) -> Any:
        nonlocal calls
        calls += 1
        return x * W * (2.0 if calls == 50 else 1.0)

    return f


def ways_to(things: list[Any]) -> Any:
    return things.append, things.__len__


def counted(state: Any, key: Any) -> float:
    state[key] += 1
    return 2.0 if state[key] > 50 else 1.0


def looked_up(state: Any, _: Any) -> float:
    state["n"] += 1
    return float(state["at"].get(state["n"], 1.0))


def appended(state: Any, _: Any) -> float:
    state.append(1.0)
    return state[0] if len(state) > 50 else 1.0


def swallowed(state: Any, _: Any) -> float:
    state[0] += 1
    try:
        return 2.0 if state[0] > 50 else 1.0
    except Exception:
        return 1.0


def by_the_clock(limit: float, _: Any) -> float:
    return 1.0 if time.time() < limit else 2.0


def flipped(state: Any) -> float:
    state[0] = (state[0] << 1 | 1) & 0xFFFFFFFF
    return 2.0 if state[0] > 2**31 else 1.0


def by_text_of(state: Any, _: Any) -> float:
    state[0] += 1
    return {"step 50": 2.0}.get(f"step {state[0]}", 1.0)


def own_list() -> Any:
    made: Any = type("Own", (list,), {})([1.0])
    made.n = 0
    return made


def by_attribute(state: Any, _: Any) -> float:
    state.n += 1
    return 2.0 if state.n > 50 else 1.0


def by_length(state: Any, _: Any) -> float:
    state.write(".")
    return 2.0 if len(state.getvalue()) > 50 else 1.0


def by_element(state: Any, _: Any) -> float:
    state.append(Element("b"))
    return 2.0 if len(state) > 50 else 1.0


def by_precision(state: Any, _: Any) -> float:
    state.prec += 1
    return 2.0 if state.prec > 50 else 1.0


def spelled(state: Any, _: Any) -> float:
    state[0] += "."
    return float(len(state[0]) // 50)


GOES_BY = {
    "attribute": (Counted, r"has left in Counted\.step"),
    "variable": (of_a_variable, "has left in calls"),
    "attribute of the function": (of_its_own_attribute, r"has left in f\.calls"),
    "item": (lambda: of_state(lambda s, x: counted(s, "n"), {"n": 0}), "left in the item 'n'"),
    "key": (lambda: of_state(looked_up, {"n": 0, "at": {50: 2.0}}), "left in the item 'n'"),
    "array": (lambda: of_state(lambda s, x: counted(s, 0), np.zeros(2)), "left in state"),
    "Counter": (lambda: of_state(lambda s, x: counted(s, 0), collections.Counter()), "left in"),
    "list": (lambda: of_state(appended, []), "left in state"),
    "queue": (lambda: of_state(appended, collections.deque([0.0] * 5, maxlen=5)), "left in state"),
    "list that is only reached by its methods": (
        lambda: of_state(
            lambda s, x: s[0](1) or float(s[1]() > 0), (lambda a: (a.append, a.__len__))([])
        ),
        "has left in",
    ),
    "text": (lambda: of_state(spelled, [""]), "left in state"),
    "a try around it": (lambda: of_state(swallowed, [0]), "left in state"),
    "count": (
        lambda: of_state(lambda s, x: float(next(s) > 50), itertools.count()),
        "gone through",
    ),
    "cycle": (lambda: of_state(lambda s, x: next(s), itertools.cycle([1.0] * 50 + [2.0])), "gone"),
    "iterator": (lambda: of_state(lambda s, x: next(s), iter([1.0] * 50)), "gone through state"),
    "generator": (of_a_generator, "gone through state"),
    "default": (of_a_default, "gone through f.__defaults__"),
    "next": (lambda: of_state(lambda s, x: float(s() > 50), itertools.count().__next__), "gone"),
    "next of": (
        lambda: of_state(lambda s, x: float(s() > 50), functools.partial(next, itertools.count())),
        "gone through state",
    ),
    "iterator in a list": (
        lambda: of_state(lambda s, x: float(next(s[0]) > 50), [itertools.count()]),
        "gone through item 0 of a list",
    ),
    "file": (of_a_file, "gone through state"),
    "list that is turned": (lambda: of_state(turned, [1.0] * 50 + [2.0]), "left in state"),
    "list whose items move on": (lambda: of_state(moved, [1.0] * 50 + [2.0]), "left in state"),
    "bits": (lambda: of_state(lambda s, x: flipped(s), [1]), "left in state"),
    "environment": (lambda: of_state(in_the_environment, "OF_A_COUNT"), "left in os.environ"),
    "attribute of a list": (lambda: of_state(by_attribute, own_list()), r"left in Own\.n"),
    "text in memory": (lambda: of_state(by_length, io.StringIO()), "left in state"),
    "element": (lambda: of_state(by_element, Element("a")), "left in state"),
    "context of decimal's": (lambda: of_state(by_precision, decimal.Context(prec=3)), "left in"),
    "text of a count": (lambda: of_state(by_text_of, [0]), "left in state"),
    **{
        name: (lambda ask=ask: of_state(lambda s, x: float(ask() < 1e30), None), rf"time\.{name}")
        for name, ask in {
            "thread_time": lambda: time.thread_time(),
            "process_time_ns": lambda: time.process_time_ns(),
            "clock_gettime": lambda: time.clock_gettime(time.CLOCK_MONOTONIC),
        }.items()
        if hasattr(time, name)
    },
    "clock": (lambda: of_state(by_the_clock, time.time() + 1e6), r"goes by time\.time\(\)"),
}


@pytest.mark.parametrize(("make", "said"), GOES_BY.values(), ids=GOES_BY)
def test_what_an_earlier_run_has_left_is_not_gone_by(
    make: Any, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OF_A_COUNT", "0")
    with pytest.raises(CompileError) as caught:
        compile(make(), 1.0)
    assert re.match(rf"{re.escape(__file__)}:\d+: .*{said}", str(caught.value))
    assert "pass it as an argument, or set it" in str(caught.value)
    while OPEN:
        OPEN.pop().close()


def timed(f: Any) -> Any:
    from time import perf_counter

    @functools.wraps(f)
    def call(*args: Any) -> Any:
        begin = perf_counter()
        out = f(*args)
        call.took = time.time() - begin  # type: ignore[attr-defined]
        call.all.append(perf_counter() - begin)  # type: ignore[attr-defined]
        return out

    call.all = []  # type: ignore[attr-defined]
    return call


@pytest.mark.parametrize("make", [Quiet, lambda: by_nodes, lambda: timed(lambda x: x * W)])
def test_what_is_left_and_not_gone_by_is_as_elsewhere(make: Any) -> None:
    f = make()
    compiled = compile(f, 1.0)
    for x in (0.3, -0.7):
        assert compiled(x) == f(Value(x)).data
    # What stood in its place is gone.
    left = [*vars(f).values(), *vars(f).get("all", []), *vars(Node).values(), next(Node.ids)]
    assert not {type(thing).__name__ for thing in left} & {"LeftNumber", "LeftThing"}


def test_a_text_in_memory_may_be_written_to() -> None:
    told = io.StringIO()

    def f(x: Any) -> Any:
        print(f"{x.data:.1f}", file=told)
        return x * W

    assert compile(f, 1.0)(3.0) == 1.5
    assert told.getvalue().startswith("1.0\n")


def test_what_is_left_is_counted_as_before() -> None:
    model = Counted()
    with pytest.raises(CompileError, match="goes by"):
        compile(model, 1.0)
    assert type(model.step) is int
    assert model.step == 3


def test_what_is_filled_at_first_is_looked_at_from_then_on() -> None:
    model = Quiet()
    compiled = compile(model, 1.0)
    compiled(0.5)
    model(Value(0.3))
    assert compiled(0.5) == model(Value(0.5)).data
    model.table = [1.0, 5.0]
    with pytest.raises(CompileError, match=r"Quiet\.table was \[1\.0, 2\.0\]"):
        compiled(0.5)


def test_a_module_that_is_imported_inside_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = ModuleType("settings_of_a_test")
    monkeypatch.setitem(sys.modules, settings.__name__, settings)
    settings.gain = 2.0  # type: ignore[attr-defined]

    def f(x: Any) -> Any:
        from settings_of_a_test import gain  # type: ignore[import-not-found]

        return x * W * gain

    compiled = compile(f, 1.0)
    assert compiled(1.0) == 1.0
    settings.gain = 3.0  # type: ignore[attr-defined]
    with pytest.raises(CompileError, match=r"settings_of_a_test\.gain was 2\.0"):
        compiled(1.0)


def test_a_callable_that_has_any_attribute_is_compiled() -> None:
    class Anything:
        def __getattr__(self, name: str) -> int:
            return 2

        def __call__(self, x: Any) -> Any:
            return x * W * self.gain

    assert compile(Anything(), 1.0)(3.0) == 3.0


def test_an_attribute_of_a_function_is_looked_at() -> None:
    def f(x: Any) -> Any:
        return x * W * f.gain  # type: ignore[attr-defined]

    f.gain = 2.0  # type: ignore[attr-defined]
    compiled = compile(f, 1.0)
    assert compiled(1.0) == 1.0
    f.gain = 3.0  # type: ignore[attr-defined]
    with pytest.raises(CompileError, match=r"f\.gain was 2\.0"):
        compiled(1.0)


def test_a_buffer_that_is_written_anew_is_none_that_is_left() -> None:
    buffers = SimpleNamespace(values=np.zeros(2, dtype=object), notes=[0.0] * 2, kept=[])

    def f(xs: Any) -> Any:
        buffers.kept.clear()
        for i, x in enumerate(xs):
            buffers.values[i] = buffers.notes[i] = x * W
            buffers.kept.append(x)
        return buffers.values.sum() + sum(buffers.notes) * len(buffers.kept)

    compiled = compile(f, [1.0, 2.0])
    assert compiled([0.5, 3.0]) == f([Value(0.5), Value(3.0)]).data
