"""Where in the user's program a node was made, as messages say it."""

from __future__ import annotations

import sys

Origin = tuple[str, str | None, int | None]
"""Where a node was recorded: the scope's dotted path, and under `debug` the file and line."""


def place_of(origin: Origin | None) -> str:
    """Return ``file:line``; of a notebook, the cell as its tracebacks name it; "" if not known.

    A cell's file is one that the kernel invents, under a name that changes from run to run.
    """
    if not origin or not origin[1]:
        return ""
    _, file, line = origin
    # Whoever runs in a notebook has loaded IPython.
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    name_of = getattr(getattr(shell, "compile", None), "format_code_name", lambda _: None)
    cell = name_of(file)
    return f"{' '.join(cell)}, line {line}" if cell else f"{file}:{line}"
