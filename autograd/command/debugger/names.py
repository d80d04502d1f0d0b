"""What the words of a user mean in a run: its nodes, and conditions to stop at."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from difflib import get_close_matches

from autograd.command.condition import FLAGS, parse_condition
from autograd.engine import Value
from autograd.errors import ChainruleError
from autograd.stepping import breakpoints as at
from autograd.stepping.breakpoints import Condition
from autograd.stepping.events import Recording

MOST_OFFERED = 20
"""How many names a refusal offers."""


class Refusal(Exception):
    """A command can't be carried out as given; the message says what to do."""


class Names:
    """The names of a run.

    Args:
        find: looks up a Value that isn't called by its name in the run, such as a script's
            ``losses[3]``; raises a ChainruleError if there is none.

    Attributes:
        nodes: by name.
    """

    def __init__(self, recording: Recording, find: Callable[[str], Value] | None = None) -> None:
        self.recording = recording
        self.find = find
        self.nodes = {recording.name(node): node for node in recording.nodes}

    def node(self, name: str) -> Value:
        """Return the node of that name.

        Raises:
            Refusal: there is none, or none of this run.
        """
        if name in self.nodes:
            return self.nodes[name]
        twins = [self.recording.name(node) for node in self.recording.nodes if node.label == name]
        if twins:
            raise Refusal(f"several nodes are called {name}: say {_either(twins)}")
        close = get_close_matches(name, self.nodes, n=1)
        hint = f"did you mean {close[0]}?" if close else "print lists the leaves"
        if self.find is not None:
            with suppress(ChainruleError):
                found = self.find(name)
                if found in self.recording.position:
                    return found
                hint = f"{self.recording.name(self.recording.root)} was not computed from it"
        raise Refusal(f"there is no node {name!r:.60} in this run; {hint}")

    def condition(self, text: str) -> Condition:
        """Return the condition typed: an expression, a line of the source, or the name of a node.

        An op, a module or a kind of event goes by its name as well.
        """
        if text.isdecimal():
            return parse_condition(f"line == {text}")
        if text in self.nodes and text not in FLAGS:
            return Condition(at.on_node(self.nodes[text]), f'name == "{text}"')
        what = self._named(text)
        return parse_condition(f'{what} == "{text}"' if what else text)

    def _named(self, text: str) -> str:
        """Return what of this run has that name: "op", "kind" or "module"; "" if nothing has."""
        nodes = self.recording.nodes
        if any(node.op and text in (node.op.name, node.op.symbol) for node in nodes):
            return "op"
        if text in at.KINDS:
            return "kind"
        scopes = {node.origin[0] for node in nodes if node.origin}
        is_module = '"' not in text and any(f".{text}." in f".{scope}." for scope in scopes)
        return "module" if is_module else ""


def _either(names: list[str]) -> str:
    shown = names[:MOST_OFFERED]
    return f"{', '.join(shown[:-1])} or {shown[-1]}" if len(shown) > 1 else shown[0]
