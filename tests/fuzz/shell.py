"""The command, as it is called from a shell, in a folder of its own."""

from __future__ import annotations

import io
import os
import tempfile
from collections.abc import Iterator
from contextlib import chdir, contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path

from autograd.command.cli import main
from tests.fuzz.target import LONGEST


@contextmanager
def folder_of(files: dict[str, bytes]) -> Iterator[None]:
    """Stand in a new folder with these files."""
    with tempfile.TemporaryDirectory() as folder, chdir(folder):
        for name, content in files.items():
            Path(name).write_bytes(content)
        yield


def ran(words: list[str]) -> tuple[int, str]:
    """Return a command's exit code, and what it says on standard error."""
    out, err = io.StringIO(), io.StringIO()
    environment = dict(os.environ)
    try:
        with redirect_stdout(out), redirect_stderr(err):
            code = main(words)
    finally:
        os.environ.clear()
        os.environ.update(environment)
    return code, err.getvalue()


def said(words: list[str]) -> int:
    """Return the exit code of a command, which must be one, and say why where it is 2."""
    code, err = ran(words)
    assert code in (0, 1, 2), f"{words}: exit code {code}\n{err[-3000:]}"
    if code == 2:
        assert "chainrule: " in err, words
        assert len(err.strip().splitlines()[-1]) <= LONGEST, words
    return code
