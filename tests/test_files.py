"""Files appear whole or not at all, and an error names the file that was asked for."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from autograd.files import write_whole


def test_a_file_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    for content in (b"first", b"second"):
        write_whole(path, content)
        assert path.read_bytes() == content
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("name", ["missing/page.html", "file/page.html", "folder", "a" * 300])
def test_an_error_names_the_path_and_leaves_nothing(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "folder").mkdir()
    before = set(tmp_path.iterdir())
    with pytest.raises(OSError, match=re.escape(repr(str(tmp_path / name)))):
        write_whole(tmp_path / name, b"")
    assert set(tmp_path.iterdir()) == before


def test_no_name_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(OSError, match=re.escape(repr("."))):
        write_whole(Path(), b"")
