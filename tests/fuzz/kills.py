"""Trainings that are killed at any moment, and resumed to the bit."""

from __future__ import annotations

import io
import json
import os
import random
import signal
import tempfile
import time
import warnings
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import nn
from autograd.command.cli import main
from autograd.command.subcommands import train
from nn.data import moons
from nn.losses import binary_cross_entropy_with_logits
from nn.optim import Adam

Work = Callable[[Path], None]


def by_fit(folder: Path) -> None:
    """Train, or go on, and leave the weights and the history in a file."""
    model = nn.Sequential(nn.Layer(2, 3, seed=0), nn.Dropout(0.2, seed=1), nn.Neuron(3, seed=2))
    state = folder / "state.json"
    history = nn.fit(
        model,
        moons(16),
        binary_cross_entropy_with_logits,
        Adam(model.parameters(), 0.01),
        epochs=40,
        batch_size=4,
        compile=False,
        checkpoint=state,
        resume=state if state.exists() else None,
    )
    told = [history.loss, history.accuracy, model.state_dict(), [s.loss for s in history.steps]]
    (folder / "result").write_text(json.dumps(told))


def by_command(folder: Path) -> None:
    """Do the same from the command line, without the pictures."""
    train._draw = lambda *_: {}
    words = ["train", "moons", "--n", "20", "--epochs", "30", "--hidden", "3"]
    words += ["--out", str(folder)]
    if (folder / "checkpoint.json").exists():
        words.append("--resume")
    with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()) as err:
        code = main(words)
    if code:
        raise RuntimeError(err.getvalue())
    (folder / "result").write_bytes((folder / "model.json").read_bytes())


WORKS: tuple[Work, ...] = (by_fit, by_command)


def differing(seed: int, kills: int) -> list[str]:
    """Return what came out otherwise for having been killed so many times, in all.

    Args:
        seed: of the moments; one that is even is of `by_fit`, an odd one of `by_command`.
    """
    source, work, found = random.Random(seed), WORKS[seed % len(WORKS)], []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        before = time.monotonic()
        ended(started(work, folder), folder)
        seconds = time.monotonic() - before
        whole = (folder / "result").read_bytes()
    while kills > 0:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            for _ in range(min(kills, source.randint(1, 5))):
                child = started(work, folder)
                time.sleep(source.uniform(0, 1.2) * seconds)
                os.kill(child, signal.SIGKILL)
                ended(child, folder, killed=True)
                kills -= 1
            (folder / "result").unlink(missing_ok=True)  # it may have been written only half
            ended(started(work, folder), folder)
            if (folder / "result").read_bytes() != whole:
                found.append(f"{work.__name__} of seed {seed}, with {kills} kills to go")
    return found


def started(work: Work, folder: Path) -> int:
    child = os.fork()
    if child:
        return child
    warnings.simplefilter("ignore")
    try:
        work(folder)
    except BaseException as error:
        (folder / "error").write_text(f"{type(error).__name__}: {error}")
        os._exit(1)
    os._exit(0)


def ended(child: int, folder: Path, killed: bool = False) -> None:
    _, status = os.waitpid(child, 0)
    if os.waitstatus_to_exitcode(status) not in ((0, -signal.SIGKILL) if killed else (0,)):
        raise RuntimeError((folder / "error").read_text())
