"""A grant's state can be written down, and what is shown of it follows from that alone.

What stands anywhere else is lost when the workflow is carried over to another run: an alarm that is shown no more, a
pass that the closing does not know of.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from models import search_attributes
from models.alarms import AlarmKind
from models.grant_progress import NOTES_AT_MOST, GrantProgress, Refusal
from models.messages import (
    AccessRequest,
    Assertion,
    Closed,
    ClosingStep,
    EarlierRun,
    FailureType,
    Grant,
    GrantState,
    ObjectId,
    PassId,
    SignedAccessRequest,
    Standing,
    Step,
    TechnicianId,
    TenantId,
    WantedRetry,
)
from models.sweep import Baseline, FindingKind, SweepFinding
from tests.actors import operator
from workflows.view import GrantView

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
GRANT = Grant(
    request_id="contoso/alex/visit-1",
    tenant_id=TenantId("t"),
    tenant="contoso",
    technician_id=TechnicianId("a"),
    technician="alex",
    account_name="msp-alex@contoso.onmicrosoft.com",
    access=(),
    duration=timedelta(hours=4),
    window_ends_at=NOON + timedelta(hours=1),
)
FINDING = SweepFinding(kind=FindingKind.OWNERSHIP, sentence="it owns Payroll", evidence=("payroll",))


def asked(progress: GrantProgress) -> None:
    request = AccessRequest(
        request_id=GRANT.request_id, tenant="contoso", technician="alex", reason="r", ticket="T-1", asked_at=NOON
    )
    assertion = Assertion(actor=operator("kim"), issued_at=NOON, key_id="k", signature="s")
    progress.asked = SignedAccessRequest(request=request, assertion=assertion)
    progress.note("An unreadable request_access was ignored.")


def allowed(progress: GrantProgress) -> None:
    progress.grant, progress.is_answered = GRANT, True
    progress.move_to(GrantState.PREPARING, "Allowed.")


def refused(progress: GrantProgress) -> None:
    progress.traces.written = progress.traces.access_asked_for = True
    progress.refusal = Refusal(failure=FailureType.REFUSED, sentence="No permission.")
    progress.closing.keep(Closed(steps=(Step(name=ClosingStep.DISABLED, at=NOON),)))
    progress.move_to(GrantState.PARKED, "No permission.")


def taken_up_again(progress: GrantProgress) -> None:
    progress.retry = WantedRetry(by=operator("kim"))
    progress.begin_attempt(2, operator("kim"))


def opened(progress: GrantProgress) -> None:
    progress.traces.object_id, progress.traces.pass_id = ObjectId("o"), PassId("p")
    progress.traces.access_given_at, progress.traces.mark = NOON, "mark"
    progress.sweep.baseline = Baseline(findings=(FINDING,))
    progress.sweep.find((FINDING, FINDING))
    progress.expires_at = NOON + GRANT.duration
    progress.open(NOON)


def extended(progress: GrantProgress) -> None:
    progress.extend(NOON + timedelta(hours=5))


def closing(progress: GrantProgress) -> None:
    progress.end(GrantState.ENDED, operator("kim"), "done")
    progress.move_to(GrantState.CLOSING, "Ended by kim: done")
    progress.alarms.append("It is late.")
    progress.alarm = AlarmKind.CLOSING_LATE


def over(progress: GrantProgress) -> None:
    standing = Standing(exists=True, enabled=False)
    progress.closing.proof = Closed(steps=(Step(name=ClosingStep.READ_BACK, at=NOON),), standing=standing)
    progress.traces.are_gone()
    assert progress.ending is not None
    progress.settle(progress.ending, None, NOON + timedelta(hours=1))


LIFE: tuple[Callable[[GrantProgress], None], ...] = (
    asked,
    allowed,
    refused,
    taken_up_again,
    opened,
    extended,
    closing,
    over,
)


@pytest.mark.parametrize("steps", range(len(LIFE) + 1))
def test_a_state_that_was_written_down_is_shown_as_before(steps: int) -> None:
    progress = GrantProgress()
    for step in LIFE[:steps]:
        step(progress)

    again = GrantProgress.model_validate_json(progress.model_dump_json())

    assert again == progress
    assert GrantView.of(again) == GrantView.of(progress)
    if progress.grant:
        assert again.traces.account(again.granted, NOON) == progress.traces.account(progress.granted, NOON)


def test_what_is_shown_of_a_whole_life() -> None:
    progress, views = GrantProgress(), []
    for step in LIFE:
        step(progress)
        views.append(GrantView.of(progress))

    assert [view.status.state for view in views] == [
        GrantState.ASKED,
        GrantState.PREPARING,
        GrantState.PARKED,
        GrantState.PREPARING,
        GrantState.OPEN,
        GrantState.OPEN,
        GrantState.CLOSING,
        GrantState.ENDED,
    ]
    last = views[-1]
    assert last.status.sentence == "Ended by kim: done"
    assert (last.status.opened_at, last.status.expires_at) == (NOON, NOON + timedelta(hours=5))
    assert last.search_attributes[search_attributes.TICKET] == "T-1"
    assert "It is late." in last.details
    # An alarm about a closing is over with it, and is still told.
    assert [view.search_attributes[search_attributes.ALARM] for view in views[-2:]] == ["closing late", None]
    assert progress.sweep.findings == [FINDING], "each thing once"
    assert progress.closing.disabled_at is None, "the disabling of an earlier attempt is not this one's"


def test_a_reset_goes_on_from_what_the_ledger_knows() -> None:
    earlier = EarlierRun(object_id=ObjectId("o"), opened_at=NOON, expires_at=NOON + GRANT.duration, mark="mark")
    progress = GrantProgress()
    for step in (asked, allowed):
        step(progress)

    progress.take_up(earlier)

    assert (progress.state, progress.opened_at, progress.expires_at) == (GrantState.OPEN, NOON, earlier.expires_at)
    account = progress.traces.account(GRANT, NOON + timedelta(hours=1))
    assert (account.object_id, account.mark, account.access_given_at) == ("o", "mark", NOON)
    # What was not opened any more, or is closing, may have been given roles until this moment.
    unopened = GrantProgress(grant=GRANT)
    unopened.take_up(earlier.model_copy(update={"opened_at": None}))
    assert unopened.state is GrantState.ASKED
    assert unopened.traces.account(GRANT, NOON).access_given_at == NOON


def test_many_messages_that_cannot_be_read_do_not_fill_the_page() -> None:
    """Anyone in the namespace can send them, ten thousand to a workflow."""
    progress = GrantProgress()
    for number in range(1000):
        progress.note(f"A signal {number} was ignored.")
    assert len(progress.notes) == NOTES_AT_MOST + 1
    assert sum(progress.notes.values()) == 1000


def test_a_client_sets_at_the_start_what_the_workflow_would_show() -> None:
    """Else each grant would begin with a change of what it can be found by."""
    progress = GrantProgress()
    asked(progress)
    assert progress.asked is not None
    at_start = search_attributes.at_start(progress.asked.request)
    shown = {key: value for key, value in GrantView.of(progress).search_attributes.items() if value is not None}
    assert {pair.key: pair.value for pair in at_start} == shown
