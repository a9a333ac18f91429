"""Preview a configuration file: what applying it would remove, take and end. Changes nothing."""

from __future__ import annotations

from pathlib import Path

from entra_jit.app import App
from entra_jit.identity.authorize import Verb
from entra_jit.ledger import applying
from entra_jit.operations._asking import asks
from entra_jit.operations._configuration_file import read_configuration
from models.actor import Actor
from models.configuration_plan import ConfigurationPlan


@asks(Verb.PLAN_CONFIGURATION)
async def plan_configuration(actor: Actor, app: App, file: Path) -> ConfigurationPlan:
    """What applying ``file`` would do by now. Raises ``BadInputError``, a line a mistake."""
    found = read_configuration(file, has_own=app.settings.elevate is not None)
    async with app.ledger.transaction() as session:
        return await applying.plan(session, found.configuration)
