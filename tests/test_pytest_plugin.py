"""The pytest plugin, in test runs of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

import autograd

pytest_plugins = ["pytester"]

# In the checkout the plugin is a file of the package; a wheel has it outside, as pytest loads it.
FOUND = find_spec("autograd.testing.pytest_plugin") or find_spec("chainrule_pytest")
assert FOUND is not None
assert FOUND.origin is not None
PLUGIN = Path(FOUND.origin)

# The plugin of an installed distribution would be a second one with the same options.
OURS = ("-p", "no:chainrule", "-p", FOUND.name, "-p", "no:cacheprovider")

# In an editable installation the doctests have imported the plugin by then, not rewritten.
IMPORTED = "ignore::pytest.PytestAssertRewriteWarning"

WRONG = """
    import pytest
    from autograd import Op, Value, tanh

    wrong = Op("wrong_square", lambda x: x * x, (lambda y, x: 2.001 * x,))

    @pytest.fixture(autouse=True, scope="module")
    def forget():
        yield
        from autograd import TABLE
        del TABLE["wrong_square"]
"""


@pytest.fixture
def run(pytester: pytest.Pytester):
    def run(source: str, *options: str) -> pytest.RunResult:
        pytester.makepyfile(source)
        return pytester.runpytest(*OURS, "-W", "error", "-W", IMPORTED, *options)

    return run


def test_the_fixture_passes_what_is_right_and_fails_what_is_wrong(run) -> None:
    result = run(
        WRONG
        + """
    def test_right(gradcheck):
        report = gradcheck(lambda x, y: x * tanh(y), 2.0, 0.5)
        assert report.ok

    def test_wrong(gradcheck):
        gradcheck(lambda x: wrong(x) + 1, 3.0)
    """
    )
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["*GradientError*", "*first wrong op: wrong_square: d/dx = 2.001*"])


@pytest.mark.long
def test_the_mark_checks_what_the_test_returns(run) -> None:
    result = run(
        WRONG
        + """
    @pytest.fixture
    def factor():
        return 3.0

    @pytest.mark.gradcheck
    def test_right(factor, x=2.0, v=[0.5, 1.0]):
        return factor * x * tanh(v[0]) + v[1]

    @pytest.mark.gradcheck(order=2)
    def test_second_order(x=2.0):
        return x**3

    @pytest.mark.gradcheck
    def test_wrong(x=3.0):
        return wrong(x)

    @pytest.mark.gradcheck(rtol=0.01)
    def test_tolerated(x=3.0):
        return wrong(x)

    @pytest.mark.gradcheck(rtol=0.01)
    def test_options_for_the_fixture(gradcheck):
        gradcheck(wrong, 3.0)

    def test_options_are_gone(gradcheck):
        with pytest.raises(AssertionError):
            gradcheck(wrong, 3.0)
    """
    )
    result.assert_outcomes(passed=5, failed=1)


def test_a_mark_that_can_check_nothing_says_so(run) -> None:
    result = run(
        """
    import pytest

    @pytest.mark.gradcheck
    def test_nothing():
        pass

    @pytest.mark.gradcheck(2.0)
    def test_positional(x=1.0):
        return x
    """
    )
    result.assert_outcomes(failed=2)
    result.stdout.fnmatch_lines(["*has nothing to check*", "*takes options by name*"])


@pytest.mark.long
def test_artifacts(run, pytester: pytest.Pytester) -> None:
    result = run(
        WRONG
        + """
    def test_wrong(gradcheck):
        gradcheck(lambda x, y: tanh(wrong(x) * y), 1.5, 0.25)

    def test_right(gradcheck):
        gradcheck(lambda x: tanh(x), 1.5)
    """,
        "--gradcheck-artifacts=failures",
    )
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["*saved under failures*test_wrong*"])
    (folder,) = (pytester.path / "failures").iterdir()
    assert folder.name == "test_artifacts.py_test_wrong"
    document = json.loads((folder / "report.json").read_text())
    assert document["inputs"][0]["verdict"] == "wrong"
    assert document["inputs"][0]["culprit"]["op"] == "wrong_square"
    assert "first wrong op: wrong_square" in (folder / "report.txt").read_text()
    red = [line for line in (folder / "graph.dot").read_text().splitlines() if "#cf222e" in line]
    assert [line.split(" [")[0].strip() for line in red] == ["n0 -> n1op"]
    if (folder / "graph.svg").exists():  # where Graphviz is installed
        assert "cf222e" in (folder / "graph.svg").read_text()
    # The saved program needs the user's row, and says so; with it, it finds the same.
    program = folder / "program.py"
    text = program.read_text()
    needed = "# import the module that defines the row 'wrong_square'"
    assert needed in text
    row = 'from autograd import Op\nOp("wrong_square", lambda x: x * x, (lambda y, x: 2.001 * x,))'
    program.write_text(text.replace(needed, row))
    root = str(Path(autograd.__file__).parent.parent)
    done = subprocess.run(
        [sys.executable, program],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": root},
    )
    assert "first wrong op: wrong_square" in done.stdout


@pytest.mark.long
def test_artifacts_of_a_property_are_of_the_shrunken_example(run, pytester) -> None:
    result = run(
        WRONG
        + """
    from hypothesis import given
    from autograd.testing.strategies import expressions

    @given(expressions(ops=["add", "wrong_square"]))
    def test_rows(gradcheck, program):
        gradcheck(program, *program.inputs)
    """,
        "--gradcheck-artifacts=failures",
        "--hypothesis-seed=3",
    )
    result.assert_outcomes(failed=1)
    (folder,) = (pytester.path / "failures").iterdir()
    text = (folder / "program.py").read_text()
    assert text.count("    v") == 1  # one node
    result.stdout.fnmatch_lines(["*def f(v0):"])


@pytest.mark.long
def test_the_seed_of_hypothesis_is_the_seed_of_directions(run) -> None:
    source = """
    def test_seed(gradcheck, request):
        report = gradcheck(lambda v: sum(v[1:], v[0]) ** 2, [0.01] * 300)
        assert len(report.inputs) == 3
        print("analytic", report.inputs[0].analytic)
    """
    seen = {
        options: run(source, "-s", *options).stdout.str().partition("analytic ")[2].split()[0]
        for options in [
            (), ("--hypothesis-seed=0",), ("--hypothesis-seed=5",), ("--gradcheck-seed=5",),
            ("--hypothesis-seed=random",),
        ]
    }  # fmt: skip
    first, zero, five, own, anyhow = seen.values()
    assert first == zero == anyhow != five == own


@pytest.mark.long
def test_starting_pytest_does_not_import_the_package(pytester: pytest.Pytester) -> None:
    """The installed copy, ``chainrule_pytest``, lies outside of the package."""
    pytester.makepyfile(chainrule_pytest=PLUGIN.read_text())
    pytester.makepyfile(
        """
    import sys

    def test_lazy():
        assert not any(name.split(".")[0] in ("autograd", "hypothesis") for name in sys.modules)
    """
    )
    pytester.syspathinsert()
    result = pytester.runpytest_subprocess(
        *OURS[:2], "-p", "chainrule_pytest", "-p", "no:hypothesispytest"
    )
    result.assert_outcomes(passed=1)


@pytest.mark.long
def test_another_project_in_the_package_is_named(pytester: pytest.Pytester) -> None:
    conflict = Path(autograd.__file__).with_name("conflict.py")
    package = pytester.mkpydir("autograd")
    (package / "conflict.py").write_text(conflict.read_text())
    pytester.makepyfile(chainrule_pytest=PLUGIN.read_text())
    pytester.makepyfile("def test_f(gradcheck): gradcheck(lambda x: x * x, 2.0)")
    pytester.syspathinsert()
    options = (*OURS[:2], "-p", "chainrule_pytest")
    result = pytester.runpytest_subprocess(*options)
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(
        ["*has replaced the package 'autograd'*pip uninstall autograd && pip install*"]
    )
    (package / "conflict.py").unlink()
    result = pytester.runpytest_subprocess(*options)
    result.stdout.fnmatch_lines(["*is not that of chainrule: pip install --force-reinstall*"])


def test_a_row_that_is_checked_itself_is_placed_in_the_test(run) -> None:
    result = run(
        WRONG
        + """
    def test_wrong(gradcheck):
        gradcheck(wrong, 3.0)
    """
    )
    result.stdout.fnmatch_lines(["*first wrong op: wrong_square*node * at *test_a_row*.py:*"])


@pytest.mark.long
def test_strict_asks_for_every_input(run) -> None:
    result = run(
        """
    import pytest
    from autograd import sin

    def f(x, y):
        return sin(x) + y

    def test_loose(gradcheck):
        gradcheck(f, 1e20, 1.0)

    def test_strict(gradcheck):
        gradcheck(f, 1e20, 1.0, strict=True)

    @pytest.mark.gradcheck(strict=True)
    def test_strict_mark(x=1e20, y=1.0):
        return f(x, y)

    def test_nothing_confirmed(gradcheck):
        gradcheck(sin, 1e20)
    """
    )
    result.assert_outcomes(passed=1, failed=3)
    result.stdout.fnmatch_lines(["*not every input could be confirmed*", "*no input could be*"])


def test_a_mark_that_would_be_passed_over_says_so(run) -> None:
    result = run(
        """
    import unittest
    import pytest
    from hypothesis import given, strategies

    class TestOld(unittest.TestCase):
        @pytest.mark.gradcheck
        def test_method(self):
            pass

    @pytest.mark.gradcheck
    @given(x=strategies.floats(0, 1))
    def test_drawn(x):
        return x * x
    """
    )
    result.assert_outcomes(failed=1, errors=1)
    result.stdout.fnmatch_lines(["*method of unittest.TestCase*", "*ask for the fixture*"])


def test_artifacts_of_what_is_wrong_at_order_2_only(run, pytester: pytest.Pytester) -> None:
    result = run(
        WRONG
        + """
    bent = Op("bent2", lambda x: x * x * x, (lambda y, x: 3 * x * x + (x - 2),))

    def test_order(gradcheck):
        gradcheck(lambda x: bent(x) + 1, 2.0, order=2)
    """,
        "--gradcheck-artifacts=failures",
    )
    result.assert_outcomes(failed=1)
    (folder,) = (pytester.path / "failures").iterdir()
    assert "#cf222e" not in (folder / "graph.dot").read_text()
    assert "order=2" in (folder / "program.py").read_text()


def test_a_folder_that_cannot_be_written_fails_no_other_test(run, pytester) -> None:
    (pytester.path / "failures").write_text("in the way")
    result = run(
        """
    def test_wrong(gradcheck):
        gradcheck(lambda v: v[0] ** 2 + v[1] ** 2, [1.0, 2.0], gradient=[2.0, 5.0])

    def test_right(gradcheck):
        gradcheck(lambda x: x * x, 1.0)
    """,
        "--gradcheck-artifacts=failures",
    )
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["*nothing could be saved under failures*"])


def test_the_point_of_a_function_without_a_graph_is_saved(run, pytester) -> None:
    run(
        """
    def test_wrong(gradcheck):
        gradcheck(lambda v: v[0] ** 2 + v[1] ** 2, [1.0, 2.0], gradient=[2.0, 5.0])
    """,
        "--gradcheck-artifacts=failures",
    )
    (folder,) = (pytester.path / "failures").iterdir()
    document = json.loads((folder / "report.json").read_text())
    assert document["point"] == {"v[0]": 1.0, "v[1]": 2.0}


def test_what_ci_reads(run, pytester: pytest.Pytester, monkeypatch) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    result = run(
        WRONG
        + """
    def test_wrong(gradcheck):
        gradcheck(lambda x: wrong(x), 3.0)

    def test_given(gradcheck):
        v = [1.0, 2.0]
        gradcheck(lambda v: v[0] * v[1], v, gradient=[2.0, 5.0])
    """,
        "--junitxml=junit.xml",
    )
    lines = (pytester.path / "test_what_ci_reads.py").read_text().splitlines()
    number = 1 + next(i for i, line in enumerate(lines) if "gradient=" in line)
    result.stdout.fnmatch_lines(
        [
            "::error file=*test_what_ci_reads.py,line=*::wrong_square: *",
            f"::error file=*test_what_ci_reads.py,line={number}::v[[]1]: 5, differences give 1",
        ]
    )
    assert 'name="gradcheck" value="input' in (pytester.path / "junit.xml").read_text()
