"""Saving and loading: exact, in PyTorch's layout, all or nothing, whatever the file holds."""

import json
import math
import os
import random
import struct
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from autograd import MissingExtraError, Value
from nn import (
    MLP,
    Dropout,
    Layer,
    Module,
    Neuron,
    Residual,
    Sequential,
    Standardize,
    load,
    save,
)
from nn.documents import StateError
from nn.state import notes_of
from nn.tensor import from_torch, tensors, to_torch


def numbers(model: Module) -> list[float]:
    return [p.data for p in model.parameters()]


def deep() -> Sequential:
    source = random.Random(0)
    return Sequential(
        Standardize([0.1, 1e9], [0.3, 0.0]),
        Layer(2, 3, activation="tanh", seed=source),
        Dropout(0.25, seed=source),
        Residual(Layer(3, 3, activation="leaky_relu", seed=source), scale=0.5),
        Neuron(3, activation="sigmoid", seed=source),
        Standardize([-5.0], [2.5], invert=True),
    )


MODELS: list[Callable[[], Module]] = [
    lambda: MLP(2, [3, 1], seed=1),
    lambda: MLP(2, [3, 2], activation=["tanh", "sigmoid"], seed=1),
    deep,
]


@pytest.mark.parametrize("make", MODELS)
@pytest.mark.parametrize("suffix", [".json", ".safetensors"])
def test_a_model_comes_back_to_the_bit(
    make: Callable[[], Module], suffix: str, tmp_path: Path
) -> None:
    if suffix == ".safetensors":
        pytest.importorskip("safetensors")
    model = make().eval()
    model.parameters()[0].data = 0.1 + 0.2
    model.parameters()[1].data = -0.0
    model.parameters()[2].data = 5e-324
    path = save(model, tmp_path / f"model{suffix}")
    twin = load(path).eval()
    assert list(map(repr, numbers(twin))) == list(map(repr, numbers(model)))
    assert repr(twin) == repr(model)
    out, again = model([0.5, -0.25]), twin([0.5, -0.25])
    same = [[x.data for x in (y if isinstance(y, list) else [y])] for y in (out, again)]
    assert same[0] == same[1]
    filled = make()
    assert load(path, into=filled) is filled
    assert list(map(repr, numbers(filled))) == list(map(repr, numbers(model)))


def test_numbers_that_are_not_finite_come_back_as_well(tmp_path: Path) -> None:
    model = MLP(1, [2], seed=0)
    for parameter, x in zip(model.parameters(), (math.inf, -math.inf, math.nan), strict=False):
        parameter.data = x
    twin = load(save(model, tmp_path / "model.json"))
    assert list(map(repr, numbers(twin))) == list(map(repr, numbers(model)))


def test_a_module_of_one_s_own_is_loaded_into(tmp_path: Path) -> None:
    class Line(Module):
        def __init__(self) -> None:
            self.slope, self.offset = Value(2.0), Value(1.0)

    path = save(Line(), tmp_path / "line.json")
    line = Line()
    line.slope.data = 0.0
    load(path, into=line)
    assert numbers(line) == [2.0, 1.0]
    with pytest.raises(StateError, match="no description of the model: load it into=model"):
        load(path)


def test_a_layer_of_different_neurons_is_loaded_into(tmp_path: Path) -> None:
    model = Layer(2, 2, seed=0)
    model.neurons[0] = Neuron(2, activation="tanh", seed=1)
    path = save(model, tmp_path / "mixed.json")
    assert numbers(load(path, into=Layer(2, 2))) == numbers(model)
    with pytest.raises(StateError, match="load it into=model"):
        load(path)


def test_a_network_with_layers_of_one_s_own_is_loaded_into(tmp_path: Path) -> None:
    def changed() -> MLP:
        model = MLP(2, [3, 1], seed=0)
        model.layers.insert(1, Dropout(0.5))
        return model

    path = save(changed(), tmp_path / "changed.json")
    assert numbers(load(path, into=changed())) == numbers(changed())
    with pytest.raises(StateError, match="load it into=model"):
        load(path)


def test_a_tied_weight_must_agree_with_itself(tmp_path: Path) -> None:
    model = Sequential(Layer(1, 1, seed=0), Layer(1, 1, seed=1))
    model.layers[1].neurons[0].w[0] = model.layers[0].neurons[0].w[0]
    path = save(model, tmp_path / "tied.json")
    load(path, into=model)
    content = json.loads(path.read_text())
    content["tensors"]["layers.1.weight"]["data"] = [7.0]
    path.write_text(json.dumps(content))
    before = numbers(model)
    with pytest.raises(StateError, match=r"layers\.1\.weight differs from another tensor"):
        load(path, into=model)
    assert numbers(model) == before


# PyTorch's layout


def test_the_layout_is_that_of_torch_linear() -> None:
    model = MLP(2, [3, 1], seed=0)
    state = to_torch(model)
    assert {name: tensor.shape for name, tensor in tensors(model).items()} == {
        "layers.0.weight": (3, 2),
        "layers.0.bias": (3,),
        "layers.1.weight": (1, 3),
        "layers.1.bias": (1,),
    }
    assert state["layers.0.weight"][2][1] == model.layers[0].neurons[2].w[1].data
    twin = MLP(2, [3, 1], seed=9)
    names = ("0.weight", "0.bias", "2.weight", "2.bias")
    from_torch(twin, dict(zip(names, state.values(), strict=True)))
    assert numbers(twin) == numbers(model)


def test_a_torch_state_that_does_not_fit_is_named_with_both_shapes() -> None:
    model = MLP(2, [3, 1], seed=0)
    before = numbers(model)
    state = to_torch(MLP(3, [3, 1], seed=1))
    with pytest.raises(
        StateError, match=r"layers\.0\.weight has shape \[3, 3\], the model's has \[3, 2\]"
    ):
        from_torch(model, state)
    with pytest.raises(StateError, match="the state has 2 tensors, the model 4"):
        from_torch(model, to_torch(MLP(2, [3])))
    with pytest.raises(StateError, match="is ragged"):
        from_torch(model, to_torch(model) | {"layers.0.weight": [[1.0, 2.0], [3.0], [4.0]]})
    assert numbers(model) == before


@pytest.mark.peer
def test_beside_pytorch(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    net = torch.nn.Sequential(
        torch.nn.Linear(2, 3), torch.nn.ReLU(), torch.nn.Linear(3, 1)
    ).double()
    model = MLP(2, [3, 1], seed=0)
    from_torch(model, net.state_dict())
    x = [0.3, -0.8]
    given = torch.tensor(x, dtype=torch.float64)
    # Two sums of a few products each, in another order.
    assert model(x).data == pytest.approx(net(given).item(), rel=1e-14)
    other = MLP(2, [3, 1], seed=5)
    net.load_state_dict(
        {
            name: torch.tensor(value, dtype=torch.float64)
            for name, value in zip(net.state_dict(), to_torch(other).values(), strict=True)
        }
    )
    assert other(x).data == pytest.approx(net(given).item(), rel=1e-14)


# Files that are damaged, hostile, or of something else


def damaged(change: Callable[[dict[str, Any]], Any]) -> Callable[[Path], None]:
    def damage(path: Path) -> None:
        content = json.loads(path.read_text())
        change(content)
        path.write_text(json.dumps(content))

    return damage


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda p: p.write_text(p.read_text()[:-40]), "damaged or no JSON"),
        (lambda p: p.write_text(""), "damaged or no JSON"),
        (lambda p: p.write_bytes(b"\xff\xfe\x00"), "no UTF-8 text"),
        (lambda p: p.write_text("[" * 100_000), "is nested too deep"),
        (lambda p: p.write_text('{"a": 1, "a": 2}'), "'a' stands twice"),
        (lambda p: p.write_text('{"a": NaN}'), "NaN is no number of JSON"),
        (lambda p: p.write_text("[1, 2]"), "no model of chainrule's"),
        (lambda p: p.write_text("9" * 5000), "damaged or no JSON"),
        (damaged(lambda c: c.update(version=2)), "of version 2, this reads 1"),
        (damaged(lambda c: c.update(tensors=3)), "holds no tensors"),
        (damaged(lambda c: c["tensors"].pop("layers.1.bias")), r"layers\.1\.bias is missing; .*1"),
        (
            damaged(lambda c: c["tensors"].update(more={"shape": [], "data": [1.0]})),
            r"more of shape \[\] is unknown to the model",
        ),
        (
            damaged(lambda c: c["tensors"]["layers.0.weight"].update(shape=[2, 3])),
            r"layers\.0\.weight has shape \[2, 3\], the model's has \[3, 2\]",
        ),
        (
            damaged(lambda c: c["tensors"]["layers.0.weight"].update(shape=[3, 3])),
            r"layers\.0\.weight has shape \[3, 3\] but 6 numbers",
        ),
        (
            damaged(lambda c: c["tensors"]["layers.0.weight"].update(shape=[3, -2])),
            "has the shape .* which is none",
        ),
        (
            damaged(lambda c: c["tensors"]["layers.0.bias"].update(data=[0, "x", 0])),
            r"layers\.0\.bias holds 'x', which is no number",
        ),
        (
            damaged(lambda c: c["tensors"]["layers.0.bias"].update(data=[0, True, 0])),
            r"layers\.0\.bias holds True, which is no number",
        ),
        (
            damaged(lambda c: c["tensors"]["layers.0.bias"].update(data=[0, 10**400, 0])),
            "beyond the range of floats",
        ),
        (damaged(lambda c: c["tensors"].update({"layers.0.bias": 1})), "no tensor with shape"),
    ],
)
def test_a_bad_file_is_named_and_leaves_the_model_alone(
    damage: Callable[[Path], Any], message: str, tmp_path: Path
) -> None:
    path = save(MLP(2, [3, 1], seed=1), tmp_path / "model.json")
    damage(path)
    model = MLP(2, [3, 1], seed=2)
    before = numbers(model)
    with pytest.raises(StateError, match=message):
        load(path, into=model)
    assert numbers(model) == before


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ({"class": "os.system"}, "'os.system' can't be rebuilt: the classes are Neuron, Layer"),
        ("MLP", "'MLP' can't be rebuilt"),
        ({"class": "MLP", "nin": 2, "nouts": ["3"]}, r"MLP of nouts \['3'\]"),
        (
            {"class": "MLP", "nin": 10**9, "nouts": [10**9]},
            "the model has more parameters than the 13 in the file",
        ),
        ({"class": "MLP", "nin": 2, "nouts": [3, 1], "activation": "evil"}, "is damaged: activ"),
        ({"class": "MLP", "nin": 2, "nouts": [3, 1], "shell": "rm"}, "is damaged"),
        ({"class": "Sequential", "layers": []}, "is damaged: Sequential needs at least one"),
        ({"class": "Sequential", "layers": [{"class": "eval"}]}, "'eval' can't be rebuilt"),
        (
            {"class": "Standardize", "means": ["nan"], "deviations": [1]},
            r"means\[0\] must be a finite",
        ),
        ({"class": "Standardize", "means": [0], "deviations": [-1]}, r"damaged: deviations\[0\]"),
        ({"class": "Standardize", "means": [0], "deviations": []}, "as many means as deviations"),
        ({"class": "Layer", "nin": 2, "nout": 3}, r"layers\.0\.weight|weight is missing"),
    ],
)
def test_only_whitelisted_classes_are_rebuilt(model: Any, message: str, tmp_path: Path) -> None:
    path = save(MLP(2, [3, 1], seed=1), tmp_path / "model.json")
    damaged(lambda content: content.update(model=model))(path)
    with pytest.raises(StateError, match=message):
        load(path)


@pytest.mark.long
def test_every_flipped_byte_is_refused_or_harmless(tmp_path: Path) -> None:
    path = save(MLP(1, [1], seed=1), tmp_path / "model.json")
    content = path.read_bytes()
    source = random.Random(0)
    for _ in range(300):
        place = source.randrange(len(content))
        path.write_bytes(content[:place] + bytes([source.randrange(256)]) + content[place + 1 :])
        model = MLP(1, [1], seed=2)
        before = numbers(model)
        try:
            load(path, into=model)
        except StateError:
            assert numbers(model) == before


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: content[:-4],
        lambda content: content[:6],
        lambda content: b"",
        lambda content: struct.pack("<Q", 10**18) + content[8:],
        lambda content: content.replace(b"F64", b"I64"),
        lambda content: content.replace(b'{\\"class', b'[\\"class'),
        lambda content: content.replace(b"[3,2]", b"[2,3]"),
        lambda content: content.replace(b'\\"version\\": 1', b'\\"version\\": 2'),
        lambda content: content.replace(b"chainrule", b"\xff\xff\xff\xff\xff\xff\xff\xff\xff"),
    ],
)
def test_a_damaged_safetensors_file(damage: Callable[[bytes], bytes], tmp_path: Path) -> None:
    pytest.importorskip("safetensors")
    path = save(MLP(2, [3, 1], seed=1), tmp_path / "model.safetensors")
    path.write_bytes(damage(path.read_bytes()))
    model = MLP(2, [3, 1], seed=2)
    before = numbers(model)
    with pytest.raises(StateError, match=r"model\.safetensors"):
        load(path, into=model)
    assert numbers(model) == before


def test_a_file_too_large_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = save(MLP(2, [3, 1], seed=1), tmp_path / "model.json")
    monkeypatch.setattr("nn.documents.MAX_BYTES", 100)
    with pytest.raises(StateError, match="bytes, at most 100 are read"):
        load(path)


def test_safetensors_missing_names_the_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = save(MLP(2, [3, 1], seed=1), tmp_path / "model.safetensors")
    monkeypatch.setitem(sys.modules, "safetensors", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'chainrule\[safe\]'"):
        load(path)


@pytest.mark.parametrize("name", ["model.pkl", "model", "model.pt"])
def test_other_formats_are_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"\.json or \.safetensors by its extension"):
        save(MLP(2, [1]), tmp_path / name)
    with pytest.raises(ValueError, match=r"\.json or \.safetensors by its extension"):
        load(tmp_path / name)


@pytest.mark.parametrize("metadata", ["null", "{}", '{"format":"pt"}'])
def test_another_program_s_safetensors_are_numbers_only(metadata: str, tmp_path: Path) -> None:
    pytest.importorskip("safetensors")
    model = Neuron(1, seed=0)
    header = (
        f'{{"__metadata__":{metadata},"bias":{{"dtype":"F64","shape":[1],"data_offsets":[0,8]}},'
        '"weight":{"dtype":"F32","shape":[1,1],"data_offsets":[8,12]}}'
    ).encode()
    path = tmp_path / "model.safetensors"
    path.write_bytes(struct.pack("<Q", len(header)) + header + struct.pack("<df", 0.1, 0.5))
    load(path, into=model)
    assert numbers(model) == [0.5, 0.1]
    assert notes_of(path) == {}
    with pytest.raises(StateError, match="load it into=model"):
        load(path)


def test_a_rebuilt_model_is_ready_to_use_and_into_keeps_its_mode(tmp_path: Path) -> None:
    model = Sequential(Layer(2, 8, seed=0), Dropout(0.5, seed=0))
    path = save(model.train(), tmp_path / "model.json")
    twin = load(path)
    assert [x.data for x in twin([1.0, 2.0])] == [x.data for x in twin([1.0, 2.0])]
    assert not any(module.training for module in twin.named_modules().values())
    assert load(path, into=model).training
    assert not load(path, into=model.eval()).training


def tied_weight() -> Sequential:
    model = Sequential(Layer(1, 2, seed=0), Layer(2, 1, seed=1), Layer(1, 2, seed=2))
    for i, neuron in enumerate(model.layers[2].neurons):
        neuron.w[0] = model.layers[1].neurons[0].w[i]
    return model


def tied_layer() -> Sequential:
    layer = Layer(2, 2, seed=0)
    return Sequential(layer, Residual(layer), Residual(Sequential(layer, layer)))


def tied_list() -> Layer:
    model = Layer(2, 2, seed=0)
    model.neurons[1].w = model.neurons[0].w
    model.neurons[1].b = model.neurons[0].b
    return model


@pytest.mark.parametrize("suffix", [".json", ".safetensors"])
@pytest.mark.parametrize("make", [tied_weight, tied_layer, tied_list])
def test_tied_parameters_stay_tied(make: Callable[[], Module], suffix: str, tmp_path: Path) -> None:
    if suffix == ".safetensors":
        pytest.importorskip("safetensors")
    model = make()
    twin = load(save(model, tmp_path / f"model{suffix}"))
    assert list(twin.named_parameters()) == list(model.named_parameters())
    assert numbers(twin) == numbers(model)
    for parameter in (*model.parameters(), *twin.parameters()):
        parameter.data += 1.0
    x = [0.5] * (model.nin or 0)
    assert [y.data for y in twin(x)] == [y.data for y in model(x)]


@pytest.mark.parametrize("ties", [3, [3], ["ab"], [["nowhere", "w"]], [[]], {"a": 1}, [[["w"]]]])
def test_ties_that_are_none_are_refused(ties: Any, tmp_path: Path) -> None:
    path = save(MLP(1, [1], seed=0), tmp_path / "model.json")
    damaged(lambda content: content.update(ties=ties))(path)
    with pytest.raises(StateError, match="the description of the model is damaged"):
        load(path)


def ragged() -> Layer:
    model = Layer(2, 2, seed=0)
    model.neurons[1].w.append(Value(3.0))
    return model


def nested(depth: int) -> Module:
    model: Module = Layer(1, 1, seed=0)
    for outer in [Sequential(Dropout(0.5, seed=0)) for _ in range(depth)]:
        outer.layers = [model]  # the constructor walks down to the layer, each time
        model = outer
    return model


@pytest.mark.parametrize("suffix", [".json", ".safetensors"])
@pytest.mark.parametrize("make", [ragged, lambda: nested(40), lambda: nested(100)])
def test_what_is_saved_can_be_loaded(
    make: Callable[[], Module], suffix: str, tmp_path: Path
) -> None:
    if suffix == ".safetensors":
        pytest.importorskip("safetensors")
    path = save(make(), tmp_path / f"model{suffix}")
    model = make()
    for parameter in model.parameters():
        parameter.data = 0.0
    load(path, into=model)
    assert numbers(model) == numbers(make())


@pytest.mark.parametrize("suffix", [".json", ".safetensors"])
@pytest.mark.long
def test_what_load_would_refuse_is_not_written(suffix: str, tmp_path: Path) -> None:
    if suffix == ".safetensors":
        pytest.importorskip("safetensors")
    infinite = Sequential(Residual(Layer(1, 1, seed=0)))
    infinite.layers[0].scale = math.inf
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    settings: list[tuple[Module, Any]] = [
        (infinite, None),
        (MLP(1, [1], seed=0), {1: "a", "1": "b"}),
        (MLP(1, [1], seed=0), {"deep": deep}),
        (nested(400), None),
    ]
    for model, notes in settings:
        with pytest.raises(StateError, match="isn't written, as load would refuse it"):
            save(model, tmp_path / f"model{suffix}", notes)
    assert list(tmp_path.iterdir()) == []


# Files of a kind or size that nobody expects


QUOTES = '"' + '\\"' * 500_000


@pytest.mark.long
@pytest.mark.parametrize(
    "text",
    [
        QUOTES,
        QUOTES + '"',
        '{"a": "' + "x" * 20_000_000 + '"}',
        "{" + ", ".join(f'"{i}": 1' for i in range(100_000)) + ', "99999": 2}',
        '{"format": "chainrule model", "version": 1, "tensors": {"weight": {"data": [1], "shape": ['
        + ", ".join(["9" * 4_300] * 1_000)
        + "]}}}",
        "[" + "9" * 4_300 + "]",
        '{"a\\nb": 1, "a\\nb": 2}',
        '{"format": "chainrule model", "version": "' + "7" * 1000 + '"}',
    ],
    ids=["open string", "escapes", "long string", "keys", "shape", "digits", "lines", "version"],
)
def test_reading_takes_time_and_memory_linear_in_the_size(text: str, tmp_path: Path) -> None:
    path = tmp_path / "model.json"
    path.write_text(text)
    start = time.process_time()
    with pytest.raises(StateError) as caught:
        load(path)
    # A second for 20 MB is more than it takes; what grows with the square takes minutes.
    assert time.process_time() - start < 5
    message = str(caught.value)
    assert "\n" not in message
    assert len(message) < 300 + len(str(path))


@pytest.mark.parametrize("name", ["model.json", "model.safetensors"])
def test_what_is_no_regular_file_is_refused_at_once(name: str, tmp_path: Path) -> None:
    if name.endswith("safetensors"):
        pytest.importorskip("safetensors")
    path = tmp_path / name
    path.mkdir()
    with pytest.raises(StateError, match="is no regular file"):
        load(path)
    if not hasattr(os, "mkfifo"):
        return
    path.rmdir()
    os.mkfifo(path)
    with pytest.raises(StateError, match="is no regular file"):
        load(path)
    path.unlink()
    path.symlink_to("/dev/zero")
    with pytest.raises(StateError, match="is no regular file"):
        load(path)


def test_saved_from_several_threads_every_reader_finds_a_whole_model(tmp_path: Path) -> None:
    path = tmp_path / "same.json"
    models = [MLP(2, [3, 1], seed=seed) for seed in range(4)]
    known = {tuple(numbers(model)) for model in models}
    save(models[0], path)
    errors: list[BaseException] = []

    def write(model: Module) -> None:
        try:
            for _ in range(20):
                save(model, path)
                assert tuple(numbers(load(path))) in known
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=write, args=(model,)) for model in models]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert list(tmp_path.iterdir()) == [path]


# state_dict


def test_state_dict_is_by_path_and_loaded_all_or_nothing() -> None:
    model, twin = MLP(2, [3, 1], seed=1), MLP(2, [3, 1], seed=2)
    state = model.state_dict()
    assert state["layers.0.neurons.2.w.1"] == model.layers[0].neurons[2].w[1].data
    twin.load_state_dict(state)
    assert numbers(twin) == numbers(model)
    for change, message in (
        ({"layers.9": 1.0}, r"it has the unknown layers\.9"),
        ({"layers.0.neurons.2.w.1": "x"}, r"layers\.0\.neurons\.2\.w\.1 must be a number: got 'x'"),
    ):
        with pytest.raises((TypeError, ValueError), match=message):
            MLP(2, [3, 1]).load_state_dict(state | change)
    part = {name: x + 1 for name, x in list(state.items())[1:]}
    with pytest.raises(ValueError, match=r"it lacks layers\.0\.neurons\.0\.w\.0$"):
        twin.load_state_dict(part)
    assert numbers(twin) == numbers(model)


# Notes


@pytest.mark.parametrize("suffix", [".json", ".safetensors"])
def test_notes_are_kept_with_the_model(suffix: str, tmp_path: Path) -> None:
    if suffix == ".safetensors":
        pytest.importorskip("safetensors")
    notes = {"classes": ["μ", "no"], "accuracy": 0.1 + 0.2, "best": math.inf}
    path = save(MLP(2, [1], seed=0), tmp_path / f"model{suffix}", notes)
    assert notes_of(path) == notes | {"best": "inf"}
    assert numbers(load(path)) == numbers(MLP(2, [1], seed=0))
    assert notes_of(save(MLP(2, [1]), path)) == {}


def test_notes_that_are_none_are_refused(tmp_path: Path) -> None:
    path = save(MLP(2, [1], seed=0), tmp_path / "model.json")
    damaged(lambda content: content.pop("notes"))(path)
    assert notes_of(path) == {}
    damaged(lambda content: content.update(notes=["x"]))(path)
    with pytest.raises(StateError, match=r"the notes are \['x'\], not a dict"):
        notes_of(path)
