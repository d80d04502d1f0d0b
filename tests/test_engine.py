"""The engine does what its docstrings say, and has none of the traps of its relatives.

The numbers in parentheses are the traps of micrograd and others that these tests rule out.
"""

import copy
import gc
import math
import operator
import pickle
import sys
import threading
import tracemalloc
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

import autograd
from autograd import (
    TABLE,
    CycleError,
    DomainError,
    GraphCutWarning,
    Value,
    debug,
    detach,
    dot,
    exp,
    log,
    log_softmax,
    logsumexp,
    mean,
    modes,
    no_grad,
    scope,
    softmax,
    sqrt,
    trace,
    where,
)
from autograd.engine import sweep
from autograd.graph import topological_order
from autograd.modes import current_mode
from autograd.schedule import backward_order

needs_threads = pytest.mark.skipif(sys.platform == "emscripten", reason="a browser's has none")


def chain(length: int) -> tuple[Value, Value]:
    x = y = Value(1.0)
    for i in range(length):
        y = y * 1.0000001 if i % 2 else y + x
    return x, y


def swept(root: Value) -> dict[Value, float]:
    adjoint = {root: 1.0}
    for step in sweep(root):
        adjoint[step.arg] = step.total
    return adjoint


def test_chain_rule_on_a_small_expression() -> None:
    x, y = Value(2.0), Value(3.0)
    z = x * y + x**2
    z.backward()
    assert (z.data, x.grad, y.grad) == (10.0, 7.0, 2.0)


@pytest.mark.long
def test_deep_graphs_need_no_recursion() -> None:  # trap 1
    x, y = chain(20_000)
    y.backward()
    first = x.grad
    y.backward()
    assert x.grad == 2 * first
    twin_x, twin = copy.deepcopy((x, y))
    again_x, again = pickle.loads(pickle.dumps((x, y)))
    for leaf, root in ((twin_x, twin), (again_x, again)):
        leaf.grad = 0.0
        root.backward()
        assert leaf.grad == first
    assert repr(y).startswith("Value(data=")
    assert len(trace(y)[0]) == 20_001
    del x, y, twin_x, twin, again_x, again
    gc.collect()


def test_sum_of_990_losses() -> None:  # trap 1
    w = Value(0.5)
    loss = sum((w * i - 1) ** 2 for i in range(990))
    loss.backward()
    assert w.grad == pytest.approx(sum(2 * i * (0.5 * i - 1) for i in range(990)), rel=1e-12)


def test_backward_twice_refreshes_inner_nodes_and_accumulates_leaves() -> None:  # trap 2
    x = Value(3.0)
    cubed = x * x * x
    cubed.backward()
    assert x.grad == 27.0
    cubed.backward()
    assert x.grad == 54.0
    assert cubed.grad == 1.0


def test_accumulation_adds_whole_passes() -> None:
    """0.1 + (c1 + c2), not (0.1 + c1) + c2: earlier passes don't round into this one."""
    x = Value(1.0)
    x.grad = 0.1
    y = x * 0.2 + x * 0.3
    y.backward()
    assert x.grad == 0.1 + (0.2 + 0.3)


def test_diamond_needs_the_topological_order() -> None:  # trap 3
    a = Value(1.0)
    b = a + a
    c = b + b
    c.backward()
    assert a.grad == 4.0


def test_power_of_and_by_values() -> None:  # trap 4
    x, y = Value(2.0), Value(3.0)
    z = x**y
    z.backward()
    assert (z.data, x.grad, y.grad) == (8.0, 12.0, 8.0 * math.log(2))
    z = 2**y
    z.backward()
    assert z.data == 8.0


def test_stable_activations_and_softmax() -> None:  # trap 5
    logits = [Value(800.0), Value(0.0), Value(-1e4)]
    loss = -log_softmax(logits)[1]
    loss.backward()
    assert loss.data == 800.0
    assert [x.grad for x in logits] == [1.0, -1.0, 0.0]
    assert [p.data for p in softmax([Value(1e4), Value(1e4)])] == [0.5, 0.5]
    assert Value(-1e4).sigmoid().data == 0.0
    assert Value(1e4).softplus().data == 1e4


def test_softmax_gradient_against_its_closed_form() -> None:  # trap 5
    xs = [Value(0.3), Value(-1.2), Value(2.0)]
    p = softmax(xs)
    p[0].backward()
    for j, x in enumerate(xs):
        expected = p[0].data * ((j == 0) - p[j].data)
        assert x.grad == pytest.approx(expected, rel=1e-14, abs=1e-16)  # a few roundings


def test_builtins_work_on_values() -> None:  # trap 6
    v, w = Value(2.0), Value(3.0)
    assert sum([v, w]).data == 5.0
    assert max([v, w]) is w
    assert min([v, w]) is v
    assert sorted([w, v]) == [v, w]
    assert abs(Value(-2.0)).data == 2.0
    assert float(v) == 2.0
    assert f"{w:.2f} {v}" == "3.00 Value(data=2.0, grad=0.0)"
    assert v < 3 <= w
    assert not v > w
    assert bool(Value(0.0)) is False
    assert v.item() == 2.0
    assert (+v) is v


def test_equality_and_hash_are_identity() -> None:
    v, w = Value(2.0), Value(2.0)
    assert v != w
    assert len({v, w, v}) == 2


def test_numpy_scalars_and_arrays() -> None:  # trap 9
    numpy = pytest.importorskip("numpy")
    v = Value(3.0)
    for product in (numpy.float64(2) * v, v * numpy.float64(2), numpy.float32(2) * v):
        assert isinstance(product, Value)
        assert product.data == 6.0
        assert type(product.args[0] if product.args[1] is v else product.args[1]) is float
    assert type(Value(numpy.float64(2.0)).data) is float
    assert type(Value(numpy.int64(2)).data) is float
    assert type(v < numpy.float64(4.0)) is bool


def test_one_value_among_numpys_arrays_goes_through_the_elements() -> None:
    numpy = pytest.importorskip("numpy")
    a = Value(2.0)
    floats, objects = numpy.array([1.0, 4.0]), numpy.array([Value(1.0), Value(4.0)])
    for array in (floats, objects, floats.reshape(2, 1), objects.reshape(1, 2)):
        for operation in (
            operator.add, operator.sub, operator.mul, operator.truediv, operator.pow,
        ):  # fmt: skip
            for left, right in ((a, array), (array, a)):
                found = operation(left, right)
                wanted = operation(*(numpy.vectorize(float)(x) for x in (left, right)))
                assert found.shape == array.shape
                assert [v.data for v in found.flat] == [*wanted.flat]
        assert (a < array).tolist() == (array > a).tolist()
    total = ((objects - objects.max()) * a / numpy.linalg.norm(objects)).sum()
    total.backward()
    assert a.grad == -3.0 / 17**0.5
    assert (a * numpy.array(2.0)).data == (numpy.array(2.0) * a).data == 4.0


def test_numpys_functions_call_the_row_or_refuse_by_name() -> None:
    numpy = pytest.importorskip("numpy")
    x = Value(0.5)
    names = "exp log sqrt sin cos tan tanh arcsin arccos arctan sinh cosh arcsinh arctanh expm1"
    for name in names.split():
        function = getattr(numpy, name)
        assert function(x).op is not None
        assert function(x).data == pytest.approx(float(function(0.5)), rel=1e-15)  # 4 ulp
        assert [v.op for v in function(numpy.array([x, x]))] == [function(x).op] * 2
    assert numpy.arctan2(x, x).op.name == "atan2"
    assert numpy.array([x, x + 1]).std().data == 0.5
    for name in ("log10", "cbrt", "floor", "rint"):
        with pytest.raises(TypeError, match=name):
            getattr(numpy, name)(x)


def test_a_comparison_is_a_mask() -> None:
    numpy = pytest.importorskip("numpy")
    x = Value(3.0)
    for mask in (x > 2, numpy.True_, numpy.bool_(x > 2)):
        assert (x * mask).data == (mask * x).data == 3.0
        assert Value(mask).data == 1.0
    assert (x * (x < 2)).data == 0.0


def test_an_object_of_a_class_with_its_own_operators_has_its_turn() -> None:
    class Vector:
        def __init__(self, *xs: object) -> None:
            self.xs = xs

        def __radd__(self, k: Value) -> "Vector":
            return Vector(*(k + x for x in self.xs))

    assert [v.data for v in (Value(1.0) + Vector(2.0, 3.0)).xs] == [3.0, 4.0]


@pytest.mark.parametrize(
    ("bad", "hint"),
    [
        (1j, "only real numbers"),
        ("2", "give a plain int or float"),
        (b"1", "give a plain int or float"),
        (None, "give a plain int or float"),
        ([1.0], "use one per element$"),
        (Value(1.0), "use it directly"),
    ],
    ids=repr,
)
def test_only_real_numbers_become_data(bad: object, hint: str) -> None:  # trap 9
    with pytest.raises(TypeError, match=f"expected a real number, got .*: .*{hint}"):
        Value(bad)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "whole",
    [
        *(int, round, math.floor, math.ceil, math.trunc),
        *(lambda x: x // 2, lambda x: 2 // x, lambda x: x % 2, lambda x: 2 % x),
        *(lambda x: divmod(x, 2), lambda x: divmod(2, x)),
    ],
)
def test_what_makes_whole_numbers_is_refused_with_what_to_write(
    whole: Callable[[Value], object],
) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # Python's own, of a Value that has no __int__
        with pytest.raises(TypeError, match=r"take its \.data"):
            whole(Value(3.5))


def test_an_array_of_one_number_is_told_how_to_become_it() -> None:
    numpy = pytest.importorskip("numpy")
    with pytest.raises(TypeError, match=r"use one per element, such as those of its \.tolist\(\)"):
        Value(numpy.array([1.0, 2.0]))
    for bad in (numpy.array(2.0), numpy.array(True)):
        with pytest.raises(TypeError, match=r"its \.item\(\) is a plain number"):
            Value(bad)


@pytest.mark.parametrize("bad", [1j, "2", [1.0], None], ids=repr)
def test_only_real_numbers_become_operands(bad: object) -> None:
    v = Value(1.0)
    for operation in (operator.add, operator.mul, operator.sub, operator.truediv, operator.pow):
        with pytest.raises(TypeError, match="expected a real number, got"):
            operation(v, bad)
        with pytest.raises(TypeError):
            operation(bad, v)
    with pytest.raises(TypeError, match="expected a real number"):
        v < bad  # noqa: B015  # type: ignore[operator]


@pytest.mark.parametrize(
    ("apply", "message"),
    [
        (lambda: log(Value(-1.0, "z")), r"log needs x > 0 \(of node 'z'\)"),
        (lambda: 1 / Value(0.0, "d"), r"div needs y != 0 \(of node 'd'\)"),
        (lambda: Value(0.0, "a") ** Value(-1.0, "b"), r"exponent \(of node 'a', 'b'\)"),
        (lambda: 0 * (z := Value(0.0, "z")) + z / z, r"div needs y != 0 \(of node 'z'\)"),
    ],
)
def test_outside_the_domain_the_node_is_named(apply, message) -> None:  # traps 9, 11
    with pytest.raises(DomainError, match=message):
        apply()


def test_overflow_and_underflow_are_not_errors() -> None:
    assert exp(Value(1000.0)).data == math.inf
    assert (Value(1e200) ** 2).data == math.inf
    assert (Value(-1e200) ** 3).data == -math.inf
    assert exp(Value(-1000.0)).data == 0.0
    assert math.isnan((Value(math.inf) - math.inf).data)


def test_infinite_derivative_names_the_edge() -> None:  # trap 11
    x = Value(0.0, "s")
    y = sqrt(x) * 3
    x.grad = 5.0
    with pytest.raises(DomainError, match=r"derivative of sqrt\(0.0\) .* argument x is inf .*'s'"):
        y.backward()
    assert (x.grad, y.grad) == (5.0, 0.0)
    with pytest.raises(DomainError):
        list(sweep(y))


def test_infinite_derivative_under_zero_upstream_contributes_zero() -> None:  # trap 11
    x = Value(0.0)
    y = where(x, sqrt(x), 2 * x)
    y.backward()
    assert x.grad == 2.0
    assert swept(y)[x] == 2.0


def test_a_negative_base_has_no_derivative_in_its_exponent() -> None:
    x, y = Value(-2.0), Value(3.0)
    z = x**y
    with pytest.raises(DomainError, match=r"\(-2.0\) \*\* 3.0 .* argument y is nan"):
        z.backward()
    assert (x.grad, y.grad) == (0.0, 0.0)
    z = x**3
    z.backward()
    assert x.grad == 12.0


def test_conventions_of_powers_at_zero() -> None:
    x = Value(0.0)
    polynomial = sum(x**k for k in range(4))
    polynomial.backward()
    assert (polynomial.data, x.grad) == (1.0, 1.0)
    exponent = Value(2.0)
    (0**exponent).backward()
    assert exponent.grad == 0.0


def test_leaves_of_a_leaf() -> None:
    x = Value(3.0)
    x.backward()
    x.backward(2.0)
    assert x.grad == 3.0


def test_args_keep_order_and_duplicates() -> None:
    x = Value(3.0)
    y = x * x
    assert y.args == (x, x)
    assert str(y.op) == "*"
    assert y._prev == (x,)
    assert (x.op, x.args, x._op, y._op) == (None, (), "", "*")
    assert (2 - x).args == (2.0, x)
    assert autograd.clamp(x, 0.0, 5.0).args == (x, 0.0, 5.0)
    w = dot([x, y], [1.0, 2.0], 3.0)
    assert w.args == (x, y, 1.0, 2.0, 3.0)
    with pytest.raises(AttributeError):
        y.args = ()  # type: ignore[misc]


def test_trace_gives_edges_in_order() -> None:
    x, y = Value(2.0), Value(3.0)
    z = x * x + y
    nodes, edges = trace(z)
    square = z.args[0]
    assert nodes == [x, square, y, z]
    assert edges == [(x, square), (x, square), (square, z), (y, z)]


def test_fast_order_is_the_readable_order() -> None:
    xs = [Value(float(i)) for i in range(5)]
    h = [dot(xs, xs[::-1], xs[0]), xs[1] * xs[2], autograd.clamp(xs[3], xs[1], xs[4])]
    root = logsumexp([*h, h[0] * h[1], -h[2]]) * h[1]
    order, leaves = backward_order(root)
    readable = topological_order(root)
    assert order == [node for node in readable if node.op]
    assert set(leaves) == {node for node in readable if not node.op}
    assert readable.index(h[0]) < readable.index(h[2]) < readable.index(root)


def test_fused_rows() -> None:
    w, x, b = [Value(2.0), Value(-1.0)], [Value(3.0), Value(4.0)], Value(0.5)
    y = dot(w, x, b)
    y.backward()
    assert y.data == 2.5
    assert [v.grad for v in (*w, *x, b)] == [3.0, 4.0, 2.0, -1.0, 1.0]
    assert dot([1.0], [2.0]) == 2.0
    assert mean([Value(1.0), 3.0]).data == 2.0
    assert autograd.sum([]) == 0.0
    big = [Value(float(i)) for i in range(1000)]  # beyond the unrolled code
    autograd.sum(big).backward()
    dot(big, big).backward()
    assert [v.grad for v in big] == [1.0 + 2.0 * i for i in range(1000)]
    for call, name in ((mean, "mean"), (logsumexp, "logsumexp"), (softmax, "softmax")):
        with pytest.raises(ValueError, match=f"{name} of no numbers"):
            call([])
    with pytest.raises(ValueError, match=r"as many weights as inputs.*got 2 and 1"):
        dot([1.0, 2.0], [1.0])


def test_no_grad_records_nothing() -> None:
    x = Value(2.0)
    with no_grad():
        y = exp(x * 3) + 1
    assert y.op is None
    assert y.data == math.exp(6.0) + 1

    @no_grad()
    def decorated() -> Value:
        return x * x

    assert decorated().op is None
    assert (x * x).op is not None


def test_no_grad_keeps_the_other_settings_and_ends_with_an_error_too() -> None:
    x = Value(2.0)
    with scope("layers.0"), no_grad():
        assert (x * x).origin == ("layers.0", None, None)
    with pytest.raises(DomainError), no_grad():
        (x - 2.0).log()
    assert (x * x).op is not None


def test_no_grad_enters_the_same_mode_each_time() -> None:
    """Else entering costs as much as a mode to make, and each scope inside as much again."""
    modes_inside = []
    for _ in range(2):
        with no_grad(), scope("layers.0"):
            modes_inside.append(current_mode())
    assert modes_inside[0] is modes_inside[1]
    assert not modes_inside[0].grad


def test_of_scopes_without_end_not_all_modes_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(modes, "MOST_OTHERS", 3)
    with scope("samples"):
        for i in range(9):
            with scope(f"{i}"):
                assert current_mode().scope == f"samples.{i}"
            assert 0 < len(current_mode().others) <= 3


def test_a_function_under_no_grad_may_call_itself() -> None:
    @no_grad()
    def power(x: Value, n: int) -> Value:
        """Return x ** n."""
        return power(x, n - 1) * x if n > 1 else x * 1.0

    x = Value(2.0)
    y = power(x, 5)
    assert (y.data, y.op) == (32.0, None)
    assert (power.__name__, power.__doc__) == ("power", "Return x ** n.")
    assert (x * x).op is not None


def test_detach() -> None:
    x = Value(2.0, "x")
    cut = detach(x * x)
    assert (cut.data, cut.op) == (4.0, None)
    assert detach(x).label == "x"


def test_scopes_nest_and_end() -> None:
    x = Value(2.0)
    with scope("layers.0"):
        a = x * 2
        with scope("neurons.3"):
            b = a.relu()
    c = a + b
    assert a.origin == ("layers.0", None, None)
    assert b.origin == ("layers.0.neurons.3", None, None)
    assert c.origin is None


def test_debug_names_the_line() -> None:
    with debug():
        x = Value(-1.0, "x")
        y = x * 2
        with pytest.raises(DomainError, match=r"log\(-2.0\).* at .*test_engine.py:\d+"):
            log(y)
        with pytest.warns(GraphCutWarning, match="cuts the graph"):
            math.exp(y)
        assert math.exp(x) == math.exp(-1.0)  # a leaf: nothing is cut
    assert y.origin is not None
    scope_path, file, line = y.origin
    assert (scope_path, file) == ("", __file__)
    assert line == test_debug_names_the_line.__code__.co_firstlineno + 3


def test_data_changed_after_forward() -> None:  # trap 9
    x = Value(2.0)
    y = x * x
    x.data = 5.0  # outside debug: the documented trap
    y.backward()
    assert (y.data, x.grad) == (4.0, 10.0)


def test_pickle_keeps_the_leaf_of_the_graph() -> None:  # trap 9
    x = Value(3.0, "x")
    y = autograd.clamp(x * x + 2, 0.0, 100.0)
    for twin in (pickle.loads(pickle.dumps((x, y))), copy.deepcopy((x, y))):
        new_x, new_y = twin
        assert trace(new_y)[0][0] is new_x
        new_y.backward()
        assert (new_x.grad, x.grad, new_x.label) == (6.0, 0.0, "x")
    new_y, new_x, inner = pickle.loads(pickle.dumps([y, x, y.args[0]]))
    assert new_y.args[0] is inner
    assert trace(new_y)[0][0] is new_x
    assert copy.copy(y).args == y.args


def test_pickle_recovers_from_a_failure() -> None:
    x, y = chain(20)
    with pytest.raises((pickle.PicklingError, AttributeError, TypeError)):
        pickle.dumps([y, lambda: None])
    new_x, new_y = pickle.loads(pickle.dumps((x, y)))
    new_y.backward()
    y.backward()
    assert new_x.grad == x.grad


def test_cycles_are_reported() -> None:
    x = Value(1.0, "x")
    y = x * 2
    z = y + x
    y._a = z
    for walk in (z.backward, lambda: list(sweep(z)), lambda: trace(z)):
        with pytest.raises(CycleError, match=r"cycle of 2 node\(s\)"):
            walk()


@needs_threads
def test_recording_from_several_threads() -> None:
    """Modes are per thread; backward passes that share leaves don't lose contributions."""
    w = Value(1.0)
    problems: list[str] = []

    def work(number: int) -> None:
        with scope(f"t{number}"):
            for _ in range(50):
                y = w
                for _ in range(20):
                    y = y + w * 1.0
                if y.origin != (f"t{number}", None, None):
                    problems.append(str(y.origin))
                y.backward()

    threads = [threading.Thread(target=work, args=(i,)) for i in range(8)]
    with no_grad():
        assert (w * 1.0).op is None
        for thread in threads:
            thread.start()
    for thread in threads:
        thread.join()
    assert not problems
    assert w.grad == 8 * 50 * 21


def test_an_interrupted_backward_leaves_the_leaves_alone() -> None:
    x = Value(2.0)
    y = x * x * x
    x.grad = 7.0

    class InterruptError(BaseException):
        pass

    def interrupt() -> None:
        raise InterruptError

    y.args[0]._backward = interrupt
    with pytest.raises(InterruptError):
        y.backward()
    assert (x.grad, y.grad) == (7.0, 0.0)


def test_value_is_final() -> None:
    with pytest.raises(TypeError, match="final"):
        type("Mine", (Value,), {})


def test_memory_per_node() -> None:
    gc.collect()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        y = Value(1.0)
        for _ in range(3_000):
            y = y * 1.0001
        y.backward()
        gc.collect()
        used = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert used / 3_001 <= 160


@needs_threads
def test_passes_of_several_threads_take_turns() -> None:
    """Each sets the leaves' grads aside while it runs; all that they add is there in the end."""
    x = Value(3.0)

    def work(times: int) -> None:
        y = x
        for _ in range(50):
            y = y + x
        for _ in range(times):
            y.backward()

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(4) as pool:
            for done in [pool.submit(work, 100) for _ in range(4)]:
                done.result()
    finally:
        sys.setswitchinterval(interval)
    assert x.grad == 4 * 100 * 51


def test_a_cut_graph_is_told_of_the_line_that_cuts_it() -> None:
    with debug():
        y = Value(2.0) * 3
        with pytest.warns(GraphCutWarning) as caught:
            float(y)
    (warning,) = caught
    assert warning.filename == __file__
    first = test_a_cut_graph_is_told_of_the_line_that_cuts_it.__code__.co_firstlineno
    assert warning.lineno == first + 4


@pytest.mark.parametrize("seed", ["2", None, 1j, Value(1.0)])
def test_a_seed_is_a_number(seed: object) -> None:
    y = Value(2.0) * 3
    for use in (y.backward, lambda seed: list(sweep(y, seed))):
        with pytest.raises(TypeError):
            use(seed)  # type: ignore[operator]


def test_a_grad_of_none_counts_as_zero_and_another_is_refused_before_anything_changes() -> None:
    a, b = Value(2.0, "a"), Value(3.0, "b")
    y = a * b
    a.grad = None  # type: ignore[assignment]
    y.backward()
    assert (a.grad, b.grad) == (3.0, 2.0)
    a.grad = 1
    b.grad = "2"  # type: ignore[assignment]
    with pytest.raises(TypeError, match="expected a real number, got '2'"):
        y.backward()
    assert (a.grad, b.grad) == (1, "2")


def test_division_by_zero_is_pythons_error_too() -> None:
    for divide in (
        lambda: 1 / Value(0.0), lambda: Value(1.0) / 0, lambda: Value(0.0) ** -1,
        lambda: 0 ** Value(-1.0), lambda: TABLE["div"](1.0, 0.0),
    ):  # fmt: skip
        with pytest.raises(DomainError) as caught:
            divide()
        assert isinstance(caught.value, ZeroDivisionError)
    for other in (lambda: log(Value(0.0)), lambda: Value(-2.0) ** 0.5):
        with pytest.raises(DomainError) as caught:
            other()
        assert not isinstance(caught.value, ZeroDivisionError)
    assert (Value(1e200) ** 2).data == math.inf


def test_float_of_an_inner_node_or_a_parameter_warns_but_not_where_it_is_printed() -> None:
    x = Value(2.0, "x")
    inner, parameter = x * x, Value(1.0, "layers.0.w")
    for cut in (inner, parameter):
        with pytest.warns(GraphCutWarning, match="cuts the graph"):
            assert math.exp(cut) == math.exp(cut.data)
        assert "%.1f %s" % (cut, cut) == f"{cut.data:.1f} {cut}"  # noqa: UP031
    assert float(x) == 2.0


def test_state_on_a_value_is_refused_in_words() -> None:
    p = Value(1.0)
    for name in ("m", "v", "velocity"):
        with pytest.raises(AttributeError, match=rf"no attribute '{name}'.*keep it in a dict"):
            setattr(p, name, 0.0)
        assert not hasattr(p, name)
    with pytest.raises(AttributeError):
        p.anything = 1  # type: ignore[attr-defined]
