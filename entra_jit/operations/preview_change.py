"""Preview a change that a page makes: what it would do to the configuration that is in force. Changes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from entra_jit.app import App
from entra_jit.configuration_file import write
from entra_jit.identity.authorize import Verb
from entra_jit.operations._asking import asks
from entra_jit.operations.plan_configuration import plan_configuration
from entra_jit.operations.save_configuration import KeptAsFileError
from entra_jit.operations.show_configuration import ShownConfiguration, show_configuration
from entra_jit.policy.arrivals import access_of_arrivals
from entra_jit.policy.configuration import Configuration
from entra_jit.policy.configuration_edits import Edit, make_edits, secrets_needed
from models.actor import Actor
from models.configuration_plan import AccessChange, ConfigurationPlan


@dataclass(frozen=True)
class PreviewedChange:
    """What a change does."""

    before: ShownConfiguration
    """What it was made to."""
    after: Configuration
    said: tuple[str, ...]
    """The change itself, a sentence each."""
    plan: ConfigurationPlan
    arrivals: tuple[AccessChange, ...]
    """What comes with tenants and technicians that are new."""
    departures: tuple[AccessChange, ...]
    """What goes with tenants and technicians that leave."""
    secrets_needed: tuple[str, ...]
    """Client ids of applications whose secret is entered with it."""

    @property
    def is_nothing(self) -> bool:
        """It is so already."""
        return self.after == self.before.configuration and not self.secrets_needed


@asks(Verb.PLAN_CONFIGURATION)
async def preview_change(actor: Actor, app: App, edits: Sequence[Edit]) -> PreviewedChange:
    """``edits`` made to what is in force, written as a file, and read again by the reader of files.

    Raises ``BadInputError``, a line a mistake, or ``KeptAsFileError``.
    """
    before = await show_configuration(actor, app)
    if before.is_a_file:
        raise KeptAsFileError("This deployment's configuration is kept as a file.")
    changed = make_edits(before.configuration, edits)
    plan = await plan_configuration(actor, app, write(changed))
    said = tuple(edit.said for edit in edits)
    return PreviewedChange(
        before,
        changed,
        said,
        plan,
        arrivals=access_of_arrivals(before.configuration, changed),
        departures=access_of_arrivals(changed, before.configuration),
        secrets_needed=secrets_needed(edits),
    )
