"""Fuzz all that takes input from outside: ``python -m tests.fuzz``.

Every target gets the same inputs in every run, and says the number of one that goes wrong:
``python -m tests.fuzz models --only 4711`` tries it alone.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from os import environ

from tests.fuzz import arguments, kills, lessons, numbers, pictures, readers, saved, threads, words
from tests.fuzz.target import Fault, Target, faults

ROOMS = (words, lessons, readers, saved, pictures, numbers, arguments)
TARGETS: dict[str, Target] = {t.name: t for room in ROOMS for t in room.targets()}
CHUNK = 250


def tried(name: str, chosen: Iterable[int]) -> tuple[list[Fault], float]:
    """Return the faults of these inputs, and how many seconds they took of a processor."""
    before = time.process_time()
    return list(faults(TARGETS[name], chosen)), time.process_time() - before


def report(found: Iterable[Fault]) -> int:
    """Print the first fault of each kind, and return how many kinds there are."""
    kinds: dict[tuple[str, str], list[Fault]] = {}
    for fault in found:
        kinds.setdefault((fault.target, fault.kind), []).append(fault)
    for (target, kind), members in sorted(kinds.items()):
        first = members[0]
        print(f"\n{target} {first.number}: {kind}, {len(members)} inputs\n{first.what}".rstrip())
    return len(kinds)


def differ(after: str, found: list[str]) -> int:
    print(f"{after}: {'; '.join(found) or 'the same bits'}", flush=True)
    return len(found)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("targets", nargs="*", help=f"of {', '.join(TARGETS)}; by default, all")
    parser.add_argument("--inputs", type=int, default=20_000, help="for each target")
    parser.add_argument("--only", type=int, help="the one input to try")
    parser.add_argument("--kills", type=int, default=200, help="of trainings, in all")
    parser.add_argument("--seconds", type=float, default=120, help="that threads work for")
    args = parser.parse_args()
    chosen = args.targets or list(TARGETS)
    if unknown := set(chosen) - set(TARGETS):
        parser.error(f"no target {', '.join(sorted(unknown))}")
    if args.only is not None:
        return min(report(tried(chosen[0], (args.only,))[0]), 1)
    before = time.monotonic()
    problems = 0
    with ProcessPoolExecutor() as pool:
        for name in chosen:
            started = time.monotonic()
            inputs = range(0, args.inputs, TARGETS[name].every)
            done = [
                pool.submit(tried, name, inputs[i : i + CHUNK])
                for i in range(0, len(inputs), CHUNK)
            ]
            problems += report(fault for part in done for fault in part.result()[0])
            seconds = sum(part.result()[1] for part in done)
            print(
                f"{name:>12}  {len(inputs):,} inputs  {time.monotonic() - started:.0f} s, "
                f"{seconds:.0f} s of a processor",
                flush=True,
            )
        if not args.targets:
            shares = [min(10, args.kills - i) for i in range(0, args.kills, 10)]
            killed = pool.map(kills.differing, range(len(shares)), shares)
            problems += differ(f"{args.kills} kills", [found for part in killed for found in part])
    if not args.targets:
        found = list(threads.differing(args.seconds))
        problems += differ(f"{threads.THREADS} threads for {args.seconds:g} seconds", found)
    print(f"{problems} kinds of faults in {time.monotonic() - before:.0f} s")
    return min(problems, 1)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="chainrule-") as folder:
        environ["CHAINRULE_CACHE"] = folder
        sys.exit(main())
