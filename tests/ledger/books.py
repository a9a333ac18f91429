"""A ledger with something in it, and what workflows and operators do to it, one transaction a call."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any, Concatenate, ParamSpec, TypeVar
from uuid import UUID, uuid5

import yaml
from pydantic import SecretStr
from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from entra_jit.configuration_file import read
from entra_jit.crypto.keyring import Keyring
from entra_jit.ledger import accounts, admission, applying, receipts, requests
from entra_jit.ledger.database import Ledger
from entra_jit.policy.configuration import Configuration
from models.actor import CLOCK
from models.messages import (
    AccessRequest,
    Assertion,
    Decision,
    Ending,
    Grant,
    GrantRef,
    GrantState,
    ObjectId,
    Receipt,
    Settlement,
    SignedAccessRequest,
    Standing,
)
from tests.actors import TESTER

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
KEYRING = Keyring.parse("k0:" + "A" * 43 + "=")
CONTOSO, FABRIKAM = UUID("c0c0c0c0-2222-4222-8222-000000000002"), UUID("fab0fab0-3333-4333-8333-000000000003")
ALEX, ROBIN = UUID("0a0a0a0a-1111-4111-8111-0000000000a1"), UUID("0a0a0a0a-1111-4111-8111-0000000000a2")
LEASE = timedelta(seconds=15)

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")


def a_configuration(**changes: Any) -> dict[str, Any]:
    """Two customers and two technicians, as a file would say it."""
    application = {"client_id": str(UUID(int=1)), "secret": {"env": "NOT_READ_HERE"}}
    return {
        "tenants": [
            {"name": name, "id": str(tenant), "account_domain": f"{name}.onmicrosoft.com", "elevate": application}
            for name, tenant in (("contoso", CONTOSO), ("fabrikam", FABRIKAM))
        ],
        "technicians": [{"name": "alex", "id": str(ALEX)}, {"name": "robin", "id": str(ROBIN)}],
        "role_mappings": [{"group": "all-technicians", "roles": ["Helpdesk Administrator"]}],
        **changes,
    }


def configuration_of(**changes: Any) -> Configuration:
    """The same, read."""
    content = {section: entries for section, entries in a_configuration(**changes).items() if entries}
    return read(yaml.safe_dump(content).encode(), "msp.yaml", lambda _: SecretStr("not used")).configuration


@dataclass
class Books:
    """One ledger."""

    ledger: Ledger
    ids: Any = field(default_factory=lambda: count(1))

    async def do(
        self,
        work: Callable[Concatenate[AsyncSession, Parameters], Awaitable[Result]],
        *arguments: Parameters.args,
        **options: Parameters.kwargs,
    ) -> Result:
        """``work`` in a transaction of its own."""
        async with self.ledger.transaction() as session:
            return await work(session, *arguments, **options)

    async def configure(self, **changes: Any) -> None:
        """Apply a configuration."""
        configuration = configuration_of(**changes)
        proofs = {
            (tenant.id, purpose): SecretStr(f"proof of {tenant.name}, {purpose}")
            for tenant in configuration.tenants
            for purpose, _ in tenant.applications()
        }
        await self.do(applying.apply, TESTER, KEYRING, configuration, proofs, NOON)

    def a_request(self, technician: str = "alex", tenant: str = "contoso", at: datetime = NOON) -> AccessRequest:
        """Another request."""
        return AccessRequest(
            request_id=f"r-{next(self.ids)}", tenant=tenant, technician=technician, reason="a test", asked_at=at
        )

    async def answer(self, request: AccessRequest, at: datetime = NOON) -> Decision:
        """Decide it."""
        return await self.do(requests.answer, KEYRING, request, TESTER, at)

    async def granted(self, technician: str = "alex", tenant: str = "contoso") -> Grant:
        """A request that was allowed; its lock is held, and nothing is done yet."""
        grant = (await self.answer(self.a_request(technician, tenant))).grant
        assert grant is not None
        return grant

    async def prepared(self, technician: str = "alex", tenant: str = "contoso") -> Grant:
        """The same, with its account registered."""
        grant = await self.granted(technician, tenant)
        await self.do(accounts.intend, grant, NOON)
        await self.do(accounts.confirm, grant, ObjectId(str(uuid5(CONTOSO, grant.account_name))))
        return grant

    async def armed(self, technician: str = "alex", tenant: str = "contoso") -> Grant:
        """The same, with its expiry fixed."""
        grant = await self.prepared(technician, tenant)
        await self.do(admission.arm, KEYRING, ref(grant), NOON)
        return grant

    async def settle(self, settlement: Settlement) -> Receipt:
        """Write the receipt and release the lock."""
        return await self.do(receipts.settle, settlement)

    async def everything(self) -> dict[str, list[tuple[Any, ...]]]:
        """Every row of every table."""
        async with self.ledger.transaction() as session:
            connection = await session.connection()
            tables = await connection.execute(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'"))
            return {
                table: sorted((tuple(row) for row in await connection.execute(text(f'TABLE "{table}"'))), key=str)
                for (table,) in tables
            }


def ref(grant: Grant) -> GrantRef:
    """What activities are told of it."""
    return GrantRef(request_id=grant.request_id, attempt=grant.attempt)


def settlement_of(
    request: AccessRequest | Grant, *, proven: bool = True, at: datetime = NOON + timedelta(hours=4)
) -> Settlement:
    """How a workflow ends it at its expiry."""
    if isinstance(request, Grant):
        request = AccessRequest(
            request_id=request.request_id,
            tenant=request.tenant,
            technician=request.technician,
            reason="a test",
            asked_at=NOON,
        )
    return Settlement(
        signed=SignedAccessRequest(
            request=request, assertion=Assertion(actor=TESTER, issued_at=NOON, key_id="k0", signature="-")
        ),
        ending=Ending(state=GrantState.EXPIRED, by=CLOCK),
        settled_at=at,
        disabled_at=at,
        proven_at=at if proven else None,
        standing=Standing(exists=True, enabled=False) if proven else None,
    )
