"""The sign-in log: each attempt of a person to sign in, whether it succeeded or why it did not."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from uuid import UUID, uuid4

from pydantic import JsonValue

from sandbox.clock import seconds
from sandbox.directory.directory import Attempt, AuthenticationStep, Directory
from sandbox.directory.records import LogRecord
from sandbox.directory.rows import SignInMethod, User
from sandbox.directory.tenant import Tenant
from sandbox.exchange import Exchange
from sandbox.graph.app_roles import MICROSOFT_GRAPH_APP_ID
from sandbox.identity.clients import AZURE_CLI, first_party
from sandbox.identity.errors import SignInError
from sandbox.identity.second_factor import is_demanded

_UNKNOWN_USER = str(UUID(int=0))

PASSWORD = AuthenticationStep("Password", "Password in the cloud", "Correct password")
"""Pasted with these words; those of the other steps' results are not known."""
PASS = AuthenticationStep("Temporary Access Pass")
AUTHENTICATOR = AuthenticationStep("Authenticator App")
_PASSKEYS = {"synced": "Passkey (synced)", "deviceBound": "Passkey (device-bound)"}


def passkey_step(used: SignInMethod | None = None) -> AuthenticationStep:
    """The step that a passkey is; without one, of a kind that is not known."""
    if used is None:
        return AuthenticationStep(_PASSKEYS["synced"])
    properties = used.properties
    detail = f"{properties.get('displayName')} - {properties.get('aaGuid')}"
    return AuthenticationStep(_PASSKEYS[str(properties.get("passkeyType"))], detail)


@contextmanager
def attempted(
    directory: Directory, username: str, tenant: Tenant | None, at: datetime, *steps: AuthenticationStep
) -> Iterator[list[AuthenticationStep]]:
    """Note how the attempt inside ends. One whose tenant is not known leaves no trace in any log.

    The steps can be changed inside, where more becomes known of them.
    """
    where = tenant or directory.tenant(username.rpartition("@")[2])
    error_code, reason = 0, None
    shown = list(steps)
    try:
        yield shown
    except SignInError as refusal:
        error_code, reason = refusal.number, refusal.text
        raise
    finally:
        if where is not None:
            directory.attempts.append(Attempt(where.id, username, at, error_code, reason, tuple(shown)))


def interrupted(directory: Directory, refusal: SignInError) -> None:
    """The sign-in of this request, if there was one, has not succeeded yet: a page demands more."""
    if directory.attempts:
        last = directory.attempts[-1]
        directory.attempts[-1] = replace(
            last, error_code=refusal.number, reason=refusal.text, is_interrupted=not last.error_code
        )


def record(directory: Directory, exchange: Exchange | None, app_id: str | None) -> None:
    """Write the attempts of one request into the logs of their tenants."""
    attempts, directory.attempts = directory.attempts, []
    for attempt in attempts:
        if (tenant := directory.tenants.get(attempt.tenant_id)) is not None:
            tenant.sign_ins.put(_entry(directory, tenant, attempt, exchange, app_id or AZURE_CLI))


def _entry(directory: Directory, tenant: Tenant, attempt: Attempt, exchange: Exchange | None, app_id: str) -> LogRecord:
    user = tenant.user(attempt.username)
    application = directory.applications.get(app_id) or first_party(app_id)
    record_id = str(uuid4())
    content: dict[str, JsonValue] = {
        "id": record_id,
        "createdDateTime": seconds(attempt.at),
        "userDisplayName": user.display_name if user else attempt.username,
        "userPrincipalName": (user.user_principal_name if user else attempt.username).lower(),
        "userId": user.id if user else _UNKNOWN_USER,
        "appId": app_id,
        "appDisplayName": application.display_name if application else None,
        "ipAddress": "127.0.0.1",
        "clientAppUsed": "Browser",
        "correlationId": exchange.client_request_id if exchange else record_id,
        "conditionalAccessStatus": "notApplied",
        "isInteractive": True,
        "riskDetail": "none",
        "riskLevelAggregated": "none",
        "riskLevelDuringSignIn": "none",
        "riskState": "none",
        "riskEventTypes": [],
        "riskEventTypes_v2": [],
        "resourceDisplayName": "Microsoft Graph",
        "resourceId": MICROSOFT_GRAPH_APP_ID,
        "status": {
            "errorCode": attempt.error_code,
            "failureReason": attempt.reason or "Other.",
            "additionalDetails": None,
        },
        "deviceDetail": {
            "deviceId": "",
            "displayName": "",
            "operatingSystem": "",
            "browser": "",
            "isCompliant": False,
            "isManaged": False,
            "trustType": "",
        },
        "location": {
            "city": None,
            "state": None,
            "countryOrRegion": tenant.organization.country,
            "geoCoordinates": {"altitude": None, "latitude": None, "longitude": None},
        },
        "appliedConditionalAccessPolicies": [],
    }
    return LogRecord(id=record_id, at=attempt.at, content=content | _in_beta(tenant, user, attempt, app_id))


def _in_beta(tenant: Tenant, user: User | None, attempt: Attempt, app_id: str) -> dict[str, JsonValue]:
    """What the log says of the credentials. A passkey alone counts as one factor where no more was demanded."""
    demanded = user is not None and is_demanded(tenant, user, app_id)
    has_failed = bool(attempt.error_code) and not attempt.is_interrupted
    last = len(attempt.steps) - 1
    return {
        "authenticationRequirement": "multiFactorAuthentication" if demanded else "singleFactorAuthentication",
        "authenticationMethodsUsed": [],
        "authenticationDetails": [
            {
                "authenticationStepDateTime": seconds(attempt.at),
                "authenticationMethod": step.method,
                "authenticationMethodDetail": step.detail,
                "succeeded": not (has_failed and number == last),
                "authenticationStepResultDetail": None if has_failed and number == last else step.result,
                "authenticationStepRequirement": None,
            }
            for number, step in enumerate(attempt.steps)
        ],
        "signInEventTypes": ["interactiveUser"],
    }
