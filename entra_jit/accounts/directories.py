"""The customers' directories, as workers reach them: connections from the ledger, kept while the ledger is away."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Mapping
from datetime import timedelta
from enum import StrEnum
from pathlib import Path

import structlog
from pydantic import SecretStr

from entra_jit.accounts.own_applications import OwnCredential
from entra_jit.crypto.keyring import Keyring
from entra_jit.graph import (
    SIGN_IN,
    ClientCertificate,
    ClientSecret,
    Connection,
    Credential,
    FederatedAssertion,
    Graph,
    StandbyWatch,
    Tenant,
)
from entra_jit.ledger import configuration, connections
from entra_jit.ledger.database import Ledger, LedgerUnavailableError
from models.errors import SettingsError
from models.messages import TenantId

FRESH_FOR_SECONDS = 5.0
PATIENCE = timedelta(seconds=1)
"""A closing must not wait for a ledger that hangs."""

_log = structlog.get_logger("directories")


class Purpose(StrEnum):
    """What a connection is for. A tenant has one of each; they may be the same application."""

    ELEVATE = "elevate"
    REVOKE = "revoke"


class NotConnectedError(SettingsError):
    """Neither the ledger nor the settings have a credential for the tenant."""


class Directories:
    """Connections to tenants. What was read once is served for as long as the ledger cannot be reached: closing an
    account needs no PostgreSQL."""

    def __init__(
        self,
        graph: Graph,
        ledger: Ledger,
        keyring: Keyring,
        watch: StandbyWatch,
        own: Mapping[str, OwnCredential],
        *,
        revoking_only: bool = False,
    ) -> None:
        """``own``: the MSP's applications, for the tenants that the ledger knows without a credential of their own.

        ``revoking_only``: no elevating credential is read, so nothing stands by and nothing can be opened.
        """
        self._purposes = (Purpose.REVOKE,) if revoking_only else tuple(Purpose)
        self._graph = graph
        self._ledger = ledger
        self._keyring = keyring
        self._watch = watch
        self._own = own
        self._connections: dict[TenantId, tuple[float, dict[Purpose, Connection]]] = {}

    async def of(self, tenant_id: TenantId, purpose: Purpose) -> Tenant:
        """The tenant as our application for ``purpose`` sees it.

        Raises ``NotConnectedError``, or ``LedgerUnavailableError`` for a tenant this worker has never reached.
        """
        connections = await self._connections_to(tenant_id)
        if purpose not in connections and self._connections[tenant_id][0] == -math.inf:
            raise LedgerUnavailableError("the ledger has not been read since this process started without it")
        if purpose not in connections:
            raise NotConnectedError(f"the tenant {tenant_id} has no credential to {purpose}")
        return self._graph.tenant(connections[purpose])

    async def to_close(self, tenant_id: TenantId) -> Tenant:
        """The tenant as our revoking application sees it; what that one is refused, the elevating one does.

        An alarm says so until the revoking one can do it again. Only for what closes: an opening must not rely on it.
        Raises as ``of`` does.
        """
        connections = await self._connections_to(tenant_id)
        revoke, elevate = connections.get(Purpose.REVOKE), connections.get(Purpose.ELEVATE)
        if revoke is None and elevate is not None:
            self._watch.refused(elevate.tenant, SIGN_IN, "the ledger has no credential of it.")
            return self._graph.tenant(elevate)
        if revoke is None or elevate is None or revoke == elevate:
            return await self.of(tenant_id, Purpose.REVOKE)
        return self._graph.tenant_with_standby(revoke, elevate, self._watch)

    async def _connections_to(self, tenant_id: TenantId) -> dict[Purpose, Connection]:
        known = self._connections.get(tenant_id)
        if known is None:
            await self._read(tenant_id)
        elif time.monotonic() - known[0] > FRESH_FOR_SECONDS:
            await self._refresh(tenant_id)
        return self._connections[tenant_id][1]

    async def read_all(self) -> int:
        """Read every tenant's connections beforehand, so that all can be closed should the ledger go away.

        Gives their number. A tenant whose credential cannot be opened is left out and logged.
        """
        async with self._ledger.transaction() as session:
            tenants = [TenantId(str(tenant.id)) for tenant in await configuration.all_tenants(session)]
        for tenant_id in tenants:
            try:
                await self._read(tenant_id)
            except LedgerUnavailableError:
                raise
            except Exception:
                _log.exception("connection unusable", tenant_id=tenant_id)
        return len(tenants)

    @property
    def revoking(self) -> list[Connection]:
        """The revoking connections that are known, to be kept for a process that starts without the ledger."""
        return [known[Purpose.REVOKE] for _, known in self._connections.values() if Purpose.REVOKE in known]

    def adopt(self, connections: Iterable[Connection]) -> None:
        """Know these revoking connections until the ledger has been asked, which the next use does."""
        for one in connections:
            self._connections.setdefault(one.tenant_id, (-math.inf, {Purpose.REVOKE: one}))

    async def _refresh(self, tenant_id: TenantId) -> None:
        """Read a connection again, so that a corrected credential counts soon; what is known stays meanwhile."""
        try:
            await self._read(tenant_id, PATIENCE)
        except Exception as error:
            _log.warning("connection not refreshed", tenant_id=tenant_id, error=type(error).__name__)

    async def _read(self, tenant_id: TenantId, within: timedelta | None = None) -> None:
        async with self._ledger.transaction(within=within) as session:
            tenant = await configuration.tenant_by_id(session, tenant_id)
            name = tenant.name if tenant else tenant_id
            proofs = await configuration.connection_secrets(session, self._keyring, tenant_id, self._purposes)
            authorized_at = await connections.authorized_at(session, tenant_id)
        told = {
            Purpose(purpose): Connection(
                tenant_id=tenant_id, tenant=name, client_id=str(client_id), credential=credential_of(kind, proof)
            )
            for purpose, (client_id, kind, proof) in proofs.items()
        }
        if tenant is not None and not told and self._purposes[0] in self._own:
            told = {
                purpose: self._own[purpose].connection(tenant_id, name, authorized_at) for purpose in self._purposes
            }
        # A ledger that has lost a credential, as an emptied or restored one has, does not take away one that works.
        _, known = self._connections.get(tenant_id, (0.0, {}))
        self._connections[tenant_id] = (time.monotonic(), known | told)


def credential_of(kind: str, proof: SecretStr) -> Credential:
    """The credential in the form that the directory client takes; raises ``ValueError`` for an unusable one."""
    text = proof.get_secret_value()
    if kind == "secret":
        return ClientSecret(secret=proof)
    if kind == "federated":
        return FederatedAssertion(token_file=Path(text))
    # One PEM file holds both: each of the two readers finds its own block.
    return ClientCertificate(private_key=proof, certificate=text)
