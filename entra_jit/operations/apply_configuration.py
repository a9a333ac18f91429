"""Apply a configuration file: tenants, technicians, groups and role mappings, all or nothing."""

from __future__ import annotations

from pathlib import Path

import structlog

from entra_jit.app import App
from entra_jit.configuration_file import ConfigurationFile
from entra_jit.identity.authorize import Verb
from entra_jit.ledger import applying
from entra_jit.ledger import configuration as configurations
from entra_jit.ledger.fences import fence_departed
from entra_jit.operations._asking import asks
from entra_jit.operations._check_security_groups import check_security_groups
from entra_jit.operations._configuration_file import read_configuration
from entra_jit.operations._prove_registrations import prove_registrations
from entra_jit.temporal.end_workflows import end_workflows
from models.actor import CONFIGURATION, Actor
from models.configuration_plan import ConfigurationPlan
from models.errors import BadInputError, RefusedError
from models.messages import EndAccess, SignedEnd

_log = structlog.get_logger("configuration")


class PlanRefusedError(RefusedError):
    """Nothing was changed: what the file removes, takes or ends has to be meant."""

    def __init__(self, explanation: str, plan: ConfigurationPlan, advice: str) -> None:
        super().__init__(explanation, advice=advice)
        self.plan = plan


class NotAgreedError(PlanRefusedError):
    """Not all of the plan was agreed to."""

    is_attempt = False


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
    if not unproven:
        await _expect_proven(app, file, found)
    await _expect_usable_groups(app, file, found)
    async with app.ledger.transaction() as session:
        plan = await applying.plan(session, found.configuration)
        _expect_meant(plan, agreed, yes=yes, prune=prune)
        await applying.apply(session, actor, app.keyring, found.configuration, found.proofs, app.clock())
        left = await fence_departed(session, app.clock(), actor)
    if left:
        await _end(app, left)
    return plan


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


async def _expect_proven(app: App, file: Path, found: ConfigurationFile) -> None:
    if failed := await prove_registrations(app, found):
        raise BadInputError(
            "\n".join(
                f"{file}:{found.application_lines[one.tenant.id, one.purpose]}: "
                f"tenant {one.tenant.name}, {one.purpose}: {one.explanation}"
                for one in failed
            ),
            advice="Nothing was stored. While Microsoft cannot be reached, --unproven stores new credentials untried.",
        )


async def _expect_usable_groups(app: App, file: Path, found: ConfigurationFile) -> None:
    if not found.security_group_lines:
        return
    async with app.ledger.transaction() as session:
        known = {mapping.item.id for mapping in await configurations.role_mappings(session)}
    unusable = await check_security_groups(app, found.configuration, found.proofs, known)
    if unusable:
        raise BadInputError(
            "\n".join(
                f"{file}:{found.security_group_lines[one.tenant.id, one.group.id]}: "
                f"tenant {one.tenant.name}: {one.explanation}"
                for one in unusable
            )
        )


async def _end(app: App, left: dict[str, str]) -> None:
    """Have their own workflows close them at once; nothing opens for them in any case."""
    endings = {
        request_id: _signed(app, EndAccess(request_id=request_id, reason=why)) for request_id, why in left.items()
    }
    heard = await end_workflows(app.temporal, endings)
    for request_id, why in left.items():
        who = "its workflow" if request_id in heard.told else "the reconciler"
        _log.info("grant ended", grant=request_id, because=why, closed_by=who)


def _signed(app: App, ending: EndAccess) -> SignedEnd:
    return SignedEnd(ending=ending, assertion=app.sign(CONFIGURATION, ending))
