"""Every configuration that was in force, whole: what the page edits and the export writes."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from uuid import UUID

from pydantic import TypeAdapter
from sqlalchemy import RowMapping, insert, text
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from entra_jit.ledger import events
from entra_jit.ledger.database import rows_of
from entra_jit.policy.configuration import Configuration, RoleMappingEntry, TenantEntry
from models.events import Event
from models.tables import ConfigurationVersion

_CONTENT = TypeAdapter(Configuration)


@dataclass(frozen=True)
class Stamp:
    """Which configuration it is. Numbers only grow; some are left out."""

    number: int
    hash: str


@dataclass(frozen=True)
class Version(Stamp):
    """One configuration, whole."""

    event_id: int
    """Tells who put it in force, when and why."""
    configuration: Configuration


def hash_of(configuration: Configuration) -> str:
    """SHA-256, hexadecimal; the same for what says the same, in any order: the order of entries decides nothing."""
    return hashlib.sha256(_canonical(_CONTENT.dump_python(configuration, mode="json")).encode()).hexdigest()


def _canonical(content: object) -> str:
    if isinstance(content, dict):
        return f"{{{','.join(f'{json.dumps(key)}:{_canonical(content[key])}' for key in sorted(content))}}}"
    if isinstance(content, list):
        return f"[{','.join(sorted(map(_canonical, content)))}]"
    return json.dumps(content)


async def stamp(session: AsyncSession) -> Stamp | None:
    """Which is in force, without its content; None: nothing was ever applied."""
    columns = select(ConfigurationVersion.number, ConfigurationVersion.hash)
    row = (await session.exec(columns.order_by(col(ConfigurationVersion.number).desc()).limit(1))).first()
    return Stamp(row[0], row[1]) if row and row[0] is not None else None


async def newest(session: AsyncSession) -> Version | None:
    """The one in force; None: nothing was ever applied."""
    statement = select(ConfigurationVersion).order_by(col(ConfigurationVersion.number).desc()).limit(1)
    row = (await session.exec(statement)).first()
    return _version(row) if row else None


def _version(row: ConfigurationVersion) -> Version:
    return Version(row.number or 0, row.hash, row.event_id, _CONTENT.validate_python(row.content))


async def applied(session: AsyncSession, event_id: int) -> Event | None:
    """By whom, when and why a version was put in force; None: the journal does not reach back so far."""
    return await events.by_id(session, event_id)


@dataclass(frozen=True)
class TenantVersion:
    """A tenant in one configuration: its entry (None: it is not there), and the mappings that name it."""

    event_id: int
    entry: TenantEntry | None
    mappings: tuple[RoleMappingEntry, ...]


@dataclass(frozen=True)
class Change:
    """The step from one configuration to the next."""

    before: Configuration
    after: Version


async def changes(session: AsyncSession, *, up_to: int | None = None, limit: int) -> list[Change]:
    """The last changes, the newest first; those up to the one by the event ``up_to``, where it is given."""
    statement = select(ConfigurationVersion).order_by(col(ConfigurationVersion.number).desc()).limit(limit + 1)
    if up_to is not None:
        statement = statement.where(col(ConfigurationVersion.event_id) <= up_to)
    found = [_version(row) for row in await session.exec(statement)]
    older = [one.configuration for one in found[1:]]
    if len(older) < limit:
        older.append(Configuration((), (), (), ()))
    return [Change(before, after) for before, after in zip(older, found, strict=False)]


# Only what a tenant's entry says is read: the whole of each version may have half a megabyte.
_OF_A_TENANT = text("""
WITH entries AS (
    SELECT number, event_id, content, jsonb_path_query_first(
        content, '$.tenants[*] ? (@.id == $id)', jsonb_build_object('id', CAST(:id AS text))
    ) AS entry
    FROM configurations
), parts AS (
    SELECT number, event_id, entry, jsonb_path_query_array(
        content, '$.role_mappings[*] ? (@.tenant == $name)', jsonb_build_object('name', entry ->> 'name')
    ) AS mappings
    FROM entries
), compared AS (
    SELECT *, lag(entry) OVER older AS entry_before, lag(mappings) OVER older AS mappings_before
    FROM parts WINDOW older AS (ORDER BY number)
)
SELECT event_id, entry, mappings, entry_before, mappings_before FROM compared
WHERE (entry, mappings) IS DISTINCT FROM (entry_before, mappings_before) AND coalesce(entry, entry_before) IS NOT NULL
ORDER BY number DESC LIMIT :limit
""")

_ENTRY = TypeAdapter(TenantEntry | None)
_MAPPINGS = TypeAdapter(tuple[RoleMappingEntry, ...])


async def of_tenant(session: AsyncSession, tenant_id: UUID, *, limit: int) -> list[tuple[TenantVersion, TenantVersion]]:
    """The last changes of a tenant, the newest first: how it was, and how it is from the same event on."""
    rows = await rows_of(session, _OF_A_TENANT, id=str(tenant_id), limit=limit)
    return [(_part(row, "_before"), _part(row, "")) for row in rows]


def _part(row: RowMapping, which: str) -> TenantVersion:
    entry, mappings = row[f"entry{which}"], row[f"mappings{which}"]
    return TenantVersion(row["event_id"], _ENTRY.validate_python(entry), _MAPPINGS.validate_python(mappings or ()))


async def enter(session: AsyncSession, configuration: Configuration, content_hash: str, event_id: int) -> None:
    """It is in force from this event on. ``content_hash`` is its ``hash_of``."""
    row = {
        "event_id": event_id,
        "hash": content_hash,
        "content": _CONTENT.dump_python(configuration, mode="json"),
    }
    await session.exec(insert(ConfigurationVersion).values(row))
