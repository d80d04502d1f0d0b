"""`nn.data.characters`: texts as tokens."""

import os
from pathlib import Path

import pytest

from nn.data import characters
from nn.text import BOUNDARY, Tokenizer


def test_the_names_are_names() -> None:
    documents, tokenizer = characters()
    names = list(map(tokenizer.decode, documents))
    assert names == sorted(set(names))
    assert tokenizer.characters == "abcdefghijklmnopqrstuvwxyz"
    assert max(map(len, names)) <= 15, "so that a document fits into microgpt's block"


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_a_document_a_line_comes_back(end: str, mark: str, tmp_path: Path) -> None:
    lines = ["größe", "  zwei Wörter ", "", "日本", "   ", "a\tb"]
    path = tmp_path / "text.txt"
    path.write_bytes((mark + end.join(lines)).encode())
    documents, tokenizer = characters(path)
    assert list(map(tokenizer.decode, documents)) == ["größe", "zwei Wörter", "日本", "a\tb"]
    assert all(d[0] == d[-1] == BOUNDARY and BOUNDARY not in d[1:-1] for d in documents)
    assert {token for d in documents for token in d} == set(range(tokenizer.size))


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"", "has no line of text"), (b" \n\n", "has no line of text"), (b"\xff\xfe\x00", "no text")],
)
def test_a_file_without_text_is_refused(content: bytes, message: str, tmp_path: Path) -> None:
    path = tmp_path / "text.txt"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=f"text.txt.*{message}"):
        characters(path)


def test_what_a_tokenizer_does_not_know_is_named() -> None:
    tokenizer = Tokenizer("ab")
    with pytest.raises(ValueError, match="'c' is none of the characters 'ab'"):
        tokenizer.encode("abc")
    for token in (3, -1):
        with pytest.raises(ValueError, match=f"the tokens 0 to 2, not {token}"):
            tokenizer.decode([1, token])
    with pytest.raises(ValueError, match="'a' is there twice"):
        Tokenizer("aba")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.txt"
    os.mkfifo(pipe)
    with pytest.raises(OSError, match="it is no regular file"):
        characters(pipe)
