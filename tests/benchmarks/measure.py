"""Run one measurement in a process of its own."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

ROUNDS = 9
STEPS = Path(__file__).with_name("steps.py")


def measure(name: str) -> Any:
    """Return what ``steps.py NAME`` prints."""
    done = subprocess.run([sys.executable, STEPS, name], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)
