"""How late a closing may be, computed from what was in its way and from nothing else.

A grant that meets no trouble has ``PROMPT``: what its closing takes when every call takes as long as a call may, times
how many processes wanted each core of this machine at the worst moment. Each trouble that overlaps the time until then
moves the bound: to the trouble's end, plus

* its ``AFTERMATH``: how long it takes to notice that what was under way has died with it;
* one retry pause. Pauses double from one second, so the next is never longer than the trouble has lasted since the
  expiry, and never longer than the closing's configured maximum;
* ``PROMPT`` again, for the try that succeeds.

PostgreSQL does not count: closing must go on without it. Nor does Temporal where it is away for minutes and the account
is due by its expiry: the closer needs none. Where the workflow was terminated, the reconciler is
what closes: the grace it leaves, one period with its jitter, and, where a worker died under it, the silence by which
that is noticed. Nothing here is measured: all of it follows from ``activities.options``, the settings, and the log.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta

from temporalio.workflow import ActivityConfig

from activities.options import CLOSING, PROVISIONING, RECONCILING
from entra_jit.policy.reconciliation import GRACE
from entra_jit.settings import Settings
from tests.chaos.outages import CLOSING_GOES_ON, EXPIRIES_GO_ON, Kind, Outage

STICKY_TIMEOUT: timedelta = Settings.model_fields["sticky_timeout"].default


def _configured(setting: timedelta | None) -> timedelta:
    assert setting is not None, "a bound cannot be computed from what is not bounded"
    return setting


def _pauses(options: ActivityConfig) -> tuple[timedelta, timedelta]:
    """The shortest and the longest pause between two tries."""
    policy = options["retry_policy"]
    assert policy is not None
    return policy.initial_interval, policy.maximum_interval or timedelta.max


CALL = timedelta(seconds=Settings.model_fields["graph_timeout_seconds"].default)
"""How long one call to Microsoft may take."""

PROMPT = 2 * CALL
"""Looking at the account, and disabling it, on a machine that has time for it."""

IN_FLIGHT = timedelta(seconds=15)
"""How long after the ledger has moved on a call that was begun before may still take effect: an opening's lease."""

FIRST_PAUSE, LONGEST_PAUSE = _pauses(CLOSING)

WORKFLOW_TASK = timedelta(seconds=10)
"""Temporal's default for how long a workflow's task waits for a worker that died with it."""

RECONNECTING = timedelta(seconds=10)
"""Temporal's client pauses at most this long between its attempts at a server that is away."""

_LOST_STEP = _configured(CLOSING["heartbeat_timeout"]) + WORKFLOW_TASK + STICKY_TIMEOUT
_LOST_OPENING = _configured(PROVISIONING["start_to_close_timeout"]) + WORKFLOW_TASK + STICKY_TIMEOUT
_LOST_ROUND = _configured(RECONCILING["heartbeat_timeout"]) + _pauses(RECONCILING)[0] + WORKFLOW_TASK + STICKY_TIMEOUT

AFTERMATH: defaultdict[Kind, timedelta] = defaultdict(
    lambda: CALL,  # a call that was begun in the last moment of the trouble
    {
        Kind.WORKER_KILLED: _LOST_STEP,
        Kind.WORKER_AWAY: STICKY_TIMEOUT,
        Kind.TEMPORAL_KILLED: RECONNECTING + _LOST_STEP,
        Kind.TEMPORAL_RESTARTED: RECONNECTING + _LOST_STEP,
        Kind.TEMPORAL_AWAY: RECONNECTING + _LOST_STEP,
        Kind.POWER_CUT: RECONNECTING + _LOST_STEP,
        Kind.FROZEN: RECONNECTING + _LOST_STEP,
        Kind.STALLED: timedelta(0),
    },
)


def closed_by(due: datetime, in_the_way: Iterable[Outage], *, crowding: float = 1, early: bool = False) -> datetime:
    """Until when the grant's own workflow must have disabled the account that was due to be closed at ``due``.

    ``early``: it was ended before its expiry, perhaps while it was being opened; a step that opens and died with its
    worker is waited for, so that nothing is written behind the closing.
    """
    prompt = PROMPT * crowding
    until = due + prompt
    for outage in sorted(in_the_way, key=lambda outage: outage.began):
        over = outage.ended + (_LOST_OPENING if early else AFTERMATH[outage.kind])
        if outage.kind in (CLOSING_GOES_ON if early else EXPIRIES_GO_ON) or outage.began > until or over <= due:
            continue
        pause = min(over - due + FIRST_PAUSE, LONGEST_PAUSE)
        until = max(until, over + pause + prompt)
    return until


def reconciled_by(
    expires_at: datetime, in_the_way: Iterable[Outage], every: timedelta, *, crowding: float = 1
) -> datetime:
    """Until when the reconciler must have disabled the account of a grant whose workflow is gone."""
    due = expires_at + GRACE
    period = every + every / 10 + PROMPT * crowding
    until = due + period
    for outage in sorted(in_the_way, key=lambda outage: outage.began):
        over = outage.ended + (_LOST_ROUND if outage.customer is None else AFTERMATH[outage.kind])
        if outage.kind is Kind.WORKFLOW_GONE or outage.began > until or over <= due:
            continue
        until = max(until, over + period)
    return until
