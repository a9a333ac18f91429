"""What the operations on emergency accounts share: having them worked on, and giving a key away."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict

import structlog
from pydantic import SecretStr

from entra_jit.app import App
from entra_jit.crypto.one_time import read_public, seal_to
from entra_jit.emergency_kit import Passkey
from entra_jit.ledger import emergency
from models.actor import Actor
from models.alarms import Alarm, AlarmKind
from models.errors import UnreachableError
from models.messages import EmergencyDuty, EmergencyRef, EmergencyTenant, SealedPasskeys
from models.names import EMERGENCY_ACCOUNTS, EMERGENCY_DETAILS, emergency_workflow_id

_log = structlog.get_logger("emergency")


async def have_done(actor: Actor, app: App, tenant: str, number: int | None, duty: EmergencyDuty) -> list[EmergencyRef]:
    """Enter what is wanted, and have the tenant's workflow begin with it. Without Temporal the next round does."""
    async with app.ledger.transaction() as session:
        meant = await emergency.meant(session, tenant, number)
        for ref in meant:
            await emergency.want(session, actor, ref, duty, app.clock())
    await _begin(app, EmergencyTenant(tenant_id=meant[0].tenant_id, tenant=meant[0].tenant))
    return meant


async def _begin(app: App, tenant: EmergencyTenant) -> None:
    # Imported with its use, as Temporal's client is.
    from temporalio.exceptions import WorkflowAlreadyStartedError  # noqa: PLC0415
    from temporalio.service import RPCError  # noqa: PLC0415

    try:
        client = await app.temporal()
        await client.start_workflow(
            EMERGENCY_ACCOUNTS,
            tenant,
            id=emergency_workflow_id(tenant.tenant_id),
            task_queue=app.settings.task_queue,
            static_summary=f"Emergency accounts of {tenant.tenant}",
            static_details=EMERGENCY_DETAILS,
        )
    except WorkflowAlreadyStartedError:
        return  # it is at work; the next round takes up what it does not find any more
    except (RPCError, UnreachableError) as error:
        _log.warning("emergency work not begun; the next round does it", error=type(error).__name__)


def sealed_to_reader(reader: str, passkeys: Sequence[Passkey], about: str) -> SealedPasskeys:
    """What only the reader opens. Raises ``BadInputError`` for a reader's key that is none."""
    content = SecretStr(json.dumps([asdict(one) for one in passkeys]))
    return SealedPasskeys(about=about, sealed=seal_to(read_public(reader), content, about))


def reveal_alarm(app: App, actor: Actor, ref: EmergencyRef, what: str) -> Alarm:
    """That a person holds what opens the account."""
    return Alarm(
        kind=AlarmKind.EMERGENCY_REVEALED,
        subject=ref.words,
        sentence=f"{actor.name} {what} of {ref.words}.",
        tenant=ref.tenant,
        raised_at=app.clock(),
    )
