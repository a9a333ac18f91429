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
    start_to_close_timeout=timedelta(seconds=60),
    # A killed worker is noticed by its silence; otherwise the account would stay open for the whole minute above. Not
    # sooner: a worker that closes a hundred accounts at once may be silent for some seconds, and repeating what it does
    # would only add to its load.
    heartbeat_timeout=timedelta(seconds=15),
    retry_policy=RetryPolicy(initial_interval=timedelta(seconds=1), maximum_interval=timedelta(minutes=1)),
    priority=Priority(priority_key=2),
)
"""A step that narrows access: retried for as long as it takes."""

BASELINE_TRIES = 3
"""What cannot be read by then is reported as unread: it never delays a grant."""

TAKING_BASELINE = ActivityConfig(
    start_to_close_timeout=timedelta(seconds=15),
    heartbeat_timeout=timedelta(seconds=5),
    retry_policy=RetryPolicy(initial_interval=timedelta(seconds=1), maximum_attempts=BASELINE_TRIES),
    priority=Priority(priority_key=3),
)
"""A look at what the account has, beside the steps that take as long."""

SWEEPING = ActivityConfig(
    start_to_close_timeout=timedelta(seconds=15),
    heartbeat_timeout=timedelta(seconds=5),
    retry_policy=RetryPolicy(initial_interval=timedelta(seconds=1), maximum_attempts=BASELINE_TRIES),
    priority=Priority(priority_key=4),
)
"""A look at what stays behind. The account is closed by then, and only the receipt waits, for ``SWEEPING_TIME``."""

SWEEPING_TIME = timedelta(seconds=30)

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

DISABLING = ActivityConfig(**{**CLOSING, "priority": Priority(priority_key=1)})
"""The disabling goes before everything else that waits: lateness is measured by it."""
