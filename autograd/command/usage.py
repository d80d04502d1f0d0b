"""What the command and the shell agree on: exit codes, and a command line that can't be used."""

from __future__ import annotations

OK, WRONG, REFUSED, MISSING, INTERRUPTED, PIPE_CLOSED = 0, 1, 2, 3, 130, 141

EXIT_CODES = """\
exit codes:
  0    done
  1    check: a gradient is wrong, or none could be confirmed
  2    the command, the expression, file or value can't be used as given
  3    an optional library is missing; the message says how to install it
  130  interrupted with Ctrl-C
  141  whoever read the output stopped reading"""


class UsageError(Exception):
    """The command line can't be used as given; the message says what to do."""
