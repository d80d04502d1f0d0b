"""Files appear whole or not at all, and an error names the file that was asked for."""

from __future__ import annotations

import gzip
import os
import re
import stat
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import nn
from autograd import files
from autograd.command.script import Script
from autograd.errors import ScriptError
from autograd.files import read_regular, write_whole

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="modes, links and pipes of POSIX")


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


def test_a_reader_beside_threads_that_write_sees_whole_files_only(tmp_path: Path) -> None:
    path = tmp_path / "same"
    contents = [bytes([letter]) * 50_000 for letter in b"abcd"]
    write_whole(path, contents[0])

    def write(content: bytes) -> None:
        for _ in range(20):
            write_whole(path, content)

    with ThreadPoolExecutor(4) as pool:
        writers = [pool.submit(write, content) for content in contents]
        while not all(writer.done() for writer in writers):
            assert path.read_bytes() in contents
        for writer in writers:
            writer.result()
    assert list(tmp_path.iterdir()) == [path]


@POSIX
@pytest.mark.parametrize("mode", [0o600, 0o640, 0o666, 0o755])
def test_a_file_keeps_its_mode(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "model.json"
    before = os.umask(0o077)
    try:
        path.touch()
        path.chmod(mode)
        write_whole(path, b"new")
        write_whole(tmp_path / "other", b"")
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == mode
    assert stat.S_IMODE((tmp_path / "other").stat().st_mode) == 0o600


@POSIX
def test_a_draft_is_never_open_to_more_than_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "secret"
    path.touch(0o600)
    modes = []
    synced = os.fsync

    def watch(descriptor: int) -> None:
        modes.append(stat.S_IMODE(os.stat(descriptor).st_mode))
        synced(descriptor)

    monkeypatch.setattr(os, "fsync", watch)
    write_whole(path, b"key")
    assert modes[0] == 0o600


def test_a_file_that_may_not_be_written_is_not_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "kept"
    path.write_bytes(b"old")
    monkeypatch.setattr(os, "access", lambda path, mode: False)  # root may write everything
    with pytest.raises(PermissionError, match="kept"):
        write_whole(path, b"new")
    assert path.read_bytes() == b"old"


@POSIX
def test_a_link_is_followed_to_its_target(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    target, link = tmp_path / "deep" / "target", tmp_path / "link"
    link.symlink_to(target)
    for content in (b"made", b"replaced"):
        write_whole(link, content)
        assert target.read_bytes() == content
        assert link.is_symlink()
    assert list((tmp_path / "deep").iterdir()) == [target]
    link.unlink()
    link.symlink_to(link)
    with pytest.raises(OSError, match="link"):
        write_whole(link, b"")
    assert link.is_symlink()


@POSIX
def test_a_link_planted_where_the_draft_is_due_is_not_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody can foresee the name; here it is known, and still nothing is overwritten."""
    victim = tmp_path / "victim"
    victim.write_bytes(b"dear")
    monkeypatch.setattr(files.secrets, "token_hex", lambda n: "foreseen")
    (tmp_path / ".foreseen").symlink_to(victim)
    with pytest.raises(FileExistsError, match=re.escape(str(tmp_path / "model.json"))):
        write_whole(tmp_path / "model.json", b"new")
    assert victim.read_bytes() == b"dear"
    assert (tmp_path / ".foreseen").is_symlink()


def test_names_of_drafts_are_not_to_be_foreseen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names: list[str] = []
    replaced = os.replace

    def watch(draft: Path, target: Path) -> None:
        names.append(draft.name)
        replaced(draft, target)

    monkeypatch.setattr(os, "replace", watch)
    for _ in range(3):
        write_whole(tmp_path / "model.json", b"")
    assert len(set(names)) == 3
    assert all(re.fullmatch(r"\.[0-9a-f]{32}", name) for name in names)


@POSIX
def test_what_is_no_regular_file_is_written_to_and_stays() -> None:
    write_whole("/dev/null", b"gone")
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)


@POSIX
def test_a_pipe_is_written_to(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with ThreadPoolExecutor(1) as pool:
        reader = pool.submit(pipe.read_bytes)
        write_whole(pipe, b"through")
        assert reader.result() == b"through"
    assert list(tmp_path.iterdir()) == [pipe]


def test_a_full_disk_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "model.json"
    path.write_bytes(b"old")

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match=r"No space left on device: .*model\.json"):
        write_whole(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("times", [3, 6])
def test_a_reader_that_keeps_the_file_open_on_windows_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, times: int
) -> None:
    path = tmp_path / "model.json"
    path.write_bytes(b"old")
    refusals = iter(range(times))
    replaced = os.replace
    waited: list[float] = []

    def refuse(draft: Path, target: Path) -> None:
        if next(refusals, None) is not None:
            raise PermissionError(13, "Access is denied", str(draft))
        replaced(draft, target)

    monkeypatch.setattr(os, "replace", refuse)
    monkeypatch.setattr(files, "WAITS", (0.1, 0.2, 0.3, 0.4, 0.5))
    monkeypatch.setattr(files.time, "sleep", waited.append)
    if times == 3:
        write_whole(path, b"new")
        assert path.read_bytes() == b"new"
        assert waited == [0.1, 0.2, 0.3]
    else:
        with pytest.raises(PermissionError, match="model"):
            write_whole(path, b"new")
        assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


@POSIX
@pytest.mark.parametrize("kind", ["py", "csv", "json", "safetensors", "csv.gz"])
def test_nothing_but_a_regular_file_is_read(tmp_path: Path, kind: str) -> None:
    """A pipe would be waited for, and /dev/zero has no end."""
    if "csv" in kind:
        pytest.importorskip("pandas")
    if kind == "safetensors":
        pytest.importorskip("safetensors")
    readers = {"py": Script, "json": nn.load, "safetensors": nn.load}
    pipe, device = tmp_path / f"pipe.{kind}", tmp_path / f"device.{kind}"
    os.mkfifo(pipe)
    device.symlink_to("/dev/zero")
    for path in (pipe, device):
        with pytest.raises((OSError, ValueError, ScriptError), match="no regular file"):
            readers.get(kind, nn.tables.read)(str(path))


def test_a_file_of_more_bytes_than_asked_for_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "large"
    path.write_bytes(b"12345")
    assert read_regular(path, 5) == b"12345"
    with pytest.raises(OSError, match="more than 4 bytes"):
        read_regular(path, 4)
    with pytest.raises(FileNotFoundError):
        read_regular(tmp_path / "nothing")


def test_a_file_is_unpacked_within_bounds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("pandas")
    path = tmp_path / "t.csv.gz"
    path.write_bytes(gzip.compress(b"a,b\n" + b"1,2\n2,4\n3,5\n" * 5000))
    assert len(nn.tables.read(path).columns) == 1
    monkeypatch.setattr("nn.tables.texts.ROOM", 0)
    with pytest.raises(ValueError, match="bytes unpacked: unpack it yourself"):
        nn.tables.read(path)


@pytest.mark.parametrize("name", ["a\0b", "\ud800"])
def test_what_no_file_can_be_called_is_said(name: str) -> None:
    for work in (lambda: write_whole(name, b"x"), lambda: read_regular(name), lambda: Script(name)):
        with pytest.raises((OSError, ScriptError), match="no file can be called so"):
            work()
