"""End an alarm by hand that nothing else ends."""

from __future__ import annotations

from entra_jit.app import App
from entra_jit.identity.authorize import Verb
from entra_jit.operations._asking import asks
from entra_jit.operations._reasons import read_reason
from models.actor import Actor
from models.alarms import Alarm, AlarmKind
from models.errors import BadInputError, NotFoundError, quoted


@asks(Verb.CLEAR_ALARM)
async def clear_alarm(actor: Actor, app: App, kind: str, subject: str, reason: str) -> Alarm:
    """Clear an alarm by hand. An alarm whose cause goes on is raised again.

    Raises ``BadInputError`` for an unknown kind or without a reason, or ``NotFoundError`` where no such alarm stands.
    """
    reason = read_reason(reason)
    try:
        known = AlarmKind(kind)
    except ValueError:
        kinds = ", ".join(repr(each.value) for each in AlarmKind)
        raise BadInputError(f"{quoted(kind)} is not a kind of alarm; the kinds are {kinds}") from None
    ended = await app.alarms.clear(known, subject, reason, app.clock(), by=actor)
    if ended is None:
        raise NotFoundError(f"No such alarm: {kind} about {quoted(subject)}.")
    return ended
