"""What registers a passkey here must register one at Microsoft: a key that a customer's policy forbids is found first.

No part of this was tried on a live tenant; it rests on Microsoft's reference and on two scripts that register software
passkeys (facts in docs/conformance.md).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import httpx
import pytest
from fido2.webauthn import AuthenticatorData

from tests.sandbox.authenticator import VERIFIED, Authenticator, text
from tests.sandbox.person import Callback, Page, Person, arrived, shown
from tests.sandbox.seeded import ELEVATE, NEW_ACCOUNT, PASSWORD, Graph, refusal
from tests.sandbox.test_people_sign_in_to_applications import claims_of

MANAGING = ["UserAuthMethod-Passkey.ReadWrite.All", "Policy.ReadWrite.AuthenticationMethod", "Group.ReadWrite.All"]
POLICY = "/policies/authenticationMethodsPolicy/authenticationMethodConfigurations/fido2"
OURS = "e1e7a7e0-0000-4000-8000-0000000000aa"


@pytest.fixture
def client(graph: Graph, control: httpx.Client) -> httpx.Client:
    control.post("/tenants/contoso", json={"service_principals": [{"app": ELEVATE, "grant": MANAGING}]})
    return graph()


def options_for(client: httpx.Client, account: str) -> dict[str, Any]:
    answer = client.get(f"/users/{account}/authentication/fido2Methods/creationOptions")
    assert answer.status_code == 200, answer.text
    return dict(answer.json()["publicKey"])


def register(client: httpx.Client, account: str, credential: dict[str, Any], name: str = "entra-jit") -> httpx.Response:
    body = {"displayName": name, "publicKeyCredential": credential}
    return client.post(f"/users/{account}/authentication/fido2Methods", json=body)


def test_a_passkey_made_by_a_server_is_registered_listed_and_deleted(client: httpx.Client, account: str) -> None:
    options = options_for(client, account)
    assert (options["rp"]["id"], options["authenticatorSelection"]["userVerification"]) == ("localhost", "required")
    passkey = Authenticator()
    made = register(client, account, passkey.create(options))
    assert made.status_code == 201, made.text
    shown = made.json()
    assert (shown["id"], shown["aaGuid"]) == (text(passkey.credential_id), str(passkey.aaguid))
    assert (shown["attestationLevel"], shown["passkeyType"]) == ("notAttested", "synced")
    assert "key" not in made.text.lower().replace("passkey", ""), "the public key is the directory's own"
    methods = f"/users/{account}/authentication/fido2Methods"
    assert [one["id"] for one in client.get(methods).json()["value"]] == [shown["id"]]
    assert options_for(client, account)["excludeCredentials"][0]["id"] == shown["id"]
    assert register(client, account, passkey.create(options)).status_code == 400, "twice"
    assert client.delete(f"{methods}/{shown['id']}").status_code == 204
    assert client.get(methods).json()["value"] == []


def test_what_was_not_made_for_this_account_now_is_refused(
    client: httpx.Client, account: str, control: httpx.Client
) -> None:
    options = options_for(client, account)
    others = options_for(client, "admin@contoso.onmicrosoft.com")
    elsewhere = {**options, "rp": {"id": "login.example"}}
    wrong = [
        Authenticator().create(others),
        Authenticator().create({**options, "challenge": text(b"x" * 56)}),
        Authenticator().create(options, origin="https://login.example"),
        Authenticator().create(elsewhere, origin="https://localhost"),
        Authenticator(flags=VERIFIED & ~AuthenticatorData.FLAG.UV).create(options),
        Authenticator().create(options) | {"id": text(b"another")},
        {"id": "x", "response": {"clientDataJSON": "AA", "attestationObject": "AA"}},
        {},
    ]
    for credential in wrong:
        assert refusal(register(client, account, credential)).code == "badRequest"
    assert register(client, account, Authenticator().create(options), name="n" * 31).status_code == 400
    late = Authenticator().create(options)
    control.post("/clock", json={"advance": 301})
    assert "expired" in refusal(register(client, account, late)).message
    assert client.get(f"/users/{account}/authentication/fido2Methods").json()["value"] == []


def profile(**changes: Any) -> dict[str, Any]:
    return {
        "id": OURS,
        "name": "Managed accounts",
        "passkeyTypes": "deviceBound,synced",
        "attestationEnforcement": "disabled",
        "keyRestrictions": {"isEnforced": True, "enforcementType": "allow", "aaGuids": [OURS]},
    } | changes


def restricted(kind: str, *aaguids: str) -> dict[str, Any]:
    return {"keyRestrictions": {"isEnforced": True, "enforcementType": kind, "aaGuids": list(aaguids)}}


@pytest.mark.parametrize(
    ("policy", "registers"),
    [
        ({}, True),
        ({"state": "disabled"}, False),
        ({"isSelfServiceRegistrationAllowed": False}, False),
        ({"isAttestationEnforced": True}, False),
        (restricted("allow", OURS), True),
        (restricted("allow", str(uuid4())), False),
        (restricted("block", OURS), False),
        ({"includeTargets": [{"targetType": "group", "id": str(uuid4())}]}, False),
        ({"passkeyProfiles": [profile()], "defaultPasskeyProfile": OURS}, True),
        ({"passkeyProfiles": [profile(passkeyTypes="deviceBound")], "defaultPasskeyProfile": OURS}, False),
        (
            {"passkeyProfiles": [profile(attestationEnforcement="registrationOnly")], "defaultPasskeyProfile": OURS},
            False,
        ),
        ({"passkeyProfiles": [profile()], "defaultPasskeyProfile": str(uuid4())}, False),
    ],
)
def test_the_tenants_policy_decides(
    client: httpx.Client, account: str, policy: dict[str, Any], registers: bool
) -> None:
    passkey = Authenticator()
    passkey.aaguid = type(passkey.aaguid)(OURS)
    assert client.patch(POLICY, json=policy).status_code == 204
    options = client.get(f"/users/{account}/authentication/fido2Methods/creationOptions")
    done = options.status_code == 200 and register(client, account, passkey.create(options.json()["publicKey"]))
    assert (bool(done) and done.status_code == 201) is registers  # type: ignore[union-attr]


def test_a_profile_holds_for_the_group_that_it_is_given_to(client: httpx.Client, account: str) -> None:
    group = {"displayName": "ours", "mailEnabled": False, "mailNickname": "ours", "securityEnabled": True}
    ours = client.post("/groups", json=group).json()["id"]
    strict = profile(id=str(uuid4()), attestationEnforcement="registrationOnly", keyRestrictions={"isEnforced": False})
    policy = {
        "passkeyProfiles": [strict, profile()],
        "defaultPasskeyProfile": strict["id"],
        "includeTargets": [
            {"targetType": "group", "id": "all_users", "allowedPasskeyProfiles": [strict["id"]]},
            {"targetType": "group", "id": ours, "allowedPasskeyProfiles": [OURS]},
        ],
    }
    assert client.patch(POLICY, json=policy).status_code == 204
    passkey = Authenticator()
    passkey.aaguid = type(passkey.aaguid)(OURS)
    assert register(client, account, passkey.create(options_for(client, account))).status_code == 400
    member = {"@odata.id": f"https://graph.microsoft.com/v1.0/directoryObjects/{account}"}
    assert client.post(f"/groups/{ours}/members/$ref", json=member).status_code == 204
    assert register(client, account, passkey.create(options_for(client, account))).status_code == 201
    assert client.patch(POLICY, json={"passkeyProfiles": [profile()] * 4}).status_code == 400, "three at most"
    assert client.patch(POLICY, json={"passkeyProfiles": []}).status_code == 400, "there is no way back"


@pytest.fixture
def signs_in(
    client: httpx.Client, account: str, login: httpx.Client
) -> Callable[[dict[str, Any] | None], Page | Callback]:
    """Sign the account in at Azure's own command line; with None, with its password."""

    def sign_in(assertion: dict[str, Any] | None, **changes: str) -> Page | Callback:
        person.open("/organizations/oauth2/v2.0/authorize", **AZURE_CLI, prompt="login")
        shown(person.press("username", username=NEW_ACCOUNT))
        if assertion is None:
            person.press("use-password")
            return person.press("password", password=PASSWORD)
        return person.press("passkey", assertion=json.dumps(assertion))

    person = Person(login)
    return sign_in


AZURE_CLI = {
    "client_id": "04b07795-8ddb-461a-bbee-02f9e1bf7b46",
    "response_type": "code",
    "redirect_uri": "http://localhost:54321",
    "scope": "https://graph.microsoft.com/.default openid",
}


def test_a_passkey_signs_in_where_a_password_and_a_pass_do_not(
    client: httpx.Client,
    account: str,
    control: httpx.Client,
    login: httpx.Client,
    signs_in: Callable[[dict[str, Any] | None], Page | Callback],
) -> None:
    passkey = Authenticator()
    assert register(client, account, passkey.create(options_for(client, account))).status_code == 201
    control.post("/tenants/contoso/sign-in-policy", json={"require_phishing_resistant": True})

    assert "53003" in shown(signs_in(None)).text
    challenge = challenge_of(login)
    code = arrived(signs_in(passkey.get(challenge, "localhost"))).parameters["code"]
    form = {"grant_type": "authorization_code", "code": code, **AZURE_CLI}
    tokens = login.post("/organizations/oauth2/v2.0/token", data=form).json()
    assert claims_of(tokens["access_token"])["amr"] == ["fido", "mfa"]

    stranger = Authenticator(credential_id=passkey.credential_id)
    for wrong in (
        stranger.get(challenge, "localhost"),
        passkey.get(text(b"x" * 56), "localhost"),
        passkey.get(challenge, "login.example", origin="https://localhost"),
        passkey.get(challenge, "localhost", origin="https://login.example"),
        {"error": "NotAllowedError"},
    ):
        assert "couldn't sign you in" in shown(signs_in(wrong)).text
    # Key restrictions hold at each sign-in, not only at the registration.
    assert client.patch(POLICY, json=restricted("block", str(passkey.aaguid))).status_code == 204
    again = passkey.get(challenge, "localhost")
    with pytest.raises(AssertionError, match="Enter password"):  # the page does not offer it any more
        signs_in(again)


def challenge_of(login: httpx.Client) -> str:
    """From the page, as its script reads it."""
    person = Person(login)
    person.open("/organizations/oauth2/v2.0/authorize", **AZURE_CLI, prompt="login")
    person.press("username", username=NEW_ACCOUNT)
    assert person.page is not None
    found = re.search(r'"challenge": "([\w-]+)"', person.page.text)
    assert found, person.page.text
    return found[1]
