"""A quiz in the terminal."""

from __future__ import annotations

import cmd
import re
from typing import Any

from autograd.command.expression import number_of
from autograd.command.terminal import BAD, FACT, QUIET, WARNING, Terminal
from autograd.errors import ChainruleError
from autograd.stepping.notation import show
from autograd.stepping.quiz import Quiz


class Examination(cmd.Cmd):
    """Asks the questions of a quiz, until they are answered or the learner leaves."""

    prompt = "(quiz) "

    def __init__(self, quiz: Quiz, terminal: Terminal) -> None:
        super().__init__()
        self.quiz = quiz
        self.terminal = terminal

    def preloop(self) -> None:
        self.terminal.line("Answer with a number; hint, give up, score or quit.", QUIET)
        self.terminal.line(self.quiz.question)

    def onecmd(self, line: str) -> bool:
        """Return whether to leave, after an answer or one of the words."""
        word = line.strip().lower()
        if word in ("q", "quit", "exit", "eof"):
            self.terminal.line(self.quiz.score)
            return True
        if word in ("h", "hint"):
            self.terminal.line(self.quiz.hint())
        elif word == "score":
            self.terminal.line(self.quiz.score)
        elif word in ("g", "give up"):
            self.terminal.line(f"it was {show(self.quiz.give_up())}")
            return self._ask()
        elif word:
            return self._answer(word)
        return False

    def _answer(self, word: str) -> bool:
        # As people type them: 1-0.76^2, 0,5 * 2.
        typed = re.sub(r"(\d),(\d)", r"\1.\2", word.replace("^", "**"))
        try:
            right = self.quiz.answer(number_of(typed))
        except ChainruleError as error:
            self.terminal.line(f"*** {str(error).splitlines()[0]}; or: hint, give up, quit", BAD)
            return False
        if not right:
            self.terminal.line("no; try again, or say hint", WARNING)
            return False
        self.terminal.line("yes", FACT)
        return self._ask()

    def _ask(self) -> bool:
        self.terminal.line(self.quiz.question)
        return self.quiz.event is None

    def completenames(self, text: str, *_: Any) -> list[str]:
        return [word for word in ("give up", "hint", "quit", "score") if word.startswith(text)]
