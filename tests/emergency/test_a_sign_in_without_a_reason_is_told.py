"""The key of a break-glass account that was stolen is used once, at night. No product looks."""

from __future__ import annotations

from entra_jit.accounts.emergency.use import EmergencyUse
from models.messages import ObjectId, SignInOutcome
from sandbox.graph.licences import P1
from tests.emergency.accounts import made, signs_in, user
from tests.emergency.over_http import OverHttp
from tests.emergency.test_a_revealed_credential_is_worth_an_hour import reveal, works
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


async def test_any_other_is_alarmed_once(real_time: Scene) -> None:
    with_log(real_time)
    await made(real_time)
    passkey = await reveal(real_time)
    # As if its thief had waited: our journal has no reason for it any more.
    real_time.sql("SET session_replication_role = replica; TRUNCATE events")
    attempt = await OverHttp(real_time.app.graph, real_time.services).sign_in(passkey, ObjectId(user(real_time)["id"]))
    assert attempt.outcome is SignInOutcome.SIGNED_IN
    [sentence] = await EmergencyUse(real_time.app).watch()
    assert "neither a reveal nor a drill explains it" in sentence
    assert ("emergency account used",) in real_time.sql("SELECT kind FROM alarms")
    assert await EmergencyUse(real_time.app).watch() == [], "each is told once"


async def test_a_tenant_without_a_log_is_no_failure(real_time: Scene) -> None:
    await made(real_time)
    assert await EmergencyUse(real_time.app).watch() == []
