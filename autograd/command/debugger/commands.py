"""The commands of the debugger: their names, what they take, and what the help says of them."""

from __future__ import annotations

from typing import NamedTuple

from autograd.command.condition import ABOUT
from autograd.stepping.mistakes import WAYS


class Command(NamedTuple):
    """A command as the help shows it; aliases are other words for it."""

    aliases: str
    usage: str
    does: str


COMMANDS = {
    "next": Command("n s step", "next [COUNT]", "apply the next event"),
    "back": Command("u undo rn", "back [COUNT]", "take back the last event"),
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
break abs(grad) > 0.1           break tanh           an op, a module or a kind
                                break 12             what line 12 has made
break module == "layers.0" and not finite(total)

{ABOUT}
A number that an event lacks is unknown, and no comparison with it holds.""",
    "print": "Without a NAME: the leaves and the root. A gradient that has not been reached is\n"
    "unknown, and partial until its last contribution.",
    "goto": "goto 12 is the moment after event 12; goto x1 that when d/d x1 is complete.",
    "wrong": "\n".join(f"wrong {way:<13} {text}" for way, text in WAYS.items()),
    "quiz": "Answer with a number, as in 0.5 or -3*2, or: hint, give up, score, quit.",
}
