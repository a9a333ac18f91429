"""What closes accounts must find every account of ours but these: closed by mistake, they are missed on the worst day.

The reconciler, the emergency stop, a forged message to the closing, a request, the leaving of a tenant: each meets an
emergency account here, with the ledger, without it, and with an empty one.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from uuid import uuid4

import pytest

from entra_jit.accounts.directories import Purpose
from entra_jit.accounts.emergency.admission import EmergencyAdmission
from entra_jit.accounts.finding import AccountFinder, MissedSince, NothingToClose
from entra_jit.accounts.global_administrators import count_others
from entra_jit.accounts.interventions import Intervention
from entra_jit.accounts.managed_account import Holder
from entra_jit.accounts.proving import NotProvenError
from entra_jit.accounts.reconciliation.reconcile_tenant import TenantReconciliation
from entra_jit.crypto.marks import Register
from entra_jit.crypto.passwords import new_password
from entra_jit.ledger import accounts
from entra_jit.operations.close_all import close_all
from entra_jit.operations.disconnect_tenant import DeletionNotAgreedError, disconnect_tenant
from entra_jit.operations.reconcile import reconcile
from entra_jit.operations.register_accounts import register_accounts
from entra_jit.operations.request_access import request_access
from models.actor import RECONCILER
from models.errors import InternalError, RefusedError
from models.marks import AccountKind, emergency_id
from models.messages import AccountToClose, Grant, GrantState, ObjectId, TechnicianId, TenantId
from tests.actors import TESTER
from tests.emergency.accounts import made, passkeys, ref_of, rotate, signs_in, steps_of, user, want_rotation
from tests.patience import eventually
from tests.stage import Scene, configure, customer_id, stage_clock, technician_id

FORGET_EVERYTHING = "TRUNCATE emergency_credentials, emergency_accounts, managed_accounts"


async def test_what_closes_accounts_passes_it_by_with_the_ledger_and_without(real_time: Scene) -> None:
    await made(real_time)
    before = real_time.everything()
    [report] = await reconcile(TESTER, real_time.app)
    assert (report.closed, report.reported, report.failed) == ((), (), None)

    with real_time.locked("managed_accounts"):
        report = await TenantReconciliation(real_time.app).reconcile(ref_of(real_time).tenant_id, real_time.customer)
    assert report.closed == ()

    assert (await close_all(TESTER, real_time.app, reason="a drill", tenant=real_time.customer)).is_proven
    [report] = await reconcile(TESTER, real_time.app)
    assert report.closed == ()

    real_time.sql(FORGET_EVERYTHING)
    [report] = await reconcile(TESTER, real_time.app)
    assert (report.closed, report.failed) == ((), None)
    assert real_time.everything() == before


async def test_a_forged_closing_finds_nothing_to_close(real_time: Scene) -> None:
    """A writer to the Temporal namespace can have anything closed that is ours to close."""
    name = await made(real_time)
    before = real_time.everything()
    tenant = await real_time.app.directories.to_close(ref_of(real_time).tenant_id)
    finder = AccountFinder(real_time.app)
    for whose in (technician_id("alex"), emergency_id(1)):
        forged = Grant(
            request_id="forged",
            tenant_id=TenantId(customer_id(real_time.customer)),
            tenant=real_time.customer,
            technician_id=TechnicianId(whose),
            technician="alex",
            account_name=name,
            access=(),
            duration=timedelta(hours=1),
            window_ends_at=stage_clock(),
        )
        to_close = AccountToClose(grant=forged, object_id=ObjectId(user(real_time)["id"]))
        with pytest.raises(NotProvenError, match="not touched"):
            await finder.to_close(tenant, to_close, MissedSince(), even_if_held=True)
        by_name = await finder.to_close(tenant, AccountToClose(grant=forged, object_id=None), MissedSince())
        assert isinstance(by_name, NothingToClose)
    account = await tenant.users.get(ObjectId(user(real_time)["id"]))
    with pytest.raises(InternalError, match="was not closed"):
        await Intervention(real_time.app, RECONCILER, "a mistake").close_found(tenant, account)
    assert real_time.everything() == before


async def test_none_is_made_that_the_configuration_does_not_want(real_time: Scene) -> None:
    """A writer to the Temporal namespace can have any step done, and never opens anything by it."""
    await configure(real_time, emergency_accounts=1)
    before = real_time.everything()
    for number in (0, 2, 3):
        with pytest.raises(RefusedError, match="wants no emergency account"):
            await steps_of(real_time).ensure_account(ref_of(real_time, number), stage_clock())
    await made(real_time)
    unproven = await steps_of(real_time).make_passkey(ref_of(real_time))
    with pytest.raises(InternalError, match="No passkey"):
        await steps_of(real_time).retire_others(unproven)
    assert await signs_in(real_time)
    assert len(real_time.everything()) == len(before) + 1


async def test_no_grant_opens_it(real_time: Scene) -> None:
    name = await made(real_time)
    before = real_time.everything()
    asked = await request_access(
        TESTER, real_time.app, tenant=real_time.customer, technician="entra-jit-emergency-1", reason="curious"
    )
    denied = await real_time.receipt(asked)
    assert denied.ending.state is GrantState.DENIED
    assert real_time.everything() == before

    tenant = await real_time.app.directories.to_close(ref_of(real_time).tenant_id)
    account = await tenant.users.get(ObjectId(user(real_time)["id"]))
    holder = Holder(ref_of(real_time).tenant_id, emergency_id(1), name)
    judged = real_time.app.inspect(account, holder, Register.NAMES_IT)
    assert not judged.may_be_closed
    assert "its own workflow alone" in (judged.why_not_to_open() or "")
    assert judged.why_not_ours() is None


async def test_a_change_from_outside_is_alarmed_and_nothing_is_done_about_it(real_time: Scene) -> None:
    name = await made(real_time)
    account = f"/tenants/{real_time.customer}/users/{user(real_time)['id']}"
    real_time.control("POST", f"{account}/methods", kind="phone")
    real_time.control("PATCH", account, enabled=False)
    before = real_time.everything()
    [report] = await reconcile(TESTER, real_time.app)
    assert report.closed == ()
    [[kind, subject, sentence]] = real_time.sql("SELECT kind, subject, sentence FROM alarms")
    assert (kind, subject) == ("emergency account changed", name)
    assert "is disabled" in sentence
    assert "phone" in sentence
    assert real_time.everything() == before


async def test_a_password_of_others_is_alarmed_until_a_rotation_replaces_it(real_time: Scene) -> None:
    """A password alone is no way in where Microsoft demands MFA: the person who set it may register a method next."""
    await made(real_time)
    tenant = await real_time.app.directories.of(ref_of(real_time).tenant_id, Purpose.ELEVATE)
    await reconcile(TESTER, real_time.app)
    assert real_time.sql("SELECT kind FROM alarms") == [], "the one that it was made with is ours"

    real_time.sql("UPDATE emergency_accounts SET password_set_at = password_set_at - interval '1 hour'")
    await tenant.users.set_password(ObjectId(user(real_time)["id"]), new_password(), force_change=False)
    await reconcile(TESTER, real_time.app)
    [[sentence]] = real_time.sql("SELECT sentence FROM alarms")
    assert "was given another password" in sentence

    await want_rotation(real_time)
    await rotate(real_time)
    await reconcile(TESTER, real_time.app)
    assert real_time.sql("SELECT kind FROM alarms") == []


async def test_an_exclusion_that_is_lost_is_alarmed_until_it_is_there_again(real_time: Scene) -> None:
    name = await made(real_time)
    group = str(uuid4())
    assert await kept_out(real_time, excludeUsers=[user(real_time)["id"]]) == []
    [sentence] = await kept_out(real_time, excludeGroups=[group])
    assert sentence == f"{name}: Devices demands a compliant device. Exclude the account from it."
    assert real_time.sql("SELECT kind, subject FROM alarms") == [("emergency account kept out", real_time.customer)]
    assert await kept_out(real_time, controls=["mfa"]) == [], "a passkey satisfies it"
    assert real_time.sql("SELECT kind FROM alarms") == []


async def kept_out(act: Scene, *, controls: Sequence[str] = ("compliantDevice",), **users: list[str]) -> list[str]:
    """What is told under a policy about all users, but these."""
    policy = {
        "displayName": "Devices",
        "state": "enabled",
        "conditions": {
            "users": {"includeUsers": ["All"], **users},
            "applications": {"includeApplications": ["All"]},
        },
        "grantControls": {"operator": "OR", "builtInControls": controls},
    }
    act.control("POST", f"/tenants/{act.customer}", conditional_access=[policy])
    return await EmergencyAdmission(act.app).watch()


async def test_it_counts_as_an_administrator_that_a_tenant_can_rely_on(real_time: Scene) -> None:
    """Safety rule 2 asks for two others that stay: technicians' accounts go away again, emergency accounts do not."""
    await made(real_time, 2)
    async with real_time.app.ledger.transaction() as session:
        kinds = await accounts.object_ids(session, ref_of(real_time).tenant_id)
    assert list(kinds.values()) == [AccountKind.EMERGENCY, AccountKind.EMERGENCY]
    tenant = await real_time.app.directories.to_close(ref_of(real_time).tenant_id)
    assert await count_others(tenant, set()) == 4


async def test_what_a_lost_ledger_has_forgotten_is_registered_as_it_is(real_time: Scene) -> None:
    name = await made(real_time)
    real_time.sql(FORGET_EVERYTHING)
    before = real_time.everything()

    async def listed() -> list[str] | None:
        found = await register_accounts(TESTER, real_time.app, real_time.customer, do=True)
        return [one.account_name for one in found] or None

    assert await eventually(listed) == [name]
    assert real_time.everything() == before, "it was entered, and not touched"
    await rotate(real_time)
    assert await signs_in(real_time)
    assert len(passkeys(real_time)) == 2, "one that we do not know any more is not ours to delete"


async def test_leaving_a_tenant_asks_first_and_deletes_the_key(real_time: Scene) -> None:
    name = await made(real_time)
    await configure(real_time, customers=[])
    with pytest.raises(DeletionNotAgreedError, match="1 emergency accounts stay") as asked:
        await disconnect_tenant(TESTER, real_time.app, real_time.customer, "they leave")
    assert asked.value.plan.emergency == (name,)
    before = user(real_time)

    outcome = await disconnect_tenant(TESTER, real_time.app, real_time.customer, "they leave", agreed=asked.value.plan)
    assert outcome.emergency_left == (name,)
    assert user(real_time) == before
    assert real_time.sql("SELECT count(*) FROM emergency_credentials WHERE ciphertext IS NOT NULL") == [(0,)]
