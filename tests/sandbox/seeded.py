"""What the bundled seed contains, by the names that tests use, and the plain protocol in a few lines."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from dataclasses import dataclass

import httpx

from sandbox.child import Addresses

CONTOSO = "c0c0c0c0-2222-4222-8222-000000000002"
NORTHWIND = "0a0a0a0a-1111-4111-8111-000000000001"
FABRIKAM = "fab0fab0-3333-4333-8333-000000000003"
ELEVATE = "e1e7a7e0-0000-4000-8000-00000000e1e7"
REVOKE = "5e70ca7e-0000-4000-8000-000000005e70"
SECRETS = {ELEVATE: "sandbox-only-elevate-secret", REVOKE: "sandbox-only-revoke-secret"}
ADMIN = "c0c0c0c0-2222-4222-8222-0000000000a1"
SECOND_ADMIN = "c0c0c0c0-2222-4222-8222-0000000000a2"
ADELE = "c0c0c0c0-2222-4222-8222-0000000000b1"
HELPDESK = "c0c0c0c0-2222-4222-8222-0000000000b2"
GUEST = "c0c0c0c0-2222-4222-8222-0000000000c1"
SYNCED = "c0c0c0c0-2222-4222-8222-0000000000d1"
GLOBAL_ADMINISTRATOR = "62e90394-69f5-4237-9190-012177145e10"
USER_ADMINISTRATOR = "fe930be7-5e62-47db-91af-98c3a49a38b1"
REPORTS_READER = "4a5d8f65-41da-4de4-8968-e035b65339cf"
PASSWORD = "sandbox-only-Correct-1"
NEW_ACCOUNT = "msp-alex@contoso.onmicrosoft.com"

Graph = Callable[..., httpx.Client]


@dataclass(frozen=True)
class Refusal:
    """An answer's error, as tests compare it."""

    status: int
    code: str
    message: str


def refusal(answer: httpx.Response) -> Refusal:
    error = answer.json()["error"]
    return Refusal(answer.status_code, error["code"], error["message"])


def new_user(**changes: object) -> dict[str, object]:
    """The body that makes an account; a change of None leaves a property out."""
    body: dict[str, object] = {
        "accountEnabled": True,
        "displayName": "MSP Alex",
        "mailNickname": "msp-alex",
        "userPrincipalName": NEW_ACCOUNT,
        "passwordProfile": {"password": PASSWORD, "forceChangePasswordNextSignIn": False},
    } | changes
    return {name: value for name, value in body.items() if value is not None}


def trusting(addresses: Addresses) -> ssl.SSLContext:
    """Trust in this sandbox's certificate authority and in no other."""
    return ssl.create_default_context(cafile=addresses.ca_file)


def token_of(login: httpx.Client, app: str = ELEVATE, tenant: str = CONTOSO) -> str:
    """An app-only Graph token, by the plain protocol."""
    form = {
        "client_id": app,
        "client_secret": SECRETS[app],
        "grant_type": "client_credentials",
        "scope": "https://graph.microsoft.com/.default",
    }
    answer = login.post(f"/{tenant}/oauth2/v2.0/token", data=form)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["access_token"])
