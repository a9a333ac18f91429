"""Trouble that passes by itself never reaches a person: throttling, an outage of seconds, a directory that lags.

Other products fail a request at the first 429, and the technician asks again, which sends Microsoft even more calls;
or they read the 404 of an account that was made a second ago as "there is none" and make a second one.
"""

from __future__ import annotations

from datetime import timedelta

import pytest

from models.messages import GrantState
from tests.end_to_end.provisioning_steps import STEPS
from tests.stage import ELEVATE, ON_TIME, Scene, configure

LAGS = [
    "assign the directory role",
    "list the account's sign-in methods",
    "create a Temporary Access Pass",
    "set the account's password",
    "enable the account",
]
"""The calls to an account that was made a moment ago."""


@pytest.mark.parametrize("credential", ["temporary_access_pass", "password"])
@pytest.mark.parametrize("status", [503, 429, 404])
async def test_every_step_survives_it(hours_pass: Scene, credential: str, status: int) -> None:
    await configure(hours_pass, credential=credential)
    faults = {
        step: hours_pass.fault(**STEPS[step], app=ELEVATE, status=status, count=1)
        for step in (LAGS if status == 404 else STEPS)
    }
    request_id = await hours_pass.ask()

    receipt = await hours_pass.receipt(request_id)

    assert receipt.ending.state is GrantState.EXPIRED, receipt.ending.sentence
    assert receipt.alarms == ()
    hours_pass.assert_closed()
    hits = {fault["id"]: fault["hits"] for fault in hours_pass.control("GET", "/faults")}
    unused = "create a Temporary Access Pass" if credential == "password" else "set the account's password"
    unread = {"read the Temporary Access Pass policy"} if credential == "password" else set()
    missed = {step for step, fault in faults.items() if hits[fault] == 0}
    assert missed <= {unused} | unread, "a step that was never troubled proves nothing"
    made = [call for call in hours_pass.journal(writes=True) if call["path"] == "/v1.0/users"]
    assert len(made) == 1, "one account, whatever was tried again"
    assert not hours_pass.sql("SELECT 1 FROM grants WHERE attempt > 1"), "nobody was asked to retry"


async def test_microsoft_is_given_the_time_it_asks_for(hours_pass: Scene) -> None:
    throttled = {"method": "POST", "path": "/users", "status": 429, "retry_after": 40, "count": 2}
    hours_pass.fault(**throttled)
    request_id = await hours_pass.ask()

    receipt = await hours_pass.receipt(request_id)

    at = {step.name: step.at for step in receipt.steps}
    waited = at["account prepared"] - at["domain validated"]
    assert timedelta(seconds=80) <= waited < ON_TIME
    assert at["account prepared"] <= at["armed"]
    assert receipt.expires_at == at["armed"] + timedelta(hours=4), "waiting costs no time of the grant"


async def test_trouble_that_does_not_pass_ends_with_the_window(hours_pass: Scene) -> None:
    hours_pass.fault(method="POST", path="/users", status=503, retry_after=600)
    request_id = await hours_pass.ask()

    receipt = await hours_pass.receipt(request_id)

    assert receipt.ending.state is GrantState.FAILED
    assert "503" in receipt.ending.sentence
    assert receipt.closed_at - receipt.request.asked_at < timedelta(minutes=70), "not with the try that would come next"
    assert hours_pass.user() is None
    assert not hours_pass.sql("SELECT 1 FROM grants WHERE closed_at IS NULL")
