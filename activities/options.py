"""How long activities may take and how they are retried: one table for all of them."""

from __future__ import annotations

from datetime import timedelta

from temporalio.common import Priority, RetryPolicy
from temporalio.workflow import ActivityCancellationType, ActivityConfig, LocalActivityConfig

from entra_jit.policy.durations import PROVISIONING_STEP
from models.messages import FailureType

FINAL_FOR_PROVISIONING = [failure.value for failure in FailureType if not failure.is_transient]
"""What no retry mends while access is being opened. While it is being closed, everything is retried."""

LEDGER = LocalActivityConfig(
    start_to_close_timeout=timedelta(seconds=15),
    # Longer waits go to the server's timers: a local retry keeps the workflow's task, and with it its signals, waiting.
    local_retry_threshold=timedelta(seconds=2),
    retry_policy=RetryPolicy(
        initial_interval=timedelta(milliseconds=500),
        maximum_interval=timedelta(seconds=30),
        non_retryable_error_types=FINAL_FOR_PROVISIONING,
    ),
)
"""A step of the ledger alone while a grant begins; bounded by the provisioning window."""

PROVISIONING = ActivityConfig(
    start_to_close_timeout=PROVISIONING_STEP,
    # A step that is under way when the grant is ended finishes first; otherwise it could still write after the closing.
    cancellation_type=ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    retry_policy=RetryPolicy(
        initial_interval=timedelta(seconds=1),
        maximum_interval=timedelta(minutes=1),
        non_retryable_error_types=FINAL_FOR_PROVISIONING,
    ),
    priority=Priority(priority_key=3),
)
"""A step that widens access; bounded by the window and, once the grant is armed, by its expiry."""

RENEWING_TIME = timedelta(seconds=20)
"""For a new credential of an open grant: the sender waits for the answer."""

CLOSING = ActivityConfig(
    # Every call has a timeout of its own, so this is for a try that is slow.
    start_to_close_timeout=timedelta(minutes=2),
    # A killed worker is noticed by its silence; otherwise the account would stay open for all that time. Not sooner:
    # a worker that closes a hundred accounts at once may be silent for some seconds, and repeating what it does would
    # only add to its load.
    heartbeat_timeout=timedelta(seconds=15),
    retry_policy=RetryPolicy(initial_interval=timedelta(seconds=1), maximum_interval=timedelta(minutes=1)),
    priority=Priority(priority_key=2),
)
"""A step that narrows access: retried for as long as it takes."""

CLOSING_THE_ACCOUNT = ActivityConfig(**{**CLOSING, "priority": Priority(priority_key=1)})
"""It goes before everything else that waits. What one try has done, the next one does not do again."""

RECONCILING = ActivityConfig(
    start_to_close_timeout=timedelta(minutes=4),
    # Rounds never overlap: one that died with its worker would hold up all others for the whole four minutes.
    heartbeat_timeout=timedelta(seconds=30),
    retry_policy=RetryPolicy(initial_interval=timedelta(seconds=5), maximum_attempts=3),
    priority=Priority(priority_key=2),
)
"""A share of a reconciliation. It gives up soon: the next one comes in minutes and begins anew."""

ALARMING = ActivityConfig(
    start_to_close_timeout=timedelta(seconds=30),
    retry_policy=RetryPolicy(initial_interval=timedelta(seconds=1), maximum_interval=timedelta(minutes=1)),
    priority=Priority(priority_key=2),
)
"""Telling people: beside the closing, never before it."""

REVIEWING = ActivityConfig(
    # Two reads of five minutes each, after the eight minutes in which a review may still begin.
    start_to_close_timeout=timedelta(minutes=20),
    heartbeat_timeout=timedelta(seconds=30),
    retry_policy=RetryPolicy(maximum_attempts=1),
    priority=Priority(priority_key=5),
)
"""One tenant's reviews. What it leaves undone is for the next run."""

EXAMINING = ActivityConfig(
    start_to_close_timeout=timedelta(minutes=3),
    heartbeat_timeout=timedelta(seconds=30),
    retry_policy=RetryPolicy(initial_interval=timedelta(seconds=10), maximum_attempts=2),
    priority=Priority(priority_key=5),
)
"""One tenant's examination. What is left undone comes first the next day."""

ERRAND = ActivityConfig(
    start_to_close_timeout=timedelta(minutes=3),
    heartbeat_timeout=timedelta(seconds=30),
    retry_policy=RetryPolicy(initial_interval=timedelta(seconds=1), maximum_attempts=3),
    priority=Priority(priority_key=4),
)
"""What a person at the portal waits for. It can be repeated, as every operation can."""

EMERGENCY = ActivityConfig(
    # A browser takes a minute to walk through a sign-in page that it does not know, and some seconds to start.
    start_to_close_timeout=timedelta(minutes=3),
    heartbeat_timeout=timedelta(seconds=30),
    retry_policy=RetryPolicy(
        initial_interval=timedelta(seconds=5),
        maximum_interval=timedelta(minutes=1),
        non_retryable_error_types=FINAL_FOR_PROVISIONING,
    ),
    priority=Priority(priority_key=4),
)
"""A step of an emergency account's rotation or drill, within ``EMERGENCY_TIME``. The next round goes on from there."""

EMERGENCY_TIME = timedelta(minutes=20)
