"""An emergency account whose rotation is forgotten, or whose drill is, is one that was last tried years ago."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from entra_jit.policy.emergency import EmergencyState, SeenEmergencyAccount, duties, duty_of, what_changed
from models.messages import EmergencyDuty

NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)
SOON = NOON + timedelta(seconds=1)
ROTATE, DRILL = EmergencyDuty.ROTATE, EmergencyDuty.DRILL
STANDS = EmergencyState(1, has_proven=True, is_unfinished=False, rotate_at=SOON, drill_at=SOON)
ROLE = "62e90394-69f5-4237-9190-012177145e10"
AS_MADE = SeenEmergencyAccount(is_enabled=True, roles=frozenset({ROLE}), methods=(("ours", "fido2"),))


@pytest.mark.parametrize(
    ("state", "duty"),
    [
        (None, ROTATE),
        (STANDS, None),
        (replace(STANDS, has_proven=False), ROTATE),
        (replace(STANDS, is_unfinished=True), ROTATE),
        (replace(STANDS, rotate_at=NOON), ROTATE),
        (replace(STANDS, rotate_at=NOON, drill_at=NOON), ROTATE),
        (replace(STANDS, rotate_at=None), None),
        (replace(STANDS, drill_at=NOON), DRILL),
        (replace(STANDS, drill_at=None), DRILL),
        (replace(STANDS, rotate_at=None, is_unfinished=True), ROTATE),
    ],
)
def test_what_is_due(state: EmergencyState | None, duty: EmergencyDuty | None) -> None:
    assert duty_of(state, NOON) is duty


def test_each_wanted_account_is_made_and_none_that_stands_is_forgotten() -> None:
    assert duties([], 0, NOON) == ()
    assert duties([], 2, NOON) == ((1, ROTATE), (2, ROTATE))
    assert duties([STANDS], 2, NOON) == ((2, ROTATE),)
    assert duties([replace(STANDS, drill_at=NOON)], 0, NOON) == ((1, DRILL),), "it signs in, wanted or not"


@pytest.mark.parametrize(
    ("seen", "words"),
    [
        (AS_MADE, ()),
        (replace(AS_MADE, is_enabled=False), ("is disabled",)),
        (replace(AS_MADE, roles=frozenset()), ("is no Global Administrator any more",)),
        (replace(AS_MADE, roles=frozenset({ROLE, "another"})), ("holds other roles, too",)),
        (replace(AS_MADE, methods=()), ("has lost the passkey that we registered",)),
        (
            replace(AS_MADE, methods=(("ours", "fido2"), ("theirs", "phone"))),
            ("has sign-in methods that we did not register: phone",),
        ),
        (replace(AS_MADE, methods=(("ours", "fido2"), ("older", "fido2"))), ()),
        (replace(AS_MADE, has_new_password=True), ("was given another password",)),
        (replace(AS_MADE, is_restricted=True), ("is inside a restricted management administrative unit",)),
    ],
)
def test_what_was_changed_from_outside_is_told(seen: SeenEmergencyAccount, words: tuple[str, ...]) -> None:
    assert what_changed(seen, ROLE, {"ours", "older"}, {"ours"}) == words
