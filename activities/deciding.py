"""The ledger's part in letting a grant begin and go on."""

from __future__ import annotations

from datetime import datetime

from temporalio import activity

from activities.signatures import Deciding
from activities.workplace import Workplace
from ledger import grants, requests, steps
from models.messages import Asked, Decision, GrantRef, Step, ToArm, ToPark
from trust.assertions import verify_actor


class DecidingActivities(Deciding):
    """See ``activities.signatures.Deciding``."""

    def __init__(self, workplace: Workplace) -> None:
        self._ledger = workplace.ledger
        self._keyring = workplace.keyring
        self._clock = workplace.clock

    @activity.defn
    async def decide(self, asked: Asked) -> Decision:
        """Raises ``ForgedAssertionError`` before the ledger is touched."""
        actor = verify_actor(self._keyring, asked.signed.assertion, asked.signed.request, asked.at)
        async with self._ledger.transaction() as session:
            return await requests.answer(session, asked.signed.request, actor, asked.at)

    @activity.defn
    async def arm(self, to_arm: ToArm) -> datetime:
        """At the workflow's time, so that its timer and the ledger agree to the microsecond."""
        async with self._ledger.transaction() as session:
            expires_at = await grants.arm(session, to_arm.ref, to_arm.at)
            armed = Step(name="armed", at=to_arm.at, note=f"expires {expires_at:%Y-%m-%d %H:%M:%SZ}")
            await steps.record(session, to_arm.ref.request_id, to_arm.ref.attempt, [armed])
        return expires_at

    @activity.defn
    async def park(self, to_park: ToPark) -> None:
        """Keeps the lock: the technician has one grant here, and this is it."""
        async with self._ledger.transaction() as session:
            await grants.park(session, to_park.request_id, to_park.because, self._clock())

    @activity.defn
    async def unpark(self, ref: GrantRef) -> GrantRef:
        """Lifts the fence under a new attempt number, which whatever is left of earlier attempts does not have."""
        async with self._ledger.transaction() as session:
            return await grants.unpark(session, ref, self._clock())
