"""Files that appear whole or not at all."""

from __future__ import annotations

import secrets
from contextlib import suppress
from pathlib import Path


def write_whole(path: Path, content: bytes) -> None:
    """Write ``content`` beside ``path``, then put it in its place.

    Raises:
        OSError: the file can't be written; names ``path``.
    """
    beside = path.parent / f".{secrets.token_hex(8)}{path.suffix}"
    try:
        beside.write_bytes(content)
        beside.replace(path)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from None
    finally:
        with suppress(OSError):
            beside.unlink()
