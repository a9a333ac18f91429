"""List what stands, and end by hand what nothing else ends."""

from __future__ import annotations

from entra_jit.ledger import alarms
from entra_jit.operations.deployment import Deployment
from entra_jit.operations.watch_reconciliation import find_lapse
from models.alarms import Alarm, AlarmKind
from models.errors import BadInputError, NotFoundError


async def list_alarms(
    deployment: Deployment, *, tenant: str | None = None, standing_only: bool = True, limit: int = 100
) -> list[Alarm]:
    """What stands, or has stood, the newest first; of one tenant, or of all.

    That nobody reconciles is found out here as well: where no worker lives, none has told it.
    """
    async with deployment.ledger.transaction() as session:
        found = await alarms.listed(session, tenant=tenant, standing_only=standing_only, limit=limit)
    if tenant is not None:
        return found
    lapse = await find_lapse(deployment.ledger, deployment.reconcile_every, deployment.clock())
    is_told = any(alarm.kind is AlarmKind.RECONCILER_LAPSED and alarm.cleared_at is None for alarm in found)
    return found if lapse is None or is_told else [lapse, *found]


async def clear_alarm(deployment: Deployment, by: str, kind: str, subject: str, reason: str) -> Alarm:
    """Clear an alarm by hand. An alarm whose cause goes on is raised again.

    Raises ``BadInputError`` for an unknown kind or without a reason, or ``NotFoundError`` where no such alarm stands.
    """
    if not reason.strip():
        raise BadInputError("reason: required; shown in the all-clear")
    try:
        known = AlarmKind(kind)
    except ValueError:
        kinds = ", ".join(repr(each.value) for each in AlarmKind)
        raise BadInputError(f"{kind!r} is not a kind of alarm; the kinds are {kinds}") from None
    ended = await deployment.alarms.clear(known, subject, f"{by}: {reason}", deployment.clock())
    if ended is None:
        raise NotFoundError(f"No such alarm: {kind} about {subject}.")
    return ended
