"""The program that turns DOT into pictures: the system's dot, else the one pip brought."""

from __future__ import annotations

import os
import shutil
import sys
import sysconfig
from pathlib import Path
from typing import Any

from autograd.errors import MissingExtraError, missing_extra

try:
    import graphviz
    from graphviz.backend import dot_command
except ImportError as error:
    missing_extra("graphviz", "draw", error)

PURE = "graphviz-pure"

PURE_FORMATS = {
    "canon", "dot", "dot_json", "gv", "jpe", "jpeg", "jpg", "json", "json0", "plain", "plain-ext",
    "png", "svg", "xdot", "xdot1.2", "xdot1.4", "xdot_json",
}  # fmt: skip
"""What graphviz-pure 0.2.2 writes, by its own message."""
