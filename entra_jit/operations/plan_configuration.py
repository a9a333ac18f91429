"""Preview a configuration: what putting it in force would remove, take and end. Changes nothing."""

from __future__ import annotations

from entra_jit.app import App
from entra_jit.identity.authorize import Verb
from entra_jit.ledger import applying
from entra_jit.operations._asking import asks
from entra_jit.operations._at_a_worker import at_a_worker
from entra_jit.operations._configuration_text import read_text
from models.actor import Actor
from models.configuration_plan import ConfigurationPlan


@asks(Verb.PLAN_CONFIGURATION)
@at_a_worker
async def plan_configuration(actor: Actor, app: App, content: str) -> ConfigurationPlan:
    """What putting ``content``, the whole configuration as YAML, in force would do by now. Its secrets are not read.

    Whether a tenant needs a registration of its own, workers know. Raises ``BadInputError``, a line a mistake.
    """
    found = read_text(app, content)
    async with app.ledger.transaction() as session:
        return await applying.plan(session, found.configuration)
