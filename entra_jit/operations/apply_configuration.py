"""Apply a configuration file: tenants, technicians, groups and role mappings, all or nothing."""

from __future__ import annotations

from pathlib import Path

from entra_jit.app import App
from entra_jit.identity.authorize import Verb
from entra_jit.operations._asking import asks
from entra_jit.operations._configuration_file import read_configuration
from entra_jit.operations._put_in_force import put_in_force
from models.actor import Actor
from models.configuration_plan import ConfigurationPlan, NotAgreedError, PlanRefusedError


@asks(Verb.APPLY_CONFIGURATION)
async def apply_configuration(
    actor: Actor,
    app: App,
    file: Path,
    *,
    agreed: ConfigurationPlan | None = None,
    yes: bool = False,
    prune: bool = False,
    unproven: bool = False,
) -> ConfigurationPlan:
    """Make the ledger's configuration what ``file`` says, and end what is open for whom it no longer has. Idempotent.

    A file that removes, takes or ends something changes nothing and raises ``NotAgreedError`` with its plan, unless
    that was ``agreed`` to (and has not grown since), or ``yes`` agrees to whatever it is. One that removes many raises
    ``PlanRefusedError`` without ``prune``. Credentials that are new or changed are proven in their tenants first, but
    not where ``unproven`` says so, and security groups are looked at there. Raises ``BadInputError``, a line a mistake.

    Where Temporal does not answer, the reconciler closes what ends. An open grant whose access was remapped stays as it
    was granted, and cannot be extended.
    """
    found = read_configuration(file, has_own=app.settings.elevate is not None)
    in_force = await put_in_force(
        actor, app, found, str(file), lambda plan: _expect_meant(plan, agreed, yes=yes, prune=prune), unproven=unproven
    )
    return in_force.plan


def _expect_meant(plan: ConfigurationPlan, agreed: ConfigurationPlan | None, *, yes: bool, prune: bool) -> None:
    if plan.removes_many and not prune:
        removed = ", ".join(
            f"{len(changes.removed)} of {changes.before} {kind}"
            for kind, changes in plan.kinds()
            if changes.removes_many
        )
        raise PlanRefusedError(f"The file removes {removed}, more than a tenth.", plan, "If it is meant, pass --prune.")
    if not plan.narrows or yes:
        return
    if agreed is None:
        raise NotAgreedError("The file removes, takes or ends something.", plan, "If it is meant, pass --yes.")
    if not agreed.covers(plan):
        raise NotAgreedError(
            "What the file removes, takes or ends has grown since it was shown.", plan, "Look at it again."
        )
