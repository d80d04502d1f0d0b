"""``python -m tests.watchman``: the scoreboard, ours and the peers that are installed."""

from __future__ import annotations

from importlib.util import find_spec

from tests.watchman.scoreboard import CHECKS, PEERS, cases, score, table

if __name__ == "__main__":
    peers = {name: check for name, (module, check) in PEERS.items() if find_spec(module)}
    chosen = cases()
    print(f"{len(chosen)} functions at six points each")
    print(table(score(CHECKS | peers, chosen)))
