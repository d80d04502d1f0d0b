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
import linecache
import math
import os
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NamedTuple

from autograd.command.condition import ABOUT, FLAGS, NUMBERS, TEXTS, parse_condition
from autograd.command.expression import FUNCTIONS, parse
from autograd.command.terminal import Terminal, crop
from autograd.engine import Value
from autograd.errors import ChainruleError
from autograd.stepper import Stepper
from autograd.stepping import breakpoints as at
from autograd.stepping.breakpoints import Condition
from autograd.stepping.events import Edge, Event
from autograd.stepping.mistakes import WAYS
from autograd.stepping.notation import show
from autograd.stepping.quiz import Quiz

AROUND = 5
"""How many lines or events `list` and `events` show to either side."""

LONGEST = 20
"""How many rows a table shows before it counts the rest."""

REMEMBERED = 1000
"""How many lines of history are kept between sessions."""

COUNTED = 100_000
"""Up to this many events, a new breakpoint says how often it holds."""

WIDEST = 100
"""On a wider terminal, the place of an event does not move further to the right."""

NUMBER, FACT, WARNING, BAD, QUIET = "bold cyan", "green", "yellow", "bold red", "dim"


class Command(NamedTuple):
    """A command as the help shows it; aliases are other words for it."""

    aliases: str
    usage: str
    does: str


COMMANDS = {
    "next": Command("n s step", "next [COUNT]", "apply the next event"),
    "back": Command("rn", "back [COUNT]", "take back the last event"),
    "run": Command("c cont continue r", "run [CONDITION]", "go on to the next breakpoint"),
    "reverse": Command("rc", "reverse [CONDITION]", "go back to the one before"),
    "goto": Command("g j jump", "goto EVENT | NAME", "to an event, or a complete gradient"),
    "reset": Command("", "reset", "to the start"),
    "break": Command("b", "break [CONDITION|NAME|LINE]", "set a breakpoint, or list them"),
    "clear": Command("cl", "clear [NUMBER]", "remove a breakpoint, or all"),
    "where": Command("w", "where", "this event again"),
    "list": Command("l", "list", "the source around this event's line"),
    "events": Command("e", "events", "the events before and after"),
    "print": Command("p", "print [NAME]", "value and gradient as known by now"),
    "why": Command("y", "why [NAME]", "every contribution to a gradient"),
    "derive": Command("d", "derive [NAME]", "the chain rule worked out in steps"),
    "what-if": Command("i whatif", "what-if NAME NUMBER", "another number: predicted and actual"),
    "wrong": Command("", "wrong [WAY]", "the same pass as it goes wrong"),
    "quiz": Command("", "quiz", "predict the contributions yourself"),
    "save": Command("", "save FILE.html", "write a page for a browser; .json: the data"),
    "help": Command("h ?", "help [COMMAND]", "this, or more about one command"),
    "quit": Command("q exit", "quit", "leave; so does Ctrl-D"),
}
ALIASES = {alias: name for name, known in COMMANDS.items() for alias in known.aliases.split()}

MORE = {
    "run": f"CONDITION counts once, in place of the breakpoints:\n{ABOUT}",
    "reverse": "CONDITION counts once, in place of the breakpoints; see help break.",
    "break": f"""\
break label == "x1"             break layers.0.w.1   a node by its name
break abs(grad) > 0.1           break 12             what line 12 has made
break module == "layers.0" and not finite(total)

{ABOUT}
A number that an event lacks is unknown, and no comparison with it holds.""",
    "print": "Without a NAME: the leaves and the root. A gradient that has not been reached is\n"
    "unknown, and partial until its last contribution.",
    "goto": "goto 12 is the moment after event 12; goto x1 that when d/d x1 is complete.",
    "wrong": "\n".join(f"wrong {way:<13} {text}" for way, text in WAYS.items()),
    "quiz": "Answer with a number, as in 0.5 or -3*2, or: hint, give up, score, quit.",
}


class Refusal(Exception):
    """A command can't be carried out as given; the message says what to do."""


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
        self.recording = stepper.recording
        self.terminal = terminal or Terminal()
        self.find = find
        self.breakpoints: dict[int, Condition] = {}
        self.names = {self.recording.name(node): node for node in self.recording.nodes}
        self._numbered = 0
        self._quiz: Quiz | None = None

    def session(self) -> None:
        """Read and carry out commands until the user leaves."""
        with _readline():
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
        except (Refusal, ChainruleError, OSError) as error:
            self.complain(str(error))
        except KeyboardInterrupt:
            self.stepper.goto(position)
            raise
        return False

    def default(self, line: str) -> None:
        """Print the node if ``line`` is its name."""
        if line in self.names:
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
            position = int(arg)
            if not 0 <= position <= self.length:
                raise Refusal(f"there is no event {arg}; they go from 1 to {self.length}")
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
        stops = {0: self.condition(arg)} if arg else dict(self.breakpoints)
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
        condition = self.condition(arg)
        self._numbered += 1
        self.breakpoints[self._numbered] = condition
        self.say(f"breakpoint {self._numbered}: {condition}{self._frequency(condition)}")

    def _frequency(self, condition: Condition) -> str:
        if self.length > COUNTED:
            return ""
        count = sum(map(condition, self.stepper.events))
        return f"   holds at {count} of {self.length} events" if count else "   holds nowhere here"

    def do_clear(self, arg: str) -> None:
        if not arg:
            self.say(f"{_counted(len(self.breakpoints), 'breakpoint')} removed")
            self.breakpoints.clear()
            return
        if not arg.isdecimal() or int(arg) not in self.breakpoints:
            known = ", ".join(map(str, self.breakpoints)) or "none at all"
            raise Refusal(f"there is no breakpoint {arg!r:.60}; there is {known}")
        self.say(f"removed {self.breakpoints.pop(int(arg))}")

    def condition(self, text: str) -> Condition:
        """Return the condition typed: an expression, a node's name, or a line of the source."""
        if text.isdecimal():
            return parse_condition(f"line == {text}")
        if text in self.names and text not in FLAGS:
            return Condition(at.on_node(self.names[text]), f'name == "{text}"')
        return parse_condition(text)

    # Looking

    def do_where(self, arg: str) -> None:
        self.show()

    def do_list(self, arg: str) -> None:
        event = self.stepper.current or self.stepper.events[0]
        file, line = (event.node.origin or ("", None, None))[1:]
        lines = linecache.getlines(file) if file else []
        if not lines or line is None:
            self.say("the source of this node is not known; these are the events", QUIET)
            self.do_events(arg)
            return
        first = max(1, line - AROUND)
        self.say(f"{file}:{line}", QUIET)
        for number in range(first, min(len(lines), line + AROUND) + 1):
            mark = "->" if number == line else "  "
            text = f"{number:>4} {mark}  {lines[number - 1].rstrip()}".expandtabs(4).rstrip()
            # Not folded: a long line of source is the terminal's to wrap.
            self.terminal.spans((text, "bold" if number == line else ""))

    def do_events(self, arg: str) -> None:
        position = self.stepper.position
        first = max(0, min(position - 1 - AROUND, self.length - 2 * AROUND - 1))
        for event in self.stepper.events[first : first + 2 * AROUND + 1]:
            here = event.index + 1 == position
            number = f"{event.index + 1:>{len(str(self.length))}} {'->' if here else '  '}  "
            text, *_ = str(event).split("   ")
            text += " complete" if event.kind == "done" else ""
            line = f"{number}{crop(text, self.terminal.width - len(number))}"
            self.say(line, "bold" if here else QUIET if event.index >= position else "")

    def do_print(self, arg: str) -> None:
        if arg:
            nodes = [self.node(arg)]
        else:
            leaves = [node for node in self.recording.nodes if node.op is None]
            nodes = [*dict.fromkeys([*leaves[: LONGEST - 1], self.recording.root])]
        names = [crop(self.recording.name(node), 36) for node in nodes]
        width = max(map(len, names))
        for node, name in zip(nodes, names, strict=True):
            value, gradient = self.stepper.value(node), self.stepper.gradient(node)
            known = show(value) if value is not None else "not yet"
            style = {"unknown": QUIET, "partial": WARNING, "complete": FACT}[gradient.status]
            self.terminal.spans(
                "  ",
                f"{name:<{width}} = ",
                (f"{known:<12}", _style(value)),
                ("gradient ", QUIET),
                (str(gradient), style),
            )
        if not arg and len(leaves) >= LONGEST:
            self.say(f"  and {len(leaves) - LONGEST + 1} more leaves", QUIET)

    # Asking

    def do_why(self, arg: str) -> None:
        self.say_all(str(self.stepper.why(self.node(arg))))

    def do_derive(self, arg: str) -> None:
        self.say_all(str(self.stepper.derivation(self.node(arg), LONGEST)))

    def do_what_if(self, arg: str) -> None:
        name, _, number = arg.replace("=", " ").partition(" ")
        if not number.strip():
            raise Refusal("what-if needs a name and a number, as in what-if x1 0.5")
        node = self.node(name)
        self.say_all(str(self.stepper.what_if(node, _number(number))))

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
                Path(arg).write_text(json.dumps(self.stepper.to_json()), encoding="utf-8")
        except OSError as error:
            raise Refusal(f"{arg} can't be written: {error.strerror}") from None
        self.say(f"wrote {_counted(self.length, 'event')} to {arg}")

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
        """Return what may follow: a node's name, or a word of a condition."""
        word = line.split()[0]
        word = ALIASES.get(word, word)
        compared = re.search(r"(\w+)\s*[=!]=\s*[\"']$", line[:begin])
        if compared:
            words = self._texts(compared[1])
        elif word in ("break", "run", "reverse"):
            words = [*NUMBERS, *TEXTS, *FLAGS, *FUNCTIONS, "finite", "and", "or", "not"]
            words += self.names
        elif word == "wrong":
            words = list(WAYS)
        elif word == "help":
            words = list(COMMANDS)
        else:
            words = list(self.names)
        return sorted({w for w in words if w.startswith(text)})

    complete_help = completedefault

    def _texts(self, variable: str) -> list[str]:
        """Return the texts that a variable of conditions can have in this run."""
        nodes = self.recording.nodes
        if variable == "op":
            return [node.op.name for node in nodes if node.op]
        if variable == "kind":
            return ["forward", "edge", "done"]
        if variable == "label":
            return [node.label for node in nodes if node.label]
        if variable == "name":
            return list(self.names)
        paths = {node.origin[0] for node in nodes if node.origin and node.origin[0]}
        parts = [path.split(".") for path in paths]
        return [".".join(p[: i + 1]) for p in parts for i in range(len(p))]

    # Showing

    @property
    def length(self) -> int:
        return len(self.stepper.events)

    @property
    def root(self) -> str:
        return self.recording.name(self.recording.root)

    def node(self, name: str) -> Value:
        """Return the node of that name; without one, the subject of the current event.

        Raises:
            Refusal: there is none, or none of this run.
        """
        if not name:
            if self.stepper.current is None:
                raise Refusal("nothing has happened yet: name a node, or go on with next")
            return self.stepper.current.subject
        if name in self.names:
            return self.names[name]
        twins = [self.recording.name(node) for node in self.recording.nodes if node.label == name]
        if twins:
            raise Refusal(f"several nodes are called {name}: say {_either(twins)}")
        close = get_close_matches(name, self.names, n=1)
        hint = f"did you mean {close[0]}?" if close else "print lists the leaves"
        if self.find is not None:
            with suppress(ChainruleError):
                found = self.find(name)
                if found in self.recording.position:
                    return found
                hint = f"{self.root} was not computed from it"
        raise Refusal(f"there is no node {name!r:.60} in this run; {hint}")

    def show(self) -> None:
        """Print the moment: what is computed, by which rule, with which numbers."""
        event = self.stepper.current
        if event is None:
            self.say(f"the start: no event of {self.length} has happened; next applies the first")
            return
        self._headline(event)
        if event.kind == "forward":
            self._show_forward(event)
        elif isinstance(event, Edge):
            self._show_edge(event)
        else:
            count = len(self.recording.incoming[event.node])
            source = f"the sum of {_counted(count, 'contribution')}" if count else "the seed"
            name = self.recording.name(event.node)
            start = f"  complete  d {self.root}/d {name} = "
            self.terminal.spans(
                (start[:12], QUIET), start[12:], (show(event.total), _style(event.total)),
                (f"   {source}", QUIET),
            )  # fmt: skip
        if self.stepper.position == self.length:
            self.say("the end of the run: every gradient is complete", QUIET)

    def _headline(self, event: Event) -> None:
        name = self.recording.name
        if event.arg is not None:
            what = f"{name(event.node)} passes on to {name(event.arg)}"
        else:
            verb = "is complete" if event.kind == "done" else "is computed"
            verb = "is a leaf" if event.kind == "forward" and event.node.op is None else verb
            what = f"{name(event.node)} {verb}"
        count = f"event {event.index + 1} of {self.length}"
        scope, file, line = event.node.origin or ("", None, None)
        file = os.path.relpath(file) if file and os.path.isabs(file) else file
        place = "   ".join(filter(None, [scope, f"{file}:{line}" if file else ""]))
        room = min(self.terminal.width, WIDEST) - len(count) - len(what) - len(place) - 3
        if place and room < 3:
            self.terminal.spans((count, "bold"), f"   {what}")
            self.say(f"  at        {place}", QUIET)
        else:
            gap = " " * room if self.terminal.is_interactive else "   "
            place = gap + place if place else ""
            self.terminal.spans((count, "bold"), f"   {what}", (place, QUIET))

    def _show_forward(self, event: Event) -> None:
        node, name = event.node, self.recording.name(event.node)
        if node.op is None:
            self.terminal.spans(
                ("  value     ", QUIET), f"{name} = ", (show(event.total), _style(event.total))
            )
            return
        numbers = [show(self.recording.value(arg)) for arg in node.args]
        names = [
            self.recording.name(arg) if isinstance(arg, Value) else number
            for arg, number in zip(node.args, numbers, strict=True)
        ]
        if node.op.binds and len(names) > 1:
            names, numbers = _aligned(names, numbers)
        room = self.terminal.width - len(name) - 16
        self.terminal.spans(
            ("  value     ", QUIET), f"{name} = {crop(node.op.spell(*names).rstrip(), room)}"
        )
        indent = " " * (12 + len(name))
        self.terminal.spans(f"{indent} = {crop(node.op.spell(*numbers).rstrip(), room)}")
        self.terminal.spans(f"{indent} = ", (show(event.total), _style(event.total)))

    def _show_edge(self, event: Edge) -> None:
        recording, node, arg = self.recording, event.node, event.arg
        name, target = recording.name(node), recording.name(arg)
        room = self.terminal.width - 12
        rule = f"d {name}/d {target} = {recording.named_rule(node, event.slot)}"
        definition = crop(recording.definition(node), room)
        if len(definition) + len(rule) + 6 <= room:
            self.terminal.spans(("  rule      ", QUIET), definition, ("   so ", QUIET), rule)
        else:
            self.terminal.spans(("  rule      ", QUIET), definition)
            self.terminal.spans(("         so ", QUIET), crop(rule, room))
        sought = f"d {self.root}/d {target}"
        factors = [f"d {self.root}/d {name}", f"d {name}/d {target}"]
        if len(sought) + sum(map(len, factors)) + len(" +=  * ") > room:
            factors = ["upstream", "local"]
        factors, numbers = _aligned(factors, [show(event.upstream), show(event.local)])
        indent = " " * (len(sought) + 1)
        self.terminal.spans(("  adds      ", QUIET), f"{sought} += {' * '.join(factors).rstrip()}")
        self.terminal.spans(f"{' ' * 12}{indent} = {' * '.join(numbers).rstrip()}")
        self.terminal.spans(f"{' ' * 12}{indent} = ", (show(event.product), _style(event.product)))
        nth, count = at.nth(event), len(recording.incoming[arg])
        self.terminal.spans(
            ("  so far    ", QUIET), (show(event.total), _style(event.total)),
            (f"   after {nth} of {_counted(count, 'contribution')}", QUIET),
        )  # fmt: skip

    def say(self, text: str = "", style: str = "") -> None:
        self.terminal.line(text, style)

    def say_all(self, text: str) -> None:
        """Print several lines, the middle of very many left out."""
        lines = text.splitlines()
        if len(lines) > 4 * LONGEST:
            left_out = len(lines) - 4 * LONGEST
            lines[2 * LONGEST : -2 * LONGEST] = [f"  ... {left_out} more lines ..."]
        for line in lines:
            self.say(line, WARNING if line.lstrip().startswith("warning:") else "")

    def complain(self, problem: str) -> None:
        first, *rest = problem.splitlines() or [""]
        self.say(f"*** {first}", BAD)
        for line in rest:
            self.say(f"  {line}")


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
        try:
            right = self.quiz.answer(_number(word))
        except (Refusal, ChainruleError) as error:
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


def history_path() -> Path:
    """Return where the history of sessions is kept, by the habits of the platform."""
    if sys.platform == "win32":
        state = os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local"
    else:
        state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(state) / "chainrule" / "history"


@contextmanager
def _readline() -> Iterator[None]:
    """Set up history and completion, where there is readline; keep the history afterwards."""
    try:
        import readline
    except ImportError:
        yield
        return
    # A name is one word, dots, dashes and brackets included.
    delimiters = readline.get_completer_delims()
    readline.set_completer_delims(" \t\n\"'()<>=!,*/+")
    readline.set_history_length(REMEMBERED)
    with suppress(OSError, RuntimeError):  # none yet, unreadable, or no home
        readline.read_history_file(history_path())
    try:
        yield
    finally:
        readline.set_completer_delims(delimiters)
        with suppress(OSError, RuntimeError):  # a session does not fail for want of a history
            history_path().parent.mkdir(parents=True, exist_ok=True)
            readline.write_history_file(history_path())


def _count(arg: str) -> int:
    if not arg:
        return 1
    if not arg.isdecimal() or not 0 < int(arg) < 10**9:
        raise Refusal(f"a count is a whole number from 1 on, not {arg!r:.60}")
    return int(arg)


def _number(text: str) -> float:
    """Return the number, or the value of the constant expression, that was typed."""
    with suppress(ValueError):
        return float(text)
    expression = parse(text)
    if expression.names:
        raise Refusal(f"this needs a number, but {expression.names[0]} is a name")
    return expression.evaluate({})


def _aligned(above: list[str], below: list[str]) -> tuple[list[str], list[str]]:
    """Return two rows padded so that each column has one width."""
    widths = [max(map(len, column)) for column in zip(above, below, strict=True)]
    return (
        [text.ljust(width) for text, width in zip(above, widths, strict=True)],
        [text.ljust(width) for text, width in zip(below, widths, strict=True)],
    )


def _style(x: float | None) -> str:
    if x is None:
        return QUIET
    return BAD if not math.isfinite(x) else WARNING if x == 0 else NUMBER


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _either(names: list[str]) -> str:
    shown = names[:LONGEST]
    return f"{', '.join(shown[:-1])} or {shown[-1]}" if len(shown) > 1 else shown[0]
