"""What a technician leaves behind is in the audit log and in what the account owns; read wrongly, it is not found.

An entry on the second page, a filter that leaves one end of the window out, or a name that Microsoft left empty would
each hide a way back.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from entra_jit.accounts.account_closing import Stripped
from entra_jit.accounts.baseline import look_at, take_baseline
from entra_jit.accounts.eligibility import LOOKS, take_eligibilities
from entra_jit.graph import (
    ClientSecret,
    Graph,
    NotYetVisibleError,
    PermanentError,
    RetryBudget,
    Tenant,
    TransientError,
)
from entra_jit.graph.audit_logs import AuditLogs
from entra_jit.policy.roles import find_role
from models.messages import ObjectId
from models.sweep import FindingKind
from tests.graph.conftest import ADELE, CONTOSO, ELEVATE, REVOKE, Sandbox, contoso

ADMIN = ObjectId("c0c0c0c0-2222-4222-8222-0000000000a1")
MINUTE = timedelta(minutes=1)
ELIGIBILITIES = "/roleManagement/directory/roleEligibilitySchedules"
ELIGIBILITY_REQUESTS = "/roleManagement/directory/roleEligibilityScheduleRequests"


def as_administrator(sandbox: Sandbox, path: str, body: dict[str, Any]) -> None:
    """What Contoso's Global Administrator asks of Graph."""
    credential = {"username": "admin@contoso.onmicrosoft.com", "password": "sandbox-only-Admin1"}
    signed_in = sandbox.control.post("/sign-in", json=credential).json()
    head = {"Authorization": f"Bearer {signed_in['access_token']}"}
    sandbox.control.post(f"{sandbox.graph_url}{path}", json=body, headers=head).raise_for_status()


def make_eligible(sandbox: Sandbox, later: timedelta = timedelta()) -> None:
    """Let Adele activate a role by herself from some time on; Contoso is licensed for that."""
    sandbox.change("", service_plans=["eec0eb4f-6444-4f95-aba0-50c24d67f998"])
    what = {"principalId": ADELE, "roleDefinitionId": find_role("Reports Reader").id, "directoryScopeId": "/"}
    starts = {"startDateTime": f"{datetime.now(UTC) + later:%Y-%m-%dT%H:%M:%SZ}"}
    schedule = {**starts, "expiration": {"type": "noExpiration"}}
    as_administrator(sandbox, ELIGIBILITY_REQUESTS, {"action": "adminAssign", "scheduleInfo": schedule, **what})


async def test_entries_are_found_by_who_did_it_and_to_whom(sandbox: Sandbox, revoke: Tenant) -> None:
    revoke = replace(revoke, audit_logs=AuditLogs(revoke._calls, page_size=2))
    since = datetime.now(UTC) - MINUTE
    for kind in ("phone", "fido2", "email"):
        sandbox.change(f"/users/{ADELE}/methods", kind=kind)
    sandbox.change(f"/users/{ADELE}/roles", roles=["Reports Reader"])
    until = datetime.now(UTC) + MINUTE

    own = await revoke.audit_logs.done_by(ADELE, since, until)
    assert [entry.activity for entry in own] == ["User registered security info"] * 3
    assert len(sandbox.journal(path="/v1.0/auditLogs/directoryAudits")) >= 2, "page by page"
    assert {entry.initiated_by.user.id for entry in own if entry.initiated_by and entry.initiated_by.user} == {ADELE}

    (given,) = await revoke.audit_logs.done_by(ADMIN, since, until)
    assert (given.activity, given.result) == ("Add member to role", "success")
    assert given.target_resources is not None
    user, role = given.target_resources
    assert (user.id, user.type, role.display_name) == (ADELE, "User", "Reports Reader")
    assert len(await revoke.audit_logs.done_to(ADELE, since, until)) == 4
    for empty in ((since - MINUTE, since), (until, until + MINUTE)):
        assert len(await revoke.audit_logs.done_by(ADELE, *empty)) == 0
    at_its_very_moment = await revoke.audit_logs.done_by(ADMIN, given.at, given.at)
    assert [entry.id for entry in at_its_very_moment] == [given.id], "both ends are included"


async def test_a_missing_permission_is_named(sandbox: Sandbox, elevate: Tenant) -> None:
    at = datetime.now(UTC)
    with pytest.raises(PermanentError, match=r"AuditLog\.Read\.All") as refused:
        await elevate.audit_logs.done_by(ADELE, at - MINUTE, at)
    assert refused.value.needs


async def test_what_an_account_owns_and_consented_to_is_listed(sandbox: Sandbox, revoke: Tenant) -> None:
    assert not await revoke.owned_objects.owned(ADELE)
    assert not await revoke.owned_objects.consents(ADELE)
    principal = await revoke.applications.principal(ELEVATE)
    resource = await revoke.applications.principal("00000003-0000-0000-c000-000000000000")
    assert principal is not None
    assert resource is not None
    consent = {"clientId": principal.id, "consentType": "Principal", "principalId": ADELE, "scope": "User.Read"}
    for path, body in (
        (f"/servicePrincipals/{principal.id}/owners/$ref", {"@odata.id": f"https://graph/{ADELE}"}),
        ("/oauth2PermissionGrants", consent | {"resourceId": resource.id}),
    ):
        as_administrator(sandbox, path, body)

    (owned,) = await revoke.owned_objects.owned(ADELE)
    assert (owned.kind, owned.id, owned.display_name) == ("servicePrincipal", principal.id, "entra-jit elevate")
    (held,) = await revoke.owned_objects.consents(ADELE)
    assert (held.client, held.scope) == (principal.id, "User.Read")


async def test_what_an_account_may_activate_by_itself_is_listed_and_taken(sandbox: Sandbox, revoke: Tenant) -> None:
    assert await revoke.roles.eligibilities_of(ADELE) is None, "a tenant that is not licensed has none"
    for later in (timedelta(days=1), timedelta()):
        make_eligible(sandbox, later)
        (found,) = await revoke.roles.eligibilities_of(ADELE) or ()
        assert (found.role, found.principal, found.scope) == (find_role("Reports Reader").id, ADELE, "/")
        assert not await revoke.roles.assignments_of(ADELE)

        stripped = Stripped()
        calls = await take_eligibilities(revoke, ADELE, stripped)
        (told,) = stripped.findings
        assert (told.sentence, told.removed) == ("It was eligible for the role Reports Reader.", True)
        assert [call.method for call in calls] == ["GET", "POST", "GET"]
        nothing = Stripped()
        await take_eligibilities(revoke, ADELE, nothing)
        assert nothing.findings == ()

    make_eligible(sandbox)
    baseline = (await take_baseline(revoke, ADELE, (), Stripped(), last_try=False)).baseline
    told = {finding.sentence for finding in baseline.findings if finding.kind is FindingKind.ROLE}
    assert told == {"Before it was opened: It was eligible for the role Reports Reader."}
    assert not await revoke.roles.eligibilities_of(ADELE), "the next grant does not have it"


async def test_an_eligibility_that_stays_is_alarming(sandbox: Sandbox, revoke: Tenant) -> None:
    make_eligible(sandbox)
    sandbox.fault(method="POST", path=ELIGIBILITY_REQUESTS, status=403)
    stripped = Stripped()
    await take_eligibilities(revoke, ADELE, stripped)
    (stays,) = stripped.findings
    assert (stays.removed, stays.alarming) == (False, True)
    assert "RoleManagement.ReadWrite.Directory" in stays.sentence


@pytest.mark.parametrize(
    ("method", "path", "fault"),
    [
        ("GET", "/users/*/ownedObjects", {"count": 1}),
        ("POST", ELIGIBILITY_REQUESTS, {"count": 1}),
        ("GET", ELIGIBILITIES, {"skip": 1, "count": LOOKS}),
    ],
    ids=["something else is unread", "it is not taken yet", "it is not seen to be gone"],
)
async def test_an_eligibility_that_is_gone_at_the_next_try_is_told_all_the_same(
    sandbox: Sandbox, revoke: Tenant, method: str, path: str, fault: dict[str, int]
) -> None:
    make_eligible(sandbox)
    sandbox.fault(method=method, path=path, status=503, **fault)
    first = Stripped()
    with pytest.raises(TransientError):
        await look_at(revoke, ADELE, first)
    look = await look_at(revoke, ADELE, Stripped.noted(first.to_note()))
    (told,) = look.baseline.findings
    assert (told.sentence, told.removed) == ("It was eligible for the role Reports Reader.", True)
    assert look.baseline.unread is None


async def test_our_own_applications_are_found_by_token_and_by_client_id(revoke: Tenant) -> None:
    """The audit names them by their service principals alone: unknown, each act of ours would be a stranger's."""
    own = await revoke.applications.principal(REVOKE)
    assert own.id != REVOKE
    granted = await revoke.granted()
    assert granted is not None
    assert granted.principal == own.id
    assert await revoke.applications.registration(REVOKE) is None, "it lives in another tenant"
    with pytest.raises(NotYetVisibleError):
        await revoke.applications.principal(CONTOSO)
    found = await revoke.applications.by_principal(own.id)
    assert found is not None
    assert not found.is_microsofts
    graphs_own = await revoke.applications.principal("00000003-0000-0000-c000-000000000000")
    assert graphs_own.is_microsofts
    assert await revoke.applications.by_principal(ADELE) is None


async def test_an_entry_that_cannot_be_read_hides_no_other(sandbox: Sandbox, revoke: Tenant) -> None:
    """Microsoft breaks off each page that such an entry is on: the review was never written, and a proxy suspected."""
    began = datetime.now(UTC) - MINUTE
    for hours, entry in ((0, {}), (1, {"unreadable": True}), (1, {})):
        sandbox.control.post("/clock", json={"advance": 3600 * hours}).raise_for_status()
        sandbox.change(f"/users/{ADELE}/audit", activity="Update user", **entry)

    found = await revoke.audit_logs.done_by(ADELE, began, began + timedelta(hours=4))

    assert [entry.activity for entry in found] == ["Update user"] * 2
    assert found.is_whole
    (part,) = found.unreadable
    assert part.since <= began + timedelta(hours=1, minutes=1) <= part.until
    assert part.until - part.since < timedelta(minutes=5)
    assert part.request_id


@pytest.mark.parametrize("fault", [{"status": 429}, {"status": 400, "code": "Directory_ReplicaUnavailable"}])
async def test_what_names_no_time_is_asked_for_again_for_as_long_as_there_is(
    sandbox: Sandbox, revoke: Tenant, fault: dict[str, object]
) -> None:
    """A 429 of audit log and sign-in methods names none: a throttled review was given up at the first."""
    now = datetime.now(UTC)
    refused = sandbox.fault(path="/auditLogs/**", count=2, **fault)
    patience = RetryBudget(now + timedelta(minutes=5), lambda: datetime.now(UTC))
    await revoke.audit_logs.done_by(ADELE, now - MINUTE, now, patience)
    assert sandbox.hits(refused) == 2
    sandbox.fault(path="/auditLogs/**", **fault)
    with pytest.raises(TransientError):
        await revoke.audit_logs.done_by(ADELE, now - MINUTE, now, RetryBudget(now, lambda: datetime.now(UTC)))


async def test_a_log_that_takes_long_is_waited_for(sandbox: Sandbox) -> None:
    """Microsoft reads the log of a large tenant for minutes: within a call's ten seconds its review never succeeded."""
    now = datetime.now(UTC)
    options = {"graph_url": sandbox.graph_url, "login_url": sandbox.login_url, "ca_file": sandbox.ca_file}
    async with Graph(**options, timeout=5.0) as graph:  # type: ignore[arg-type]
        tenant = graph.tenant(contoso(REVOKE, ClientSecret.model_validate({"secret": "sandbox-only-revoke-secret"})))
        sandbox.fault(path="/auditLogs/**", delay=6.0, count=1)
        assert not await tenant.audit_logs.done_by(ADELE, now - MINUTE, now)
