"""The pytest plugin: a `gradcheck` fixture, a mark of the same name, and artifacts of failures.

It is installed outside of the package, as the module ``chainrule_pytest``: so
the package itself is imported by the first test that asks for it, and not at every start.
"""

from __future__ import annotations

import os
import re
import unittest
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

SECTION = "gradcheck"

PROPERTY = "gradcheck"
"""What a test's verdicts are called in JUnit's XML."""

BLAME = "gradcheck-blame"
"""The property that says which line a check blames, for annotations."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options, in a group of their own."""
    group = parser.getgroup("chainrule", "gradient checks (chainrule)")
    group.addoption(
        "--gradcheck-artifacts",
        metavar="DIR",
        type=Path,
        help="save each failed gradient check under DIR: as a program, its report, and the "
        "graph with the wrong edge in red",
    )
    group.addoption(
        "--gradcheck-seed",
        metavar="N",
        type=int,
        help="seed of random directions (default: --hypothesis-seed if given, else 0)",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Declare the mark."""
    config.addinivalue_line(
        "markers",
        "gradcheck(order=1, rtol=None, atol=None, seed=0, strict=False): check the gradient of "
        "the value that the test returns, at the defaults of its parameters; with the gradcheck "
        "fixture, options for its checks. strict fails unless every input is confirmed.",
    )


class Checker:
    """What the fixture hands out: ``gradcheck(f, *args)``, which fails the test if wrong."""

    def __init__(self, config: pytest.Config) -> None:
        self._seed = _seed(config)
        self.options: dict[str, Any] = {}
        self.report: Any = None

    def __call__(self, f: Callable[..., Any], *args: Any, **options: Any) -> Any:
        """Return the report of a check that found nothing wrong; see `autograd.gradcheck`."""
        from autograd.checking.check import gradcheck

        options = {"seed": self._seed} | self.options | options
        strict = options.pop("strict", False)
        self.report = report = gradcheck(f, *args, **options)
        report.raise_if_wrong(strict)
        return report


# For the whole session, because Hypothesis frowns on fixtures that are not reset per example.
@pytest.fixture(scope="session")
def gradcheck(request: pytest.FixtureRequest) -> Checker:
    """Compare a gradient with differences: ``gradcheck(f, *args)``, as `autograd.gradcheck`."""
    return _checker(request.config)


_checkers: pytest.StashKey[Checker] = pytest.StashKey()


def _checker(config: pytest.Config) -> Checker:
    if _checkers not in config.stash:
        _refuse_other_package()
        config.stash[_checkers] = Checker(config)
    return config.stash[_checkers]


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> object:
    """Check the gradient of a marked test; only pass the options on if it uses the fixture."""
    mark = pyfuncitem.get_closest_marker("gradcheck")
    if mark is None:
        return None
    if mark.args:
        raise pytest.UsageError(
            "mark.gradcheck takes options by name; the point is the defaults of the test's "
            "parameters: def test_f(x=2.0): return x * x"
        )
    checker = _checker(pyfuncitem.config)
    fixtures = {name: pyfuncitem.funcargs[name] for name in pyfuncitem._fixtureinfo.argnames}
    if "gradcheck" in pyfuncitem.fixturenames:
        checker.options = dict(mark.kwargs)
        try:
            pyfuncitem.obj(**fixtures)
        finally:
            checker.options = {}
        return True
    if getattr(pyfuncitem.obj, "is_hypothesis_test", False):
        raise pytest.UsageError(
            f"{pyfuncitem.name} draws its arguments, and the mark checks at defaults: ask for the "
            "fixture instead, as in def test_f(gradcheck, x): gradcheck(f, x)"
        )
    point = _defaults(pyfuncitem.obj)
    if not point:
        raise pytest.UsageError(
            f"{pyfuncitem.name} has nothing to check: give its parameters defaults, as in "
            "def test_f(x=2.0): return x * x, or ask for the fixture gradcheck"
        )

    def f(*args: Any) -> Any:
        return pyfuncitem.obj(**fixtures, **dict(zip(point, args, strict=True)))

    f.__name__ = pyfuncitem.name
    checker(f, *(_labelled(name, x) for name, x in point.items()), **mark.kwargs)
    return True


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Refuse the mark where it would check nothing."""
    cls = getattr(item, "cls", None)
    if cls and issubclass(cls, unittest.TestCase) and item.get_closest_marker("gradcheck"):
        raise pytest.UsageError(
            f"mark.gradcheck does nothing for a method of unittest.TestCase, here {item.name}: "
            "make it a function, or call autograd.gradcheck in it"
        )


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """Keep the verdicts for JUnit; save a failed check, and say where."""
    failed = _report_of(call.excinfo.value) if call.when == "call" and call.excinfo else None
    checker = item.config.stash.get(_checkers, None)
    last = checker.report if checker and call.when == "call" else None
    if checker:
        checker.report = None
    if (report := failed or last) is not None:
        item.user_properties.append((PROPERTY, str(report)))
        if failed is not None and call.excinfo:
            item.user_properties.append((BLAME, _blame(failed, item, call.excinfo)))
    result: Any = yield
    directory = item.config.getoption("--gradcheck-artifacts")
    if failed is not None and directory:
        result.sections.append((SECTION, _saved(failed, directory, item.nodeid)))
    return result  # type: ignore[no-any-return]


def _blame(report: Any, item: pytest.Item, error: pytest.ExceptionInfo[BaseException]) -> str:
    """Return the line of the wrong op, that of the check if no op is known, and what is wrong."""
    if report.culprit is not None:
        return f"{report.culprit.where}|{report.culprit}"
    lines = [entry.lineno + 1 for entry in error.traceback if entry.path == item.path]
    line = lines[-1] if lines else (item.location[1] or 0) + 1
    wrong = [check for check in report.inputs if check.verdict == "wrong"]
    what = "not every input could be confirmed"
    if wrong:
        what = "{0.label}: {0.analytic:.9g}, differences give {0.numeric:.9g}".format(wrong[0])
    return f"{item.path}:{line}|{what}"


def _saved(report: Any, directory: Path, test: str) -> str:
    """Save a failed check, and return where; or why that is not possible."""
    from autograd.testing.artifacts import save

    folder = directory / re.sub(r"[^\w.\[\]-]+", "_", test)
    try:
        names = ", ".join(path.name for path in save(report, folder))
    except OSError as error:
        return f"nothing could be saved under {folder}: {error}"
    return f"saved under {folder}: {names}"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Annotate the lines of wrong rules and of failed checks where GitHub runs the tests."""
    if os.environ.get("GITHUB_ACTIONS") != "true":
        return
    for report in terminalreporter.stats.get("failed", []):
        for name, blame in report.user_properties:
            if name == BLAME:
                where, _, what = blame.partition("|")
                path, _, line = where.rpartition(":")
                place = f" file={path},line={line}" if line.isdecimal() else ""
                terminalreporter.write_line(f"::error{place}::{_escaped(what)}")


def _escaped(text: str) -> str:
    """Return a message as GitHub's workflow commands want it, on one line."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _report_of(error: BaseException) -> Any:
    """Return the report that a failure carries, also inside a group; None if there is none."""
    if type(error).__name__ == "GradientError":
        return getattr(error, "report", None)
    for inner in getattr(error, "exceptions", ()):
        if (found := _report_of(inner)) is not None:
            return found
    return None


def _defaults(test: Callable[..., Any]) -> dict[str, Any]:
    """Return the parameters that have defaults: pytest leaves them to the function."""
    from inspect import Parameter, signature

    parameters = signature(test).parameters.values()
    return {p.name: p.default for p in parameters if p.default is not Parameter.empty}


def _labelled(name: str, x: Any) -> Any:
    from autograd import Value

    if isinstance(x, list | tuple):
        return [_labelled(f"{name}[{i}]", item) for i, item in enumerate(x)]
    return Value(x, name)


def _seed(config: pytest.Config) -> int:
    seed = config.getoption("--gradcheck-seed")
    if seed is None:
        seed = config.getoption("--hypothesis-seed", default=None)
    try:
        return int(seed or 0)
    except ValueError:  # --hypothesis-seed=random
        return 0


def _refuse_other_package() -> None:
    """Fail, with the commands that mend it, if another project has replaced the package."""
    try:
        from autograd.conflict import describe_conflict
    except ImportError:
        problem = (
            "the package 'autograd' here is not that of chainrule: "
            "pip install --force-reinstall chainrule"
        )
    else:
        problem = describe_conflict()
    if problem:
        pytest.fail(problem, pytrace=False)
