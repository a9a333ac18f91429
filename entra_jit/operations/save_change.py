"""Save a change that a page makes, as it was shown."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import SecretStr

from entra_jit.app import App
from entra_jit.configuration_file import write
from entra_jit.identity.authorize import Verb
from entra_jit.operations._asking import asks
from entra_jit.operations.save_configuration import save_configuration
from entra_jit.operations.show_configuration import show_configuration
from entra_jit.policy.configuration_edits import Edit, make_edits, secrets_needed
from models.actor import Actor
from models.configuration_plan import ChangedMeanwhileError, ConfigurationPlan
from models.errors import BadInputError


@asks(Verb.APPLY_CONFIGURATION)
async def save_change(
    actor: Actor,
    app: App,
    edits: Sequence[Edit],
    *,
    based_on: int,
    reason: str,
    agreed: ConfigurationPlan,
    secrets: dict[str, SecretStr] | None = None,
) -> int:
    """Make ``edits`` to the version ``based_on``, and put that in force; gives the id of the event that says so.

    ``secrets``: of the applications that ``secrets_needed`` names, by client id. Raises as ``save_configuration`` does.
    """
    before = await show_configuration(actor, app)
    if before.number != based_on:
        raise ChangedMeanwhileError("The configuration was changed since you opened it.")
    if missing := [one for one in secrets_needed(edits) if one not in (secrets or {})]:
        raise BadInputError(f"The credential of the application {missing[0]} is missing.")
    content = write(make_edits(before.configuration, edits))
    return await save_configuration(
        actor, app, content, based_on=based_on, reason=reason, agreed=agreed, secrets=secrets
    )
