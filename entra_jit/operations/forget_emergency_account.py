"""Forget an emergency account that was deleted in its tenant."""

from __future__ import annotations

from entra_jit.accounts.directories import Purpose
from entra_jit.accounts.finding import judge_absence
from entra_jit.app import App
from entra_jit.graph import NotYetVisibleError
from entra_jit.identity.authorize import Verb
from entra_jit.ledger import emergency, reconciliation
from entra_jit.operations._asking import asks
from entra_jit.operations._at_a_worker import at_a_worker
from entra_jit.policy.missing import Missing
from models.actor import Actor
from models.alarms import AlarmKind
from models.errors import RefusedError
from models.messages import EmergencyRef, ObjectId

GONE = "The account is gone from its directory, and was forgotten."


@asks(Verb.FORGET_EMERGENCY_ACCOUNT)
@at_a_worker
async def forget_emergency_account(actor: Actor, app: App, tenant: str, number: int) -> EmergencyRef:
    """Let the ledger forget the account; where the configuration wants it, the next round makes another.

    Nothing is done in the tenant, which must have deleted it. Raises ``NotFoundError``, or ``RefusedError`` for one
    that is there, or that was not missed for long enough: a 404 may be stale.
    """
    async with app.ledger.transaction() as session:
        [ref] = await emergency.meant(session, tenant, number)
        account = await emergency.find(session, ref)
    if account is not None and account.object_id is not None:
        await _expect_gone(app, ref, account.account_name, account.object_id)
    async with app.alarms.recording() as record:
        await emergency.forget_account(record.session, actor, ref)
        for kind in (AlarmKind.EMERGENCY_UNPROVEN, AlarmKind.EMERGENCY_REVEALED, AlarmKind.EMERGENCY_USED):
            await record.clear(kind, ref.words, GONE, app.clock())
    return ref


async def _expect_gone(app: App, ref: EmergencyRef, name: str, object_id: ObjectId) -> None:
    directory = await app.directories.of(ref.tenant_id, Purpose.REVOKE)
    try:
        await directory.users.get(object_id)
    except NotYetVisibleError:
        async with app.ledger.transaction() as session:
            since = await reconciliation.missed_since(session, ref.tenant_id, object_id)
        now = app.clock()
        if since is not None and (await judge_absence(directory, object_id, since, now)).verdict is not Missing.DOUBTED:
            return
        raise RefusedError(
            f"{name} is not missed for long enough to be gone.", advice="Try again in ten minutes."
        ) from None
    raise RefusedError(f"{name} is there.", advice="It is forgotten once it was deleted in the tenant.")
