"""The tool for GradBench: its protocol, and all evals at the numbers of their definitions."""

from __future__ import annotations

import io
import json
import math
import random
from typing import Any

import pytest

pytest.importorskip("numpy")
pytest.importorskip("llvmlite")

from autograd import grad
from tests.benchmarks.evals import EVALS
from tests.benchmarks.evals.hands import BONES
from tests.benchmarks.evals.vectors import runge_kutta
from tests.benchmarks.gradbench import answers, close, main

VECTOR = {"x": [1, 0.5, 0.25], "n": 4}
MINOR = {"A": [2, 1, 0, 1, 3, 1, 0, 1, 4], "ell": 3}
ODE = {"x": [1, 2, 3], "s": 1}
MIXTURE = {"d": 2, "k": 2, "n": 2, "m": 1, "gamma": 2, "x": [[0, 1], [1, 0]]}
MIXTURE |= {"alpha": [0.1, 0.2], "mu": [[0, 0], [1, 1]], "q": [[0.1, 0.2], [0.3, 0.4]]}
MIXTURE |= {"l": [[0.5], [0.6]]}
POINTS = {"points": [[0, 0], [1, 0], [4, 4]], "centroids": [[1, 1], [3, 3]]}
TEXT = {
    "main_params": [[0.1 * i for i in range(1, 9)], [0.9 - 0.1 * i for i in range(1, 9)]],
    "extra_params": [[0.1, 0.2], [0.3, 0.4], [0.5, 0.6]],
    "state": [[0.1, 0.2], [0.3, 0.4]],
    "sequence": [[0, 1], [1, 0], [1, 1]],
}
CAMERA = [-0.758453, -1.109613, -0.845551, 34.556073, 39.676747, 53.881673, 419.194514, 5.864426]
VIEW = {"n": 49, "m": 7776, "p": 31843, "cam": [*CAMERA, -8.51887, 0.087812, 0.002739]}
VIEW |= {"x": [7.203245, 0.001144, 3.023326], "w": 0.417022, "feat": [271.760969, 834.209256]}


def asked(module: str, function: str, given: Any) -> Any:
    """Return the output of one evaluate, as a line of JSON would bring it."""
    if isinstance(given, dict):
        given = {**given, "min_runs": 1, "min_seconds": 0}
    lines = [
        json.dumps({"id": 0, "kind": "define", "module": module}),
        json.dumps(
            {"id": 1, "kind": "evaluate", "module": module, "function": function, "input": given}
        ),
    ]
    defined, evaluated = map(json.loads, answers(lines))
    assert defined == {"id": 0, "success": True}
    assert evaluated["success"], evaluated
    return evaluated["output"]


@pytest.mark.parametrize(
    ("module", "function", "given", "expected"),
    [
        ("hello", "square", 16, 256),
        ("hello", "double", 16384, 32768),
        ("llsq", "primal", VECTOR, 3.56327160),
        ("llsq", "gradient", VECTOR, [4.5555556, -1.5555556, 2.7283951]),
        ("det", "primal", MINOR, 18),
        ("det", "gradient", MINOR, [11, -4, 1, -4, 8, -2, 1, -2, 5]),
        ("ode", "primal", ODE, [2, 4, 8]),
        ("ode", "gradient", ODE, [8, 4, 2.6666667]),
        ("gmm", "objective", MIXTURE, -13.615855),
        ("kmeans", "cost", POINTS, 5),
        ("kmeans", "dir", POINTS, [[0.5, 1], [-1, -1]]),
        ("lstm", "objective", TEXT, 0.85546417),
    ],
)
def test_numbers_of_the_definitions(module: str, function: str, given: Any, expected: Any) -> None:
    found = asked(module, function, given)
    assert close(found, expected)
    if isinstance(found, float):
        assert found == pytest.approx(expected, rel=1e-7)


@pytest.mark.parametrize("n", [3, 12])
def test_the_gradient_of_an_ode_is_that_of_the_engine(n: int) -> None:
    x = [0.3 + 0.1 * i for i in range(n)]

    def last(x: list[Any]) -> Any:
        y: list[Any] = [0.0] * n
        for _ in range(2):
            y = runge_kutta(
                y, lambda y: [x[0], *(a * b for a, b in zip(x[1:], y[:-1], strict=True))], 1.0
            )
        return y[-1]

    given = {"x": x, "s": 2}
    assert asked("ode", "primal", given)[-1] == pytest.approx(last(x), rel=1e-14)
    assert asked("ode", "gradient", given) == pytest.approx(grad(last)(x), rel=1e-13)


@pytest.mark.long
def test_the_gradient_of_a_mixture() -> None:
    found = asked("gmm", "jacobian", MIXTURE)
    assert found["l"] == [[pytest.approx(-2.234653)], [pytest.approx(-2.723182)]]
    assert found["q"][0] == pytest.approx([-3.528153, -4.724903])
    moved = dict(MIXTURE, mu=[[0, 1e-6], [1, 1]])
    slope = (asked("gmm", "objective", moved) - asked("gmm", "objective", MIXTURE)) / 1e-6
    assert found["mu"][0][1] == pytest.approx(slope, rel=1e-5)
    moved = dict(MIXTURE, alpha=[0.1 + 1e-6, 0.2])
    slope = (asked("gmm", "objective", moved) - asked("gmm", "objective", MIXTURE)) / 1e-6
    assert found["alpha"][0] == pytest.approx(slope, rel=1e-4)


@pytest.mark.long
def test_the_gradient_of_an_lstm() -> None:
    found = asked("lstm", "jacobian", TEXT)
    assert len(found) == 22
    assert found[:3] == pytest.approx([-1.130271e-4, 7.986431e-5, -4.685577e-4], rel=1e-6)
    assert found[-2:] == pytest.approx([-0.26962674, 0.01080242], rel=1e-6)


@pytest.mark.long
def test_bundle_adjustment() -> None:
    objective = asked("ba", "objective", VIEW)
    assert objective["reproj_error"]["elements"] == pytest.approx([0.10133584, -0.06896777])
    assert objective["reproj_error"]["repeated"] == objective["w_err"]["repeated"] == 31843
    assert objective["w_err"]["element"] == pytest.approx(0.82609265)
    found = asked("ba", "jacobian", VIEW)
    assert [len(found[key]) for key in ("rows", "cols", "vals")] == [31, 31, 31]
    assert (found["rows"][-2:], found["rows"][1]) == ([435, 31 * 31843], 15)
    assert found["cols"][-1] == 11 * 49 + 3 * 7776 + 31843 - 1
    assert found["vals"][:3] == pytest.approx([-461.44632, 178.86793, -19.423916])
    assert found["vals"][-1] == -2 * 0.417022
    still = dict(VIEW, cam=[0.0, 0.0, 0.0, *VIEW["cam"][3:]])  # type: ignore[index]
    assert all(map(math.isfinite, asked("ba", "jacobian", still)["vals"]))


def test_lse_is_built_from_its_parts() -> None:
    x = [1.0, 3.0, 3.0, -700.0]
    found = asked("lse", "gradient", {"x": x})
    assert asked("lse", "primal", {"x": x}) == pytest.approx(3 + math.log(2 + math.exp(-2)))
    total = 2 + math.exp(-2)
    assert found == pytest.approx([math.exp(-2) / total, 1 / total, 1 / total, 0.0])


@pytest.mark.parametrize(("n", "s"), [(4, 100), (30, 3), (3, 50)])
@pytest.mark.long
def test_an_ode_has_the_derivatives_of_its_solution(n: int, s: int) -> None:
    x = [random.Random(n).random() + 0.5 for _ in range(n)]
    found = asked("ode", "gradient", {"x": x, "s": s})
    assert len(found) == n
    top = asked("ode", "primal", {"x": x, "s": s})[-1]
    # The last component is a multiple of each of the x it depends on.
    assert found == pytest.approx([top / a if top else 0.0 for a in x], rel=1e-9, abs=1e-300)


def a_hand(us: bool) -> dict[str, Any]:
    rng = random.Random(1)

    def matrix() -> list[list[float]]:
        return [[rng.gauss(0, 0.4) for _ in range(4)] for _ in range(3)] + [[0, 0, 0, 1]]

    vertices, c = 12, 5
    weights = [[rng.random() / BONES for _ in range(BONES)] for _ in range(vertices)]
    model = {
        "parents": [-1, *(max(0, i - 1 - i % 2) for i in range(1, BONES))],
        "base_relatives": [matrix() for _ in range(BONES)],
        "inverse_base_absolutes": [matrix() for _ in range(BONES)],
        "base_positions": [[rng.gauss(0, 1) for _ in range(3)] + [1] for _ in range(vertices)],
        "weights": weights,
        "triangles": [rng.sample(range(vertices), 3) for _ in range(9)],
        "is_mirrored": False,
    }
    places = [rng.randrange(9) for _ in range(c)]
    points = [[rng.gauss(0, 1) for _ in range(3)] for _ in range(c)]
    return {
        "theta": [rng.gauss(0, 0.3) for _ in range(26)],
        "us": [[rng.random() / 2 for _ in range(2)] for _ in range(c)] if us else [],
        "data": {"model": model, "correspondences": places, "points": points},
    }


@pytest.mark.long
@pytest.mark.parametrize("us", [True, False])
def test_a_hand_moves_as_its_derivatives_say(us: bool) -> None:
    given = a_hand(us)
    found = asked("ht", "jacobian", given)
    before = asked("ht", "objective", given)
    assert (len(found), len(found[0])) == (15, 26 + 2 * us)
    for column in range(26):
        theta = list(given["theta"])
        theta[column] += 1e-6
        after = asked("ht", "objective", given | {"theta": theta})
        for row, a, b in zip(found, after, before, strict=True):
            assert row[2 * us + column] == pytest.approx((a - b) / 1e-6, abs=1e-5)
    if us:
        moved = [[u[0] + 1e-6, u[1]] for u in given["us"]]
        after = asked("ht", "objective", given | {"us": moved})
        for row, a, b in zip(found, after, before, strict=True):
            assert row[0] == pytest.approx((a - b) / 1e-6, abs=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("function", EVALS["particle"])
def test_derivatives_inside_derivatives(function: str) -> None:
    assert asked("particle", function, {"w": 0}) == pytest.approx(0.2071918746486116, abs=1e-9)
    found = asked("saddle", function, {"start": [1, 1]})
    assert found == pytest.approx([8.246324826140356e-06] * 4, abs=1e-12)


def test_the_protocol() -> None:
    messages = [
        {"id": 0, "kind": "start", "eval": "hello"},
        {"id": 1, "kind": "define", "module": "hello"},
        {"id": 2, "kind": "evaluate", "module": "hello", "function": "square", "input": 3},
        {"id": 3, "kind": "analysis", "of": 2, "valid": True},
        {"id": 4, "kind": "evaluate", "module": "hello", "function": "cube", "input": 3},
        {"id": 5, "kind": "anything"},
        {"id": 6, "kind": "define", "module": "nope"},
    ]
    found = list(map(json.loads, answers(map(json.dumps, messages))))
    assert [answer["id"] for answer in found] == list(range(7))
    assert found[0] == {"id": 0, "tool": "chainrule"}
    assert found[2]["output"] == 9
    assert all(type(entry["nanoseconds"]) is int for entry in found[2]["timings"])
    assert [entry["name"] for entry in found[2]["timings"]] == ["prepare", "compile", "evaluate"]
    assert found[3] == {"id": 3}
    assert found[4]["success"] is found[6]["success"] is False
    assert "error" in found[4]


@pytest.mark.parametrize(
    "message",
    [
        {"kind": "define"},
        {"kind": "define", "module": ["hello"]},
        {"kind": "evaluate", "module": "hello", "input": 3},
        {"kind": "evaluate", "module": "hello", "function": {}, "input": 3},
        {"kind": "evaluate", "module": "hello", "function": "square"},
        {"kind": "evaluate", "module": "hello", "function": "square", "input": {"min_runs": "1"}},
    ],
)
def test_a_message_that_lacks_something_fails_and_the_next_is_answered(message: Any) -> None:
    hello = {"id": 0, "kind": "define", "module": "hello"}
    messages = [hello, {"id": 1} | message, hello]
    found = list(map(json.loads, answers(map(json.dumps, messages))))
    assert [answer["success"] for answer in found] == [True, False, True]
    assert found[1]["error"]


@pytest.mark.parametrize("line", ['{"id": 1 broken', "[1, 2]", "7", '{"kind": "start"}'])
def test_a_line_that_is_no_message_ends_it_in_one_line(line: str) -> None:
    out = io.StringIO()
    with pytest.raises(SystemExit, match="gradbench: a message is JSON with an id: got"):
        main(io.StringIO('{"id": 0, "kind": "start"}\n' + line), out)
    assert json.loads(out.getvalue()) == {"id": 0, "tool": "chainrule"}


def test_it_runs_as_often_and_as_long_as_is_asked() -> None:
    def runs(**words: float) -> int:
        given = {"x": [1.0, 2.0], **words}
        messages = [
            {"id": 0, "kind": "define", "module": "lse"},
            {"id": 1, "kind": "evaluate", "module": "lse", "function": "primal", "input": given},
        ]
        answer = [*map(json.loads, answers(map(json.dumps, messages)))][1]
        return sum(entry["name"] == "evaluate" for entry in answer["timings"])

    assert runs(min_runs=3, min_seconds=0) == 3
    assert runs(min_runs=1, min_seconds=0.05) > 3
    nothing = {"id": 1, "kind": "evaluate", "module": "lse", "function": "primal"}
    messages = [{"id": 0, "kind": "define", "module": "lse"}, nothing | {"input": {"x": []}}]
    assert json.loads([*answers(map(json.dumps, messages))][1])["success"] is False
