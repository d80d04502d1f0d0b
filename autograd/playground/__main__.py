"""Write the playground to a file: ``python -m autograd.playground playground.html``.

It needs Node's npm and, to fetch what `package-lock.json` pins, the network. What it writes needs
neither: the file has Python (Pyodide's core), this `autograd` and this `nn` inside.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from autograd.errors import ChainruleError
from autograd.files import write_whole
from autograd.playground.bundle import page

HERE = Path(__file__).parent


def write(path: Path) -> None:
    """Fetch what is pinned, build the page, and write it to ``path``.

    Raises:
        ChainruleError: there is no npm, or it fails.
    """
    npm = shutil.which("npm")
    if npm is None:
        raise ChainruleError("the playground is built by npm: install Node.js, then try again")
    with tempfile.TemporaryDirectory() as folder:
        for name in ("package.json", "package-lock.json"):
            shutil.copy(HERE / name, folder)
        try:
            subprocess.run([npm, "ci", "--ignore-scripts", "--silent"], cwd=folder, check=True)
        except subprocess.CalledProcessError as error:
            raise ChainruleError(f"npm could not fetch what is pinned: {error}") from None
        write_whole(path, page(Path(folder) / "node_modules").encode())


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m autograd.playground OUT.html")
    try:
        write(Path(sys.argv[1]))
    except ChainruleError as error:
        sys.exit(str(error))
    print(f"{sys.argv[1]}: open it in a browser")
