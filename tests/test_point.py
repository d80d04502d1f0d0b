"""Arguments as flat numbers, and back: a round trip for whatever is nested in whatever."""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from dataclasses import dataclass
from typing import Any, NamedTuple

import pytest

from autograd import Value
from autograd.checking.point import Point, element, parts

np = pytest.importorskip("numpy")


class Pair(NamedTuple):
    first: Any
    second: Any


NESTED = {
    "w": [1.0, (2.0, {"deep": 3.0})],
    "pair": Pair(4.0, np.array([[5.0, 6.0], [7.0, 8.0]])),
    "none": None,
    "b": Value(9.0, "bias"),
}


def test_there_and_back() -> None:
    point = Point([NESTED, 10.0, 11], ["model", "x", "n"])
    assert point.numbers == [float(i) for i in range(1, 12)]
    assert point.leaves == [NESTED["b"]]
    model, x, n = point.filled([10.0 * number for number in point.numbers])
    assert (x, n) == (100.0, 110.0)
    assert model["w"] == [10.0, (20.0, {"deep": 30.0})]
    assert type(model["pair"]) is Pair
    assert model["pair"].first == 40.0
    assert model["pair"].second.tolist() == [[50.0, 60.0], [70.0, 80.0]]
    assert (model["none"], model["b"]) == (None, 90.0)
    values = [Value(1.0) for _ in point.numbers]
    assert point.filled(values)[0]["pair"].second.dtype == object
    rows = Point([[1.0, 2], [[3.0, None], Value(4.0)]], ["x", "y"])
    assert rows.filled([10.0, 20.0, 30.0, 40.0]) == [[10.0, 20.0], [[30.0, None], 40.0]]


def test_every_number_has_the_name_that_reaches_it() -> None:
    point = Point([NESTED, 10.0], ["model", "x"])
    assert list(point.by_name()) == [
        "model['w'][0]",
        "model['w'][1][0]",
        "model['w'][1][1]['deep']",
        "model['pair'].first",
        *(f"model['pair'].second[{i}, {j}]" for i in (0, 1) for j in (0, 1)),
        "bias",
        "x",
    ]
    assert list(point.by_name().values()) == point.numbers
    with pytest.raises(IndexError):
        point.label(10)
    (part,) = parts(np.zeros((2, 3)), "x")
    assert (part.path, part.shape, part.items) == ("x", (2, 3), [0.0] * 6)
    assert [element(part, i) for i in (0, 2, 3, 5)] == ["x[0, 0]", "x[0, 2]", "x[1, 0]", "x[1, 2]"]


def test_a_gradient_goes_by_keys_and_places() -> None:
    point = Point([{"a": 1.0, "b": [2.0, 3.0]}], ["p"])
    assert point.flat({"b": [20.0, 30.0], "a": 10.0}) == [[10.0, 20.0, 30.0]]
    assert point.flat([{"b": [20.0, 30.0], "a": 10.0}]) == [[10.0, 20.0, 30.0]]
    with pytest.raises(
        TypeError, match=r"gradient\[0\] has the keys \['a', 'c'\], not \['a', 'b'\]"
    ):
        point.flat({"a": 1.0, "c": [2.0, 3.0]})
    with pytest.raises(TypeError, match=r"2 number\(s\) for 3 input\(s\)"):
        point.flat({"a": 1.0, "b": [2.0]})


@pytest.mark.parametrize(
    ("arg", "gradient", "flat"),
    [
        (1.0, 2.0, [2.0]),
        (1.0, [2.0], [2.0]),
        ([1.0], [2.0], [2.0]),  # the list's own
        ([1.0], [[2.0]], [2.0]),  # that of each argument, of which there is one
        ([1.0], [np.array([2.0])], [2.0]),
        ([{"a": 1.0, "b": 2.0}], [{"b": 20.0, "a": 10.0}], [10.0, 20.0]),
        ([1.0, 2.0], [3.0, 4.0], [3.0, 4.0]),
        ([[1.0, 2.0]], [[3.0, 4.0]], [3.0, 4.0]),
        (np.array([1.0]), [np.array([2.0])], [2.0]),
        (np.array([1.0, 2.0]), [3.0, 4.0], [3.0, 4.0]),
    ],
)
def test_one_argument_needs_no_list_around_its_gradient(
    arg: Any, gradient: Any, flat: list[float]
) -> None:
    assert Point([arg], ["x"]).flat(gradient) == [flat]


def test_several_results_have_a_row_each() -> None:
    point = Point([1.0, np.array([2.0, 3.0])], ["x", "v"])
    jacobian = [np.array([10.0, 20.0]), np.array([[11.0, 12.0], [21.0, 22.0]])]
    assert point.flat(jacobian, (2,)) == [[10.0, 11.0, 12.0], [20.0, 21.0, 22.0]]
    with pytest.raises(TypeError, match=r"gradient\[1\] has the shape \(4,\)"):
        point.flat([np.array([10.0, 20.0]), np.arange(4.0)], (2,))
    with pytest.raises(TypeError, match=r"gradient\[0\] has the shape \(1, 3\) .* shape \(3,\)"):
        Point([np.zeros(3)], ["v"]).flat([np.zeros((1, 3))])


def test_what_is_no_number_is_named() -> None:
    with pytest.raises(TypeError, match=r"x\['a'\]\[1\] is complex, 1j: check real and imaginary"):
        Point([{"a": [1.0, 1j]}], ["x"])
    with pytest.raises(TypeError, match=r"x\[1\]: "):
        Point([[1.0, "2"]], ["x"])


@dataclass(frozen=True)
class Model:
    w: Any
    b: float


def test_dataclasses_and_dicts_of_any_kind_are_kept() -> None:
    ordered = OrderedDict(model=Model(np.array([1.0, 2.0]), 3.0), x=4.0)
    point = Point([ordered, defaultdict(list, y=5.0)], ["p", "q"])
    assert list(point.by_name()) == [
        "p['model'].w[0]",
        "p['model'].w[1]",
        "p['model'].b",
        "p['x']",
        "q['y']",
    ]
    p, q = point.filled([10.0 * number for number in point.numbers])
    assert (type(p), type(p["model"]), type(q)) == (OrderedDict, Model, defaultdict)
    assert (p["model"].w.tolist(), p["model"].b, p["x"], q["y"]) == ([10.0, 20.0], 30.0, 40.0, 50.0)
    assert ordered["model"].b == 3.0  # as it was


def test_a_gradient_is_laid_out_by_names() -> None:
    point = Point([Model(np.array([1.0, 2.0]), 3.0)], ["m"])
    for gradient in (
        Model(np.array([1.0, 2.0]), 3.0), {"b": 3.0, "w": np.array([1.0, 2.0])}, [[1.0, 2.0], 3.0]
    ):  # fmt: skip
        assert point.flat(gradient) == [[1.0, 2.0, 3.0]], gradient
    with pytest.raises(TypeError, match=r"has the keys \['w', 'c'\], not \['w', 'b'\]"):
        point.flat({"w": np.array([1.0, 2.0]), "c": 3.0})
    with pytest.raises(TypeError, match=r"the shape \(1, 2\) for an argument of the shape \(2,\)"):
        point.flat(Model(np.array([[1.0, 2.0]]), 3.0))
