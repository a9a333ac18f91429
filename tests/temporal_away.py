"""A deployment as it is from a machine that Temporal cannot be reached from."""

from __future__ import annotations

from temporalio.client import Client

from entra_jit.app import App
from entra_jit.temporal.connect import EngineUnreachableError
from models.errors import EntraJitError
from tests.stage import variant

CANNOT_BE_REACHED = EngineUnreachableError("Temporal at nowhere cannot be reached")


def without_temporal(app: App, why: EntraJitError = CANNOT_BE_REACHED) -> App:
    """The same ledger and keys, and no Temporal."""

    async def away() -> Client:
        raise why

    return variant(app, temporal=away)
