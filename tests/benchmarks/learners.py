"""Whole trainings beside scikit-learn's, from the command and by its conventions.

``python learners.py cold chainrule`` prints the processor's seconds as JSON.
"""

from __future__ import annotations

import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any

SCRIPT = """
import warnings
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier
warnings.simplefilter("ignore")  # that it hasn't converged in these epochs
inputs, labels = load_digits(return_X_y=True)
x, test, y, truth = train_test_split(
    inputs / 16, labels, test_size=0.2, random_state=0, stratify=labels
)
model = MLPClassifier(
    (32,), activation="tanh", learning_rate_init=0.02, batch_size=32, max_iter=30, random_state=0
)
print(model.fit(x, y).score(test, truth))
"""
"""What ``chainrule train digits`` is compared with: the same network, as long, without pictures."""

ROWS, INPUTS = 100_000, 10


def cold(who: str) -> dict[str, float]:
    """Return the processor's seconds of a training on the digits, imports and all.

    A process runs before the one that is measured, so that the bytecode of all modules, as that
    of installed ones, and compiled code are there.
    """
    ours = [sys.executable, "-m", "autograd", "train", "digits", "--out", "digits"]
    words = ours if who == "chainrule" else [sys.executable, "-c", SCRIPT]
    with tempfile.TemporaryDirectory(prefix="chainrule-") as folder:
        environment = {k: x for k, x in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
        environment["PYTHONPYCACHEPREFIX"] = str(Path(folder) / "bytecode")
        for _ in range(2):
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            subprocess.run(words, cwd=folder, env=environment, check=True, capture_output=True)
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
    user, system = after.ru_utime - before.ru_utime, after.ru_stime - before.ru_stime
    return {"seconds": user + system}


def score(name: str, who: str, seed: str) -> dict[str, float]:
    """Return the seconds and the score of a network of either, with its defaults, on unseen data.

    scikit-learn's is given standardised inputs and targets, as ours standardises them.
    """
    from sklearn import datasets
    from sklearn.compose import TransformedTargetRegressor
    from sklearn.model_selection import train_test_split
    from sklearn.neural_network import MLPClassifier, MLPRegressor
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    from nn.estimators import NetworkClassifier, NetworkRegressor

    inputs, targets = getattr(datasets, f"load_{name}")(return_X_y=True)
    state, of_numbers = int(seed), name == "diabetes"
    x, test, y, truth = train_test_split(
        inputs,
        targets,
        test_size=0.25,
        random_state=state,
        stratify=None if of_numbers else targets,
    )
    if who == "chainrule":
        model: Any = (NetworkRegressor if of_numbers else NetworkClassifier)(random_state=state)
    else:
        model = (MLPRegressor if of_numbers else MLPClassifier)(random_state=state)
        if of_numbers:
            model = TransformedTargetRegressor(model, transformer=StandardScaler())
        model = make_pipeline(StandardScaler(), model)
    start = time.perf_counter()
    with warnings.catch_warnings(action="ignore"):  # that it hasn't converged
        model.fit(x, y)
    return {"seconds": time.perf_counter() - start, "score": float(model.score(test, truth))}


def table() -> dict[str, float]:
    """Return the seconds of ``chainrule train`` on a table of 100,000 rows of ten numbers."""
    source = random.Random(0)
    with tempfile.TemporaryDirectory(prefix="chainrule-") as folder:
        with open(Path(folder) / "large.csv", "w", encoding="ascii") as file:
            print(",".join(f"x{i}" for i in range(INPUTS)), "y", sep=",", file=file)
            for _ in range(ROWS):
                row = [source.gauss(0, 1) for _ in range(INPUTS)]
                y = row[0] * row[1] + abs(row[2]) + 0.1 * source.gauss(0, 1)
                print(",".join(f"{x:.4f}" for x in row), f"{y:.4f}", sep=",", file=file)
        words = [sys.executable, "-m", "autograd", "train", "large.csv", "--json"]
        start = time.perf_counter()
        done = subprocess.run(words, cwd=folder, check=True, capture_output=True)
    result = json.loads(done.stdout)
    test = result["figures"]["test"]
    return {
        "seconds": time.perf_counter() - start,
        "epochs": len(result["loss"]),
        "r2": test["r2"],
    }


if __name__ == "__main__":
    what, *arguments = sys.argv[1:]
    print(json.dumps({"cold": cold, "score": score, "table": table}[what](*arguments)))
