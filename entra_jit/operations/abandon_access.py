"""Give up a closing that cannot be proven, so that its lock and its workflow end. Loud on purpose."""

from __future__ import annotations

from entra_jit.app import App
from entra_jit.identity.authorize import Verb
from entra_jit.ledger import grants, receipts
from entra_jit.operations._asking import asks
from entra_jit.operations._reasons import read_reason
from models.actor import Actor
from models.alarms import Alarm, AlarmKind
from models.errors import NotFoundError, RefusedError
from models.messages import Ending, GrantState, Proof, Receipt


@asks(Verb.ABANDON_ACCESS)
async def abandon_access(actor: Actor, app: App, request_id: str, reason: str) -> Receipt:
    """Write a receipt that says *abandoned*, release the lock and raise an alarm.

    The grant's workflow sees it at its next try and ends. The reconciler goes on trying to close the account; once that
    is proven, the alarm is over and the receipt has an addendum. Idempotent: what was abandoned keeps its receipt.

    Raises ``BadInputError`` without a reason, ``NotFoundError``, or ``RefusedError`` for a grant that is over or was
    not asked to end yet.
    """
    reason = read_reason(reason)
    at = app.clock()
    async with app.alarms.recording() as record:
        session = record.session
        grant = await grants.by_id(session, request_id)
        if grant is None:
            raise NotFoundError(f"There is no grant {request_id!r}.")
        settled = await receipts.of_request(session, request_id)
        if settled is not None and settled.proof is Proof.ABANDONED:
            return settled
        if grant.settled_at is not None:
            raise RefusedError(f"The grant {request_id} is over already ({grant.ending}).")
        over = grant.expires_at is not None and at >= grant.expires_at
        if grant.closing_at is None and not over:
            raise RefusedError(f"The grant {request_id} is not closing. End it first.")
        ending = Ending(state=GrantState.ABANDONED, by=actor, reason=reason)
        receipt = await receipts.abandon(session, request_id, ending, at)
        assert receipt is not None  # noqa: S101  # a grant has a request
        await record.clear(AlarmKind.CLOSING_LATE, request_id, f"Abandoned by {actor}.", at)
        await record.raise_alarm(
            Alarm(
                kind=AlarmKind.ABANDONED,
                subject=request_id,
                sentence=f"{actor} abandoned the closing of {grant.account_name}, which may be open.",
                tenant=receipt.request.tenant,
                request_id=request_id,
                raised_at=at,
            )
        )
    return receipt
