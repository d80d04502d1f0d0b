"""While a function is recorded to be compiled, the numbers it reads are followed or refused."""

from __future__ import annotations

import builtins
import contextlib
import contextvars
import copy
import dis
import functools
import io
import json
import logging
import math
import random
import re
import statistics
import struct
import sys
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from numbers import Real
from queue import Queue
from time import sleep
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import autograd
from autograd import (
    CompileError,
    DomainError,
    Value,
    detach,
    exp,
    grad,
    no_grad,
    relu,
    softmax,
    tanh,
)
from autograd.acceleration import accelerator
from autograd.compiler import telling
from autograd.compiler.askers import users_function
from autograd.compiler.reach import is_foreign, values_within
from tests.floats import bits

compile = autograd.compile

POOL = ThreadPoolExecutor(1)


@pytest.fixture(params=["llvm", "python"])
def backend(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def both(f: Callable[..., Any], leaves: Sequence[Value], numbers: Sequence[float], x: float) -> Any:
    """Return value, gradient by the leaves and others of ``f`` at ``x``, eager and compiled.

    The leaves have these numbers only when the code is called: it was compiled at others.
    """
    compiled = compile(f, 0.5, wrt=list(leaves), exact=True)
    for leaf, number in zip(leaves, numbers, strict=True):
        leaf.data, leaf.grad = number, 0.0
    out = f(Value(x))
    first, *rest = out if isinstance(out, tuple) else (out,)
    first.backward()
    eager = [first, *(leaf.grad for leaf in leaves), *rest]
    value, gradient = compiled.value_and_grad(x)
    first, *rest = value if isinstance(value, tuple) else (value,)
    got = [first, *gradient, *rest]
    return [bits(v.data if isinstance(v, Value) else v) for v in eager], list(map(bits, got))


def test_a_detached_parameter_follows_it() -> None:
    p = Value(2.0)
    eager, compiled = both(lambda x: p * x + detach(p), [p], [3.0], 5.0)
    assert eager == compiled == [bits(18.0), bits(5.0)]


P, Q = Value(2.0, label="p"), Value(5.0, label="q")


def after_no_grad(x: Any) -> Any:
    with no_grad():
        scale = x * P
    return scale * P + Q * x


def by_a_new_leaf(x: Any) -> Any:
    scale = Value(0.0)
    scale.data = Q.data
    return scale * P * x


FOLLOWED = {
    "detach": lambda x: P * x + detach(P) * detach(x * Q),
    ".data of a parameter": lambda x: P * x + P.data,
    ".data of an argument": lambda x: P * x * x.data + Q,
    ".data of a node": lambda x: (P * x).data * P + Q,
    ".data of what is not used": lambda x: P * x + Value(Q.data) * x,
    "arithmetic": lambda x: P * x + (abs(P.data) - 2 / Q.data + Q.data**2 - -P.data),
    "with NumPy's numbers": lambda x: P * x * np.float64(2.0) * Q.data,
    "rows": lambda x: P * x + relu(Q.data) + tanh(P.data) * exp(Q.data / 100),
    "NumPy's functions": lambda x: P * x * np.tanh(P.data) + np.exp(Q.data / 100),
    "sums": lambda x: P * x + sum([v.data for v in (P, Q)]),
    "NumPy's arrays of objects": lambda x: (np.array([P.data, Q.data]) * np.array([x, P])).sum(),
    "other outputs": lambda x: (P * x, P.data * x.data + 1, P.data, [Q.data, x]),
    "a number twice": lambda x: P * x.data + Q * x.data,
    "no_grad": after_no_grad,
    "a leaf that is made and set": by_a_new_leaf,
    "a gradient inside": lambda x: P * x + grad(lambda v: v * v * P)(x.data),
}


@pytest.mark.parametrize("f", FOLLOWED.values(), ids=FOLLOWED)
def test_what_is_read_is_followed(f: Any) -> None:
    P.data, Q.data = 2.0, 5.0
    compiled = compile(f, 0.5, wrt=[P, Q], exact=True)
    fast = compile(f, 0.5, wrt=[P, Q])
    for x, p, q in ((1.5, 3.0, -4.0), (-2.0, 0.25, 7.0)):
        P.data, Q.data, P.grad, Q.grad = p, q, 0.0, 0.0
        out = f(Value(x))
        first, *rest = out if isinstance(out, tuple) else (out,)
        first.backward()
        value, gradient = compiled.value_and_grad(x)
        value, *others = value if isinstance(value, tuple) else (value,)
        assert (bits(value), *map(bits, gradient)) == (
            bits(first.data), bits(P.grad), bits(Q.grad),
        )  # fmt: skip
        assert json.dumps(others) == json.dumps(rest, default=lambda v: v.data)
        value, gradient = fast.value_and_grad(x)
        value = value[0] if isinstance(value, tuple) else value
        # A sum of a few terms, all below 100, some of them fused.
        assert [value, *gradient] == pytest.approx([first.data, P.grad, Q.grad], abs=1e-12)


def own_softmax(logits: Any) -> Any:
    max_val = max(v.data for v in logits)
    exps = [exp(v - max_val) for v in logits]
    return exps[0] / sum(exps)


def accuracy(x: Any) -> Any:
    score = x * P
    return score, (score.data > 0) == (1 > 0)


def by_setting(x: Any) -> Any:
    P.data = P.data * 0.9
    return P * x


def by_setting_a_node(x: Any) -> Any:
    y = P * x
    y.data = 1.0
    return y * y


def by_setting_for_a_while(x: Any) -> Any:
    before = P.data
    P.data = before + 1.0
    y = P * x
    P.data = before
    return y


def by_setting_a_constant_for_a_while(x: Any) -> Any:
    factor = Value(1.0)
    y = factor * x
    factor.data = 2.0
    y = y + factor * x
    factor.data = 1.0
    return y


def by_zeroing(x: Any) -> Any:
    P.grad = 0.0
    return P * x


BEFORE = P * P


def by_backward(x: Any) -> Any:
    y = P * x
    y.backward()
    return y + P.grad


KEPT: dict[str, Any] = {}

REFUSED = {
    "float": (lambda x: P * x + float(P), "float()"),
    "float of .data": (lambda x: P * x + float(Q.data), "float()"),
    "math": (lambda x: x * math.exp(P.data), "float()"),
    "math.floor": (lambda x: x * math.floor(P.data), "floor()"),
    "int": (lambda x: x * int(P.data), "int()"),
    "round": (lambda x: x * round(P.data, 2), "round()"),
    "//": (lambda x: x * (P.data // 2), "floordiv()"),
    "%": (lambda x: x * (7.0 % P.data), "rmod()"),
    "is_integer": (lambda x: x * P.data.is_integer(), ".is_integer"),
    "an array of floats": (lambda x: x * np.array([P.data], dtype=float)[0], "float()"),
    "if": (lambda x: P * x if P.data > 3.7 else x, ">"),
    "if of what is not used": (lambda x: x if Q.data > 3.7 else -x, ">"),
    "truth": (lambda x: x if Q.data else -x, "if"),
    "equality": (lambda x: x if Q.data == 5.0 else -x, "=="),
    "inequality": (lambda x: x if Q.data != 5.0 else -x, "!="),
    "in": (lambda x: x * (P.data in [1.0, 2.0]), "=="),
    "a key": (lambda x: x * {2.0: 1.0}[P.data], "hash()"),
    "max": (lambda x: x * max(P.data, 0.0), "<"),
    "accuracy": (accuracy, ">"),
}


@pytest.mark.parametrize(("f", "asked"), REFUSED.values(), ids=REFUSED)
def test_what_decides_is_refused_with_file_and_line(f: Any, asked: str) -> None:
    P.data, Q.data = 2.0, 5.0
    with pytest.raises(CompileError) as caught:
        compile(f, 1.0)
    message = str(caught.value)
    code = f.__code__
    start = f"{code.co_filename}:{code.co_firstlineno + (2 if f is accuracy else 0)}: {asked} of a"
    assert message.startswith(start), message
    advice = {
        "float()": "functions of autograd in place of math's",
        "int()": "take(table, i) for a row",
        "hash()": "a key that is no number",
    }
    advice["round()"] = advice["floor()"] = advice["int()"]
    is_read = "a number that is read" in message
    where = "where(c, a, b), maximum or minimum"
    assert f"write {advice.get(asked, where) if is_read else where}" in message
    assert (P.data, Q.data) == (2.0, 5.0)


IN_A_LIBRARY = {
    "clip": lambda x: x * np.clip(P.data, 0, 1),
    "sort": lambda x: np.sort(np.array([P * x, Q * x]))[0],
    "statistics": lambda x: x * statistics.mean([P.data, Q.data]),
    "copy": lambda x: copy.deepcopy(P * x),
    "json": lambda x: x * json.loads(json.dumps(P.data)),
    "struct": lambda x: x * struct.unpack("d", struct.pack("d", P.data))[0],
    "isnan": lambda x: x if np.isnan(P.data) else P * x,
    "text": lambda x: x * eval(repr(P.data)),
    "cache": lambda x: x * KEPT.setdefault("p", P.data),
    "type": lambda x: x * P.data if type(P.data) is float else x,
    "set": by_setting,
}


@pytest.mark.parametrize("f", IN_A_LIBRARY.values(), ids=IN_A_LIBRARY)
def test_a_refusal_names_a_line_of_the_user_s(f: Any) -> None:
    P.data, Q.data = 2.0, 5.0
    KEPT.clear()
    with pytest.raises(CompileError) as caught:
        compile(f, 1.0)
    line = f.__code__.co_firstlineno + 2 * (f is by_setting)
    assert str(caught.value).startswith(f"{__file__}:{line}: ")


def test_an_error_that_floats_raise_too_is_the_user_s() -> None:
    with pytest.raises(ZeroDivisionError):
        compile(lambda x: x * (1 // 0), 1.0)
    with pytest.raises(KeyError, match="nothing"):
        compile(lambda x: x * {}["nothing"], 1.0)


def test_the_maximum_in_everybodys_softmax_is_refused_with_what_to_write() -> None:
    with pytest.raises(CompileError, match=r"detach\(autograd\.max\(values\)\), or softmax\("):
        compile(own_softmax, [1.0, 2.0])
    logits = [1000.0, 999.0]
    assert compile(lambda v: softmax(v)[0], logits)(logits) == softmax(logits)[0]


@pytest.mark.parametrize(
    ("f", "message"),
    [
        (by_setting, r"the number of a recorded value \(node 'p'\) is set"),
        (by_setting_a_node, r"the number of a recorded value.* is set"),
        (by_setting_for_a_while, r"test_tracing\.py:\d+: the number of .* \(node 'p'\) is set"),
        (by_setting_a_constant_for_a_while, r"the number of a recorded value is set"),
        (by_zeroing, r"the grad of a recorded value \(node 'p'\) is set"),
        (lambda x: x * P.grad, r"float\(\) of the grad of a recorded value \(node 'p'\)"),
        (lambda x: x * (P.grad + 1.0), r"\+ of the grad of a recorded value \(node 'p'\)"),
        (lambda x: x if abs(P.grad) < 1 else P, r"abs of the grad of a recorded value"),
        (lambda x: x if P.grad > 1 else P, r"> of the grad of a recorded value"),
        (lambda x: x * len(f"{P.grad}"), r"text of the grad of a recorded value \(node 'p'\)"),
        (lambda x: x * BEFORE, r"uses a value that was computed before \(node 'p'\): .* inside"),
        (lambda x: x * BEFORE.data, "uses a value that was computed before"),
        (lambda x: x * P + detach(BEFORE), "uses a value that was computed before"),
        (by_backward, r"backward\(\) of a recorded value"),
        (lambda x: copy.copy(P) * x, "a copy of a recorded value"),
        (lambda x: copy.deepcopy([P])[0] * x, "a copy of a recorded value"),
        (lambda x: (P.data << 1) * x, r"test_tracing\.py:\d+: <lambda> reads the number of"),
    ],
)
def test_what_compiled_code_would_not_do_is_refused(f: Any, message: str) -> None:
    P.data, Q.data = 2.0, 5.0
    P.grad = 0.25
    with pytest.raises(CompileError, match=message):
        compile(f, 1.0)
    assert (P.data, Q.data, P.grad) == (2.0, 5.0, 0.25)
    assert type(P.grad) is float


def test_numbers_of_constants_are_plain(backend: str) -> None:
    def f(x: Any) -> Any:
        start = Value(0.5)
        return x * P * (2.0 if start.data > 0 else 3.0) * math.exp(start.data - 0.5)

    assert compile(f, 1.0, backend=backend)(3.0, params=[5.0]) == 30.0


def test_arrays_of_values_may_be_returned(backend: str) -> None:
    P.data = 2.0
    f = lambda xs: (P * np.array(xs), [np.array([x, P]) for x in xs])
    compiled = compile(f, [1.0, 2.0], backend=backend)
    P.data = 3.0
    assert compiled([5.0, 7.0]) == ([15.0, 21.0], [[5.0, 3.0], [7.0, 3.0]])


def test_what_was_read_is_a_number_afterwards() -> None:
    P.data = 2.0
    kept: list[Any] = []

    def f(x: Any) -> Any:
        kept.append((x * P).data)
        return x * P

    compile(f, 3.0)
    number = kept[0]
    assert (float(number), number + 1, number * Value(2.0).data, number > 2) == (6, 7, 12, True)
    assert (number == 6.0, hash(number), f"{number:.1f}", str(number)) == (
        True, hash(6.0), "6.0", "6.0",
    )  # fmt: skip
    assert type(number + 1) is float
    assert (Value(1.0) + number).data == (number + Value(1.0)).data == 7.0
    assert Value(number).data == 6.0
    # A number of the first run, kept for the second, is not the same each time.
    with pytest.raises(CompileError, match="is kept from one run for the next"):
        compile(lambda x: x * kept[-1] if kept.append(x.data) else x * kept[-2], 3.0)


def test_other_threads_see_numbers() -> None:
    P.data, Q.data = 2.0, 5.0
    seen: list[Any] = []
    begin = threading.Event()

    def elsewhere() -> None:
        begin.wait()
        out = P * Q + P.data * Q
        out.backward()
        seen.extend([P.data > 1, out.data, float(P), P.data + 1, tanh(P).data, f"{P.data}"])

    def f(x: Any) -> Any:
        begin.set()
        while len(seen) < 6:
            sleep(0.001)
        return x * P

    thread = threading.Thread(target=elsewhere)
    thread.start()
    P.grad = Q.grad = 1.0
    compile(f, 1.0, wrt=[P, Q])
    thread.join()
    assert seen == [True, 20.0, 2.0, 3.0, math.tanh(2.0), "2.0"]
    assert type(P.grad) is type(Q.grad) is float


# Other threads that a function has work for it.

ASKED: Queue[Any] = Queue()
ANSWERS: Queue[Any] = Queue()


def decides_in_a_thread(x: Any) -> Any:
    found: list[bool] = []
    thread = threading.Thread(target=lambda: found.append(P.data > 3.7))
    thread.start()
    thread.join()
    return x * P if found[0] else x * P * 2.0


def decides_by_a_worker(x: Any) -> Any:
    ASKED.put(x)
    return x * P * ANSWERS.get()


def works() -> None:
    while (x := ASKED.get()) is not None:
        ANSWERS.put(2.0 if x.data > 3.7 else 1.0)


def decides_in_another_context(x: Any) -> Any:
    return x * P if contextvars.Context().run(lambda: P.data > 3.7) else -x


IN_THREADS = {
    "a thread": decides_in_a_thread,
    "a pool": lambda x: x * P if POOL.submit(lambda: P > 3.7).result() else x,
    "C code": lambda x: x * P * POOL.submit(math.floor, P.data / 10.0).result(),
    "text": lambda x: x * P if POOL.submit(lambda: f"{P.data}").result() != "9.5" else x,
    "arithmetic": lambda x: x * P if POOL.submit(lambda: x * P).result().data > 9.0 else x,
    "a node": lambda x: next(POOL.map(abs, [x])),
    "a worker": decides_by_a_worker,
    "another context": decides_in_another_context,
}


@pytest.mark.parametrize("f", IN_THREADS.values(), ids=IN_THREADS)
def test_what_another_thread_decides_for_a_function_is_refused(f: Any) -> None:
    P.data = 2.0
    worker = threading.Thread(target=works)
    worker.start()
    try:
        with pytest.raises(CompileError, match=rf"{re.escape(__file__)}:\d+: .*another thread"):
            compile(f, 1.0)
        assert P.data == 2.0
    finally:
        ASKED.put(None)
        worker.join()


def test_threads_may_work_on_what_is_no_value() -> None:
    f = lambda x: x * P * sum(POOL.map(abs, [-1.0, 2.0]))
    assert compile(f, 1.0)(2.0) == f(Value(2.0)).data


# Text of numbers.


def as_a_key(x: Any) -> Any:
    return x * {"p=9.5": 3.0}.get(f"p={P.data:.1f}", 1.0)


def in_pieces(x: Any) -> Any:
    fmt = lambda v: f"{v.data:.0f}"
    return x * P if "-" not in " ".join(fmt(v) for v in (P, Q)) else x


def of_a_label(x: Any) -> Any:
    name = "{:.1f}".format(P.data)  # noqa: UP032
    return x * P if name != "9.5" else x


def of_what_is_told_as_well(x: Any) -> Any:
    name = f"{P.data:.1f}"
    line = "p = " + name
    print(line)  # noqa: T201
    return x * P if line != "p = 9.5" else x


FOUND: list[float] = []


def returns_and_compares(x: Any) -> Any:
    def told() -> str:
        name = f"{P.data:.1f}"
        FOUND.extend([1.0] * (name == "9.5"))
        return name

    told()
    return x * len(FOUND)


def in_a_list(x: Any) -> Any:
    digits: list[str] = []
    digits.append(f"{P.data:.1f}")
    digits.append(f"{Q.data:.1f}")
    return x * P if ",".join(digits) != "9.5,9.5" else x


def in_a_stream(x: Any) -> Any:
    stream = io.StringIO()
    print(P.data, file=stream)
    return x * P if stream.getvalue() != "9.5\n" else x


def by_a_check(x: Any) -> Any:
    try:
        refuse(f"{P.data:.1f}")
    except ValueError:
        return x
    return x * P


def refuse(text: str, level: str = "") -> None:
    if text == "9.5":
        raise ValueError(level)


class Notes:
    last, lines = "", [""]

    def keep(self, text: str) -> None:
        self.last = text

    def note(self, text: str, level: str = "info", *more: object, **rest: object) -> None:
        if level != "debug":
            self.add(f"{level}: {text}")

    def add(self, line: str) -> None:
        self.lines.append(line)


def by_a_note(x: Any, notes: Any = Notes()) -> Any:  # noqa: B008
    notes.keep(f"{P.data:.1f}")
    return x * P if notes.last != "9.5" else x


def by_an_inner_function(x: Any) -> Any:
    text = ""

    def keep(given: str) -> None:
        nonlocal text
        text = given

    keep(f"{P.data:.1f}")
    return x * P if text != "9.5" else x


def by_an_item(x: Any) -> Any:
    found: list[str] = []
    calls = [found.append]
    calls[0](f"{P.data:.1f}")
    return x * P if found != ["9.5"] else x


def by_a_label(x: Any) -> Any:
    y = x * P
    y.label = f"{P.data:.1f}"
    return y if y.label != "9.5" else x


def by_setattr(x: Any, notes: Any = Notes()) -> Any:  # noqa: B008
    setattr(notes, "last", f"{P.data:.1f}")  # noqa: B010
    return x * P if notes.last != "9.5" else x


DECIDE_BY_TEXT = [
    as_a_key,
    in_a_list,
    in_a_stream,
    by_a_check,
    by_a_note,
    by_an_inner_function,
    by_an_item,
    by_a_label,
    by_setattr,
    lambda x: x * len("%.0f" % P.data),  # noqa: UP031
    of_what_is_told_as_well,
    returns_and_compares,
    in_pieces,
    of_a_label,
    lambda x: x * P if str(P.data) != "9.5" else x,
    lambda x: x * P if "%s" % P.data != "9.5" else x,  # noqa: UP031
    lambda x: x * P if repr(P) != "Value(data=9.5)" else x,
    lambda x: x * len(f"{P:.0f}"),
    lambda x: x * len(str(x.data * 1e-300)),
    lambda x: x * float(f"{P.data:.6f}"),
]


@pytest.mark.parametrize("f", DECIDE_BY_TEXT)
def test_a_text_that_decides_is_refused(f: Any) -> None:
    """However rarely it would be another one."""
    P.data = 2.0
    place = rf"{re.escape(__file__)}:\d+: text of a number .* write a call that only tells it"
    with pytest.raises(CompileError, match=place):
        compile(f, 1.0)


LOG = logging.getLogger("of what is printed")
LOG.addHandler(logging.NullHandler())
LOG.propagate = False


def under_an_if(x: Any) -> Any:
    if x.data > P.data and P.data > 0:
        print("large", x.data, round(P.data, 2))  # noqa: T201
        LOG.info("%s", x.data)
    else:
        LOG.info("small")
    return x * P


def in_an_expression(x: Any) -> Any:
    sign = "+" if x.data > 0 else "-"
    print(f"{sign} {P.data:.2f}")  # noqa: T201
    print("large" if P.data > 1 else "small", x.data)  # noqa: T201
    for k in range(3):
        if P.data > k:
            print(k)  # noqa: T201
    return x * P


def rounded(x: Any) -> Any:
    percent = round(100 * P.data)
    print(percent, int(P.data), float(x.data), math.exp(P.data))  # noqa: T201
    return x * P


def every_tenth_time(x: Any, calls: list[int] = [0]) -> Any:  # noqa: B006
    calls[0] += 1
    if calls[0] % 10 == 0:
        print(f"call {calls[0]}: {P.data:.3f}")  # noqa: T201
    return x * P


def by_values(x: Any) -> Any:
    y = x * P
    if y > 3.7:
        print("large", y)  # noqa: T201
    print(f"{'above' if y > x else 'below'} {max(x, y)} {float(P)}")  # noqa: T201
    print(y > 2)  # noqa: T201
    return y


def in_nested_texts(x: Any) -> Any:
    y = x * P
    print(  # noqa: T201
        f"{f'high {y.data:.2f}' if y.data > 1 else ('mid' if y.data > -1 else 'low')} end"
    )
    if math.isfinite(y.data):
        print("finite")  # noqa: T201
    return y


def as_written(source: str) -> Any:
    """Return ``f`` of a source, whose assertions pytest would write anew."""
    names = {**globals()}
    exec(builtins.compile(source, __file__, "exec"), names)
    return names["f"]


by_assertions = as_written("""
def f(x):
    y = x * P
    assert math.isfinite(y.data)
    assert not math.isnan(y.data), f"{y.data} is none"
    assert abs(y.data) < 100, "large"
    assert y >= -100
    assert -100 < y < 100
    assert y < 0 or y.data > 100 or y >= 0, "none"
    if y > 50:
        assert y < 60
    assert -100 < y.data < 100 and not (y > 100 or y < -100), ("small" if y < 0 else "large")
    return y
""")


TOLD = [
    under_an_if,
    in_an_expression,
    rounded,
    every_tenth_time,
    by_values,
    in_nested_texts,
    by_assertions,
]


@pytest.mark.parametrize("f", TOLD)
def test_what_decides_no_more_than_what_is_printed_is_not_refused(f: Any, backend: str) -> None:
    P.data = 2.0
    for _ in range(3):  # Python does some calls otherwise once they have been done a few times
        compiled = compile(f, 1.0, backend=backend)
    for x, p in ((3.0, 5.0), (-3.0, -5.0)):
        P.data = p
        assert compiled(x) == f(Value(x)).data == x * p


def under_an_if_that_does_more(x: Any) -> Any:
    y = x * P
    if P.data > 3.7:
        print("large")  # noqa: T201
        y = y * 2
    return y


def in_the_other_way(x: Any) -> Any:
    y = x * P
    if P.data > 3.7:
        print("large")  # noqa: T201
    else:
        FOUND.append(1.0)
    return y * len(FOUND)


asserted_in_a_try = as_written("""
def f(x):
    try:
        assert P.data > 3.7
    except AssertionError:
        return -x * P
    return x * P
""")


def kept_by_value(x: Any) -> Any:
    is_large = x * P > 3.7
    print(is_large)  # noqa: T201
    return x if is_large else P


def by_returning(x: Any) -> Any:
    if P.data > 3.7:
        print("large")  # noqa: T201
        return x
    return x * P


def while_printing(x: Any) -> Any:
    y = x * P
    while y.data > 3.7:
        print(y)  # noqa: T201
        y = y - 1
    return y


def of_what_is_printed_as_well(x: Any) -> Any:
    size = "large" if P.data > 3.7 else "small"
    print(size)  # noqa: T201
    return x * len(size)


def rounded_and_used(x: Any) -> Any:
    whole = round(P.data / 100)
    print(whole)  # noqa: T201
    return x * whole


def rounded_and_kept(x: Any) -> Any:
    kept: list[int] = []
    print(kept.append(int(P.data / 100)))  # noqa: T201
    return x * kept[0]


def rounded_into_a_stream(x: Any) -> Any:
    stream = io.StringIO()
    print(int(P.data / 100), file=stream)
    return x * float(stream.getvalue())


def by_what_prints(x: Any) -> Any:
    if P.data > 3.7:
        print(FOUND.clear())  # noqa: T201
    return x * len(FOUND)


DECIDE_BESIDES = [
    under_an_if_that_does_more,
    in_the_other_way,
    by_returning,
    while_printing,
    of_what_is_printed_as_well,
    rounded_and_used,
    rounded_and_kept,
    rounded_into_a_stream,
    by_what_prints,
    asserted_in_a_try,
    kept_by_value,
]


@pytest.mark.parametrize("f", DECIDE_BESIDES)
def test_what_decides_more_than_what_is_printed_is_refused(f: Any) -> None:
    P.data = 2.0
    place = rf"{re.escape(__file__)}:\d+: (>|int\(\)|round\(\)|text) of a (number|recorded)"
    with pytest.raises(CompileError, match=place):
        compile(f, 1.0)


def test_an_assertion_is_left_out_as_by_python_with_minus_o() -> None:
    f = as_written("def f(x):\n  y = x * P\n  assert y.data > 0, 'not positive'\n  return y")
    P.data = 2.0
    compiled = compile(f, 0.0)
    assert compiled(3.0) == f(Value(3.0)).data
    with pytest.raises(AssertionError):
        f(Value(-3.0))
    assert compiled(-3.0) == -6.0


@pytest.mark.parametrize(
    "statement",
    [
        "assert (y if y > 0 else -y) < 9",
        "assert all([y < 9])",
        "if y > 1: y = 2 * y; assert False",
        "if y > 1: notes.append(y); assert y > 9",
        "if y > 1: raise AssertionError",
    ],
)
def test_what_goes_by_more_than_an_assertion_is_refused(statement: str) -> None:
    f = as_written(f"notes = []\ndef f(x):\n  y = x * P\n  {statement}\n  return y")
    with pytest.raises(CompileError, match=r":\d+: [<>] of a recorded value"):
        compile(f, 0.0)


def test_an_assertion_s_error_is_told_by_all_versions_of_python() -> None:
    [own] = [i for i in dis.get_instructions(as_written("def f(x):\n  assert x")) if _raises(i)]
    assert own.opname in ("LOAD_ASSERTION_ERROR", "LOAD_COMMON_CONSTANT")
    assert telling._is_of_assertions("LOAD_COMMON_CONSTANT", "AssertionError")
    assert not telling._is_of_assertions("LOAD_COMMON_CONSTANT", "NotImplementedError")
    assert not telling._is_of_assertions("LOAD_GLOBAL", "AssertionError")


def _raises(instruction: dis.Instruction) -> bool:
    return telling._is_of_assertions(instruction.opname, instruction.argrepr)


def test_a_text_that_is_only_told_is_not(capsys: pytest.CaptureFixture[str]) -> None:
    notes: list[str] = []
    log = logging.getLogger("of a text")
    log.addHandler(logging.NullHandler())
    own = Notes()

    def tell(*parts: object, **how: Any) -> None:
        print(*parts, **how)  # noqa: T201

    def f(x: Any) -> Any:
        y = x * P
        print(x, f"{y.data:.1f}", " ".join(f"{v.data:.1f}" for v in (P, y)))  # noqa: T201
        log.warning("%s at %s", y, P.data)
        notes.append("y = %s" % y.data)  # noqa: UP031
        y.label = f"y = {y.data}"
        line = f"{y.data:.2f}"
        line += " m"
        notes.append(line)
        notes.append(line)
        tell("%.2f and %d" % (y.data, y.data), end="")  # noqa: UP031
        log.info("%.1f", y.data)
        own.note(f"{y.data}", "warn")
        own.note(level="debug", text=f"{y.data}")
        own.note("y", "info", f"{y.data}", more=f"{y.data}")
        return y

    P.data = 2.0
    assert compile(f, 1.0)(3.0) == 6.0
    assert capsys.readouterr().out.partition(") ")[2].startswith("2.0 2.0 2.0\n")
    assert notes[:3] == ["y = 2.0", "2.00 m", "2.00 m"]
    assert own.lines[1:3] == ["warn: 2.0", "info: y"]


class Net:
    """A user's model, with a parameter that is only looked at."""

    def __init__(self) -> None:
        self.w = Value(1.0)
        self.heads = {"a": [Value(2.0)]}

    def __call__(self, x: Any) -> Any:
        return x * TEMPERATURE.data


TEMPERATURE = Value(3.0)


def test_what_a_function_can_reach_is_found() -> None:
    net, closed, given, weights = (
        Net(),
        Value(4.0),
        Value(5.0),
        np.array([Value(6.0)], dtype=object),
    )

    def f(x: Any, y: Any = given) -> Any:
        return [closed.data, net, lambda: weights]

    found = values_within(f)
    assert {v.data for v in found} == {1.0, 2.0, 3.0, 4.0, 5.0, 6.0}
    assert len(found) == 6
    # Nothing of the standard library's, or of the modules that a function only calls.
    assert values_within(np.dot) == values_within(json.dumps) == []


def test_to_look_for_values_takes_little_time_in_large_data() -> None:
    rows = [[float(i)] * 64 for i in range(1000)]
    assert values_within(lambda: rows) == []


# Programs with reads among them.

READS = (
    "{n} = {v}.data",
    "{n} = {v}.data * 0.5 + {m}",
    "{v2} = detach({v})",
    "{v2} = Value({m})",
    "{v2} = {v} * {m}",
    "{v2} = {m} - {v}",
    "{n} = tanh({m})",
    "with no_grad(): {v2} = {v} * {w} + 1",
)
DECISIONS = (
    "{v2} = {v} if {m} > 0.3 else {w}",
    "{n} = max({m}, {v}.data)",
    "{n} = float({v})",
    "{n} = math.exp({m})",
    "{n} = round({m}, 1)",
    "{v2} = {v} if {m} == 0.5 else {w}",
    "{v2} = {v} if r.data < 0.5 else {w}",
    "{n} = int({m}) + 0.5",
    "p.data = {m}",
    "{v2} = {v} if '-' in f'{{{m}:.3f}}' else {w}",
    "{v2} = {v} if POOL.submit(lambda: {m} > 0.8).result() else {w}",
)
PLAIN = ("{v2} = {v} + {w}", "{v2} = {v} * {w}", "{v2} = tanh({v})", "{v2} = relu({v} - 0.1)",
         "{v2} = {v} - {w}")  # fmt: skip


def random_program(seed: int) -> str:
    """Return a function of x as source, of some plain lines, reads and a few decisions."""
    source = random.Random(seed)
    values, numbers = ["x", "p", "q"], ["0.5", "r.data"]
    lines = []
    for i in range(source.randint(3, 9)):
        kind = source.choices((PLAIN, READS, DECISIONS), (6, 5, 0.4))[0]
        line = source.choice(kind).format(
            v=source.choice(values), w=source.choice(values), m=source.choice(numbers),
            v2=f"v{i}", n=f"n{i}",
        )  # fmt: skip
        lines.append(line)
        if f"v{i} =" in line:
            values.append(f"v{i}")
        elif f"n{i} =" in line:
            numbers.append(f"n{i}")
    out = f"{source.choice(values[-3:])} * {source.choice(values[-3:])} + x"
    body = "\n    ".join(lines)
    return f"def f(x):\n    {body}\n    return {out}, {source.choice(numbers)}\n"


def run_random_programs(seeds: Sequence[int]) -> tuple[int, int]:
    """Assert that each is refused or has eager's bits; return how many were which."""
    p, q, r = (Value(x) for x in (0.7, -0.4, 0.9))
    refused = 0
    for seed in seeds:
        p.data, q.data, r.data = 0.7, -0.4, 0.9
        names: dict[str, Any] = {
            "p": p, "q": q, "r": r, "Value": Value, "tanh": tanh, "relu": relu, "math": math,
            "detach": detach, "no_grad": no_grad, "POOL": POOL,
        }  # fmt: skip
        program = random_program(seed)
        exec(program, names)
        f = names["f"]
        try:
            compiled = compile(f, 0.2, wrt=[p, q, 0], backend="python")
        except CompileError:
            refused += 1
            assert (p.data, q.data, r.data) == (0.7, -0.4, 0.9)
            continue
        for numbers in ((1.3, 0.6, -0.8, -1.1), (-0.2, 2.5, 0.1, 0.4)):
            p.data, q.data, r.data = numbers[:3]
            x = Value(numbers[3])
            p.grad = q.grad = 0.0
            out, other = f(x)
            out.backward()
            (value, also), (by_x, by_p) = compiled.value_and_grad(x.data)
            eager = [out.data, other, x.grad, p.grad, q.grad]
            assert list(map(bits, eager)) == list(map(bits, [value, also, by_x, *by_p])), program
    return len(seeds) - refused, refused


def test_random_programs_are_eager_or_refused() -> None:
    followed, refused = run_random_programs(range(100))
    assert followed > 50
    assert refused > 5


@pytest.mark.slow
def test_many_random_programs_are_eager_or_refused() -> None:
    followed, refused = run_random_programs(range(1000, 11000))
    assert followed > 5000
    assert refused > 500


# A refusal that the function catches.


def keeps_going(x: Any) -> Any:
    try:
        return x if x > 0 else -x
    except TypeError:
        return -x


def reads_if_it_can(x: Any) -> Any:
    try:
        factor = float(x)
    except Exception:
        factor = 1.0
    return x * factor


def computes_by_math(x: Any) -> Any:
    with contextlib.suppress(TypeError, ValueError):
        return x * math.exp(x.data)
    return x


def asks_for_truth(x: Any) -> Any:
    try:
        return x if x else x * 2.0
    except BaseException:
        return x * 3.0


@pytest.mark.parametrize("f", [keeps_going, reads_if_it_can, computes_by_math, asks_for_truth])
def test_a_refusal_that_is_caught_is_one_all_the_same(f: Any) -> None:
    with pytest.raises(CompileError, match=f"{re.escape(__file__)}:.* what is compiled holds"):
        compile(f, 1.0)


# A try around an op that may leave its domain.


def falls_back(x: Any) -> Any:
    try:
        return autograd.sqrt(x)
    except DomainError:
        return x * 0.0


def falls_back_as_python_does(x: Any) -> Any:
    try:
        y = 1 / x
    except (KeyError, ZeroDivisionError):
        y = x
    return y


def falls_back_from_below(x: Any) -> Any:
    inner = lambda v: autograd.log(v) * 2.0
    try:
        try:
            return inner(x)
        finally:
            x = x * 1.0
    except:  # noqa: E722
        return x


ANYWAY = contextlib.suppress(ZeroDivisionError, autograd.ChainruleError)


def suppresses(x: Any) -> Any:
    y = x
    with contextlib.suppress(KeyError, autograd.DomainError):
        y = 1 / x
    return y


def suppresses_by_name(x: Any) -> Any:
    y = x
    with autograd.scope("part"), suppress(ValueError):
        y = 1 / x
    return y


def suppresses_by_a_manager(x: Any) -> Any:
    with ANYWAY:
        return 1 / x
    return x


def falls_back_by_a_number(x: Any) -> Any:
    try:
        return x * (1 / x.data) - 1.0
    except ZeroDivisionError:
        return x


def falls_back_by_an_inverse(x: Any) -> Any:
    try:
        return x * x.data**-2
    except ArithmeticError:
        return x


def falls_back_by_a_large_number(x: Any) -> Any:
    try:
        return x * (x.data + 1e10) ** 200
    except OverflowError:
        return x


def falls_back_by_a_complex_number(x: Any) -> Any:
    try:
        return (x - 1) * (x.data - 1) ** 0.5
    except TypeError:
        return x


def suppresses_something_else(x: Any) -> Any:
    with contextlib.suppress(KeyError), autograd.scope("part"):
        return autograd.log(x)
    return x


def cannot_fail(x: Any) -> Any:
    try:
        return x**2 / 2.0 + tanh(x) + autograd.clamp(x, 0.0, 1.0)
    except ValueError:
        return x


def cannot_fail_by_numbers(x: Any) -> Any:
    try:
        return x * (x.data / 2.0 + 3 * x.data - 1)
    except (ArithmeticError, TypeError):
        return x


def waits_for_something_else(x: Any) -> Any:
    with autograd.scope("part"):
        try:
            return {"a": autograd.log(x)}["a"]
        except KeyError:
            return x


@pytest.mark.parametrize(
    "f",
    [
        falls_back,
        falls_back_as_python_does,
        falls_back_from_below,
        suppresses,
        suppresses_by_name,
        suppresses_by_a_manager,
        falls_back_by_a_number,
        falls_back_by_an_inverse,
        falls_back_by_a_large_number,
        falls_back_by_a_complex_number,
    ],
)
def test_a_try_that_catches_what_an_op_raises_is_refused(f: Any) -> None:
    assert f(Value(0.0)).data == 0.0 or f is falls_back  # eager code takes the other way
    with pytest.raises(CompileError, match=f"{re.escape(__file__)}:.* stands in a try"):
        compile(f, 1.0)


@pytest.mark.parametrize(
    "f",
    [
        cannot_fail,
        cannot_fail_by_numbers,
        waits_for_something_else,
        suppresses_something_else,
    ],
)
def test_other_trys_are_not(f: Any) -> None:
    assert compile(f, 1.0, exact=True)(0.7) == f(Value(0.7)).data


def test_a_refusal_names_the_function_whose_derivative_it_is() -> None:
    def decides(v: Any) -> Any:
        return v[0] if v[1].data > 1.0 else v[1]

    line = decides.__code__.co_firstlineno
    for derivative in (autograd.grad, autograd.jacobian, autograd.hessian):
        f = functools.partial(derivative(decides))
        with pytest.raises(CompileError, match=rf"{re.escape(__file__)}:{line + 1}: > of a num"):
            compile(f, [1.0, 2.0])
        assert users_function(f) is decides
    assert users_function(autograd.hessian(decides, sparse=True)) is decides
    assert users_function(autograd.grad) is autograd.grad


@pytest.mark.parametrize("example", [0.0, 1.0, -1.0, 2.0])
def test_an_example_may_be_a_number_that_makes_fewer_nodes(example: float, backend: str) -> None:
    f = lambda x: grad(lambda v: v**3 * x.data)(x)
    compiled = compile(f, example, backend=backend)
    for x in (2.0, 1.0, 0.0):
        assert compiled(x) == f(Value(x)).data == 3 * x**3
    by_type = lambda x: x * 2 if type(x.data) is float else x
    with pytest.raises(CompileError, match="something else where the numbers it reads are floats"):
        compile(by_type, example)


def test_numbers_are_followed_through_derivatives() -> None:
    """A product of two numbers is one of plain ones, where they are floats."""
    f = autograd.hessian(lambda v: v[0] * autograd.detach(v[1]) + v[1].data * v[0] ** 2)
    compiled = compile(f, [1.0, 2.0])
    for v in ([1.0, 2.0], [0.5, -3.0]):
        assert compiled(v) == f(v) == [[2 * v[1], 0.0], [0.0, 0.0]]


def test_derivatives_at_plain_numbers_are_followed(backend: str) -> None:
    def by_newton(x: Any) -> Any:
        cube = lambda v: v**3 * P
        v: Any = 1.5
        for _ in range(3):
            v = v - (cube(v) - x) / grad(cube)(v)
        return v + autograd.hessian(lambda v: v[0] ** 2 * v[1])([1.0, 2.0])[0][0] * x

    P.data = 2.0
    compiled = compile(by_newton, 1.0, backend=backend)
    for x, P.data in ((3.0, 2.0), (5.0, 0.5)):
        assert compiled(x) == pytest.approx(by_newton(Value(x)).data, rel=1e-12)


# What a number is besides its value.


def of_a_pattern(x: Any) -> Any:
    match x.data:
        case int():
            return -x
        case float():
            return x * P
    return x


def of_a_cache(x: Any) -> Any:
    if "twice" not in CACHE:
        CACHE["twice"] = P * 2
    return x * CACHE["twice"]


CACHE: dict[str, Any] = {}
IN_FLOATS = "something else where the numbers it reads are floats"
EACH_TIME = r"keeps a value .* that it has computed in one run for the next"

LOOKS: dict[str, tuple[Any, str]] = {
    "isinstance": (lambda x: x * P if isinstance(x.data, int | float) else -x, ""),
    "a number of any kind": (lambda x: x * P if isinstance(P.data, Real) else -x, ""),
    "no float's own method": (lambda x: x * P if isinstance(x.data, str) else -x, ""),
    "match": (of_a_pattern, ""),
    "type": (lambda x: x * P if type(x.data) is float else -x, IN_FLOATS),
    "type's name": (lambda x: x * P if type(P.data).__name__ == "float" else -x, IN_FLOATS),
    "identity": (  # in C, each reading is a float of its own
        lambda x: -x if P.data is not P.data else x * P,
        "type or identity" if accelerator else "",
    ),
    "an argument's label": (lambda x: -x if x.label else x * P, IN_FLOATS),
    "a parameter's label": (lambda x: x * P if P.label == "p" else -x, ""),
    "a node that is kept": (of_a_cache, EACH_TIME),
}


@pytest.mark.parametrize(("f", "refusal"), LOOKS.values(), ids=LOOKS)
def test_what_a_number_is_besides_is_as_elsewhere_or_refused(f: Any, refusal: str) -> None:
    P.data = 2.0
    CACHE.clear()
    if refusal:
        with pytest.raises(CompileError, match=refusal):
            compile(f, 1.0)
    else:
        compiled = compile(f, 1.0, backend="python")
        P.data = 3.0
        assert compiled(-1.5) == f(Value(-1.5)).data


def test_a_module_that_answers_with_a_warning_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    old = ModuleType("old")

    def answer(name: str) -> object:
        raise AssertionError(f"asked for {name}")

    old.__getattr__ = answer  # type: ignore[method-assign]
    library = ModuleType("some_library")
    library.__file__ = "lib/site-packages/some_library.py"
    library.old = old  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "some_library", library)
    assert is_foreign("some_library")
