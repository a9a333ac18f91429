"""``python -m tests.chaos --grants 300 --seed 7``: a storm over a stack of its own, and its figures; 1 after a loss."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from entra_jit.logs import configure_logs
from tests.chaos.figures import told
from tests.chaos.storm import LONG, raise_storm
from tests.chaos.verdict import losses


def main() -> int:
    """Raise the storm and print what is left of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--grants", type=int, default=LONG.grants, help="requests made (default %(default)s)")
    parser.add_argument("--seconds", type=float, default=LONG.seconds, help="over so long (default %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="of crowd and weather (default %(default)s)")
    parser.add_argument("--keep", type=Path, help="a directory to leave logs and databases in")
    given = parser.parse_args()
    configure_logs("console", logging.ERROR)
    grants = min(given.grants, 1000)
    seconds = min(given.seconds, 1800)
    size = replace(LONG, grants=grants, emergency_visits=grants // 4, seconds=seconds)
    print(f"seed {given.seed}: {size.grants} requests in {size.seconds:.0f} s ...", flush=True)
    with tempfile.TemporaryDirectory(prefix="entra-jit-chaos-") as made:
        Path(made).chmod(0o711)
        if given.keep:
            given.keep.mkdir(parents=True, exist_ok=True)
        storm, evidence = asyncio.run(raise_storm(given.keep or Path(made), given.seed, size))
    lost = losses(evidence)
    print(told(storm, evidence, lost))
    return 1 if lost else 0


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    os._exit(code)  # the interpreter's own exit can crash after Temporal's client has run
