"""An emergency account with nothing but a password must fail here as it would in front of Microsoft's portals.

And what the log says of a sign-in is what tells a key that was used from a password that was stolen.
"""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from tests.sandbox.authenticator import Authenticator
from tests.sandbox.person import Person, arrived, shown
from tests.sandbox.seeded import ELEVATE, NEW_ACCOUNT, PASSWORD, Graph
from tests.sandbox.test_passkeys_are_registered_as_policy_allows import (
    AZURE_CLI,
    MANAGING,
    challenge_of,
    options_for,
    register,
)

P1 = "41781fb2-bc02-4b7c-bd55-b576c07bb09d"
PORTAL = {
    "client_id": "c44b4083-3bb0-49c1-b47d-974e53cbdf3c",
    "response_type": "code",
    "redirect_uri": "https://portal.azure.com/signin/index/",
    "scope": "openid",
}


@pytest.fixture
def person(login: httpx.Client, control: httpx.Client) -> Person:
    granted = [*MANAGING, "AuditLog.Read.All"]
    wanted = {"service_plans": [P1], "service_principals": [{"app": ELEVATE, "grant": granted}]}
    assert control.post("/tenants/contoso", json=wanted).status_code == 200
    return Person(login)


def sign_ins(client: httpx.Client, account: str) -> list[dict[str, Any]]:
    """From the beta, oldest first."""
    beta = str(client.base_url).replace("/v1.0", "/beta")
    answer = client.get(f"{beta}/auditLogs/signIns", params={"$filter": f"userId eq '{account}'"})
    assert answer.status_code == 200, answer.text
    return list(reversed(answer.json()["value"]))


def told(entry: dict[str, Any]) -> tuple[int, str, list[tuple[str, bool]]]:
    steps = [(one["authenticationMethod"], one["succeeded"]) for one in entry["authenticationDetails"]]
    return entry["status"]["errorCode"], entry["authenticationRequirement"].removesuffix("Authentication"), steps


def open_with_password(person: Person, application: dict[str, str]) -> Any:
    person.open("/organizations/oauth2/v2.0/authorize", **application, prompt="login")
    return person.sign_in(NEW_ACCOUNT, PASSWORD)


def test_a_portal_has_a_second_factor_registered_and_the_log_says_so(
    person: Person, graph: Graph, account: str, control: httpx.Client
) -> None:
    arrived(open_with_password(person, AZURE_CLI))
    assert shown(open_with_password(person, PORTAL)).title.startswith("Keep your account secure")
    shown(person.press("code", code="000 000"))
    code = control.get(f"/tenants/contoso/users/{account}/verification-code").json()["code"]
    assert arrived(person.press("code", code=code)).parameters["code"]
    password, both = ("Password", True), ("Authenticator App", True)
    assert [told(entry) for entry in sign_ins(graph(), account)] == [
        (0, "singleFactor", [password]),
        (50079, "multiFactor", [password]),
        (500121, "multiFactor", [password, ("Authenticator App", False)]),
        (0, "multiFactor", [password, both]),
    ]
    control.post("/tenants/contoso/sign-in-policy", json={"mandatory_mfa": False})
    arrived(open_with_password(person, PORTAL))


def test_a_pass_and_a_passkey_open_it_and_are_told_apart(person: Person, graph: Graph, account: str) -> None:
    client, passkey = graph(), Authenticator()
    methods = f"/users/{account}/authentication"
    value = client.post(f"{methods}/temporaryAccessPassMethods", json={}).json()["temporaryAccessPass"]
    person.open("/organizations/oauth2/v2.0/authorize", **PORTAL, prompt="login")
    person.press("username", username=NEW_ACCOUNT)
    arrived(person.press("pass", temporary_access_pass=value))

    assert register(client, account, passkey.create(options_for(client, account)), "spare").status_code == 201
    beta = f"{client.base_url}{methods}/fido2Methods".replace("/v1.0/", "/beta")
    assert client.get(beta).json()["value"][0]["lastUsedDateTime"] is None
    assertion = passkey.get(challenge_of(person.client), "localhost")
    for wrong in ({"error": "NotAllowedError"}, assertion):
        person.open("/organizations/oauth2/v2.0/authorize", **PORTAL, prompt="login")
        person.press("username", username=NEW_ACCOUNT)
        outcome = person.press("passkey", assertion=json.dumps(wrong))
    arrived(outcome)

    log = sign_ins(client, account)
    assert [told(entry)[2] for entry in log] == [
        [("Temporary Access Pass", True)],
        [("Passkey (synced)", False)],
        [("Passkey (synced)", True)],
    ]
    assert log[-1]["authenticationDetails"][0]["authenticationMethodDetail"] == f"spare - {passkey.aaguid}"
    (held,) = client.get(beta).json()["value"]
    assert held["lastUsedDateTime"] == log[-1]["createdDateTime"]
    assert "lastUsedDateTime" not in client.get(f"{methods}/fido2Methods").json()["value"][0]
    assert "authenticationDetails" not in client.get("/auditLogs/signIns").json()["value"][0]


@pytest.mark.parametrize(
    ("roles", "methods", "code"),
    [([], [], None), (["Reports Reader"], [], 50079), (["Reports Reader"], ["phone"], 50076)],
)
def test_security_defaults_ask_administrators_for_a_second_factor(
    control: httpx.Client, login: httpx.Client, account: str, roles: list[str], methods: list[str], code: int | None
) -> None:
    control.post("/tenants/contoso", json={"security_defaults": True})
    control.post(f"/tenants/contoso/users/{account}/roles", json={"roles": roles})
    for kind in methods:
        control.post(f"/tenants/contoso/users/{account}/methods", json={"kind": kind})
    form = {"grant_type": "password", "username": NEW_ACCOUNT, "password": PASSWORD, "scope": "openid"}
    answer = login.post("/organizations/oauth2/v2.0/token", data=form | {"client_id": AZURE_CLI["client_id"]})
    assert answer.json().get("error_codes", [None]) == [code]
