"""Rows beyond accounts, groups and applications: what governs a tenant, what is due in it and what is remembered of it.

Times are aware and in UTC, ids are lower-case GUIDs unless said otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from pydantic import JsonValue

from sandbox.directory.roles import packed_guids
from sandbox.directory.rows import TENANT_SCOPE


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivatedRole:
    """A role that the older interface lists, because it was activated or held once. ``id``: template id."""

    id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AdministrativeUnit:
    """A part of the tenant with administrators of its own; a restricted one is closed to everybody else's."""

    id: str
    display_name: str
    description: str | None = None
    visibility: str | None = None
    is_restricted: bool = False
    members: frozenset[str] = frozenset()


ScheduleKind = Literal["assignment", "eligibility"]
ExpirationKind = Literal["notSpecified", "noExpiration", "afterDateTime", "afterDuration"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Expiration:
    """When a schedule ends: in the words in which it was asked for, and the moment that they come to."""

    kind: ExpirationKind = "noExpiration"
    duration: str | None = None
    ends: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleRequest:
    """A request to Privileged Identity Management, and its outcome."""

    id: str
    kind: ScheduleKind
    action: str
    status: str
    principal_id: str
    role_id: str
    scope: str
    created: datetime
    completed: datetime | None
    created_by: tuple[Literal["app", "user"], str]
    starts: datetime | None
    expiration: Expiration
    target_schedule: str | None
    justification: str | None = None
    ticket_number: str | None = None
    ticket_system: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """A role given (or, by eligibility, offered) from one moment to another. ``id``: that of the first request."""

    id: str
    kind: ScheduleKind
    principal_id: str
    role_id: str
    scope: str = TENANT_SCOPE
    created: datetime
    modified: datetime | None = None
    starts: datetime
    expiration: Expiration
    activated: bool = False
    """Whether it came of an eligibility that its holder activated."""

    def is_current(self, now: datetime) -> bool:
        """Whether the role is held at this moment."""
        return self.starts <= now and (self.expiration.ends is None or now < self.expiration.ends)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConditionalAccessPolicy:
    """A policy as Graph shows it; the sandbox keeps it and does not enforce it."""

    id: str
    created: datetime
    modified: datetime | None = None
    properties: dict[str, JsonValue]


@dataclass(frozen=True, slots=True, kw_only=True)
class DelegatedGrant:
    """Scopes that an application may use for people: for one of them, or (``principal_id`` None) for all."""

    id: str
    client_id: str
    """The object id of the client's service principal."""
    resource_id: str
    scope: str
    principal_id: str | None = None


def consent_id(client_id: str, resource_id: str, principal_id: str | None) -> str:
    """The id of a ``DelegatedGrant``: of the client, the resource and, for one person, the person together.

    As recorded by rknightion/graph2otel: 43 characters, or 64 for one person.
    """
    return packed_guids(client_id, resource_id, *([principal_id] if principal_id else []))


@dataclass(frozen=True, slots=True, kw_only=True)
class DelegatedAdminCustomer:
    """A customer of which this tenant is the partner. ``id``: the customer's tenant id."""

    id: str
    display_name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LogRecord:
    """An entry of the audit or the sign-in log, in the form in which Graph shows it."""

    id: str
    at: datetime
    content: dict[str, JsonValue]
