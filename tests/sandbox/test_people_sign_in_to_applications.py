"""An application that trusts a sign-in must be able to: with the real MSAL, from the first page to the refreshed token.

The portal signs technicians and administrators in like this. A sandbox that skipped a step, or gave out what Microsoft
would not, would let a portal through its tests that real people cannot use, or that strangers can.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Iterator

import httpx
import jwt
import msal
import pytest
import requests

from sandbox.child import Addresses
from tests.sandbox.person import (
    CALLBACK,
    SIGN_IN_APP,
    SIGN_IN_SECRET,
    Callback,
    Page,
    Person,
    arrived,
    shown,
)
from tests.sandbox.seeded import ADELE, CONTOSO, ELEVATE, NORTHWIND, Graph, new_user

ADELES = ("adele@contoso.com", "sandbox-only-Adele1")
ADMINS = ("admin@contoso.onmicrosoft.com", "sandbox-only-Admin1")
MANAGING_PEOPLE = [
    "AppRoleAssignment.ReadWrite.All",
    "Application.Read.All",
    "Directory.Read.All",
    "Group.ReadWrite.All",
]
VERIFIER = "a-verifier-that-is-long-enough-for-the-protocol-0123456789"
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).decode().rstrip("=")


@pytest.fixture
def person(login: httpx.Client) -> Person:
    return Person(login)


@pytest.fixture
def session(addresses: Addresses) -> Iterator[requests.Session]:
    with requests.Session() as opened:
        opened.trust_env = False
        opened.verify = addresses.ca_file
        yield opened


@pytest.fixture
def application(addresses: Addresses, session: requests.Session) -> msal.ConfidentialClientApplication:
    return msal.ConfidentialClientApplication(
        SIGN_IN_APP,
        client_credential=SIGN_IN_SECRET,
        authority=f"{addresses.login_url}/organizations",
        instance_discovery=False,
        http_client=session,
    )


@pytest.fixture
def ask(person: Person) -> Callable[..., Page | Callback]:
    """Go to the authorize endpoint as the sign-in application sends people there; changes of "" leave something out."""

    def open_authorize(tenant: str = "organizations", **changes: str) -> Page | Callback:
        asked = {
            "client_id": SIGN_IN_APP,
            "response_type": "code",
            "redirect_uri": CALLBACK,
            "scope": "openid profile offline_access User.Read",
            "state": "the state",
            "nonce": "the nonce",
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
        } | changes
        parameters = {name: value for name, value in asked.items() if value}
        return person.open(f"/{tenant}/oauth2/v2.0/authorize", **parameters)

    return open_authorize


@pytest.fixture
def redeem(login: httpx.Client) -> Callable[..., httpx.Response]:
    def post(code: str, tenant: str = "organizations", **changes: str) -> httpx.Response:
        form = {
            "client_id": SIGN_IN_APP,
            "client_secret": SIGN_IN_SECRET,
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": CALLBACK,
            "code_verifier": VERIFIER,
        } | changes
        form = {name: value for name, value in form.items() if value}
        return login.post(f"/{tenant}/oauth2/v2.0/token", data=form)

    return post


def number(answer: httpx.Response) -> int:
    assert answer.status_code in {400, 401}, answer.text
    return int(answer.json()["error_codes"][0])


def claims_of(token: str, part: int = 1) -> dict[str, object]:
    text = token.split(".")[part]
    return dict(json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))))


@pytest.mark.parametrize("mode", ["query", "form_post"])
def test_msal_signs_a_person_in_and_refreshes(
    application: msal.ConfidentialClientApplication,
    person: Person,
    login: httpx.Client,
    addresses: Addresses,
    session: requests.Session,
    mode: str,
) -> None:
    flow = application.initiate_auth_code_flow(["User.Read"], redirect_uri=CALLBACK, response_mode=mode)
    assert shown(person.open(flow["auth_uri"])).title.startswith("Sign in")
    assert shown(person.sign_in(*ADELES)).title.startswith("Permissions requested")
    callback = arrived(person.press("accept"))
    assert (callback.address, callback.posted) == (CALLBACK, mode == "form_post")
    result = application.acquire_token_by_auth_code_flow(flow, callback.parameters)
    assert result["id_token_claims"]["preferred_username"] == ADELES[0]
    # The signature is checked here because MSAL does not.
    (key,) = login.get(f"/{CONTOSO}/discovery/v2.0/keys").json()["keys"]
    issuer = f"{addresses.login_url}/{CONTOSO}/v2.0"
    verified = jwt.decode(
        result["id_token"], jwt.PyJWK(key).key, algorithms=["RS256"], audience=SIGN_IN_APP, issuer=issuer
    )
    assert (verified["oid"], verified["tid"], verified["ver"]) == (ADELE, CONTOSO, "2.0")
    me = session.get(f"{addresses.graph_url}/me", headers={"Authorization": f"Bearer {result['access_token']}"})
    assert me.json()["id"] == ADELE
    (account,) = application.get_accounts()
    assert account["home_account_id"] == f"{ADELE}.{CONTOSO}"
    renewed = application.acquire_token_silent(["User.Read"], account, force_refresh=True)
    assert renewed["token_source"] == "identity_provider"
    assert claims_of(renewed["access_token"])["oid"] == ADELE


def test_who_is_signed_in_is_not_asked_again_unless_the_application_wants_it(
    ask: Callable[..., Page | Callback], person: Person
) -> None:
    ask()
    person.sign_in(*ADELES)
    first = arrived(person.press("accept")).parameters
    again = arrived(ask()).parameters
    assert again["code"] != first["code"]
    assert again["session_state"] == first["session_state"]
    assert arrived(ask(prompt="none")).parameters["state"] == "the state"
    assert shown(ask(prompt="login")).title.startswith("Sign in")
    assert shown(ask(prompt="consent")).title.startswith("Permissions requested")
    picker = shown(ask(prompt="select_account"))
    assert "adele@contoso.com" in picker.text
    assert "code" in arrived(person.press(f"account:{ADELE}")).parameters
    ask(prompt="select_account")
    person.press("other")
    assert shown(person.sign_in(*ADMINS)).title.startswith("Permissions requested")
    arrived(person.press("accept", everybody="yes"))
    assert shown(ask()).title.startswith("Pick an account")
    assert arrived(ask(prompt="none")).parameters["error"] == "interaction_required"
    assert "code" in arrived(ask(prompt="none", login_hint="ADELE@contoso.com")).parameters


def test_a_sign_in_that_is_too_old_is_done_again_and_says_when(
    ask: Callable[..., Page | Callback], person: Person, redeem: Callable[..., httpx.Response], control: httpx.Client
) -> None:
    """What reveals a secret demands a sign-in of now: a session of this morning must not do."""

    def auth_time(answer: Page | Callback) -> object:
        return claims_of(redeem(arrived(answer).parameters["code"]).json()["id_token"]).get("auth_time")

    control.patch(f"/applications/{SIGN_IN_APP}", json={"optional_claims": []})
    ask()
    person.sign_in(*ADELES)
    assert auth_time(person.press("accept")) is None, "only where the registration lists it"
    control.patch(f"/applications/{SIGN_IN_APP}", json={"optional_claims": ["auth_time"]})
    first = auth_time(ask(max_age="300"))
    assert isinstance(first, int)
    control.post("/clock", json={"advance": 301})
    assert auth_time(ask(max_age="3000")) == first, "recent enough"
    assert arrived(ask(max_age="300", prompt="none")).parameters["error"] == "login_required"
    assert shown(ask(max_age="300")).title.startswith("Enter password")
    again = auth_time(person.press("password", password=ADELES[1]))
    assert isinstance(again, int)
    assert again >= first + 301


def test_app_roles_reach_the_id_token_of_those_who_hold_them(
    ask: Callable[..., Page | Callback],
    person: Person,
    redeem: Callable[..., httpx.Response],
    control: httpx.Client,
    graph: Graph,
) -> None:
    """Who may do what in the portal: one role too many, or one that outlives its removal, is a stranger let in."""

    def roles(username: str, password: str) -> tuple[object, object]:
        ask(prompt="login")
        tokens = redeem(arrived(person.sign_in(username, password)).parameters["code"]).json()
        return claims_of(tokens["id_token"]).get("roles"), claims_of(tokens["access_token"]).get("roles")

    kims, sashas = ("kim@northwindmsp.com", "sandbox-only-Kim1"), ("sasha@northwindmsp.com", "sandbox-only-Sasha1")
    assert roles(*kims) == (["Approver", "Technician"], None), "in the id token alone: Graph's has Graph's permissions"
    assert roles(*sashas) == (None, None)

    grant = {"service_principals": [{"app": ELEVATE, "grant": MANAGING_PEOPLE}]}
    control.post("/tenants/northwind", json=grant)
    client = graph(tenant=NORTHWIND)
    resource = client.get(f"/servicePrincipals(appId='{SIGN_IN_APP}')").json()
    auditor = next(one["id"] for one in resource["appRoles"] if one["value"] == "Auditor")
    sasha = client.get(f"/users/{sashas[0]}").json()["id"]
    group = {"displayName": "Auditors", "mailEnabled": False, "mailNickname": "auditors", "securityEnabled": True}
    inner, outer = (client.post("/groups", json=group).json()["id"] for _ in range(2))
    for holder, member in ((inner, sasha), (outer, inner)):
        reference = {"@odata.id": f"https://graph.microsoft.com/v1.0/directoryObjects/{member}"}
        assert client.post(f"/groups/{holder}/members/$ref", json=reference).status_code == 204
    assigned = f"/servicePrincipals/{resource['id']}/appRoleAssignedTo"

    def give(principal: str) -> httpx.Response:
        body = {"principalId": principal, "resourceId": resource["id"], "appRoleId": auditor}
        return client.post(assigned, json=body)

    assert give(outer).status_code == 201
    assert roles(*sashas) == (None, None), "a member of a member is not assigned"
    made = give(inner)
    assert (made.status_code, made.json()["principalType"]) == (201, "Group")
    assert give(inner).status_code == 400, "twice"
    assert roles(*sashas) == (["Auditor"], None)
    held = client.get(f"/users/{sasha}/appRoleAssignments").json()["value"]
    assert [(one["principalId"], one["appRoleId"]) for one in held] == [(inner, auditor)]
    assert client.delete(f"{assigned}/{made.json()['id']}").status_code == 204
    assert roles(*sashas) == (None, None)


def test_signing_out_ends_the_session_and_goes_only_where_it_may(
    ask: Callable[..., Page | Callback], person: Person
) -> None:
    ask()
    person.sign_in(*ADELES)
    person.press("accept")
    stays = person.open(
        "/common/oauth2/v2.0/logout", post_logout_redirect_uri="https://elsewhere.example/", logout_hint="x@y.example"
    )
    assert shown(stays).title.startswith("Signed out")
    assert "code" in arrived(ask(prompt="none")).parameters, "another person was hinted at"
    goes = arrived(person.open("/common/oauth2/v2.0/logout", post_logout_redirect_uri=CALLBACK, state="bye"))
    assert (goes.address, goes.parameters) == (CALLBACK, {"state": "bye"})
    assert arrived(ask(prompt="none")).parameters["error"] == "login_required"


def test_a_session_of_before_a_revocation_signs_nobody_in(
    ask: Callable[..., Page | Callback], person: Person, redeem: Callable[..., httpx.Response], graph: Graph
) -> None:
    ask()
    person.sign_in(*ADELES)
    held = arrived(person.press("accept")).parameters["code"]
    assert (
        graph(app="5e70ca7e-0000-4000-8000-000000005e70")
        .post(f"/users/{ADELE}/revokeSignInSessions", json={})
        .status_code
        == 200
    )
    assert arrived(ask(prompt="none")).parameters["error"] == "login_required"
    assert number(redeem(held)) == 50173, "a code that was on its way"


def test_a_code_is_good_once_soon_and_for_its_own_application(
    ask: Callable[..., Page | Callback],
    person: Person,
    redeem: Callable[..., httpx.Response],
    control: httpx.Client,
) -> None:
    ask()
    person.sign_in(*ADELES)
    person.press("accept")

    def code() -> str:
        return arrived(ask()).parameters["code"]

    held = code()
    assert number(redeem(held, code_verifier="another-verifier-that-is-long-enough-for-this-0123456789")) == 501481
    assert number(redeem(held, code_verifier="")) == 50148
    assert number(redeem(held, redirect_uri="http://localhost:54321/other")) == 500112
    assert number(redeem(held, tenant="fabrikam.onmicrosoft.com")) == 700005
    assert number(redeem(held, client_id="04b07795-8ddb-461a-bbee-02f9e1bf7b46", client_secret="")) == 70000
    assert number(redeem(held, client_secret="")) == 7000218
    assert number(redeem(held, client_secret="sandbox-only-wrong")) == 7000215
    assert number(redeem("garbage")) == 70000
    tokens = redeem(held, tenant=CONTOSO, client_info="1")
    assert tokens.status_code == 200, "mistakes do not use a code up"
    assert {"refresh_token", "id_token", "client_info"} <= tokens.json().keys()
    assert number(redeem(held)) == 54005
    control.post("/sign-in-service", json={"code_lifetime": 1})
    late = code()
    control.post("/clock", json={"advance": 2})
    assert number(redeem(late)) == 70008


def test_plain_challenges_are_taken_as_microsoft_takes_them(
    ask: Callable[..., Page | Callback], person: Person, redeem: Callable[..., httpx.Response]
) -> None:
    ask(code_challenge=VERIFIER, code_challenge_method="plain")
    person.sign_in(*ADELES)
    assert redeem(arrived(person.press("accept")).parameters["code"]).status_code == 200


def test_applications_without_a_secret_have_rules_of_their_own(
    ask: Callable[..., Page | Callback],
    person: Person,
    redeem: Callable[..., httpx.Response],
    control: httpx.Client,
    login: httpx.Client,
) -> None:
    desktop, browser = "http://localhost/desktop", "http://localhost/spa"
    changed = control.patch(
        f"/applications/{SIGN_IN_APP}", json={"public_redirect_uris": [desktop], "spa_redirect_uris": [browser]}
    )
    assert changed.status_code == 200
    ask(redirect_uri=desktop)
    person.sign_in(*ADELES)
    held = arrived(person.press("accept")).parameters["code"]
    assert number(redeem(held, redirect_uri=desktop)) == 700025
    assert redeem(held, redirect_uri=desktop, client_secret="").status_code == 200
    refused = arrived(ask(redirect_uri=browser, code_challenge="")).parameters
    assert refused["error_description"].startswith("AADSTS9002325")
    held = arrived(ask(redirect_uri=browser)).parameters["code"]
    assert number(redeem(held, redirect_uri=browser, client_secret="")) == 9002327
    form = {
        "client_id": SIGN_IN_APP,
        "grant_type": "authorization_code",
        "code": held,
        "redirect_uri": browser,
        "code_verifier": VERIFIER,
    }
    token = login.post("/organizations/oauth2/v2.0/token", data=form, headers={"Origin": "http://localhost"})
    assert token.status_code == 200, token.text


@pytest.mark.parametrize(
    ("end", "expected"), [("revoke", 50173), ("disable", 50057), ("reset", 50173), ("delete", 50034)]
)
def test_a_refresh_token_of_an_application_ends_with_what_should_end_it(
    ask: Callable[..., Page | Callback],
    person: Person,
    redeem: Callable[..., httpx.Response],
    graph: Graph,
    login: httpx.Client,
    end: str,
    expected: int,
) -> None:
    client = graph(app="5e70ca7e-0000-4000-8000-000000005e70")
    made = graph().post("/users", json=new_user()).json()
    ask()
    person.sign_in(made["userPrincipalName"], "sandbox-only-Correct-1")
    tokens = redeem(arrived(person.press("accept")).parameters["code"]).json()

    def refresh(**changes: str) -> httpx.Response:
        form = {
            "client_id": SIGN_IN_APP,
            "client_secret": SIGN_IN_SECRET,
            "grant_type": "refresh_token",
            "refresh_token": tokens["refresh_token"],
        } | changes
        return login.post(f"/{CONTOSO}/oauth2/v2.0/token", data=form)

    assert refresh().json().keys() >= {"access_token", "refresh_token", "id_token"}
    assert number(refresh(client_secret="sandbox-only-wrong")) == 7000215
    assert number(refresh(scope="https://graph.microsoft.com/Directory.Read.All")) == 65001
    path = f"/users/{made['id']}"
    ends = {
        "revoke": lambda: client.post(f"{path}/revokeSignInSessions", json={}),
        "disable": lambda: client.patch(path, json={"accountEnabled": False}),
        "reset": lambda: client.patch(path, json={"passwordProfile": {"password": "sandbox-only-Z9"}}),
        "delete": lambda: client.delete(path),
    }
    assert ends[end]().status_code in {200, 204}
    assert number(refresh()) == expected


def test_userinfo_knows_the_bearer(
    ask: Callable[..., Page | Callback], person: Person, redeem: Callable[..., httpx.Response], login: httpx.Client
) -> None:
    ask()
    person.sign_in(*ADELES)
    tokens = redeem(arrived(person.press("accept")).parameters["code"]).json()
    found = login.get("/oidc/userinfo", headers={"Authorization": f"Bearer {tokens['access_token']}"}).json()
    assert found["sub"] == claims_of(tokens["id_token"])["sub"]
    assert (found["name"], found["email"]) == ("Adele Vance", "adele@contoso.com")
    assert login.get("/oidc/userinfo", headers={"Authorization": "Bearer garbage"}).status_code == 401
