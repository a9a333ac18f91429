"""The sign-in log: each attempt of a person to sign in, whether it succeeded or why it did not."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from uuid import UUID, uuid4

from pydantic import JsonValue

from sandbox.clock import seconds
from sandbox.directory.directory import Attempt, Directory
from sandbox.directory.records import LogRecord
from sandbox.directory.tenant import Tenant
from sandbox.exchange import Exchange
from sandbox.graph.app_roles import MICROSOFT_GRAPH_APP_ID
from sandbox.identity.errors import SignInError

_UNKNOWN_USER = str(UUID(int=0))
_FIRST_PARTY = {
    "04b07795-8ddb-461a-bbee-02f9e1bf7b46": "Microsoft Azure CLI",
    "14d82eec-204b-4c2f-b7e8-296a70dab67e": "Microsoft Graph Command Line Tools",
}
_AZURE_CLI = next(iter(_FIRST_PARTY))


@contextmanager
def attempted(directory: Directory, username: str, tenant: Tenant | None, at: datetime) -> Iterator[None]:
    """Note how the attempt inside ends. One whose tenant is not known leaves no trace in any log."""
    where = tenant or directory.tenant(username.rpartition("@")[2])
    error_code, reason = 0, None
    try:
        yield
    except SignInError as refusal:
        error_code, reason = refusal.number, refusal.text
        raise
    finally:
        if where is not None:
            directory.attempts.append(Attempt(where.id, username, at, error_code, reason))


def record(directory: Directory, exchange: Exchange | None, app_id: str | None) -> None:
    """Write the attempts of one request into the logs of their tenants."""
    attempts, directory.attempts = directory.attempts, []
    for attempt in attempts:
        if (tenant := directory.tenants.get(attempt.tenant_id)) is not None:
            tenant.sign_ins.put(_entry(directory, tenant, attempt, exchange, app_id or _AZURE_CLI))


def _entry(directory: Directory, tenant: Tenant, attempt: Attempt, exchange: Exchange | None, app_id: str) -> LogRecord:
    user = tenant.user(attempt.username)
    application = directory.applications.get(app_id)
    record_id = str(uuid4())
    content: dict[str, JsonValue] = {
        "id": record_id,
        "createdDateTime": seconds(attempt.at),
        "userDisplayName": user.display_name if user else attempt.username,
        "userPrincipalName": (user.user_principal_name if user else attempt.username).lower(),
        "userId": user.id if user else _UNKNOWN_USER,
        "appId": app_id,
        "appDisplayName": application.display_name if application else _FIRST_PARTY.get(app_id),
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
    return LogRecord(id=record_id, at=attempt.at, content=content)
