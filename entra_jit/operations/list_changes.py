"""List what was changed about the configuration: what, by whom, when and why."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from entra_jit.app import App
from entra_jit.identity.authorize import Verb
from entra_jit.ledger import configuration_versions, events
from entra_jit.operations._asking import asks
from entra_jit.policy.version_changes import describe_versions
from models.actor import Actor
from models.events import Event, EventKind


@dataclass(frozen=True)
class ConfigurationChange:
    """One change, as the journal has it."""

    event_id: int
    by: str
    at: datetime
    reason: str | None
    lines: tuple[str, ...]


@asks(Verb.EXPORT_CONFIGURATION)
async def list_changes(
    actor: Actor, app: App, *, event_id: int | None = None, limit: int = 10
) -> tuple[ConfigurationChange, ...]:
    """The last changes, the newest first; those whose event the journal has lost are left out.

    ``event_id``: only what this event saved; without lines where it stored credentials and changed nothing else.
    """
    async with app.ledger.transaction() as session:
        found = await configuration_versions.changes(session, up_to=event_id, limit=1 if event_id else limit)
        made = {one.after.event_id: one for one in found}
        saved = await events.by_ids(session, [event_id] if event_id else list(made))
    kinds = {EventKind.CONFIGURATION_APPLIED, EventKind.SIGN_IN_ACCEPTED}
    return tuple(_change(one, made.get(one.id)) for one in reversed(saved) if one.kind in kinds)


def _change(event: Event, change: configuration_versions.Change | None) -> ConfigurationChange:
    reason = event.body.get("reason")
    return ConfigurationChange(
        event_id=event.id,
        by=str(event.actor),
        at=event.recorded_at,
        reason=str(reason) if reason else None,
        lines=describe_versions(change.before, change.after.configuration) if change else (),
    )
