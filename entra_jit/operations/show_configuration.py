"""Show the configuration that is in force: what the pages edit."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from entra_jit.app import App
from entra_jit.identity.authorize import Verb
from entra_jit.ledger import configuration_versions
from entra_jit.operations._asking import asks
from entra_jit.policy.configuration import Configuration
from models.actor import Actor


@dataclass(frozen=True)
class ShownConfiguration:
    """The configuration, and which version it is."""

    number: int
    """0: nothing was applied yet."""
    hash: str | None
    configuration: Configuration
    by: str | None
    """Who put it in force; None: nothing was applied yet, or the journal has lost it."""
    at: datetime | None
    is_a_file: bool
    """It is kept as a file elsewhere, and no page changes it."""


@asks(Verb.EXPORT_CONFIGURATION)
async def show_configuration(actor: Actor, app: App) -> ShownConfiguration:
    """The newest version; an empty one where nothing was applied yet. Holds no secret."""
    is_a_file = app.settings.configuration_is_a_file
    async with app.ledger.transaction() as session:
        version = await configuration_versions.newest(session)
        if version is None:
            return ShownConfiguration(0, None, Configuration((), (), (), ()), None, None, is_a_file)
        applied = await configuration_versions.applied(session, version.event_id)
    by, at = (str(applied.actor), applied.recorded_at) if applied else (None, None)
    return ShownConfiguration(version.number, version.hash, version.configuration, by, at, is_a_file)
