"""What was closed beside the grants' own workflows: by whom and why, entered before the first write.

A reconciliation that dies with its worker reports nothing; without this record its closings would be unexplained.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from uuid import UUID

from pydantic import AwareDatetime
from sqlmodel.ext.asyncio.session import AsyncSession

from entra_jit.ledger import events
from entra_jit.ledger.events import NewEvent
from models.actor import Actor
from models.events import EventKind
from models.message import Message
from models.messages import DirectoryCall, ObjectId, Step, TenantId
from models.sweep import SweepFinding
from models.tables import GrantRow


class Began(Message):
    """What is about to be closed, and why."""

    object_id: ObjectId
    account_name: str
    because: str
    found_enabled: bool
    """The account allowed a sign-in until then."""
    began_at: AwareDatetime


class Reported(Message):
    """How far it has come."""

    disabled_at: AwareDatetime | None = None
    proven_at: AwareDatetime | None = None
    """When the directory said that the account is closed; None: it was not read back so."""
    calls: tuple[DirectoryCall, ...] = ()
    findings: tuple[SweepFinding, ...] = ()
    """What it had that was not of its grant, and was taken from it."""


class Told(Began, Reported):
    """What was closed, by whom and why, and how that went."""

    by: Actor

    @property
    def step(self) -> Step:
        """The intervention as a receipt tells it."""
        at = self.disabled_at or self.began_at
        return Step(name=f"closed by {self.by}", at=at, note=self.because, calls=self.calls)


async def begin(session: AsyncSession, tenant_id: TenantId, by: Actor, began: Began, request_id: str | None) -> int:
    """Enter what is about to be closed; its number. ``request_id``: the grant that holds the account, if one does."""
    body = began.model_dump(mode="json")
    new = NewEvent(EventKind.INTERVENTION_BEGAN, by, body, request_id, UUID(tenant_id))
    [number] = await events.append(session, new)
    return number


async def report(
    session: AsyncSession, number: int, tenant_id: TenantId, by: Actor, reported: Reported, request_id: str | None
) -> None:
    """Enter how it went. The last report counts, which knows all that those before it knew."""
    body = {"intervention": number, **reported.model_dump(mode="json")}
    new = NewEvent(EventKind.INTERVENTION_REPORTED, by, body, request_id, UUID(tenant_id))
    await events.append(session, new)


async def of_request(session: AsyncSession, request_id: str) -> Sequence[Told]:
    """What was closed for a grant beside its workflow, in the order in which it began."""
    return (await _of_requests(session, [request_id])).get(request_id, ())


async def proofs(session: AsyncSession, grants: Iterable[GrantRow]) -> dict[str, Told]:
    """By request, what has closed the account of a grant that is not settled since it was opened, and read it back."""
    opened = {grant.request_id: grant.opened_at for grant in grants if grant.opened_at and not grant.settled_at}
    proven: dict[str, Told] = {}
    for request_id, told in (await _of_requests(session, list(opened))).items():
        if found := [one for one in told if one.proven_at and one.proven_at >= opened[request_id]]:
            proven[request_id] = found[-1]
    return proven


async def _of_requests(session: AsyncSession, request_ids: Sequence[str]) -> dict[str, list[Told]]:
    if not request_ids:
        return {}
    told: dict[int, Told] = {}
    whose: dict[int, str] = {}
    kinds = EventKind.INTERVENTION_BEGAN, EventKind.INTERVENTION_REPORTED
    for event in await events.of_requests(session, request_ids, *kinds):
        if event.kind is EventKind.INTERVENTION_BEGAN:
            told[event.id] = Told.model_validate({**event.body, "by": event.actor})
            whose[event.id] = event.request_id or ""
        elif began := told.get(event.body["intervention"]):
            told[event.body["intervention"]] = Told.model_validate({**began.model_dump(), **event.body})
    found: dict[str, list[Told]] = {}
    for number, one in sorted(told.items(), key=lambda item: item[1].began_at):
        found.setdefault(whose[number], []).append(one)
    return found
