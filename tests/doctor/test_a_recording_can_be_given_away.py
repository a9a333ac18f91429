"""A recording of a customer's tenant is sent to others: no id, name or secret of the tenant may be in it.

What it is for must stay: which calls were made, in which form they were answered, and what refers to what.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from entra_jit.graph.recording import Folds, Recorder
from entra_jit.operations.end_access import end_access
from entra_jit.operations.examine_tenant import examine_tenant
from entra_jit.operations.run_canary import run_canary
from entra_jit.policy.roles import assignable_roles
from models.messages import GrantState
from sandbox.replay import RecordingError, replay
from tests.actors import TESTER
from tests.stage import ELEVATE, REVOKE, Scene, Services, configure, customer_id, scene

EXAMPLE = Path(__file__).parent / "recording.jsonl"
"""Of a sandbox, not of a tenant of Microsoft's."""

GUID, OTHER = "c0c0c0c0-2222-4222-8222-000000000002", "fab0fab0-3333-4333-8333-000000000003"
ROLE = "729827e3-9c14-49f7-bb1b-9608f156bbb8"


def test_the_same_is_folded_to_the_same_and_other_to_other() -> None:
    folds = Folds()
    assert folds.guid(GUID) == folds.guid(GUID.upper()) != folds.guid(OTHER)
    assert folds.text("Adele Vance") == folds.text("adele vance") != folds.text("Alex Winter")
    address = "https://graph.microsoft.com/v1.0/users/adele@contoso.com?$filter=id eq 'x'"
    [path, query] = folds.address(address).split("?")
    assert path == f"/v1.0/users/{folds.text('adele@contoso.com')}"
    assert query == f"$filter=id eq '{folds.text('x')}'"
    assert folds.address(f"/v1.0/users/{GUID}/oauth2PermissionGrants").endswith("/oauth2PermissionGrants")
    assert Folds({ROLE}).sentence(f"roleDefinitionId eq '{ROLE}'") == f"roleDefinitionId eq '{ROLE}'"


@pytest.mark.parametrize(
    ("name", "value", "kept"),
    [
        ("displayName", "Adele Vance", False),
        ("id", GUID, False),
        ("somethingNew", "Adele Vance", False),
        ("message", f"Resource 'Adele' of adele@contoso.com, {GUID}", False),
        ("@odata.nextLink", f"https://graph.microsoft.com/v1.0/users?$skiptoken={GUID}", False),
        ("temporaryAccessPass", "Secret-1", False),
        ("secretText", "Secret-1", False),
        ("hint", "Sec", False),
        ("state", "enabled", True),
        ("@odata.type", "#microsoft.graph.user", True),
        ("roleDefinitionId", ROLE, True),
        ("endDateTime", "2028-06-05T00:00:00Z", True),
        ("maxLifetime", "P90D", True),
        ("accountEnabled", True, True),
        ("maximumLifetimeInMinutes", 480, True),
    ],
)
def test_only_what_is_no_tenants_own_is_kept(name: str, value: object, *, kept: bool) -> None:
    found = Folds().document({name: value})
    assert isinstance(found, dict)
    assert (found[name] == value) is kept
    if not kept:
        assert not any(word in str(found[name]) for word in ("Adele", "adele", "contoso", "Secret", GUID))


@pytest.fixture
async def recorded(services: Services) -> AsyncIterator[tuple[Scene, str]]:
    """What was asked, and answered, in a doctor's and a canary's run."""
    lines: list[str] = []
    async with scene(services, customers=1, skips_time=False) as made:
        made.app.graph.record(Recorder(lines.append, assignable_roles()))
        await configure(made)
        await examine_tenant(TESTER, made.app, [made.customer])
        canary = await run_canary(TESTER, made.app, made.customer)
        await made.until(canary, GrantState.OPEN)
        await end_access(TESTER, made.app, canary)
        await made.receipt(canary)
        yield made, "".join(lines)


async def test_nothing_of_a_tenant_is_in_its_recording_and_the_sandbox_answers_it_alike(
    recorded: tuple[Scene, str],
) -> None:
    made, text = recorded
    for secret in (made.customer, customer_id(made.customer), "first.admin", ELEVATE, REVOKE, "Bearer"):
        assert secret.lower() not in text.lower()
    calls = [json.loads(line) for line in text.splitlines()]
    addresses = {call["address"].partition("?")[0] for call in calls}
    assert {"/v1.0/organization", "/v1.0/subscribedSkus", "/v1.0/identity/conditionalAccess/policies"} <= addresses
    assert {"POST", "PATCH", "DELETE"} <= {call["method"] for call in calls}
    if os.environ.get("WRITE_EXAMPLE"):
        EXAMPLE.write_text(text)
    found = await asyncio.to_thread(replay, text)
    assert found.differences == ()


def test_the_example_is_answered_as_it_was_recorded() -> None:
    assert replay(EXAMPLE.read_text(encoding="utf-8")).differences == ()


@pytest.mark.parametrize(
    ("recorded", "otherwise", "difference"),
    [
        ('"status": 200', '"status": 403', "200, recorded 403"),
        ('"displayName": "text', '"displayNames": "text', "displayNames is missing"),
        ('"isVerified": true', '"isVerified": "text-9"', "isVerified is true or false, recorded a text"),
    ],
)
def test_another_answer_is_told_with_its_line(recorded: str, otherwise: str, difference: str) -> None:
    text = EXAMPLE.read_text(encoding="utf-8")
    assert recorded in text
    found = replay(text.replace(recorded, otherwise, 1))
    assert found.asked
    assert any(difference in str(one) for one in found.differences), found.differences


def test_what_is_no_recording_is_refused_with_its_line() -> None:
    with pytest.raises(RecordingError, match="line 1 is no recorded request"):
        replay("{}")
