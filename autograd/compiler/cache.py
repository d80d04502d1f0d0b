"""Kernels kept on the disk, so that the next process need not compile them again.

They are machine code: who can write here can run code as the user. So the folder and every file
must belong to the user and be writable by nobody else, links are not followed, and the folder is
held open while it is used, so that what was checked is what is read. Digests tell damage, not
malice.

Nothing here fails: a cache that can't be used is as good as an empty one. ``CHAINRULE_CACHE=off``
switches it off, ``CHAINRULE_CACHE=DIR`` names another folder. On Windows, whose access rights
Python can't read, the folder is private because the user's profile is; another is the user's word.

Source: Linux man-pages, open(2), "Rationale for openat() and other directory file descriptor APIs".
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
import stat
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import NamedTuple

LIMIT = 128 * 2**20
"""Bytes that all kernels together may take on the disk."""

BLOCK = 4096
"""Bytes by which file systems give room: a small file takes one."""

ABANDONED = 600.0
"""Seconds after which an unfinished file's writer, who needs milliseconds, must be dead."""

MAGIC = b"chainrule kernel 1\n"
HEADER = len(MAGIC) + 32 + 8 + 32

KEY = re.compile("[0-9a-f]{64}")
FILE = re.compile(rf"{KEY.pattern}(?P<unfinished>\.[0-9a-f]{{16}})?\.kernel")

OPEN = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
READ = OPEN | os.O_RDONLY | getattr(os, "O_NONBLOCK", 0)  # a pipe in a file's place can't stall us
WRITE = OPEN | os.O_WRONLY | os.O_CREAT | os.O_EXCL


def load(key: str) -> bytes | None:
    """Return what was stored under a key, or None; a file that is not what it should be is removed.

    Args:
        key: 64 lowercase hexadecimal digits.

    Raises:
        ValueError: that is no key.
    """
    _check(key)
    with suppress(OSError), _folder() as folder:
        return folder.read(key)
    return None


def store(key: str, content: bytes) -> None:
    """Keep ``content`` under a key, where possible; what was used least recently makes room.

    Room is made in one store of many, which larger contents are more likely to hit: about once a
    MiB. That spares the others the look at all files, costs the same however many there are, and
    needs no count that processes would have to share. An eighth of the limit is free afterwards,
    so the limit is exceeded with a chance of exp(-16) before the next time.

    Args:
        key: 64 lowercase hexadecimal digits.
        content: not kept if larger than that eighth.

    Raises:
        ValueError: that is no key.
    """
    _check(key)
    taken = _room(HEADER + len(content))
    if taken > LIMIT // 8:
        return
    with suppress(OSError), _folder(make=True) as folder:
        folder.write(key, content)
        # A key is a digest, so its first digits are as good as a random number.
        if int(key[:8], 16) / 2**32 < taken / (LIMIT / 128):
            folder.make_room()


def is_on() -> bool:
    """Return whether there is a place for the cache."""
    try:
        _path()
    except FileNotFoundError:
        return False
    return True


def _check(key: str) -> None:
    if not KEY.fullmatch(key):
        raise ValueError(f"{key!r:.80} is no key: make it with sha256(...).hexdigest()")


def _room(size: int) -> int:
    return -(-size // BLOCK) * BLOCK


def _header(key: str, content: bytes) -> bytes:
    """Return what stands before a content, from which every kind of damage shows."""
    digest = hashlib.sha256(content).digest()
    return MAGIC + bytes.fromhex(key) + len(content).to_bytes(8, "little") + digest


def _is_private(status: os.stat_result) -> bool:
    """Tell whether nobody else can have written there."""
    if sys.platform == "win32":
        return True
    return status.st_uid == os.geteuid() and not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)


def _verified(descriptor: int, key: str) -> bytes | None:
    """Return the content of an open file, or None if it isn't that of the key, whole and private.

    Raises:
        OSError: it can't be read.
    """
    status = os.fstat(descriptor)
    if (
        not stat.S_ISREG(status.st_mode)
        or not _is_private(status)
        or not HEADER <= status.st_size <= HEADER + LIMIT
    ):
        return None
    with open(descriptor, "rb", buffering=0, closefd=False) as file:
        whole = file.read()
    content = whole[HEADER:]
    return content if whole[:HEADER] == _header(key, content) else None


class _Folder(NamedTuple):
    """A folder that was found good.

    Attributes:
        descriptor: names are looked up from here; None on Windows, where they can't be.
    """

    path: str
    descriptor: int | None

    def at(self, name: str) -> str:
        return name if self.descriptor is not None else os.path.join(self.path, name)

    def read(self, key: str) -> bytes | None:
        """Return a file's content, or None; a damaged or strange one is removed.

        Raises:
            OSError: it isn't there, or can't be read.
        """
        name = f"{key}.kernel"
        try:
            descriptor = os.open(self.at(name), READ, dir_fd=self.descriptor)
        except OSError as error:
            if error.errno in (errno.ELOOP, errno.EMLINK):  # a symbolic link, says O_NOFOLLOW
                self.remove(name)
            raise
        try:
            content = _verified(descriptor, key)
        finally:
            os.close(descriptor)
        if content is None:
            self.remove(name)
        else:
            with suppress(OSError):  # a read-only disk is good enough
                os.utime(self.at(name), dir_fd=self.descriptor)
        return content

    def write(self, key: str, content: bytes) -> None:
        """Write a file whole or not at all.

        Not by `autograd.files`: that gives files the user's usual mode, and looks its path up
        again, when it may lead elsewhere.

        Raises:
            OSError: it can't be written.
        """
        unfinished = f"{key}.{os.urandom(8).hex()}.kernel"
        try:
            descriptor = os.open(self.at(unfinished), WRITE, 0o600, dir_fd=self.descriptor)
            try:
                left = memoryview(_header(key, content) + content)
                while left:
                    left = left[os.write(descriptor, left) :]
            finally:
                os.close(descriptor)
            os.replace(
                self.at(unfinished),
                self.at(f"{key}.kernel"),
                src_dir_fd=self.descriptor,
                dst_dir_fd=self.descriptor,
            )
        except BaseException:
            self.remove(unfinished)
            raise

    def remove(self, name: str) -> None:
        with suppress(OSError):
            os.unlink(self.at(name), dir_fd=self.descriptor)

    def make_room(self) -> None:
        """Remove what killed writers left, and the files used least recently beyond 7/8 of `LIMIT`.

        Files of other names are somebody else's and stay.

        Raises:
            OSError: the folder can't be listed.
        """
        kernels = []
        long_ago = time.time() - ABANDONED
        with os.scandir(self.path if self.descriptor is None else self.descriptor) as entries:
            for entry in entries:
                if (file := FILE.fullmatch(entry.name)) is None:
                    continue
                try:
                    status = entry.stat(follow_symlinks=False)
                except FileNotFoundError:  # another process was faster
                    continue
                if not file["unfinished"]:
                    kernels.append((status.st_mtime_ns, _room(status.st_size), entry.name))
                elif status.st_mtime < long_ago:
                    self.remove(entry.name)
        excess = sum(room for _, room, _ in kernels) - LIMIT * 7 // 8
        for _, room, name in sorted(kernels):
            if excess <= 0:
                break
            self.remove(name)
            excess -= room


@contextmanager
def _folder(*, make: bool = False) -> Iterator[_Folder]:
    """Open the cache's folder.

    Raises:
        OSError: there is none, or none that may be used.
    """
    path = _path()
    if make:
        _make(path)
    if sys.platform == "win32":
        status = os.lstat(path)
        # A junction is a directory to lstat, but leads elsewhere as a link does.
        if not stat.S_ISDIR(status.st_mode) or status.st_reparse_tag:
            raise NotADirectoryError(errno.ENOTDIR, "no directory of its own", path)
        yield _Folder(path, None)
        return
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        if not _is_private(os.fstat(descriptor)):
            raise PermissionError(errno.EPERM, "others can write there", path)
        yield _Folder(path, descriptor)
    finally:
        os.close(descriptor)


def _path() -> str:
    """Return the path of the folder, by the habits of the platform.

    Raises:
        FileNotFoundError: the cache is off, or the user has no home.
    """
    chosen = os.environ.get("CHAINRULE_CACHE", "")
    if chosen.lower() == "off":
        raise FileNotFoundError(errno.ENOENT, "the cache is off")
    if chosen:
        # Without its last slash: a path that ends in one is followed through a link.
        path = os.path.normpath(os.path.expanduser(chosen))
        if path.startswith("~"):
            raise FileNotFoundError(errno.ENOENT, "no such home", chosen)
        return path
    if sys.platform == "win32":
        above = os.environ.get("LOCALAPPDATA") or "~/AppData/Local"
    elif sys.platform == "darwin":
        above = "~/Library/Caches"
    else:
        above = os.environ.get("XDG_CACHE_HOME", "")
        if not os.path.isabs(above):  # invalid, says the specification, and to be ignored
            above = "~/.cache"
    above = os.path.expanduser(above)
    if not os.path.isabs(above):
        raise FileNotFoundError(errno.ENOENT, "no home for the cache")
    return os.path.join(above, "chainrule", "kernels")


def _make(path: str) -> None:
    """Make a folder and those above it, each for the user alone, as makedirs would not."""
    if not os.path.isdir(path):
        above = os.path.dirname(path)
        if above and above != path:
            _make(above)
        with suppress(FileExistsError):
            os.mkdir(path, 0o700)
