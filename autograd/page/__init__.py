"""The debugger as one HTML file: source, graph and arithmetic, side by side and live."""

from autograd.page.document import build
from autograd.page.notebook import frame

__all__ = ["build", "frame"]
