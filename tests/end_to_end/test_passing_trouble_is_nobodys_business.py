"""Trouble that passes by itself never reaches a person: throttling, an outage of seconds, a directory that lags.

Other products fail a request at the first 429, and the technician asks again, which sends Microsoft even more calls;
or they read the 404 of an account that was made a second ago as "there is none" and make a second one.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from models.messages import GrantState
from tests.end_to_end.provisioning_steps import STEPS
from tests.stage import ELEVATE, ON_TIME, Scene, Services, configure, scene

LAGS = [
    "assign the directory role",
    "list the account's sign-in methods",
    "create a Temporary Access Pass",
    "set the account's password",
    "enable the account",
]
"""The calls to an account that was made a moment ago."""


STATUSES = (503, 429, 404)


@pytest.mark.parametrize("credential", ["temporary_access_pass", "password"])
async def test_every_step_survives_it(services: Services, credential: str) -> None:
    unused = "create a Temporary Access Pass" if credential == "password" else "set the account's password"
    unread = {"read the Temporary Access Pass policy"} if credential == "password" else set()

    async def survives(stage: Scene, customer: str, status: int) -> None:
        faults = {
            step: stage.fault(customer=customer, **STEPS[step], app=ELEVATE, status=status, count=1)
            for step in (LAGS if status == 404 else STEPS)
        }
        request_id = await stage.ask(customer=customer)

        receipt = await stage.receipt(request_id)

        assert receipt.ending.state is GrantState.EXPIRED, f"{status}: {receipt.ending.sentence}"
        assert receipt.alarms == (), status
        stage.assert_closed(customer=customer)
        missed = {step for step, fault in faults.items() if stage.hits(fault) == 0}
        assert missed <= {unused} | unread, "a step that was never troubled proves nothing"
        made = [call for call in stage.journal(customer, writes=True) if call["path"] == "/v1.0/users"]
        assert len(made) == 1, "one account, whatever was tried again"

    async with scene(services, customers=len(STATUSES), skips_time=True) as stage:
        await configure(stage, credential=credential)
        await asyncio.gather(*(survives(stage, *case) for case in zip(stage.customers, STATUSES, strict=True)))
        assert not stage.sql("SELECT 1 FROM grants WHERE attempt > 1"), "nobody was asked to retry"


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
    assert receipt.settled_at - receipt.request.asked_at < timedelta(minutes=70), (
        "not with the try that would come next"
    )
    assert hours_pass.user() is None
    assert not hours_pass.sql("SELECT 1 FROM grants WHERE settled_at IS NULL")
