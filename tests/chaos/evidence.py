"""The evidence: what the ledger, Temporal, the directories and their journal hold when the storm is over."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import psycopg
from psycopg.rows import class_row
from temporalio.client import WorkflowExecutionStatus

from entra_jit.ledger.texts import filled_in
from models.alarms import Alarm
from models.marks import EMERGENCY_NAMES
from models.messages import Receipt
from models.names import workflow_id
from tests.chaos.crowd import Done
from tests.chaos.land import Land, Person
from tests.chaos.outages import Outage
from tests.chaos.watch import Sighting
from workflows.access_grant import AccessGrant

Entry = dict[str, Any]
"""A request as the sandbox's journal shows it."""


def moment(entry: Entry) -> datetime:
    """When the request came."""
    return datetime.fromisoformat(entry["time"].removesuffix("0Z") + "+00:00")


@dataclass(frozen=True)
class Grant:
    """What the ledger says of one grant."""

    request_id: str
    customer: str
    account: str
    object_id: str | None
    decided_at: datetime
    armed_at: datetime | None
    expires_at: datetime | None
    closing_at: datetime | None
    settled_at: datetime | None
    parked_at: datetime | None
    ended_by: str | None


@dataclass(frozen=True)
class Registered:
    """A row of the register of our accounts."""

    customer: str
    account: str
    object_id: str | None


@dataclass(frozen=True)
class Run:
    """One run of a grant's workflow, as Temporal lists it. ``over``: None while it goes on."""

    request_id: str
    status: str
    over: datetime | None


@dataclass(frozen=True)
class Intervention:
    """What was closed beside a grant's workflow, by the ledger. ``proven_at`` None: it was cut short."""

    customer: str
    account: str
    began_at: datetime
    proven_at: datetime | None
    request_id: str | None = None
    found_enabled: bool = False
    disabled_at: datetime | None = None


@dataclass(frozen=True)
class Passkey:
    """One passkey of an emergency account, by the ledger."""

    customer: str
    number: int
    method_id: str | None
    made_at: datetime
    proven_at: datetime | None
    retired_at: datetime | None
    is_sealed: bool
    """What opens the account is kept."""


@dataclass(frozen=True)
class EmergencyAccount:
    """An emergency account, by the ledger."""

    customer: str
    number: int
    account: str
    object_id: str | None
    registered_at: datetime
    completed_at: datetime | None
    """From when on it stands open."""
    passkeys: tuple[Passkey, ...] = ()
    """All that it ever had, the oldest first."""
    last_drill: str = "never tried"
    """What came of trying its sealed passkey when all was over."""

    def is_(self, customer: str, person: Person) -> bool:
        """Whether the directory's account is this one, by its id or, while that is not known, by its name."""
        names = self.object_id, self.account
        return customer == self.customer and (person["id"] in names or person["user_principal_name"].lower() in names)


@dataclass(frozen=True)
class Evidence:
    """All that the verdict is given."""

    gathered_at: datetime
    asked: tuple[str, ...]
    done: tuple[Done, ...]
    outages: tuple[Outage, ...]
    sightings: tuple[Sighting, ...]
    before: dict[str, list[Person]]
    after: dict[str, list[Person]]
    register: tuple[Registered, ...]
    emergency: tuple[EmergencyAccount, ...]
    without_emergency: tuple[str, ...]
    """The customers who wanted an emergency account and have none in the ledger."""
    standing_open: tuple[Sighting, ...]
    """When any account was seen as an emergency account always is."""
    last_look: datetime
    grants: tuple[Grant, ...]
    unsettled: frozenset[str]
    """The grants that still hold their lock after the reconciliation of an hour later."""
    receipts: dict[str, Receipt]
    """As they were before that reconciliation, which would settle what was forgotten, too."""
    runs: tuple[Run, ...]
    interventions: tuple[Intervention, ...]
    standing: tuple[Alarm, ...]
    """The alarms that nothing has ended, after that reconciliation."""
    journal: tuple[Entry, ...]
    tenant_ids: dict[str, str]
    """The customer's name by its tenant's id."""
    reconciled_every: timedelta
    crowding: float
    """How many processes wanted each core of this machine, at the worst moment; at least 1."""


GRANTS = """
    SELECT g.request_id, t.name AS customer, lower(g.account_name) AS account, m.object_id::text, r.decided_at,
           g.armed_at, g.expires_at, g.closing_at, g.settled_at, g.parked_at, g.ended_by ->> 'name' AS ended_by
    FROM grants g
    JOIN requests r ON r.id = g.request_id
    JOIN tenants t ON t.id = g.tenant_id
    LEFT JOIN managed_accounts m ON m.tenant_id = g.tenant_id AND m.technician_id = g.technician_id
"""
REGISTER = """
    SELECT t.name AS customer, lower(m.account_name) AS account, m.object_id::text
    FROM managed_accounts m JOIN tenants t ON t.id = m.tenant_id
"""

EMERGENCY = """
    SELECT t.name AS customer, a.number, lower(m.account_name) AS account, m.object_id::text, m.registered_at,
           a.completed_at
    FROM emergency_accounts a
    JOIN tenants t ON t.id = a.tenant_id
    JOIN managed_accounts m ON m.tenant_id = a.tenant_id AND m.technician_id = (%s::uuid[])[a.number]
"""
PASSKEYS = """
    SELECT t.name AS customer, c.number, c.method_id, c.made_at, c.proven_at, c.retired_at,
           c.ciphertext IS NOT NULL AS is_sealed
    FROM emergency_credentials c JOIN tenants t ON t.id = c.tenant_id
    ORDER BY c.made_at
"""
INTERVENTIONS = """
    SELECT t.name AS customer, lower(began.body ->> 'account_name') AS account,
           (began.body ->> 'began_at')::timestamptz AS began_at,
           (reported.body ->> 'proven_at')::timestamptz AS proven_at, began.request_id,
           (began.body ->> 'found_enabled')::boolean AS found_enabled,
           (reported.body ->> 'disabled_at')::timestamptz AS disabled_at
    FROM events began
    JOIN tenants t ON t.id = began.tenant_id
    LEFT JOIN LATERAL (
        SELECT body FROM events
        WHERE kind = 'intervention reported' AND (body ->> 'intervention')::bigint = began.id
        ORDER BY id DESC LIMIT 1
    ) AS reported ON true
    WHERE began.kind = 'intervention began'
"""


async def grants_on_file(land: Land) -> list[Grant]:
    """Every grant of the ledger, read behind the product's back."""
    async with await _ledger(land) as connection:
        return await (await connection.cursor(row_factory=class_row(Grant)).execute(GRANTS)).fetchall()


async def register_on_file(land: Land) -> list[Registered]:
    """The register of accounts."""
    async with await _ledger(land) as connection:
        return await (await connection.cursor(row_factory=class_row(Registered)).execute(REGISTER)).fetchall()


async def emergency_on_file(land: Land) -> list[EmergencyAccount]:
    """Every emergency account with its passkeys."""
    async with await _ledger(land) as connection:
        cursor = connection.cursor(row_factory=class_row(Passkey))
        passkeys = await (await cursor.execute(PASSKEYS)).fetchall()
        of_accounts = connection.cursor(row_factory=class_row(EmergencyAccount))
        accounts = await (await of_accounts.execute(EMERGENCY, [list(EMERGENCY_NAMES)])).fetchall()
    return [
        replace(
            account,
            passkeys=tuple(one for one in passkeys if (one.customer, one.number) == (account.customer, account.number)),
        )
        for account in accounts
    ]


async def receipts_on_file(land: Land) -> dict[str, Receipt]:
    """Every receipt by its request."""
    async with await _ledger(land) as connection:
        rows = await (await connection.execute("SELECT request_id, document FROM receipts")).fetchall()
        known = await (await connection.execute("SELECT id::text, content FROM texts WHERE content <> ''")).fetchall()
    texts = dict(known)
    return {request_id: Receipt.model_validate(filled_in(document, texts)) for request_id, document in rows}


async def runs_in_temporal(land: Land, asked: Sequence[str]) -> list[Run]:
    """Every run of every grant's workflow."""
    ids = {workflow_id(request_id): request_id for request_id in asked}
    listed = land.client.list_workflows(f"WorkflowType = '{AccessGrant.__name__}'")
    return [
        Run(ids[run.id], (run.status or WorkflowExecutionStatus.RUNNING).name, run.close_time)
        async for run in listed
        if run.id in ids
    ]


async def interventions_on_file(land: Land) -> list[Intervention]:
    """What the reconciler and the review have closed."""
    async with await _ledger(land) as connection:
        cursor = connection.cursor(row_factory=class_row(Intervention))
        return await (await cursor.execute(INTERVENTIONS)).fetchall()


async def _ledger(land: Land) -> psycopg.AsyncConnection[tuple[Any, ...]]:
    return await psycopg.AsyncConnection.connect(land.settings.database_url.get_secret_value(), autocommit=True)
