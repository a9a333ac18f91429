"""Every configuration that was in force, whole: what the page edits and the export writes."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass

from pydantic import TypeAdapter
from sqlalchemy import insert
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from entra_jit.policy.configuration import Configuration
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
    if row is None or row.number is None:
        return None
    return Version(row.number, row.hash, _CONTENT.validate_python(row.content))


async def enter(session: AsyncSession, configuration: Configuration, content_hash: str, event_id: int) -> None:
    """It is in force from this event on. ``content_hash`` is its ``hash_of``."""
    row = {
        "event_id": event_id,
        "hash": content_hash,
        "content": _CONTENT.dump_python(configuration, mode="json"),
    }
    await session.exec(insert(ConfigurationVersion).values(row))
