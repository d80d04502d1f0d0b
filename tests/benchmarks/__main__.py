"""How fast it is, beside other libraries: ``python -m tests.benchmarks``, in a clone."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from autograd.command.parser import Parser
from autograd.command.usage import OK, exit_code
from tests.benchmarks import comparison

EXAMPLES = """\
examples:
  python -m tests.benchmarks                    all figures; takes minutes
  python -m tests.benchmarks moons training     two of them
  python -m tests.benchmarks gradcheck          a group, with what is slow in it
  python -m tests.benchmarks --list             what there is
  python -m tests.benchmarks moons --json       the figures as data"""

EXIT_CODES = """\
exit codes:
  0    done, whether or not what is wanted was reached
  1    a measurement failed
  2    the command can't be used as given
  130  interrupted with Ctrl-C; what was measured before is printed"""


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, print, and return the exit code."""
    parser = Parser(
        prog="python -m tests.benchmarks",
        examples=EXAMPLES,
        description="Measure how fast it is, beside other libraries.",
        epilog=EXIT_CODES,
    )
    comparison.add_options(parser)

    def work() -> int:
        args = parser.parse(sys.argv[1:] if argv is None else argv)
        return OK if args is None else comparison.run(args)

    return exit_code(work)


if __name__ == "__main__":
    sys.exit(main())
