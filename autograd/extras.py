"""The libraries that some parts need, and the extras that bring them."""

from __future__ import annotations

from typing import NoReturn

from autograd.errors import MissingExtraError


def missing_extra(library: str, extra: str, error: ImportError) -> NoReturn:
    """Raise the one error that says which extra brings ``library``."""
    raise MissingExtraError(
        f"this needs {library}, which is not installed: pip install 'chainrule[{extra}]'"
    ) from error
