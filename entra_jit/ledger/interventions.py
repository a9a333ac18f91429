"""What was closed beside the grants' own workflows: by whom and why, entered before the first write.

A reconciliation that dies with its worker reports nothing, and what it had closed by then would be explained by nobody.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.actor import Actor
from models.messages import DirectoryCall, ObjectId, Step, TenantId
from models.sweep import SweepFinding
from models.tables import InterventionRow


async def begin(
    session: AsyncSession,
    *,
    tenant_id: TenantId,
    object_id: ObjectId,
    account_name: str,
    request_id: str | None,
    by: Actor,
    because: str,
    found_enabled: bool,
    at: datetime,
) -> int:
    """Enter what is about to be closed; its number. ``request_id``: the grant that holds the account, if one does."""
    row = InterventionRow(
        tenant_id=UUID(tenant_id),
        object_id=UUID(object_id),
        account_name=account_name,
        request_id=request_id,
        by=by,
        because=because,
        found_enabled=found_enabled,
        began_at=at,
    )
    session.add(row)
    await session.flush()
    assert row.id is not None  # noqa: S101  # the database has numbered it
    return row.id


async def finish(
    session: AsyncSession,
    number: int,
    disabled_at: datetime | None,
    proven_at: datetime | None,
    calls: Sequence[DirectoryCall],
    findings: Sequence[SweepFinding],
) -> None:
    """Enter how it went. ``proven_at`` None: the directory did not say yet that the account is closed.

    ``findings``: what the account had that was not of its grant.
    """
    row = await session.get(InterventionRow, number)
    if row is not None:  # a ledger restored meanwhile has forgotten it
        row.disabled_at, row.proven_at = disabled_at, proven_at
        row.calls = [call.model_dump(mode="json") for call in calls]
        row.findings = [finding.model_dump(mode="json") for finding in findings]
        session.add(row)


async def of_request(session: AsyncSession, request_id: str) -> Sequence[InterventionRow]:
    """What was closed for a grant beside its workflow, in the order in which it began."""
    statement = select(InterventionRow).where(col(InterventionRow.request_id) == request_id)
    return (await session.exec(statement.order_by(col(InterventionRow.began_at)))).all()


def findings_of(row: InterventionRow) -> tuple[SweepFinding, ...]:
    """What was found on the account, and taken from it."""
    return tuple(SweepFinding.model_validate(finding) for finding in row.findings)


def as_step(row: InterventionRow) -> Step:
    """The intervention as a receipt tells it."""
    values = {"name": f"closed by {row.by}", "at": row.disabled_at or row.began_at, "note": row.because}
    return Step.model_validate({**values, "calls": row.calls})
