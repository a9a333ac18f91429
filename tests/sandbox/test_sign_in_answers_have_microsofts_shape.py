"""Clients read fields by name: one that is missing, misspelt or of another kind breaks them at the customer only.

The shapes are written down in ``fixtures/sign_in`` from what is known of Microsoft's answers.
"""

from __future__ import annotations

import base64
import json

import httpx
import pytest

from sandbox.child import Addresses
from tests.sandbox.person import CALLBACK, SIGN_IN_APP, SIGN_IN_SECRET, Person, arrived
from tests.sandbox.seeded import CONTOSO, ELEVATE, SECRETS, token_of
from tests.sandbox.shape import differences, fixture


def assert_shape(found: object, name: str) -> None:
    assert list(differences(found, fixture(f"sign_in/{name}"))) == []  # type: ignore[arg-type]


def part(token: str, number: int) -> dict[str, object]:
    text = token.split(".")[number]
    return dict(json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))))


@pytest.mark.parametrize("tenant", [CONTOSO, "contoso.com", "common", "organizations"])
def test_what_clients_discover(login: httpx.Client, tenant: str) -> None:
    found = login.get(f"/{tenant}/v2.0/.well-known/openid-configuration").json()
    expected = "{tenantid}" if tenant in {"common", "organizations"} else CONTOSO
    assert found["issuer"].split("/")[3] == expected
    if expected == CONTOSO:
        assert found["tenant_region_scope"] == "EU"
    else:
        assert found["tenant_region_scope"] is None
        found["tenant_region_scope"] = "EU"
    assert_shape(found, "openid_configuration")
    assert_shape(login.get(found["jwks_uri"]).json(), "keys")


def test_which_hosts_belong_together(login: httpx.Client, addresses: Addresses) -> None:
    path = "/common/discovery/instance"
    query = {"api-version": "1.1", "authorization_endpoint": f"{addresses.login_url}/common/oauth2/v2.0/authorize"}
    assert_shape(login.get(path, params=query).json(), "instance_discovery")
    unknown = login.get(path, params=query | {"authorization_endpoint": "https://elsewhere.example/common"})
    assert (unknown.status_code, unknown.json()["error"]) == (400, "invalid_instance")
    assert_shape(unknown.json(), "error")


def test_where_a_name_signs_in(login: httpx.Client) -> None:
    name = "adele@contoso.com"
    assert_shape(login.get(f"/common/userrealm/{name}?api-version=1.0").json(), "user_realm")
    assert_shape(login.get("/GetUserRealm.srf", params={"login": name, "json": "1"}).json(), "account_realm")
    for login_name, kind in (("worker@fabrikam.com", "Federated"), ("x@nowhere.example", "Unknown")):
        found = login.get("/GetUserRealm.srf", params={"login": login_name, "json": "1"}).json()
        assert found["NameSpaceType"] == kind
        older = login.get(f"/common/userrealm/{login_name}?api-version=1.0").json()
        assert older["account_type"] == kind
        newer = login.get(f"/common/userrealm/{login_name}?api-version=2.1").json()
        assert newer["NameSpaceType"] == kind


def test_what_an_application_gets(login: httpx.Client) -> None:
    form = {
        "client_id": ELEVATE,
        "client_secret": SECRETS[ELEVATE],
        "grant_type": "client_credentials",
        "scope": "https://graph.microsoft.com/.default",
    }
    answer = login.post(f"/{CONTOSO}/oauth2/v2.0/token", data=form)
    assert_shape(answer.json(), "app_token_answer")
    assert answer.headers["content-type"] == "application/json; charset=utf-8"
    token = token_of(login)
    assert_shape(part(token, 1), "app_token_claims")
    assert set(part(token, 0)) == {"typ", "nonce", "alg", "x5t", "kid"}
    claims = part(token, 1)
    assert claims["exp"] - claims["iat"] == 3900  # type: ignore[operator]  # dated five minutes back
    refused = login.post(f"/{CONTOSO}/oauth2/v2.0/token", data=form | {"client_secret": "sandbox-only-wrong"})
    assert_shape(refused.json(), "error")


def test_what_a_person_gets(login: httpx.Client) -> None:
    person = Person(login)
    asked = {
        "client_id": SIGN_IN_APP,
        "response_type": "code",
        "redirect_uri": CALLBACK,
        "scope": "openid profile offline_access User.Read",
        "nonce": "the nonce",
        "client_info": "1",
    }
    person.open("/organizations/oauth2/v2.0/authorize", **asked)
    person.sign_in("adele@contoso.com", "sandbox-only-Adele1")
    callback = arrived(person.press("accept")).parameters
    assert list(callback) == ["code", "client_info", "session_state"]
    form = {
        "client_id": SIGN_IN_APP,
        "client_secret": SIGN_IN_SECRET,
        "grant_type": "authorization_code",
        "code": callback["code"],
        "redirect_uri": CALLBACK,
    }
    body = login.post(f"/{CONTOSO}/oauth2/v2.0/token", data=form).json()
    assert_shape(body, "code_answer")
    assert body["scope"] == "User.Read openid profile"
    assert_shape(part(body["access_token"], 1), "user_token_claims")
    claims = part(body["id_token"], 1)
    assert isinstance(claims.pop("auth_time"), int), "the registration lists it"
    assert_shape(claims, "id_token_claims")
    assert set(part(body["id_token"], 0)) == {"typ", "alg", "kid"}
    claims = part(body["id_token"], 1)
    assert (claims["nonce"], claims["sid"]) == ("the nonce", callback["session_state"])
    assert claims["sub"] not in {claims["oid"], part(body["access_token"], 1)["sub"]}, "pairwise"
