"""Files that are written whole or not at all, and read only if they are files."""

from __future__ import annotations

import errno
import os
import secrets
import stat
import time
from contextlib import suppress
from pathlib import Path

WAITS = (0.01, 0.03, 0.1, 0.3, 1.0) if os.name == "nt" else ()
"""Seconds to wait, again and again, for a reader that holds the file open: Windows minds one."""


def write_whole(path: str | os.PathLike[str], content: bytes) -> None:
    """Write ``content`` beside ``path``, then put it in its place; a reader never sees a part.

    A file that is replaced keeps its mode, and a link its target, which is what is replaced.
    What is no regular file, such as ``/dev/null`` or a pipe, is written to as it is. Only a kill
    leaves a draft behind, with a name that can't be foreseen.

    Raises:
        OSError: the file can't be written; names ``path``.
    """
    path = os.fspath(path)
    try:
        before = _status(path)
        if before is not None and not stat.S_ISREG(before.st_mode):
            with open(path, "wb") as stream:
                stream.write(content)
            return
        _replace(Path(os.path.realpath(path)), content, before)
    except OSError as error:
        raise OSError(error.errno, error.strerror, path) from None
    except ValueError:
        raise _no_name(path) from None


def read_regular(path: str | os.PathLike[str], most: int = 2**30) -> bytes:
    """Return what is in a file; no pipe is waited for, and no device read, which has no end.

    Raises:
        OSError: it can't be read, is no regular file, or has more than ``most`` bytes; names
            ``path``.
    """
    path = os.fspath(path)
    flags = os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0)
    try:
        descriptor = os.open(path, flags)
    except ValueError:
        raise _no_name(path) from None
    with open(descriptor, "rb") as stream:
        status = os.fstat(stream.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise OSError(errno.EINVAL, "it is no regular file", path)
        if status.st_size > most:
            raise OSError(errno.EFBIG, f"it has more than {most:,} bytes", path)
        return stream.read(most)


def _no_name(path: str) -> OSError:
    """Return the error for what no file can be called, as a NUL is in it, or half a character."""
    return OSError(errno.EINVAL, "no file can be called so", path)


def _status(path: str) -> os.stat_result | None:
    """Return what is at ``path``, or where it leads to; None if nothing is."""
    try:
        return os.stat(path)
    except FileNotFoundError:
        return None


def _replace(target: Path, content: bytes, before: os.stat_result | None) -> None:
    """Put a new file in the place of ``target``, which was like ``before``."""
    if before is not None and not os.access(target, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    mode = 0o666 if before is None else stat.S_IMODE(before.st_mode)
    draft = target.with_name(f".{secrets.token_hex(16)}")
    # O_EXCL opens no file that is there, and follows no link; O_BINARY is Windows'.
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    descriptor = os.open(draft, flags, mode)
    try:
        with open(descriptor, "wb") as stream:
            if before is not None and os.chmod in os.supports_fd:
                os.chmod(descriptor, mode)  # with what the umask took away
            stream.write(content)
            stream.flush()
            os.fsync(descriptor)
        _move(draft, target)
    finally:
        with suppress(OSError):
            draft.unlink()
    _sync(target.parent)


def _move(draft: Path, target: Path) -> None:
    for seconds in WAITS:
        try:
            os.replace(draft, target)
            return
        except PermissionError:
            time.sleep(seconds)
    os.replace(draft, target)


def _sync(folder: Path) -> None:
    """Have the new name of a file outlast a power cut, where a folder can be asked for that."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
