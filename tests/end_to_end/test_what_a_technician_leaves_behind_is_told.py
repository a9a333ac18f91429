"""A closed account is no closed tenant: a second role, a group, a phone, an application's secret open it again.

Other products take away the role that they gave, and call it done. Here what the account has gathered is taken away and
told in the receipt; what stays although the account is closed is told and alarmed. None of it may make a closing late.
"""

from __future__ import annotations

import io
from datetime import timedelta

import pytest
from rich.console import Console

from entra_jit.accounts.directories import Purpose
from entra_jit.cli.views.receipt import show_receipt
from models.messages import GrantState, ObjectId, TenantId
from models.sweep import FindingKind
from tests.end_to_end.misbehaving import Misbehaving, open_for_everything
from tests.stage import Scene, customer_id


def of_account(act: Scene) -> str:
    return f"/tenants/{act.customer}/users/{act.account()}"


@pytest.mark.exact("a person does not repeat what a late replica refuses")
async def test_what_was_gathered_is_removed_and_told_and_what_stays_is_alarmed(hours_pass: Scene) -> None:
    request_id = await open_for_everything(hours_pass)
    with await Misbehaving.signed_in(hours_pass, request_id) as alex:
        alex.takes_a_role()
        group = alex.joins_a_group()
        alex.registers_a_phone()
        alex.consents(alex.takes_over_an_application())
        alex.makes_itself_eligible(later=timedelta(days=1))
    # The second try of the sweep finds nothing any more of what the first has taken.
    hours_pass.fault(method="GET", path="/users/*/ownedObjects", status=503, count=1)
    await hours_pass.time_passes(request_id)

    receipt = await hours_pass.receipt(request_id)
    hours_pass.assert_closed()
    assert receipt.swept
    assert receipt.unswept is None
    removed = sorted((finding.kind, finding.sentence) for finding in receipt.findings if finding.removed)
    assert removed == [
        (FindingKind.MEMBERSHIP, "It was a member of the group Tier 0."),
        (FindingKind.ROLE, "It held the role Reports Reader."),
        (FindingKind.ROLE, "It was eligible for the role Reports Reader."),
        (FindingKind.SIGN_IN_METHOD, "A sign-in method was registered: phone."),
    ]
    tenant = await hours_pass.app.directories.of(TenantId(customer_id(hours_pass.customer)), Purpose.REVOKE)
    assert not await tenant.roles.eligibilities_of(ObjectId(alex.account))
    (sweep,) = [step for step in receipt.steps if step.name == "swept"]
    assert len(sweep.calls) >= 3
    assert all(call.request_id for call in sweep.calls)
    left = [finding for finding in receipt.findings if not finding.removed]
    assert sorted((finding.kind, finding.alarming) for finding in left) == [
        (FindingKind.CONSENT, False),
        (FindingKind.OWNERSHIP, True),
        (FindingKind.OWNERSHIP, True),
    ]
    assert (group,) in {finding.evidence for finding in left}
    assert "Payroll" in " ".join(receipt.alarms)
    page = io.StringIO()
    show_receipt(Console(file=page, width=200), receipt)
    shown = page.getvalue()
    assert "Reports Reader. It was removed." in shown
    assert "it owns the service principal Payroll" in shown

    # The next grant begins where this one ended: what is known already is not told again.
    again = await hours_pass.ask(held=True)
    await hours_pass.until(again, GrantState.OPEN)
    await hours_pass.workflow(again).signal("end")
    second = await hours_pass.receipt(again)
    assert second.findings == ()
    assert second.swept
    (baseline,) = [step for step in second.steps if step.name == "baseline taken"]
    assert baseline.note is not None
    assert "Payroll" in baseline.note


async def test_what_was_planted_on_a_closed_account_is_gone_before_it_opens(hours_pass: Scene) -> None:
    await hours_pass.receipt(await hours_pass.ask(hours=1))
    hours_pass.control("POST", f"{of_account(hours_pass)}/groups", name="Sleeping", role_assignable=True)
    request_id = await hours_pass.ask(held=True)
    await hours_pass.until(request_id, GrantState.OPEN)
    user = hours_pass.user()
    assert user is not None
    assert user["groups"] == []
    await hours_pass.time_passes(request_id)
    (finding,) = (await hours_pass.receipt(request_id)).findings
    assert finding.kind is FindingKind.MEMBERSHIP
    assert finding.removed
    assert "Before it was opened" in finding.sentence


@pytest.mark.parametrize("status", [403, 503], ids=["refused", "away"])
async def test_a_sweep_that_fails_delays_nothing_and_is_told(hours_pass: Scene, status: int) -> None:
    await hours_pass.receipt(await hours_pass.ask(hours=1))
    hours_pass.fault(method="GET", path="/users/*/ownedObjects", status=status)
    request_id = await hours_pass.ask(held=True)
    await hours_pass.until(request_id, GrantState.OPEN)
    opened_at = len(hours_pass.journal())
    await hours_pass.time_passes(request_id)

    receipt = await hours_pass.receipt(request_id)
    hours_pass.assert_closed()
    assert receipt.ending.state is GrantState.EXPIRED
    assert receipt.standing is not None
    assert receipt.standing.is_closed
    assert receipt.unswept is not None
    assert "ownedObjects" in receipt.unswept
    assert receipt.alarms == ()
    closing = [call["path"] for call in hours_pass.journal()[opened_at:]]
    proving, *_ = [place for place, path in reversed([*enumerate(closing)]) if path.endswith("/memberOf")]
    sweeping = [place for place, path in enumerate(closing) if path.endswith("/ownedObjects")]
    assert sweeping
    assert proving < min(sweeping), "it is proven closed before the sweep looks for anything else"
