"""Whether data is a text, and what ``chainrule train`` can be told of one: `TextSettings`."""

from __future__ import annotations

import argparse
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from autograd.command.settings import DEFAULTS, OF_FILES, OPTIONS, TEXT
from autograd.command.usage import UsageError


@dataclass(frozen=True)
class TextSettings:
    """All that decides what comes of a text: the same settings give the same model.

    Attributes:
        data: "names", or the path of a text with a document a line.
        test: the share of the documents that is kept back and measured at the end.
        batch_size: documents a step.
        embedding, heads, layers, block_size: as for `nn.GPT`.
        learning_rate: of the first step; it falls to 0 in a straight line.
        temperature: of what is written at the end.
    """

    data: str
    test: float = 0.1
    embedding: int = 16
    heads: int = 4
    layers: int = 1
    block_size: int = 16
    epochs: int = 1
    batch_size: int = 1
    learning_rate: float = 0.01
    temperature: float = 0.5
    seed: int = 0


TEXT_OPTIONS: list[tuple[str, str | None, Any, str]] = [
    ("--embedding", "N", int, "numbers that stand for a letter (default: 16)"),
    ("--heads", "N", int, "of attention in a layer (default: 4)"),
    ("--layers", "N", int, "blocks of attention (default: 1)"),
    ("--block-size", "N", int, "letters of a line that are learnt, at most (default: 16)"),
    ("--temperature", "X", float, "of what is written at the end (default: 0.5)"),
]
"""Options that only a text has; of the others, it takes those that `TextSettings` names."""

TEXT_NAMES = [name for name, *_ in TEXT_OPTIONS]


def is_text(args: argparse.Namespace) -> bool:
    """Return whether data is learnt letter by letter.

    Of a FILE.txt, what is asked for tells; and if that doesn't, whether it holds a table.

    Raises:
        UsageError: options of tables and of texts are mixed.
    """
    data, task = args.data, args.task
    if data == "names" or task == TEXT:
        if data in DEFAULTS:
            raise UsageError(f"--task text is of a FILE with a document a line, not of {data}")
        return True
    if Path(data).suffix.lower() != ".txt":
        return False
    of_tables, of_texts = _given(args, OF_FILES), _given(args, TEXT_NAMES)
    if of_tables and of_texts:
        raise UsageError(f"{of_tables[0]} is of tables, {of_texts[0]} of texts: drop one of them")
    return bool(of_texts) or not (of_tables or _holds_table(data))


def _holds_table(path: str) -> bool:
    from autograd import read_regular
    from nn.tables.dialect import decoded
    from nn.tables.recognition import is_table

    try:
        text, _ = decoded(read_regular(path))
    except (OSError, ValueError):  # which is told where it is read
        return False
    return is_table(text.splitlines())


def _given(args: argparse.Namespace, names: list[str]) -> list[str]:
    """Return those of some options that are given."""
    return [name for name in names if getattr(args, _attribute(name)) is not None]


def _attribute(option: str) -> str:
    return option.removeprefix("--").replace("-", "_")


def refuse_text_options(args: argparse.Namespace) -> None:
    """Refuse the options of texts where there is none."""
    for option in _given(args, TEXT_NAMES):
        raise UsageError(
            f"{option} is of a text: names, or a FILE with a document a line and --task text"
        )


def text_settings_of(args: argparse.Namespace) -> TextSettings:
    """Return the settings that the command line asks for.

    Raises:
        UsageError: an option is of tables only.
    """
    own = {field.name for field in fields(TextSettings)}
    every = [names.split()[0] for rows in OPTIONS.values() for names, *_ in rows]
    foreign = [name for name in _given(args, every) if _attribute(name) not in own]
    foreign += [name for name in ("--resume", "--dry-run") if getattr(args, _attribute(name))]
    if args.task == TEXT:
        foreign.remove("--task")
    if foreign:
        hint = (
            ""
            if args.data == "names" or args.task == TEXT
            else (f"; if {args.data} holds a table, say --task classification or regression")
        )
        raise UsageError(f"{foreign[0]} is of tables, not of a text{hint}")
    given = {name: getattr(args, name) for name in own if getattr(args, name) is not None}
    return TextSettings(**given)
