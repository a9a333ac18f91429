"""List what stands, and end by hand what nothing else ends."""

from __future__ import annotations

from ledger import alarms
from models.alarms import Alarm, AlarmKind
from operations.deployment import Deployment
from operations.errors import BadInputError, NotFoundError


async def list_alarms(
    deployment: Deployment, *, tenant: str | None = None, standing_only: bool = True, limit: int = 100
) -> list[Alarm]:
    """The newest first."""
    async with deployment.ledger.transaction() as session:
        return await alarms.listed(session, tenant=tenant, standing_only=standing_only, limit=limit)


async def clear_alarm(deployment: Deployment, by: str, kind: str, subject: str, reason: str) -> Alarm:
    """Give the all-clear by hand. An alarm whose cause goes on is raised again.

    Raises ``BadInputError`` for an unknown kind, or ``NotFoundError`` where no such alarm stands.
    """
    try:
        known = AlarmKind(kind)
    except ValueError:
        kinds = ", ".join(repr(each.value) for each in AlarmKind)
        raise BadInputError(f"{kind!r} is no kind of alarm; the kinds are {kinds}") from None
    async with deployment.ledger.transaction() as session:
        ended = await alarms.clear(session, known, subject, f"{by}: {reason}", deployment.clock())
    if ended is None:
        raise NotFoundError(f"No alarm {kind!r} stands about {subject!r}.")
    return ended
