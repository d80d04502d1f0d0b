"""Modules: their parameters, names and scopes; neurons, layers and networks."""

import copy
import gc
import math
import pickle
import random
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

import autograd
from autograd import DomainError, Value, dot, no_grad, scope, trace
from nn import MLP, Dropout, Layer, Module, Neuron, Residual, Sequential, Standardize, fit
from nn.data import Standardizer, moons
from nn.losses import binary_cross_entropy_with_logits, hinge
from nn.optim import SGD


class Line(Module):
    def __init__(self) -> None:
        self.slope = Value(2.0)
        self.offset = Value(1.0)

    def forward(self, x: Any) -> Any:
        return self.slope * x + self.offset


class Several(Module):
    """Calls each of its lines, wherever they are kept."""

    def __init__(self, lines: Any) -> None:
        self.lines = lines

    def forward(self, x: Any) -> Any:
        lines = self.lines.values() if isinstance(self.lines, dict) else self.lines
        return [line(x) for line in lines]


def scope_of(value: Value) -> str:
    return value.origin[0] if value.origin else ""


# Parameters


def test_parameters_are_found_in_attributes_and_containers() -> None:
    module = Module()
    a, b, c, d, e = (Value(float(i)) for i in range(5))
    module.w = [a, (b,)]
    module.table = {"c": c, 3: [d]}
    module.line = Line()
    module.number, module.name, module.nothing = 3.0, "w", None
    module._hidden = e
    assert module.parameters() == [a, b, c, d, module.line.slope, module.line.offset, e]
    assert list(module.named_parameters()) == [
        "w.0",
        "w.1.0",
        "table.c",
        "table.3.0",
        "line.slope",
        "line.offset",
        "_hidden",
    ]


def test_a_tied_parameter_counts_once() -> None:
    w = Value(1.0)
    first, second = Line(), Line()
    first.slope = second.slope = w
    module = Several([first, second, first])
    assert module.parameters() == [w, first.offset, second.offset]
    assert list(module.named_parameters()) == ["lines.0.slope", "lines.0.offset", "lines.1.offset"]


def test_an_inner_node_is_not_a_parameter() -> None:
    line = Line()
    line.last = line(3.0)
    assert line.parameters() == [line.slope, line.offset]


def test_cycles_among_modules_and_containers_end() -> None:
    parent, child = Several([]), Line()
    child.parent = parent
    parent.lines += [child, parent, parent.lines]
    assert parent.parameters() == child.parameters() == [child.slope, child.offset]


def test_modules_nested_two_thousand_deep() -> None:
    outer: Module = Line()
    for _ in range(2_000):
        outer = Several([outer])
    assert len(outer.parameters()) == 2
    while isinstance(outer, Several):  # Python frees a chain of objects by recursion
        outer = outer.lines.pop()


def test_a_set_of_parameters_is_refused() -> None:
    module = Module()
    module.tags = {"a", "b"}
    assert module.parameters() == []
    module.ws = {Value(1.0)}
    with pytest.raises(TypeError, match="ws is a set, which has no order: use a list"):
        module.parameters()


def test_two_parameters_of_one_name_are_refused() -> None:
    module = Module()
    module.w = {1: Value(1.0), "1": Value(2.0)}
    with pytest.raises(ValueError, match=r"two parameters of Module are named w\.1"):
        module.named_parameters()


def test_slots_are_refused_where_they_would_hide_parameters() -> None:
    with pytest.raises(TypeError, match="__slots__ would not be found"):
        type("Slotted", (Module,), {"__slots__": ("w",)})


def test_zero_grad() -> None:
    line = Line()
    line(3.0).backward()
    assert [p.grad for p in line.parameters()] == [3.0, 1.0]
    line.zero_grad()
    assert [p.grad for p in line.parameters()] == [0.0, 0.0]


def test_gradients_accumulate_until_zeroed() -> None:
    line = Line()
    for _ in range(2):
        line(3.0).backward()
    assert line.slope.grad == 6.0


def test_a_module_prints_its_size() -> None:
    assert repr(Several([Line(), Line()])) == "Several(4 parameters)"


def test_a_module_without_forward_says_so() -> None:
    with pytest.raises(NotImplementedError, match="Module defines neither forward nor __call__"):
        Module()(1.0)


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))])
def test_copies_work_and_share_nothing(copied: Callable[[Any], Any]) -> None:
    model = MLP(2, [3, 1], seed=1)
    before = model([1.0, 2.0])
    twin = copied(model)
    after = twin([1.0, 2.0])
    assert after.data == before.data
    assert scope_of(after) == scope_of(before) == "layers.1.neurons.0"
    after.backward()
    assert any(p.grad for p in twin.parameters())
    assert not any(p.grad for p in model.parameters())


# Scopes


def test_the_root_adds_nothing_to_the_path() -> None:
    assert scope_of(Line()(1.0)) == ""
    with scope("outer"):
        assert scope_of(Line()(1.0)) == "outer"


@pytest.mark.parametrize(
    "kept", [list, tuple, lambda lines: {str(i): x for i, x in enumerate(lines)}]
)
def test_a_child_is_named_by_its_place(kept: Callable[[Any], Any]) -> None:
    outs = Several(kept([Line(), Line()]))(1.0)
    assert [scope_of(out) for out in outs] == ["lines.0", "lines.1"]


def test_paths_are_relative_to_the_outermost_call() -> None:
    model = MLP(2, [16, 16, 1], seed=0)
    x = [Value(1.0), Value(2.0)]
    inner = [node for node in trace(model(x))[0] if node.op]
    assert list(dict.fromkeys(map(scope_of, inner)))[3] == "layers.0.neurons.3"
    assert scope_of(model.layers[0](x)[3]) == "neurons.3"
    assert scope_of(model.layers[0].neurons[3](x)) == ""


def test_names_follow_when_modules_move() -> None:
    first, second = Line(), Line()
    module = Several([first, second])
    assert [scope_of(out) for out in module(1.0)] == ["lines.0", "lines.1"]
    module.lines.reverse()
    assert [scope_of(out) for out in module(1.0)] == ["lines.0", "lines.1"]
    module.lines = {"only": second}
    assert [scope_of(out) for out in module(1.0)] == ["lines.only"]


def test_a_module_from_elsewhere_adds_nothing() -> None:
    stranger = Line()

    class Borrower(Module):
        def forward(self, x: Any) -> Any:
            return stranger(x)

    outer = Several([Borrower()])
    assert scope_of(outer(1.0)[0]) == "lines.0"


def test_the_path_is_left_when_forward_raises() -> None:
    class Broken(Module):
        def forward(self, x: Any) -> Any:
            raise ArithmeticError

    with pytest.raises(ArithmeticError):
        Several([Broken()])(1.0)
    assert scope_of(Line()(1.0)) == ""


def test_call_may_be_overridden_as_in_micrograd() -> None:
    class Doubled(Line):
        def __call__(self, x: Any) -> Any:
            return 2 * super().__call__(x)

    out = Several([Doubled()])(3.0)[0]
    assert out.data == 14.0
    assert [scope_of(node) for node in trace(out)[0] if node.op] == ["lines.0"] * 3


def test_keywords_reach_forward() -> None:
    class Power(Module):
        def forward(self, x: Any, *, exponent: int) -> Any:
            return x**exponent

    assert Power()(3.0, exponent=2) == 9.0


def test_a_module_calls_from_several_threads_at_once() -> None:
    model = MLP(2, [4, 1], seed=0)
    with ThreadPoolExecutor(4) as pool:
        outs = list(pool.map(model, [[0.1 * i, -0.1 * i] for i in range(50)]))
    assert {scope_of(out) for out in outs} == {"layers.1.neurons.0"}
    assert [out.data for out in outs] == [model([0.1 * i, -0.1 * i]).data for i in range(50)]


def test_a_dataclass_module_is_named_although_it_cannot_be_hashed() -> None:
    import dataclasses

    @dataclasses.dataclass
    class Scale(Module):
        factor: Value

        def forward(self, x: Any) -> Any:
            return self.factor * x

    outs = Several([Scale(Value(2.0)), Scale(Value(2.0))])(3.0)
    assert [scope_of(out) for out in outs] == ["lines.0", "lines.1"]


def test_with_another_package_called_autograd_the_import_says_so(tmp_path: Path) -> None:
    ours = Path(autograd.__file__).parent
    shutil.copytree(ours.parent / "nn", tmp_path / "nn")
    (tmp_path / "autograd").mkdir()
    (tmp_path / "autograd" / "__init__.py").touch()
    shutil.copy(ours / "conflict.py", tmp_path / "autograd")
    code = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import nn"
    done = subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True)
    *_, last = done.stderr.splitlines()
    assert last.startswith("ImportError: another project (HIPS autograd?) has replaced the package")


# Neuron, Layer, MLP


def test_neuron_computes_the_weighted_sum_in_one_node() -> None:
    neuron = Neuron(3, nonlin=False)
    out = neuron([1.0, 2.0, 3.0])
    w, b = neuron.w, neuron.b
    assert out.op is autograd.TABLE["dot"]
    assert out.data == w[0].data + w[1].data * 2 + w[2].data * 3 + b.data
    out.backward()
    assert [p.grad for p in neuron.parameters()] == [1.0, 2.0, 3.0, 1.0]


def test_weights_are_uniform_and_biases_zero() -> None:
    model = MLP(20, [50, 1], seed=3)
    weights = [w.data for layer in model.layers for neuron in layer.neurons for w in neuron.w]
    assert all(neuron.b.data == 0.0 for layer in model.layers for neuron in layer.neurons)
    assert all(-1 <= w <= 1 for w in weights)
    # Of uniform numbers in [-1, 1] the mean has deviation 1 / sqrt(3 n), here 0.018; 4 of them.
    assert abs(math.fsum(weights) / len(weights)) < 4 / math.sqrt(3 * len(weights))


def test_a_seed_gives_the_same_weights_and_spares_the_global_source() -> None:
    random.seed(5)
    expected = random.random()
    random.seed(5)
    twins = [MLP(2, [3, 1], seed=7), MLP(2, [3, 1], seed=7), MLP(2, [3, 1], seed=8)]
    assert random.random() == expected
    weights = [[p.data for p in model.parameters()] for model in twins]
    assert weights[0] == weights[1] != weights[2]


def test_hidden_layers_have_the_activation_and_the_output_none() -> None:
    model = MLP(2, [3, 2, 1], activation="tanh", seed=0)
    ops = [
        [str(n.op) for n in trace(model([1.0, 2.0]))[0] if n.op].count(op) for op in ("tanh", "dot")
    ]
    assert ops == [5, 6]
    assert repr(model.layers[2]) == "Layer of [LinearNeuron(2)]"


@pytest.mark.parametrize(
    "name", ["relu", "tanh", "sigmoid", "softplus", "elu", "leaky_relu", "gelu"]
)
def test_activation_by_name_or_itself(name: str) -> None:
    function = getattr(autograd, name)
    by_name, by_row = Neuron(1, activation=name, seed=1), Neuron(1, activation=function, seed=1)
    z = by_name.w[0].data * 0.5
    assert by_name([0.5]).data == by_row([0.5]).data == function(Value(z)).data
    twin = pickle.loads(pickle.dumps(by_row))
    assert twin.activation is function


def test_an_own_row_is_an_activation() -> None:
    cube = autograd.Op("cube_activation", lambda x: x * x * x, (lambda y, x: 3 * x * x,))
    try:
        neuron = Neuron(1, activation="cube_activation", seed=0)
        assert repr(neuron) == "Cube_activationNeuron(1)"
        out = neuron([2.0])
        assert out.op is cube
        out.backward()
        z = 2 * neuron.w[0].data
        assert neuron.w[0].grad == 2 * (3 * z * z)
    finally:
        del autograd.TABLE["cube_activation"]


@pytest.mark.parametrize(
    "given", ["swish", "add", "dot", math.tanh, lambda x: x, autograd.hypot, 3]
)
def test_an_unknown_activation_is_named(given: Any) -> None:
    with pytest.raises(
        ValueError, match=r"activation must be linear or an operation of one argument \(abs, acos"
    ):
        Neuron(1, activation=given)
    with pytest.raises(ValueError, match="activation must be linear or an operation"):
        MLP(1, [1], activation=given)  # also where there is no hidden layer to use it
    with pytest.raises(ValueError, match=r"got 'identity'; did you mean linear\?$"):
        MLP(2, [1], activation="identity")


@pytest.mark.parametrize("given", [[1.0], [1.0, 2.0, 3.0], []])
def test_a_wrong_number_of_inputs_is_named(given: list[float]) -> None:
    for module in (Neuron(2), Layer(2, 3), MLP(2, [3, 1])):
        with pytest.raises(ValueError, match=rf"ReLUNeuron\(2\) takes 2 inputs, got {len(given)}"):
            module(given)


@pytest.mark.parametrize("given", [1.0, Value(1.0), zip([1.0], [2.0], strict=True)])
def test_inputs_must_come_in_a_list(given: Any) -> None:
    with pytest.raises(TypeError, match=r"ReLUNeuron\(1\) takes a list of 1 numbers, got"):
        MLP(1, [1, 1])(given)


def test_inputs_may_be_an_array() -> None:
    numpy = pytest.importorskip("numpy")
    model = MLP(2, [3, 1], seed=0)
    assert model(numpy.array([1.0, 2.0])).data == model([1.0, 2.0]).data
    assert type(model(numpy.array([1.0, 2.0])).data) is float


def test_an_input_that_is_no_number_is_refused() -> None:
    with pytest.raises(TypeError, match="expected a real number, got 'a'"):
        Neuron(2)([1.0, "a"])


@pytest.mark.parametrize("size", [0, -1, 2.5, "2", True, None, [2]])
def test_wrong_sizes_are_named(size: Any) -> None:
    for make, name in (
        (lambda: Neuron(size), "nin"),
        (lambda: Layer(2, size), "nout"),
        (lambda: MLP(size, [1]), "nin"),
        (lambda: MLP(2, [3, size]), "nouts[1]"),
    ):
        with pytest.raises(
            (ValueError, TypeError), match=re.escape(f"{name} must be a whole number")
        ):
            make()


@pytest.mark.parametrize("nouts", [[], (), 3, "31", None])
def test_the_widths_must_be_a_list(nouts: Any) -> None:
    with pytest.raises(ValueError, match="nouts must list at least one layer's width"):
        MLP(2, nouts)


@pytest.mark.parametrize("seed", [1.5, "1", True])
def test_a_seed_is_a_whole_number(seed: Any) -> None:
    with pytest.raises(TypeError, match="seed must be a whole number"):
        MLP(2, [1], seed=seed)


def test_several_outputs_are_a_list_and_one_is_not() -> None:
    assert isinstance(MLP(2, [3, 1])([1.0, 2.0]), Value)
    outs = MLP(2, [3, 2])([1.0, 2.0])
    assert isinstance(outs, list)
    assert len(outs) == 2


def test_a_hidden_layer_of_one_neuron() -> None:
    out = MLP(2, [1, 3], seed=0)([1.0, 2.0])  # micrograd fails here
    assert len(out) == 3


def test_parameters_carry_their_paths_as_labels() -> None:
    model = MLP(2, [3, 1])
    assert all(p.label == name for name, p in model.named_parameters().items())
    assert model.layers[0].neurons[2].w[1].label == "layers.0.neurons.2.w.1"


def test_gradients_of_a_network_agree_with_differences() -> None:
    model = MLP(2, [4, 3, 1], activation="tanh", seed=2)
    x = [0.3, -0.7]
    model(x).backward()
    h = 6e-6  # eps ** (1/3): truncation h**2 / 6 and rounding eps / h, both near 4e-11; times 100
    for p in model.parameters():
        start = p.data
        p.data = start + h
        above = model(x).data
        p.data = start - h
        below = model(x).data
        p.data = start
        assert p.grad == pytest.approx((above - below) / (2 * h), abs=4e-9)


# Traps of other engines


def test_a_sum_of_a_thousand_losses() -> None:
    # Deeper than Python's recursion goes; the scores are positive, so every loss is active.
    model = MLP(1, [1], seed=0)
    losses = [hinge(model([0.001 * i]), -1) for i in range(2_000)]
    loss = sum(losses)
    loss.backward()
    assert model.layers[0].neurons[0].b.grad == 2_000.0


def test_a_network_of_a_thousand_layers() -> None:
    model = MLP(1, [1] * 1_000, activation="tanh", seed=0)
    model([1.0]).backward()
    assert model.layers[-1].neurons[0].b.grad == 1.0


def test_no_grad_evaluates_without_a_graph() -> None:
    model = MLP(2, [3, 1], seed=0)
    with no_grad():
        out = model([1.0, 2.0])
    assert out.op is None
    assert out.data == model([1.0, 2.0]).data


def test_a_domain_error_in_an_activation_names_op_and_number() -> None:
    neuron = Neuron(1, activation="log", seed=0)
    neuron.w[0].data = 1.0
    with pytest.raises(DomainError, match=r"log\(-1\.0\) is undefined: log needs x > 0"):
        neuron([-1.0])


def test_a_module_is_freed_with_its_last_reference() -> None:
    import weakref

    model = MLP(2, [3, 1])
    model([1.0, 2.0])
    seen = weakref.ref(model)
    gc.disable()
    try:
        del model
        assert seen() is None
    finally:
        gc.enable()


# Sequential, Residual, Dropout


def test_sequential_feeds_each_with_the_one_before() -> None:
    model = Sequential(Layer(2, 3, activation="tanh", seed=0), Layer(3, 1, False, seed=1))
    hidden = model.layers[0]([0.5, -1.0])
    out = model([0.5, -1.0])
    assert out.data == model.layers[1](hidden).data
    assert scope_of(out) == "layers.1.neurons.0"
    assert (model.nin, model.nout) == (2, 1)
    assert model.layers[0].neurons[1].w[0].label == "layers.0.neurons.1.w.0"
    inner = Sequential(Layer(2, 1, seed=0), Layer(1, 2, seed=0))  # one output goes on as a list
    assert len(inner([1.0, 2.0])) == 2
    unknown = Sequential(Layer(2, 3), Several([Line(), Line()]), Layer(4, 1))
    assert (unknown.nin, unknown.nout) == (2, 1)  # what a module gives that doesn't say is open
    assert Sequential(Layer(2, 3), Several([])).nout is None


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Sequential(), "Sequential needs at least one module"),
        (lambda: Sequential(Layer(2, 3), "relu"), r"layers\.1 must be a Module: got 'relu'"),
        (
            lambda: Sequential(Layer(2, 3), Dropout(0.5), Layer(4, 1)),
            r"layers\.2 takes 4 inputs, layers\.0 gives 3",
        ),
        (lambda: Residual(Layer(2, 3)), "as many outputs as it takes inputs: .* 2 and gives 3"),
        (lambda: Residual(3), "Residual takes a Module: got 3"),
        (lambda: Residual(Layer(2, 2), scale="1"), "scale must be a finite number: got '1'"),
        (lambda: Dropout(1.0), r"rate must be at least 0 and below 1: got 1\.0"),
        (lambda: Dropout(-0.1), "rate must be at least 0 and below 1"),
        (lambda: Dropout(0.5, seed="x"), "seed must be a whole number"),
        (lambda: MLP(2, [3, 1], activation=["relu"]), "activation lists 1 for 2 layers"),
    ],
)
def test_what_does_not_fit_is_named(make: Callable[[], Any], message: str) -> None:
    with pytest.raises((TypeError, ValueError), match=message):
        make()


def test_a_residual_adds_its_scaled_branch_to_its_inputs() -> None:
    block = Residual(Layer(2, 2, activation="tanh", seed=0), scale=0.25)
    x = [Value(0.5), Value(-1.0)]
    branch = block.module(x)
    outs = block(x)
    assert [out.data for out in outs] == [
        a.data + 0.25 * b.data for a, b in zip(x, branch, strict=True)
    ]
    # d out[0] / d x[0] = 1 + scale * tanh' w: the 1 is the way past the branch.
    outs[0].backward()
    w = block.module.neurons[0].w[0].data
    assert x[0].grad == pytest.approx(1 + 0.25 * (1 - branch[0].data ** 2) * w, rel=1e-15)
    assert isinstance(Residual(Neuron(1, seed=0))([1.0]), Value)

    class Odd(Module):
        nin = nout = None

        def forward(self, x: Any) -> Any:
            return [1.0]

    with pytest.raises(ValueError, match="gives 1 outputs for 2 inputs"):
        Residual(Odd())([1.0, 2.0])


def test_standardize_is_the_standardizer_as_a_layer() -> None:
    rows = [[1.0, 5.0, 1e6], [2.0, 5.0, 1e6 + 1], [4.0, 5.0, 1e6 + 5]]
    standardizer = Standardizer(rows)
    layer = Standardize(standardizer.means, standardizer.deviations)
    assert [layer(row) for row in rows] == standardizer(rows)
    assert not layer.parameters()
    model = Sequential(layer, Layer(3, 1, seed=0))
    assert model([Value(x) for x in rows[1]]).data == model.layers[1](standardizer(rows)[1]).data
    back = Standardize(standardizer.means, standardizer.deviations, invert=True)
    # Each way rounds twice; the shift by 1e6 is exact to its ulp, 1.2e-10.
    assert back(layer(rows[2])) == pytest.approx(rows[2], abs=2e-10)
    with pytest.raises(ValueError, match=r"Standardize\(3\) takes 3 inputs, got 2"):
        layer([1.0, 2.0])
    with pytest.raises(TypeError, match="invert must be True or False: got 1"):
        Standardize([0.0], [1.0], invert=1)  # type: ignore[arg-type]


def test_dropout_drops_its_share_and_keeps_the_expected_value() -> None:
    n, rate = 20_000, 0.3
    outs = Dropout(rate, seed=1)([1.0] * n)
    assert set(outs) == {0.0, 1 / (1 - rate)}
    # The number dropped has deviation sqrt(n rate (1 - rate)) = 65; 4 of them.
    assert abs(outs.count(0.0) - rate * n) < 4 * math.sqrt(n * rate * (1 - rate))


def test_dropout_masks_follow_from_the_seed_and_end_with_training() -> None:
    first, second = Dropout(0.5, seed=1), Dropout(0.5, seed=1)
    x = [Value(1.0) for _ in range(20)]
    runs = [[y.data for y in dropout(x)] for dropout in (first, first, second, second)]
    assert runs[:2] == runs[2:]
    assert runs[0] != runs[1]
    assert first.eval()(x) == x
    assert first.train().training
    out = sum(second(x))
    out.backward()
    assert {leaf.grad for leaf in x} == {0.0, 2.0}
    sources = map(random.Random, (5, 5, 6))
    shared = [Sequential(Layer(2, 8, seed=s), Dropout(0.5, seed=s)) for s in sources]
    outs = [[y.data for y in model([1.0, 2.0])] for model in shared]
    assert outs[0] == outs[1] != outs[2]


def test_train_and_eval_reach_every_module() -> None:
    model = Sequential(Layer(2, 2, seed=0), Residual(Sequential(Layer(2, 2, seed=0), Dropout(0.5))))
    assert model.eval() is model
    assert not any(module.training for module in model.named_modules().values())
    twin = pickle.loads(pickle.dumps(model))
    assert not twin.layers[1].module.layers[1].training
    assert all(module.training for module in model.train().named_modules().values())
    assert list(model.named_modules())[-3:] == [
        "layers.1.module.layers.0.neurons.0",
        "layers.1.module.layers.0.neurons.1",
        "layers.1.module.layers.1",
    ]


def test_an_activation_for_each_layer() -> None:
    model = MLP(2, [3, 2, 1], activation=["tanh", "linear", autograd.sigmoid], seed=0)
    ops = [str(n.op) for n in trace(model([1.0, 2.0]))[0] if n.op]
    assert (ops.count("tanh"), ops.count("sigmoid"), ops.count("dot")) == (3, 1, 6)


def test_the_summary_folds_equal_neighbours_and_counts_tied_weights_once() -> None:
    model = Sequential(Layer(2, 3, seed=0), Dropout(0.5), Residual(Layer(3, 3, seed=0)))
    model.layers[2].module.neurons[0].w[0] = model.layers[0].neurons[0].w[0]
    lines = model.summary().splitlines()
    assert lines[1].split() == ["(all)", "Sequential", "3", "20", "100.0", "%"]
    assert lines[3].split() == ["layers.0.neurons.*", "3", "×", "ReLUNeuron", "1", "9", "45.0", "%"]
    assert lines[4].split() == ["layers.1", "Dropout", "0", "0.0", "%"]
    assert lines[5].split()[:3] == ["layers.2", "Residual", "3"]
    pair = Several([])
    pair.lines = [Dropout(0.5), Dropout(0.5)]
    pair.left, pair.right = Line(), Line()
    assert [line.split()[0] for line in pair.summary().splitlines()[2:]] == ["lines.*", "*"]
    assert "share" in Module().summary()


# What a call keeps; freezing; many inputs; a part of a state


class Keeping(Module):
    """Keeps all it is given, and all it makes, in attributes of each kind."""

    def __init__(self) -> None:
        self.layer = Layer(2, 2, seed=0)
        self.w = [Value(1.0), Value(2.0)]
        self.last: Any = None

    def forward(self, x: Any) -> Any:
        self.x = x
        self.pair = (x, {"first": x[0]})
        self.last = {"x": list(x)}
        self.bias = Value(0.5)
        out = self.layer(x)
        self.out = out
        return dot(self.w, out, self.bias)


def test_what_a_call_keeps_is_no_parameter() -> None:
    model = Keeping()
    named = list(model.named_parameters())
    assert len(named) == 8
    before = model.parameters()
    for _ in range(2):
        model([Value(1.0), Value(2.0)])
        assert list(model.named_parameters()) == named
        assert model.parameters() == before
        assert model.state_dict().keys() == set(named)
    assert list(copy.deepcopy(model).named_parameters()) == named
    assert list(pickle.loads(pickle.dumps(model)).named_parameters()) == named
    assert list(Sequential(model).named_parameters()) == [f"layers.0.{name}" for name in named]
    # What is set outside of a call is a parameter, be it where a call has kept something.
    model.x = [Value(3.0)]
    assert list(model.named_parameters()) == [*named, "x.0"]
    model([1.0, 2.0])
    assert list(model.named_parameters()) == named


def test_an_input_that_is_kept_is_not_trained() -> None:
    class Line(Module):
        def __init__(self) -> None:
            self.w = Value(0.5)

        def __call__(self, x: Any) -> Any:
            self.x = x
            return self.w * x[0]

    model = Line()
    model([Value(1.0)])
    optimizer = SGD(model.parameters(), 0.1)
    assert optimizer.parameters == [model.w]
    x = Value(2.0)
    model([x]).backward()
    optimizer.step()
    assert (x.data, model.w.data) == (2.0, 0.5 - 0.1 * 2.0)


def test_a_parameter_that_a_call_replaces_stays_one() -> None:
    class Normed(Module):
        def __init__(self) -> None:
            self.w = [Value(3.0), Value(4.0)]

        def forward(self, x: Any) -> Any:
            self.w = [Value(w.data / 5) for w in self.w]
            return dot(self.w, x)

    model = Normed()
    model([1.0, 1.0])
    assert model.state_dict() == {"w.0": 0.6, "w.1": 0.8}


def test_a_neuron_that_sets_its_weights_itself_needs_no_more() -> None:
    class Own(Neuron):
        def __init__(self, nin: int) -> None:
            self.w = [Value(0.5) for _ in range(nin)]
            self.b = Value(-0.25)

    class Plain(Own):
        def __init__(self, nin: int, nonlin: bool = True) -> None:
            super().__init__(nin)
            self.nonlin = nonlin

    for neuron, name in ((Own(2), "ReLU"), (Plain(2), "ReLU"), (Plain(2, False), "Linear")):
        assert neuron([1.0, 1.0]).data == 0.75
        assert neuron([-1.0, -1.0]).data == (0.0 if name == "ReLU" else -1.25)
        assert repr(neuron) == f"{name}Neuron(2)"
        assert list(neuron.named_parameters()) == ["w.0", "w.1", "b"]


@pytest.mark.parametrize("compile", [False, True, "exact"])
def test_a_frozen_layer_stays_as_it_is(compile: bool | str) -> None:
    if compile:
        pytest.importorskip("llvmlite")
    model = MLP(2, [4, 1], activation="tanh", seed=0)
    model.layers[0].freeze()
    frozen, free = (layer.state_dict() for layer in model.layers)
    assert model.parameters() == model.layers[1].parameters()
    assert model.layers[0].parameters() == []
    assert len(model.state_dict()) == 17
    grads = [p.grad for p in model.named_parameters().values()]
    optimizer = SGD(model.parameters(), 0.1, momentum=0.9, weight_decay=0.1)
    loss = binary_cross_entropy_with_logits
    history = fit(model, moons(20), loss, optimizer, epochs=3, batch_size=8, compile=compile)
    assert history.warnings == []
    assert history.layers == ("layers.1",)
    assert model.layers[0].state_dict() == frozen
    assert model.layers[1].state_dict() != free
    assert [p.grad for p in model.layers[0].named_parameters().values()] == grads[:12]
    assert "Layer, frozen" in model.summary()
    assert len(model.unfreeze().parameters()) == 17


def test_a_frozen_parameter_that_is_held_is_named() -> None:
    model = MLP(2, [4, 1], seed=0)
    optimizer = SGD(model.parameters(), 0.1)
    model.layers[0].freeze()
    with pytest.raises(ValueError, match=r"holds layers\.0\.neurons\.0\.w\.0, which is frozen"):
        fit(model, moons(4), binary_cross_entropy_with_logits, optimizer, epochs=1)


def test_a_tied_parameter_is_frozen_with_either_module() -> None:
    model = Sequential(Layer(1, 1, seed=0), Layer(1, 1, seed=1))
    model.layers[1].neurons[0].w[0] = model.layers[0].neurons[0].w[0]
    model.layers[1].freeze()
    assert model.parameters() == [model.layers[0].neurons[0].b]


@pytest.mark.long
@pytest.mark.parametrize("n", [3, 2000])
def test_predict_says_what_the_model_says_one_by_one(n: int) -> None:
    source = random.Random(0)
    inputs = [[source.gauss(0, 1), source.gauss(0, 1)] for _ in range(n)]
    for model in (
        MLP(2, [16, 16, 1], activation="tanh", seed=0),
        MLP(2, [16, 16, 3], seed=0),
        Sequential(Layer(2, 16, seed=0), Dropout(0.5, seed=0), Layer(16, 40, seed=1)),
        Standardize([0.5, 1.0], [2.0, 3.0]),
    ):
        answers = model.predict(inputs)
        assert isinstance(answers, list)
        assert model.training  # as it was
        model.eval()
        with no_grad():
            for x, answer in list(zip(inputs, answers, strict=True))[:20]:
                one = model(x)
                outs = [float(y) for y in one] if isinstance(one, list) else one.data
                # Sums of at most 16 terms of a size of at most 30, in another order.
                assert answer == pytest.approx(outs, rel=1e-12, abs=1e-12)


def test_predict_of_arrays_and_tables_and_of_nothing() -> None:
    numpy = pytest.importorskip("numpy")
    model = MLP(2, [3, 2], seed=0)
    inputs = [[1.0, 2.0], [3.0, 4.0]]
    answers = model.predict(numpy.array(inputs))
    assert answers.shape == (2, 2)
    assert answers.tolist() == model.predict(inputs) == model.predict(tuple(map(tuple, inputs)))
    assert model.predict([]) == []
    with pytest.raises(ValueError, match="takes 2 inputs, got 1"):
        model.predict([[1.0]])


def test_predict_works_where_nothing_can_be_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    class Deciding(MLP):
        def forward(self, x: Any) -> Any:
            return super().forward(x) if x[0] > 0 else Value(0.0)

    monkeypatch.setattr("nn.prediction.ANSWERS_WORTHWHILE", 0)
    model = Deciding(2, [3, 1], seed=0)
    assert model.predict([[1.0, 2.0], [-1.0, 2.0]]) == [model([1.0, 2.0]).data, 0.0]
    monkeypatch.setitem(sys.modules, "llvmlite", None)
    plain = MLP(2, [3, 1], seed=0)
    assert plain.predict([[1.0, 2.0]]) == [plain([1.0, 2.0]).data]


def test_a_part_of_a_state_is_loaded_if_asked_for() -> None:
    model, other = MLP(2, [3, 1], seed=0), MLP(2, [3, 2], seed=1)
    before = model.state_dict()
    missing, unknown = model.load_state_dict(other.state_dict(), strict=False)
    assert missing == []
    assert set(unknown) == {f"layers.1.neurons.1.{name}" for name in ("w.0", "w.1", "w.2", "b")}
    assert model.layers[0].state_dict() == other.layers[0].state_dict()
    with pytest.raises(TypeError, match="must be a number"):
        model.load_state_dict(before | {"layers.0.neurons.0.b": "x"}, strict=False)
    assert model.layers[0].state_dict() == other.layers[0].state_dict()
    assert model.load_state_dict(before) == ([], [])
    assert model.load_state_dict({}, strict=False).missing == list(before)


def test_a_call_may_keep_what_is_nested_deeply_or_in_itself() -> None:
    class Keeping(Module):
        def __init__(self) -> None:
            self.w = Value(1.0)

        def forward(self, x: Value) -> Value:
            deep: list[object] = [x]
            for _ in range(10_000):
                deep = [deep]
            round_: list[object] = [x]
            round_.append(round_)
            self.deep, self.round = deep, round_
            return x * self.w

    model = Keeping()
    model(Value(2.0))
    assert model.parameters() == [model.w]
