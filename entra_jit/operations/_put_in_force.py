"""Putting a configuration in force, whether a file says it or a page."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import structlog

from entra_jit.app import App
from entra_jit.configuration_file import ConfigurationFile
from entra_jit.ledger import applying, configuration_versions
from entra_jit.ledger import configuration as configurations
from entra_jit.ledger.fences import fence_departed
from entra_jit.operations._check_security_groups import check_security_groups
from entra_jit.operations._prove_registrations import prove_registrations
from entra_jit.temporal.end_workflows import end_workflows
from models.actor import CONFIGURATION, Actor
from models.configuration_plan import ChangedMeanwhileError, ConfigurationPlan
from models.errors import BadInputError
from models.messages import EndAccess, SignedEnd

_log = structlog.get_logger("configuration")


@dataclass(frozen=True)
class InForce:
    """What was put in force: what that did, and the event that says so."""

    plan: ConfigurationPlan
    event_id: int


async def put_in_force(
    actor: Actor,
    app: App,
    found: ConfigurationFile,
    source: str,
    expect_meant: Callable[[ConfigurationPlan], None],
    *,
    unproven: bool = False,
    based_on: int | None = None,
    reason: str | None = None,
) -> InForce:
    """Make it the ledger's configuration, all or nothing, and end what is open for whom it no longer has.

    ``source`` is what mistakes are said to stand in; ``based_on``: the version that it changes (0: nothing was
    applied yet), None for a file that is the whole. Raises ``BadInputError``, ``ChangedMeanwhileError``, or what
    ``expect_meant`` raises.
    """
    if not unproven:
        await _expect_proven(app, source, found)
    await _expect_usable_groups(app, source, found)
    async with app.ledger.transaction() as session:
        plan = await applying.plan(session, found.configuration)
        if based_on is not None:
            in_force = await configuration_versions.stamp(session)
            if (in_force.number if in_force else 0) != based_on:
                raise ChangedMeanwhileError("The configuration was changed since you opened it.")
        expect_meant(plan)
        event_id = await applying.apply(
            session, actor, app.keyring, found.configuration, found.proofs, app.clock(), reason=reason
        )
        left = await fence_departed(session, app.clock(), actor)
    if left:
        await _end(app, left)
    return InForce(plan, event_id)


async def _expect_proven(app: App, source: str, found: ConfigurationFile) -> None:
    if failed := await prove_registrations(app, found):
        raise BadInputError(
            "\n".join(
                f"{source}:{found.application_lines[one.tenant.id, one.purpose]}: "
                f"tenant {one.tenant.name}, {one.purpose}: {one.explanation}"
                for one in failed
            ),
            advice="Nothing was stored. While Microsoft cannot be reached, --unproven stores new credentials untried.",
        )


async def _expect_usable_groups(app: App, source: str, found: ConfigurationFile) -> None:
    if not found.security_group_lines:
        return
    async with app.ledger.transaction() as session:
        known = {mapping.item.id for mapping in await configurations.role_mappings(session)}
    unusable = await check_security_groups(app, found.configuration, found.proofs, known)
    if unusable:
        raise BadInputError(
            "\n".join(
                f"{source}:{found.security_group_lines[one.tenant.id, one.group.id]}: "
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
