"""One thing that happened, in the words of the audit log, and who did it."""

from __future__ import annotations

import json
import secrets
import string
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from pydantic import JsonValue

from sandbox.clock import ticks
from sandbox.directory.records import LogRecord

_LETTERS = string.ascii_uppercase + string.digits


@dataclass(frozen=True, slots=True)
class Modified:
    """A property before and after. The log writes both as JSON inside a string."""

    name: str
    old: JsonValue
    new: JsonValue

    def shown(self) -> dict[str, JsonValue]:
        return {"displayName": self.name, "oldValue": _quoted(self.old), "newValue": _quoted(self.new)}


def _quoted(value: JsonValue) -> str | None:
    return None if value is None else json.dumps(value, separators=(",", ":"))


@dataclass(frozen=True, slots=True)
class Target:
    """An object that was touched; ``kind`` in the log's words (``User``, ``Role``, ``ServicePrincipal``)."""

    id: str | None
    display_name: str | None
    kind: str
    user_principal_name: str | None = None
    modified: tuple[Modified, ...] = ()

    def shown(self) -> dict[str, JsonValue]:
        return {
            "id": self.id,
            "displayName": self.display_name,
            "type": self.kind,
            "userPrincipalName": self.user_principal_name,
            "groupType": "unknownFutureValue" if self.kind == "Group" else None,
            "modifiedProperties": [one.shown() for one in self.modified],
        }


@dataclass(frozen=True, slots=True)
class Activity:
    """What was done to what, under the name by which the log knows it."""

    name: str
    category: str | None
    """None, which Graph cannot write: each read of a page with it breaks off."""
    operation: Literal["Add", "Update", "Delete", "Assign", "Unassign", "AdminRegistered", "AdminDeleted"]
    targets: tuple[Target, ...]
    service: str = "Core Directory"
    reason: str = ""
    by_target: bool = False
    """Done by the account itself, through any interface."""


@dataclass(frozen=True, slots=True)
class Author:
    """Who did it and under which ids. ``source``: Graph, the sign-in service, the control interface, or time itself."""

    source: Literal["graph", "signIn", "control", "time"]
    initiated_by: Mapping[str, JsonValue]
    correlation_id: str
    at: datetime
    user_agent: str | None = None
    details: Mapping[str, str] = field(default_factory=dict)


def entry(activity: Activity, author: Author) -> LogRecord:
    """The log's entry about this activity."""
    suffix = "".join(secrets.choice(_LETTERS) for _ in range(5))
    record_id = f"Directory_{author.correlation_id}_{suffix}_{secrets.randbelow(10**8)}"
    details = ({"User-Agent": author.user_agent} if author.user_agent else {}) | dict(author.details)
    return LogRecord(
        id=record_id,
        at=author.at,
        content={
            "id": record_id,
            "category": activity.category,
            "correlationId": author.correlation_id,
            "result": "success",
            "resultReason": activity.reason,
            "activityDisplayName": activity.name,
            "activityDateTime": ticks(author.at),
            "loggedByService": activity.service,
            "operationType": activity.operation,
            "initiatedBy": {"user": None, "app": None, **author.initiated_by},
            "targetResources": [target.shown() for target in activity.targets],
            "additionalDetails": [{"key": key, "value": value} for key, value in details.items()],
        },
    )
