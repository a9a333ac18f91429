"""The key of a break-glass account that was stolen is used once, at night. No product looks."""

from __future__ import annotations

from datetime import timedelta

import pytest

from entra_jit.accounts.emergency.use import EmergencyUse
from entra_jit.emergency_kit import OneTimeKey
from entra_jit.operations.make_emergency_kit import make_emergency_kit
from models.errors import ReadBackDisagreesError
from sandbox.graph.licences import P1
from tests.actors import TESTER
from tests.emergency.accounts import made, rotate, signs_in
from tests.emergency.revealing import opened, reveal, works
from tests.stage import Scene, configure


def with_log(act: Scene) -> None:
    """Only Entra ID P1 has one that can be read."""
    act.control("POST", f"/tenants/{act.customer}", service_plans=[P1])


async def test_a_drill_and_a_reveal_explain_theirs(real_time: Scene) -> None:
    with_log(real_time)
    await made(real_time)
    assert await signs_in(real_time)
    assert await works(real_time, await reveal(real_time))
    assert await EmergencyUse(real_time.app).watch() == []


@pytest.mark.parametrize("has_log", [True, False])
async def test_any_other_is_alarmed_once(real_time: Scene, monkeypatch: pytest.MonkeyPatch, *, has_log: bool) -> None:
    if has_log:
        with_log(real_time)
    await made(real_time)
    key = OneTimeKey()
    sealed = await make_emergency_kit(TESTER, real_time.app, [], "the safe", key.public)
    # As if the kit were used days after the last drill.
    monkeypatch.setattr("entra_jit.ledger.emergency.TRIED_WITHIN", timedelta(0))
    assert await works(real_time, opened(key, sealed))

    [sentence] = await EmergencyUse(real_time.app).watch()
    assert "neither a reveal nor a drill explains it" in sentence
    assert ("emergency account used",) in real_time.sql("SELECT kind FROM alarms")
    assert await EmergencyUse(real_time.app).watch() == [], "each is told once"


async def test_one_of_work_that_goes_on_is_judged_later(real_time: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that dies after its sign-in, or hears no answer to it, has not entered yet that it was ours."""
    with_log(real_time)
    await configure(real_time, emergency_accounts=1)
    await rotate(real_time, until=4)
    real_time.fault(path="^/[^/]+/oauth2/v2.0/token$", method="POST", status=503)
    with pytest.raises(ReadBackDisagreesError, match="has not signed in"):
        await rotate(real_time, until=5)
    real_time.mend()
    assert await EmergencyUse(real_time.app).watch() == []

    monkeypatch.setattr("entra_jit.ledger.emergency.TRIED_WITHIN", timedelta(0))
    assert await EmergencyUse(real_time.app).watch() != [], "it was not forgotten"


async def test_without_a_log_what_it_changed_is_alarmed(real_time: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """Microsoft shows no sign-in then. What it did it did while it was signed in."""
    name = await made(real_time)
    assert await EmergencyUse(real_time.app).watch() == [], "the rotation's own"
    act = {"activity": "Add member to role", "targets": [{"type": "Role", "name": "Global Administrator"}]}
    monkeypatch.setattr("entra_jit.ledger.emergency.TRIED_WITHIN", timedelta(0))
    real_time.control("POST", f"/tenants/{real_time.customer}/users/{name}/audit", **act)
    [sentence] = await EmergencyUse(real_time.app).watch()
    assert "was used (Add member to role)" in sentence


async def test_a_log_that_cannot_be_read_is_no_failure(real_time: Scene) -> None:
    await made(real_time)
    real_time.fault(path="/auditLogs/**", status=503)
    assert await EmergencyUse(real_time.app).watch() == []
