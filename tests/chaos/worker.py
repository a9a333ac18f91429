"""``python -m tests.chaos.worker``: the worker as it is, but for trying passkeys, which needs no browser here.

A browser takes seconds for each sign-in, and cores that the storm needs.
"""

from __future__ import annotations

import os
import ssl
import sys
from functools import partial

from entra_jit.accounts.emergency.signing_in import SignsIn
from entra_jit.app import App
from entra_jit.program import run_program
from tests.emergency.over_http import OverHttp
from worker import run


def signs_in(app: App) -> SignsIn:
    """By the plain protocol, at the stack's own sign-in service."""
    return OverHttp(app.graph, ssl.create_default_context(cafile=app.settings.ca_file), app.clock)


if __name__ == "__main__":
    code = run_program(partial(run, signs_in=signs_in))
    # As in ``worker``: the interpreter's own exit can crash after a worker has run.
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
