"""Grants that began under an older worker go on under a newer one: every recorded history replays.

A workflow whose commands changed fails its task on every grant that is open at the deployment, and retries it for ever:
none of them would be closed, and Cancel would do nothing. What changes commands goes behind ``workflow.patched``.

``tests/histories/0.1`` holds what workflows wrote from version 0.1 on, until their commands changed; each change of
commands gets a directory beside it, named after the version that it will come with:

    .venv/bin/python -m pytest tests/end_to_end/test_recorded_histories_replay.py --record-histories 0.2

A directory whose version was released is not recorded again: it is what open grants look like. It goes when the patch
that told the two apart goes (docs/upgrading.md).
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from temporalio import workflow
from temporalio.client import WorkflowHistory
from temporalio.worker import Replayer
from temporalio.workflow import NondeterminismError

import workflows.course
import workflows.perform
from activities.signatures import Closing, Provisioning
from engine.plugin import entra_jit_plugin
from models.messages import GrantState, GrantStatus, workflow_id
from operations.extend_access import extend_access
from tests.end_to_end.grant_calls import CLOSING_WRITES, OPENING_WRITES
from tests.stage import Scene, Services, scene
from workflows.access_grant import AccessGrant
from workflows.perform import perform

HISTORIES = Path(__file__).parent.parent / "histories"
RECORDED = sorted(HISTORIES.glob("*/*.json"))
Shape = Callable[[Scene, str, str], Awaitable[None]]
"""Leads the grant of this request id, at this customer, through what it is named after."""


# -- what is recorded --------------------------------------------------------------------------------------------------


async def expired(act: Scene, request_id: str, customer: str) -> None:
    await act.ask(customer=customer, request_id=request_id)


async def ended(act: Scene, request_id: str, customer: str) -> None:
    await act.ask(customer=customer, request_id=request_id, held=True)
    await act.until(request_id, GrantState.OPEN)
    await act.workflow(request_id).signal("end")


async def returning(act: Scene, request_id: str, customer: str) -> None:
    """The account is there already, from an earlier grant."""
    earlier = await act.ask(customer=customer, held=True)
    await act.until(earlier, GrantState.OPEN)
    await act.workflow(earlier).signal("end")
    await act.receipt(earlier)
    await act.ask(customer=customer, request_id=request_id)


async def cancelled_while_open(act: Scene, request_id: str, customer: str) -> None:
    await act.ask(customer=customer, request_id=request_id, held=True)
    await act.until(request_id, GrantState.OPEN)
    await act.workflow(request_id).cancel(reason="not needed any more")


async def cancelled_while_preparing(act: Scene, request_id: str, customer: str) -> None:
    fault = act.fault(customer=customer, **OPENING_WRITES["assign a role"], status=503)
    await act.ask(customer=customer, request_id=request_id, held=True)
    await act.reached(fault)
    await act.workflow(request_id).cancel()


async def ended_while_preparing(act: Scene, request_id: str, customer: str) -> None:
    """The step under way finishes, and swallows the cancellation."""
    fault = act.fault(customer=customer, **OPENING_WRITES["create the account"], delay=1)
    await act.ask(customer=customer, request_id=request_id, held=True)
    await act.reached(fault)
    await act.workflow(request_id).signal("end")


async def denied(act: Scene, request_id: str, customer: str) -> None:
    await act.ask(customer=customer, request_id=request_id, hours=100)


async def parked_and_retried(act: Scene, request_id: str, customer: str) -> None:
    act.fault(customer=customer, **OPENING_WRITES["assign a role"], status=403, count=1)
    await act.ask(customer=customer, request_id=request_id, held=True)
    await act.until(request_id, GrantState.PARKED)
    await act.workflow(request_id).signal("retry")
    await act.until(request_id, GrantState.OPEN)
    await act.workflow(request_id).signal("end")


async def parked_and_failed(act: Scene, request_id: str, customer: str) -> None:
    act.fault(customer=customer, **OPENING_WRITES["enable"], status=403)
    await act.ask(customer=customer, request_id=request_id)


async def extended(act: Scene, request_id: str, customer: str) -> None:
    await act.ask(customer=customer, request_id=request_id, held=True, hours=2)
    await act.until(request_id, GrantState.OPEN)
    await extend_access(act.deployment, "kim", request_id, timedelta(hours=1), "more to do")
    await act.time_passes(request_id)


async def closed_with_retries(act: Scene, request_id: str, customer: str) -> None:
    act.fault(customer=customer, **CLOSING_WRITES["disable"], status=503, count=2)
    act.fault(customer=customer, **CLOSING_WRITES["remove a role"], status=403, count=2)
    await act.ask(customer=customer, request_id=request_id)


SHAPES: tuple[Shape, ...] = (
    expired,
    ended,
    returning,
    cancelled_while_open,
    cancelled_while_preparing,
    ended_while_preparing,
    denied,
    parked_and_retried,
    parked_and_failed,
    extended,
    closed_with_retries,
)


async def test_record(services: Services, pytestconfig: pytest.Config) -> None:
    """Writes ``tests/histories/VERSION``; does nothing without ``--record-histories VERSION``."""
    if not (version := pytestconfig.getoption("--record-histories")):
        pytest.skip("nothing is recorded without --record-histories")
    directory = HISTORIES / version
    directory.mkdir(exist_ok=True)
    async with scene(services, customers=len(SHAPES), skips_time=True) as act:

        async def record(shape: Shape, customer: str) -> None:
            request_id = shape.__name__.replace("_", "-")
            await shape(act, request_id, customer)
            await act.receipt(request_id)
            history = await act.workflow(request_id).fetch_history()
            file = directory / f"{request_id}.json"
            file.write_text(json.dumps(_anonymous(json.loads(history.to_json())), indent=1) + "\n")

        await asyncio.gather(*(record(shape, customer) for shape, customer in zip(SHAPES, act.customers, strict=True)))


def _anonymous(value: Any) -> Any:
    """A history without the machine that made it: process ids, host names, paths in stack traces."""
    if isinstance(value, list):
        return [_anonymous(part) for part in value]
    if not isinstance(value, dict):
        return value
    if value.get("kind") == "TASK_QUEUE_KIND_STICKY":
        return value | {"name": "sticky"}
    return {
        key: "somebody" if key == "identity" else _anonymous(part)
        for key, part in value.items()
        if key not in {"stackTrace", "buildId", "workerVersion"}
    }


# -- what they protect -------------------------------------------------------------------------------------------------


def recorded(file: Path) -> WorkflowHistory:
    return WorkflowHistory.from_json(workflow_id(file.stem), file.read_text())


def by_version(file: Path) -> tuple[int, ...]:
    return tuple(int(part) for part in file.parent.name.split("."))


def test_every_shape_is_recorded_and_tells_nothing_of_the_machine() -> None:
    newest = max(map(by_version, RECORDED))
    names = {file.stem for file in RECORDED if by_version(file) == newest}
    assert names == {shape.__name__.replace("_", "-") for shape in SHAPES}
    for file in RECORDED:
        assert not re.search(r'"/|\.py|@[a-z0-9-]+"', file.read_text()), file


@pytest.mark.parametrize("file", RECORDED, ids=[f"{file.parent.name}-{file.stem}" for file in RECORDED])
async def test_it_replays(file: Path) -> None:
    await Replayer(workflows=[AccessGrant], plugins=[entra_jit_plugin()]).replay_workflow(recorded(file))


@workflow.defn(name="AccessGrant", sandboxed=False)
class Changed(AccessGrant):
    """The same workflow, outside of the sandbox, where a test can change what it calls."""

    @workflow.run
    async def run(self) -> GrantStatus:
        """As before."""
        return await super().run()


@pytest.mark.parametrize(
    "swapped",
    [
        {Closing.disable_account: Closing.strip_account, Closing.strip_account: Closing.disable_account},
        {Provisioning.assign_roles: Provisioning.open_account, Provisioning.open_account: Provisioning.assign_roles},
        {Closing.fence: Closing.read_back},
    ],
    ids=["strip before disabling", "open before the roles are assigned", "no fence"],
)
async def test_a_change_of_steps_is_noticed(monkeypatch: pytest.MonkeyPatch, swapped: dict[Any, Any]) -> None:
    """A replay that would pass whatever the workflow does protects nothing."""
    replayer = Replayer(workflows=[Changed], plugins=[entra_jit_plugin()])
    expired = max((file for file in RECORDED if file.stem == "expired"), key=by_version)
    await replayer.replay_workflow(recorded(expired))

    for module in (workflows.course, workflows.perform):
        monkeypatch.setattr(
            module,
            "perform",
            lambda activity, *rest, **how: perform(swapped.get(activity, activity), *rest, **how),
        )
    with pytest.raises(NondeterminismError):
        await replayer.replay_workflow(recorded(expired))
