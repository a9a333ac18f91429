"""What the operations on emergency accounts share: having them worked on, and giving a key away."""

from __future__ import annotations

from collections.abc import Sequence

import structlog
from pydantic import SecretStr

from entra_jit.app import App
from entra_jit.emergency_kit import KitError, Passkey, code_of, seal_to
from entra_jit.identity.person_sign_in import RoleSource, verified_asker
from entra_jit.ledger import emergency
from models.actor import Actor, ActorKind
from models.alarms import Alarm, AlarmKind
from models.errors import BadInputError, RefusedError, SettingsError, UnreachableError
from models.messages import EmergencyDuty, EmergencyRef, EmergencyTenant, SealedPasskeys, TenantId
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


async def asked_in_person(actor: Actor, app: App, about: str, sign_in: SecretStr | None) -> Actor:
    """The actor with the roles that their own sign-in for ``about`` says; an operator at a command line as they are.

    The portal vouches for people, and can be broken into. What opens a customer's tenant needs more than its word: an
    id token that Microsoft gave minutes ago to this person, for this very request. Raises ``RefusedError`` or
    ``SettingsError``.
    """
    if actor.kind is not ActorKind.PERSON:
        return actor
    if sign_in is None:
        raise RefusedError("Sign in for this request first.")
    settings = app.settings
    if settings.home_tenant is None or settings.sign_in is None:
        raise SettingsError("ENTRA_JIT_HOME_TENANT and ENTRA_JIT_SIGN_IN__CLIENT_ID are not set for this worker.")
    person = await verified_asker(
        app.graph, TenantId(str(settings.home_tenant)), str(settings.sign_in.client_id), sign_in, about, app.clock()
    )
    if person.id != actor.id:
        raise RefusedError("Another person signed in for this request.")
    return actor.model_copy(update={"roles": RoleSource.of(settings).roles(person)})


def read_reader(reader: str) -> str:
    """The code of a reader's public key, which people compare. Raises ``BadInputError`` for what is none."""
    try:
        return code_of(reader)
    except KitError:
        raise BadInputError(
            "reader: not a public key of X25519 in base64", advice="Copy the whole line from the program that waits."
        ) from None


def sealed_to_reader(reader: str, passkeys: Sequence[Passkey], about: str) -> SealedPasskeys:
    """What only the reader opens. The key was read before."""
    return SealedPasskeys(about=about, sealed=seal_to(reader, passkeys, about))


def reveal_alarm(app: App, actor: Actor, ref: EmergencyRef, what: str) -> Alarm:
    """That a person holds what opens the account."""
    return Alarm(
        kind=AlarmKind.EMERGENCY_REVEALED,
        subject=ref.words,
        sentence=f"{actor.name} {what} of {ref.words}.",
        tenant=ref.tenant,
        raised_at=app.clock(),
    )
