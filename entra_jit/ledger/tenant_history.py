"""What was changed about a tenant, by whom and why: its part of each configuration, and what was done to it besides."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from entra_jit.ledger import configuration_versions, events
from entra_jit.policy.tenant_changes import describe_changes
from models.events import Event, EventKind

CHANGES = 20
"""So many of the last changes are shown."""

_KINDS = (
    EventKind.TENANT_INVITED,
    EventKind.TENANT_CONNECTED,
    EventKind.TENANT_DISCONNECTED,
    EventKind.TENANT_REPAIRED,
    EventKind.CANARY_RUN,
    EventKind.HOLD_PLACED,
    EventKind.HOLD_LIFTED,
)


@dataclass(frozen=True)
class TenantEvent:
    """Something that was changed about the tenant; a line each."""

    id: int
    """Of the event in the journal."""
    at: datetime
    by: str
    lines: tuple[str, ...]
    reason: str | None = None


async def of_tenant(session: AsyncSession, tenant_id: UUID) -> list[TenantEvent]:
    """The last changes, the newest first."""
    changes = await configuration_versions.of_tenant(session, tenant_id, limit=CHANGES)
    applied = {one.id: one for one in await events.by_ids(session, [after.event_id for _, after in changes])}
    found = [
        _event(applied[after.event_id], describe_changes(before.entry, after.entry, before.mappings, after.mappings))
        for before, after in changes
        if after.event_id in applied
    ]
    found += [_event(one, (_line(one),)) for one in await events.of_tenant(session, tenant_id, *_KINDS, limit=CHANGES)]
    return sorted((one for one in found if one.lines), key=lambda one: one.at, reverse=True)[:CHANGES]


def _event(event: Event, lines: tuple[str, ...]) -> TenantEvent:
    reason = event.body.get("reason")
    return TenantEvent(event.id, event.recorded_at, str(event.actor), lines, str(reason) if reason else None)


def _line(event: Event) -> str:
    """What happened; for a repair also what was changed, for a connection who authorized it."""
    said = event.kind.value.capitalize()
    if event.kind is EventKind.TENANT_REPAIRED:
        return f"{said}: {event.body['change']}"
    if event.kind is EventKind.TENANT_CONNECTED:
        return f"{said}, authorized by {event.body['authorized_by']['name']}"
    return said
