"""``python -m tests.benchmarks``: what it prints of measurements, of which none is made here."""

from __future__ import annotations

import io
import json
import math
import re
import shlex
import sys
from collections.abc import Callable
from typing import Any

import pytest

from autograd import TABLE
from autograd.command.usage import INTERRUPTED, OK, REFUSED, WRONG
from tests.benchmarks import (
    benchmark,
    benchmarks,
    check_figures,
    comparison,
    compiler_figures,
    engine_figures,
    learning_figures,
    library,
    progress,
)
from tests.benchmarks.__main__ import EXAMPLES, main
from tests.benchmarks.benchmark import Benchmark, Result
from tests.benchmarks.benchmarks import BENCHMARKS
from tests.benchmarks.checking import is_representable
from tests.benchmarks.contest import Contender, hold
from tests.benchmarks.engine_figures import default_engine
from tests.benchmarks.figure import Figure
from tests.benchmarks.library import BENCH, NAMES
from tests.benchmarks.measurement import MeasurementError, measure

Run = Callable[..., tuple[int, str, str]]
SAME = {"value": 1.0, "gradient": [0.5, -0.5]}


def fake(script: str, *args: Any, **environment: str) -> Any:
    """Return what a measurement might."""
    match script, *map(str, args):
        case "engine", "chain":
            return {"build": 0.9, "free": 0.1}
        case "engine", "memory":
            return 144.2
        case "engine", name, *_:
            in_c = environment.get("AUTOGRAD_PURE") == "0"
            seconds = {"mlp": 0.01, "scalars": 0.025}.get(name, 0.42)
            return {"seconds": seconds / (10 if in_c else 1), "loss": 1.0}
        case ["importing"]:
            return {"seconds": 0.015, "numpy": False}
        case "learners", "table":
            return {"seconds": 31.2, "epochs": 60, "r2": 0.97}
        case "learners", "score", _, _, seed:
            return {"seconds": 0.4, "score": 0.95 + int(seed) / 100}
        case "learners", *_:
            return {"seconds": 4.1}
        case ["stepping"]:
            return {"recording": 3.6, "back": 2e-5, "goto": 3e-5, "why": 0.014}
        case "peak", cores:
            return {"flops": int(cores) * 6e10, "L2": 8e10, "memory": 1e10}
        case "peers", "training", *_:
            return {"seconds": 0.15, "accuracy": 0.955}
        case "peers", _, peer, _:
            return {"seconds": 0.35 if peer == "micrograd" else 3e-5, **SAME}
        case "ours", "training", *_:
            cold = environment["CHAINRULE_CACHE"] == "off"
            return {"seconds": 0.3 if cold else 0.03, "accuracy": 0.96}
        case "ours", "compilation", *_:
            return {"seconds": 0.3 if environment["CHAINRULE_CACHE"] == "off" else 0.012}
        case "ours", "gradient", *_:
            return 3.25
        case "ours", "size", *_:
            return {"flops": 200_000, "bytes": 12_000}
        case "ours", "pendulum", *_:
            return {"nodes": 100_002, "compile": 3.2, "run": 0.002}
        case "ours", "eager pendulum", *_:
            return 0.3 if environment["AUTOGRAD_PURE"] == "1" else 0.01
        case "ours", "demo", *_:
            return {"compile": 0.8, "run": 5e-6, "arrays": 5e-6}
        case "ours", what, _, _:
            return {"seconds": 1.5e-5 if what == "values" else 6e-6, **SAME}
        case "curvature", "chain", *_:
            return {"compile": 1.2, "call": 3e-5}
        case "curvature", "rollout", *_:
            return {"seconds": 2e-5, "nonzeros": 24_800}
        case "curvature", _, who, _:
            return {"seconds": 1e-4 if who == "jax" else 2e-5, **SAME}
        case "recurrent", _, who, _:
            return {"seconds": 2e-2 if who == "jax" else 5e-5, "compile": 0.3, **SAME}
        case "language", "beside", size, *_:
            return {"ours": 5e-5, "hand": 2e-4, **({"tape": 2e-4} if size == "1" else {})}
        case "language", who, size:
            step = {"eager": 0.05, "torch": 1e-3, "single": 7e-5}.get(who, 5e-5 + 2e-6 * int(size))
            return {"step": step, "making": 0.1, "losses": [3.3, 3.2]}
        case ["layers", *_]:
            return {"ours": 1e-3, "jax": 2e-3}
        case ["handwritten", _]:
            return [{"function": "primal", "size": "n 64", "ours": 1e-5, "theirs": 2e-5}]
        case "checking", "mutations":
            return {"detected": 1390, "same": 285}
        case "checking", "expressions":
            return {"expressions": 10_000, "verdicts": {"ok": 99, "noise": 1}, "evaluations": 17}
        case "checking", "range":
            return {"every": {"ok": 9, "kink": 1}, "smooth": {"ok": 9}}
        case "checking", "kinks":
            return {"kink": 42}
        case "checking", "directions":
            return {"200": 55, "2000": 63}
        case "checking", _:
            return {"points": 126, "alarms": 25, "misses": 104}
    raise AssertionError(f"nothing measures {script} {args}")


def measured_by(monkeypatch: pytest.MonkeyPatch, measure: Callable[..., Any]) -> None:
    """Have all that is measured come from somewhere else."""
    for module in (
        benchmark,
        check_figures,
        compiler_figures,
        engine_figures,
        learning_figures,
    ):
        monkeypatch.setattr(module, "measure", measure)


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Return the function that runs the command on fake measurements, as if all was installed."""
    measured_by(monkeypatch, fake)
    monkeypatch.setattr(library, "find_spec", lambda module: module)

    def run(*argv: str) -> tuple[int, str, str]:
        code = main(argv)
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run


def only(monkeypatch: pytest.MonkeyPatch, **runs: Callable[..., Result]) -> None:
    """Replace the benchmarks."""
    made = {name: Benchmark(name, "group", f"about {name}", run) for name, run in runs.items()}
    monkeypatch.setattr(benchmarks, "BENCHMARKS", made)


def found(*figures: Figure) -> Callable[..., Result]:
    return lambda say: Result(list(figures))


def test_the_list_names_all_of_them(run: Run) -> None:
    code, out, err = run("--list")
    assert (code, err) == (OK, "")
    assert [line.split()[0] for line in out.splitlines() if line.startswith(" ")] == [*BENCHMARKS]
    assert {line for line in out.splitlines() if not line.startswith(" ")} == {
        benchmark.group for benchmark in BENCHMARKS.values()
    }
    assert max(map(len, out.splitlines())) <= 80


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["trainig"], "there is no benchmark 'trainig'; did you mean training"),
        (["moons", "xyz"], "there is no benchmark 'xyz'; --list has them all"),
        (["--frobnicate"], "there is no option --frobnicate"),
        (["--list", "--json"], "not allowed with argument"),
    ],
)
def test_what_is_not_there_is_refused_in_one_line(run: Run, words: list[str], problem: str) -> None:
    code, out, err = run(*words)
    assert (code, out, err.count("\n")) == (REFUSED, "", 1)
    assert problem in err


def test_what_is_slow_runs_by_its_name_or_its_groups() -> None:
    slow = {name for name, benchmark in BENCHMARKS.items() if benchmark.is_slow}
    assert slow == {"estimators", "expressions", "checkers"}
    assert {benchmark.name for benchmark in comparison.choose([])} == {*BENCHMARKS} - slow
    assert [benchmark.name for benchmark in comparison.choose(["checkers"])] == ["checkers"]
    assert slow < {benchmark.name for benchmark in comparison.choose(["gradcheck", "learning"])}


def test_the_help_begins_with_examples_and_fits_80_columns(run: Run) -> None:
    code, out, err = run("--help")
    assert (code, err) == (OK, "")
    assert out.startswith("examples:\n  python -m tests.benchmarks ")
    assert max(map(len, out.splitlines())) <= 80


def test_the_examples_of_the_help_choose_something() -> None:
    for line in EXAMPLES.splitlines()[1:]:
        words = shlex.split(line.strip().split("   ")[0])[3:]
        assert comparison.choose([word for word in words if not word.startswith("-")])


def test_every_benchmark_is_printed_in_80_columns(run: Run) -> None:
    code, data, err = run(*BENCHMARKS, "--json")
    assert (code, err) == (OK, "")
    results = json.loads(data)["benchmarks"]
    for name, result in results.items():
        assert result["figures"], name
        assert all(math.isfinite(figure["value"]) for figure in result["figures"]), name
    code, out, err = run(*BENCHMARKS)
    assert (code, err) == (OK, "")
    titles = [line.split()[0] for line in out.split("\n\n")[1:] if line[0].isalpha()]
    assert titles == [*BENCHMARKS]
    # In a pipe, sentences are not folded.
    notes = [f"  {note}" for result in results.values() for note in result["notes"]]
    sentences = ("  with ", *notes)
    assert max(len(line) for line in out.splitlines() if not line.startswith(sentences)) <= 80
    reached, wanted = re.findall(r"\n(\d+) of (\d+) wanted figures reached\n$", out)[0]
    assert reached == wanted


def test_a_comparison_is_a_table_of_ratios(run: Run) -> None:
    code, out, err = run("eager")
    assert (code, err) == (OK, "")
    assert out.splitlines()[2:] == [
        "",
        "eager   an eager step: MLP 2-16-16-1, ReLU, hinge loss, 100 points",
        "                                                 ms   ÷ nn.MLP   ÷ node by node",
        "  Chainrule, nn.MLP as shipped                 10.0        1.0              0.4",
        "  Chainrule, node by node                      25.0        2.5              1.0",
        "  micrograd                                   420.0       42.0             16.8",
        "",
        "        16.8 ×  as fast as micrograd, node by node                ≥ 8 ×  reached",
        "        42.0 ×  as fast as micrograd, nn.MLP as shipped          ≥ 40 ×  reached",
        f"  Chainrule's engine {default_engine()}",
        "",
        "2 of 2 wanted figures reached",
    ]


def test_a_bound_is_printed_in_short() -> None:
    accuracy = Figure(0.94, "%", "right", wanted=0.9417087 - 0.025)
    assert str(accuracy) == "94.0 % right (wanted ≥ 91.7 %)"
    assert Figure(1.0, "s", "", 0.0005, at_most=True).bound == "≤ 500 µs"


def test_json(run: Run) -> None:
    code, out, _ = run("--json", "moons")
    content = json.loads(out)
    assert code == OK
    assert [*content] == [
        "schema",
        "machine",
        "missing",
        "benchmarks",
        "failed",
        "interrupted",
    ]
    assert (content["missing"], content["failed"], content["interrupted"]) == ([], {}, False)
    moons = content["benchmarks"]["moons"]
    assert moons["seconds"][benchmark.ARRAY] == [6e-6] * benchmark.ROUNDS
    assert moons["figures"][1] == {
        "value": pytest.approx(5.0),
        "unit": "×",
        "label": "as fast as the best: ddx-ad",
        "wanted": 4,
        "bound": "at least",
        "reached": True,
    }


def test_a_missed_figure_is_said_and_no_failure(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    only(
        monkeypatch,
        one=found(
            Figure(3.9, "×", "as fast as a peer", 4), Figure(0.02, "s", "to start", 0.02, True)
        ),
        two=found(Figure(7.0, "bytes", "unwanted")),
    )
    code, out, err = run()
    assert (code, err) == (OK, "")
    assert "        3.90 ×  as fast as a peer" in out
    assert out.endswith(
        "\n1 of 2 wanted figures reached; missed:\n  one: 3.90 × as fast as a peer (wanted ≥ 4 ×)\n"
    )


def test_without_the_peers_ours_is_measured(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(library, "find_spec", lambda module: None)
    code, out, err = run()
    assert (code, err) == (OK, "")
    assert f"  not installed, so left out: {', '.join(NAMES.values())}\n" in out
    assert f"  to bring them: {BENCH}\n" in out
    assert "left out for want of scikit-learn, NumPy, llvmlite\n" in out
    assert "micrograd  " not in out
    assert "\n\n\n" not in out
    assert "144 bytes" in out
    content = json.loads(run("eager", "digits", "--json")[1])
    assert content["missing"] == [
        "micrograd",
        "JAX",
        "PyTorch",
        "scikit-learn",
        "NumPy",
        "llvmlite",
    ]
    assert [*content["benchmarks"]] == ["eager"]
    assert content["benchmarks"]["eager"]["figures"] == []


def test_ctrl_c_leaves_what_there_is(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(say: Any) -> Result:
        raise KeyboardInterrupt

    only(
        monkeypatch,
        one=found(Figure(5.0, "×", "as fast", 4)),
        two=interrupted,
        three=found(Figure(1.0, "×", "never measured")),
    )
    code, out, err = run()
    assert code == INTERRUPTED
    assert err == "benchmarks: interrupted; what is not above was not measured\n"
    assert out.endswith("\n1 of 1 wanted figures reached\n")
    assert "never measured" not in out
    code, out, _ = run("--json")
    content = json.loads(out)
    assert (code, content["interrupted"], [*content["benchmarks"]]) == (INTERRUPTED, True, ["one"])


def test_a_measurement_that_fails_does_not_end_the_run(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(say: Any) -> Result:
        raise MeasurementError("python -m x fails: no")

    only(monkeypatch, one=failing, two=found(Figure(5.0, "×", "as fast", 4)))
    code, out, err = run()
    assert (code, err) == (WRONG, "benchmarks: one: python -m x fails: no\n")
    assert "one   about one\n  could not be measured\n" in out
    assert "1 of 1 wanted figures reached" in out
    assert json.loads(run("--json")[1])["failed"] == {"one": "python -m x fails: no"}


def test_a_peer_that_fails_is_left_out_and_said(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def without_gcc(script: str, *args: Any, **environment: str) -> Any:
        if "casadi map" in args:
            raise MeasurementError("no gcc")
        return fake(script, *args, **environment)

    measured_by(monkeypatch, without_gcc)
    code, out, err = run("moons")
    assert (code, err) == (OK, "")
    assert "  CasADi, mapped left out: no gcc\n" in out
    assert "  CasADi, matrices  " in out
    assert "3 of 3 wanted figures reached" in out


def test_who_computes_something_else_is_no_contender(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def wrong(script: str, *args: Any, **environment: str) -> Any:
        measured = fake(script, *args, **environment)
        return measured | {"gradient": [0.5, math.nan]} if "jax" in args else measured

    measured_by(monkeypatch, wrong)
    code, _, err = run("digits")
    assert code == WRONG
    assert "JAX, 1 thread computes another value or gradient than the engine" in err


def test_contenders_take_turns() -> None:
    order: list[str] = []
    said: list[str] = []

    def contender(name: str) -> Contender:
        return Contender(name, lambda i: order.append(f"{name}{i}") or {"seconds": 1.0 + i})

    contest = hold([contender("a"), contender("b")], 3, said.append, typical=min)
    assert order == ["a0", "b0", "a1", "b1", "a2", "b2"]
    assert said[-1] == "b, round 3 of 3"
    assert contest.seconds("a") == 1.0


def test_a_process_that_fails_says_how_to_see_more() -> None:
    with pytest.raises(MeasurementError) as caught:
        measure("engine", "no such thing")
    assert str(caught.value) == (
        "python -m tests.benchmarks.engine 'no such thing' fails: KeyError: 'no such thing'"
    )


def test_progress_is_one_line_of_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    class Screen(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr(sys, "stderr", Screen())
    monkeypatch.setattr(progress, "monotonic", iter([0.0, 61.0, 125.0]).__next__)
    shown = progress.Progress()
    shown.say("moons", "JAX")
    shown.say("x", "y")
    shown.clear()
    # The shorter line covers the longer one, and in the end nothing is left.
    lines = shown.stream.getvalue().split("\r")  # type: ignore[attr-defined]
    assert lines == ["", "1:01  moons: JAX", "2:05  x: y      ", " " * 10, ""]


@pytest.mark.parametrize(
    ("op", "args", "shows"),
    [("exp", (1.0,), True), ("exp", (-740.0,), False), ("div", (-6.64e238, 2.3e-172), False)],
)
def test_what_overflows_is_nothing_that_differences_can_show(
    op: str, args: tuple[float, ...], shows: bool
) -> None:
    assert is_representable(TABLE[op], args, len(args) - 1) is shows
