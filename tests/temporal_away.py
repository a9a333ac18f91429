"""A deployment as it is from a machine that Temporal cannot be reached from."""

from __future__ import annotations

from temporalio.client import Client

from entra_jit.app import App
from entra_jit.temporal.connect import EngineUnreachableError
from tests.stage import variant


def without_temporal(app: App) -> App:
    """The same ledger and keys, and no Temporal."""

    async def away() -> Client:
        raise EngineUnreachableError("Temporal at nowhere cannot be reached")

    return variant(app, temporal=away)
