"""The portal: serves pages until it is told to stop."""

from __future__ import annotations

import asyncio
import sys

import uvicorn

from entra_jit.app import App
from entra_jit.logs import configure_logs
from entra_jit.settings import Settings, load_settings
from entra_jit.web.application import portal
from entra_jit.web.signing_in import sign_ins
from models.errors import EntraJitError, ExitCode
from models.plain_text import plain

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
        await uvicorn.Server(config).serve()


def main() -> int:
    """Run the portal. Gives the exit code of the error that kept it from serving."""
    try:
        settings = load_settings()
        configure_logs(settings.log_format)
        asyncio.run(serve(settings))
    except EntraJitError as error:
        sys.stderr.write(f"{plain(str(error))}\n")
        return error.exit_code
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED
    return ExitCode.DONE


if __name__ == "__main__":
    sys.exit(main())
