"""Onboarding a customer begins with this page: what it grants must be what Graph then allows; a callback is no proof.

Quirks included: ``admin_consent=True`` comes with a refusal too, and a token from before consent stays without roles.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable

import httpx
import pytest

from tests.sandbox.person import CONSENT_CALLBACK, Callback, Page, Person, arrived, shown
from tests.sandbox.seeded import ADMIN, CONTOSO, ELEVATE, SECRETS, token_of

ADMINS = ("admin@contoso.onmicrosoft.com", "sandbox-only-Admin1")
DEFAULT = "https://graph.microsoft.com/.default"


@pytest.fixture
def person(login: httpx.Client) -> Person:
    return Person(login)


@pytest.fixture
def unknown_here(control: httpx.Client) -> None:
    """Contoso has never heard of the application."""
    control.patch(f"/applications/{ELEVATE}", json={"redirect_uris": ["http://localhost/consent/callback"]})
    assert control.delete(f"/tenants/contoso/applications/{ELEVATE}").status_code == 200


@pytest.fixture
def ask(person: Person, unknown_here: None) -> Callable[..., Page | Callback]:
    def open_consent(version: str = "v2.0", tenant: str = "organizations", **changes: str) -> Page | Callback:
        asked = {"client_id": ELEVATE, "redirect_uri": CONSENT_CALLBACK, "state": "the state"}
        if version == "v2.0":
            asked["scope"] = DEFAULT
        path = f"/{tenant}/v2.0/adminconsent" if version == "v2.0" else f"/{tenant}/adminconsent"
        parameters = {name: value for name, value in (asked | changes).items() if value}
        return person.open(path, **parameters)

    return open_consent


def roles(token: str) -> list[str]:
    text = token.split(".")[1]
    return list(json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))).get("roles", []))


def in_contoso(control: httpx.Client) -> dict[str, object] | None:
    principals = control.get("/tenants/contoso").json()["service_principals"]
    return next((one for one in principals if one["app_id"] == ELEVATE), None)


def test_before_consent_the_application_is_unknown(login: httpx.Client, unknown_here: None) -> None:
    form = {
        "client_id": ELEVATE,
        "client_secret": SECRETS[ELEVATE],
        "grant_type": "client_credentials",
        "scope": DEFAULT,
    }
    assert login.post(f"/{CONTOSO}/oauth2/v2.0/token", data=form).json()["error_codes"] == [7000229]


def test_consent_makes_the_service_principal_and_grants_the_manifest(
    ask: Callable[..., Page | Callback], person: Person, control: httpx.Client, login: httpx.Client
) -> None:
    ask()
    page = shown(person.sign_in(*ADMINS))
    assert page.title.startswith("Permissions requested")
    assert "RoleManagement.ReadWrite.Directory" in page.text
    answer = arrived(person.press("accept"))
    assert answer.address == CONSENT_CALLBACK
    assert answer.parameters == {
        "admin_consent": "True",
        "tenant": CONTOSO,
        "scope": DEFAULT,
        "state": "the state",
    }
    made = in_contoso(control)
    assert made is not None
    manifest = control.get(f"/applications/{ELEVATE}").json()["required_permissions"]
    assert made["permissions"] == manifest
    assert made["roles"] == [], "directory roles are another step"
    token = token_of(login)
    assert roles(token) == manifest
    graph = login.get("/v1.0/organization", headers={"Authorization": f"Bearer {token}"})
    assert graph.json()["value"][0]["id"] == CONTOSO


def test_consent_is_listed_as_app_role_assignments(
    ask: Callable[..., Page | Callback], person: Person, control: httpx.Client, login: httpx.Client
) -> None:
    control.patch(f"/applications/{ELEVATE}", json={"required_permissions": ["Application.Read.All", "User.Read.All"]})
    ask()
    person.sign_in(*ADMINS)
    person.press("accept")
    made = in_contoso(control)
    assert made is not None
    listed = login.get(
        f"/v1.0/servicePrincipals/{made['id']}/appRoleAssignments",
        headers={"Authorization": f"Bearer {token_of(login)}"},
    )
    assert {one["appRoleId"] for one in listed.json()["value"]} == {
        "9a5d68dd-52b0-4cc2-bd40-abcf44ac3a30",
        "df021288-bdef-4463-88db-98f22de89214",
    }


def test_the_older_form_answers_in_its_own_way(
    ask: Callable[..., Page | Callback], person: Person, control: httpx.Client
) -> None:
    ask("v1", "contoso.com")
    person.sign_in(*ADMINS)
    assert arrived(person.press("decline")).parameters == {
        "error": "access_denied",
        "error_subcode": "cancel",
        "state": "the state",
    }
    assert in_contoso(control) is None
    ask("v1", "contoso.com")
    answer = arrived(person.press("accept")).parameters
    assert list(answer.items()) == [("tenant", CONTOSO), ("state", "the state"), ("admin_consent", "True")]


def test_a_refusal_says_admin_consent_true_as_well(
    ask: Callable[..., Page | Callback], person: Person, control: httpx.Client
) -> None:
    ask()
    person.sign_in(*ADMINS)
    answer = arrived(person.press("decline")).parameters
    assert (answer["error"], answer["admin_consent"], answer["state"]) == ("consent_required", "True", "the state")
    assert answer["error_description"].startswith("AADSTS65004: ")
    assert "tenant" not in answer
    assert in_contoso(control) is None


def test_only_administrators_can_grant(
    ask: Callable[..., Page | Callback], person: Person, control: httpx.Client
) -> None:
    ask()
    assert "AADSTS90094" in shown(person.sign_in("helpdesk@contoso.com", "sandbox-only-Helpdesk1")).text
    assert person.page is not None
    person.page.actions["accept"] = "a button that the page does not have"
    assert "AADSTS90094" in shown(person.press("accept")).text
    assert in_contoso(control) is None
    person.press("other")
    assert shown(person.sign_in(*ADMINS)).title.startswith("Permissions requested")


def test_an_administrator_consents_for_the_own_tenant_only(
    ask: Callable[..., Page | Callback], person: Person, control: httpx.Client
) -> None:
    ask(tenant="fabrikam.onmicrosoft.com")
    assert "AADSTS50020" in shown(person.sign_in(*ADMINS)).text
    assert in_contoso(control) is None


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"redirect_uri": "https://elsewhere.example/"}, 50011),
        ({"scope": ""}, 900144),
        ({"client_id": ""}, 900144),
        ({"client_id": "11111111-2222-4333-8444-555555555555"}, 700016),
    ],
)
def test_a_wrong_request_is_told_on_the_page(
    ask: Callable[..., Page | Callback], changes: dict[str, str], expected: int
) -> None:
    assert f"AADSTS{expected}" in shown(ask(**changes)).text


def test_what_is_granted_or_withdrawn_shows_in_tokens_only_after_a_while(
    ask: Callable[..., Page | Callback], person: Person, control: httpx.Client, login: httpx.Client
) -> None:
    control.post("/sign-in-service", json={"permission_delay": 60})
    ask()
    person.sign_in(*ADMINS)
    person.press("accept")
    early = token_of(login)
    assert roles(early) == []
    control.post("/clock", json={"advance": 61})
    late = token_of(login)
    assert "User.ReadWrite.All" in roles(late)
    organization = {
        token: login.get("/v1.0/organization", headers={"Authorization": f"Bearer {token}"}).status_code
        for token in (early, late)
    }
    assert (organization[early], organization[late]) == (403, 200), "a token says what was known when it was made"
    withdraw = {"service_principals": [{"app": ELEVATE, "withdraw": ["User.ReadWrite.All"]}]}
    control.post("/tenants/contoso", json=withdraw)
    assert "User.ReadWrite.All" in roles(token_of(login))
    control.post("/clock", json={"advance": 61})
    assert "User.ReadWrite.All" not in roles(token_of(login))


def test_the_audit_log_names_who_consented(
    ask: Callable[..., Page | Callback], person: Person, control: httpx.Client, login: httpx.Client
) -> None:
    control.patch(f"/applications/{ELEVATE}", json={"required_permissions": ["AuditLog.Read.All"]})
    ask()
    person.sign_in(*ADMINS)
    person.press("accept")
    audits = login.get(
        "/v1.0/auditLogs/directoryAudits", headers={"Authorization": f"Bearer {token_of(login)}"}
    ).json()["value"]
    consents = [one for one in audits if one["activityDisplayName"] == "Consent to application"]
    assert [one["initiatedBy"]["user"]["id"] for one in consents] == [ADMIN]
