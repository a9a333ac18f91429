"""The command line: ``python -m sandbox --state-dir DIR``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from sandbox import lag
from sandbox.app import Settings
from sandbox.conformance import report
from sandbox.replay import RecordingError, replay
from sandbox.seed import SeedError, load_seed
from sandbox.server import StartError, serve
from sandbox.store import StateError
from sandbox.throttling import ThrottleError, parse_throttle

_DESCRIPTION = """\
A simulated Microsoft Entra tenant: the sign-in service and Microsoft Graph v1.0 over TLS on one local port, for
demonstrations, tests and failure drills. It is not a security boundary: its control interface under /sandbox/ needs
no sign-in.

When it is ready, DIR/sandbox.json holds its addresses (graph_url, login_url, control_url), the certificate authority
to trust (ca_file), its process id and port. Started again on the same directory, even after a kill, it has the same
tenants, accounts, certificate authority and, if still free, port.

"python -m sandbox replay FILE" puts a recording of a real tenant (tenant doctor --record) to a fresh sandbox and lists
where its answers differ; exit code 1 if any does.

"python -m sandbox conformance" lists which of Microsoft's operations it serves, and what is missing of them.
"""


def main() -> int:
    """Run a sandbox; 0 after SIGTERM or Ctrl-C, 2 if something given is wrong."""
    parser = argparse.ArgumentParser(
        prog="python -m sandbox", description=_DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--state-dir", type=Path, required=True, metavar="DIR", help="where everything is kept")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=int, default=0, help="port to listen on (default: the one from before, or any)")
    parser.add_argument(
        "--public-host",
        default="localhost",
        metavar="NAME",
        help="name in addresses and certificate, for callers on other machines (default: %(default)s)",
    )
    parser.add_argument("--seed", type=Path, metavar="FILE", help="tenants to begin with (default: the bundled seed)")
    parser.add_argument(
        "--lag",
        default="off",
        metavar="LAG",
        help="replication lag: off, typical, bad, seconds, or a YAML file with a span for each API (default: off)",
    )
    parser.add_argument(
        "--throttle",
        default="off",
        metavar="LIMITS",
        help="Microsoft's limits: off, real, or a factor for the real ones, such as 0.01 (default: off)",
    )
    parser.add_argument(
        "--random-seed", type=int, default=1, metavar="NUMBER", help="what lag is drawn from (default: %(default)s)"
    )
    if sys.argv[1:] == ["conformance"]:
        print(report())
        return 0
    if sys.argv[1:2] == ["replay"] and len(sys.argv) == 3:
        return _replay(Path(sys.argv[2]))
    given = parser.parse_args()
    try:
        settings = Settings(lag.given(given.lag), parse_throttle(given.throttle), given.random_seed)
        serve(given.state_dir, load_seed(given.seed), settings, given.host, given.port, given.public_host)
    except (SeedError, StartError, StateError, lag.LagError, ThrottleError) as error:
        print(f"sandbox: {error}", file=sys.stderr)
        return 2
    return 0


def _replay(file: Path) -> int:
    try:
        found = replay(file.read_text(encoding="utf-8"))
    except (OSError, RecordingError) as error:
        print(f"sandbox: {error}", file=sys.stderr)
        return 2
    for difference in found.differences:
        print(difference)
    print(f"{found.asked} requests, {found.passed_over} passed over, {len(found.differences)} differences.")
    return 1 if found.differences else 0


if __name__ == "__main__":
    sys.exit(main())
