"""What the command and the shell agree on: exit codes, and command lines that can't be used."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

from autograd.errors import ChainruleError, MissingExtraError

OK, WRONG, REFUSED, MISSING, DEFECT, INTERRUPTED, PIPE_CLOSED = 0, 1, 2, 3, 70, 130, 141

EXIT_CODES = """\
exit codes:
  0    done
  1    check, grade: a gradient is wrong, or none could be confirmed
  2    the command, the expression, file or value can't be used as given
  3    an optional library is missing; the message says how to install it
  70   a defect of chainrule itself; the traceback says where
  130  interrupted with Ctrl-C
  141  whoever read the output stopped reading"""

LONGEST_LINE = 500
"""Characters of a line of a message; of a longer one, the middle is left out."""


class UsageError(Exception):
    """The command line can't be used as given; the message says what to do."""


def exit_code(work: Callable[[], int]) -> int:
    """Carry out a command and return its exit code; what goes wrong is said in one line."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a code page without σ is no reason to fail
    try:
        code = work()
        sys.stdout.flush()
        return code
    except MissingExtraError as error:
        return _fail(error, MISSING)
    except (UsageError, ChainruleError) as error:
        return _fail(error, REFUSED)
    except BrokenPipeError:
        # Python would flush standard output once more at exit, and fail again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return PIPE_CLOSED
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        hint = "; check the path" if isinstance(error, FileNotFoundError) else ""
        return _fail(f"{where}{error.strerror or error}{hint}", REFUSED)
    except KeyboardInterrupt:
        return _fail("interrupted", INTERRUPTED)
    except Exception:
        import traceback

        traceback.print_exc()
        return _fail("this is a defect of chainrule: please report it", DEFECT)


def _fail(problem: object, code: int) -> int:
    from autograd.command.terminal import crop, printable

    # What names a part of a file may be anything, even what steers a terminal.
    for line in f"chainrule: {problem}".split("\n"):
        print(crop(printable(line), LONGEST_LINE), file=sys.stderr)
    return code
