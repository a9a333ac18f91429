"""Watching the watcher: whether reconciliations come through, and whether Temporal can carry on every grant.

Each worker does this for as long as it runs, so that a deleted or paused schedule comes back by itself. What the ledger
alone shows is told first: with Temporal away, asking it fails.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import structlog
from temporalio.client import Client, WorkflowExecution
from temporalio.common import MetricMeter
from temporalio.service import RPCError

from entra_jit.accounts.attempts import attempt_all
from entra_jit.accounts.backend import Backend
from entra_jit.accounts.ledger_watch import LOOK_EVERY, LedgerWatch, lapse_patience
from entra_jit.ledger import alarms, event_partitions, reviews
from entra_jit.ledger.database import LedgerUnavailableError
from entra_jit.temporal.schedules import ensure_reconciliation, ensure_reviews
from models import search_attributes
from models.alarms import Alarm, AlarmKind
from models.names import ACCESS_GRANT, request_id_of

WEDGED = f'WorkflowType = "{ACCESS_GRANT}" AND ExecutionStatus = "Running" AND TemporalReportedProblems IS NOT NULL'
"""Grants whose workflow fails at each try of Temporal's to carry it on: a bug, or a worker of the wrong version."""

_log = structlog.get_logger("watch")


class ReconciliationWatch:
    """Looks every minute. ``meter``: where alarms are counted."""

    def __init__(self, backend: Backend, client: Client, meter: MetricMeter) -> None:
        self._ledger = backend.ledger
        self._alarms = backend.alarms
        self._revoking = backend.revoking
        self._expiring = backend.expiring
        self._clock = backend.clock
        self._client = client
        self._task_queue = backend.settings.task_queue
        self._every = backend.settings.reconcile_every
        self._keep_events_days = backend.settings.keep_events_days
        self._ledger_watch = LedgerWatch(backend)
        self._away_since: datetime | None = None
        self._closers = meter.create_gauge("entra_jit_closers", "Closers that run")
        self._lateness = meter.create_gauge_float(
            "entra_jit_closer_lateness_seconds", "How late closers were at most within the last minute"
        )
        self._gauge = meter.create_gauge("entra_jit_alarms", "Alarms that stand, by kind")

    async def run(self) -> None:
        """Look again and again, until cancelled. What cannot be looked at now is looked at next time."""
        while True:
            try:
                await self.look()
            except (RPCError, LedgerUnavailableError) as error:
                _log.warning("not looked", error=type(error).__name__)
            except Exception:
                _log.exception("a look failed")  # the next one may not; who watches must not stop watching
            await asyncio.sleep(LOOK_EVERY.total_seconds())

    async def look(self) -> None:
        """One look: tenants are reconciled, no grant is wedged, nothing is refused to closing, so many alarms stand."""
        try:
            alarms_of_credentials = [self._revoking.update_alarms(), self._expiring.update_alarms()]
            await attempt_all([self._ledger_watch.look(), *alarms_of_credentials, self._keep_months()])
            await self._ask_temporal()
        finally:
            standing = await self._alarms.standing()
            for kind in AlarmKind:
                self._gauge.set(standing[kind], {"kind": kind.value})
            closers = self._ledger_watch.closers
            self._closers.set(closers.running)
            self._lateness.set(closers.lateness.total_seconds() if closers.lateness else 0)

    async def _ask_temporal(self) -> None:
        looks = [self._look_for_late_reviews(), self._look_for_wedged_grants()]
        if self._ledger_watch.has_lapsed:
            looks.append(ensure_reconciliation(self._client, self._task_queue, self._every))
        now = self._clock()
        try:
            await attempt_all(looks)
        except RPCError as error:
            self._away_since = self._away_since or now
            if now - self._away_since >= LOOK_EVERY:
                await self._alarms.raise_alarm(away(error.status.name, now))
            raise
        self._away_since = None
        await self._alarms.clear(AlarmKind.TEMPORAL_AWAY, "deployment", "Temporal answers.", now)

    async def _look_for_late_reviews(self) -> None:
        async with self._ledger.transaction() as session:
            late = await reviews.tenants(session, self._clock() - lapse_patience(self._every))
        if late:  # Microsoft may refuse or be slow, which raises alarms of its own; or the schedule is gone
            await ensure_reviews(self._client, self._task_queue, self._every)

    async def _keep_months(self) -> None:
        """Make the journal's coming months, and drop those that are to be kept no longer."""
        async with self._ledger.transaction() as session:
            await event_partitions.make_coming(session)
        if self._keep_events_days is None:
            return
        first = (self._clock() - timedelta(days=self._keep_events_days)).date().replace(day=1)
        async with self._ledger.transaction() as session:
            dropped = await event_partitions.drop_before(session, first)
        if dropped:
            _log.info("months of the journal dropped", months=dropped)

    async def _look_for_wedged_grants(self) -> None:
        now = self._clock()
        wedged = {request_id_of(found.id): found async for found in self._wedged()}
        for request_id, found in wedged.items():
            problems = found.typed_search_attributes.get(search_attributes.REPORTED_PROBLEMS) or ()
            await self._alarms.raise_alarm(
                Alarm(
                    kind=AlarmKind.WORKFLOW_WEDGED,
                    subject=request_id,
                    sentence=f"Temporal cannot continue the grant {request_id}: {', '.join(problems)}. "
                    "The reconciler closes its account at its expiry; until then only close-all does.",
                    tenant=found.typed_search_attributes.get(search_attributes.TENANT),
                    request_id=request_id,
                    raised_at=now,
                )
            )
        async with self._ledger.transaction() as session:
            standing = await alarms.listed(session, kind=AlarmKind.WORKFLOW_WEDGED)
        for alarm in standing:
            if alarm.subject not in wedged:
                await self._alarms.clear(alarm.kind, alarm.subject, "Its workflow continues.", now)

    def _wedged(self) -> AsyncIterator[WorkflowExecution]:
        return self._client.list_workflows(WEDGED)


def away(because: str, at: datetime) -> Alarm:
    """The alarm that Temporal does not answer. It is not raised by this."""
    sentence = (
        f"Temporal does not answer a worker: {because}. Nothing is opened. The closer disables what expires, "
        "and the reconciler closes it."
    )
    return Alarm(kind=AlarmKind.TEMPORAL_AWAY, subject="deployment", sentence=sentence, raised_at=at)
