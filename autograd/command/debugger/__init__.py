"""The debugger of the terminal, with the habits of pdb."""

from autograd.command.debugger.session import Debugger

__all__ = ["Debugger"]
