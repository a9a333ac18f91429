"""The portal: serves pages until it is told to stop."""

from __future__ import annotations

import asyncio
import sys

import uvicorn

from entra_jit.app import App
from entra_jit.health import beat
from entra_jit.program import run_program
from entra_jit.settings import Settings
from entra_jit.web.application import portal
from entra_jit.web.ways_in import sign_ins
from models.errors import ExitCode

GRACE_SECONDS = 5
"""How long an answer may take to finish after the portal was told to stop; a live page never ends by itself."""


async def serve(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT."""
    host, _, port = settings.portal_address.rpartition(":")
    async with App(settings) as app:
        sign_ins(app)  # said at the start, not to the first who wants to sign in
        config = uvicorn.Config(
            portal(app),
            host=host,
            port=int(port),
            # Of the address that a proxy names nothing here is decided, so none is believed.
            proxy_headers=False,
            server_header=False,
            access_log=False,
            log_config=None,
            timeout_graceful_shutdown=GRACE_SECONDS,
        )
        beating = asyncio.create_task(beat(settings.ready_file))
        try:
            await uvicorn.Server(config).serve()
        finally:
            beating.cancel()


def main() -> int:
    """Run the portal. Gives the exit code of the error that kept it from serving."""
    try:
        return run_program(serve)
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED


if __name__ == "__main__":
    sys.exit(main())
