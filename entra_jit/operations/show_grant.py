"""Everything that a grant's page shows: where it stands, what was asked, and each thing that happened."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from entra_jit.app import App
from entra_jit.identity.authorize import Verb
from entra_jit.ledger import configuration, events, grants, requests, statuses
from entra_jit.ledger.rows import as_request
from entra_jit.operations._asking import asks
from entra_jit.operations.show_status import show_status, show_status_and_tries
from models.actor import Actor
from models.events import Event
from models.messages import AccessRequest, GrantStatus


class Seen(NamedTuple):
    """How much of the journal of a request was seen.

    Not the last id alone: ids are not handed out in the order of commits, so one may come in before it.
    """

    last: int
    entries: int


@dataclass(frozen=True)
class ShownGrant:
    """A request with its grant, by the ledger alone but for one that no worker has taken there yet."""

    status: GrantStatus
    request: AccessRequest | None
    """None: it is in Temporal alone."""
    requested_by: Actor | None
    decided_at: datetime | None
    customer: str
    """What the tenant is called for people."""
    armed_at: datetime | None
    """When its time began."""
    parked_at: datetime | None
    closing_at: datetime | None
    longest_until: datetime | None
    """Until when it may be extended; None: it has no expiry yet, or is over."""
    events: tuple[Event, ...]

    @property
    def seen(self) -> Seen:
        """How much this is."""
        return Seen(max((event.id for event in self.events), default=0), len(self.events))


@asks(Verb.SHOW_STATUS)
async def show_grant(actor: Actor, app: App, request_id: str, *, tries: bool = False) -> ShownGrant:
    """The request with all that happened to it. Raises ``NotFoundError``.

    ``tries``: with the steps that are refused and tried again, as far as Temporal answers within a few seconds.
    """
    async with app.ledger.transaction() as session:
        # Before the state: what happens in between is told by an event that was not seen, and has the page read anew.
        journal = await events.of_request(session, request_id)
        # One statement reads request, grant and receipt; what follows is what that has read.
        status = await statuses.of_request(session, request_id, app.clock())
        row = await requests.by_id(session, request_id)
        grant = await grants.by_id(session, request_id)
        tenant = await configuration.tenant_by_name(session, row.tenant if row else request_id.partition("/")[0])
    customer = tenant.display_name if tenant else row.tenant if row else request_id
    if row is None or status is None:
        known = await show_status(actor, app, request_id)
        return ShownGrant(known, None, None, None, customer, None, None, None, None, tuple(journal))
    if tries:
        status = await show_status_and_tries(actor, app, request_id)
    is_open = grant is not None and grant.armed_at is not None and grant.closing_at is None
    return ShownGrant(
        status=status,
        request=as_request(row),
        requested_by=row.requested_by,
        decided_at=row.decided_at,
        customer=customer,
        armed_at=grant.armed_at if grant else None,
        parked_at=grant.parked_at if grant else None,
        closing_at=grant.closing_at if grant else None,
        longest_until=grant.armed_at + tenant.max_duration if is_open and grant and grant.armed_at and tenant else None,
        events=tuple(journal),
    )
