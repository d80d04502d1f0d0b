"""The pictures of training: what they show, where they are written, and what is refused."""

import os
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

import nn
from autograd import MissingExtraError
from nn import MLP, History
from nn.data import moons
from nn.history import StepRecord
from nn.layers import Layer, Neuron
from nn.plots import (
    decision_boundary,
    gradient_by_depth,
    gradient_flow,
    loss_curve,
    weight_images,
)
from nn.plots.paper import PALETTE
from nn.plots.pictures import MANY_EPOCHS

pytest.importorskip("matplotlib")

ROOT = Path(nn.__file__).parent.parent


@pytest.fixture
def upright() -> Neuron:
    """A model whose boundary is the line x1 = 0.25."""
    neuron = Neuron(2, nonlin=False)
    for parameter, number in zip(neuron.parameters(), (4.0, 0.0, -1.0), strict=True):
        parameter.data = number
    return neuron


@pytest.fixture
def history() -> History:
    history = History()
    history.loss = [0.7, 0.3, 0.2]
    history.accuracy = [0.5, 0.9, 0.995]
    return history


POINTS = [[0.0, 0.0], [1.0, 1.0], [0.0, 1.0], [1.0, 0.0]]
LABELS = [0, 1, 0, 1]


def texts(figure: Any) -> set[str]:
    from matplotlib.text import Text

    return {text.get_text() for text in figure.findobj(Text)}


@pytest.mark.long
def test_the_boundary_is_where_the_score_is_zero(upright: Neuron) -> None:
    (axes,) = decision_boundary(upright, POINTS, LABELS).axes
    line = axes.collections[-3]  # after the filled map: the boundary, then the two classes
    xs = [x for path in line.get_paths() for x, _ in path.vertices]
    # Between two grid points, 1/60 apart, the line is interpolated in σ(4 x - 1), which departs
    # from its tangent there by at most 4**3 / 12 * (1/60)**3 / 2.
    assert xs == pytest.approx([0.25] * len(xs), abs=2e-5)
    assert len(xs) > 10


@pytest.mark.long
@pytest.mark.parametrize("low", [0, -1])
def test_both_classes_are_drawn_and_named(upright: Neuron, low: int) -> None:
    figure = decision_boundary(upright, POINTS, [low, 1, low, 1])
    classes = figure.axes[0].collections[-2:]
    assert [each.get_offsets().tolist() for each in classes] == [POINTS[::2], POINTS[1::2]]
    assert {"x1", "x2", f"label {low}", "label 1"} <= texts(figure)


@pytest.mark.long
def test_points_of_one_class_only(upright: Neuron) -> None:
    figure = decision_boundary(upright, [[1.0, 1.0]], [1])
    assert "label 1" in texts(figure)
    assert "label 0" not in texts(figure)
    assert len(figure.axes[0].collections) == 2  # the map, one class; the boundary is out of sight


def test_the_loss_curve_shows_every_epoch(history: History) -> None:
    figure = loss_curve(history)
    loss, accuracy = figure.axes
    assert loss.lines[0].get_ydata().tolist() == history.loss
    assert accuracy.lines[0].get_ydata().tolist() == [50.0, 90.0, 99.5]
    assert loss.lines[0].get_xdata().tolist() == [1, 2, 3]
    assert {"Loss", "Accuracy", "Epoch", "0.2", "99.5 %"} <= texts(figure)


def test_a_loss_below_zero_is_seen(history: History) -> None:
    history.loss = [1.0, -2.0, -3.0]
    low, high = loss_curve(history).axes[0].get_ylim()
    assert low < -3.0 < 1.0 < high
    history.loss = [0.7, 0.3, 0.2]
    assert loss_curve(history).axes[0].get_ylim()[0] == 0


def test_without_accuracy_there_is_one_panel(history: History) -> None:
    history.accuracy = []
    assert len(loss_curve(history).axes) == 1


def test_one_epoch_is_a_picture_too(history: History) -> None:
    history.loss, history.accuracy = [0.7], [0.5]
    assert loss_curve(history).axes[0].get_xlim() == (1, 2)


@pytest.mark.long
@pytest.mark.parametrize(
    ("suffix", "start"), [("svg", b"<?xml"), ("png", b"\x89PNG"), ("pdf", b"%PDF")]
)
def test_written_by_extension_and_the_same_every_time(
    tmp_path: Path, upright: Neuron, history: History, suffix: str, start: bytes
) -> None:
    contents = []
    for name in ("first", "second"):
        boundary, curve = tmp_path / f"{name}-b.{suffix}", tmp_path / f"{name}-c.{suffix}"
        decision_boundary(upright, POINTS, LABELS, boundary)
        loss_curve(history, str(curve))
        contents.append((boundary.read_bytes(), curve.read_bytes()))
    assert contents[0] == contents[1]
    assert all(content.startswith(start) for content in contents[0])


@pytest.mark.parametrize("path", ["picture.jpg", "picture"])
def test_other_formats_are_refused_before_any_work(path: str, history: History) -> None:
    with pytest.raises(ValueError, match=f"a picture is .svg, .png, .pdf .*: got '{path}'"):
        loss_curve(history, path)
    with pytest.raises(ValueError, match=r"a picture is \.svg, \.png, \.pdf"):
        decision_boundary(MLP(2, [1]), [], [], path)


@pytest.mark.parametrize(
    ("points", "labels"), [([], []), (POINTS, [1]), ([[1.0]], [1]), ([[1.0, 2.0, 3.0]], [1])]
)
def test_bad_points_are_refused(points: Any, labels: Any, upright: Neuron) -> None:
    with pytest.raises(ValueError, match="needs points of two numbers, and a label for each"):
        decision_boundary(upright, points, labels)


@pytest.mark.long
def test_the_regions_of_several_classes() -> None:
    layer = Layer(2, 3, nonlin=False)  # logits 0, x, y: three regions that meet in 0
    for parameter, x in zip(layer.parameters(), (0, 0, 0, 1, 0, 0, 0, 1, 0), strict=True):
        parameter.data = float(x)
    points = [[-1.0, -1.0], [1.0, 0.0], [0.0, 1.0]]
    figure = decision_boundary(layer, points, [0, 1, 2], classes=["a", "b", "c"])
    assert {"a", "b", "c"} <= texts(figure)
    regions, lines = figure.axes[0].collections[0:6:2], figure.axes[0].collections[1:6:2]
    for point, region in zip(points, regions, strict=True):
        inside = [region.get_paths()[0].contains_point(each) for each in points]
        assert inside == [each is point for each in points]
    first = [xy for path in lines[0].get_paths() for xy in path.vertices]
    # The lead of class 0 is -max(x, y): its line is where the larger of both is 0. Between grid
    # points, 1/30 apart, the lead is linear but for the kink, which is passed within a cell.
    assert max(abs(max(x, y)) for x, y in first) < 1 / 30
    with pytest.raises(ValueError, match="the model has 3 outputs, so labels go from 0 to 2"):
        decision_boundary(layer, points, [0, 1, 3])


@pytest.mark.long
def test_columns_of_other_units_have_scales_of_their_own(upright: Neuron) -> None:
    points = [[x, 1000 * y] for x, y in POINTS]
    (axes,) = decision_boundary(upright, points, LABELS, columns=["size", "weight"]).axes
    assert axes.get_aspect() == "auto"
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("size", "weight")
    assert decision_boundary(upright, POINTS, LABELS).axes[0].get_aspect() == 1.0


@pytest.mark.long
def test_a_full_disk_leaves_no_part_of_a_picture(
    history: History, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match=r"No space left on device: .*loss\.png"):
        loss_curve(history, tmp_path / "loss.png")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.long
def test_a_name_is_no_formula(upright: Neuron, tmp_path: Path) -> None:
    names = ["$x_{$", "a$b"]
    for name, draw in (
        ("boundary", lambda path: decision_boundary(upright, POINTS, LABELS, path, names, names)),
        ("depth", lambda path: gradient_by_depth(dict.fromkeys([*names, "こ"], (1.0, 2.0)), path)),
    ):
        path = tmp_path / f"{name}.svg"
        draw(path)
        text = path.read_text(encoding="utf-8")
        assert all(f"<!-- {literal} -->" in text for literal in names)


def test_a_model_that_always_says_the_same_has_no_boundary(upright: Neuron) -> None:
    upright.b.data = 100.0
    figure = decision_boundary(upright, POINTS, LABELS)
    assert len(figure.axes[0].collections) == 3  # the map and two classes


def test_an_empty_history_is_refused() -> None:
    with pytest.raises(ValueError, match="the history has no whole epoch to draw"):
        loss_curve(History())


def test_without_matplotlib_the_error_names_the_extra(
    history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "nn.plots.sheet", raising=False)
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'chainrule\[plot\]'"):
        loss_curve(history)


@pytest.mark.long
def test_a_figure_shows_itself_in_a_notebook(history: History) -> None:
    png, size = loss_curve(history)._repr_png_()  # type: ignore[attr-defined]
    assert (png, size) == loss_curve(history)._repr_png_()  # type: ignore[attr-defined]
    assert png.startswith(b"\x89PNG")
    # 6.4 by 5.2 inches, of 96 CSS pixels each
    assert size == {"width": 614, "height": 499}


@pytest.mark.long
def test_no_global_state_of_matplotlib_is_touched() -> None:
    code = (
        "import sys; from nn import History; from nn.plots import loss_curve; "
        "assert 'matplotlib' not in sys.modules; "
        "h = History(); h.loss = [1.0, 0.5]; loss_curve(h); "
        "assert 'matplotlib.pyplot' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)


def test_the_map_is_finely_resolved_but_bounded() -> None:
    calls = []

    class Counted(Neuron):
        def forward(self, x: Any) -> Any:
            calls.append(x)
            return super().forward(x)

    points, labels = moons(20, noise=0.0)
    decision_boundary(Counted(2, seed=0), points, labels)
    assert 2_000 < len(calls) < 6_000


def test_validation_is_drawn_beside_training(history: History) -> None:
    history.validation_loss = [0.8, 0.5, 0.4]
    history.validation_accuracy = [0.5, 0.75, 0.875]
    figure = loss_curve(history)
    assert {"0.4 validation", "87.5 % validation"} <= texts(figure)
    lines = [line.get_ydata().tolist() for line in figure.axes[0].lines]
    assert lines[2] == [0.8, 0.5, 0.4]


@pytest.mark.long
def test_gradient_flow_has_a_line_for_each_layer(tmp_path: Path) -> None:
    history = History()
    with pytest.raises(ValueError, match="no step to draw"):
        gradient_flow(history)
    history.layers = ("layers.0", "layers.1")
    history.steps = [
        StepRecord(1, i, 0.5, 0.1, 1.0, (10.0**-i, 1.0 if i else 0.0), (0.1, 0.1)) for i in range(3)
    ]
    path = tmp_path / "flow.svg"
    figure = gradient_flow(history, path)
    (axes,) = figure.axes
    assert [line.get_label() for line in axes.lines] == ["layers.0", "layers.1"]
    assert axes.lines[0].get_ydata().tolist() == [1.0, 0.1, 0.01]
    assert str(axes.lines[1].get_ydata()[0]) == "nan"  # 0 has no place on a logarithmic axis
    assert axes.get_yscale() == "log"
    first = path.read_bytes()
    gradient_flow(history, path)
    assert path.read_bytes() == first


def test_a_long_training_shows_the_median_of_each_epoch() -> None:
    history = History()
    history.layers = ("layers.0",)
    for epoch in range(1, MANY_EPOCHS + 1):
        norms = [(10.0 * epoch,), (2.0 * epoch,), (1.0 * epoch,)][: 3 if epoch > 1 else 2]
        history.steps += [
            StepRecord(epoch, i, 0.5, 0.1, 1.0, norm, (0.1,)) for i, norm in enumerate(norms)
        ]
    steps, medians = gradient_flow(history).axes[0].lines
    assert len(steps.get_ydata()) == len(history.steps)
    assert medians.get_ydata().tolist() == [6.0, *(2.0 * k for k in range(2, MANY_EPOCHS + 1))]
    assert medians.get_xdata().tolist()[:3] == [1.5, 4.0, 7.0]
    assert medians.get_label() == "layers.0"


@pytest.mark.long
def test_the_gradient_by_depth_runs_from_the_output_back(tmp_path: Path) -> None:
    norms = {"falls": [1e-9, 1e-6, 1.0], "stays": [2.0, 2.0, 2.0], "dies": [0.0, 1e-300, 1.0]}
    path = tmp_path / "depth.svg"
    figure = gradient_by_depth(norms, path)
    (axes,) = figure.axes
    lines = axes.lines[:3]
    assert lines[0].get_ydata().tolist() == norms["falls"]
    assert str(lines[2].get_ydata()[0]) == "nan"  # 0 has no place on a logarithmic axis
    assert axes.get_yscale() == "log"
    left, right = axes.get_xlim()
    assert left > 3 > 1 > right
    assert {"falls", "stays", "dies"} <= texts(figure)
    assert [line.get_color() for line in axes.lines[:3]] == list(PALETTE[:3])
    first = path.read_bytes()
    gradient_by_depth(norms, path)
    assert path.read_bytes() == first


@pytest.mark.long
def test_names_of_lines_that_end_together_stand_apart() -> None:
    norms = {f"network {i}": [1.0 + i / 1000, 1e6] for i in range(8)}
    (axes,) = gradient_by_depth(norms).axes
    heights = sorted(text.get_position()[1] for text in axes.texts)
    gaps = [b - a for a, b in pairwise(heights)]
    assert min(gaps) > 0.06


@pytest.mark.parametrize(
    ("norms", "message"),
    [
        ({}, "needs at least one network, with at least one layer"),
        ({"a": []}, "needs at least one network, with at least one layer"),
        ({"a": [1.0, float("nan")]}, "the gradient norm of a in layer 2 is nan"),
        ({"a": [-1.0]}, r"the gradient norm of a in layer 1 is -1\.0"),
    ],
)
def test_norms_that_are_none_are_refused(norms: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        gradient_by_depth(norms)


@pytest.mark.long
def test_classes_have_their_names(upright: Neuron) -> None:
    figure = decision_boundary(upright, POINTS, LABELS, classes=["below", "above"])
    assert {"below", "above"} <= texts(figure)


@pytest.mark.long
def test_weights_are_drawn_as_images(tmp_path: Path) -> None:
    model = MLP(9, [5, 1], seed=0)
    figure = weight_images(model, tmp_path / "weights.png")
    canvas = figure.axes[0].images[0].get_array()
    assert canvas.shape == (7, 11)  # two rows of three images, 3 × 3, a pixel apart
    weights = [w.data for w in model.layers[0].neurons[3].w]
    assert canvas[4:7, 0:3].ravel().tolist() == weights
    assert canvas.mask[3].all()
    assert canvas.mask[4:7, 8:].all()
    assert weight_images(MLP(6, [1], seed=0), width=3).axes[0].images[0].get_array().shape == (2, 3)
    with pytest.raises(ValueError, match="6 inputs are no image of width 4"):
        weight_images(MLP(6, [2]), width=4)
    with pytest.raises(ValueError, match="needs a model with a Layer"):
        weight_images(Neuron(4))
