"""What happened to a request, as lines of its page. Each is said of what was answered or read back, never of a plan."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from entra_jit.operations.show_grant import ShownGrant
from models.actor import ActorKind
from models.events import Event, EventKind
from models.messages import GrantState, Receipt, Standing


class Mark(StrEnum):
    """What stands before a line. The word is for those who do not see the sign."""

    DONE = "done"
    COMING = "to come"
    TROUBLE = "trouble"


@dataclass(frozen=True)
class Line:
    """One thing that happened, or will."""

    at: datetime
    mark: Mark
    text: str
    until: datetime | None = None
    """A point in time that the text ends with."""
    by: str = ""
    evidence: str = ""
    """Microsoft's number for its answer."""


SAID = {
    EventKind.DOMAIN_VALIDATED: "Domain verified and managed",
    EventKind.BASELINE_TAKEN: "Looked at what the account has already",
    EventKind.CREDENTIAL_ISSUED: "Credential made",
    EventKind.ARMED: "Expiry fixed",
    EventKind.CLOSING_TRIED: "Closing tried before opening",
    EventKind.OPENED: "Account opened",
    EventKind.REVEALED: "Credential shown",
    EventKind.RENEWED: "Credential renewed",
    EventKind.MARK_MOVED: "The directory has the new expiry",
    EventKind.RETRIED: "Tried again",
    EventKind.TRIED_NOW: "Tried again without waiting",
    EventKind.CLOSING_BEGAN: "Closing began",
    EventKind.DISABLED: "Account disabled",
    EventKind.STRIPPED: "Password scrambled, sessions ended, sign-in methods and access removed",
    EventKind.SWEPT: "Looked for what was left behind",
    EventKind.RECEIPT_ISSUED: "Receipt written",
    EventKind.ALARM_CLEARED: "Alarm over",
}
"""What an event says by itself. A note follows it."""


def _asked(body: dict[str, Any]) -> str:
    parts = [f"Asked: \N{LEFT DOUBLE QUOTATION MARK}{body['reason']}\N{RIGHT DOUBLE QUOTATION MARK}"]
    if body.get("ticket"):
        parts.append(f"ticket {body['ticket']}")
    wanted = body.get("access")
    if isinstance(wanted, list):
        parts.append(f"only {' and '.join(map(str, wanted))}")
    return ", ".join(parts)


def _read_back(body: dict[str, Any]) -> str:
    """Without an answer of the directory nothing was proven: the account is gone, or another grant has it."""
    said = "Read back: closed" if body.get("calls") else "Looked for the account"
    return f"{said}: {body['note']}" if body.get("note") else said


TOLD: dict[EventKind, Callable[[dict[str, Any]], str]] = {
    EventKind.REQUESTED: _asked,
    EventKind.DECIDED: lambda body: str(body["sentence"]),
    EventKind.ACCOUNT_PREPARED: lambda body: f"Account {body.get('note') or 'prepared'}, still disabled",
    EventKind.READ_BACK: _read_back,
    EventKind.PARKED: lambda body: f"Parked: {body['because']}",
    EventKind.ATTEMPT_REFUSED: lambda body: f"Refused: {body['because']}",
    EventKind.INTERVENTION_BEGAN: lambda body: f"Closed beside its workflow: {body['because']}",
    EventKind.ALARM_RAISED: lambda body: str(body["sentence"]),
    EventKind.ADDENDUM: lambda body: str(body["sentence"]),
}
"""What an event says with its body."""


SILENT = frozenset({EventKind.INTERVENTION_REPORTED, EventKind.TEXT_ERASED})

TROUBLE = frozenset({EventKind.PARKED, EventKind.ALARM_RAISED, EventKind.ATTEMPT_REFUSED})


def lines(shown: ShownGrant) -> list[Line]:
    """The timeline in order, and what comes next."""
    told = [_line(event, shown) for event in shown.events if event.kind not in SILENT]
    return [*sorted(told, key=lambda line: line.at), *_coming(shown)]


def read_back(shown: ShownGrant) -> Standing | None:
    """What the directory said of the account at the end; None: it was not asked yet."""
    for event in reversed(shown.events):
        if event.kind is EventKind.RECEIPT_ISSUED:
            return Receipt.model_validate(event.body).standing
    return None


def access_was_read_back(shown: ShownGrant) -> datetime | None:
    """When the directory listed exactly what was granted: the step is entered only then. None: not (yet)."""
    given = [event for event in shown.events if event.kind is EventKind.ACCESS_GIVEN]
    return _at(given[-1]) if given else None


def _line(event: Event, shown: ShownGrant) -> Line:
    text, until = _text(event, shown)
    return Line(
        at=_at(event),
        mark=Mark.TROUBLE if event.kind in TROUBLE else Mark.DONE,
        text=text,
        until=until,
        by="" if event.actor.kind is ActorKind.SYSTEM else event.actor.name,
        evidence=next((call["request_id"] for call in reversed(event.body.get("calls", ())) if call["request_id"]), ""),
    )


def _at(event: Event) -> datetime:
    """When it happened; some is entered later."""
    said = event.body.get("at") or event.body.get("asked_at")
    return datetime.fromisoformat(said) if isinstance(said, str) else event.recorded_at


def _text(event: Event, shown: ShownGrant) -> tuple[str, datetime | None]:
    body = event.body
    if event.kind is EventKind.ACCESS_GIVEN:
        return f"Access given and read back: {', '.join(item.words for item in shown.status.access)}", None
    if event.kind is EventKind.EXTENDED:
        return f"Extended: {body['reason']}. Until", datetime.fromisoformat(body["until"])
    if event.kind is EventKind.ARMED and str(body.get("note")).startswith("expires "):
        return "Expiry fixed:", datetime.fromisoformat(body["note"].removeprefix("expires "))
    if tell := TOLD.get(event.kind):
        return tell(body), None
    said = SAID.get(event.kind) or str(body.get("name") or event.kind).capitalize()
    note = body.get("note") or body.get("because")
    return (f"{said}: {note}" if note and event.kind is not EventKind.REVEALED else said), None


def _coming(shown: ShownGrant) -> Iterator[Line]:
    status = shown.status
    if status.state is GrantState.OPEN and status.expires_at:
        text = "Will close: disable, scramble, end sessions, remove access, prove"
        yield Line(status.expires_at, Mark.COMING, text)
