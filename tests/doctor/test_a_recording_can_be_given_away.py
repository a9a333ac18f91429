"""A recording of a customer's tenant is sent to others: no id, name or secret of the tenant may be in it.

What it is for must stay: which calls were made, in which form they were answered, and what refers to what.
"""

from __future__ import annotations

import json

import pytest

from entra_jit.app import App
from entra_jit.graph.recording import Folds, Recorder
from entra_jit.operations.examine_tenant import examine_tenant
from tests.actors import TESTER
from tests.stage import ELEVATE, REVOKE, Scene, customer_id

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


async def test_nothing_of_a_tenant_is_in_its_recording(real_time: Scene) -> None:
    async with App(real_time.settings) as app:
        app.recorder = Recorder()
        await examine_tenant(TESTER, app, [real_time.customer])
        text = app.recorder.text

    for secret in (real_time.customer, customer_id(real_time.customer), "first.admin", ELEVATE, REVOKE, "Bearer"):
        assert secret.lower() not in text.lower()
    calls = [json.loads(line) for line in text.splitlines()]
    assert {call["status"] for call in calls} <= {200, 404}
    addresses = {call["address"].partition("?")[0] for call in calls}
    assert {"/v1.0/organization", "/v1.0/subscribedSkus", "/v1.0/identity/conditionalAccess/policies"} <= addresses
    assert all(call["answer"] for call in calls)
