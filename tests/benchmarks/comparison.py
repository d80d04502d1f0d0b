"""What is chosen of the benchmarks, and what is printed of it."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from autograd import __version__
from autograd.command.parser import Parser
from autograd.command.terminal import Terminal, as_json, percent
from autograd.command.usage import INTERRUPTED, OK, WRONG, UsageError
from autograd.stepping.notation import aligned

if TYPE_CHECKING:
    from tests.benchmarks.benchmark import Benchmark, Result
    from tests.benchmarks.contest import Contest
    from tests.benchmarks.figure import Figure

NAME, TIME = 37, 9
"""Least widths of the first two columns of a comparison, so that they stand below each other."""


def add_options(parser: Parser) -> None:
    """Add the words and options of the command to its parser."""
    parser.add_argument(
        "names",
        metavar="NAME",
        nargs="*",
        help="what to measure, or a group, as --list has them (default: all but what is slow)",
    )
    forms = parser.add_mutually_exclusive_group()
    forms.add_argument("--list", action="store_true", help="print what can be measured")
    forms.add_argument("--json", action="store_true", help="print the figures as JSON")


def run(args: argparse.Namespace) -> int:
    """Measure, print, and return the exit code.

    Raises:
        UsageError: a name is neither a benchmark nor a group.
    """
    from tests.benchmarks.benchmarks import BENCHMARKS

    chosen = choose(args.names)
    terminal = Terminal()
    if args.list:
        _print_list(terminal, list(BENCHMARKS.values()))
        return OK
    from tests.benchmarks import library

    needed = [module for benchmark in chosen for module in benchmark.needs + benchmark.peers]
    machine, missing = _machine(library.versions(needed)), library.missing(needed)
    if not args.json:
        _print_head(terminal, machine, library.named(missing))
    results, failed, interrupted = _measure(chosen, None if args.json else terminal)
    if args.json:
        content = {
            "schema": 1,
            "machine": machine,
            "missing": library.named(missing).split(", ") if missing else [],
            "benchmarks": {
                name: {"about": BENCHMARKS[name].about, **result.to_json()}
                for name, result in results.items()
            },
            "failed": failed,
            "interrupted": interrupted,
        }
        print(as_json(content))
    else:
        _print_summary(terminal, results)
    if interrupted:
        print("benchmarks: interrupted; what is not above was not measured", file=sys.stderr)
        return INTERRUPTED
    return WRONG if failed else OK


def choose(names: Sequence[str]) -> list[Benchmark]:
    """Return the benchmarks of these names and groups, in their own order.

    Raises:
        UsageError: there is no such name.
    """
    from difflib import get_close_matches

    from tests.benchmarks.benchmarks import BENCHMARKS

    known = list(dict.fromkeys([*BENCHMARKS, *(b.group for b in BENCHMARKS.values())]))
    for name in names:
        if name not in known:
            close = get_close_matches(name, known, 1)
            advice = f"did you mean {close[0]}" if close else "--list has them all"
            raise UsageError(f"there is no benchmark {name!r:.60}; {advice}")
    return [
        benchmark
        for benchmark in BENCHMARKS.values()
        if {benchmark.name, benchmark.group} & set(names) or not (names or benchmark.is_slow)
    ]


def _measure(
    chosen: Sequence[Benchmark], terminal: Terminal | None
) -> tuple[dict[str, Result], dict[str, str], bool]:
    """Return the results and the failures by name, and whether Ctrl-C was the end.

    Args:
        terminal: where each result is printed as it comes; None for nowhere.
    """
    from tests.benchmarks.library import missing, named
    from tests.benchmarks.measurement import MeasurementError
    from tests.benchmarks.progress import Progress

    results: dict[str, Result] = {}
    failed: dict[str, str] = {}
    progress = Progress()
    try:
        for i, benchmark in enumerate(chosen, 1):
            absent = missing(benchmark.needs)
            problem = f"left out for want of {named(absent)}" if absent else ""
            if not problem:
                say = partial(progress.say, f"{i} of {len(chosen)}  {benchmark.name}")
                try:
                    results[benchmark.name] = benchmark.run(say)
                except MeasurementError as error:
                    failed[benchmark.name] = str(error)
                    problem = "could not be measured"
            progress.clear()
            if terminal is not None:
                _print_title(terminal, benchmark)
                if problem:
                    _print_note(terminal, problem)
                else:
                    _print_result(terminal, results[benchmark.name])
                sys.stdout.flush()  # what follows may take minutes
            if benchmark.name in failed:
                print(f"benchmarks: {benchmark.name}: {failed[benchmark.name]}", file=sys.stderr)
    except KeyboardInterrupt:
        return results, failed, True
    finally:
        progress.clear()
    return results, failed, False


def _machine(versions: dict[str, str]) -> dict[str, Any]:
    """Return where it is measured, and what."""
    import platform

    from tests.benchmarks.measurement import HAS_AFFINITY

    return {
        "chainrule": __version__,
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "system": f"{platform.system()} {platform.machine()}",
        "cores": len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1,
        "keeps_cores": HAS_AFFINITY,
        "versions": versions,
    }


def _print_head(terminal: Terminal, machine: dict[str, Any], missing: str) -> None:
    from tests.benchmarks.library import BENCH

    cores = machine["cores"]
    terminal.line(
        f"Chainrule {machine['chainrule']}   {machine['python']}   {machine['system']}"
        f"   {cores} core{'s' * (cores > 1)}",
        "bold",
    )
    if machine["versions"]:
        _print_note(
            terminal, f"with {'   '.join(' '.join(pair) for pair in machine['versions'].items())}"
        )
    if missing:
        _print_note(terminal, f"not installed, so left out: {missing}", "yellow")
        _print_note(terminal, f"to bring them: {BENCH}", "yellow")
    if not machine["keeps_cores"]:
        _print_note(terminal, "this system keeps no process to its cores: threads are free", "dim")


def _print_list(terminal: Terminal, benchmarks: Sequence[Benchmark]) -> None:
    width = max(len(benchmark.name) for benchmark in benchmarks)
    for group in dict.fromkeys(benchmark.group for benchmark in benchmarks):
        terminal.line(group, "bold")
        for benchmark in benchmarks:
            if benchmark.group == group:
                slow = "   slow" if benchmark.is_slow else ""
                terminal.line(f"  {benchmark.name.ljust(width)}  {benchmark.about}{slow}")


def _print_title(terminal: Terminal, benchmark: Benchmark) -> None:
    terminal.line()
    terminal.spans((benchmark.name, "bold"), "   ", (benchmark.about, "dim"))


def _print_note(terminal: Terminal, text: str, style: str = "dim") -> None:
    terminal.line(f"  {text}", style)


def _print_result(terminal: Terminal, result: Result) -> None:
    if len(result.contest.runs) > 1:
        _print_contest(terminal, result.contest)
        if result.figures:
            terminal.line()
    for figure in result.figures:
        _print_figure(terminal, figure)
    for note in result.notes:
        _print_note(terminal, note)
    for name, reason in result.contest.failed.items():
        _print_note(terminal, f"{name} left out: {reason}", "yellow")


def _print_contest(terminal: Terminal, contest: Contest) -> None:
    """Print who takes how long, the fastest first, and how many times as long as ours."""
    from tests.benchmarks.figure import unit_of_seconds

    names = contest.ranking()
    ours = [name for name in names if contest.contenders[name].head]
    unit, scale = unit_of_seconds(contest.seconds(names[0]))
    head = ["", unit, *(f"÷ {contest.contenders[name].head}" for name in ours)]
    rows = [
        [
            name,
            f"{contest.seconds(name) / scale:,.1f}",
            *(_ratio(contest.ratio(name, own)) for own in ours),
        ]
        for name in names
    ]
    if all("accuracy" in runs[0] for runs in contest.runs.values()):
        head.append("accuracy")
        for row, name in zip(rows, names, strict=True):
            row.append(percent(contest.mean(name, "accuracy")))
    first, *lines = aligned([head, *rows], "   ", least=(NAME, TIME))
    terminal.spans((f"  {first}", "dim"))
    for line, name in zip(lines, names, strict=True):
        terminal.spans((f"  {line}", "" if contest.contenders[name].library else "bold"))


def _print_figure(terminal: Terminal, figure: Figure) -> None:
    from tests.benchmarks.figure import amount

    value = amount(figure.value, figure.unit)
    spans: list[str | tuple[str, str]] = [f"  {value:>12}  {figure.label:<41}"]
    if figure.bound:
        spans.append((f"  {figure.bound:>12}", "dim"))
        spans.append(("  reached", "green") if figure.is_reached else ("  missed", "bold red"))
    terminal.spans(*spans)


def _print_summary(terminal: Terminal, results: dict[str, Result]) -> None:
    wanted = sum(figure.wanted is not None for r in results.values() for figure in r.figures)
    missed = [(name, figure) for name, result in results.items() for figure in result.missed]
    if not wanted:
        return
    terminal.heading(
        f"{wanted - len(missed)} of {wanted} wanted figures reached{'; missed:' * bool(missed)}"
    )
    for name, figure in missed:
        _print_note(terminal, f"{name}: {figure}", "")


def _ratio(ratio: float) -> str:
    return f"{ratio:,.1f}" if ratio < 1000 else f"{ratio:,.0f}"
