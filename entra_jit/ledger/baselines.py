"""What accounts had when they were about to be opened: what comes on top of it is a grant's to answer for."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import update
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from models.messages import TenantId
from models.sweep import Baseline
from models.tables import GrantRow


async def note_baseline(session: AsyncSession, request_id: str, baseline: Baseline) -> None:
    """What the account has before it is opened, for the sweep after it is closed."""
    await session.exec(
        update(GrantRow)
        .where(col(GrantRow.request_id) == request_id, col(GrantRow.opened_at).is_(None))
        .values(baseline=baseline.model_dump(mode="json"))
    )


async def baseline_of(session: AsyncSession, request_id: str) -> Baseline | None:
    """What was noted last; None: nothing was."""
    row = await session.get(GrantRow, request_id)
    return Baseline.model_validate(row.baseline) if row is not None and row.baseline else None


@dataclass(frozen=True)
class AsOpened:
    """A grant that was opened. ``baseline`` None: it is unknown what its account had before."""

    tenant_id: TenantId
    baseline: Baseline | None


async def as_opened(session: AsyncSession, request_id: str) -> AsOpened | None:
    """What a sweep needs to know of a grant; None if it was never opened."""
    row = await session.get(GrantRow, request_id)
    if row is None or row.armed_at is None:
        return None
    return AsOpened(TenantId(str(row.tenant_id)), Baseline.model_validate(row.baseline) if row.baseline else None)
