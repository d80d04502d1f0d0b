"""Try mutants of the core, and list those that no test notices: ``python -m tests.mutation``."""

from __future__ import annotations

import argparse
import gc
import hashlib
import os
import sys
import tempfile
import tomllib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from importlib import import_module
from pathlib import Path

import pytest

from tests.mutation import trial
from tests.mutation.laboratory import Laboratory
from tests.mutation.logbook import Logbook
from tests.mutation.mutants import Mutant, mutants_of
from tests.mutation.process import BROKEN, Child, start, together
from tests.mutation.reach import Reach

ROOT = Path(__file__).parent.parent.parent

CORE = (
    "autograd/ops.py",
    "autograd/precedence.py",
    "autograd/lowering.py",
    "autograd/forms.py",
    "autograd/engine.py",
    "autograd/recorders.py",
    "autograd/evaluation.py",
    "autograd/transforms.py",
    "autograd/stepping/ledger.py",
    "autograd/checking/*.py",
    "autograd/compiler/kernel.py",
)
"""What is changed."""

SPARED = ("autograd/checking/adapter.py",)
"""What is not: PyTorch and JAX, which its tests need, are in no extra that all have."""

TESTS = (
    "tests/test_*.py",
    "tests/programs/test_*.py",
    "autograd/**/*.py",
    "nn/**/*.py",
    "README.md",
)
"""What may notice, as files: dealt out to the processes by turns."""

DAY = 8640.0
"""Seconds that all mutants may take where they live; ten times that, if need be."""

BUDGET = 40.0
"""Seconds of tests that a mutant must live through: most fall to the first few."""

FILES = 8
"""From how many files these tests are at most: each takes a while to be imported."""

WANTED = 0.95
"""The share of all mutants that tests are to notice."""

LIBRARIES = (
    "_pytest.doctest",
    "hypothesis.strategies",
    "llvmlite.binding",
    "matplotlib.figure",
    "mpmath",
    "numpy",
    "rich.console",
    "sklearn.datasets",
)
"""What tests import and no mutant changes: imported before all forks."""

REASONS = Path(__file__).parent / "equivalent.toml"


def main(argv: Sequence[str] | None = None) -> int:
    """Try a sample of the mutants; return 0 if enough fall and the others have a reason."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__)
    parser.add_argument("modules", metavar="MODULE", nargs="*", help="of the core (default: all)")
    parser.add_argument("--count", type=int, default=400, help="how many (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="which ones (default: %(default)s)")
    parser.add_argument(
        "--workers", type=int, default=os.cpu_count() or 1, help="at a time (default: %(default)s)"
    )
    args = parser.parse_args(argv)
    os.chdir(ROOT)
    os.environ["AUTOGRAD_PURE"] = "1"  # what is changed is Python: C would run in its place
    files = {module_of(path): path for path in core()}
    unknown = [name for name in args.modules if name not in files]
    if unknown:
        parser.error(f"{unknown[0]} is not of the core: {', '.join(files)}")
    tests = sorted({str(p.relative_to(ROOT)) for place in TESTS for p in ROOT.glob(place)})
    tests = [test for test in tests if not test.endswith("__main__.py")]  # importing it runs it
    for library in LIBRARIES:
        import_module(library)
    gc.collect()
    gc.freeze()
    every = [
        mutant
        for module, path in files.items()
        if module in args.modules or not args.modules
        for mutant in mutants_of(path, module)
    ]
    chosen = sample(every, args.count, args.seed)
    print(f"{len(chosen)} of {len(every):,} mutants", flush=True)
    folder = Path(tempfile.gettempdir(), "chainrule-mutation")
    folder.mkdir(exist_ok=True)
    code = digest(list(files))
    logbook = Logbook(folder / "logbook.jsonl", code)
    kept = folder / f"reach-{code}.json"
    find_killers(chosen, list(files.values()), tests, kept, logbook, args.workers)
    return report(chosen, logbook)


def is_for_the_table(mutant: Mutant) -> bool:
    """Return whether it may be called already when the table is imported: in the flat core."""
    return mutant.module.count(".") < 2


def sample(mutants: Sequence[Mutant], count: int, seed: int) -> list[Mutant]:
    """Return some mutants: where code changes, the ones in all other code stay the same."""
    seen: Counter[str] = Counter()
    ranked = []
    for mutant in mutants:
        seen[mutant.name] += 1
        text = f"{seed} {mutant.name} {seen[mutant.name]}"
        ranked.append((hashlib.sha256(text.encode()).digest(), mutant))
    ranked.sort(key=lambda pair: pair[0])
    return [mutant for _, mutant in ranked[:count]]


def find_killers(
    mutants: Sequence[Mutant],
    files: Sequence[Path],
    tests: Sequence[str],
    kept: Path,
    logbook: Logbook,
    workers: int,
) -> None:
    """Have the logbook say to which test each of some mutants falls.

    Raises:
        RuntimeError: the suite can't be run without a change.
    """

    def left() -> list[Mutant]:
        logbook.read()
        return [mutant for mutant in mutants if logbook.killer(mutant) is None]

    def work(say: Callable[[str], None]) -> int:
        laboratory = Laboratory(left(), files, kept, logbook, workers, BUDGET)
        return pytest.main([*trial.OPTIONS, *tests], plugins=[laboratory])

    if not left():
        return
    ((_, said, code),) = together([partial(start, 0, DAY, work)], 1)
    if code:
        raise RuntimeError(f"the suite can't be run (exit code {code}): {said or 'run pytest'}")
    lived = left()
    again = [mutant for mutant in lived if not mutant.is_called or is_for_the_table(mutant)]
    for mutant in set(lived).difference(again):
        logbook.add(mutant, "")
    print(f"{len(lived)} live on where they are; {len(again)} are imported anew", flush=True)
    reach = Reach.load(kept)

    def jobs() -> Iterator[Callable[[], Child]]:
        for i, mutant in enumerate(again):
            chosen = logbook.with_hint(mutant, reach.of(mutant.path, mutant.lines, BUDGET, FILES))
            attempt = partial(trial.attempt, mutant, chosen, reach)
            yield partial(start, i, trial.IMPORTS + reach.cost(chosen), attempt)

    for i, said, code in together(jobs(), workers):
        fell = code not in (0, BROKEN)
        logbook.add(again[i], (said.partition("\n")[0] or f"exit code {code}") if fell else "")


def report(mutants: Sequence[Mutant], logbook: Logbook) -> int:
    """Print which mutants survive, and how many fall, and return the exit code."""
    reasons: dict[str, str] = tomllib.loads(REASONS.read_text(encoding="utf-8"))
    killed: Counter[str] = Counter()
    unexplained = 0
    for mutant in mutants:
        reason, killer = reasons.get(mutant.name, ""), logbook.killer(mutant)
        killed[mutant.module] += bool(killer)
        if not killer:
            unexplained += not reason
            place = f"{mutant.path.relative_to(ROOT)}:{mutant.lines[0]}"
            print(f"survives  {place}  {mutant.name}  {reason or mutant.kind}")
        elif reason:
            print(f"falls after all, to {killer}: {mutant.name}")
    for module, count in Counter(mutant.module for mutant in mutants).items():
        print(f"{killed[module]:5} of {count:4} killed  {module}")
    share = killed.total() / max(len(mutants), 1)
    print(
        f"{killed.total():5} of {len(mutants):4} killed, {share:.1%} (wanted {WANTED:.0%}); "
        f"{unexplained} survive without a reason"
    )
    return int(share < WANTED or unexplained > 0)


def core() -> list[Path]:
    """Return the files that are changed."""
    found = [path for place in CORE for path in sorted(ROOT.glob(place))]
    return [path for path in found if str(path.relative_to(ROOT)) not in SPARED]


def module_of(path: Path) -> str:
    """Return the dotted name of a file of this project."""
    name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
    return name.removesuffix(".__init__")


def digest(modules: Sequence[str]) -> str:
    """Return what tells these files, and the names of what is changed, from all others."""
    found = hashlib.sha256(" ".join(modules).encode())
    rooms = ("autograd", "nn", "tests")
    for path in sorted(p for room in rooms for p in (ROOT / room).rglob("*.py")):
        if path.parent != Path(__file__).parent:
            found.update(path.read_bytes())
    return found.hexdigest()[:16]


if __name__ == "__main__":
    sys.exit(main())
