"""The page as a file: one, self-contained, safe, small, the same bytes every time."""

import base64
import builtins
import hashlib
import json
import os
import re
import subprocess
import sys
import zlib
from array import array
from collections import Counter
from collections.abc import Callable
from contextlib import nullcontext
from html import unescape
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from autograd import TABLE, Op, Stepper, Value, debug, exp, mean, scope, sum, tanh
from autograd.drawing.layout import arrange
from autograd.drawing.structure import Structure
from autograd.errors import MissingExtraError
from autograd.operation import Primitive, primitive
from autograd.page import build, frame
from autograd.page.content import page_names
from autograd.page.javascript import SPELLING, rows
from autograd.page.levels import CROWD, FEW_NODES, levels_of, shown_levels
from autograd.page.linker import resource
from autograd.page.packing import Column
from autograd.page.source import excerpts, shown_paths
from autograd.stepping.events import Recording
from nn import MLP, Layer, Module
from tests.test_boxes import network
from tests.test_stages import residual


def neuron() -> Value:
    x1, x2 = Value(2.0, label="x1"), Value(0.0, label="x2")
    w1, w2 = Value(-3.0, label="w1"), Value(1.0, label="w2")
    out: Value = tanh(x1 * w1 + x2 * w2 + 6.8813735870195432)
    out.label = "out"
    return out


def embedded(page: str) -> dict[str, Any]:
    """Return the data of a page, its columns unpacked."""
    found = re.search(r'<script type="application/json" id="run">(.*?)</script>', page, re.DOTALL)
    assert found
    data: dict[str, Any] = json.loads(found[1])
    return data | {name: unpacked(column) for name, column in data["columns"].items()}


def unpacked(column: Column) -> list[Any]:
    code, size, text = column
    content = zlib.decompress(base64.b64decode(text), -zlib.MAX_WBITS)
    assert len(content) == size
    return content.decode().split("\n") if code == "t" else list(array(code, content))


def script_and_style(page: str) -> tuple[str, str]:
    script = re.search(r"<script>(.*)</script>", page, re.DOTALL)
    style = re.search(r"<style>(.*)</style>", page, re.DOTALL)
    assert script
    assert style
    return script[1], style[1]


def test_the_policy_names_script_and_style_by_hash_and_nothing_else() -> None:
    page = build(Recording(neuron()))
    policy = unescape(re.search(r'Policy" content="(.*?)"', page)[1])  # type: ignore[index]
    for name, part in zip(("script-src", "style-src"), script_and_style(page), strict=True):
        digest = base64.b64encode(hashlib.sha256(part.encode()).digest()).decode()
        assert f"{name} 'sha256-{digest}';" in policy
    assert policy.startswith("default-src 'none';")
    assert "unsafe" not in policy


def test_the_script_builds_no_code_and_the_page_refers_to_nothing_outside() -> None:
    page = build(Recording(neuron()))
    script, _ = script_and_style(page)
    assert not re.search(r"\beval\b|new Function|setAttribute\(\"on|innerHTML", script)
    assert not re.search(r"(src|href)=\"(?!data:)|url\(|@import|https?:(?!//www\.w3\.org)", page)
    assert " style=" not in page.split("<body>")[1].split("<script")[0], "the policy would stop it"


def test_script_and_style_fit_in_160_kilobytes() -> None:
    parts = script_and_style(build(Recording(neuron())))
    assert len("".join(parts).encode()) < 160_000


@pytest.mark.parametrize(
    "text", ["</script><script>alert(1)</script>", '"<!--', "& {} | \u2028", "\ud800"]
)
def test_labels_and_titles_stay_text(text: str) -> None:
    x = Value(2.0, label=text)
    page = build(Recording(x * x), title=text)
    run = page.split('id="run">')[1].split("</script>")[0]
    assert "<" not in run
    assert page.count("<script") == 2
    assert embedded(page)["names"][0] == text.replace("\u2028", "").replace("\ud800", "?").rstrip()
    page.encode()  # no lone surrogate is left


def test_the_title_names_the_file_if_it_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(Path(__file__).parent)
    assert "<h1>Gradients of out</h1>" in build(Recording(neuron()))
    with debug():
        out = neuron()
    assert "<h1>Gradients of out in test_page.py</h1>" in build(Recording(out))
    assert "<h1>Why</h1>" in build(Recording(out), title="Why")


def test_a_sum_of_too_many_is_shown_as_recorded() -> None:
    assert not rows([(TABLE["sum"], 70_000)]).live


def test_a_long_label_is_shortened() -> None:
    x = Value(2.0, label="y" * 10_000)
    assert len(embedded(build(Recording(x * x)))["names"][0]) <= 60


@pytest.mark.long
def test_the_same_program_gives_the_same_bytes_in_every_process() -> None:
    code = (
        "from tests.test_page import *\n"
        "import hashlib; print(hashlib.sha256(build(Recording(neuron())).encode()).hexdigest())"
    )
    digests = {
        subprocess.run(
            [sys.executable, "-c", code],
            env=os.environ | {"PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path)},
            cwd=Path(__file__).parent.parent,
            capture_output=True, text=True, check=True,
        ).stdout
        for seed in ("1", "2")
    }  # fmt: skip
    assert len(digests) == 1


def test_the_data_is_the_run() -> None:
    stepper = Stepper(neuron())
    data, run = embedded(build(stepper.recording)), stepper.recording
    names = [name or f"n{i}" for i, name in enumerate(data["names"])]
    assert names == [run.name(node) for node in run.nodes]
    assert data["data"] == [run.value(node) for node in run.nodes]
    constants, codes = iter(data["constants"]), iter(data["args"])
    for i, node in enumerate(run.nodes):
        assert data["arity"][i] == len(node.args)
        for arg in node.args:
            code = next(codes)
            found = i - code if code > 0 else -1 - code
            assert run.nodes[found] is arg if code else next(constants) == arg


def test_only_what_the_page_cannot_compute_to_the_bit_is_embedded() -> None:
    x = Value(0.5, "x")
    data = embedded(build(Recording(x.tanh() * x + x.exp() - x.sqrt() / 3 + x.relu())))
    assert data["locals"] == []
    power = Recording(x.sin() + x**2)
    assert embedded(build(power))["locals"] == [
        local for node in power.nodes[1:3] for local in power.locals(node)
    ]


def test_numbers_that_json_lacks_are_columns_like_others() -> None:
    x = Value(float("inf"), label="x")
    first, second = embedded(build(Recording(x - x)))["data"]
    assert first == float("inf")
    assert second != second


def test_formulas_fold_plain_numbers_as_the_terminal_does() -> None:
    x = Value(3.0, label="x")
    forms = embedded(build(Recording(x**2 * 0.5)))["forms"]
    assert [form["text"] for form in forms] == ["{0} ** 2", "{0} * {1}"]
    assert forms[0]["rules"][0] == "2 * {0} ** 1"


def test_every_row_of_the_table_has_a_script() -> None:
    own = {name: op for name, op in TABLE.items() if not name.startswith("test_")}
    assert rows((op, op.arity or 3) for op in own.values()).live == {
        f"{name}/{op.arity or 3}" for name, op in own.items()
    }
    assert set(SPELLING) == {n for n, op in own.items() if isinstance(op.forward, Primitive)}


def test_rows_are_generated_from_their_rules() -> None:
    text = rows([(TABLE["gelu"], 1)]).text
    assert "value: (x0) => { return 0.5 * x0 * erfc(-x0 / 1.4142135623730951); }" in text


@pytest.fixture
def own_op() -> Any:
    """Make rows of one's own, and take them out of the table afterwards."""
    before = dict(TABLE)
    yield Op
    for name in set(TABLE) - set(before):
        del TABLE[name]


def test_a_formula_of_ones_own_is_live_and_an_opaque_forward_is_not(own_op: Any) -> None:
    twice = own_op("test_twice", lambda x: x + x, (lambda y, x: 2.0,))
    opaque = own_op("test_opaque", lambda x: float(round(float(x))), (lambda y, x: 1.0,))
    unknown = own_op("test_unknown", primitive(abs), (lambda y, x: 1.0,))
    calling = own_op("test_calling", lambda x: unknown(x) + 1, (lambda y, x: 1.0,))
    x = Value(1.5)
    data = embedded(build(Recording(twice(x) + opaque(x) + unknown(x) + calling(x))))
    live = {form["op"]: form["live"] for form in data["forms"]}
    assert live == {
        "test_twice": True,
        "test_opaque": False,
        "test_unknown": False,
        "test_calling": False,
        "add": True,
    }


def test_only_functions_that_recorded_nodes_are_shown(tmp_path: Path) -> None:
    file = tmp_path / "program.py"
    file.write_text(
        "PASSWORD = 'hush'\n\n"
        "def other():\n    return 'private'\n\n"
        "def used(x):\n    y = x * x\n    return y\n\n"
        "z = used(3)\n"
    )
    assert excerpts(str(file), {7, 10}) == [
        (6, ["def used(x):", "    y = x * x", "    return y"]),
        (10, ["z = used(3)"]),
    ]


def test_a_file_that_python_warns_of_or_refuses_is_shown_all_the_same(tmp_path: Path) -> None:
    file = tmp_path / "odd.py"
    file.write_text("x = '\\d'\n")
    assert excerpts(str(file), {1}) == [(1, ["x = '\\d'"])]
    broken = tmp_path / "broken.py"
    broken.write_text("x = (\ny = 2\n")
    assert excerpts(str(broken), {2}) == [(2, ["y = 2"])]
    assert excerpts(str(tmp_path / "gone.py"), {1}) == []


def test_a_long_function_is_shown_near_its_lines(tmp_path: Path) -> None:
    file = tmp_path / "long.py"
    file.write_text("def long():\n" + "    pass\n" * 1_000)
    (excerpt,) = excerpts(str(file), {500})
    assert (excerpt.first, len(excerpt.lines)) == (480, 41)


def test_paths_tell_nothing_of_the_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inside, outside = tmp_path / "here" / "a.py", tmp_path / "elsewhere.py"
    inside.parent.mkdir()
    inside.touch()
    outside.touch()
    monkeypatch.chdir(inside.parent)
    names = shown_paths([str(inside), str(outside), "<stdin>", "/tmp/ipykernel_7/12.py"])
    assert names == ["a.py", "elsewhere.py", "cell 1", "cell 2"]


def test_under_debug_the_source_is_linked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(Path(__file__).parent)
    with debug():
        out = neuron()
    page = build(Recording(out))
    data = embedded(page)
    (file,) = data["files"]
    assert file["path"] == "test_page.py"
    (first, lines), *more = file["excerpts"]
    assert lines[0] == "def neuron() -> Value:"
    # The module's own call of a test function is not at the top level, so nothing else shows.
    assert not more
    assert lines[data["line"][0] - first].lstrip().startswith("x1, x2")
    assert str(Path(__file__).parent) not in page


@pytest.mark.slow
def test_a_page_of_50_000_nodes_is_small() -> None:
    model = MLP(2, [16, 16, 1], seed=1)
    run = Recording(mean([model([k / 700, 1.0]).tanh() for k in range(760)]))
    assert len(run.nodes) > 50_000
    # 8 bytes a value in base 64 are 11; what repeats costs next to nothing.
    assert len(build(run)) < 160_000 + 20 * len(run.nodes)


def moons_like(n: int, *, scoped: bool = False) -> Value:
    model = MLP(2, [4, 3, 1], seed=1)
    losses = []
    for i in range(n):
        with scope(f"samples.{i}") if scoped else nullcontext():
            losses.append((model([i / n, 1.0]) - 1) ** 2)
    return mean(losses)


def assert_levels_divide(levels: list[dict[str, Any]]) -> None:
    before: list[Any] = []
    for level in levels:
        boxes = unpacked(level["box"])
        assert set(boxes) == set(range(len(level["titles"])))
        before = before or [0] * len(boxes)
        outer = dict(zip(boxes, before, strict=True))
        assert [outer[box] for box in boxes] == before
        before = boxes


def test_levels_divide_the_boxes_of_the_one_before() -> None:
    structure = Structure(list(Recording(moons_like(9)).nodes))
    found = levels_of(structure)
    names = ["network", "layers", "layers", "neurons", "neurons", "alike"]
    assert [level["name"] for level in found] == names
    assert_levels_divide(found)
    neurons = dict(zip(found[4]["titles"], found[4]["times"], strict=True))
    assert neurons["layers.1.neurons.2"] == [9]


@pytest.mark.parametrize("seed", [126, 162])
def test_so_they_do_where_operations_that_lead_on_to_each_other_are_one(seed: int) -> None:
    out = network(seed, by_hand=True)(2)
    assert_levels_divide(levels_of(Structure(list(Recording(out).nodes))))


@pytest.mark.parametrize("scoped", [False, True])
def test_the_boxes_are_those_of_the_model_however_many_samples(scoped: bool) -> None:
    def titles(n: int) -> list[list[str]]:
        found = levels_of(Structure(list(Recording(moons_like(n, scoped=scoped)).nodes)))
        return [sorted(map(str, level["titles"])) for level in found[:-1]]

    assert titles(2) == titles(5) == titles(40)


def test_a_crowd_is_one_box_before_it_is_many() -> None:
    n = CROWD + 1
    found = levels_of(Structure(list(Recording(MLP(2, [n, 1], seed=1)([0.1, 0.2])).nodes)))
    assert sorted(filter(None, found[3]["titles"])) == ["layers.0.neurons.*", "layers.1.neurons.0"]
    assert [n] in found[3]["times"]
    assert len(found[4]["titles"]) > n


def test_modules_in_modules_are_boxes_in_boxes() -> None:
    h = Value(0.5, "h")
    for i in range(3):
        for part in ("attention", "feed"):
            with scope(f"blocks.{i}.{part}"):
                h = h.tanh() * 2
    found = levels_of(Structure(list(Recording(h).nodes)))
    assert [level["name"] for level in found] == [
        "network", "blocks", "blocks", "in blocks", "in blocks", "alike",
    ]  # fmt: skip
    assert "blocks.1" in found[1]["titles"]
    assert "blocks.1.feed" in found[3]["titles"]


@pytest.mark.parametrize("added", [sum, builtins.sum])
def test_the_outputs_of_a_layer_are_of_one_sample(added: Callable[[list[Value]], Value]) -> None:
    layer = Layer(3, 4, activation="tanh", seed=1)
    losses = [added([out * out for out in layer([0.5 * i, 1.0, -1.0])]) for i in range(5)]
    found = Structure(list(Recording(added(losses)).nodes)).samples
    assert found.names == [f"sample {i}" for i in range(5)]
    assert Counter(found.of)[3] == 4 * 3  # a product, its activation and its square


def test_a_level_is_called_as_what_is_in_it_or_around_it() -> None:
    def names(path: str) -> list[str]:
        h = Value(0.5, "h")
        for i in range(3):
            for part in ("one", "two"):
                with scope(path.format(i=i, part=part)):
                    h = h.tanh() * 2
        found = [level["name"] for level in levels_of(Structure(list(Recording(h).nodes)))]
        return found[2:-1:2]

    assert names("blocks.{i}.attention.{part}") == ["blocks", "in blocks", "in attention"]
    assert names("layers.{i}.layers.0.{part}") == ["layers", "in layers", "in layers 3"]
    assert names("{part}{i}.inner") == ["modules", "modules 2"]


def test_so_it_is_only_if_most_are_called_so() -> None:
    class Hourglass(Module):
        def __init__(self) -> None:
            self.down = [Layer(4, 3, seed=0), Layer(3, 2, seed=1)]
            self.up = [Layer(2, 3, seed=2), Layer(3, 4, seed=3)]
            self.label_parameters()

        def forward(self, x: Any) -> Any:
            for layer in (*self.down, *self.up):
                x = layer(x)
            return x

    levels = levels_of(Structure(list(Recording(sum(Hourglass()([1.0, 0.5, 0.2, 0.1]))).nodes)))
    assert [level["name"] for level in levels][2] == "modules"


@pytest.mark.parametrize("scoped", [False, True])
def test_samples_are_found_with_and_without_scopes(scoped: bool) -> None:
    structure = Structure(list(Recording(moons_like(5, scoped=scoped)).nodes))
    found = structure.samples
    assert found.names == [f"sample {i}" for i in range(5)]
    sizes = Counter(found.of)
    assert len({sizes[i] for i in range(5)}) == 1
    assert all(found.of[i] == -1 for i, node in enumerate(structure.nodes) if ".w." in node.label)


def test_a_penalty_is_no_sample() -> None:
    w = Value(2.0, "w")
    loss = mean([(w * x).tanh() for x in (1.0, 2.0, 3.0)]) + 0.1 * w * w
    found = Structure(list(Recording(loss).nodes)).samples
    assert found.names == ["sample 0", "sample 1", "sample 2"]


def test_what_a_first_layer_does_to_each_input_is_no_sample() -> None:
    w, h = [Value(0.1 * i) for i in range(4)], [Value(1.0), Value(0.5)]
    for _ in range(6):
        h = [tanh(h[0] * w[0] + h[1] * w[1]), tanh(h[0] * w[2] + h[1] * w[3])]
    structure = Structure(list(Recording(sum(h)).nodes))
    assert structure.samples.names == []


def test_what_shares_no_parameters_is_no_sample() -> None:
    w = Value(2.0, "w")
    chain = w
    for _ in range(5):
        chain = chain.tanh() * 2
    # Neurons share their inputs, not their weights; the terms of one share nothing.
    layer = sum([h * 0.5 for h in MLP(3, [5])([Value(0.1 * i) for i in range(3)])])
    for out in (chain, neuron(), layer):
        assert Structure(list(Recording(out).nodes)).samples.names == []


def test_it_opens_where_it_is_told_to() -> None:
    run = Recording(neuron())
    assert embedded(build(run))["position"] == len(run.nodes) + 1
    assert embedded(build(run, 3))["position"] == 3


def test_data_stays_within_its_bounds_per_node_and_edge() -> None:
    x = [Value(0.1 * i, label=f"x{i}") for i in range(40)]
    hidden = [
        exp(sum([a * b for a, b in zip(x, x[k:] + x[:k], strict=True)]) / 100) for k in range(40)
    ]
    page = build(Recording(sum(hidden)))
    data = embedded(page)
    edges = len(data["args"])
    size = len(page.split('id="run">')[1].split("</script>")[0])
    assert size < 300 * len(data["names"]) + 150 * edges


def test_no_two_nodes_lie_on_each_other() -> None:
    chain = [(i, i + 1) for i in range(99)] + [(0, 99)]
    found = arrange(100, chain)
    assert len(set(found.centres)) == 100
    assert len(found.routes) == len(chain)
    assert found.centres[0][0] < found.centres[-1][0], "leaves stand left of the root"


def test_without_graphviz_the_page_finds_the_places(monkeypatch: pytest.MonkeyPatch) -> None:
    assert arrange(5_000, [(i, i + 1) for i in range(4_999)]).centres == []
    monkeypatch.setitem(sys.modules, "autograd.drawing.renderer", None)
    assert arrange(3, [(0, 2), (1, 2), (1, 2)]) == ([], [])


def test_save_writes_the_file_whole_or_not_at_all(tmp_path: Path) -> None:
    stepper = Stepper(neuron())
    path = stepper.save(tmp_path / "why.html", title="Why & how")
    assert path.read_text(encoding="utf-8") == build(stepper.recording, title="Why & how")
    assert "<h1>Why &amp; how</h1>" in path.read_text(encoding="utf-8")
    with pytest.raises(OSError, match=r"missing.why\.html"):
        stepper.save(tmp_path / "missing" / "why.html")
    assert [p.name for p in tmp_path.iterdir()] == ["why.html"]


def test_save_under_the_name_of_a_picture_says_what_makes_one(tmp_path: Path) -> None:
    stepper = Stepper(neuron())
    with pytest.raises(ValueError, match=r"a page, not a \.pdf: save it as 'why\.html'; `write`"):
        stepper.save(tmp_path / "why.pdf")
    assert not [*tmp_path.iterdir()]
    assert stepper.save(tmp_path / "why").read_text(encoding="utf-8").startswith("<!doctype html>")


def test_a_notebook_gets_the_page_in_a_frame_that_a_script_makes() -> None:
    stepper = Stepper(neuron())
    bundle = stepper._repr_mimebundle_()
    assert bundle["text/plain"] == repr(stepper)
    # What nbconvert puts before a picture would be sanitised to nothing, or to text.
    assert set(bundle) == {"text/plain", "text/javascript", "image/png"}
    (page,) = re.findall(r"framed\((\".*\"), 720\)", bundle["text/javascript"])
    assert json.loads(page) == build(stepper.recording)
    assert base64.b64decode(bundle["image/png"]).startswith(b"\x89PNG")
    kind, html = stepper._mime_()
    assert (kind, html) == ("text/html", frame(build(stepper.recording)))
    source = re.search(r'srcdoc="(.*?)"', html, re.DOTALL)
    assert source
    assert unescape(source[1]) == build(stepper.recording)


def test_a_widget_moves_with_its_stepper() -> None:
    traitlets = pytest.importorskip("traitlets")
    pytest.importorskip("anywidget")
    x = Value(2.0, "x")
    stepper = Stepper((x * 3).exp())
    widget, other = stepper.widget(), stepper.widget(height=400)
    assert (widget.position, widget.height, other.height) == (0, 720, 400)
    widget.position = 2
    assert (stepper.position, other.position, widget.node) == (2, 2, "n1")
    stepper.next()
    assert (widget.position, widget.node) == (3, "n2")
    seen: list[int] = []
    widget.observe(lambda change: seen.append(change["new"]), "position")
    stepper.run()
    assert seen == [len(stepper.events)], "it is told once"
    widget.node = x
    assert widget.node == "x"
    # What comes from the page is as it says: another node than the step's may be chosen.
    widget.set_state({"position": 4, "node": "x"})
    assert (stepper.position, widget.node) == (4, "x")
    for trait, value in (("position", 99), ("position", -1), ("node", "y"), ("level", "layers")):
        with pytest.raises(traitlets.TraitError):
            setattr(widget, trait, value)
    widget.level = "op"
    data, _ = widget._repr_mimebundle_()
    assert base64.b64decode(data["image/png"]).startswith(b"\x89PNG")
    assert "application/vnd.jupyter.widget-view+json" in data


def test_without_anywidget_a_widget_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "anywidget", None)
    monkeypatch.delitem(sys.modules, "autograd.page.widget", raising=False)
    with pytest.raises(MissingExtraError, match=r"chainrule\[widget\]"):
        Stepper(neuron()).widget()


@pytest.mark.long
def test_without_modules_stages_stand_for_layers() -> None:
    for samples, depth in ((2, 12), (5, 12), (2, 30)):
        structure = Structure(list(Recording(residual(samples, depth)).nodes))
        found = levels_of(structure)
        assert shown_levels(found, len(structure.nodes)) == ["network", "stages", "parts", "op"]
        network, stages = found[:2]
        assert [depth] in network["times"]
        assert {f"stage {i}" for i in range(depth)} <= set(stages["titles"])
        boxes = [unpacked(level["box"]) for level in found]
        for coarse, fine in pairwise(boxes):
            assert len(set(zip(coarse, fine, strict=True))) == max(fine) + 1, "the finer divides"
    # A few nodes of which nothing is a layer need no levels.
    few = Structure(list(Recording(neuron()).nodes))
    assert len(few.nodes) <= FEW_NODES
    assert shown_levels(levels_of(few), len(few.nodes)) == ["op"]


def test_names_are_told_apart_where_they_are_shortened() -> None:
    names = ["a" * 50 + str(i) + "b" * 50 for i in range(2)]
    out = Value(1.0, names[0]) * Value(2.0, names[1])
    assert page_names(Recording(out)) == ["n0", "n1", "n2"]


def test_every_row_is_written_as_javascript_could_parse_it() -> None:
    """Balanced, and without a call that neither the script nor Math defines."""
    script = resource("script/engine/primitives.js")
    text = rows((op, op.arity or 5) for op in TABLE.values()).text
    assert text.count("(") == text.count(")")
    defined = set(re.findall(r"const (\w+) =", script + text))
    called = set(re.findall(r"(?<![.\w])([A-Za-z]\w*)\(", text)) - {"return"}
    assert called <= defined
