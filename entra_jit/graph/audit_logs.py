"""The directory's audit log: who did what to what. Entries come minutes after what they tell of."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated

from pydantic import AliasChoices, AwareDatetime, Field

from entra_jit.graph import operations
from entra_jit.graph.addresses import guid, literal
from entra_jit.graph.answers import Description, Listing, Resource, null_as
from entra_jit.graph.calls import Calls
from entra_jit.graph.errors import LostPageError
from entra_jit.graph.retry_budget import RetryBudget
from models.messages import ObjectId

_AUDITS = "/auditLogs/directoryAudits"
_PAGE_SIZE = 500

MOST_ENTRIES = 1000
"""The most entries read of one span, newest first: a flooded log must stay readable."""


MOST_PARTS = 64
SMALLEST_PART = timedelta(seconds=1)
"""An answer that breaks off is asked for in smaller parts of its span, so far that one entry costs a dozen reads."""


class InitiatingUser(Description):
    """A person who did it."""

    id: str | None = None
    user_principal_name: str | None = None


class InitiatingApp(Description):
    """An application that did it, Microsoft's own services included. ``appId`` is there and always null."""

    service_principal_id: str | None = None
    display_name: str | None = None


class Initiator(Description):
    """Who did it: one of both, or neither where Microsoft does not say."""

    user: InitiatingUser | None = None
    app: InitiatingApp | None = None


class ModifiedProperty(Description):
    """A property before and after, each as JSON inside a string: ``[true]``, ``"Reports Reader"``."""

    display_name: str | None = None
    old_value: str | None = None
    new_value: str | None = None


class AuditTarget(Description):
    """An object that was touched."""

    id: str | None = None
    type: Annotated[str | None, Field(validation_alias=AliasChoices("type", "Type"))] = None
    """``User``, ``Role``, ``Group``, ``ServicePrincipal``, ``Application``, ``Policy``, …"""
    display_name: str | None = None
    user_principal_name: str | None = None
    modified_properties: tuple[ModifiedProperty, ...] | None = None


class AuditEntry(Resource):
    """One activity."""

    id: str
    activity: Annotated[str, Field(alias="activityDisplayName"), null_as("")] = ""
    """``Add member to role``, ``Update user``, …: Microsoft's names, which change without notice."""
    at: Annotated[AwareDatetime, Field(alias="activityDateTime")]
    result: str | None = None
    """``success``, ``failure`` or ``timeout``."""
    initiated_by: Initiator | None = None
    target_resources: tuple[AuditTarget, ...] | None = None


@dataclass(frozen=True, slots=True)
class UnreadablePart:
    """A part of a span that Microsoft cannot write into an answer."""

    since: datetime
    until: datetime
    request_id: str | None


@dataclass(frozen=True, slots=True)
class AuditListing(Listing[AuditEntry]):
    """The entries of a span, but for its unreadable parts."""

    unreadable: tuple[UnreadablePart, ...] = ()


class AuditLogs:
    """The audit log of one tenant. Microsoft lets it be asked five times in ten seconds; it keeps a week at least."""

    def __init__(self, calls: Calls, *, page_size: int = _PAGE_SIZE) -> None:
        self._calls = calls
        self._page_size = page_size

    async def done_by(
        self, user: ObjectId, since: datetime, until: datetime, patience: RetryBudget | None = None
    ) -> AuditListing:
        """What this account did in the span, both ends included."""
        return await self._list(f"initiatedBy/user/id eq {literal(guid(user))}", since, until, patience)

    async def done_to(
        self, target: ObjectId, since: datetime, until: datetime, patience: RetryBudget | None = None
    ) -> AuditListing:
        """All changes to this object in the span, both ends included."""
        return await self._list(f"targetResources/any(t:t/id eq {literal(guid(target))})", since, until, patience)

    async def _list(self, wanted: str, since: datetime, until: datetime, patience: RetryBudget | None) -> AuditListing:
        """Read the span; where the answer breaks off, read its two halves, down to the smallest part."""
        found: dict[str, AuditEntry] = {}
        unreadable: list[UnreadablePart] = []
        smallest = max((until - since) / MOST_PARTS, SMALLEST_PART)
        parts: list[Listing[AuditEntry]] = []
        spans = [(since, until)]
        while spans and all(part.is_whole for part in parts):
            begin, end = spans.pop()
            try:
                parts.append(await self._read(wanted, begin, end, MOST_ENTRIES - len(found), patience))
            except LostPageError as error:
                if end - begin > smallest:
                    middle = begin + (end - begin) / 2
                    spans += [(begin, middle), (middle, end)]  # the newer one is the next to be read
                elif spans or parts:
                    unreadable.append(UnreadablePart(begin, end, error.request_id))
                else:
                    raise
                continue
            # Both halves have what was done in their middle.
            found |= {entry.id: entry for entry in parts[-1]}
        return AuditListing(tuple(found.values()), parts[-1].evidence, parts[-1].is_whole, tuple(unreadable))

    async def _read(
        self, wanted: str, since: datetime, until: datetime, most: int, patience: RetryBudget | None
    ) -> Listing[AuditEntry]:
        span = f"activityDateTime ge {_moment(since)} and activityDateTime le {_moment(until)}"
        query = {"$filter": f"{span} and {wanted}", "$top": str(self._page_size)}
        return await self._calls.listing(
            operations.READ_AUDIT, _AUDITS, AuditEntry, query, most=most, patience=patience
        )


def _moment(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.{at.microsecond:06}Z"
