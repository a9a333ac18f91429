"""A deployment as it is from a machine that Temporal cannot be reached from."""

from __future__ import annotations

from temporalio.client import Client

from entra_jit.operations.deployment import Deployment
from entra_jit.temporal.connect import EngineUnreachableError


class _WithoutTemporal(Deployment):
    async def engine(self) -> Client:
        raise EngineUnreachableError("Temporal at nowhere cannot be reached")


def without_temporal(deployment: Deployment) -> Deployment:
    """The same ledger and keys, and no Temporal."""
    return _WithoutTemporal(deployment.ledger, deployment.keyring, deployment.task_queue)
