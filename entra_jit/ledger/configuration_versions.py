"""Every configuration that was in force, whole: what the page edits and the export writes."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from pydantic import TypeAdapter
from sqlalchemy import insert
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from entra_jit.policy.configuration import Configuration
from models.tables import ConfigurationVersion

_CONTENT = TypeAdapter(Configuration)


@dataclass(frozen=True)
class Version:
    """One configuration. Numbers only grow; some are left out."""

    number: int
    hash: str
    configuration: Configuration


def hash_of(configuration: Configuration) -> str:
    """SHA-256, hexadecimal; the same for what says the same."""
    return hashlib.sha256(_CONTENT.dump_json(configuration)).hexdigest()


async def newest(session: AsyncSession) -> Version | None:
    """The one in force; None: nothing was ever applied."""
    statement = select(ConfigurationVersion).order_by(col(ConfigurationVersion.number).desc()).limit(1)
    row = (await session.exec(statement)).first()
    if row is None or row.number is None:
        return None
    return Version(row.number, row.hash, _CONTENT.validate_python(row.content))


async def enter(session: AsyncSession, configuration: Configuration, event_id: int) -> None:
    """It is in force from this event on."""
    row = {
        "event_id": event_id,
        "hash": hash_of(configuration),
        "content": _CONTENT.dump_python(configuration, mode="json"),
    }
    await session.exec(insert(ConfigurationVersion).values(row))
