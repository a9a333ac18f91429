"""Save a changed configuration, as the portal's pages do: shown first, agreed to, and never over another's change."""

from __future__ import annotations

from pydantic import SecretStr

from entra_jit.app import App
from entra_jit.identity.authorize import Verb
from entra_jit.operations._asking import asks
from entra_jit.operations._at_a_worker import at_a_worker
from entra_jit.operations._configuration_text import PAGE, read_text
from entra_jit.operations._put_in_force import put_in_force
from entra_jit.operations._reasons import read_reason
from models.actor import Actor
from models.configuration_plan import ConfigurationPlan, NotAgreedError
from models.errors import RefusedError


class KeptAsFileError(RefusedError):
    """This deployment's configuration is a file that is kept elsewhere."""

    advice = "Change the file, and apply it."
    is_attempt = False


@asks(Verb.APPLY_CONFIGURATION)
@at_a_worker
async def save_configuration(
    actor: Actor,
    app: App,
    content: str,
    *,
    based_on: int,
    reason: str,
    agreed: ConfigurationPlan,
    secrets: dict[str, SecretStr] | None = None,
) -> int:
    """Put ``content`` in force, whole, in place of the version ``based_on``. Gives the id of the event that says so.

    ``secrets``: what was entered for applications that the content leaves to the ledger, by client id; all others stay
    as they are stored. They are proven in their tenants first. Raises ``BadInputError``; ``ChangedMeanwhileError``
    where another version is in force by now; ``NotAgreedError`` where the plan has grown beyond ``agreed``;
    ``KeptAsFileError``.
    """
    if app.settings.configuration_is_a_file:
        raise KeptAsFileError("This deployment's configuration is kept as a file.")
    found = read_text(app, content, secrets)

    def expect_agreed(plan: ConfigurationPlan) -> None:
        if not agreed.covers(plan):
            raise NotAgreedError("What this removes, takes or ends has grown since it was shown.", plan, "Look again.")

    in_force = await put_in_force(actor, app, found, PAGE, expect_agreed, based_on=based_on, reason=read_reason(reason))
    return in_force.event_id
