"""A refusal that goes astray leaks: what is wrong with the address stays on the page, all else goes to the application.

The demands that stand between a right password and an answer are here too: a second factor, an own password, a policy.
"""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest

from tests.sandbox.person import CALLBACK, SIGN_IN_APP, Callback, Page, Person, arrived, shown
from tests.sandbox.seeded import ADELE, ELEVATE, NEW_ACCOUNT, PASSWORD, REVOKE, Graph, new_user

ADELES = ("adele@contoso.com", "sandbox-only-Adele1")
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


@pytest.fixture
def person(login: httpx.Client) -> Person:
    return Person(login)


@pytest.fixture
def ask(person: Person) -> Callable[..., Page | Callback]:
    def open_authorize(tenant: str = "organizations", **changes: str) -> Page | Callback:
        asked = {
            "client_id": SIGN_IN_APP,
            "response_type": "code",
            "redirect_uri": CALLBACK,
            "scope": "openid profile",
            "state": "the state",
        } | changes
        return person.open(f"/{tenant}/oauth2/v2.0/authorize", **{name: text for name, text in asked.items() if text})

    return open_authorize


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"redirect_uri": "https://elsewhere.example/auth/callback"}, 50011),
        ({"redirect_uri": "http://localhost/auth/callback/"}, 50011),
        ({"redirect_uri": "http://localhost/AUTH/callback"}, 50011),
        ({"redirect_uri": "https://localhost/auth/callback"}, 50011),
        ({"redirect_uri": CALLBACK + "?x=1"}, 50011),
        ({"client_id": ELEVATE}, 500113),
        ({"client_id": "11111111-2222-4333-8444-555555555555"}, 700016),
        ({"client_id": ""}, 900144),
        ({"tenant": "nowhere.example"}, 90002),
        ({"tenant": "nonsense"}, 900023),
    ],
)
def test_what_is_wrong_with_the_way_back_stays_on_the_page(
    ask: Callable[..., Page | Callback], control: httpx.Client, changes: dict[str, str], expected: int
) -> None:
    control.patch(f"/applications/{ELEVATE}", json={"redirect_uris": []}).raise_for_status()
    page = shown(ask(**changes))
    assert page.status == 400
    assert f"AADSTS{expected}" in page.text
    assert "Correlation Id" in page.text


@pytest.mark.parametrize(
    ("changes", "error", "expected"),
    [
        ({"response_type": ""}, "invalid_request", 900144),
        ({"response_type": "token"}, "unsupported_response_type", 70005),
        ({"response_type": "id_token"}, "unsupported_response", 700054),
        ({"response_mode": "carrier_pigeon"}, "invalid_request", 70007),
        ({"scope": ""}, "invalid_request", 900144),
        ({"scope": "openid No.Such.Scope"}, "invalid_client", 650053),
        ({"scope": "https://elsewhere.example/x"}, "invalid_resource", 500011),
        ({"scope": ".default User.Read"}, "invalid_scope", 70011),
        ({"prompt": "nicely"}, "invalid_request", 90023),
        ({"prompt": "none"}, "login_required", 50058),
        ({"code_challenge": "short", "code_challenge_method": "S256"}, "invalid_request", 501491),
        ({"code_challenge": CHALLENGE, "code_challenge_method": "S512"}, "invalid_request", 50149),
    ],
)
def test_all_else_is_for_the_application(
    ask: Callable[..., Page | Callback], changes: dict[str, str], error: str, expected: int
) -> None:
    told = arrived(ask(**changes))
    assert told.address == CALLBACK
    assert (told.parameters["error"], told.parameters["state"]) == (error, "the state")
    assert told.parameters["error_description"].startswith(f"AADSTS{expected}: ")
    assert told.parameters["error_uri"].endswith(f"/error?code={expected}")


def test_an_id_token_comes_from_the_authorize_endpoint_only_where_that_is_enabled(
    ask: Callable[..., Page | Callback], person: Person, control: httpx.Client
) -> None:
    control.patch(f"/applications/{SIGN_IN_APP}", json={"issues_id_tokens": True})
    hybrid = {"response_type": "code id_token", "nonce": "the nonce"}
    assert "AADSTS70007" in arrived(ask(**hybrid, response_mode="query")).parameters["error_description"]
    ask(**hybrid, response_mode="form_post")
    person.sign_in(*ADELES)
    given = arrived(person.press("accept"))
    assert given.posted
    assert given.parameters.keys() >= {"code", "id_token", "state", "session_state"}


def test_somebody_of_another_tenant_is_told_so(ask: Callable[..., Page | Callback], person: Person) -> None:
    ask("fabrikam.onmicrosoft.com")
    page = shown(person.sign_in(*ADELES))
    assert "AADSTS50020" in page.text
    back = next(action for action in page.actions if action.startswith(CALLBACK))
    assert "error_description=AADSTS50020" in back
    assert shown(person.press("other")).title.startswith("Sign in"), "with another account it might do"


def test_mistakes_of_people_stay_between_them_and_the_page(
    ask: Callable[..., Page | Callback], person: Person, graph: Graph
) -> None:
    ask()
    assert "AADSTS90002" in shown(person.press("username", username="x@nowhere.example")).text
    assert "AADSTS50034" in shown(person.press("username", username="nobody@contoso.com")).text
    assert "elsewhere" in shown(person.press("username", username="worker@fabrikam.com")).text
    person.press("other")
    assert "AADSTS50126" in shown(person.sign_in(ADELES[0], "sandbox-only-wrong")).text
    person.press("use-pass")
    assert "AADSTS130507" in shown(person.press("pass", temporary_access_pass="no-such-pass")).text
    person.press("use-password")
    graph(REVOKE).patch(f"/users/{ADELE}", json={"accountEnabled": False})
    assert "AADSTS50057" in shown(person.press("password", password=ADELES[1])).text


def test_declining_is_the_persons_right(ask: Callable[..., Page | Callback], person: Person) -> None:
    ask()
    person.sign_in(*ADELES)
    told = arrived(person.press("decline")).parameters
    assert (told["error"], told["error_subcode"], told["state"]) == ("access_denied", "cancel", "the state")
    assert told["error_description"].startswith("AADSTS65004: ")
    assert shown(ask()).title.startswith("Permissions requested"), "nothing was granted"
    assert arrived(ask(prompt="none")).parameters["error"] == "consent_required"


def test_what_only_administrators_can_grant_is_not_asked_of_others(
    ask: Callable[..., Page | Callback], person: Person, control: httpx.Client
) -> None:
    ask(scope="openid Directory.Read.All")
    assert "AADSTS90094" in shown(person.sign_in(*ADELES)).text
    control.post("/tenants/contoso/sign-in-policy", json={"users_may_consent": False})
    assert "AADSTS90094" in shown(ask()).text, "in a tenant without user consent"


def test_a_second_factor_is_registered_and_then_asked_for(
    ask: Callable[..., Page | Callback], person: Person, control: httpx.Client, login: httpx.Client
) -> None:
    control.post("/tenants/contoso/sign-in-policy", json={"require_mfa": True})

    def code() -> str:
        return str(control.get(f"/tenants/contoso/users/{ADELE}/verification-code").json()["code"])

    ropc = {
        "client_id": "04b07795-8ddb-461a-bbee-02f9e1bf7b46",
        "grant_type": "password",
        "username": ADELES[0],
        "password": ADELES[1],
        "scope": "openid",
    }
    assert login.post("/organizations/oauth2/v2.0/token", data=ropc).json()["error_codes"] == [50079]
    ask()
    assert shown(person.sign_in(*ADELES)).title.startswith("Keep your account secure")
    assert "not the code" in shown(person.press("code", code="000 000")).text
    assert shown(person.press("code", code=code())).title.startswith("Permissions requested")
    arrived(person.press("accept"))
    (method,) = control.get(f"/tenants/contoso/users/{ADELE}").json()["methods"]
    assert method["kind"] == "microsoftAuthenticator", "a way in that a closing has to find"
    assert "code" in arrived(ask()).parameters, "the session remembers the factor"
    assert login.post("/organizations/oauth2/v2.0/token", data=ropc).json()["error_codes"] == [50076]
    ask(prompt="login")
    assert shown(person.sign_in(*ADELES)).title.startswith("Verify your identity")
    assert "code" in arrived(person.press("code", code=code())).parameters


def test_a_pass_is_asked_for_first_and_is_factor_enough(
    ask: Callable[..., Page | Callback], person: Person, control: httpx.Client, graph: Graph, account: str
) -> None:
    control.post("/tenants/contoso/sign-in-policy", json={"require_mfa": True})
    held = graph().post(f"/users/{account}/authentication/temporaryAccessPassMethods", json={"isUsableOnce": True})
    ask()
    assert shown(person.press("username", username=NEW_ACCOUNT)).title.startswith("Enter Temporary Access Pass")
    consent = person.press("pass", temporary_access_pass=held.json()["temporaryAccessPass"])
    assert shown(consent).title.startswith("Permissions requested")
    assert "code" in arrived(person.press("accept")).parameters
    ask(prompt="login")
    assert shown(person.press("username", username=NEW_ACCOUNT)).title.startswith("Enter password"), "it is used up"


def test_a_lent_password_has_to_be_changed_first(
    ask: Callable[..., Page | Callback], person: Person, control: httpx.Client, graph: Graph
) -> None:
    graph().post("/users", json=new_user(passwordProfile={"password": PASSWORD, "forceChangePasswordNextSignIn": True}))
    ask()
    assert shown(person.sign_in(NEW_ACCOUNT, PASSWORD)).title.startswith("Update your password")
    for wanted, confirmed in (("short", "short"), (PASSWORD, PASSWORD), ("sandbox-only-New-1", "sandbox-only-New-2")):
        again = person.press("new-password", new_password=wanted, confirmed_password=confirmed)
        assert shown(again).title.startswith("Update your password")
    own = "sandbox-only-Own-1"
    assert shown(person.press("new-password", new_password=own, confirmed_password=own)).title.startswith("Permissions")
    assert "code" in arrived(person.press("accept")).parameters
    assert control.post("/sign-in", json={"username": NEW_ACCOUNT, "password": PASSWORD}).status_code == 401
    assert control.post("/sign-in", json={"username": NEW_ACCOUNT, "password": own}).status_code == 200


def test_a_policy_blocks_people_who_did_everything_right(
    ask: Callable[..., Page | Callback], person: Person, control: httpx.Client
) -> None:
    control.post("/tenants/contoso/sign-in-policy", json={"block_people": True})
    ask()
    assert "AADSTS53003" in shown(person.sign_in(*ADELES)).text
    assert arrived(ask(prompt="none")).parameters["error_description"].startswith("AADSTS53003")


def test_a_page_of_somebody_elses_making_leads_nowhere(
    ask: Callable[..., Page | Callback], person: Person, login: httpx.Client
) -> None:
    ask()
    assert person.page is not None
    person.page.fields["ctx"] = person.page.fields["ctx"][:-4] + "AAAA"
    assert "AADSTS9002313" in shown(person.press("username", username=ADELES[0])).text
    page = login.get("/organizations/oauth2/v2.0/authorize", params={"client_id": "unknown"})
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert page.headers["x-frame-options"] == "DENY"
    assert "<script" not in page.text
