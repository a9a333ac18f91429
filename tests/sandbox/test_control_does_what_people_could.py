"""Tests of tampering and of strangers are only as good as the tampering: it has to bypass Graph and be seen by it."""

from __future__ import annotations

import httpx
import pytest

from tests.sandbox.seeded import (
    ADELE,
    CONTOSO,
    ELEVATE,
    NEW_ACCOUNT,
    PASSWORD,
    REVOKE,
    Graph,
    new_user,
    refusal,
    token_of,
)

USERS = "/tenants/contoso/users"


def test_a_stranger_takes_our_name(graph: Graph, control: httpx.Client) -> None:
    body = {
        "user_principal_name": NEW_ACCOUNT,
        "password": PASSWORD,
        "roles": ["Reports Reader"],
        "extension_attributes": {"extensionAttribute1": "theirs"},
        "properties": {"department": "Elsewhere"},
    }
    for _ in range(2):
        made = control.post(USERS, json=body).json()
    assert (made["enabled"], made["roles"], made["extension_attributes"]) == (
        True,
        ["Reports Reader"],
        {"extensionAttribute1": "theirs"},
    )
    shown = graph().get(f"/users/{NEW_ACCOUNT}?$select=id,department").json()
    assert (shown["id"], shown["department"]) == (made["id"], "Elsewhere")
    assert "already exists" in refusal(graph().post("/users", json=new_user())).message
    assert control.post("/sign-in", json={"username": NEW_ACCOUNT, "password": PASSWORD}).status_code == 200


def test_an_account_is_tampered_with(graph: Graph, control: httpx.Client, account: str) -> None:
    changes = {
        "enabled": False,
        "synced": True,
        "user_type": "Guest",
        "extension_attributes": {"extensionAttribute2": "x"},
    }
    control.patch(f"{USERS}/{account}", json=changes)
    control.patch(f"{USERS}/{account}", json={"extension_attributes": {"extensionAttribute2": None}})
    names = "accountEnabled,onPremisesSyncEnabled,userType,onPremisesExtensionAttributes"
    shown = graph().get(f"/users/{account}?$select={names}").json()
    assert (shown["accountEnabled"], shown["onPremisesSyncEnabled"], shown["userType"]) == (False, True, "Guest")
    assert set(shown["onPremisesExtensionAttributes"].values()) == {None}


def test_roles_methods_and_memberships_come_and_go(control: httpx.Client, account: str) -> None:
    user = f"{USERS}/{account}"
    control.post(f"{user}/roles", json={"roles": ["Exchange Administrator"]})
    method = control.post(f"{user}/methods", json={"kind": "phone", "properties": {"phoneNumber": "+41 1"}}).json()
    shown = control.post(f"{user}/groups", json={"name": "New Group"}).json()
    assert shown["roles"] == ["Exchange Administrator"]
    assert [held["kind"] for held in shown["methods"]] == ["phone"]
    assert [group["name"] for group in shown["groups"]] == ["New Group"]
    for _ in range(2):
        control.delete(f"{user}/roles/Exchange Administrator")
        control.delete(f"{user}/methods/{method['method_id']}")
        shown = control.delete(f"{user}/groups/New Group").json()
    assert (shown["roles"], shown["methods"], shown["groups"]) == ([], [], [])


def test_deleting_is_soft_unless_it_is_for_good(graph: Graph, control: httpx.Client, account: str) -> None:
    control.delete(f"{USERS}/{account}")
    assert control.get(f"{USERS}/{account}").json()["deleted"]
    assert graph(REVOKE).get(f"/directory/deletedItems/{account}").status_code == 200
    control.delete(f"{USERS}/{account}?purge=true")
    assert control.get(f"{USERS}/{account}").status_code == 404
    assert graph(REVOKE).get(f"/directory/deletedItems/{account}").status_code == 404


def test_the_clock_moves_for_passes_and_tokens_and_comes_back(
    graph: Graph, control: httpx.Client, login: httpx.Client, account: str
) -> None:
    client = graph()
    made = client.post(f"/users/{account}/authentication/temporaryAccessPassMethods", json={}).json()
    credential = {"username": NEW_ACCOUNT, "temporary_access_pass": made["temporaryAccessPass"]}
    refresh = control.post("/sign-in", json=credential).json()["refresh_token"]
    control.post("/clock", json={"advance": 3 * 3600})
    expired = refusal(client.get(f"/users/{account}"))
    assert (expired.status, expired.message) == (401, "Lifetime validation failed, the token is expired.")
    assert graph().get(f"/users/{account}").status_code == 200
    assert control.post("/sign-in", json=credential).json()["error_codes"] == [130507]
    form = {
        "client_id": "04b07795-8ddb-461a-bbee-02f9e1bf7b46",
        "grant_type": "refresh_token",
        "refresh_token": refresh,
    }
    over = login.post(f"/{CONTOSO}/oauth2/v2.0/token", data=form)
    assert over.json()["error_codes"] == [70008], "a session is no longer than the pass that began it"
    control.post("/reset")
    assert token_of(login)


def test_a_role_assignable_group_is_left_only_with_the_right_to_give_roles(graph: Graph, control: httpx.Client) -> None:
    control.post(f"{USERS}/{ADELE}/groups", json={"name": "Tier 1 Operators"})
    path = f"/groups/c0c0c0c0-2222-4222-8222-00000000ee02/members/{ADELE}/$ref"
    withdraw = {"app": REVOKE, "withdraw": ["RoleManagement.ReadWrite.Directory"]}
    control.post("/tenants/contoso", json={"service_principals": [withdraw]})
    assert graph(REVOKE).delete(path).status_code == 403
    give = {"app": "entra-jit revoke", "grant": ["RoleManagement.ReadWrite.Directory"]}
    control.post("/tenants/contoso", json={"service_principals": [give]})
    assert graph(REVOKE).delete(path).status_code == 204


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/tenants/nowhere", None, 404),
        ("GET", f"{USERS}/nobody", None, 404),
        ("POST", "/tenants/contoso", {"colour": "red"}, 400),
        ("POST", "/tenants/contoso", {"service_principals": [{"app": "none"}]}, 404),
        ("POST", f"{USERS}/{ADELE}/roles", {"roles": ["King"]}, 400),
        ("POST", f"{USERS}/{ADELE}/methods", {"kind": "smoke"}, 400),
        ("POST", f"/tenants/contoso/applications/{ELEVATE}/certificates", {"pem": "x"}, 400),
        ("GET", "/journal?after=x", None, 400),
        ("GET", "/journal?tenant=nowhere", None, 404),
        ("GET", "/nothing", None, 404),
    ],
)
def test_a_mistake_is_one_sentence(control: httpx.Client, method: str, path: str, body: object, status: int) -> None:
    answer = control.request(method, path, json=body)
    assert answer.status_code == status
    assert isinstance(answer.json()["error"], str)
