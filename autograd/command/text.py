"""A GPT that learns a text, letter by letter: what ``chainrule train names`` does."""

from __future__ import annotations

import argparse
import random
import shlex
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from math import log
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, NamedTuple

from autograd.command.account import milestones, print_files, print_network, print_next
from autograd.command.notes import Notes, described
from autograd.command.terminal import Terminal, as_json, printable
from autograd.command.text_settings import TextSettings, text_settings_of
from autograd.command.usage import INTERRUPTED, OK, UsageError
from autograd.contexts import no_grad
from autograd.stepping.notation import counted

if TYPE_CHECKING:
    from nn import GPT
    from nn.text import Text, Tokenizer

WRITTEN = 20
"""Documents that the model writes when it has learnt."""

MEASURED = 200
"""Documents that are measured on, at most: it takes as long as a fifth of the training."""

SHOWN = {
    "model": "the model, its letters included",
    "loss": "loss by step",
    "attention": "where the heads look in one document",
    "embedding": "which letters the model takes for alike",
}
"""What is said of each file."""


class LearntText(NamedTuple):
    """What came of a text.

    Attributes:
        losses: of each step, before it.
        figures: by part, the mean loss of a letter; by simpler model, on the test.
        interrupted: whether it was stopped by Ctrl-C, after a whole step.
    """

    model: GPT
    losses: list[float]
    figures: dict[str, dict[str, float]]
    interrupted: bool


def train_text(args: argparse.Namespace, directory: Path) -> int:
    """Learn a text, save, report, and return the exit code.

    Raises:
        UsageError: an option or the file can't be used; nothing is trained.
    """
    from nn import GPT, generate, save
    from nn.arguments import count, number, share
    from nn.data import characters

    settings = text_settings_of(args)
    terminal = Terminal(sys.stderr if args.json else None)
    try:
        text = characters(None if settings.data == "names" else settings.data)
        for name in ("epochs", "batch_size", "block_size"):
            count(name, getattr(settings, name))
        for name in ("learning_rate", "temperature"):
            number(name, getattr(settings, name), positive=True)
        share("test", settings.test)
        size = (settings.block_size, settings.embedding, settings.heads, settings.layers)
        model = GPT(text.tokenizer.size, *size, settings.seed)
    except (ValueError, TypeError) as error:
        raise UsageError(str(error)) from error
    except OSError as error:
        raise UsageError(f"{settings.data}: {error.strerror}") from error
    parts = _parts(text, settings)
    directory.mkdir(parents=True, exist_ok=True)
    if not args.json:
        _introduce(terminal, settings, text, parts, model)
    learnt = _learn(settings, model, parts, lambda *told: _tell(terminal, *told))
    if not learnt.losses:
        print("chainrule: no step was finished, so nothing is saved", file=sys.stderr)
        return INTERRUPTED
    source = random.Random(settings.seed)
    written = [
        text.tokenizer.decode(generate(model, [0], settings.temperature, source, stop=0))
        for _ in range(WRITTEN)
    ]
    notes = Notes(
        settings=asdict(settings),
        task="text",
        columns=[],
        classes=[],
        epochs=settings.epochs,
        figures=learnt.figures,
        characters=text.tokenizer.characters,
    )
    files = {"model": save(model, directory / f"model.{args.format}", notes.to_json())}
    files |= _draw(learnt, text.tokenizer, written, directory)
    if args.json:
        more = {"interrupted": learnt.interrupted, "loss": learnt.losses, "written": written}
        print(as_json(described(model, notes, files, **more)))
    else:
        known = set(map(text.tokenizer.decode, text.documents))
        _print(terminal, learnt, written, known, files)
    return INTERRUPTED if learnt.interrupted else OK


def _parts(text: Text, settings: TextSettings) -> dict[str, list[list[int]]]:
    """Return the documents to learn from and those of the test, shuffled."""
    shuffled = random.Random(settings.seed).sample(text.documents, len(text.documents))
    kept = min(round(settings.test * len(shuffled)), len(shuffled) - 1)
    return {"train": shuffled[kept:], "test": shuffled[:kept]}


def _learn(
    settings: TextSettings,
    model: GPT,
    parts: dict[str, list[list[int]]],
    tell: Callable[[int, list[float]], None],
) -> LearntText:
    """Train the model in place, step by step; Ctrl-C ends it after a whole step."""
    from nn import minimize, next_token_loss
    from nn.optim import Adam

    train, size = parts["train"], settings.batch_size
    optimizer = Adam(model.parameters(), settings.learning_rate, (0.85, 0.99))
    source = random.Random(settings.seed)
    order = [
        document for _ in range(settings.epochs) for document in source.sample(train, len(train))
    ]
    batches = [order[i : i + size] for i in range(0, len(order), size)]
    losses: list[float] = []
    interrupted = False

    def note(loss: float) -> None:
        losses.append(loss)
        tell(len(batches), losses)

    try:
        minimize(
            lambda document: next_token_loss(model, document),
            [[document[: model.block_size + 1] for document in batch] for batch in batches],
            optimizer,
            lambda step: 1 - step / len(batches),
            note,
        )
    except KeyboardInterrupt:
        interrupted = True
    figures = {"train": _figure(model, train), "test": _figure(model, parts["test"])}
    figures |= _rivals(train, parts["test"], model)
    figures = {name: figure for name, figure in figures.items() if figure}
    return LearntText(model, losses, figures, interrupted)


def _figure(model: GPT, documents: Sequence[Sequence[int]]) -> dict[str, float]:
    """Return the mean loss of a letter over some of the documents."""
    from nn import next_token_loss

    if not documents:
        return {}
    some = documents[:MEASURED]
    with no_grad():
        losses = [(next_token_loss(model, d).data, _length(model, d)) for d in some]
    letters = sum(n for _, n in losses)
    return {"samples": len(some), "loss": sum(x * n for x, n in losses) / letters}


def _length(model: GPT, document: Sequence[int]) -> int:
    return min(len(document) - 1, model.block_size)


def _rivals(
    train: Sequence[Sequence[int]], test: Sequence[Sequence[int]], model: GPT
) -> dict[str, dict[str, float]]:
    """Return what knowing only how often each letter occurs would give on the test."""
    if not test:
        return {}
    counts = [1] * model.vocabulary  # each once more, so that none is impossible
    for document in train:
        for token in document[1:]:
            counts[token] += 1
    total = sum(counts)
    some = test[:MEASURED]
    letters = [t for d in some for t in d[1 : 1 + _length(model, d)]]
    loss = fmean(-log(counts[t] / total) for t in letters)
    guess = {"samples": len(some), "loss": log(model.vocabulary)}
    return {"letters by frequency": {"samples": len(some), "loss": loss}, "any letter": guess}


def _draw(
    learnt: LearntText, tokenizer: Tokenizer, written: Sequence[str], directory: Path
) -> dict[str, Path]:
    """Write the pictures, and return them by what they show."""
    from nn import plots

    names = ["·", *tokenizer.characters]
    files = {name: directory / f"{name}.png" for name in ("loss", "attention", "embedding")}
    plots.loss_by_step(learnt.losses, files["loss"])
    longest = max(written, key=len)
    tokens = tokenizer.encode(longest)[:-1][: learnt.model.block_size]
    shown = [names[token] for token in tokens]
    plots.attention_maps(learnt.model, tokens, files["attention"], shown)
    plots.embedding_map(learnt.model, names, files["embedding"])
    return files


def _introduce(
    terminal: Terminal,
    settings: TextSettings,
    text: Text,
    parts: dict[str, list[list[int]]],
    model: GPT,
) -> None:
    terminal.line(printable(settings.data), "bold")
    letters = printable(text.tokenizer.characters)
    test = f", {len(parts['test']):,} for the test" if parts["test"] else ""
    terminal.line(f"  {len(parts['train']):,} documents to learn from{test}")
    terminal.line(f"  {len(text.tokenizer.characters)} letters: {letters:.80}")
    if settings.data != "names":
        terminal.line(
            "  learnt as a text, a document a line; --task classification or regression "
            "reads it as a table",
            "dim",
        )
    longer = sum(len(document) - 1 > model.block_size for document in text.documents)
    if longer:
        terminal.line(f"  {longer:,} are longer than {model.block_size}: of these, the beginning")
    print_network(terminal, model)
    terminal.heading("Training")
    terminal.line(
        f"  {counted(settings.epochs, 'epoch')}   batches of {settings.batch_size}   adam   "
        f"learning rate {settings.learning_rate:g}, falling   seed {settings.seed}"
    )
    terminal.line()
    terminal.line("   step    loss", "dim")
    sys.stdout.flush()


def _tell(terminal: Terminal, steps: int, losses: Sequence[float]) -> None:
    """Print about ten of the steps, as they are made: the mean loss of those just before."""
    if len(losses) in milestones(steps):
        from nn.metrics import mean_of

        loss = mean_of(losses[-max(1, steps // 10) :])
        terminal.line(f"  {len(losses):>5,}  {loss:.4f}")
        sys.stdout.flush()


def _print(
    terminal: Terminal,
    learnt: LearntText,
    written: Sequence[str],
    known: set[str],
    files: dict[str, Path],
) -> None:
    terminal.heading("Result: the loss of a letter, −log of the probability that it was given")
    terminal.table(
        ["", "documents", "loss"],
        [
            [name, f"{figure['samples']:,.0f}", f"{figure['loss']:.3f}"]
            for name, figure in learnt.figures.items()
        ],
    )
    terminal.heading("Written")
    new = [f"{printable(text)}{'*' if text in known else ''}" for text in written]
    terminal.line("  " + "   ".join(text or "(nothing)" for text in new))
    if any(text in known for text in written):
        terminal.line("  * is in the text", "dim")
    print_files(terminal, files, SHOWN)
    beginning = "an" if {"a", "n"} <= set("".join(known)) else min(known)[:1]
    asked = shlex.quote(printable(beginning))
    print_next(terminal, files["model"], asked, "what comes after it")
