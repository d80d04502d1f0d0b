"""A package's public names, each loaded from its module when it is first asked for."""

from __future__ import annotations

import builtins
from importlib import import_module
from types import ModuleType

from autograd.annotations import Any


class Facade:
    """What ``__init__.pyi`` says, where type checkers read it: names, by module.

    Those below ``# isort: split`` are public too, and a star import leaves them where they are,
    as it does those of the built-ins. The module ``elsewhere`` has NAMES, each with what to
    write in place of a name that only other libraries have.

    Attributes:
        names: what a star import takes.
    """

    def __init__(self, package: ModuleType, elsewhere: str = "") -> None:
        self._package, self._elsewhere = package, elsewhere
        self._homes: dict[str, str] = {}
        path = f"{package.__path__[0]}/__init__.pyi"
        stub = package.__spec__.loader.get_data(path).decode()  # type: ignore[union-attr]
        starred, _, others = stub.partition("# isort: split")
        self._read(starred)
        self.names = [name for name in self._homes if not hasattr(builtins, name)]
        self._read(others)

    def _read(self, lines: str) -> None:
        for line in lines.splitlines():
            match line.split():
                case ["from", home, "import", "*"]:
                    self._homes.update(dict.fromkeys(import_module(home).__all__, home))
                case ["from", home, "import", name, *_]:
                    self._homes[name] = home

    def load(self, name: str) -> Any:
        """Return what the package calls so: its ``__getattr__``."""
        home, package = self._homes.get(name), self._package.__name__
        if home is None:
            known = import_module(self._elsewhere).NAMES if self._elsewhere else {}
            hint = f": {known[name]}" if name in known else ""
            raise AttributeError(f"module {package!r} has no attribute {name!r}{hint}")
        if home == package:
            return import_module(f"{package}.{name}")
        # As the statement does: what is called so in the module, else a module inside of it.
        found = getattr(__import__(home, fromlist=[name]), name)
        vars(self._package)[name] = found
        return found

    def listed(self) -> list[str]:
        """Return the names that there are: the package's ``__dir__``."""
        return sorted({*vars(self._package), *self._homes})
