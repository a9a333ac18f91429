"""The command line: ``python -m sandbox --state-dir DIR``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from sandbox.seed import SeedError, load_seed
from sandbox.server import StartError, serve
from sandbox.store import StateError

_DESCRIPTION = """\
A simulated Microsoft Entra tenant: the sign-in service and Microsoft Graph v1.0 over TLS on one local port, for
demonstrations, tests and failure drills. It is not a security boundary: its control interface under /sandbox/ asks
nobody who they are.

When it is ready, DIR/sandbox.json holds its addresses (graph_url, login_url, control_url), the certificate authority
to trust (ca_file), its process id and port. Started again on the same directory, even after a kill, it has the same
tenants, accounts, certificate authority and, if still free, port.
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
    parser.add_argument("--lag", choices=["off"], default="off", help="replication lag (default: %(default)s)")
    given = parser.parse_args()
    try:
        serve(given.state_dir, load_seed(given.seed), given.host, given.port, given.public_host)
    except (SeedError, StartError, StateError) as error:
        print(f"sandbox: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
