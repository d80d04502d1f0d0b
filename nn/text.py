"""Text as tokens, character by character: documents for a `nn.GPT`.

Token 0 stands at the beginning and the end of every document; the others are the characters
that occur, in their order.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from importlib.resources import files
from os import PathLike
from typing import NamedTuple

from autograd import read_regular

BOUNDARY = 0
"""The token at the beginning and the end of a document."""


class Tokenizer:
    """Characters as whole numbers: token i + 1 is the i-th of ``characters``.

    Raises:
        ValueError: a character is there twice.

    >>> tokenizer = Tokenizer("abc")
    >>> tokenizer.encode("cab"), tokenizer.decode([0, 3, 1, 2, 0]), tokenizer.size
    ([0, 3, 1, 2, 0], 'cab', 4)
    """

    def __init__(self, characters: str) -> None:
        if len(set(characters)) < len(characters):
            twice = next(c for c in characters if characters.count(c) > 1)
            raise ValueError(f"a tokenizer knows each character once: {twice!r} is there twice")
        self.characters = characters
        self._tokens = {character: i + 1 for i, character in enumerate(characters)}

    @property
    def size(self) -> int:
        """How many tokens there are, the `BOUNDARY` included: a model's ``vocabulary``."""
        return 1 + len(self.characters)

    def encode(self, text: str) -> list[int]:
        """Return a document's tokens, between two boundaries.

        Raises:
            ValueError: a character is unknown.
        """
        unknown = next((c for c in text if c not in self._tokens), None)
        if unknown is not None:
            raise ValueError(f"{unknown!r} is none of the characters {self.characters!r:.80}")
        return [BOUNDARY, *map(self._tokens.__getitem__, text), BOUNDARY]

    def decode(self, tokens: Sequence[int]) -> str:
        """Return the text of tokens, without the boundaries.

        Raises:
            ValueError: there is no such token.
        """
        for token in tokens:
            if not 0 <= token < self.size:
                raise ValueError(f"there are the tokens 0 to {self.size - 1}, not {token!r:.40}")
        return "".join(self.characters[token - 1] for token in tokens if token != BOUNDARY)

    def __repr__(self) -> str:
        return f"Tokenizer({self.characters!r})"


class Text(NamedTuple):
    """Documents, each a list of tokens from boundary to boundary, and what they are made of."""

    documents: list[list[int]]
    tokenizer: Tokenizer


def characters(path: str | PathLike[str] | None = None) -> Text:
    """Return a text file as tokens: each line that isn't blank is a document.

    Args:
        path: a text file in UTF-8; by default, 1,437 given names.

    Raises:
        ValueError: the file is no text, or has no line.

    >>> documents, tokenizer = characters()
    >>> len(documents), tokenizer.size, documents[0], tokenizer.decode(documents[0])
    (1437, 27, [0, 1, 1, 18, 15, 14, 0], 'aaron')
    """
    if path is None:
        lines: Iterable[str] = files("nn").joinpath("names.txt").read_text("utf-8").split()
    else:
        try:
            lines = read_regular(path).decode("utf-8-sig").splitlines()
        except UnicodeDecodeError as error:
            raise ValueError(f"{path} is no text in UTF-8: {error.reason}") from None
    texts = [line.strip() for line in lines if line.strip()]
    if not texts:
        raise ValueError(f"{path} has no line of text")
    tokenizer = Tokenizer("".join(sorted(set("".join(texts)))))
    return Text(list(map(tokenizer.encode, texts)), tokenizer)
