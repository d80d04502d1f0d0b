"""The structure that is shown is the model's, whatever the samples, scopes and inputs it met."""

import math
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from random import Random
from typing import Any

import pytest

from autograd import Value, mean, scope, tanh, trace
from autograd import sum as sum_of
from autograd.drawing import LEVELS, Picture, picture_of, text_of, write
from autograd.drawing.flow import BINS, spread
from autograd.drawing.paths import starred
from autograd.drawing.structure import Structure
from autograd.page.levels import levels_of
from nn import GPT, MLP, Embedding, Layer, Linear, Module, Sequential
from nn.data import moons
from nn.losses import cross_entropy, hinge

ADDITIONS: dict[str, Callable[[list[Value]], Value]] = {
    "mean": mean,
    "sum": sum,
    "sum_of": sum_of,
    "sum / n": lambda losses: sum(losses) / len(losses),
}


def moons_loss(
    n: int, *, scoped: str = "", inputs: str = "floats", add: str = "mean"
) -> tuple[Value, MLP]:
    """Return the loss of a small network over n samples, recorded in one of many ways."""
    model = MLP(2, [4, 3, 1], seed=1)
    losses = []
    for i, (point, label) in enumerate(zip(*moons(n, seed=0), strict=True)):
        with scope(scoped.format(i)) if scoped else nullcontext():
            x: list[Any] = list(point)
            if inputs != "floats":
                x = [Value(v, f"x{k}" if inputs == "labelled" else "") for k, v in enumerate(x)]
            losses.append(hinge(model(x), 2 * label - 1))
    loss = ADDITIONS[add](losses)
    loss.label = "loss"
    loss.backward()
    return loss, model


def boxes(picture: Picture) -> list[tuple[str, str]]:
    """Return the kinds and titles of the boxes: all but their numbers."""
    return [(item.kind, item.title or item.caption or item.name) for item in picture.items]


MODULES = {
    "network": ["network"],
    "layer": [f"layers.{i}" for i in range(3)],
    "neuron": [
        f"layers.{i}.neurons.{j}" for i, width in enumerate((4, 3, 1)) for j in range(width)
    ],
}
LOSS = [("alike", "*"), ("alike", "-"), ("alike", "relu")]
ADDED = {
    "mean": [("value", "sum"), ("value", "loss")],
    "sum": [("alike", "+")],
    "sum_of": [("value", "loss")],
    "sum / n": [("alike", "+"), ("value", "loss")],
}
INPUTS = {"floats": [], "leaves": [("value", "inputs")], "labelled": [("value", "x*")]}


@pytest.mark.parametrize("level", MODULES)
@pytest.mark.parametrize("add", ADDITIONS)
@pytest.mark.parametrize("inputs", INPUTS)
def test_boxes_are_those_of_the_model_whatever_repeats_it(
    level: str, add: str, inputs: str
) -> None:
    expected = [("module", path) for path in MODULES[level]] + LOSS + ADDED[add]
    if level == "neuron":  # several use an input
        expected += INPUTS[inputs]
    for n, scoped in ((2, ""), (2, "samples.{}"), (5, ""), (5, "samples.{}")):
        loss, _ = moons_loss(n, scoped=scoped, inputs=inputs, add=add)
        found = picture_of(loss, level=level)
        # The order is that of the last member; a chain of sums ends last, or interleaves.
        assert sorted(boxes(found)) == sorted(expected), (n, scoped)
        assert {item.times for item in found.items if item.kind == "module"} == {f"× {n}"}


def by_hand(n: int, *, scoped: str, valued: bool) -> Value:
    """Return the loss of a neuron without modules, which depends on the labels."""
    w, b, loss = [Value(0.3), Value(-0.2)], Value(0.1), Value(0.0)
    for i in range(n):
        with scope(scoped.format(i)) if scoped else nullcontext():
            x: list[Any] = [math.sin(i), math.cos(i)]
            if valued:
                x = [Value(v) for v in x]
            p = (w[0] * x[0] + w[1] * x[1] + b).sigmoid()
            loss = loss - p.log() if i % 2 else loss - (1 - p).log()
    return loss / n


@pytest.mark.parametrize("level", ["network", "layer", "neuron"])
def test_so_they_are_without_modules(level: str) -> None:
    def kinds(scoped: str, valued: bool) -> list[tuple[str, str]]:
        found = boxes(picture_of(by_hand(6, scoped=scoped, valued=valued), level=level))
        return [(kind, starred(title)) for kind, title in found]

    for scoped in ("", "samples.{}"):
        for valued in (False, True):
            assert kinds(scoped, valued) == kinds("", False), (scoped, valued)


@pytest.mark.long
@pytest.mark.parametrize("n", [100, 1000])
@pytest.mark.parametrize("scoped", ["", "samples.{}"])
def test_so_they_are_for_a_thousand_samples(n: int, scoped: str) -> None:
    few = picture_of(moons_loss(2, scoped=scoped, inputs="leaves")[0], level="layer")
    many = picture_of(moons_loss(n, scoped=scoped, inputs="leaves")[0], level="layer")
    assert boxes(many) == boxes(few)
    assert [item.times for item in many.items if item.kind == "module"] == [f"× {n:,}"] * 3


@pytest.mark.parametrize(
    "scoped", ["samples.{}", "epochs.3.samples.{}", "run.samples.{}.forward", "sample_{}"]
)
def test_parameters_belong_to_the_model_and_repetitions_are_told_apart(scoped: str) -> None:
    loss, model = moons_loss(3, scoped=scoped)
    structure = Structure(trace(loss)[0])
    for path, parameter in model.named_parameters().items():
        # What all samples have in common may be a place: run.samples.0.forward is in forward.
        place = structure.place[structure.position[parameter]]
        assert place.removeprefix("forward.") == path.partition(".w")[0].partition(".b")[0]
    turns = {structure.turn[i] for i, node in enumerate(structure.nodes) if str(node.op) == "dot"}
    assert turns == {scoped.format(i).removesuffix(".forward") for i in range(3)}


def test_a_place_that_no_other_repeats_keeps_its_name() -> None:
    class Both(Module):
        def __init__(self) -> None:
            self.encoder, self.decoder = MLP(2, [2], seed=1), MLP(2, [2, 1], seed=2)

        def forward(self, x: list[Any]) -> Any:
            return self.decoder(self.encoder(x))

    model = Both()  # each part has labels of its own, which begin at itself
    for scoped in ("", "samples.{}"):
        losses = []
        for i in range(3):
            with scope(scoped.format(i)) if scoped else nullcontext():
                losses.append(model([i / 2, 1.0]) ** 2)
        titles = [item.title for item in picture_of(mean(losses), level="layer").items]
        assert titles[:3] == ["encoder.layers.0", "decoder.layers.0", "decoder.layers.1"]


def test_one_model_in_two_places_is_one_model() -> None:
    model = MLP(2, [3, 1], seed=1)
    with scope("left"):
        left = model([0.5, 1.0])
    with scope("right"):
        right = model([1.0, -0.5])
    found = picture_of((left - right) ** 2, level="layer")
    modules = [(item.title, item.times) for item in found.items if item.kind == "module"]
    assert modules == [("layers.0", "× 2"), ("layers.1", "× 2")]


@pytest.mark.parametrize("scoped", ["", "samples.{}"])
def test_two_models_of_equal_paths_are_two(scoped: str) -> None:
    encoder, decoder = MLP(3, [2], seed=1), MLP(2, [4, 3], seed=2)
    for n in (2, 4):
        losses = []
        for i in range(n):
            with scope(scoped.format(i)) if scoped else nullcontext():
                losses.append(sum(decoder(encoder([0.1 * i, 1.0, -1.0]))))
        found = picture_of(mean(losses), level="layer")
        titles = {item.title: item.times for item in found.items if item.kind == "module"}
        expected = ["model1.layers.0", "model2.layers.0", "model2.layers.1"]
        assert titles == dict.fromkeys(expected, f"× {n}")


def test_a_model_that_is_wider_than_its_twin_stays_whole() -> None:
    encoder, decoder = MLP(4, [3, 2], seed=1), MLP(2, [4], seed=2)
    found = picture_of(mean(decoder(encoder([1.0, 2.0, 3.0, 4.0]))), level="neuron")
    modules = [item.title for item in found.items if item.kind == "module"]
    assert sorted(modules) == [
        *(f"model1.layers.{i}.neurons.{j}" for i, n in enumerate((3, 2)) for j in range(n)),
        *(f"model2.layers.0.neurons.{j}" for j in range(4)),
    ]


def test_a_neuron_that_stands_twice_is_called_by_its_first_place() -> None:
    layer = Layer(2, 3, activation="tanh", seed=0)
    layer.neurons[2] = layer.neurons[0]
    out: Any = layer([1.0, 2.0])
    found = picture_of(sum(out), level="neuron")
    modules = {item.title: item.times for item in found.items if item.kind == "module"}
    assert modules == {"neurons.0": "× 2", "neurons.1": ""}


def test_layers_in_a_list_are_layers() -> None:
    layers = [Layer(2, 2, activation="tanh", seed=i) for i in range(6)]
    losses = []
    for i in range(3):
        x: Any = [0.1 * i, 1.0]
        for layer in layers:
            x = [a + b for a, b in zip(x, layer(x), strict=True)]
        losses.append(sum(x))
    found = picture_of(mean(losses), level="layer")
    modules = [(item.title, item.times) for item in found.items if item.kind == "module"]
    assert modules == [(f"layer{i + 1}", "× 3") for i in range(6)]


def hand_made(n: int, *, scoped: bool, leaves: bool) -> Value:
    """The loss of a line by hand: no module, no path."""
    w, b = Value(0.5, "w"), Value(0.1, "b")
    losses = []
    for i in range(n):
        with scope(f"samples.{i}") if scoped else nullcontext():
            x: Any = Value(i / n, "x") if leaves else i / n
            losses.append((tanh(w * x + b) - 1) ** 2)
    return mean(losses)


@pytest.mark.parametrize("leaves", [False, True])
@pytest.mark.long
def test_without_modules_what_is_alike_is_one_box(leaves: bool) -> None:
    expected = ["w", "b", "*", "+", "tanh", "-", "**", "sum", ""]
    for level in ("neuron", "layer", "network"):
        for n in (2, 20, 100):
            for scoped in (False, True):
                found = picture_of(hand_made(n, scoped=scoped, leaves=leaves), level=level)
                titles = [item.title or item.caption.partition("/")[0] for item in found.items]
                assert sorted(titles) == sorted(expected), (level, n, scoped)


def test_layers_by_hand_are_no_repetitions() -> None:
    h: Any = 0.5
    for i in range(3):
        with scope(f"layers.{i}"):
            h = tanh(Value(0.5, "w") * h)
    titles = [item.title for item in picture_of(h, level="layer").items if item.kind == "module"]
    assert titles == ["layers.0", "layers.1", "layers.2"]


def test_the_steps_of_a_loop_are_repetitions() -> None:
    w, h = Value(0.5, "cell.w"), Value(1.0, "h")
    for t in range(4):
        with scope(f"steps.{t}.cell"):
            h = tanh(w * h)
    (start, cell) = picture_of(h, level="layer").items
    assert (start.title, cell.title, cell.times) == ("h", "cell", "× 4")


def random_graph(random: Random) -> Value:
    """Return a graph of nested and repeated modules, with inputs of every kind."""
    weights = [Value(random.random(), f"m.{i}.w.{j}") for i in range(4) for j in range(3)]
    nodes = [Value(random.random(), random.choice(["", "x", f"x{i}"])) for i in range(6)]
    for i in range(random.randrange(5, 150)):
        place = random.choice(["", "m.0", "m.1", "m.2.n.0", "m.2.n.1", "m.3", "a.0", "a.1", "b"])
        around = random.choice(["", f"samples.{i % 5}", f"steps.{i % 3}.samples.{i % 2}"])
        with scope(around), scope(place):
            x, y = random.choices(nodes[-15:], k=2)
            w = random.choice(weights)
            nodes.append(random.choice([x + y, x * w, tanh(x) - y, x + y + w, sum_of([x, y, w])]))
    return sum_of(nodes[-8:])


@pytest.mark.parametrize("budget", [None, 3, 12, 40, 200])
@pytest.mark.long
def test_a_coarser_level_never_has_more_boxes(budget: int | None) -> None:
    random = Random(0)
    graphs = [random_graph(random) for _ in range(8)]
    graphs.append(moons_loss(5)[0])
    for out in graphs:
        counts = [
            sum(item.kind != "more" for item in picture_of(out, level=level, budget=budget).items)
            for level in LEVELS
        ]
        assert counts == sorted(counts, reverse=True)


def test_a_box_carries_what_flows_through_it() -> None:
    # Of ten equal steps, the relu lets the upper half through.
    w = Value(1.0, "layers.0.w")
    losses = []
    for i in range(10):
        with scope(f"samples.{i}.layers.0"):
            losses.append((w * (i - 4.5)).relu())
    loss = mean(losses)
    loss.backward()
    (box, _, _) = picture_of(loss, level="layer").items
    assert (box.title, box.times, box.path) == ("layers.0", "× 10", "* × 10, relu × 10")
    out = math.hypot(0.5, 1.5, 2.5, 3.5, 4.5)
    assert {row.what: row.text for row in box.rows} == {
        "‖data‖ of 10 values out": f"{out:.6g}",
        "data": "0 █▁▃▁▃▁▃▃ 4.5",
        "‖grad‖ of 10 values out": f"{math.sqrt(10) / 10:.6g}",
        "grad": "0.1",
        "‖grad‖ of 1 parameter": "1.25",
    }
    dead = mean([(Value(x) * 2).relu() for x in (-1.0, -2.0, -3.0, 4.0)])
    dead.backward()
    products = next(i for i in picture_of(dead, level="layer").items if i.title == "*")
    assert ("grad 0", "3 of 4") in [(row.what, row.text) for row in products.rows]


def test_the_histogram_counts_every_number_once_and_shows_the_ends() -> None:
    random = Random(1)
    for n in (4, 50, 1000):
        xs = [random.gauss(0, 1) for _ in range(n)]
        found = spread(xs)
        assert len(found.bars) == BINS
        assert max(found.bars) == 7
        assert found.bars[0] > 0
        assert found.bars[-1] > 0
        assert (found.low, found.high) == (f"{min(xs):.3g}", f"{max(xs):.3g}")
    assert str(spread([1.0, math.inf, 2.0, 3.0])) == "1 to inf"
    assert str(spread([1e308, -1e308, 0.0, 1.0])) == "-1e+308 to 1e+308"
    assert str(spread([1.0, math.nan])) == "nan among them"
    assert str(spread([-0.0, 0.0])) == "0"


@pytest.mark.parametrize("name", [".", "0.", "layers.0.", "7"])
def test_a_name_of_any_length_is_drawn_at_once(name: str) -> None:
    x = Value(2.0, (name * 100_000)[:100_000])
    with scope(x.label):
        y = tanh(x * x)
    assert "tanh" in text_of(picture_of(y, level="op"), "dot")
    assert text_of(picture_of(y, level="layer"), "dot")


def test_a_file_takes_what_a_drawing_takes(tmp_path: Path) -> None:
    loss, _ = moons_loss(3)
    written = write(loss, tmp_path / "a.txt", level="layer", budget=30, rankdir="TB").read_text()
    assert written == text_of(picture_of(loss, "TB", level="layer", budget=30))
    with pytest.raises(ValueError, match="level is one of"):
        write(loss, tmp_path / "b.txt", level="storey")
    assert not (tmp_path / "b.txt").exists()
    with pytest.raises(TypeError, match="drawn already: draw it with level, budget before"):
        write(picture_of(loss), tmp_path / "a.txt", level="layer", budget=3)


def boxes_of_mean(losses: list[Value], level: str) -> list[tuple[str, str]]:
    loss = mean(losses)
    loss.label = "loss"
    return boxes(picture_of(loss, level=level))


class Bag(Module):
    """Words that are looked up, added, and judged."""

    def __init__(self) -> None:
        self.word = Embedding(6, 3, seed=1)
        self.judge = MLP(3, [4, 1], seed=1)
        self.label_parameters()

    def forward(self, words: list[int]) -> Value:
        rows = [self.word(word) for word in words]
        out: Value = self.judge([sum(column) for column in zip(*rows, strict=True)])
        return out


@pytest.mark.parametrize("level", ["network", "layer"])
def test_what_is_looked_up_belongs_to_the_model(level: str) -> None:
    def found(n: int) -> list[tuple[str, str]]:
        model = Bag()
        texts = [[i % 6, (i * i + 1) % 6, 2] for i in range(n)]
        return boxes_of_mean([hinge(model(text), 1) for text in texts], level)

    assert found(3) == found(20)
    own = {"network": ["network"], "layer": ["word", "+", "judge.layers.0", "judge.layers.1"]}
    assert [title for _, title in found(20)] == [*own[level], "*", "-", "relu", "sum", "loss"]


@pytest.mark.parametrize("level", MODULES)
def test_leaves_without_a_label_are_called_by_what_they_are(level: str) -> None:
    """Of what samples share, it is known; of one sample, or of none, it isn't."""

    def found(n: int) -> set[str]:
        w, losses = [Value(0.1 * i) for i in range(3)], []
        for k in range(n):
            x = [Value(k + i) for i in range(3)]
            z = sum_of([a * b for a, b in zip(w, x, strict=True)])
            losses.append(tanh(z + sum_of(x)))
        found = picture_of(mean(losses), level=level)
        return {item.title for item in found.items if item.kind == "value" and not item.args}

    assert found(4) == {"weights", "inputs"}
    assert found(1) <= {"leaves", ""}


def test_what_each_turn_of_a_loop_uses_is_called_by_its_role() -> None:
    """Weights and biases, where the graph tells; neither its first state nor what it is given."""
    w, b, other = ([Value(0.1 * (i + j)) for i in range(2)] for j in range(3))
    h: list[Any] = [Value(1.0), Value(0.5)]
    for t in range(8):
        noise = [Value(0.1 * t), Value(0.2)]
        h = [
            tanh(p * w[0] + q * w[1] * e + c) - minus
            for p, q, e, c, minus in zip(h, h[::-1], noise, b, other, strict=True)
        ]
    out = sum_of(h)
    structure = Structure(trace(out)[0])
    told = [
        {structure.roles.get(structure.position[leaf], "") for leaf in leaves}
        for leaves in (w, b, other, noise)
    ]
    assert told == [{"weights"}, {"biases"}, {""}, {""}]
    titles = [item.title for item in picture_of(out, level="network").items if not item.args]
    assert {"weights", "biases", "leaves"} == {*filter(None, titles)}


def test_of_what_samples_share_some_is_both() -> None:
    shared = Value(0.5)
    losses = [tanh(Value(0.1 * k) * shared + shared) for k in range(3)]
    structure = Structure(trace(mean([loss * loss for loss in losses]) + shared * shared)[0])
    assert structure.roles == {structure.position[shared]: "parameters"}


@pytest.mark.parametrize("samples", [2, 5])
@pytest.mark.parametrize("penalty", [False, True])
def test_what_a_network_alone_uses_between_its_layers_is_in_it(
    samples: int, *, penalty: bool
) -> None:
    encode, mean_of, decode = Layer(2, 3, seed=1), Linear(3, 2, seed=2), Layer(2, 2, seed=3)
    scale = Value(0.5, "scale")
    losses = []
    for k in range(samples):
        z = [v + v.exp() * scale * math.sin(k) for v in mean_of(encode([0.1 * k, 1.0]))]
        losses.append(sum_of([v * v for v in decode(z)]))
    if penalty:
        losses.append(sum_of([w * w for w in mean_of.parameters()]))
    found = picture_of(mean(losses), level="network")
    assert not [item for item in found.items if item.kind == "value" and not item.args]
    modules = [title for kind, title in boxes_of_mean(losses, "layer") if kind == "module"]
    assert modules == ["layer1", "linear", "layer2"], "with nothing but their own"
    pages = levels_of(Structure(trace(mean(losses))[0]))
    titles = next(level["titles"] for level in pages if level["name"] == "modules")
    assert {"layer1", "linear", "layer2", "exp"} <= set(titles)


def test_a_bare_layer_is_one_box_at_the_level_of_layers() -> None:
    def found(outs: Callable[[float], list[Value]], level: str) -> list[str]:
        losses = [sum_of([out * out for out in outs(0.5 * i)]) for i in range(5)]
        return [title for _, title in boxes_of_mean(losses, level)]

    layer = Layer(2, 3, activation="tanh", seed=1)
    for level in ("network", "layer"):
        assert found(lambda x: layer([x, 1.0]), level) == ["network", "*", "sum", "loss"]
    neurons = found(lambda x: layer([x, 1.0]), "neuron")
    assert {f"neurons.{i}" for i in range(3)} <= set(neurons)

    # What feeds another is a layer of its own.
    deep = Sequential(Linear(2, 3, seed=1), Linear(3, 1, seed=2))
    assert found(lambda x: deep([x, 1.0]), "layer")[:2] == ["layers.0", "layers.1"]


@pytest.mark.parametrize("nout", [2, 3])
@pytest.mark.parametrize("by_hand", [False, True])
def test_so_it_is_where_it_is_fed_with_what_it_gave(nout: int, *, by_hand: bool) -> None:
    cell, h = Layer(1 + nout, nout, activation="tanh", seed=1), [0.0] * nout
    for t in range(6):
        new = cell([0.1 * t, *h])
        h = [0.5 * a + b for a, b in zip(h, new, strict=True)] if by_hand else new
    titles = {level: boxes_of_mean([h[0] + h[1]], level) for level in ("network", "layer")}
    assert titles["layer"] == titles["network"]
    assert [title for kind, title in titles["layer"] if kind == "module"][:1] == ["network"]

    # One after the other they are none, however often they are run.
    deep, x = Sequential(Linear(nout, 3, seed=1), Linear(3, nout, seed=2)), [1.0] * nout
    for _ in range(6):
        x = deep(x)
    found = boxes_of_mean([x[0] + x[1]], "layer")
    assert {("module", "layers.0"), ("module", "layers.1")} <= set(found)


def test_a_text_is_one_network_from_its_tokens_on() -> None:
    model = GPT(5, block_size=4, embedding=4, heads=2, seed=0)
    loss = mean([cross_entropy(logits, 1) for logits in model([0, 1, 2])])
    structure = Structure(list(trace(loss)[0]))
    for parameter in model.parameters():
        if parameter in structure.position:
            path = structure.place[structure.position[parameter]]
            assert path
            assert parameter.label.startswith(f"{path}.weight")
    titles = [title for _, title in boxes(picture_of(loss, level="network"))]
    assert titles[0] == "network"
    assert not any("weight" in title for title in titles)


def test_a_path_on_an_input_is_no_module() -> None:
    def found(n: int) -> list[tuple[str, str]]:
        model = MLP(2, [3, 1], seed=1)
        rows = [[Value(0.1 * i, f"data.{i}.x"), Value(1.0, f"data.{i}.y")] for i in range(n)]
        return boxes_of_mean([model(row) for row in rows], "layer")

    assert found(2) == found(20)


def test_parameters_without_paths_are_in_the_module_that_uses_them() -> None:
    blocks = [[Value(0.1 * i), Value(0.2, "b")] for i in range(12)]

    def loss(samples: int) -> Value:
        losses = []
        for k in range(samples):
            x: Any = Value(0.3 * k, "x")
            for i, (w, b) in enumerate(blocks):
                with scope(f"samples.{k}.blocks.{i}"):
                    x = x + tanh(w * x + b)
            losses.append((x - 1) ** 2)
        return mean(losses)

    for samples in (1, 3):
        for level, most in (("network", 6), ("layer", 17)):
            found = picture_of(loss(samples), level=level)
            leaves = [item.title for item in found.items if item.kind == "value" and not item.args]
            assert leaves in ([], ["x"]), "of one sample, nobody knows what else is an input"
            assert len(found.items) <= most
    blocks_of = [item for item in found.items if item.kind == "module"][1:]
    for item in blocks_of:
        (said,) = [row for row in item.rows if row.what.startswith("parameter")]
        assert said.text == "2"
