"""The ledger's part in letting a grant begin and go on."""

from __future__ import annotations

from temporalio import activity

from activities.signatures import Deciding
from entra_jit.accounts.backend import Backend
from entra_jit.crypto.assertions import ForgedAssertionError, StaleAssertionError, is_ours, verify_actor
from entra_jit.identity.authorize import Subject, Verb, authorize_signed
from entra_jit.ledger import admission, configuration, parking, requests, steps
from models.actor import Actor
from models.alarms import AlarmKind
from models.marks import CANARY_NAME
from models.messages import Armed, Decision, GrantRef, SignedAccessRequest, Step, ToPark, ToUnpark
from models.moments import format_moment
from models.names import workflow_id


class DecidingActivities(Deciding):
    """See ``activities.signatures.Deciding``."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._ledger = backend.ledger
        self._keyring = backend.keyring
        self._clock = backend.clock
        self._alarms = backend.alarms
        self._alarm_after = backend.settings.alarm_after

    @activity.defn
    async def decide(self, signed: SignedAccessRequest) -> Decision:
        """Raises ``ForgedAssertionError`` before the ledger is touched."""
        now = self._clock()
        try:
            actor = verify_actor(self._keyring, signed.assertion, signed.request, now)
        except StaleAssertionError:
            # What was heard in time is decided in its turn. And a workflow that is reset asks again, perhaps hours
            # later, and must go on to close what is open.
            async with self._ledger.transaction() as session:
                if await requests.by_id(session, signed.request.request_id) is None:
                    raise
            actor = signed.assertion.actor
        async with self._ledger.transaction() as session:
            if not await requests.asked_before(session, signed.request):
                technician = await configuration.technician_terms(session, signed.request.technician)
                whose = Subject(signed.request.request_id, technician_id=technician.id if technician else None)
                verb = Verb.RUN_CANARY if signed.request.technician == CANARY_NAME else Verb.REQUEST_ACCESS
                authorize_signed(actor, verb, whose)
            decision = await requests.answer(session, self._keyring, signed.request, actor, now)
        if decision.grant is None:
            return decision
        return decision.model_copy(
            update={"grant": decision.grant.model_copy(update={"alarm_after": self._alarm_after})}
        )

    @activity.defn
    async def arm(self, ref: GrantRef) -> Armed:
        """Count from PostgreSQL's clock, never from a time in the message, which a writer to Temporal can forge."""
        async with self._ledger.transaction() as session:
            now = await self._backend.time_to_open(session)
            armed = await admission.arm(session, self._keyring, ref, now)
            step = Step(name="armed", at=now, note=f"expires {format_moment(armed.expires_at)}")
            await steps.record(session, ref.request_id, ref.attempt, [step])
        return armed

    @activity.defn
    async def park(self, to_park: ToPark) -> None:
        """Keeps the lock: the technician has one grant here, and this is it."""
        _only_its_own_workflow(to_park.request_id)
        now = self._clock()
        async with self._ledger.transaction() as session:
            await steps.record(session, to_park.request_id, to_park.attempt, to_park.steps)
            await parking.park(session, to_park.request_id, to_park.because, now, to_park.failure)
        if to_park.steps:
            await self._alarms.clear(AlarmKind.CLOSING_LATE, to_park.request_id, "It is closed and parked.", now)

    @activity.defn
    async def unpark(self, to_unpark: ToUnpark) -> GrantRef:
        """Lifts the fence under a new attempt number, which whatever is left of earlier attempts does not have."""
        ref = to_unpark.ref
        _only_its_own_workflow(ref.request_id)
        async with self._ledger.transaction() as session:
            return await parking.unpark(session, ref, self._clock(), by=self._who_retries(to_unpark))

    def _who_retries(self, to_unpark: ToUnpark) -> Actor:
        """The actor, where our own signature proves who it was; else who it claims to be."""
        signed, claimed = to_unpark.retry.signed, to_unpark.retry.by
        if signed and signed.retry.request_id == to_unpark.ref.request_id:
            return signed.assertion.actor if is_ours(self._keyring, signed.assertion, signed.retry) else claimed
        return claimed


def _only_its_own_workflow(request_id: str) -> None:
    """A writer to Temporal can schedule activities; by parking and resuming, an ended grant would lose its fence."""
    if activity.info().workflow_id != workflow_id(request_id):
        raise ForgedAssertionError(f"only its own workflow parks the grant {request_id} or takes it up again")
