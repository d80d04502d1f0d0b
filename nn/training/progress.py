"""What is seen of a training while it goes on: a bar in a terminal or notebook, else nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from importlib import import_module
from time import monotonic

from nn.history import History

Show = Callable[[int, int, History], None]

PAUSE = 0.1
"""Seconds between two changes of the bar in a notebook: each is a message to the browser."""

_is_wanted: ContextVar[bool] = ContextVar("wanted", default=True)


@contextmanager
def unseen() -> Iterator[None]:
    """Have nothing shown meanwhile: of one training among many, say."""
    token = _is_wanted.set(False)
    try:
        yield
    finally:
        _is_wanted.reset(token)


@contextmanager
def bar(epochs: int, samples: int) -> Iterator[Show]:
    """Yield what shows epoch, samples done in it, and the history; if nobody sees it, nothing."""
    if not _is_wanted.get():
        yield lambda epoch, done, history: None
        return
    try:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        console = Console(stderr=True)
        is_seen = console.is_terminal or console.is_jupyter
    except ImportError:
        is_seen = False
    if not is_seen:
        yield lambda epoch, done, history: None
        return
    view = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[figures]}"),
        TimeRemainingColumn(),
        console=console,
    )
    task = view.add_task("", total=epochs * samples, figures="")

    def show(epoch: int, done: int, history: History) -> None:
        figures = [f"loss {history.loss[-1]:.4f}"] if history.loss else []
        figures += [f"accuracy {history.accuracy[-1]:.1%}"] if history.accuracy else []
        if history.validation_accuracy:
            figures.append(f"validation {history.validation_accuracy[-1]:.1%}")
        view.update(
            task,
            completed=(epoch - 1) * samples + done,
            description=f"epoch {epoch:{len(str(epochs))}}/{epochs}",
            figures="  ".join(figures),
        )

    if not console.is_jupyter:
        with view:
            yield show
        return
    # Where a bar runs by itself in a notebook, rich needs ipywidgets; drawn anew, it doesn't.
    place = import_module("IPython.display").display(view, display_id=True)
    drawn = monotonic()

    def show_there(epoch: int, done: int, history: History) -> None:
        nonlocal drawn
        show(epoch, done, history)
        if monotonic() - drawn >= PAUSE:
            drawn = monotonic()
            place.update(view)

    try:
        yield show_there
    finally:
        place.update(view)
