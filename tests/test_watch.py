"""What a compiled function holds is as it was recorded, or the next call says what is another."""

from __future__ import annotations

import builtins
import ctypes
import decimal
import hashlib
import inspect
import logging
import math
import mmap
import os
import signal
import sys
import threading
import weakref
from array import array
from collections import defaultdict, deque
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass, field, fields
from functools import lru_cache, partial
from importlib import import_module
from io import BytesIO, StringIO
from operator import attrgetter, neg
from types import ModuleType, SimpleNamespace
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

import autograd
from autograd import CompileError, Value
from autograd.compiler.places import held_by
from autograd.compiler.reach import reached
from autograd.compiler.recording import record
from autograd.compiler.watch import Watch
from nn import MLP, LayerNorm, Linear, Module, Neuron, RMSNorm

compile = autograd.compile

GAIN = 2.0
SETTINGS: Any = ModuleType("settings")
SETTINGS.rate = 0.5
OTHER_SETTINGS: Any = ModuleType("settings")
OTHER_SETTINGS.rate = 5.0
TABLE = {"gain": 2.0, "other": 1.0}
ARRAY = np.array([1.0, 2.0])

REPLACED_NOW = "was compiled when .* and it is another now: pass"


class Model:
    """A user's, with a setting, a count of calls, and parameters in several places."""

    def __init__(self) -> None:
        self.scale, self.w, self.heads = 2.0, Value(1.5), [Value(0.5), Value(-1.0)]
        self.calls, self.unused = 0, 1.0

    def __call__(self, x: Any) -> Any:
        self.calls += 1
        return self.heads[0] * x + self.w * self.scale


@dataclass
class Line:
    w: Value
    bias: float = 1.0

    def __call__(self, x: Any) -> Any:
        return self.w * x + self.bias


@dataclass(slots=True)
class Slotted:
    w: Value
    bias: float = 1.0

    def __call__(self, x: Any) -> Any:
        return self.w * x + self.bias


def of_globals(x: Any) -> Any:
    return x * GAIN + TABLE["gain"] + (ARRAY * x).sum()


def of_a_cell() -> tuple[Any, Callable[[], None]]:
    gain = 3.0

    def f(x: Any) -> Any:
        return x * gain

    def change() -> None:
        nonlocal gain
        gain = 4.0

    return f, change


def of_a_default() -> Any:
    settings = SimpleNamespace(rate=0.5)
    return lambda x, s=settings: x * s.rate, lambda: setattr(settings, "rate", 0.25)


def model_and(change: Callable[[Model], object]) -> tuple[Any, Callable[[], object]]:
    model = Model()
    return model, lambda: change(model)


def line_and_change(kind: Any) -> tuple[Any, Callable[[], object]]:
    line = kind(Value(2.0))
    return line, lambda: setattr(line, "bias", -1.0)


class Gained:
    gain = 2.0

    def __call__(self, x: Any) -> Any:
        return x * self.gain


def of_a_module() -> tuple[Any, Callable[[], object]]:
    return lambda x: x * SETTINGS.rate, lambda: setattr(SETTINGS, "rate", 0.25)


def of_a_class() -> tuple[Any, Callable[[], object]]:
    base = type("Base", (Gained,), {"gain": 2.0})
    kind = type("Kind", (base,), {})
    return kind(), lambda: setattr(base, "gain", base.gain + 1.0)


def of_some(things: Any) -> tuple[Any, Callable[[], object]]:
    return lambda x: sum(k * x for k in things), lambda: things.pop()


def of_state(
    f: Callable[[Any, Any], Any], state: Any, change: Callable[[Any], object]
) -> tuple[Any, Callable[[], object]]:
    """Return a function of one number and of a state, and what changes that."""
    w = Value(1.5)
    return lambda x: w * x + f(x, state), lambda: change(state)


class Doubled:
    """A user's descriptor, which keeps its number under a name that no code has."""

    def __set_name__(self, owner: type, name: str) -> None:
        self.key = f"of_{name}"

    def __get__(self, thing: Any, owner: type | None = None) -> Any:
        return 2 * thing.__dict__[self.key]

    def __set__(self, thing: Any, number: float) -> None:
        thing.__dict__[self.key] = number


class Described:
    gain = Doubled()

    def __init__(self) -> None:
        self.gain = 2.0

    @property
    def me(self) -> Described:
        return self


def of_a_method() -> tuple[Any, Callable[[], object]]:
    def act(self: Any, x: Any) -> Any:
        return x.relu()

    kind = type("Acting", (), {"act": act, "__call__": lambda self, x: self.act(x)})
    return kind(), lambda: setattr(kind, "act", lambda self, x: x.tanh())


def of_an_attribute_of_its_own() -> tuple[Any, Callable[[], object]]:
    gained = Gained()
    return gained, lambda: setattr(gained, "gain", 7.0)


def of_other_code(name: str, other: Any) -> tuple[Any, Callable[[], object]]:
    def inner(x: Any, k: float = 2.0) -> Any:
        return x * k

    return lambda x: inner(x) + 1.0, lambda: setattr(inner, name, other)


def of_a_context() -> tuple[Any, Callable[[], object]]:
    # A variable is one of a context: pytest's fixtures and parameters share this one.
    return of_state(lambda x, v: x * v.get(), ContextVar("gain", default=2.0), lambda v: v.set(5.0))


def of_weak(make: Callable[[Any], Any]) -> tuple[Any, Callable[[], object]]:
    kept = Described()
    f, _ = of_state(lambda x, weak: x * weak().gain, make(kept), id)
    return f, lambda: setattr(kept, "gain", 9.0)


def of_bases() -> tuple[Any, Callable[[], object]]:
    kind = type("Kind", (Gained,), {})
    other = type("Other", (Gained,), {"gain": 7.0})
    return kind(), lambda: setattr(kind, "__bases__", (other,))


def of_an_array_and(change: Callable[[Any], object]) -> tuple[Any, Callable[[], object]]:
    return of_state(lambda x, s: x * len(s) + float(s.flat[0]), np.ones(4), change)


def of_decimals() -> tuple[Any, Callable[[], object]]:
    third = lambda: float(decimal.Decimal(1) / decimal.Decimal(3))
    return lambda x: x * third(), lambda: setattr(decimal.getcontext(), "prec", 3)


def of_a_missing_global() -> tuple[Any, Callable[[], object]]:
    f = lambda x: x * globals().get("NOT_THERE_YET", 1.0)
    return f, lambda: f.__globals__.__setitem__("NOT_THERE_YET", 2.0)


def of_a_module_by(f: Callable[[Any], float]) -> tuple[Any, Callable[[], object]]:
    """Return a function of what is got from a module, whose number no name in it tells."""
    return of_state(lambda x, s: x * f(s), SETTINGS, lambda s: setattr(s, "rate", 5.0))


def of_globals_by(f: Callable[[Any], Any]) -> tuple[Any, Callable[[], object]]:
    return f, lambda: BY_COMPUTED_NAME.update(rate=BY_COMPUTED_NAME["rate"] + 1.0)


BY_COMPUTED_NAME = {"rate": 2.0}
EXPRESSION = ["x * BY_COMPUTED", "_NAME['rate']"]


def of_subclasses() -> tuple[Any, Callable[[], object]]:
    base = type("Base", (), {})
    kept = [type("First", (base,), {})]
    f, _ = of_state(lambda x, s: x * len(s.__subclasses__()), base, id)
    return f, lambda: kept.append(type("Second", (base,), {}))


def of_metadata() -> tuple[Any, Callable[[], object]]:
    told = {"scale": 2.0}

    @dataclass
    class Scaled:
        rate: float = field(default=1.0, metadata=told)

    f, _ = of_state(lambda x, s: x * fields(s)[0].metadata["scale"], Scaled(), id)
    return f, lambda: told.update(scale=3.0)


def of_keyword_defaults() -> tuple[Any, Callable[[], object]]:
    def inner(x: Any, *, k: float = 2.0) -> Any:
        return x * k

    return lambda x: inner(x) + 1.0, lambda: inner.__kwdefaults__.update(k=3.0)


def of_arguments() -> tuple[Any, Callable[[], object]]:
    return lambda x: x * len(sys.argv), lambda: setattr(sys, "argv", [*sys.argv, "more"])


def with_a_doc() -> tuple[Any, Callable[[], object]]:
    def f(x: Any) -> Any:
        """2.0"""
        return x * float(f.__doc__ or "1")

    return f, lambda: setattr(f, "__doc__", "3.0")


def of_its_own_kind(kind: type, *given: Any) -> tuple[Any, Callable[[], object]]:
    """Return a function of an attribute that a container has besides its items."""
    thing: Any = type("Own", (kind,), {})(*given)
    thing.rate = 2.0
    return of_state(lambda x, s: x * s.rate, thing, lambda s: setattr(s, "rate", 3.0))


def of_an_array_of_its_own_kind() -> tuple[Any, Callable[[], object]]:
    array = np.ones(2).view(type("Own", (np.ndarray,), {}))
    return of_state(lambda x, s: x * float(s[0]), array, lambda s: s.__setitem__(0, 2.0))


def of_a_function_and(ask: Callable[[Any], float]) -> tuple[Any, Callable[[], object]]:
    def helper() -> None:
        """Has a setting, later."""

    return of_state(lambda x, s: x * ask(s), helper, lambda s: setattr(s, "rate", 3.0))


class InSlots:
    __slots__ = ("__own", "rate")

    def __init__(self) -> None:
        self.__own = 2.0

    def own(self) -> float:
        return self.__own


class Twice:
    """Gives twice what it keeps."""

    def __init__(self) -> None:
        self.rate = 2.0

    def __getattribute__(self, name: str) -> Any:
        found = object.__getattribute__(self, name)
        return 2 * found if name == "rate" else found


def of_a_patch(
    f: Callable[[Any], Any], home: Any, name: str, other: Any
) -> tuple[Any, Callable[[], object]]:
    """Return a function, and what puts something else where it finds it, in nobody's own place."""
    return f, lambda: setattr(home, name, other)


def of_a_network(x: Any, model: Any = MLP(1, [1], seed=0)) -> Any:  # noqa: B008
    return model([x])


NUMBERS = [0.5] * 5000

REPLACED = {
    "a method that all values were given": lambda: of_a_patch(
        lambda x: x.of_a_test(), Value, "of_a_test", neg
    ),
    "what such a method goes by": lambda: of_a_patch(
        lambda x: x.of_a_test(), SETTINGS, "rate", 5.0
    ),
    "an operator of values": lambda: of_a_patch(
        lambda x: 2.0 - x, Value, "__rsub__", lambda x, other: x * other
    ),
    "a number of math's": lambda: of_a_patch(lambda x: x * math.tau, math, "tau", 6.0),
    "a function of this project's": lambda: of_a_patch(
        lambda x: autograd.softplus(x), autograd, "softplus", neg
    ),
    "a function of NumPy's": lambda: of_a_patch(lambda x: np.tanh(x), np, "tanh", neg),
    "a function that is built in": lambda: of_a_patch(
        lambda x: pow(x, 3), builtins, "pow", lambda x, y: x * y
    ),
    "how a network is called": lambda: of_a_patch(
        of_a_network, MLP, "__call__", lambda model, xs: xs[0]
    ),
    "a level of logging": lambda: of_state(
        lambda x, _: x * logging.getLogger("of_a_test").getEffectiveLevel(),
        None,
        lambda _: logging.getLogger().setLevel(logging.DEBUG),
    ),
    "a signal's handler": lambda: of_state(
        lambda x, _: x * (1.0 if signal.getsignal(signal.SIGINT) is signal.SIG_IGN else 2.0),
        None,
        lambda _: signal.signal(signal.SIGINT, signal.SIG_IGN),
    ),
    "a thread's name": lambda: of_state(
        lambda x, _: x * len(threading.current_thread().name),
        None,
        lambda _: setattr(threading.current_thread(), "name", "of a test"),
    ),
    "a mapped file": lambda: of_state(
        lambda x, s: x * s[0], mmap.mmap(-1, 8), lambda s: s.write(b"1")
    ),
    "an attribute of a list": lambda: of_its_own_kind(list, [1.0]),
    "an attribute of a dict": lambda: of_its_own_kind(dict, {"a": 1.0}),
    "an attribute of a queue": lambda: of_its_own_kind(deque, [1.0]),
    "an array of one's own kind": of_an_array_of_its_own_kind,
    "whether a function has an attribute": lambda: of_a_function_and(
        lambda s: s.rate if hasattr(s, "rate") else 1.0
    ),
    "what a function has, or not": lambda: of_a_function_and(lambda s: getattr(s, "rate", 1.0)),
    "a slot that was empty": lambda: of_state(
        lambda x, s: x * (s.rate if hasattr(s, "rate") else 1.0),
        InSlots(),
        lambda s: setattr(s, "rate", 3.0),
    ),
    "a private slot": lambda: of_state(
        lambda x, s: x * s.own(), InSlots(), lambda s: setattr(s, "_InSlots__own", 3.0)
    ),
    "what is given as another number": lambda: of_state(
        lambda x, s: x * s.rate, Twice(), lambda s: setattr(s, "rate", 3.0)
    ),
    "a computed name in a module": lambda: of_a_module_by(lambda s: getattr(s, "".join("rate"))),
    "all names in a module": lambda: of_a_module_by(
        lambda s: sum(x for x in vars(s).values() if isinstance(x, float))
    ),
    "a module by its dotted name": lambda: of_a_module_by(
        lambda _: sys.modules["settings.of_a_test"].rate
    ),
    "a module that is imported by it": lambda: of_a_module_by(
        lambda _: import_module("settings.of_a_test").rate
    ),
    "another module of that name": lambda: (
        lambda x: x * sys.modules["settings.of_a_test"].rate,
        lambda: sys.modules.update({"settings.of_a_test": OTHER_SETTINGS}),
    ),
    "a table by a computed name": lambda: of_globals_by(
        lambda x: x * globals()["_".join(["BY", "COMPUTED", "NAME"])]["rate"]
    ),
    "what a text that is evaluated names": lambda: of_globals_by(
        lambda x: eval("".join(EXPRESSION), globals(), {"x": x})
    ),
    "subclasses": of_subclasses,
    "what fields say": of_metadata,
    "a keyword's default": of_keyword_defaults,
    "another list of a program's arguments": of_arguments,
    "a docstring": with_a_doc,
    "a class's name": lambda: of_state(
        lambda x, s: x * len(s.__name__),
        type("Kind", (), {}),
        lambda s: setattr(s, "__name__", "Other"),
    ),
    "a text in memory": lambda: of_state(
        lambda x, s: x * float(s.getvalue()), StringIO("2"), lambda s: s.write("3")
    ),
    "bytes in memory": lambda: of_state(
        lambda x, s: x * s.getvalue()[0], BytesIO(b"2"), lambda s: s.write(b"3")
    ),
    "an element's text": lambda: of_state(
        lambda x, s: x * float(s[0].text),
        ElementTree.fromstring("<a><rate>2</rate></a>"),
        lambda s: setattr(s[0], "text", "3"),
    ),
    "a context of decimal's": lambda: of_state(
        lambda x, s: x * float(s.divide(decimal.Decimal(1), decimal.Decimal(3))),
        decimal.Context(prec=6),
        lambda s: setattr(s, "prec", 2),
    ),
    "a lock": lambda: of_state(
        lambda x, s: x * (2.0 if s.locked() else 3.0), threading.Lock(), lambda s: s.acquire()
    ),
    "a digest": lambda: of_state(
        lambda x, s: x * s.digest()[0], hashlib.md5(b"a"), lambda s: s.update(b"b")
    ),
    "a number's type": lambda: of_state(
        lambda x, s: x * (2.0 if isinstance(s[0], int) else 3.0),
        [1],
        lambda s: s.__setitem__(0, 1.0),
    ),
    "the sign of zero": lambda: of_state(
        lambda x, s: x * math.copysign(1.0, s.zero),
        SimpleNamespace(zero=0.0),
        lambda s: setattr(s, "zero", -0.0),
    ),
    "a set of objects": lambda: of_state(
        lambda x, s: x * len(s), {SimpleNamespace}, lambda s: s.add(ModuleType)
    ),
    "a name in a string": lambda: of_state(
        lambda x, s: x * getattr(s, "ra" + "te"),
        SimpleNamespace(rate=2.0),
        lambda s: setattr(s, "rate", 5.0),
    ),
    "what no code names": lambda: of_state(
        lambda x, s: x * sum(vars(s).values()),
        SimpleNamespace(rate=2.0),
        lambda s: setattr(s, "rate", 5.0),
    ),
    "what a library's function names": lambda: of_state(
        lambda x, s: x * s[0](s[1]),
        (attrgetter("rate"), SimpleNamespace(rate=2.0)),
        lambda s: setattr(s[1], "rate", 5.0),
    ),
    "what a class is made of": of_bases,
    "an array's shape": lambda: of_an_array_and(lambda s: setattr(s, "shape", (2, 2))),
    "an array's dtype": lambda: of_an_array_and(lambda s: setattr(s, "dtype", np.int64)),
    "decimal's precision": of_decimals,
    "a name in code as text": lambda: of_state(
        lambda x, s: x * eval("s.rate * 2"),
        SimpleNamespace(rate=2.0),
        lambda s: setattr(s, "rate", 5.0),
    ),
    "a descriptor's number": lambda: of_state(
        lambda x, s: x * s.gain, Described(), lambda s: setattr(s, "gain", 5.0)
    ),
    "a global that wasn't there": of_a_missing_global,
    "an item that wasn't there": lambda: of_state(
        lambda x, s: x * s.get("rate", 1.0), {"other": 1.0}, lambda s: s.update(rate=5.0)
    ),
    "an attribute that wasn't there": lambda: of_state(
        lambda x, s: x * (s.rate if hasattr(s, "rate") else 1.0),
        SimpleNamespace(),
        lambda s: setattr(s, "rate", 5.0),
    ),
    "an item that recording made": lambda: of_state(
        lambda x, s: x * s["rate"], defaultdict(lambda: 2.0), lambda s: s.update(rate=5.0)
    ),
    "the order of items": lambda: of_state(
        lambda x, s: sum(x / k if k > 2 else x + k for k in s.values()) * next(iter(s.values())),
        {"a": 2.0, "b": 3.0},
        lambda s: s.update(a=s.pop("a")),
    ),
    "how many items": lambda: of_state(lambda x, s: x * len(s), {1: 2}, lambda s: s.update({2: 2})),
    "a method of a dict": lambda: of_state(
        lambda x, get: x * get("rate"), {"rate": 2.0}.get, lambda get: get.__self__.clear()
    ),
    "a long list": lambda: of_state(
        lambda x, s: x * s[3000], NUMBERS.copy(), lambda s: s.__setitem__(3000, 5.0)
    ),
    "a long array": lambda: of_state(
        lambda x, s: x * s.sum(), np.array(NUMBERS), lambda s: s.__setitem__(3000, 5.0)
    ),
    "many lists": lambda: of_state(
        lambda x, s: x * s[400][0], [[1.0, 2.0] for _ in range(500)], lambda s: s[400].sort(key=neg)
    ),
    "numbers of ctypes": lambda: of_state(
        lambda x, s: x * s[1], (ctypes.c_double * 2)(1.0, 2.0), lambda s: s.__setitem__(1, 5.0)
    ),
    "an array of no axes": lambda: of_state(
        lambda x, s: x * s, np.array(2.0), lambda s: s.__setitem__((), 5.0)
    ),
    "bytes": lambda: of_state(
        lambda x, s: x * s[0], bytearray(b"12"), lambda s: s.__setitem__(0, 9)
    ),
    "the standard library's array": lambda: of_state(
        lambda x, s: x * s[0], array("d", [2.0]), lambda s: s.__setitem__(0, 9.0)
    ),
    "the environment": lambda: of_state(
        lambda x, s: x * float(os.environ.get("OF_A_TEST", "2")),
        None,
        lambda s: os.environ.__setitem__("OF_A_TEST", "5"),
    ),
    "a label": lambda: of_state(
        lambda x, s: x * (2.0 if s.label == "first" else 3.0),
        Value(1.0, "first"),
        lambda s: setattr(s, "label", "second"),
    ),
    "a context variable": of_a_context,
    "behind a weak reference": lambda: of_weak(weakref.ref),
    "behind a weak proxy": lambda: of_weak(
        lambda kept: partial(getattr, weakref.proxy(kept), "me")
    ),
    "a method": of_a_method,
    "an attribute in place of the class's": of_an_attribute_of_its_own,
    "a function's code": lambda: of_other_code("__code__", (lambda x, k: x + k).__code__),
    "a function's default": lambda: of_other_code("__defaults__", (3.0,)),
    "an attribute of a module that is closed over": lambda: of_state(
        lambda x, s: x * s.rate, SETTINGS, lambda s: setattr(s, "rate", s.rate + 1.0)
    ),
    "an attribute of a module": of_a_module,
    "an attribute of a class": of_a_class,
    "a set": lambda: of_some({1.0, 2.0}),
    "a queue": lambda: of_some(deque([1.0, 2.0])),
    "a variable": of_a_cell,
    "a default's attribute": of_a_default,
    "a field": lambda: line_and_change(Line),
    "a field in a slot": lambda: line_and_change(Slotted),
    "a setting": lambda: model_and(lambda m: setattr(m, "scale", 3.0)),
    "a parameter": lambda: model_and(lambda m: setattr(m, "w", Value(1.5))),
    "a parameter in a list": lambda: model_and(lambda m: m.heads.__setitem__(0, Value(0.5))),
    "a list of parameters": lambda: model_and(lambda m: setattr(m, "heads", [Value(7.0)])),
    "a parameter that is gone": lambda: model_and(lambda m: delattr(m, "w")),
}


@pytest.fixture
def surroundings(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What is set outside of a test's own objects is as it was, afterwards."""
    monkeypatch.delenv("OF_A_TEST", raising=False)
    monkeypatch.setitem(sys.modules, "settings.of_a_test", SETTINGS)
    monkeypatch.setattr(sys, "argv", sys.argv)
    monkeypatch.setattr(Value, "of_a_test", lambda x: x * SETTINGS.rate, raising=False)
    monkeypatch.setattr(threading.current_thread(), "name", "MainThread")
    for home, name in (
        (Value, "__rsub__"),
        (math, "tau"),
        (autograd, "softplus"),
        (np, "tanh"),
        (builtins, "pow"),
        (MLP, "__call__"),
    ):
        monkeypatch.setattr(home, name, getattr(home, name))
    level = logging.getLogger().level
    # A shell has what it runs in the background ignore it.
    handler = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    logging.getLogger().setLevel(level)
    signal.signal(signal.SIGINT, handler)
    globals().pop("NOT_THERE_YET", None)
    decimal.setcontext(decimal.Context())
    SETTINGS.rate = 0.5


@pytest.mark.usefixtures("surroundings")
@pytest.mark.parametrize(
    "make",
    [
        pytest.param(REPLACED[n], id=n, marks=[pytest.mark.long] * (i % 6 > 0))
        for i, n in enumerate(REPLACED)
    ],
)
def test_what_is_replaced_is_noticed_by_the_next_call(make: Any) -> None:
    """A few of them, and all in the long mode: that each is looked at is what comes below."""
    f, change = make()
    compiled = compile(f, 1.0, backend="python")
    assert compiled(2.0) == compiled(2.0) == f(Value(2.0)).data
    change()
    with pytest.raises(CompileError, match=REPLACED_NOW):
        compiled(2.0)


@pytest.mark.parametrize("call", ["__call__", "value_and_grad", "reduced"])
def test_each_way_to_call_notices_it(call: str) -> None:
    f, change = of_a_cell()
    compiled = compile(f, 1.0, backend="python")
    change()
    with pytest.raises(CompileError, match=REPLACED_NOW):
        getattr(compiled, call)(2.0)


def test_globals_items_and_arrays_are_looked_at() -> None:
    compiled = compile(of_globals, 1.0, backend="python")
    assert compiled(2.0) == 12.0
    for table, key in ((globals(), "GAIN"), (TABLE, "gain"), (ARRAY, 0)):
        before = table[key]
        table[key] = 5.0
        with pytest.raises(CompileError, match="is another now"):
            compiled(2.0)
        table[key] = before
        assert compiled(2.0) == 12.0


def test_what_makes_no_difference_may_change() -> None:
    model = Model()
    compiled = compile(model, 1.0, backend="python")
    first = compiled(2.0)
    model(Value(1.0))
    model.calls, model.unused, TABLE["other"] = 100, 9.0, 3.0
    model.scale = float("2.0")
    model.w.data += 1.0
    assert compiled(2.0) == first + 2.0
    model.heads[1] = Value(8.0)  # which the model doesn't use
    assert compiled(2.0) == compiled(2.0) == first + 2.0


def test_what_numpy_has_besides_arrays_may_be_held() -> None:
    source, each = np.random.default_rng(0), np.vectorize(lambda v: v * 2.0, otypes=[object])
    f = lambda x: each(np.array([x]))[0] * (source is not None)
    assert compile(f, 1.0, backend="python")(2.0) == 4.0


def test_what_an_object_has_is_left_as_it_is() -> None:
    """However it is asked: what stands for it while a function is recorded anew is taken away."""
    twice, gained = Twice(), Gained()
    compiled = compile(lambda x: x * twice.rate * gained.gain, 1.0, backend="python")
    twice.rate = 3.0
    with pytest.raises(CompileError, match="is another now"):
        compiled(1.0)
    assert vars(twice) == {"rate": 3.0}
    gained.gain = 5.0
    compiled = compile(lambda x: x * gained.gain, 1.0, backend="python")
    del gained.gain
    with pytest.raises(CompileError, match="is another now"):
        compiled(1.0)
    assert vars(gained) == {}


def test_what_makes_no_difference_may_go() -> None:
    notes = {("seen", 1): 2.0}
    compiled = compile(lambda x: notes.get("gain", 3.0) * x, 1.0, backend="python")
    assert compiled(2.0) == 6.0
    notes.clear()
    assert compiled(2.0) == compiled(2.0) == 6.0


def test_an_operator_that_the_engine_itself_makes_faster_is_no_other() -> None:
    def f(x: Value) -> Value:
        return Value.exp(1.0 - x) / x

    patches = [held for held in held_by(f) if held.name.startswith("Value.")]
    assert {held.name for held in patches} >= {"Value.exp", "Value.__rsub__", "Value.__truediv__"}
    for _ in range(1000):
        f(Value(0.5))
    assert all(held.is_there() for held in patches)


def test_a_parameter_of_a_network_that_is_replaced_is_noticed() -> None:
    model = MLP(2, [4, 1], seed=0)
    step = compile(lambda x: model(x) ** 2, [0.0, 0.0], wrt=model)
    step.backward([[0.5, -1.0]])
    neuron = model.layers[0].neurons[1]
    neuron.b = Value(0.25)
    with pytest.raises(CompileError, match=r"Neuron\.b was"):
        step.backward([[0.5, -1.0]])
    again = compile(lambda x: model(x) ** 2, [0.0, 0.0], wrt=model)
    model.layers[1] = MLP(4, [1], seed=1).layers[0]
    with pytest.raises(CompileError, match="is another now"):
        again([0.5, -1.0])


@pytest.fixture(params=["python", "machine code"])
def is_fast(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    """What looks, at however few places."""
    monkeypatch.setattr("autograd.compiler.watch.PLACES_IN_PYTHON", 0)
    if is_fast := bool(request.param == "machine code"):
        pytest.importorskip("llvmlite", reason="comes with the extra fast")
    return is_fast


@pytest.mark.usefixtures("surroundings")
@pytest.mark.parametrize("make", REPLACED.values(), ids=REPLACED)
def test_the_first_look_notices_it(make: Any) -> None:
    f, change = make()
    watch = Watch(held_by(f))
    change()
    assert watch.replaced()


@pytest.mark.usefixtures("surroundings")
@pytest.mark.parametrize("make", REPLACED.values(), ids=REPLACED)
def test_each_way_of_looking_notices_it(make: Any, is_fast: bool) -> None:
    f, change = make()
    watch = Watch(held_by(f), is_fast=is_fast)
    assert watch.replaced() is watch.replaced() is None
    change()
    assert watch.replaced()


class Wide:
    """Has more settings, rows and names than anybody would look at one by one."""

    def __init__(self) -> None:
        for i in range(100):
            setattr(self, f"s{i}", float(i))
        self.w = Value(2.0)
        self.rows = [[Value(float(i + j)) for i in range(20)] for j in range(20)]
        self.table = {i: 0.5 + i for i in range(200)}
        self.names = {f"k{i}": 0.25 + i for i in range(200)}

    def __call__(self, x: Any) -> Any:
        settings = sum(getattr(self, f"s{i}") for i in range(100))
        rows = sum(k * a for k, row in enumerate(self.rows) for a in row)
        tables = sum(self.table.values()) + sum(i * k for i, k in enumerate(self.names.values()))
        return self.w * x * settings + rows + tables


class Wider(Wide):
    def __call__(self, x: Any) -> Any:
        return x


@pytest.mark.parametrize(
    "change",
    [
        lambda m: setattr(m, "s7", -1.0),
        lambda m: setattr(m, "s99", 98.0),
        lambda m: setattr(m, "s99", -m.s99),
        lambda m: m.rows[19].__setitem__(19, Value(38.0)),
        lambda m: m.rows[19].reverse(),
        lambda m: m.rows.append(m.rows[3]),
        lambda m: m.rows.__setitem__(18, [Value(5.0)]),
        lambda m: m.table.__setitem__(199, 0.0),
        lambda m: m.table.pop(100),
        lambda m: m.names.__setitem__("k150", 0.0),
        lambda m: m.names.update(k0=m.names.pop("k0")),
        lambda m: setattr(m, "__dict__", {**vars(m), "s98": 1.0}),
        lambda m: setattr(m, "__class__", Wider),
        lambda m: setattr(Wide, "s3", property(lambda m: 1.0)),
    ],
)
def test_however_many_places_there_are_each_is_seen(is_fast: bool, change: Any) -> None:
    model = Wide()
    watch = Watch(held_by(model), is_fast=is_fast)
    assert watch.replaced() is None
    model.s3 = float("3.0")  # an equal one will do
    assert watch.replaced() is watch.replaced() is None
    try:
        change(model)
        assert watch.replaced()
    finally:
        if "s3" in vars(Wide):
            del Wide.s3  # type: ignore[attr-defined]


@pytest.mark.parametrize("backend", ["python", None])
def test_the_next_call_sees_what_is_one_of_many(backend: str | None) -> None:
    model = Wide()
    compiled = compile(lambda x: x * model.s5 + model.w * model.table[7], 1.0, backend=backend)
    assert compiled(1.0) == compiled(1.0) == 20.0
    model.table[199] = 0.0  # which makes no difference
    assert compiled(1.0) == 20.0
    model.table[7] = 1.0
    with pytest.raises(CompileError, match=r":\d+: .* the item 7 of Wide\.table was 7\.5, and"):
        compiled(1.0)


class Slots:
    __slots__ = ("gain", "rest")

    def __init__(self) -> None:
        self.gain, self.rest = Value(2.0), None


def of_slots_and_arrays() -> Any:
    """Return a function of each kind of place that isn't in a list or a dict, and its things."""
    own, rows, cube = Slots(), np.arange(6.0).reshape(2, 3), np.ones((2, 1, 2), np.float32)
    named = np.array([(1.0, 2)], dtype=[("a", "f8"), ("b", "i4")])

    def f(x: Any, scale: float = 1.5, *, bias: float = 0.5) -> Any:
        taken = float(rows[0, 1] + cube.sum() + named["a"][0])
        return own.gain * x * scale * taken + bias + (own.rest is None)

    return f, own, rows, cube, named


def test_machine_code_looks_at_all_places_of_a_model() -> None:
    sentry = pytest.importorskip("autograd.compiler.sentry", reason="needs the extra fast")
    from autograd.compiler.sight import look

    for f in (MLP(2, [8, 1], seed=0), Wide(), of_slots_and_arrays()[0]):
        held = held_by(f)
        assert len(held) > 20
        assert [x.name for x in sentry.Sentry(held, look()).others] == []


@pytest.mark.parametrize(
    ("module", "name", "other"),
    [
        (Neuron(2, activation="tanh", seed=0), "nonlin", False),
        (RMSNorm(2), "epsilon", 5.0),
        (LayerNorm(2, gain=False), "epsilon", 5.0),
    ],
    ids=lambda x: type(x).__name__ if isinstance(x, Module) else "",
)
def test_a_setting_of_a_module_of_ours_is_noticed(
    module: Any, name: str, other: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def f(x: Any) -> Any:
        y = module([-x, 2 * x])
        return y[0] if isinstance(y, list) else y

    compiled, before = compile(f, 0.5), f(Value(0.5)).data
    assert compiled(0.5) == pytest.approx(before, rel=1e-15)
    monkeypatch.setattr(module, name, other)
    assert f(Value(0.5)).data != before
    with pytest.raises(CompileError, match=rf"{type(module).__name__}\.{name} was"):
        compiled(0.5)


WIDTH = "".join(["no", "ut"])
"""An attribute of ours that no code spells."""
ask = getattr


@pytest.mark.parametrize(
    "asking",
    [
        lambda layer: lambda: ask(layer, WIDTH),
        lambda layer: partial(getattr, layer, WIDTH),
        lambda layer: partial(attrgetter(WIDTH), layer),
        lambda layer: partial(layer.__getattribute__, WIDTH),
        lambda layer: lambda: object.__getattribute__(layer, WIDTH),
        lambda layer: lambda: layer.__getstate__()[WIDTH],
        lambda layer: lambda: layer.__reduce_ex__(2)[2][WIDTH],
        lambda layer: lambda: inspect.getattr_static(layer, WIDTH),
        lambda layer: lambda: dict(inspect.getmembers(layer))[WIDTH],
    ],
)
def test_a_setting_of_ours_is_noticed_whoever_is_asked_for_it_by_another_name(asking: Any) -> None:
    layer = Linear(2, 1, seed=0)
    width = asking(layer)
    compiled = compile(lambda x: x * width(), 0.5)
    assert compiled(0.5) == 0.5
    layer.nout = 7
    with pytest.raises(CompileError, match=r"Linear\.nout was 1,"):
        compiled(0.5)


@pytest.mark.filterwarnings("ignore:Setting the")  # NumPy's, of what may still be done
@pytest.mark.parametrize(
    "change",
    [
        lambda f, own, rows, cube, named: setattr(own, "gain", Value(2.0)),
        lambda f, own, rows, cube, named: setattr(own, "rest", 1.0),
        lambda f, own, rows, cube, named: delattr(own, "gain"),
        lambda f, own, rows, cube, named: setattr(f, "__defaults__", (2.5,)),
        lambda f, own, rows, cube, named: setattr(f, "__defaults__", None),
        lambda f, own, rows, cube, named: setattr(f, "__kwdefaults__", None),
        lambda f, own, rows, cube, named: setattr(f, "__code__", f.__code__.replace()),
        lambda f, own, rows, cube, named: setattr(f.__closure__[0], "cell_contents", 0.0),
        lambda f, own, rows, cube, named: rows.__setitem__((1, 2), -5.0),
        lambda f, own, rows, cube, named: setattr(rows, "shape", (3, 2)),
        lambda f, own, rows, cube, named: setattr(rows, "shape", (6,)),
        lambda f, own, rows, cube, named: setattr(rows, "shape", (2, 3, 1)),
        lambda f, own, rows, cube, named: setattr(rows, "strides", (8, 8)),
        lambda f, own, rows, cube, named: setattr(rows, "dtype", np.int64),
        lambda f, own, rows, cube, named: cube.resize((2, 1, 1), refcheck=False),
        lambda f, own, rows, cube, named: cube.resize((400, 1, 2), refcheck=False),
        lambda f, own, rows, cube, named: cube.__setitem__((1, 0, 1), 2.0),
        lambda f, own, rows, cube, named: named.__setitem__(0, (1.0, 3)),
    ],
)
def test_what_is_in_slots_functions_and_arrays_is_seen(is_fast: bool, change: Any) -> None:
    f, *things = of_slots_and_arrays()
    watch = Watch(held_by(f), is_fast=is_fast)
    assert watch.replaced() is watch.replaced() is None
    change(f, *things)
    assert watch.replaced()


def test_an_array_that_was_moved_is_no_other(is_fast: bool) -> None:
    """Its memory is another one; what was there isn't looked at."""
    rows = np.arange(600.0)
    compiled = compile(lambda x: x * float(rows[1]), 1.0, backend=None if is_fast else "python")
    assert compiled(2.0) == 2.0
    rows.resize((90_000,), refcheck=False)
    rows.resize((600,), refcheck=False)
    assert compiled(3.0) == 3.0
    rows[1] = 2.0
    with pytest.raises(CompileError, match="the ndarray rows was in another state"):
        compiled(3.0)


def set_rate(thing: Any, rate: float) -> None:
    thing.rate = rate  # which Python writes in a way of its own, when it has often been done


SETTERS: list[Callable[[Any, float], object]] = [
    set_rate,
    lambda thing, rate: setattr(thing, "rate", rate),
    lambda thing, rate: vars(thing).update(rate=rate),
    lambda thing, rate: vars(thing).__setitem__("rate", rate),
    lambda thing, rate: (vars(thing).pop("rate"), set_rate(thing, rate)),
]


@pytest.mark.parametrize("change", SETTERS)
def test_a_setting_is_noticed_however_often_it_was_changed(change: Any) -> None:
    """A dict that says it is as it was when it was last looked at is as it was then."""
    pytest.importorskip("autograd.compiler.sentry", reason="needs the extra fast")
    thing = SimpleNamespace(**{f"other{i}": [i] for i in range(60)}, rate=0.0)
    watch = Watch(held_by(lambda x: x * thing.rate + vars(thing)["other1"][0]), is_fast=True)
    found = []
    for turn in range(80):
        change(thing, float(turn % 2))
        found.append(watch.replaced() is not None)
    assert found == [False, True] * 40


def test_large_arrays_are_looked_at_a_hundredth_of_the_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Made at 10; a look at 10 takes a second, so that none is due at 100; one at 200, none at 201,
    # but where it is asked for.
    clock, spent = iter([10.0, 10.0, 100.0, 200.0, 201.0, 202.0]), iter([0.0, 1.0] * 3)
    monkeypatch.setattr(
        "autograd.compiler.watch.time", SimpleNamespace(perf_counter=lambda: next(clock))
    )
    monkeypatch.setattr("autograd.compiler.watch.own_time", lambda: next(spent))
    small, large = np.zeros(8_192), np.zeros(8_193)
    watch = Watch(held_by(lambda: small[0] + large[0]))
    large[8_192] = 1.0
    assert [watch.replaced() is not None for _ in range(4)] == [True, False, True, False]
    assert watch.replaced(now=True) is not None
    small[8_191] = 1.0
    assert watch.replaced() is not None


def test_an_item_that_has_moved_to_the_next_list_is_noticed() -> None:
    rows = [[1.0], [2.0, 3.0], [4.0]]
    watch = Watch(held_by(lambda: [sum(row) for row in rows]))
    assert watch.replaced() is None
    rows[0].append(rows[1].pop(0))
    assert watch.replaced() is not None
    rows[1].insert(0, rows[0].pop())
    assert watch.replaced() is None


def test_a_compiled_function_within_another_leads_to_its_function_alone() -> None:
    w = Value(2.0)
    inner = compile(lambda x: GAIN * w * x, 1.0)
    inner(1.0)
    # Not to the globals, which the places that it watches are among.
    things = list(reached(lambda x: inner(x)))
    assert w in things
    assert len(things) < 20


class Noting:
    """Keeps notes, of which its function knows nothing unless it is verbose."""

    def __init__(self) -> None:
        self.w, self.is_verbose = Value(2.0), False
        self.losses: list[float] = []
        self.steps, self.best = 0, 0.0

    def loss(self, x: Any) -> Any:
        return self.w * x + (len(self.losses) if self.is_verbose else 0.0)

    def note(self, step: Any) -> None:
        self.best = step(1.0)
        self.losses.append(self.best)
        self.steps += 1


def test_notes_that_a_function_does_not_go_by_are_kept_at_no_cost(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    runs: list[object] = []
    counted = lambda *given: runs.append(given) or record(*given)  # type: ignore[func-returns-value]
    monkeypatch.setattr("autograd.compiler.original.record", counted)
    model = Noting()
    step = compile(model.loss, 1.0, backend="python")
    for _ in range(20):
        model.note(step)
    assert len(runs) <= 3  # once for each kind of note, at most
    assert model.losses == [2.0] * 20
    assert model.steps == 20
    model.is_verbose = True
    with pytest.raises(CompileError, match="is another now"):
        step(1.0)
    step = compile(model.loss, 1.0, backend="python")
    assert step(1.0) == 22.0
    model.losses.append(0.0)
    with pytest.raises(CompileError, match="is another now"):
        step(1.0)


def changing(f: Callable[[Any, Any], Any], state: Any, *changes: Callable[[Any], object]) -> Any:
    return f, state, changes


@pytest.mark.parametrize(
    ("f", "state", "changes"),
    [
        changing(
            lambda x, s: x if s.best is None else 2.0 * x,
            SimpleNamespace(best=1.0),
            lambda s: setattr(s, "best", 2.0),
            lambda s: setattr(s, "best", 3.0),
            lambda s: setattr(s, "best", None),
        ),
        changing(
            lambda x, s: 2.0 * x if s["active"] is s["first"] else x,
            {"first": [1], "active": [2]},
            lambda s: s.update(active=[3]),
            lambda s: s.update(active=[4]),
            lambda s: s.update(active=s["first"]),
        ),
        changing(
            lambda x, s: x * {"10": 2.0}.get(f"{s.step}", 1.0),
            SimpleNamespace(step=0),
            *(lambda s, k=k: setattr(s, "step", k) for k in range(1, 11)),
        ),
        changing(
            lambda x, s: x * {10: 2.0}.get(s.step, 1.0),
            SimpleNamespace(step=0),
            *(lambda s, k=k: setattr(s, "step", k) for k in range(1, 11)),
        ),
        changing(
            lambda x, s: x * float(np.max(np.array(s.losses)) > 3.0),
            SimpleNamespace(losses=[0.0]),
            *(lambda s, k=k: s.losses.append(float(k)) for k in range(5)),
        ),
        *(
            changing(
                lambda x, s, length=length: x * (2.0 if length(s.losses) > 3 else 1.0),
                SimpleNamespace(losses=[]),
                *(lambda s: s.losses.append(1.0) for _ in range(4)),
            )
            for length in (
                lambda items: len([0.0, *items]) - 1,
                lambda items: len([0.0] + items) - 1,  # noqa: RUF005 - C code reads it
                lambda items: repr(items).count("1.0"),
                lambda items: len(array("d", items)),
            )
        ),
        changing(
            lambda x, s: x * s.get("gain", 3.0),
            {"a": 1.0},
            lambda s: s.update(b=2.0),
            lambda s: s.update(c=2.0),
            lambda s: s.update(gain=2.0),
        ),
    ],
)
def test_what_changes_again_and_again_is_noticed_when_it_matters(
    f: Any, state: Any, changes: Any
) -> None:
    compiled = compile(lambda x: f(x, state), 1.0, backend="python")
    before = compiled(1.0)
    for change in changes[:-1]:
        change(state)
        if f(1.0, state) != before:
            break
        assert compiled(1.0) == before
    else:
        changes[-1](state)
    with pytest.raises(CompileError, match="is another now"):
        compiled(1.0)


def test_what_is_gone_again_is_not_put_back_as_something_else() -> None:
    rates = {"rate": 2.0}

    def f(x: Any) -> Any:
        try:
            return x * rates["gain"]
        except KeyError:
            return x * rates["rate"]

    compiled = compile(f, 1.0, backend="python")
    assert compiled(1.0) == 2.0
    rates["gain"] = 2.0  # which is as much
    assert compiled(1.0) == 2.0
    del rates["gain"]
    assert compiled(1.0) == 2.0
    assert rates == {"rate": 2.0}


def test_results_that_are_kept_by_functools_may_be_forgotten() -> None:
    gains = {"gain": 2.0}
    gain = lru_cache(lambda: gains["gain"])
    compiled = compile(lambda x: x * gain(), 1.0, backend="python")
    gains["gain"] = 3.0
    assert compiled(1.0) == 2.0  # as it is kept
    gain.cache_clear()
    with pytest.raises(CompileError, match="is another now"):
        compiled(1.0)


def test_what_made_no_difference_is_looked_at_from_then_on() -> None:
    holder = [SimpleNamespace(rate=2.0)]
    compiled = compile(lambda x: x * holder[0].rate, 1.0, backend="python")
    holder[0] = SimpleNamespace(rate=2.0)
    assert compiled(3.0) == 6.0
    holder[0].rate = 4.0
    with pytest.raises(CompileError, match=r"SimpleNamespace\.rate was 2\.0"):
        compiled(3.0)


def test_what_makes_a_difference_for_lists_of_another_length_only_is_noticed() -> None:
    gains = {2: 1.0, 3: 2.0}
    compiled = compile(lambda xs: sum(xs) * gains[len(xs)], [0.0, 0.0], backend="python")
    assert compiled([1.0, 1.0, 1.0]) == 6.0
    gains[3] = 5.0
    assert compiled([1.0, 1.0]) == 2.0
    assert compiled([1.0, 1.0, 1.0]) == 15.0


def test_what_optimisers_are_given_is_looked_at_as_well() -> None:
    pytest.importorskip("scipy", reason="comes with the extra data")
    gains, unused = [1.0], [1.0]
    bowl = lambda v: sum(x * x for x in v) * gains[0] + 0.0 * unused[0]
    objective = compile(bowl, [0.0, 0.0], backend="python").objective()
    assert objective.fun([1.0, 2.0]) == 5.0
    unused[0] = float("1.0")
    assert objective.hess([1.0, 2.0]).tolist() == [[2.0, 0.0], [0.0, 2.0]]
    sparse = compile(autograd.hessian(bowl, sparse=True), [0.0, 0.0], backend="python")
    assert sparse([1.0, 2.0]).nnz == 2
    gains[0] = 3.0
    for asked in (objective.fun, objective.jac, objective.hess, sparse):
        with pytest.raises(CompileError, match="is another now"):
            asked([1.0, 2.0])


def test_what_is_said_has_no_addresses() -> None:
    acts = [lambda x: x.tanh()]
    compiled = compile(lambda x: acts[0](x), 1.0, backend="python")
    acts[0] = lambda x: x.relu()
    with pytest.raises(CompileError) as caught:
        compiled(0.5)
    assert " at 0x" not in str(caught.value)
    assert "is another now" in str(caught.value)
