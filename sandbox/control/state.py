"""Taking out everything that a sandbox contains, and putting it, or any other seed, in its place."""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.requests import Request

from sandbox.app import Sandbox
from sandbox.exchange import Json
from sandbox.seed import SeedError, read_seed
from sandbox.store import written


class StateControl:
    """The routes ``/sandbox/export`` and ``/sandbox/seed``."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    async def export(self, _: Request) -> Json:
        """All rows, as a seed file; of passwords, passes and secrets only digests, which open what they opened."""
        return {"rows": written(self._sandbox.directory)}

    async def sow(self, request: Request) -> Json:
        """Begin anew with the seed in the body (YAML or JSON), which every later reset comes back to."""
        try:
            self._sandbox.sow(read_seed(await request.body(), "the seed"))
        except SeedError as error:
            raise HTTPException(400, str(error)) from None
        return {"tenants": len(self._sandbox.directory.tenants)}
