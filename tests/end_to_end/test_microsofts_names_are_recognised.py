"""A secret was added to an application, and the receipt was clean: Microsoft ends the activity's name with a space.

The names here are Microsoft's own, byte for byte. What is judged is the receipt, and the alarms that stand.
"""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from entra_jit.cli.views.receipt import show_receipt as print_receipt
from entra_jit.operations.list_alarms import list_alarms
from entra_jit.operations.reconcile import reconcile
from entra_jit.operations.show_receipt import show_receipt
from models.alarms import AlarmKind
from tests.actors import TESTER
from tests.end_to_end.misbehaving import Misbehaving, open_for_everything
from tests.end_to_end.reviews import HALF_AN_HOUR, ended
from tests.stage import Scene, stage_clock, variant

KIM = {"type": "User", "id": "5d6a4a1e-7a0e-4f0d-9d6e-0f6f2a1b3c4d", "name": "kim@customer.test"}
ALARMED = {
    "User has elevated their access to User Access Administrator for their Azure Resources": (),
    "Create application \N{EN DASH} Certificates and secrets management ": ({"type": "Application", "name": "Backup"},),
    "Set DirSyncEnabled\N{NO-BREAK SPACE}flag": (),
    "Register connector": (),
    "Create Identity Provider": (),
    "Remove member from restricted management administrative unit": (KIM,),
    "Something that Microsoft named yesterday": (KIM,),
}
LISTED = {"Reset user password": (KIM,), "Enable account": (KIM,), "Read BitLocker key": ()}
WORK = {"Update user": (KIM,), "Disable account": (KIM,)}


@pytest.mark.exact("a person does not repeat what a late replica refuses")
async def test_what_was_done_is_known_by_microsofts_own_names(real_time: Scene) -> None:
    request_id = await open_for_everything(real_time)
    made = real_time.control("POST", "/applications", name="Payroll", home=real_time.customer)
    with await Misbehaving.signed_in(real_time, request_id) as alex:
        (payroll,) = alex.call("GET", f"/applications?$filter=appId eq '{made['client_id']}'")["value"]
        alex.call("POST", f"/applications/{payroll['id']}/addPassword", passwordCredential={"displayName": "later"})
        path = f"/tenants/{real_time.customer}/users/{alex.account}/audit"
        for activity, targets in (ALARMED | LISTED | WORK).items():
            real_time.control("POST", path, activity=activity, targets=targets)
    await ended(real_time, request_id)
    real_time.a_while_later()

    later = variant(real_time.app, clock=lambda: stage_clock() + HALF_AN_HOUR)
    (report,) = await reconcile(TESTER, later, real_time.customer)

    assert (report.reviewed, report.unreviewed) == (1, None)
    receipt = await show_receipt(TESTER, real_time.app, request_id)
    (addendum,) = receipt.addenda
    alarming = [finding for finding in addendum.findings if finding.alarming]
    assert len(alarming) == len(ALARMED) + 1, [finding.sentence for finding in alarming]
    assert len(addendum.findings) == len(ALARMED) + len(LISTED) + 1
    assert {done.activity for done in addendum.done} >= (ALARMED | LISTED | WORK).keys(), "all is counted"
    page = io.StringIO()
    print_receipt(Console(file=page, width=300), receipt)
    for said in ("credentials of Payroll", "Azure", "Something that Microsoft named yesterday", "kim@customer.test"):
        assert said in page.getvalue()
    (alarm,) = [
        one
        for one in await list_alarms(TESTER, real_time.app, tenant=real_time.customer)
        if (one.kind, one.subject) == (AlarmKind.PERSISTENCE, request_id)
    ]
    assert "more" in alarm.sentence
