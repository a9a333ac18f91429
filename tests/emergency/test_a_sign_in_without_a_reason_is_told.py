"""The key of a break-glass account that was stolen is used once, at night. No product looks."""

from __future__ import annotations

from datetime import timedelta

import pytest

from entra_jit.accounts.emergency.use import EmergencyUse
from entra_jit.emergency_kit import OneTimeKey
from entra_jit.operations.make_emergency_kit import make_emergency_kit
from sandbox.graph.licences import P1
from tests.actors import TESTER
from tests.emergency.accounts import made, signs_in
from tests.emergency.revealing import opened, reveal, works
from tests.stage import Scene


def with_log(act: Scene) -> None:
    """Only Entra ID P1 has one that can be read."""
    act.control("POST", f"/tenants/{act.customer}", service_plans=[P1])


async def test_a_drill_and_a_reveal_explain_theirs(real_time: Scene) -> None:
    with_log(real_time)
    await made(real_time)
    assert await signs_in(real_time)
    assert await works(real_time, await reveal(real_time))
    assert await EmergencyUse(real_time.app).watch() == []


async def test_any_other_is_alarmed_once(real_time: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
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


async def test_a_tenant_without_a_log_is_no_failure(real_time: Scene) -> None:
    await made(real_time)
    assert await EmergencyUse(real_time.app).watch() == []
