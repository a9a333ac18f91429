"""What the workflow asks for is what the worker does, by name, by type and under rules that keep the promise.

An activity that is implemented under another name, or not registered, is a grant that waits for ever; a closing with a
maximum of attempts is an account that stays open.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from datetime import timedelta
from typing import Any, get_type_hints

import pytest
from temporalio import activity
from temporalio.workflow import ActivityCancellationType

from activities import options
from activities.alarming import AlarmingActivities
from activities.closing import ClosingActivities
from activities.deciding import DecidingActivities
from activities.emergency import EmergencyActivities
from activities.errands import ErrandActivities
from activities.examining import ExaminingActivities
from activities.provisioning import ProvisioningActivities
from activities.reconciling import ReconcilingActivities
from activities.signatures import Alarming, Closing, Deciding, Emergency, Errands, Examining, Provisioning, Reconciling
from entra_jit.accounts.reconciliation.review_tenant import REVIEWS_BEGIN_WITHIN
from entra_jit.graph import operations
from entra_jit.settings import Settings
from models.messages import FailureType
from worker import activities_of
from workflows.reviews import TENANTS_AT_ONCE

IMPLEMENTED_BY = {
    Deciding: DecidingActivities,
    Provisioning: ProvisioningActivities,
    Closing: ClosingActivities,
    Reconciling: ReconcilingActivities,
    Examining: ExaminingActivities,
    Emergency: EmergencyActivities,
    Errands: ErrandActivities,
    Alarming: AlarmingActivities,
}
SIGNATURES = [
    (implementation, name)
    for signatures, implementation in IMPLEMENTED_BY.items()
    for name in sorted(signatures.__abstractmethods__)
]


def definition(method: Callable[..., Any]) -> Any:
    """What Temporal knows of it."""
    return activity._Definition.must_from_callable(method)


@pytest.mark.parametrize(("implementation", "name"), SIGNATURES, ids=[name for _, name in SIGNATURES])
def test_every_activity_is_implemented_as_it_is_declared(implementation: type, name: str) -> None:
    declared, done = getattr(implementation.__bases__[0], name), getattr(implementation, name)

    assert definition(done).name == definition(declared).name == name
    assert get_type_hints(done) == get_type_hints(declared)
    assert list(inspect.signature(done).parameters) == list(inspect.signature(declared).parameters)
    assert inspect.iscoroutinefunction(done)
    assert len(inspect.signature(done).parameters) == 2, "one message each, so that a field can be added"


def test_the_worker_registers_every_activity() -> None:
    registered = [definition(one).name for one in activities_of(_anything())]
    assert sorted(registered) == sorted(name for _, name in SIGNATURES)


class _Anything:
    """Stands for whatever is only passed on."""

    def __getattr__(self, _: str) -> Any:
        return self


def _anything() -> Any:
    return _Anything()


def test_a_closing_is_retried_for_as_long_as_it_takes() -> None:
    for closing in (options.CLOSING, options.CLOSING_THE_ACCOUNT):
        retry = closing["retry_policy"]
        assert retry is not None
        assert retry.maximum_attempts == 0
        assert not retry.non_retryable_error_types
        assert retry.maximum_interval is not None
        assert retry.maximum_interval <= timedelta(minutes=1), "how late a closing may notice that Microsoft is back"
        assert "schedule_to_close_timeout" not in closing
        assert "schedule_to_start_timeout" not in closing


def test_a_provisioning_step_finishes_before_its_closing_begins() -> None:
    """A step that is abandoned while it writes would write after the closing."""
    assert options.PROVISIONING["cancellation_type"] is ActivityCancellationType.WAIT_CANCELLATION_COMPLETED


def test_what_closes_an_account_goes_before_everything_that_waits() -> None:
    priorities = [
        how["priority"].priority_key for how in (options.CLOSING_THE_ACCOUNT, options.CLOSING, options.PROVISIONING)
    ]
    assert priorities == sorted(set(priorities))
    assert priorities[0] == 1


def test_every_table_row_has_a_timeout_and_backs_off() -> None:
    for how in (options.LEDGER, options.PROVISIONING, options.CLOSING, options.CLOSING_THE_ACCOUNT):
        assert timedelta(0) < how["start_to_close_timeout"] <= timedelta(minutes=2)
        assert how["retry_policy"].maximum_interval is not None
        assert how["retry_policy"].backoff_coefficient > 1


def test_reviews_have_time_for_slow_reads_and_leave_most_places_to_what_closes() -> None:
    """Two reads of one grant took longer than its tenant's review might, and were given up in every run."""
    slow = operations.READ_AUDIT.timeout
    assert slow is not None
    assert REVIEWS_BEGIN_WITHIN + 2 * timedelta(seconds=slow) < options.REVIEWING["start_to_close_timeout"]
    assert Settings.model_fields["activities_at_once"].default / 4 >= TENANTS_AT_ONCE


def test_what_passes_is_retried_and_what_does_not_is_not() -> None:
    """A throttled tenant must not park a grant; a refusal must not be repeated for an hour."""
    passing = {
        FailureType.TRANSIENT,
        FailureType.NOT_YET_VISIBLE,
        FailureType.READ_BACK_DISAGREES,
        FailureType.UNREACHABLE,
        FailureType.PAUSED,
        FailureType.SETTINGS,
    }
    assert set(options.FINAL_FOR_PROVISIONING) == {kind.value for kind in set(FailureType) - passing}
