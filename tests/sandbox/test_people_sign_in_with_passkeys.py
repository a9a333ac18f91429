"""A passkey that signs in here and not at Microsoft would be found out on the day that nothing else signs in."""

from __future__ import annotations

import json
import re
from typing import Any

import httpx
import jwt
import pytest

from tests.sandbox.authenticator import Authenticator
from tests.sandbox.person import Callback, Page, Person, arrived, shown
from tests.sandbox.seeded import CONTOSO, ELEVATE, Graph

MANAGING = ["UserAuthMethod-Passkey.ReadWrite.All", "Policy.ReadWrite.AuthenticationMethod"]
POLICY = "/policies/authenticationMethodsPolicy/authenticationMethodConfigurations/fido2"
AZURE_CLI = "04b07795-8ddb-461a-bbee-02f9e1bf7b46"
ADMIN = "admin@contoso.onmicrosoft.com"


@pytest.fixture
def graph_client(graph: Graph, control: httpx.Client) -> httpx.Client:
    control.post("/tenants/contoso", json={"service_principals": [{"app": ELEVATE, "grant": MANAGING}]})
    return graph()


@pytest.fixture
def person(login: httpx.Client) -> Person:
    return Person(login)


@pytest.fixture
def passkey(graph_client: httpx.Client) -> Authenticator:
    """The administrator's, registered."""
    methods = f"/users/{ADMIN}/authentication/fido2Methods"
    options = graph_client.get(f"{methods}/creationOptions").json()["publicKey"]
    made = Authenticator()
    body = {"displayName": "a passkey", "publicKeyCredential": made.create(options)}
    assert graph_client.post(methods, json=body).status_code == 201
    return made


def asked_for(person: Person) -> Page:
    """The page that asks the browser for a passkey."""
    shown(
        person.open(
            f"/{CONTOSO}/oauth2/v2.0/authorize",
            client_id=AZURE_CLI,
            response_type="code",
            redirect_uri="http://localhost",
            scope="openid https://graph.microsoft.com/.default",
            prompt="login",
            login_hint=ADMIN,
        )
    )
    return shown(person.press("use-passkey"))


def sign(person: Person, page: Page, passkey: Authenticator, **changes: Any) -> Page | Callback:
    """What the page's script sends."""
    challenge = changes.get("challenge") or re.findall(r'bytes\("([^"]+)"\)', page.text)[0]
    party = re.findall(r'rpId: "([^"]+)"', page.text)[0]
    return person.press("passkey", assertion=json.dumps(passkey.get(challenge, party, changes.get("origin"))))


def test_it_signs_in_and_counts_as_two_factors(person: Person, passkey: Authenticator) -> None:
    came = arrived(sign(person, asked_for(person), passkey))
    form = {
        "client_id": AZURE_CLI,
        "grant_type": "authorization_code",
        "code": came.parameters["code"],
        "redirect_uri": "http://localhost",
    }
    answer = person.client.post(f"/{CONTOSO}/oauth2/v2.0/token", data=form)
    claims = jwt.decode(answer.json()["access_token"], options={"verify_signature": False})
    assert claims["amr"] == ["fido", "mfa"]


def test_what_was_not_signed_for_this_is_refused(
    person: Person, passkey: Authenticator, graph_client: httpx.Client
) -> None:
    page = asked_for(person)
    for signer, changes in (
        (Authenticator(), {}),
        (passkey, {"challenge": "AAAA"}),
        (passkey, {"origin": "https://login.example"}),
    ):
        assert "AADSTS135016" in shown(sign(person, page, signer, **changes)).text
    assert graph_client.patch(POLICY, json={"state": "disabled"}).status_code == 204
    assert "AADSTS135016" in shown(sign(person, page, passkey)).text


def test_who_has_none_is_not_offered_one(person: Person) -> None:
    page = shown(
        person.open(
            f"/{CONTOSO}/oauth2/v2.0/authorize",
            client_id=AZURE_CLI,
            response_type="code",
            redirect_uri="http://localhost",
            scope="openid",
            prompt="login",
            login_hint=ADMIN,
        )
    )
    assert "use-passkey" not in page.actions
