"""What Python imports in the playground, as one zip."""

from __future__ import annotations

import importlib.util
import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

import autograd
from autograd import MissingExtraError

HERE = Path(__file__).parent

PAST = (1980, 1, 1, 0, 0, 0)
"""The time of every file: the same sources make the same bytes."""


def zipped() -> bytes:
    """Return a zip of `autograd`, `nn`, and of the package `graphviz`, which writes DOT for them.

    Raises:
        MissingExtraError: graphviz is not installed.
    """
    found = importlib.util.find_spec("graphviz")
    if found is None or found.origin is None:
        raise MissingExtraError("the playground needs graphviz: pip install 'chainrule[draw]'")
    house = Path(autograd.__file__).parent.parent
    files = {path: path.relative_to(house) for path in _files(house / "autograd", house / "nn")}
    drawing = Path(found.origin).parent
    files |= {path: path.relative_to(drawing.parent) for path in _files(drawing)}
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as packed:
        for path, name in sorted(files.items(), key=lambda file: file[1].as_posix()):
            info = zipfile.ZipInfo(name.as_posix(), PAST)
            packed.writestr(info, path.read_bytes())
    return out.getvalue()


def _files(*folders: Path) -> Iterator[Path]:
    """Yield what Python needs of packages: no caches, and not the playground's own page."""
    for folder in folders:
        for path in folder.rglob("*"):
            kept = path.suffix != ".pyc" and (path.parent != HERE or path.suffix == ".py")
            if path.is_file() and kept and HERE not in path.parent.parents:
                yield path
