"""The kernel cache: what is stored comes back or nothing does, and nobody else's code ever."""

import errno
import multiprocessing
import os
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import nullcontext
from hashlib import sha256
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NoReturn

import pytest

from autograd.compiler import cache

KEY = sha256(b"a program").hexdigest()
OTHER = sha256(b"another program").hexdigest()
CODE = bytes(range(256)) * 20
ROOM = 8192  # what a file of CODE takes: 5,120 bytes and the header, in blocks of 4,096


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the path of the cache's folder, which is not there yet."""
    path = tmp_path / "kernels"
    monkeypatch.setenv("CHAINRULE_CACHE", str(path))
    return path


@pytest.fixture
def file(folder: Path) -> Path:
    """Return the path of the file that holds CODE under KEY."""
    cache.store(KEY, CODE)
    return folder / f"{KEY}.kernel"


def content(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def keys(number: int) -> list[str]:
    return [sha256(str(i).encode()).hexdigest() for i in range(number)]


def raising(code: int) -> Callable[..., NoReturn]:
    def fail(*_args: object, **_named: object) -> NoReturn:
        raise OSError(code, os.strerror(code))

    return fail


# What is stored comes back.


@pytest.mark.parametrize("code", [b"", b"\0", CODE, CODE * 100], ids=len)
def test_what_is_stored_comes_back(code: bytes, folder: Path) -> None:
    cache.store(KEY, code)
    assert cache.load(KEY) == code
    assert cache.load(OTHER) is None
    assert content(folder) == [f"{KEY}.kernel"]


def test_the_last_content_of_a_key_counts(file: Path) -> None:
    cache.store(KEY, b"new")
    assert cache.load(KEY) == b"new"


def test_a_load_leaves_no_trace_where_nothing_is_stored(folder: Path) -> None:
    assert cache.load(KEY) is None
    assert not folder.exists()


@pytest.mark.parametrize("key", ["", KEY[1:], KEY.upper(), KEY + "\n", "../" + KEY[3:]])
def test_what_is_no_key_is_refused(key: str, folder: Path) -> None:
    with pytest.raises(ValueError, match="is no key: make it with sha256"):
        cache.load(key)
    with pytest.raises(ValueError, match="is no key: make it with sha256"):
        cache.store(key, CODE)


def test_a_load_takes_well_below_a_millisecond(folder: Path) -> None:
    cache.store(KEY, CODE * 10)
    best = 1.0
    for _ in range(50):
        start = time.perf_counter()
        cache.load(KEY)
        best = min(best, time.perf_counter() - start)
    # 0.06 ms as measured; the digest of 51 kB takes 0.2 ms without the processor's help.
    assert best < 0.0005


def test_no_descriptor_is_left_open(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # New descriptors have the lowest numbers that are free: the same ones, if all were closed.
    def lowest_free() -> list[int]:
        descriptors = [os.open(file.parent, os.O_RDONLY) for _ in range(9)]
        for descriptor in descriptors:
            os.close(descriptor)
        return descriptors

    before = lowest_free()
    cache.load(KEY)
    cache.load(OTHER)
    file.write_bytes(b"damaged")
    cache.load(KEY)
    file.mkdir()
    cache.load(KEY)
    for call in ("write", "replace"):
        with monkeypatch.context() as patch:
            patch.setattr(os, call, raising(errno.ENOSPC))
            cache.store(KEY, CODE)
    file.parent.chmod(0o777)
    cache.load(KEY)
    cache.store(KEY, CODE)
    assert lowest_free() == before


# Where it is.


@pytest.mark.parametrize("word", ["off", "OFF"])
def test_off_means_neither_read_nor_written(
    word: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.delenv("CHAINRULE_CACHE", raising=False)
    cache.store(KEY, CODE)
    before = sorted(tmp_path.rglob("*"))
    monkeypatch.setenv("CHAINRULE_CACHE", word)
    assert cache.load(KEY) is None
    cache.store(OTHER, CODE)
    assert sorted(tmp_path.rglob("*")) == before
    monkeypatch.setenv("CHAINRULE_CACHE", "")
    assert cache.load(KEY) == CODE


@pytest.mark.parametrize(
    ("platform", "variables", "path"),
    [
        ("linux", {"XDG_CACHE_HOME": "{home}/elsewhere"}, "elsewhere"),
        ("linux", {}, ".cache"),
        ("linux", {"XDG_CACHE_HOME": ""}, ".cache"),
        ("linux", {"XDG_CACHE_HOME": "relative"}, ".cache"),
        ("darwin", {"XDG_CACHE_HOME": "{home}/elsewhere"}, "Library/Caches"),
        ("win32", {"LOCALAPPDATA": "{home}/Local"}, "Local"),
        ("win32", {}, "AppData/Local"),
    ],
)
def test_the_folder_is_where_the_platform_keeps_caches(
    platform: str,
    variables: dict[str, str],
    path: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("CHAINRULE_CACHE", "XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    for name, value in variables.items():
        monkeypatch.setenv(name, value.format(home=tmp_path))
    monkeypatch.setattr(sys, "platform", platform)
    if platform == "win32":
        monkeypatch.setattr(os, "lstat", windows_lstat(0))
    cache.store(KEY, CODE)
    assert (tmp_path / path / "chainrule" / "kernels" / f"{KEY}.kernel").is_file()
    assert cache.load(KEY) == CODE


def windows_lstat(tag: int) -> Callable[[str], Any]:
    return lambda path: SimpleNamespace(st_mode=os.stat(path).st_mode, st_reparse_tag=tag)


def test_a_windows_junction_is_not_used(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    for tag, found in ((0, CODE), (0xA0000003, None)):  # IO_REPARSE_TAG_MOUNT_POINT
        monkeypatch.setattr(os, "lstat", windows_lstat(tag))
        assert cache.load(KEY) == found


def test_without_a_home_there_is_no_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("CHAINRULE_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(os.path, "expanduser", lambda path: path)  # as for an unknown user
    cache.store(KEY, CODE)
    assert cache.load(KEY) is None
    assert content(tmp_path) == []


@pytest.mark.parametrize("chosen", ["own", "own/", "a/b/own", "~/own"])
def test_a_chosen_folder_is_used(
    chosen: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("CHAINRULE_CACHE", chosen)
    cache.store(KEY, CODE)
    assert (tmp_path / chosen.removeprefix("~/") / f"{KEY}.kernel").is_file()
    assert cache.load(KEY) == CODE


def test_a_home_of_nobody_is_no_folder_of_that_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CHAINRULE_CACHE", "~nosuchuser/kernels")
    cache.store(KEY, CODE)
    assert cache.load(KEY) is None
    assert content(tmp_path) == []


def test_only_the_user_may_enter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHAINRULE_CACHE", str(tmp_path / "above" / "kernels"))
    before = os.umask(0)
    try:
        cache.store(KEY, CODE)
    finally:
        os.umask(before)
    modes = {p.name: stat.S_IMODE(p.stat().st_mode) for p in tmp_path.rglob("*")}
    assert modes == {"above": 0o700, "kernels": 0o700, f"{KEY}.kernel": 0o600}


def test_two_processes_may_make_the_folder_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CHAINRULE_CACHE", str(tmp_path / "above" / "kernels"))
    mkdir = os.mkdir

    def too_late(path: str, mode: int) -> None:
        mkdir(path, mode)
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), path)

    monkeypatch.setattr(os, "mkdir", too_late)
    cache.store(KEY, CODE)
    assert cache.load(KEY) == CODE


# Damage.

LENGTH = len(cache.MAGIC) + 32
DIGEST = LENGTH + 8
REGIONS = {
    "magic": 0,
    "version": len(cache.MAGIC) - 2,
    "key": len(cache.MAGIC),
    "key's end": LENGTH - 1,
    "length": LENGTH,
    "length's end": DIGEST - 1,
    "digest": DIGEST,
    "digest's end": cache.HEADER - 1,
    "body": cache.HEADER,
    "body's middle": cache.HEADER + len(CODE) // 2,
    "body's end": cache.HEADER + len(CODE) - 1,
}


def is_gone(file: Path) -> bool:
    """Tell whether a load gives nothing, removes the file, and a store brings it back."""
    nothing = cache.load(KEY) is None
    removed = not os.path.lexists(file)
    cache.store(KEY, CODE)
    return nothing and removed and cache.load(KEY) == CODE


@pytest.mark.parametrize("region", REGIONS)
@pytest.mark.parametrize("bit", [0x01, 0x80])
def test_one_wrong_bit_anywhere_shows(region: str, bit: int, file: Path) -> None:
    whole = bytearray(file.read_bytes())
    whole[REGIONS[region]] ^= bit
    file.write_bytes(whole)
    assert is_gone(file)


def test_every_byte_of_the_header_counts(file: Path) -> None:
    whole = file.read_bytes()
    for i in range(cache.HEADER):
        file.write_bytes(whole[:i] + bytes([whole[i] ^ 0xFF]) + whole[i + 1 :])
        assert cache.load(KEY) is None, i
    file.write_bytes(whole)
    assert cache.load(KEY) == CODE


@pytest.mark.parametrize("size", [0, 1, *sorted(REGIONS.values())[1:]])
def test_a_cut_file_shows(size: int, file: Path) -> None:
    with file.open("r+b") as stored:
        stored.truncate(size)
    assert is_gone(file)


@pytest.mark.parametrize("more", [b"\0", CODE])
def test_a_longer_file_shows(more: bytes, file: Path) -> None:
    with file.open("ab") as stored:
        stored.write(more)
    assert is_gone(file)


def test_a_huge_file_is_not_even_read(file: Path) -> None:
    with file.open("r+b") as stored:
        stored.truncate(2**40)  # sparse: it takes no room, but no machine could read it
    assert is_gone(file)


def test_a_file_under_another_files_name_shows(file: Path) -> None:
    cache.store(OTHER, CODE)
    file.with_name(f"{OTHER}.kernel").replace(file)
    assert is_gone(file)


# Hostility.


@pytest.mark.parametrize("target", ["folder", "nothing"])
def test_a_symlinked_folder_is_not_used(
    target: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = tmp_path / "real"
    if target == "folder":
        monkeypatch.setenv("CHAINRULE_CACHE", str(real))
        cache.store(KEY, CODE)
    link = tmp_path / "link"
    link.symlink_to(real, target_is_directory=True)
    for chosen in (link, f"{link}/", f"{link}/."):
        monkeypatch.setenv("CHAINRULE_CACHE", str(chosen))
        assert cache.load(KEY) is None
        cache.store(OTHER, CODE)
    assert not real.exists() or content(real) == [f"{KEY}.kernel"]


def test_a_symlinked_folder_further_up_is_the_users_affair(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "link").symlink_to(tmp_path, target_is_directory=True)
    monkeypatch.setenv("CHAINRULE_CACHE", str(tmp_path / "link" / "kernels"))
    assert cache.load(KEY) == CODE


def test_a_symlinked_file_is_removed_and_its_target_left(file: Path, tmp_path: Path) -> None:
    target = file.replace(tmp_path / "target")
    file.symlink_to(target)
    assert is_gone(file)
    file.unlink()
    file.symlink_to(target)
    before = target.read_bytes()
    cache.store(KEY, b"new")
    assert target.read_bytes() == before
    assert not file.is_symlink()


def test_a_pipe_in_a_files_place_is_removed_without_waiting(file: Path) -> None:
    file.unlink()
    os.mkfifo(file)
    assert is_gone(file)


def test_a_directory_in_a_files_place_is_no_kernel(folder: Path) -> None:
    (folder / f"{KEY}.kernel").mkdir(parents=True)
    folder.chmod(0o700)
    assert cache.load(KEY) is None
    cache.store(KEY, CODE)
    assert content(folder) == [f"{KEY}.kernel"]


def test_a_file_in_the_folders_place_is_no_cache(folder: Path) -> None:
    folder.write_bytes(b"mine")
    assert cache.load(KEY) is None
    cache.store(KEY, CODE)
    assert folder.read_bytes() == b"mine"


@pytest.mark.parametrize("mode", [0o720, 0o702, 0o777, 0o1777])
def test_a_folder_that_others_can_write_is_not_used(mode: int, file: Path) -> None:
    file.parent.chmod(mode)
    assert cache.load(KEY) is None
    cache.store(OTHER, CODE)
    assert content(file.parent) == [file.name]
    file.parent.chmod(0o755)
    assert cache.load(KEY) == CODE


@pytest.mark.parametrize("mode", [0o620, 0o602, 0o666])
def test_a_file_that_others_could_write_is_removed(mode: int, file: Path) -> None:
    file.chmod(mode)
    assert is_gone(file)


def test_somebody_elses_folder_is_not_used(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stranger = os.geteuid() + 1
    monkeypatch.setattr(os, "geteuid", lambda: stranger)
    assert cache.load(KEY) is None
    cache.store(OTHER, CODE)
    assert content(file.parent) == [file.name]


def owned_by(stranger: int) -> Callable[[int], os.stat_result]:
    """Return a fstat for which every plain file belongs to somebody else."""
    fstat = os.fstat

    def of(descriptor: int) -> os.stat_result:
        status = fstat(descriptor)
        if stat.S_ISREG(status.st_mode):
            return os.stat_result((*status[:4], stranger, *status[5:]))
        return status

    return of


def test_somebody_elses_file_is_removed(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(os, "fstat", owned_by(os.geteuid()))
        assert cache.load(KEY) == CODE
        patch.setattr(os, "fstat", owned_by(os.geteuid() + 1))
        assert cache.load(KEY) is None
    assert not file.exists()


def test_a_folder_exchanged_after_the_check_is_not_read(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    evil = tmp_path / "evil"
    monkeypatch.setenv("CHAINRULE_CACHE", str(evil))
    cache.store(KEY, b"evil")
    monkeypatch.setenv("CHAINRULE_CACHE", str(file.parent))
    is_private = cache._is_private

    def check_and_exchange(status: os.stat_result) -> bool:
        if evil.exists() and stat.S_ISDIR(status.st_mode):
            file.parent.rename(tmp_path / "away")
            evil.rename(file.parent)
        return is_private(status)

    monkeypatch.setattr(cache, "_is_private", check_and_exchange)
    assert cache.load(KEY) == CODE
    assert cache.load(KEY) == b"evil"


def test_a_folder_exchanged_before_the_check_is_not_read(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = tmp_path / "good"
    file.parent.rename(good)
    file.parent.mkdir()
    file.parent.chmod(0o777)
    file.write_bytes((good / file.name).read_bytes())
    real = os.open

    def open_and_exchange(path: str, *more: int, **named: int) -> int:
        descriptor = real(path, *more, **named)
        if path == str(file.parent):
            file.parent.rename(tmp_path / "away")
            good.rename(file.parent)
        return descriptor

    with monkeypatch.context() as patch:
        patch.setattr(os, "open", open_and_exchange)
        assert cache.load(KEY) is None
    assert cache.load(KEY) == CODE


def test_an_unfinished_file_is_never_one_that_was_there(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    victim = tmp_path / "victim"
    victim.write_bytes(b"mine")
    folder.mkdir(mode=0o700)
    monkeypatch.setattr(os, "urandom", bytes)
    for link in (os.symlink, os.link):
        link(victim, folder / f"{KEY}.{0:016x}.kernel")
        cache.store(KEY, CODE)
        assert victim.read_bytes() == b"mine"
        assert cache.load(KEY) is None
    cache.store(KEY, CODE)
    assert cache.load(KEY) == CODE


# A disk that is full or read-only.


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EROFS, errno.EDQUOT, errno.EACCES])
@pytest.mark.parametrize("call", ["mkdir", "open", "write", "replace"])
def test_a_store_never_fails_for_the_disks_sake(
    call: str, code: int, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(os, call, raising(code))
        cache.store(KEY, CODE)
    assert not folder.exists() or content(folder) == []
    assert cache.load(KEY) is None
    cache.store(KEY, CODE)
    assert cache.load(KEY) == CODE


@pytest.mark.parametrize("call", ["scandir", "unlink"])
def test_where_no_room_can_be_made_the_file_is_stored(
    call: str, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache, "LIMIT", 64 * ROOM)  # every store looks for room
    left = file.with_name(f"{KEY}.{0:016x}.kernel")
    left.touch()
    os.utime(left, (0, 0))
    with monkeypatch.context() as patch:
        patch.setattr(os, call, raising(errno.EROFS))
        cache.store(OTHER, CODE)
    assert left.exists()
    assert cache.load(KEY) == cache.load(OTHER) == CODE
    cache.store(OTHER, CODE)
    assert not left.exists()


def test_a_disk_that_fills_half_way_keeps_the_old_file(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = os.write
    written = 0

    def full(descriptor: int, left: memoryview) -> int:
        nonlocal written
        if written >= 1000:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        done = write(descriptor, left[:300])
        written += done
        return done

    monkeypatch.setattr(os, "write", full)
    cache.store(KEY, b"new" * 1000)
    assert written == 1200
    assert content(file.parent) == [file.name]
    assert cache.load(KEY) == CODE


def test_an_interrupted_store_leaves_no_litter(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object) -> NoReturn:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "write", interrupt)
    with pytest.raises(KeyboardInterrupt):
        cache.store(KEY, CODE)
    assert content(folder) == []


def test_a_write_may_take_several_turns(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, left: write(descriptor, left[:100]))
    cache.store(KEY, CODE)
    assert cache.load(KEY) == CODE


def test_a_read_only_disk_is_read(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for call in ("utime", "unlink", "replace", "mkdir", "write"):
        monkeypatch.setattr(os, call, raising(errno.EROFS))
    assert cache.load(KEY) == CODE
    file.write_bytes(b"damaged")
    assert cache.load(KEY) is None


@pytest.mark.parametrize("code", [errno.EMFILE, errno.EIO, errno.EACCES])
def test_a_file_that_cannot_be_opened_now_is_left(
    code: int, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.open

    def open_folders_only(path: str, flags: int, *more: int, **named: int) -> int:
        if flags & os.O_DIRECTORY:
            return real(path, flags, *more, **named)
        raise OSError(code, os.strerror(code))

    with monkeypatch.context() as patch:
        patch.setattr(os, "open", open_folders_only)
        assert cache.load(KEY) is None
    assert cache.load(KEY) == CODE


# Bounds.


def taken(folder: Path) -> int:
    """Return the bytes that the files take on the disk."""
    with os.scandir(folder) as entries:
        return sum(-(-entry.stat().st_size // 4096) * 4096 for entry in entries)


@pytest.mark.long
def test_the_limit_is_kept(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    limit = 256 * ROOM  # every second store, on average, looks for room
    monkeypatch.setattr(cache, "LIMIT", limit)
    most = looks = 0
    make_room = cache._Folder.make_room

    def look(self: cache._Folder) -> None:
        nonlocal looks
        looks += 1
        make_room(self)

    monkeypatch.setattr(cache._Folder, "make_room", look)
    for i, key in enumerate(keys(500)):
        cache.store(key, CODE)
        if i % 5 == 0:
            most = max(most, taken(folder))
    # An eighth is kept free, more or less what comes between two looks.
    assert limit * 7 // 8 <= most <= limit
    # 500 independent chances of a half: 250 ± 11.2; four deviations.
    assert 205 < looks < 295


def test_what_was_used_least_recently_goes_first(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache, "LIMIT", 32 * ROOM)
    names = keys(29)
    for age, key in enumerate(names):
        with monkeypatch.context() as patch:
            patch.setattr(cache._Folder, "make_room", lambda _: None)
            cache.store(key, CODE)
        long_ago = time.time() - 1000 + age
        os.utime(folder / f"{key}.kernel", (long_ago, long_ago))
    assert cache.load(names[1]) == CODE  # so it is the youngest, and the oldest are 0, 2, 3
    cache.store(KEY, CODE)  # a chance of 128 / 32: it does look for room
    assert len(content(folder)) == 28
    gone = [i for i, key in enumerate(names) if cache.load(key) is None]
    assert gone == [0, 2]
    assert cache.load(KEY) == CODE


def test_a_content_that_would_drive_out_many_is_not_kept(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache, "LIMIT", 32 * ROOM)
    cache.store(OTHER, bytes(4 * ROOM))
    assert cache.load(OTHER) is None
    cache.store(OTHER, bytes(4 * ROOM - cache.HEADER))
    assert cache.load(OTHER) == bytes(4 * ROOM - cache.HEADER)
    assert cache.load(KEY) == CODE


def test_files_of_other_names_stay(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "LIMIT", 16 * ROOM)
    folder.mkdir(mode=0o700)
    for name in ("notes.txt", "x.kernel", f"{KEY}.kernel.bak", f"{KEY}.0123.kernel"):
        (folder / name).write_bytes(bytes(20 * ROOM))
        os.utime(folder / name, (0, 0))
    mine = content(folder)
    for key in keys(30):
        cache.store(key, CODE)
    assert set(mine) <= set(content(folder))
    assert 0 < len(content(folder)) - len(mine) <= 16


def test_a_file_removed_by_another_process_meanwhile_is_passed_over(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache, "LIMIT", 64 * ROOM)  # every store looks for room
    left = file.with_name(f"{KEY}.{0:016x}.kernel")
    left.touch()
    os.utime(left, (0, 0))
    scandir = os.scandir

    def scan_what_is_gone(where: int) -> Any:
        with scandir(where) as found:
            entries = sorted(found, key=lambda entry: entry.name != file.name)
        file.unlink()
        return nullcontext(entries)

    with monkeypatch.context() as patch:
        patch.setattr(os, "scandir", scan_what_is_gone)
        cache.store(OTHER, CODE)
    assert content(file.parent) == [f"{OTHER}.kernel"]


KILLED = """
import os, sys
from autograd.compiler import cache
os.replace = lambda *args, **named: os._exit(7)
cache.store(sys.argv[1], b"never finished")
"""


def test_what_a_killed_writer_left_is_cleaned_up(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache, "LIMIT", 64 * ROOM)  # every store looks for room
    killed = subprocess.run([sys.executable, "-c", KILLED, KEY], check=False)
    assert killed.returncode == 7
    (left,) = content(folder)
    assert cache.load(KEY) is None
    cache.store(OTHER, CODE)
    assert left in content(folder)  # it may still be at work
    long_ago = time.time() - cache.ABANDONED - 1
    os.utime(folder / left, (long_ago, long_ago))
    cache.store(OTHER, CODE)
    assert content(folder) == [f"{OTHER}.kernel"]


# Many at once.


def code_of(key: str) -> bytes:
    return bytes.fromhex(key) * 200


def work(seed: int, start: Any, answers: Any) -> None:
    """Store and load the same few keys as the other processes, with hardly any room for them."""
    cache.LIMIT = 32 * ROOM
    names = keys(40)
    wrong = found = 0
    start.wait(30)
    for i in range(300):
        key = names[(i * (7 + 2 * seed)) % 40]
        cache.store(key, code_of(key))
        loaded = cache.load(names[(i * 3 + seed) % 40])
        if loaded is not None:
            found += 1
            wrong += loaded != code_of(names[(i * 3 + seed) % 40])
    answers.put((found, wrong))


@pytest.mark.long
def test_processes_may_store_and_load_at_once(folder: Path) -> None:
    context = multiprocessing.get_context("spawn")
    start, answers = context.Barrier(2), context.Queue()
    workers = [context.Process(target=work, args=(seed, start, answers)) for seed in range(2)]
    for worker in workers:
        worker.start()
    results = [answers.get(timeout=30) for _ in workers]
    for worker in workers:
        worker.join(30)
        assert worker.exitcode == 0
    assert all(found > 50 and wrong == 0 for found, wrong in results), results
    assert taken(folder) <= 32 * ROOM
    assert set(content(folder)) <= {f"{key}.kernel" for key in keys(40)}


ROOT = Path(cache.__file__).parents[2]

WARM = """
from autograd import Value, compile
from autograd.acceleration import accelerator
from autograd.compiler import machine
from nn import MLP

made, generated = [], machine._generated
machine._generated = lambda text, level: made.append(text) or generated(text, level)
f = compile(MLP(2, [3, 1]), [0.5, -1.0])
f.value_and_grad([0.5, -1.0])
f.backward([0.5, -1.0])
print(len(made), bool(accelerator))
"""


@pytest.mark.long
def test_a_second_process_generates_nothing(tmp_path: Path) -> None:
    """But, with the engine in Python, what visits Values: it holds addresses of this process."""
    pytest.importorskip("llvmlite")
    (tmp_path / "warm.py").write_text(WARM, encoding="utf-8")
    command = [sys.executable, str(tmp_path / "warm.py")]
    env = os.environ | {"CHAINRULE_CACHE": str(tmp_path / "cache"), "PYTHONPATH": str(ROOT)}
    for is_warm in (False, True):
        done = subprocess.run(command, env=env, check=True, capture_output=True, text=True)
        count, is_in_c = done.stdout.split()
        assert int(count) > 2 if not is_warm else count == ("0" if is_in_c == "True" else "1")
