"""Whatever changes in the ledger is an event of its own, in the transaction of the change, and says who did it.

What is missing in the journal is told to nobody: no page, no notification and no audit has another source.
"""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest
from pydantic import SecretStr

from entra_jit.app import App
from entra_jit.identity.authorize import NotAllowedError, Verb
from entra_jit.ledger import (
    accounts,
    addenda,
    admission,
    alarms,
    credentials,
    events,
    fences,
    holds,
    interventions,
    parking,
    receipts,
    statuses,
    steps,
)
from entra_jit.operations.abandon_access import abandon_access
from entra_jit.operations.erase_texts import erase_texts
from entra_jit.operations.extend_access import extend_access
from entra_jit.operations.pause_tenant import pause_tenant
from entra_jit.operations.reveal_credential import reveal_credential
from entra_jit.operations.show_receipt import show_receipt
from entra_jit.settings import Settings
from models.actor import RECONCILER, WORKFLOW, Actor, ActorKind, Via
from models.alarms import Alarm, AlarmKind
from models.errors import RefusedError
from models.events import ERASED, Event, EventKind
from models.holds import HoldKind
from models.messages import (
    Addendum,
    AddendumKind,
    Carried,
    CredentialKind,
    GrantRef,
    ObjectId,
    Receipt,
    Step,
    TenantId,
)
from tests.actors import TESTER, operator
from tests.ledger.books import ALEX, CONTOSO, KEYRING, LEASE, NOON, Books, ref, settlement_of

HOUR = timedelta(hours=1)
OBJECT = ObjectId("11111111-1111-4111-8111-111111111111")


async def told(books: Books, request_id: str) -> list[Event]:
    return await books.do(events.of_request, request_id)


async def test_a_grant_is_told_from_asking_to_receipt(books: Books) -> None:
    grant = await books.armed()
    await books.do(admission.take_lease, KEYRING, ref(grant), NOON, LEASE)
    await books.do(admission.opened, grant.request_id, NOON)
    await books.do(steps.record, grant.request_id, 1, [Step(name="opened", at=NOON)])
    await books.do(credentials.keep, KEYRING, ref(grant), CredentialKind.PASSWORD, SecretStr("sesame"), at=NOON)
    await books.do(credentials.reveal, KEYRING, grant.request_id, operator("alex"), NOON)
    await books.do(
        admission.extend, KEYRING, ref(grant), NOON + 5 * HOUR, NOON, LEASE, by=operator("kim"), reason="more"
    )
    await books.do(fences.fence, grant.request_id, NOON + 4 * HOUR, LEASE)
    closing = [Step(name=name, at=NOON + 4 * HOUR) for name in ("disabled", "stripped", "read back")]
    receipt = await books.settle(settlement_of(grant).model_copy(update={"steps": tuple(closing)}))
    learnt = Addendum(kind=AddendumKind.AUDIT_REVIEW, at=NOON + 5 * HOUR, sentence="Nothing.")
    assert await books.do(addenda.add, grant.request_id, learnt)

    found = await told(books, grant.request_id)

    assert [event.kind for event in found] == [
        EventKind.REQUESTED,
        EventKind.DECIDED,
        EventKind.OPENED,
        EventKind.REVEALED,
        EventKind.EXTENDED,
        EventKind.CLOSING_BEGAN,
        EventKind.DISABLED,
        EventKind.STRIPPED,
        EventKind.READ_BACK,
        EventKind.RECEIPT_ISSUED,
        EventKind.ADDENDUM,
    ]
    by_kind = {event.kind: event for event in found}
    assert {event.tenant_id for event in found[1:]} == {CONTOSO}
    assert by_kind[EventKind.REVEALED].actor.name == "alex"
    assert (by_kind[EventKind.EXTENDED].actor.name, by_kind[EventKind.EXTENDED].body["reason"]) == ("kim", "more")
    assert by_kind[EventKind.OPENED].actor.kind is ActorKind.SYSTEM
    assert Receipt.model_validate(by_kind[EventKind.RECEIPT_ISSUED].body) == receipt
    said = ["opened", "credential revealed", "extended"]
    assert [step.name for step in receipt.steps] == [*said, "disabled", "stripped", "read back"]
    assert [step.note for step in receipt.steps][1:3] == ["to alex", "until 2026-11-23 17:00:00Z, by kim: more"]
    assert await books.do(addenda.of_request, grant.request_id) == (learnt,)
    assert "sesame" not in str(await books.everything())


async def test_fewer_roles_than_all_are_told_as_asked_and_as_given(books: Books) -> None:
    """A receipt that shows only what was given does not tell whether the technician wanted less."""
    roles = ["Helpdesk Administrator", "Exchange Administrator"]
    await books.configure(role_mappings=[{"group": "all-technicians", "roles": roles}])
    request = books.a_request().model_copy(update={"access": ("exchange administrator",)})
    grant = (await books.answer(request)).grant
    assert grant is not None

    status = await books.do(statuses.of_request, request.request_id, NOON)
    receipt = await books.settle(settlement_of(request, proven=False))
    asked, decided, *_ = await told(books, request.request_id)

    assert status is not None
    assert status.wanted == receipt.request.access == tuple(asked.body["access"]) == ("exchange administrator",)
    given = ("Exchange Administrator",)
    assert tuple(item.name for item in status.access) == tuple(item.name for item in receipt.access) == given
    assert decided.body["sentence"] == "Allowed: Exchange Administrator."
    assert (await books.answer(request)).grant == grant, "asked again under the same id, it is the same"


async def test_what_people_wrote_stands_among_the_texts_alone_and_can_be_erased(books: Books) -> None:
    request = books.a_request().model_copy(update={"reason": "my back hurts", "ticket": "T-1"})
    await books.answer(request)
    await books.settle(settlement_of(request, proven=False))
    held = {"by": TESTER, "reason": "a stolen laptop", "at": NOON}
    await books.do(holds.place, HoldKind.STOP, technician_id=ALEX, **held)
    stored = await books.everything()
    apart = str(stored.pop("texts"))
    assert not [words for words in ("hurts", "T-1", "stolen") if words not in apart or words in str(stored)]
    assert "'alex'" not in f"{stored['receipts']}{[rows for name, rows in stored.items() if name.startswith('events')]}"
    [issued] = await books.do(events.of_request, request.request_id, EventKind.RECEIPT_ISSUED)
    receipt = await books.do(receipts.of_request, request.request_id)
    assert receipt is not None
    assert Receipt.model_validate(issued.body) == receipt
    assert (receipt.request.reason, receipt.request.ticket) == ("my back hurts", "T-1")

    app = app_of(books)
    many = await erase_texts(TESTER, app, "alex", do=False)
    assert await erase_texts(TESTER, app, "alex", do=True) == many > 0
    assert await erase_texts(TESTER, app, "alex", do=True) == 0

    assert not [words for words in ("hurts", "T-1", "stolen") if words in str(await books.everything())]
    erased = await books.do(receipts.of_request, request.request_id)
    assert erased is not None
    assert (erased.request.reason, erased.request.ticket, erased.decision) == (ERASED,) * 3
    unwritten = {"request", "decision"}
    assert erased.model_dump(exclude=unwritten) == receipt.model_dump(exclude=unwritten), "another's name stays"
    [stop] = await books.do(holds.in_force)
    assert stop.reason == ERASED


async def test_what_is_live_needs_its_texts(books: Books) -> None:
    await books.granted()
    with pytest.raises(RefusedError, match="is live"):
        await erase_texts(TESTER, app_of(books), "alex", do=True)


STRANGER = Actor(kind=ActorKind.PERSON, id=str(UUID(int=9)), name="a stranger", via=Via.PORTAL)


async def test_what_is_refused_is_told_with_who_asked_for_what(books: Books) -> None:
    """A technician who tries to get more than they may left no trace, but for a credential."""
    app, grant = app_of(books), await books.granted()
    position = await books.do(events.now)
    with pytest.raises(RefusedError, match="not closing"):
        await abandon_access(TESTER, app, grant.request_id, "a test")
    with pytest.raises(RefusedError, match="not open"):
        await extend_access(TESTER, app, grant.request_id, HOUR, "more")
    with pytest.raises(RefusedError, match="is not robin's"):
        await reveal_credential(TESTER, app, grant.request_id, "robin")
    with pytest.raises(NotAllowedError):
        await pause_tenant(STRANGER, app, "contoso", "a test")
    with pytest.raises(RefusedError, match="written when it is over"):
        await show_receipt(TESTER, app, grant.request_id)  # which only looks

    refused, _ = await books.do(events.following, position)

    assert {event.kind for event in refused} == {EventKind.ATTEMPT_REFUSED}
    assert [(event.actor, event.body["verb"], event.request_id, event.tenant_id) for event in refused] == [
        (TESTER, Verb.ABANDON_ACCESS, grant.request_id, CONTOSO),
        (TESTER, Verb.EXTEND_ACCESS, grant.request_id, CONTOSO),
        (TESTER, Verb.REVEAL_CREDENTIAL, grant.request_id, CONTOSO),
        (STRANGER, Verb.PAUSE_TENANT, None, CONTOSO),
    ]
    assert all(event.body["because"] for event in refused)


def app_of(books: Books) -> App:
    """What operations work with."""
    url = books.ledger._engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    app = App(Settings(profile="sandbox", database_url=SecretStr(url), keys=SecretStr("k0:" + "A" * 43 + "=")))
    app.ledger = books.ledger
    return app


async def test_an_alarm_about_a_tenant_is_told_as_that_tenants(books: Books) -> None:
    alarm = Alarm(kind=AlarmKind.VANISHED, subject="x", sentence="It is gone.", tenant="contoso", raised_at=NOON)
    await books.do(alarms.raise_alarm, alarm)
    [raised] = await books.do(events.newest, EventKind.ALARM_RAISED, {}, limit=1)
    assert raised.tenant_id == CONTOSO


async def test_a_request_that_is_withdrawn_or_denied_is_told_as_well(books: Books) -> None:
    withdrawn, denied = books.a_request(), books.a_request("nobody")
    await books.settle(settlement_of(withdrawn, proven=False))
    await books.answer(denied)
    kinds = [event.kind for event in await told(books, withdrawn.request_id)]
    assert kinds == [EventKind.REQUESTED, EventKind.DECIDED, EventKind.RECEIPT_ISSUED]
    [_, decided] = await told(books, denied.request_id)
    assert (decided.kind, decided.body["verdict"]) == (EventKind.DECIDED, "denied")


async def test_each_closing_of_one_attempt_is_told(books: Books) -> None:
    """A grant that is parked and then ended is closed twice, and only the first proof was told."""
    grant = await books.granted()
    names = ("disabled", "stripped", "read back")
    parked = [Step(name=name, at=NOON) for name in names]
    ended = [Step(name=name, at=NOON + HOUR) for name in names]
    await books.do(steps.record, grant.request_id, 1, parked)
    settlement = settlement_of(grant).model_copy(update={"steps": (*parked, *ended)})
    for _ in range(2):
        receipt = await books.settle(settlement)
    assert receipt.steps == (*parked, *ended) == await books.do(steps.of_request, grant.request_id)


async def test_a_grant_that_the_ledger_had_lost_is_told_as_decided(books: Books) -> None:
    lost = (await books.granted()).model_copy(update={"request_id": "lost"})
    carried = Carried(grant=lost, object_id=OBJECT, opened_at=NOON)
    await books.settle(settlement_of(lost).model_copy(update={"carried": carried}))
    [_, decided, _] = await told(books, "lost")
    assert (decided.kind, decided.body["verdict"]) == (EventKind.DECIDED, "allowed")


async def test_parking_and_trying_again_is_told_once_per_attempt(books: Books) -> None:
    grant = await books.granted()
    for _ in range(2):
        await books.do(parking.park, grant.request_id, "refused", NOON)
    again = await books.do(parking.unpark, ref(grant), NOON, by=TESTER)
    assert (
        await books.do(parking.unpark, ref(grant), NOON, by=TESTER)
        == again
        == GrantRef(request_id=grant.request_id, attempt=2)
    )
    await books.do(parking.park, grant.request_id, "refused again", NOON)
    kinds = [event.kind for event in await told(books, grant.request_id)]
    assert kinds[2:] == [EventKind.PARKED, EventKind.RETRIED, EventKind.PARKED]
    [retried] = await books.do(events.of_request, grant.request_id, EventKind.RETRIED)
    assert retried.actor == TESTER


@pytest.mark.parametrize("scope", [{}, {"tenant_id": CONTOSO}, {"technician_id": ALEX}])
async def test_many_that_are_fenced_at_once_are_told_each(books: Books, scope: dict[str, object]) -> None:
    grants = [await books.armed("alex"), await books.armed("alex", "fabrikam")]
    await books.do(fences.fence, grants[1].request_id, NOON, LEASE)
    for _ in range(2):
        await books.do(fences.fence_all, NOON + HOUR, operator("kim"), **scope)
    began = [await books.do(events.of_request, grant.request_id, EventKind.CLOSING_BEGAN) for grant in grants]
    assert [[event.actor for event in each] for each in began] == [[operator("kim")], [WORKFLOW]]


async def test_who_leaves_the_configuration_is_told_as_the_reason(books: Books) -> None:
    grant = await books.armed("robin")
    await books.configure(technicians=[{"name": "alex", "id": str(ALEX)}])
    await books.do(fences.fence_departed, NOON, TESTER)
    [began] = await books.do(events.of_request, grant.request_id, EventKind.CLOSING_BEGAN)
    assert "robin" in began.body["because"]


async def test_an_alarm_is_told_when_it_is_raised_and_when_it_is_over(books: Books) -> None:
    alarm = Alarm(kind=AlarmKind.HELD, subject="r-1", sentence="It is held.", request_id="r-1", raised_at=NOON)
    for _ in range(2):
        await books.do(alarms.raise_alarm, alarm)
    assert await books.do(alarms.of_request, "r-1") == (alarm,)
    ended = await books.do(alarms.clear, AlarmKind.HELD, "r-1", "kim: it is not", NOON + HOUR)
    assert await books.do(alarms.clear, AlarmKind.HELD, "r-1", "kim: it is not", NOON + HOUR) is None
    await books.do(alarms.raise_alarm, alarm)

    assert [event.kind.value for event in await told(books, "r-1")] == ["alarm raised", "alarm cleared", "alarm raised"]
    assert await books.do(alarms.of_request, "r-1") == (ended, alarm)
    assert await books.do(alarms.over) == [ended]
    assert await books.do(alarms.listed) == [alarm]


async def test_what_is_closed_beside_a_workflow_is_told_before_and_after(books: Books) -> None:
    grant = await books.armed()
    began = interventions.Began(
        object_id=OBJECT, account_name=grant.account_name, because="expired", found_enabled=True, began_at=NOON
    )
    by = TenantId(str(CONTOSO)), RECONCILER
    number = await books.do(interventions.begin, *by, began, grant.request_id)
    [only_begun] = await books.do(interventions.of_request, grant.request_id)
    assert (only_begun.by, only_begun.because, only_begun.proven_at) == (RECONCILER, "expired", None)
    for proven_at in (None, NOON + HOUR):
        reported = interventions.Reported(disabled_at=NOON, proven_at=proven_at)
        await books.do(interventions.report, number, *by, reported, grant.request_id)
    unknown = interventions.Reported(disabled_at=NOON)
    await books.do(interventions.report, 10**6, *by, unknown, grant.request_id)  # a restored ledger lost its beginning
    [done] = await books.do(interventions.of_request, grant.request_id)
    assert (done.disabled_at, done.proven_at, done.step.name) == (NOON, NOON + HOUR, "closed by the reconciler")


async def test_holds_and_the_register_are_told(books: Books) -> None:
    for _ in range(2):
        await books.do(holds.place, HoldKind.PAUSE, tenant_id=CONTOSO, by=operator("kim"), reason="down", at=NOON)
    for _ in range(2):
        await books.do(holds.lift, HoldKind.PAUSE, tenant_id=CONTOSO, by=operator("robin"), at=NOON)
    grant = await books.granted()
    await books.do(accounts.register, grant.tenant_id, grant.technician_id, grant.account_name, OBJECT, TESTER, NOON)
    for kind, who in (
        (EventKind.HOLD_PLACED, operator("kim")),
        (EventKind.HOLD_LIFTED, operator("robin")),
        (EventKind.ACCOUNT_REGISTERED, TESTER),
    ):
        [event] = await books.do(events.newest, kind, {}, limit=9)
        assert (event.actor, event.tenant_id) == (who, CONTOSO)
