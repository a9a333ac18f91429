"""The receipt is what an auditor is shown: what it leaves out was not asked, not decided, not proven.

A page that shows one request-id of seven sends Microsoft's support to the wrong call; one that shows a lateness only
where there are two of them is silent about the grant that was never proven.
"""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta

from rich.console import Console

from entra_jit.cli.views.receipt import MOST_CALLS, show_receipt, show_summary, step_line
from models.actor import CLOCK, UNNAMED, Actor
from models.alarms import Alarm, AlarmKind
from models.messages import (
    AccessItem,
    AccessKind,
    AccessRequest,
    Addendum,
    AddendumKind,
    DirectoryCall,
    Ending,
    GrantState,
    ObjectId,
    Proof,
    Receipt,
    Standing,
    Step,
    TechnicianId,
    TenantId,
)
from models.sweep import Done, FindingKind, SweepFinding
from tests.actors import operator

NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)
TENANT = TenantId("c0c0c0c0-2222-4222-8222-000000000002")
ACCOUNT = ObjectId("b06cbc55-69f0-4074-9f13-e2a51834decc")


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def call(number: int, *, request_id: str | None = "") -> DirectoryCall:
    known = f"request-{number}" if request_id == "" else request_id
    path = f"/users/{ACCOUNT}"
    return DirectoryCall(
        method="PATCH", path=path, status=204, request_id=known, client_request_id=f"ours-{number}", answered_at=NOON
    )


def receipt(**different: object) -> Receipt:
    request = AccessRequest(
        request_id="g1",
        tenant="contoso",
        technician="alex",
        reason="Mail [flow] is down",
        ticket="T-1042",
        duration=timedelta(hours=2),
        asked_at=NOON,
    )
    values = {
        "request": request,
        "requested_by": operator("the portal"),
        "decision": "Allowed.",
        "decided_at": NOON,
        "tenant_id": TENANT,
        "technician_id": TechnicianId("a"),
        "account_name": "msp-alex@contoso.onmicrosoft.com",
        "object_id": ACCOUNT,
        "access": (
            AccessItem(kind=AccessKind.ROLE, id="1", name="Exchange Administrator"),
            AccessItem(kind=AccessKind.GROUP, id="2", name="Operators"),
        ),
        "opened_at": at(2),
        "expires_at": at(7200),
        "ending": Ending(state=GrantState.EXPIRED, by=CLOCK),
        "settled_at": at(7201),
        "disabled_at": at(7200.1),
        "proven_at": at(7200.24),
        "lateness": timedelta(seconds=0.1),
        "proven_lateness": timedelta(seconds=0.24),
        "standing": Standing(exists=True, enabled=False),
        "swept": True,
    }
    return Receipt.model_validate(values | different)


def page(shown: Receipt) -> list[str]:
    text = io.StringIO()
    show_receipt(Console(file=text, width=200), shown)
    return text.getvalue().splitlines()


def summary(shown: Receipt) -> list[str]:
    text = io.StringIO()
    show_summary(Console(file=text, width=80), shown)
    return text.getvalue().splitlines()


def test_what_was_asked_and_decided_and_who_it_was_for_stands_at_the_top() -> None:
    shown = page(receipt())
    for line in (
        "Receipt of the grant g1  expired",
        "  asked      alex for contoso, 2 h, at 2026-11-26 12:00:00Z",
        "  by         the portal",
        "  reason     Mail [flow] is down",
        "  ticket     T-1042",
        "  decided    Allowed. (2026-11-26 12:00:00Z)",
        "  access     Exchange Administrator, Operators (group)",
        f"  tenant     contoso  {TENANT}",
        f"  account    msp-alex@contoso.onmicrosoft.com  {ACCOUNT}",
        "  read back  disabled; no access or sign-in methods",
        "  late by    0.10 s; proven after 0.24 s",
        "  sweep      nothing left behind",
    ):
        assert line in shown


def test_each_lateness_is_told_by_itself() -> None:
    assert "  late by    0.10 s" in page(receipt(proven_lateness=None, proven_at=None))
    assert "  late by    proven after 0.24 s" in page(receipt(lateness=None, disabled_at=None))


def test_every_answer_of_the_directory_is_named() -> None:
    step = Step(name="stripped", at=at(1.5), note="all of it", calls=(call(1), call(2), call(3, request_id=None)))
    shown = page(receipt(steps=(step,)))
    assert "    12:00:01.500Z  stripped: all of it" in shown
    for known in ("request-1", "request-2", "ours ours-3"):
        assert f"      12:00:00.000Z  {known}  204 PATCH /users/{ACCOUNT}" in shown
    many = Step(name="stripped", at=NOON, calls=tuple(call(number) for number in range(MOST_CALLS + 2)))
    assert page(receipt(steps=(many,)))[-1] == "      and 2 more, in --json"
    assert "3 calls" in step_line(step)
    assert step_line(step, calls=False) == "12:00:01Z  stripped: all of it"


def test_a_summary_never_calls_a_grant_closed_that_was_not_proven() -> None:
    assert summary(receipt()) == [
        "  Receipt g1  closed 0.10 s late, proven after 0.24 s",
        "  read back: disabled; no access or sign-in methods",
    ]
    unproven = receipt(proof=Proof.ABANDONED, standing=None, proven_at=None, proven_lateness=None)
    assert summary(unproven) == ["  Receipt g1  abandoned, not proven closed"]


def test_what_is_not_proven_is_loud() -> None:
    shown = page(receipt(proof=Proof.ABANDONED, standing=None, proven_at=None, proven_lateness=None))
    assert any("ABANDONED" in line and "not proven" in line for line in shown)


def test_alarms_have_their_time_and_their_all_clear() -> None:
    late = Alarm(
        kind=AlarmKind.CLOSING_LATE,
        subject="g1",
        sentence="It is late.",
        raised_at=at(60),
        cleared_at=at(120),
        all_clear="It is over: read back.",
    )
    shown = page(receipt(alarms=("It is late.", "The ledger had lost this grant."), raised=(late,)))
    assert [line for line in shown if line.startswith("  alarm")] == [
        "  alarm      The ledger had lost this grant.",
        "  alarm      2026-11-26 12:01:00Z  closing late: It is late. "
        "Over 2026-11-26 12:02:00Z: It is over: read back.",
    ]


def test_findings_and_addenda_follow() -> None:
    phone = SweepFinding(kind=FindingKind.SIGN_IN_METHOD, sentence="A phone was registered.", removed=True)
    addendum = Addendum(
        kind=AddendumKind.AUDIT_REVIEW,
        at=at(9000),
        sentence="2 acts in the directory's audit.",
        findings=(SweepFinding(kind=FindingKind.POLICY, sentence="changed the policy Require MFA", alarming=True),),
        done=(Done(activity="Update policy", times=2),),
    )
    shown = page(receipt(findings=(phone,), addenda=(addendum,)))
    assert "  found      A phone was registered. It was removed." in shown
    assert shown[-3:] == [
        "  addendum   2026-11-26 14:30:00Z  audit review: 2 acts in the directory's audit.",
        "    found      changed the policy Require MFA",
        "        2 x Update policy",
    ]


def test_a_name_that_nothing_proves_is_called_so() -> None:
    claim = "The name came unsigned through Temporal and is not proven."
    for by, is_claim in ((Actor.claimed("kim"), True), (operator("kim"), False), (UNNAMED, False)):
        shown = page(receipt(ending=Ending(state=GrantState.ENDED, by=by, reason="done")))
        assert any(claim in row for row in shown) is is_claim
