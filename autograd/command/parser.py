"""The words after a subcommand: which are options, and which are not."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Sequence
from difflib import get_close_matches
from typing import Any, NoReturn

from autograd.command.usage import EXIT_CODES, UsageError


class Parser(argparse.ArgumentParser):
    """Prints the examples before everything else, refuses in one line, and takes any word.

    Words are told from options before argparse sees them, so that ``-x**2`` and ``-1.5`` are
    words: an option is what has been added as one, or begins with two dashes.

    Attributes:
        examples: what the help begins with.
        hands_on: whether the words after ``--`` are for what a word before it names. They are
            found in ``handed_on`` of what `parse` returns.
        offered: by the name of an argument, the words that a shell completes for it, besides
            choices and files. They are asked for when they are wanted.
    """

    def __init__(self, *, examples: str, **settings: Any) -> None:
        formatter = argparse.RawDescriptionHelpFormatter
        settings = {"epilog": EXIT_CODES} | settings
        super().__init__(formatter_class=formatter, allow_abbrev=False, **settings)
        self.examples = examples
        self.hands_on: Callable[[str], object] = lambda word: False
        self.offered: dict[str, Callable[[], Iterable[str]]] = {}

    def completions(self, action: argparse.Action) -> list[str]:
        """Return the words that a shell completes for an option or a word."""
        offered = self.offered.get(action.dest, lambda: ())
        return [*map(str, action.choices or offered())]

    def parse(self, argv: Sequence[str]) -> argparse.Namespace | None:
        """Return what the words say; None if they ask for help, which is printed.

        Raises:
            UsageError: a word or an option can't be used.
        """
        end = argv.index("--") if "--" in argv else len(argv)
        handed_on: Sequence[str] = []
        if any(map(self.hands_on, argv[:end])):
            argv, handed_on = argv[:end], argv[end + 1 :]
        options, words = self._split(argv)
        if {"-h", "--help"} & set(options):
            print(self.format_help(), end="")
            return None
        parsed, surplus = self.parse_known_args([*options, *(["--"] if words else []), *words])
        surplus = [word for word in surplus if word != "--"]
        if surplus:
            raise UsageError(f"{surplus[0]!r:.60} is one too many; see {self.prog} --help")
        parsed.handed_on = handed_on
        return parsed

    def _split(self, argv: Sequence[str]) -> tuple[list[str], list[str]]:
        """Return the options, each with its value, and the words, in their order."""
        known = self._option_string_actions
        options: list[str] = []
        words: list[str] = []
        rest = iter(argv)
        for word in rest:
            if word == "--":
                words += rest
            elif word in known:
                value = next(rest, None) if known[word].nargs is None else None
                # In one word with its option, a value may begin with a dash.
                glue = "=" if word.startswith("--") else ""
                options.append(word if value is None else f"{word}{glue}{value}")
            elif not word.startswith("--"):
                words.append(word)
            elif word.partition("=")[0] in known:
                options.append(word)
            else:
                close = get_close_matches(word, known, n=1)
                hint = f"did you mean {close[0]}?" if close else f"see {self.prog} --help"
                raise UsageError(f"there is no option {word:.60}; {hint}")
        return options, words

    def format_help(self) -> str:
        return f"{self.examples}\n\n{super().format_help()}"

    def error(self, message: str) -> NoReturn:
        lacking = message.replace("the following arguments are required:", "what is missing is")
        raise UsageError(f"{lacking}; see {self.prog} --help")
