"""A line of a grant's page says what was answered or read back, and every event has its line.

A page that says "closed" of an account that is gone, or that another grant holds, is believed.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from entra_jit.operations.show_grant import ShownGrant
from entra_jit.web import timeline
from entra_jit.web.timeline import SILENT, Mark
from models.actor import WORKFLOW
from models.events import Event, EventKind
from models.messages import AccessItem, AccessKind, GrantState, GrantStatus
from tests.actors import operator

NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)
CALL = {"request_id": "9c0ffee0-1111-4111-8111-000000000001"}
ITEM = AccessItem(kind=AccessKind.ROLE, id="1", name="Reports Reader")
BODY = {
    "at": NOON.isoformat(),
    "sentence": "A sentence.",
    "because": "a cause",
    "reason": "a reason",
    "until": NOON.isoformat(),
    "name": "a step",
    "steps": ["a step"],
}


def shown(*events: tuple[EventKind, dict[str, Any]], state: GrantState = GrantState.CLOSING) -> ShownGrant:
    """A grant with these events, a second apart, and the last of them first."""
    journal = [
        Event(id=number, recorded_at=NOON + timedelta(hours=1), actor=operator("kim"), kind=kind, body={**BODY, **body})
        for number, (kind, body) in enumerate(events)
    ]
    status = GrantStatus(state=state, access=(ITEM,), expires_at=NOON + timedelta(hours=4))
    return ShownGrant(status, None, None, None, "Contoso", None, None, None, None, tuple(journal))


@pytest.mark.parametrize("kind", sorted(set(EventKind) - SILENT))
def test_every_event_has_a_line_with_who_did_it(kind: EventKind) -> None:
    [line] = timeline.lines(shown((kind, {})))
    assert line.text
    assert line.text[0].isupper()
    assert (line.at, line.by) == (NOON, "kim"), "when it happened, not when it was entered"


def test_closed_is_said_of_what_the_directory_answered_alone() -> None:
    proven, gone = timeline.lines(
        shown((EventKind.READ_BACK, {"calls": [CALL]}), (EventKind.READ_BACK, {"note": "gone from the directory"}))
    )
    assert (proven.text, proven.evidence) == ("Read back: closed", CALL["request_id"])
    assert "closed" not in gone.text


def test_what_is_to_come_is_no_thing_done() -> None:
    *_, last = timeline.lines(shown((EventKind.OPENED, {}), state=GrantState.OPEN))
    assert last.mark is Mark.COMING
    assert [line.mark for line in timeline.lines(shown((EventKind.PARKED, {})))] == [Mark.TROUBLE]


def test_access_counts_as_read_back_once_the_directory_listed_it() -> None:
    assert timeline.access_was_read_back(shown((EventKind.CREDENTIAL_ISSUED, {}))) is None
    assert timeline.access_was_read_back(shown((EventKind.ACCESS_GIVEN, {}))) == NOON
    system = shown((EventKind.ACCESS_GIVEN, {})).events[0].model_copy(update={"actor": WORKFLOW})
    [line] = timeline.lines(
        ShownGrant(GrantStatus(access=(ITEM,)), None, None, None, "", None, None, None, None, (system,))
    )
    assert (line.text, line.by) == ("Access given and read back: Reports Reader", "")
