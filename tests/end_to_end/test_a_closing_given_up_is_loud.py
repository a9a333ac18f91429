"""A closing ends unproven only in the open: an operator says so, gives a reason, and everybody sees it.

Products that let a failed revocation run out of retries leave an administrator behind whom no list shows.
"""

from __future__ import annotations

import pytest

from entra_jit.accounts.alarms import Alarms
from entra_jit.operations.abandon_access import abandon_access
from entra_jit.operations.clear_alarm import clear_alarm
from entra_jit.operations.close_all import close_all
from entra_jit.operations.list_alarms import list_alarms
from entra_jit.operations.list_failures import Selection, list_failures
from entra_jit.operations.list_open import list_open
from models.alarms import AlarmKind
from models.errors import BadInputError, NotFoundError, RefusedError
from models.holds import StopState
from models.messages import AddendumKind, GrantState, Proof
from models.search_attributes import GRANT_STATE
from models.sweep import FindingKind
from tests.actors import TESTER, operator
from tests.announcer import FailingAnnouncer
from tests.end_to_end.grant_calls import CLOSING_CALLS
from tests.end_to_end.misbehaving import Misbehaving, open_for_everything
from tests.end_to_end.reconciler import reconciled
from tests.end_to_end.reviews import HALF_AN_HOUR, addendum, reviewed
from tests.stage import Scene, variant


async def list_as_open(scene: Scene) -> list[str | None]:
    """The ids that the list of what is open has."""
    return [one.status.request_id for one in await list_open(TESTER, scene.app)]


async def test_an_operator_gives_a_closing_up_and_it_is_never_called_proven(real_time: Scene) -> None:
    everybody = FailingAnnouncer()
    app = variant(real_time.app, alarms=Alarms(real_time.app.ledger, everybody))
    request_id = await real_time.ask()
    await real_time.until(request_id, GrantState.OPEN)
    with pytest.raises(RefusedError, match="End it first"):
        await abandon_access(operator("an operator"), app, request_id, "because")

    real_time.fault(**CLOSING_CALLS["disable"], status=403)
    await real_time.workflow(request_id).signal("end")
    await real_time.until(request_id, GrantState.CLOSING)
    with pytest.raises(BadInputError, match="reason"):
        await abandon_access(operator("an operator"), app, request_id, " ")
    receipt = await abandon_access(operator("an operator"), app, request_id, "the customer has left us")

    assert receipt.proof is Proof.ABANDONED
    assert receipt.proven_at is None
    assert receipt.ending.state is GrantState.ABANDONED
    assert await list_as_open(real_time) == [request_id]
    assert "the customer has left us" in receipt.ending.sentence
    [alarm] = await list_alarms(TESTER, app, tenant=real_time.customer)
    assert (alarm.kind, alarm.subject) == (AlarmKind.ABANDONED, request_id)
    over = await clear_alarm(
        operator("an operator"), app, AlarmKind.ABANDONED.value, request_id, "the account was deleted"
    )
    await app.alarms.said()
    assert everybody.heard == [alarm, over]
    # Its own workflow hears of it at its next try, and changes nothing any more.
    assert (await real_time.receipt(request_id)).model_copy(update={"raised": ()}) == receipt
    status = await real_time.status(request_id)
    assert (status.state, status.proof, status.closed_at) == (GrantState.ABANDONED, Proof.ABANDONED, None)
    [failure] = (await list_failures(TESTER, app, Selection())).found
    assert (failure.request_id, failure.state) == (request_id, GrantState.ABANDONED)
    shown = await real_time.workflow(request_id).describe()
    assert shown.typed_search_attributes[GRANT_STATE] == "abandoned"
    details = (await real_time.workflow(request_id).query("__temporal_workflow_metadata")).current_details
    assert "The account may be open" in details
    assert await abandon_access(operator("somebody else"), app, request_id, "again") == receipt
    assert real_time.user()["enabled"]  # type: ignore[index]  # what is not proven is not claimed

    real_time.mend()
    stopped = await close_all(TESTER, app, reason="found out", technician="alex")
    assert [grant.state for grant in stopped.grants] == [StopState.CLOSED]
    real_time.assert_closed()
    assert await list_as_open(real_time) == []
    assert await addendum(real_time, request_id, AddendumKind.CLOSED_LATER)


@pytest.mark.exact("a person does not repeat what a late replica refuses")
async def test_who_had_the_account_until_it_was_shut_is_looked_at_up_to_then(real_time: Scene) -> None:
    app = real_time.app
    request_id = await open_for_everything(real_time)
    for step in ("disable", "roles listed"):
        real_time.fault(**CLOSING_CALLS[step], status=403)
    with await Misbehaving.signed_in(real_time, request_id) as alex:
        await real_time.workflow(request_id).signal("end")
        await real_time.until(request_id, GrantState.CLOSING)
        await abandon_access(operator("an operator"), app, request_id, "the customer has left us")
        await real_time.receipt(request_id)
        early = await reviewed(real_time, HALF_AN_HOUR)
        assert (early.reviewed, early.failed) == (0, None), "it is open, and its audit goes on"
        alex.takes_a_role()
        alex.takes_over_an_application()

    real_time.mend()
    await reconciled(real_time)
    real_time.assert_closed()
    assert await list_as_open(real_time) == []
    status = await real_time.status(request_id)
    assert (status.state, status.closed_at is not None) == (GrantState.ABANDONED, True)
    assert "Proven closed at" in status.sentence
    later = await addendum(real_time, request_id, AddendumKind.CLOSED_LATER)
    assert later is not None
    assert "Reports Reader" in " ".join(finding.sentence for finding in later.findings if finding.removed)
    assert {finding.kind for finding in later.findings if finding.alarming} == {FindingKind.OWNERSHIP}
    raised = {(alarm.kind, alarm.subject) for alarm in await list_alarms(TESTER, app, tenant=real_time.customer)}
    assert (AlarmKind.PERSISTENCE, request_id) in raised
    assert (AlarmKind.ABANDONED, request_id) not in raised

    real_time.a_while_later()
    assert (await reviewed(real_time, HALF_AN_HOUR)).reviewed == 1
    audit = await addendum(real_time, request_id)
    assert audit is not None
    assert FindingKind.CREDENTIAL in {finding.kind for finding in audit.findings}


async def test_what_is_over_or_unknown_cannot_be_given_up(real_time: Scene) -> None:
    request_id = await real_time.ask()
    await real_time.until(request_id, GrantState.OPEN)
    await real_time.workflow(request_id).signal("end")
    await real_time.receipt(request_id)
    with pytest.raises(RefusedError, match="over already"):
        await abandon_access(operator("an operator"), real_time.app, request_id, "because")
    with pytest.raises(NotFoundError):
        await abandon_access(operator("an operator"), real_time.app, "nothing", "because")
    with pytest.raises(NotFoundError, match="No such alarm"):
        await clear_alarm(operator("an operator"), real_time.app, "closing late", request_id, "seen")
    with pytest.raises(BadInputError, match="the kinds are"):
        await clear_alarm(operator("an operator"), real_time.app, "toothache", request_id, "seen")
