"""The stepper in a terminal: an interactive debugger with the habits of pdb.

>>> from autograd import Stepper, Value
>>> x = Value(3.0, label="x")
>>> debugger = Debugger(Stepper(x * x))
>>> _ = debugger.onecmd("run contribution == 2")
event 5 of 6   n1 passes on to x
  rule      n1 = x * x   so d n1/d x = x
  adds      d n1/d x += d n1/d n1 * d n1/d x
                      = 1.0       * 3.0
                      = 3.0
  so far    6.0   after 2 of 2 contributions
>>> _ = debugger.onecmd("what-if x 4")
if x were 4.0 instead of 3.0:
  predicted change of n1: 6.0 * 1.0 = 6.0
  actual change:          16.0 - 9.0 = 7.0
  curvature: on the way the gradient goes from 6.0 to 8.0
"""

from __future__ import annotations

import cmd
import json
import re
from collections.abc import Callable
from difflib import get_close_matches
from typing import Any

from autograd.command.debugger.commands import ALIASES, COMMANDS, MORE
from autograd.command.debugger.examination import Examination
from autograd.command.debugger.keyboard import completions, line_editing
from autograd.command.debugger.listing import MAX_ROWS, Listing
from autograd.command.debugger.names import Names, Refusal
from autograd.command.debugger.screen import Screen
from autograd.command.expression import number_of
from autograd.command.terminal import BAD, QUIET, WARNING, Terminal, printable
from autograd.engine import Value
from autograd.errors import ChainruleError
from autograd.files import write_whole
from autograd.stepper import Stepper
from autograd.stepping.breakpoints import Condition
from autograd.stepping.events import Event
from autograd.stepping.mistakes import WAYS
from autograd.stepping.notation import counted
from autograd.stepping.quiz import Quiz

MAX_COUNTED = 100_000
"""Up to this many events, a new breakpoint says how often it holds."""


class Debugger(cmd.Cmd):
    """A session with a stepper.

    Args:
        stepper: the run to look at, and the position in it.
        terminal: where everything is printed.
        find: looks up a Value that isn't called by its name in the run, such as a
            script's ``losses[3]``; raises a ChainruleError if there is none.
    """

    prompt = "(chainrule) "

    def __init__(
        self,
        stepper: Stepper,
        terminal: Terminal | None = None,
        find: Callable[[str], Value] | None = None,
    ) -> None:
        super().__init__()
        self.stepper = stepper
        self.terminal = terminal or Terminal()
        self.breakpoints: dict[int, Condition] = {}
        self.names = Names(stepper.recording, find)
        self._screen = Screen(stepper, self.terminal)
        self._listing = Listing(stepper, self.terminal)
        self._numbered = 0
        self._quiz: Quiz | None = None

    def session(self) -> None:
        """Read and carry out commands until the user leaves."""
        with line_editing():
            while True:
                try:
                    self.cmdloop()
                    return
                except KeyboardInterrupt:
                    self.say("\ninterrupted; quit or Ctrl-D leaves", QUIET)

    # Reading a command

    def parseline(self, line: str) -> tuple[str, str, str]:
        """Return command ("" for an unknown one), argument and line, aliases resolved."""
        line = line.strip()
        word, _, arg = line.partition(" ")
        if line.startswith("?"):
            word, arg = "help", line[1:]
        word = ALIASES.get(word, word)
        if word in COMMANDS:
            return word.replace("-", "_"), arg.strip(), line
        return ("EOF" if line == "EOF" else ""), "", line

    def onecmd(self, line: str) -> bool:
        """Carry out one command; what goes wrong is said, and the session stays."""
        position = self.stepper.position
        try:
            return bool(super().onecmd(line))
        except (Refusal, ChainruleError, OSError, ValueError) as error:
            self.complain(str(error))
        except KeyboardInterrupt:
            self.stepper.goto(position)
            raise
        return False

    def default(self, line: str) -> None:
        """Print the node if ``line`` is its name."""
        if line in self.names.nodes:
            self.do_print(line)
            return
        word = line.split()[0]
        known = [*COMMANDS, *ALIASES]
        close = get_close_matches(word, known, n=1)
        hint = f"did you mean {close[0]}?" if close else "help lists them"
        raise Refusal(f"there is no command {word!r:.60}; {hint}")

    # Moving

    def do_next(self, arg: str) -> None:
        self._move(self.stepper.next, _count(arg))

    def do_back(self, arg: str) -> None:
        self._move(self.stepper.back, _count(arg))

    def _move(self, step: Callable[[], Event | None], count: int) -> None:
        for _ in range(count):
            if step() is None:
                end = "end" if self.stepper.position > 0 else "start"
                self.say(f"this is the {end} of the run", QUIET)
                return
        self.show()

    def do_goto(self, arg: str) -> None:
        if not arg:
            raise Refusal(f"where to? an event from 0 to {self.length}, or a node's name")
        if re.fullmatch(r"-?[0-9]+", arg):
            position = _whole(arg, self.length)
            if position is None:
                raise Refusal(f"there is no event {arg:.60}; they go from 1 to {self.length}")
            self.stepper.goto(position)
        else:
            self.stepper.goto(self.node(arg))
        self.show()

    def do_reset(self, arg: str) -> None:
        self.stepper.reset()
        self.show()

    def do_run(self, arg: str) -> None:
        self._run(arg, self.stepper.run, "from here to the end", self.length)

    def do_reverse(self, arg: str) -> None:
        self._run(arg, self.stepper.reverse_run, "from here back to the start", 0)

    def _run(self, arg: str, move: Callable[..., Event | None], way: str, end: int) -> None:
        """Move until the condition typed, else a breakpoint, holds; stay if none ever does."""
        position = self.stepper.position
        stops = {0: self.names.condition(arg)} if arg else dict(self.breakpoints)
        if not stops:
            self.stepper.goto(end)
            self.show()
            return
        event = move(lambda e: any(stop(e) for stop in stops.values()))
        if event is None:
            self.stepper.goto(position)
            never = f"{stops[0] if arg else 'the breakpoint'} never holds"
            self.say(
                f"{'no breakpoint holds' if len(stops) > 1 else never} {way}; still at event "
                f"{position} of {self.length} (goto {end} goes there)",
                WARNING,
            )
            return
        for number, stop in stops.items():
            if number and stop(event):
                self.say(f"breakpoint {number}: {stop}", WARNING)
        self.show()

    # Breakpoints

    def do_break(self, arg: str) -> None:
        if not arg:
            for number, condition in self.breakpoints.items():
                self.say(f"{number:>3}  {condition}{self._frequency(condition)}")
            if not self.breakpoints:
                self.say('no breakpoints; break abs(grad) > 0.1 or break op == "tanh" sets one')
            return
        condition = self.names.condition(arg)
        self._numbered += 1
        self.breakpoints[self._numbered] = condition
        self.say(f"breakpoint {self._numbered}: {condition}{self._frequency(condition)}")

    def _frequency(self, condition: Condition) -> str:
        if self.length > MAX_COUNTED:
            return ""
        count = sum(map(condition, self.stepper.events))
        return f"   holds at {count} of {self.length} events" if count else "   holds nowhere here"

    def do_clear(self, arg: str) -> None:
        if not arg:
            self.say(f"{counted(len(self.breakpoints), 'breakpoint')} removed")
            self.breakpoints.clear()
            return
        number = _whole(arg, self._numbered)
        if number not in self.breakpoints:
            known = ", ".join(map(str, self.breakpoints)) or "none at all"
            raise Refusal(f"there is no breakpoint {arg!r:.60}; there is {known}")
        self.say(f"removed {self.breakpoints.pop(number)}")

    # Looking

    def do_where(self, arg: str) -> None:
        self.show()

    def do_list(self, arg: str) -> None:
        self._listing.source()

    def do_events(self, arg: str) -> None:
        self._listing.events()

    def do_print(self, arg: str) -> None:
        if arg:
            self._listing.nodes([self.node(arg)])
        else:
            self._listing.leaves()

    # Asking

    def do_why(self, arg: str) -> None:
        self.say_all(str(self.stepper.why(self.node(arg))))

    def do_derive(self, arg: str) -> None:
        self.say_all(str(self.stepper.derivation(self.node(arg), MAX_ROWS)))

    def do_what_if(self, arg: str) -> None:
        name, _, number = arg.replace("=", " ").partition(" ")
        if not number.strip():
            raise Refusal("what-if needs a name and a number, as in what-if x1 0.5")
        node = self.node(name)
        self.say_all(str(self.stepper.what_if(node, number_of(number))))

    def do_wrong(self, arg: str) -> None:
        if not arg:
            self.say_all(MORE["wrong"])
            return
        way = get_close_matches(arg, WAYS, n=1, cutoff=0.5)
        if not way:
            raise Refusal(f"the wrong ways are {', '.join(WAYS)}; not {arg!r:.60}")
        self.say_all(str(self.stepper.wrong_way(way[0])))

    def do_quiz(self, arg: str) -> None:
        if self._quiz is None or self._quiz.event is None:
            self._quiz = self.stepper.quiz()
        Examination(self._quiz, self.terminal).cmdloop()

    def do_save(self, arg: str) -> None:
        if not arg.endswith((".html", ".json")):
            raise Refusal("save needs the name of a file that ends in .html or .json")
        try:
            if arg.endswith(".html"):
                self.stepper.save(arg)
            else:
                write_whole(arg, json.dumps(self.stepper.to_json()).encode())
        except (OSError, ValueError) as error:  # a name with a null character is a ValueError
            problem = error.strerror if isinstance(error, OSError) else error
            raise Refusal(f"{printable(arg):.60} can't be written: {problem}") from None
        self.say(f"wrote {counted(self.length, 'event')} to {arg}")

    # Leaving

    def do_help(self, arg: str) -> None:
        word = ALIASES.get(arg, arg)
        if word in COMMANDS:
            _, usage, does = COMMANDS[word]
            self.say(f"{usage}   {does}", "bold")
            self.say_all(MORE.get(word, ""))
            return
        if arg:
            raise Refusal(f"there is no command {arg!r:.60}; help lists them")
        rows = [
            (f"  {aliases.partition(' ')[0]:<4}{usage:<29}", does)
            for aliases, usage, does in COMMANDS.values()
        ]
        fits = max(len(usage + does) for usage, does in rows) <= self.terminal.width
        for usage, does in rows:
            if fits:
                self.terminal.spans(usage, (does, QUIET))
            else:
                self.say(usage.rstrip())
                self.say(f"        {does}", QUIET)
        self.say("An empty line repeats the last command; Tab completes.")

    def do_quit(self, arg: str) -> bool:
        return True

    def do_EOF(self, arg: str) -> bool:  # noqa: N802 - the name that cmd gives to Ctrl-D
        self.say()
        return True

    # Completing

    def completenames(self, text: str, *_: Any) -> list[str]:
        found = sorted(name for name in COMMANDS if name.startswith(text))
        return found if len(found) > 1 else [f"{name} " for name in found]

    def completedefault(self, text: str, line: str, begin: int, end: int) -> list[str]:
        return completions(text, line[:begin], self.names.nodes)

    complete_help = completedefault

    # Showing

    @property
    def length(self) -> int:
        return len(self.stepper.events)

    def node(self, name: str) -> Value:
        """Return the node of that name; without one, the subject of the current event.

        Raises:
            Refusal: there is none, or none of this run.
        """
        if name:
            return self.names.node(name)
        if self.stepper.current is None:
            raise Refusal("nothing has happened yet: name a node, or go on with next")
        return self.stepper.current.subject

    def show(self) -> None:
        self._screen.print()

    def say(self, text: str = "", style: str = "") -> None:
        self.terminal.line(text, style)

    def say_all(self, text: str) -> None:
        """Print several lines, the middle of very many left out."""
        lines = text.splitlines()
        if len(lines) > 4 * MAX_ROWS:
            left_out = len(lines) - 4 * MAX_ROWS
            lines[2 * MAX_ROWS : -2 * MAX_ROWS] = [f"  ... {left_out} more lines ..."]
        for line in lines:
            self.say(line, WARNING if line.lstrip().startswith("warning:") else "")

    def complain(self, problem: str) -> None:
        first, *rest = problem.splitlines() or [""]
        self.say(f"*** {first}", BAD)
        for line in rest:
            self.say(f"  {line}")


def _count(arg: str) -> int:
    count = _whole(arg or "1", 10**9)
    if not count:
        raise Refusal(f"a count is a whole number from 1 on, not {arg!r:.60}")
    return count


def _whole(text: str, most: int) -> int | None:
    """Return the whole number that was typed, from 0 to ``most``; None if it is none of these."""
    if not text.isdecimal() or len(text) > len(str(most)) + 20:
        return None
    return int(text) if int(text) <= most else None
