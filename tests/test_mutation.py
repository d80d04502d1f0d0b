"""The runner of mutants: every kind of mistake is made, and what no test notices is told."""

from __future__ import annotations

import ast
import subprocess
import sys
import textwrap
import tomllib
from pathlib import Path

import pytest

from tests.mutation.__main__ import REASONS, ROOT, core, module_of, sample
from tests.mutation.laboratory import _codes, _key
from tests.mutation.logbook import Logbook
from tests.mutation.mutants import mutants_of
from tests.mutation.probes import NAME, Probe, probed
from tests.mutation.reach import Reach

SOURCE = '''
"""A module."""
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    x = 1 + 2

__slots__ = (1,)
rule = lambda y, x: -y * 2.0


def f(a: Literal[1], b: int = 0) -> Literal[2]:
    """Say something."""
    assert a < 3
    if a < b and not b:
        raise ValueError(f"{a + b}")
    for x in zip(a, b, strict=True):
        a[0] = max(f(x, b), 3)
        a.clear()
        continue
    a += b
    return a
'''


def changes(tmp_path: Path, source: str) -> list[str]:
    path = tmp_path / "m.py"
    path.write_text(source, encoding="utf-8")
    return [f"{m.scope}|{m.kind}|{m.before}|{m.after}" for m in mutants_of(path, "m")]


def test_every_kind_of_mistake_is_made_and_nothing_else(tmp_path: Path) -> None:
    assert sorted(changes(tmp_path, SOURCE)) == sorted(
        [
            "|arithmetic|-y * 2.0|-y / 2.0",
            "|sign|-y|y",
            "|constant|-y * 2.0|-y * 3.0",
            "f|constant|a: Literal[1], b: int=0|a: Literal[1], b: int=1",
            "f|condition|if a < b and (not b): raise ValueError(f'{a + b}')"
            "|if not (a < b and (not b)): raise ValueError(f'{a + b}')",
            "f|boolean|a < b and (not b)|a < b or not b",
            "f|comparison|a < b|a <= b",
            "f|sign|not b|b",
            "f|statement|raise ValueError(f'{a + b}')|pass",
            "f|order|zip(a, b, strict=True)|zip(b, a, strict=True)",
            "f|statement|a[0] = max(f(x, b), 3)|pass",
            "f|constant|a[0]|a[1]",
            "f|constant|max(f(x, b), 3)|max(f(x, b), 4)",
            "f|order|f(x, b)|f(b, x)",
            "f|statement|a.clear()|pass",
            "f|statement|continue|pass",
            "f|arithmetic|a += b|a -= b",
            "f|statement|a += b|pass",
            "f|return|return a|return None",
        ]
    )


def test_a_mutant_runs_and_leaves_the_others_as_they_were(tmp_path: Path) -> None:
    path = tmp_path / "m.py"
    path.write_text("rule = lambda x, y: x - y\nodd = [3, 5]\n", encoding="utf-8")
    values = []
    for mutant in mutants_of(path, "m"):
        names: dict[str, object] = {}
        exec(mutant.code(), names)
        values.append((names["rule"](5, 3), names["odd"]))  # type: ignore[operator]
        assert ast.unparse(mutant.tree) == ast.unparse(ast.parse(path.read_text()))
    assert values == [(8, [3, 5]), (2, [4, 5]), (2, [3, 6])]


PROBED = '''
def f(x):
    """Say something."""
    if x:
        return [
            y for y in "ab"
        ]
    for _ in "a":
        x = max(
            x, 1
        )
    else:
        match x:
            case 1:
                x = (lambda y: y,
                     lambda y:
                        -y)[1](x)
    return x
'''


def lines_passed(path: Path, x: int) -> tuple[object, set[int]]:
    probes: list[Probe] = []
    reached = bytearray(99)
    names: dict[str, object] = {NAME: reached}
    exec(probed(path, probes), names)
    result = names["f"](x)  # type: ignore[operator]
    assert names["f"].__doc__ == "Say something."
    passed = (range(p.first, p.last + 1) for p, hit in zip(probes, reached, strict=False) if hit)
    return result, {line for lines in passed for line in lines}


def test_probes_tell_which_lines_are_run(tmp_path: Path) -> None:
    path = tmp_path / "m.py"
    path.write_text(PROBED, encoding="utf-8")
    assert lines_passed(path, 7) == (["a", "b"], {4, 5, 6, 7})
    lines = {4, *range(8, 19)} - {12, 14}  # but else and case
    assert lines_passed(path, 0) == (-1, lines)


@pytest.mark.long
def test_functions_with_probes_are_found_again() -> None:
    """Each by where its result stands: one that is not would never be said to be reached."""
    for path in core():
        plain = compile(path.read_text(encoding="utf-8"), str(path), "exec", dont_inherit=True)
        codes = [_key(code) for code in _codes(plain)]
        assert len(set(codes)) == len(codes), "two lambdas would be taken for one"
        assert codes == [_key(code) for code in _codes(probed(path, []))]
        for mutant in mutants_of(path, "m")[::40]:
            found = {_key(code) for code in _codes(mutant.code()) if "comp>" not in code.co_name}
            lost = {key for key in found.difference(codes) if not key[0].endswith("<genexpr>")}
            assert not lost, f"{mutant.name} would never be run"


def test_tests_that_pass_there_come_first_then_those_of_the_file(tmp_path: Path) -> None:
    m, n = tmp_path / "m.py", tmp_path / "n.py"
    m.write_text("def f():\n    pass\ng = lambda: 1\nsqrt = g\n", encoding="utf-8")
    n.write_text("x = 1\n", encoding="utf-8")
    probes = [Probe(str(m), 1, 2), Probe(str(m), 3, 3), Probe(str(n), 1, 9)]
    seconds = {"slow": 2.0, "wide": 1.0, "quick": 1.0, "failed": 0.1, "a::of[sqrt]": 5.0}
    passed = {"slow": 0b001, "wide": 0b110, "quick": 0b010, "a::of[sqrt]": 0b001}
    reach = Reach(probes, seconds, {test: passed[test] for test in ("slow", "wide", "quick")})
    assert reach.of(m, (2, 3), 9.0) == ["quick", "slow", "wide"]
    assert reach.of(m, (3, 3), 9.0) == ["quick", "wide", "slow"]
    assert reach.of(m, (3, 3), 2.5) == ["quick", "wide"]
    assert reach.of(m, (9, 9), 0.5) == ["quick"]
    assert reach.of(m, (2, 3), 9.0, files=1) == ["quick"]
    assert reach.of(n, (10, 10), 9.0) == ["wide"]
    assert Reach(probes, seconds, passed).of(m, (4, 4), 9.0) == [
        "a::of[sqrt]",
        "quick",
        "wide",
        "slow",
    ]


def test_what_is_run_at_import_is_for_the_tests_that_are_named_for_it(tmp_path: Path) -> None:
    table, user = tmp_path / "table.py", tmp_path / "user.py"
    table.write_text("ROWS = 3\nsqrt = 4\n", encoding="utf-8")
    user.write_text("from house.table import ROWS\ndef f():\n    pass\n", encoding="utf-8")
    tests = ["a::quick", "b::other[sqrt]", "tests/test_table.py::slow[sqrt]"]
    seconds = {test: 1.0 + i for i, test in enumerate(tests)}
    of_user = Reach([Probe(str(user), 2, 3)], seconds, dict.fromkeys(tests, 1))
    assert of_user.of(table, (2, 2), 9.0) == tests[::-1]
    of_table = Reach([Probe(str(table), 9, 9)], seconds, dict.fromkeys(tests, 1))
    assert of_table.of(table, (1, 1), 9.0) == [tests[2], tests[0], tests[1]]


def test_a_change_elsewhere_leaves_the_sample_as_it_is(tmp_path: Path) -> None:
    first, second = tmp_path / "a.py", tmp_path / "b.py"
    first.write_text("".join(f"x{i} = {i} + y\n" for i in range(50)), encoding="utf-8")
    second.write_text("z = 5\n", encoding="utf-8")
    before = sample([*mutants_of(first, "a"), *mutants_of(second, "b")], 60, seed=0)
    second.write_text("z = 7 * u\n", encoding="utf-8")
    after = sample([*mutants_of(first, "a"), *mutants_of(second, "b")], 60, seed=0)
    assert len({m.name for m in before} & {m.name for m in after}) >= 57
    other = sample(mutants_of(first, "a"), 60, seed=1)
    assert {m.name for m in other} != {m.name for m in sample(mutants_of(first, "a"), 60, seed=0)}


def test_a_run_that_was_cut_off_goes_on_and_another_one_has_hints(tmp_path: Path) -> None:
    (tmp_path / "m.py").write_text("rule = lambda x, y: x - y\nodd = [3, 5]\n", encoding="utf-8")
    first, second, third = mutants_of(tmp_path / "m.py", "m")
    book = Logbook(tmp_path / "log", "then")
    book.add(first, "a::test")
    book.add(second, "")
    book = Logbook(tmp_path / "log", "then")
    assert [book.killer(mutant) for mutant in (first, second, third)] == ["a::test", "", None]
    book = Logbook(tmp_path / "log", "now")
    assert book.killer(first) is None
    assert book.with_hint(first, ["b::test", "a::test", "c"]) == ["a::test", "b::test", "c"]
    assert book.with_hint(second, ["b::test", "a::test"]) == ["b::test", "a::test"]


@pytest.mark.long
def test_reasons_are_of_mutants_that_there_are() -> None:
    """A reason for what is no longer written there would excuse what nobody has looked at."""
    if not (ROOT / "autograd").exists():
        pytest.skip("a wheel is tested")
    names = {mutant.name for path in core() for mutant in mutants_of(path, module_of(path))}
    reasons = tomllib.loads(REASONS.read_text(encoding="utf-8"))
    assert all(reasons.values())
    assert not [name for name in reasons if name not in names]


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="needs fork")
def test_a_mutant_is_told_from_the_module(tmp_path: Path) -> None:
    """In a project of its own: one mutant falls, the other lives."""
    (tmp_path / "core.py").write_text(
        "LIMIT = 2\ndef f(x):\n    return 2 * x + 0\nrules = lambda x: x + 1, lambda x: x / 1\n",
        encoding="utf-8",
    )
    (tmp_path / "test_core.py").write_text(
        "import core\n"
        "def test_f():\n    assert core.f(3) == 6\n"
        "def test_limit():\n    assert core.f(core.LIMIT) == 4\n"
        "def test_rules():\n    assert [rule(2) for rule in core.rules] == [3, 2]\n",
        encoding="utf-8",
    )
    script = f"""
        import os, sys
        sys.path[:0] = [{str(tmp_path)!r}, {str(ROOT)!r}]
        os.chdir({str(tmp_path)!r})
        from pathlib import Path
        from tests.mutation.__main__ import find_killers
        from tests.mutation.logbook import Logbook
        from tests.mutation.mutants import mutants_of
        path = Path({str(tmp_path / "core.py")!r})
        mutants = mutants_of(path, "core")
        logbook = Logbook(Path("logbook"), "")
        find_killers(mutants, [path], ["test_core.py"], Path("reach.json"), logbook, 2)
        for mutant in mutants:
            print("falls" if logbook.killer(mutant) else "lives", mutant.kind, mutant.after)
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines() == [
        "6 live on where they are; 6 are imported anew",
        "falls constant LIMIT = 3",
        "falls return return None",
        "lives arithmetic 2 * x - 0",
        "falls arithmetic 2 / x",
        "falls constant 3 * x",
        "falls constant 2 * x + 1",
        "falls arithmetic x - 1",
        "falls constant x + 2",
        "lives arithmetic x * 1",
        "falls constant x / 2",
    ]
