"""A backward pass as a film: every event a frame, one layout, nothing but CSS or a GIF."""

from __future__ import annotations

import re
from collections.abc import Callable
from io import BytesIO
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import pytest

from autograd import Stepper, Value, logsumexp, tanh
from autograd.drawing.film import FACTOR_HEIGHT, MOST_FILMED, film_of, label_place, svg_of
from autograd.drawing.layout import HEIGHT, WIDTH
from autograd.drawing.palette import INK, POSITIVE
from autograd.drawing.picture import shown
from nn import MLP

pytest.importorskip("graphviz")


def neuron() -> Stepper:
    x1, x2 = Value(2.0, "x₁"), Value(0.0, "x₂")
    w1, w2 = Value(-3.0, "w₁"), Value(1.0, "w<2>")
    out: Value = tanh(x1 * w1 + x2 * w2 + 6.8813735870195432)
    out.label = "σ"
    return Stepper(out)


def test_every_event_of_the_backward_pass_is_a_frame() -> None:
    stepper = neuron()
    run = stepper.recording
    film = film_of(run)
    assert len(film.frames) == run.length - len(run.nodes) + 1
    assert {card.gradient for card in film.frames[0].cards} == {"?"}
    for frame, event in zip(film.frames[1:], stepper.events[len(run.nodes) :], strict=True):
        card = frame.cards[run.position[event.subject]]
        assert card.gradient.removesuffix(" …") == shown(event.total)
        assert card.outline == "receiver"
        assert (frame.edge is None) == (event.kind == "done")
        assert frame.local == (f"× {shown(event.local)}" if event.local is not None else "")
    assert all(card.gradient != "?" for card in film.frames[-1].cards)


def test_the_active_edge_is_the_one_of_the_event() -> None:
    x = Value(3.0, "x")
    run = Stepper(x * x + x).recording
    edges = [f.edge for f in film_of(run).frames if f.edge is not None]
    assert edges == [2, 3, 0, 1], "the sum passes on first, then the product, each to both"


def test_no_number_reaches_the_word_beside_it() -> None:
    a, b = Value(-0.0487901641694321, "a"), Value(1.23456789e-105, "a_name_that_is_long")
    found = film_of(Stepper((a * b).exp() * -1e-7 + a.tanh() * b - logsumexp([a, b])).recording)
    for name, op, value in found.titles:
        assert len(value) <= 8
        assert len(name) + len(op) <= max(12, 5 + len(op))
    for frame in found.frames:
        assert all(len(card.gradient) <= 9 for card in frame.cards)


def network() -> Stepper:
    return Stepper(MLP(2, [3, 1], seed=1)([1.0, -0.5]))


def test_no_two_parameters_have_one_name() -> None:
    titles = [title for title in film_of(network().recording).titles if not title[1]]
    assert len({name for name, _, _ in titles}) == len(titles) == 13


def test_what_an_edge_multiplies_by_covers_no_card() -> None:
    film = film_of(network().recording)
    for frame in film.frames:
        if frame.edge is not None:
            x, y, width = label_place(film, frame)
            for left, top in film.corners:
                across = x + width / 2 <= left or x - width / 2 >= left + WIDTH
                assert (
                    across or y + FACTOR_HEIGHT / 2 <= top or y - FACTOR_HEIGHT / 2 >= top + HEIGHT
                )


def test_svg_plays_without_a_script_and_shows_each_state_once() -> None:
    film = film_of(neuron().recording)
    text = svg_of(film, 1.0)
    root = ElementTree.fromstring(text)
    assert "script" not in text
    assert not re.search(r"href|url\(|@import", text)
    assert root.get("width") == str(film.size[0])
    names = set(re.findall(r"@keyframes (f\d+-\d+)", text))
    used = set(re.findall(r'class="s (f\d+-\d+)"', text))
    assert names == used
    for i in range(len(film.titles)):
        spans = [f.cards[i] for f in film.frames]
        assert sum(a != b for a, b in pairwise(spans)) < 8
    assert text == svg_of(film_of(neuron().recording), 1.0)
    # What stands on a strong colour is as dark as its number.
    strips = re.findall(r'fill="(#\w+)"/>(?:<rect[^>]*>)?<text class="tag"[^>]*fill="(#\w+)"', text)
    assert (POSITIVE[-1], INK) in strips


@pytest.mark.long
@pytest.mark.parametrize("record", [neuron, network])
def test_gif_has_all_frames_in_one_size(tmp_path: Path, record: Callable[[], Stepper]) -> None:
    image = pytest.importorskip("PIL.Image")
    stepper = record()
    path = stepper.animate(tmp_path / "backprop.gif", seconds=0.5)
    film = image.open(BytesIO(path.read_bytes()))
    frames = film_of(stepper.recording).frames
    assert film.n_frames == len(frames)
    sizes = set()
    for k in range(film.n_frames):
        film.seek(k)
        sizes.add(film.size)
        assert film.info["duration"] == (1500 if k == len(frames) - 1 else 500)
    assert len(sizes) == 1
    assert film.convert("RGB").getpixel((2, 2)) == (255, 255, 255)


def test_what_cannot_be_a_film_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"its extension is .svg or .gif"):
        neuron().animate(tmp_path / "backprop.mp4")
    x = Value(1.0, "x")
    for _ in range(MOST_FILMED):
        x = x.tanh()
    with pytest.raises(ValueError, match=r"61 nodes are too many .* stepper.save"):
        Stepper(x).animate(tmp_path / "deep.svg")
    assert not list(tmp_path.iterdir())
