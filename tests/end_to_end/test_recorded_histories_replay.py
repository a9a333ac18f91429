"""Grants that began under an older worker go on under a newer one: every recorded history replays.

A workflow whose commands changed fails its task on every grant that is open at the deployment, and retries it for ever:
none of them would be closed, and Cancel would do nothing. What changes commands goes behind ``workflow.patched``.

``tests/histories`` has a directory for each version whose grants may still be open, of what its workflows wrote. Each
change of commands gets one beside it, named after the version that it will come with:

    .venv/bin/python -m pytest tests/end_to_end/test_recorded_histories_replay.py --record-histories 1.0

A directory whose version was released is not recorded again. It goes when the patch that told the two apart goes
(docs/upgrading.md).
"""

from __future__ import annotations

import asyncio
import base64
import json
import re
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from temporalio import workflow
from temporalio.client import WorkflowHandle
from temporalio.worker import Replayer
from temporalio.workflow import NondeterminismError

import workflows.execution
import workflows.steps
from activities.signatures import Closing, Provisioning
from entra_jit.operations.extend_access import extend_access
from entra_jit.temporal.plugin import entra_jit_plugin
from models.messages import GrantState, GrantStatus
from models.names import request_id
from tests.actors import operator
from tests.end_to_end.grant_calls import CLOSING_WRITES, FIRST_IS_A_TRIAL, OPENING_WRITES
from tests.end_to_end.recordings import HISTORIES, RECORDED, recorded
from tests.stage import REVOKE, Scene, Services, scene
from workflows.access_grant import AccessGrant
from workflows.execution import execute
from workflows.reconciliation import Reconciliation
from workflows.registry import WORKFLOWS
from workflows.reviews import Reviews

Shape = Callable[[Scene, str, str], Awaitable[None]]
"""Leads the grant of this key, at this customer, through what it is named after."""


async def expired(act: Scene, key: str, customer: str) -> None:
    await act.ask(customer=customer, key=key)


async def opened(act: Scene, customer: str, key: str | None = None, *, hours: float = 4) -> str:
    """An open grant, whose time stands."""
    opened_id = await act.ask(customer=customer, key=key, held=True, hours=hours)
    await act.until(opened_id, GrantState.OPEN)
    return opened_id


async def ended(act: Scene, key: str, customer: str) -> None:
    request_id = await opened(act, customer, key)
    await act.workflow(request_id).signal("end")


async def returning(act: Scene, key: str, customer: str) -> None:
    """The account is there already, from an earlier grant."""
    earlier = await opened(act, customer)
    await act.workflow(earlier).signal("end")
    await act.receipt(earlier)
    await act.ask(customer=customer, key=key)


async def cancelled_while_open(act: Scene, key: str, customer: str) -> None:
    request_id = await opened(act, customer, key)
    await act.workflow(request_id).cancel(reason="not needed any more")


async def cancelled_while_preparing(act: Scene, key: str, customer: str) -> None:
    fault = act.fault(customer=customer, **OPENING_WRITES["assign a role"], status=503)
    request_id = await act.ask(customer=customer, key=key, held=True)
    await act.reached(fault)
    await act.workflow(request_id).cancel()


async def ended_while_preparing(act: Scene, key: str, customer: str) -> None:
    """The step under way finishes, and swallows the cancellation."""
    fault = act.fault(customer=customer, **OPENING_WRITES["create the account"], delay=1)
    request_id = await act.ask(customer=customer, key=key, held=True)
    await act.reached(fault)
    await act.workflow(request_id).signal("end")


async def denied(act: Scene, key: str, customer: str) -> None:
    await act.ask(customer=customer, key=key, hours=100)


async def parked_and_retried(act: Scene, key: str, customer: str) -> None:
    act.fault(customer=customer, **OPENING_WRITES["assign a role"], status=403, count=1)
    request_id = await act.ask(customer=customer, key=key, held=True)
    await act.until(request_id, GrantState.PARKED)
    await act.workflow(request_id).signal("retry")
    await act.until(request_id, GrantState.OPEN)
    await act.workflow(request_id).signal("end")


async def parked_and_failed(act: Scene, key: str, customer: str) -> None:
    act.fault(customer=customer, **OPENING_WRITES["enable"], status=403)
    await act.ask(customer=customer, key=key)


async def extended(act: Scene, key: str, customer: str) -> None:
    request_id = await opened(act, customer, key, hours=2)
    await extend_access(operator("kim"), act.app, request_id, timedelta(hours=1), "more to do")
    await act.time_passes(request_id)


async def closed_with_retries(act: Scene, key: str, customer: str) -> None:
    act.fault(customer=customer, **CLOSING_WRITES["disable"], status=503, count=2, **FIRST_IS_A_TRIAL)
    act.fault(customer=customer, **CLOSING_WRITES["remove a role"], status=503, count=2)
    await act.ask(customer=customer, key=key)


async def closed_late(act: Scene, key: str, customer: str) -> None:
    """So late that people are told."""
    act.fault(customer=customer, app=REVOKE, **CLOSING_WRITES["disable"], status=503, count=10, **FIRST_IS_A_TRIAL)
    await act.ask(customer=customer, key=key)


async def failed_by_hand(act: Scene, key: str, customer: str) -> None:
    """A step of the closing, which is done again."""
    request_id = await opened(act, customer, key)
    act.fault(customer=customer, app=REVOKE, **CLOSING_WRITES["revoke the sessions"], delay=8, count=1)
    await act.workflow(request_id).signal("end")
    await act.fail_by_hand(request_id, "close")
    await act.time_passes(request_id)


async def vanished(act: Scene, key: str, customer: str) -> None:
    request_id = await opened(act, customer, key)
    user = act.user(customer=customer) or {}
    act.control("DELETE", f"/tenants/{customer}/users/{user['id']}")
    await act.workflow(request_id).signal("end")


async def ended_while_opening(act: Scene, key: str, customer: str) -> None:
    """Whether the account was enabled is not known: its last read-back waits until nothing can be on its way."""
    fault = act.fault(customer=customer, **OPENING_WRITES["enable"], status=503)
    request_id = await act.ask(customer=customer, key=key, held=True)
    await act.reached(fault)
    await act.workflow(request_id).signal("end")


async def waited_for_another(act: Scene, key: str, customer: str) -> None:
    earlier = await opened(act, customer)
    fault = act.fault(customer=customer, app=REVOKE, **CLOSING_WRITES["disable"], status=503, retry_after=1)
    await act.workflow(earlier).signal("end")
    await act.until(earlier, GrantState.CLOSING)
    await act.ask(customer=customer, key=key)
    await asyncio.sleep(2)
    act.control("DELETE", f"/faults/{fault}")


async def carried_over(act: Scene, key: str, customer: str) -> None:
    """The run that holds the grant after a flood of messages."""
    flooded = act.workflow(await opened(act, customer, key))
    first = (await flooded.describe()).run_id
    while (await flooded.describe()).run_id == first:
        await asyncio.gather(*(flooded.signal("noise") for _ in range(20)))
    await flooded.signal("end")


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
    closed_late,
    failed_by_hand,
    vanished,
    ended_while_opening,
    waited_for_another,
    carried_over,
)
RECONCILIATION, REVIEWS = "reconciliation", "reviews"

STEPS: dict[str, Counter[str]] = {
    "parked-and-retried": Counter(park=1, unpark=1),
    "extended": Counter(extend_grant=1),
    "closed-late": Counter(raise_alarm=1),
    "failed-by-hand": Counter(close=2, raise_alarm=1),
    "vanished": Counter(raise_alarm=1),
    "ended-while-opening": Counter(close=2),
    "waited-for-another": Counter(decide=2),
    RECONCILIATION: Counter(reconcile_tenants=1),
    REVIEWS: Counter(list_reviews=1, review_tenant=1),
}
"""What must be in a recording that is to be what it is named after."""


@pytest.mark.timeout(1200)
async def test_record(services: Services, pytestconfig: pytest.Config) -> None:
    """Writes ``tests/histories/VERSION``; does nothing without ``--record-histories VERSION``."""
    if not (version := pytestconfig.getoption("--record-histories")):
        pytest.skip("nothing is recorded without --record-histories")
    directory = HISTORIES / version
    directory.mkdir(parents=True, exist_ok=True)
    async with scene(services, customers=len(SHAPES), skips_time=True) as act:
        at_once = asyncio.Semaphore(3)

        async def record(shape: Shape, customer: str) -> None:
            key = shape.__name__.replace("_", "-")
            asked = request_id(customer, "alex", key)
            async with at_once:
                await shape(act, key, customer)
                await act.receipt(asked)
            await keep(act.workflow(asked), key)

        async def keep(of: WorkflowHandle[Any, Any], name: str) -> None:
            history = json.loads((await of.fetch_history()).to_json())
            (directory / f"{name}.json").write_text(json.dumps(_anonymous(history), indent=1) + "\n")

        await asyncio.gather(*(record(shape, customer) for shape, customer in zip(SHAPES, act.customers, strict=True)))
        # One that has something to review.
        act.sql("UPDATE grants SET closed_at = closed_at - interval '1 hour', armed_at = armed_at - interval '1 hour'")
        client, queue = act.services.client, act.settings.task_queue
        for run, name in ((Reconciliation.run, RECONCILIATION), (Reviews.run, REVIEWS)):
            started: WorkflowHandle[Any, Any] = await client.start_workflow(run, id=name, task_queue=queue)
            await started.result()
            await keep(started, name)


def _anonymous(value: Any) -> Any:
    """A history without the machine that made it: process ids, host names, paths in stack traces."""
    if isinstance(value, list):
        return [_anonymous(part) for part in value]
    if not isinstance(value, dict):
        return value
    if value.get("kind") == "TASK_QUEUE_KIND_STICKY":
        return value | {"name": "sticky"}
    return {
        key: "a process" if key == "identity" else _anonymous(part)
        for key, part in value.items()
        if key not in {"stackTrace", "buildId", "workerVersion"}
    }


def newest() -> list[Path]:
    """What was recorded last."""
    version = max(map(by_version, RECORDED))
    return [file for file in RECORDED if by_version(file) == version]


def markers_in(file: Path, detail: str) -> Iterator[Any]:
    """What the workflow itself has written down under this name: ``patch-data``, or ``data`` of a local activity."""
    for event in json.loads(file.read_text())["events"]:
        details = event.get("markerRecordedEventAttributes", {}).get("details", {})
        if detail in details:
            yield json.loads(base64.b64decode(details[detail]["payloads"][0]["data"]))


def patches_in(file: Path) -> set[str]:
    """The ids of the patches that its workflow has come by."""
    return {patch["id"] for patch in markers_in(file, "patch-data")}


def steps_in(file: Path) -> Counter[str]:
    """How often each activity was begun, local ones too."""
    begun = [event.get("activityTaskScheduledEventAttributes") for event in json.loads(file.read_text())["events"]]
    local = (step["activity_type"] for step in markers_in(file, "data"))
    return Counter(step["activityType"]["name"] for step in begun if step) + Counter(local)


def payloads_in(value: Any) -> Iterator[str]:
    """Everything in a history that is only readable once it is decoded."""
    parts = value if isinstance(value, list) else value.values() if isinstance(value, dict) else ()
    if isinstance(value, dict) and {"metadata", "data"} <= value.keys():
        yield base64.b64decode(value["data"]).decode()
    for part in parts:
        yield from payloads_in(part)


def patches_in_the_code() -> set[str]:
    """What ``workflow.patched`` is asked for or ``workflow.deprecate_patch`` told, wherever it is."""
    sources = "".join(file.read_text() for file in Path(workflows.steps.__file__).parent.glob("*.py"))
    named = dict(re.findall(r'^(\w+) = "([^"]+)"$', sources, re.MULTILINE))
    asked = re.findall(r"\b(?:patched|deprecate_patch)\(([^)]+)\)", sources)
    return {one.strip('"') if one.startswith('"') else named[one] for one in asked}


def by_version(file: Path) -> tuple[int, ...]:
    return tuple(int(part) for part in file.parent.name.split("."))


def test_every_shape_is_recorded_and_tells_nothing_of_the_machine() -> None:
    names = {file.stem for file in newest()}
    assert names == {RECONCILIATION, REVIEWS, *(shape.__name__.replace("_", "-") for shape in SHAPES)}
    for file in RECORDED:
        assert not re.search(r'"/|\.py|@[a-z0-9-]+"', file.read_text()), file
        for payload in payloads_in(json.loads(file.read_text())):
            assert not re.search(r"\.py\b|localhost|127\.0\.0\.1|/(tmp|home|root|usr|var|opt|work)/", payload), file


def test_an_expired_grant_is_a_short_history() -> None:
    """What each grant costs Temporal. More events are slower closings where many are due in the same second."""
    [expired] = [file for file in newest() if file.stem == "expired"]
    events = json.loads(expired.read_text())["events"]
    assert len(events) <= 50
    begun = [
        event["activityTaskScheduledEventAttributes"]
        for event in events
        if "activityTaskScheduledEventAttributes" in event
    ]
    assert [step["activityType"]["name"] for step in begun] == ["ready", "give", "open", "close", "settle"]


def test_every_recording_is_what_it_is_named_after() -> None:
    """On a busy machine what a shape waits for may be over already, and its recording would be of something else."""
    begun = {file.stem: steps_in(file) for file in newest()}
    missing = {name: wanted - begun[name] for name, wanted in STEPS.items()}
    assert not any(missing.values()), missing


@pytest.mark.parametrize("file", RECORDED, ids=[f"{file.parent.name}-{file.stem}" for file in RECORDED])
async def test_it_replays(file: Path) -> None:
    replayer = Replayer(workflows=WORKFLOWS, plugins=[entra_jit_plugin()])
    await replayer.replay_workflow(recorded(file))


def test_whatever_is_patched_is_in_a_recorded_history() -> None:
    """A patch that no history has come by may be misplaced, and every replay passes."""
    recorded_patches = set[str]().union(*map(patches_in, newest()))
    assert recorded_patches == patches_in_the_code()


@workflow.defn(name="AccessGrant", sandboxed=False)
class Changed(AccessGrant):
    """The same workflow, outside of the sandbox, where a test can change what it calls."""

    @workflow.init
    def __init__(self, *inputs: object) -> None:
        """As before."""
        super().__init__(*inputs)

    @workflow.run
    async def run(self, *inputs: object) -> GrantStatus:
        """As before."""
        return await super().run(*inputs)


@pytest.mark.parametrize(
    "swapped",
    [
        {Closing.close: Closing.settle, Closing.settle: Closing.close},
        {Provisioning.give: Provisioning.open, Provisioning.open: Provisioning.give},
        {Closing.close: Closing.fence},
    ],
    ids=["settle before closing", "open before the access is given", "a fence and no closing"],
)
async def test_a_change_of_steps_is_noticed(monkeypatch: pytest.MonkeyPatch, swapped: dict[Any, Any]) -> None:
    """A replay that would pass whatever the workflow does protects nothing."""
    replayer = Replayer(workflows=[Changed], plugins=[entra_jit_plugin()])
    expired = max((file for file in RECORDED if file.stem == "expired"), key=by_version)
    await replayer.replay_workflow(recorded(expired))

    for module in (workflows.steps, workflows.execution):
        monkeypatch.setattr(
            module,
            "execute",
            lambda activity, *rest, **how: execute(swapped.get(activity, activity), *rest, **how),
        )
    with pytest.raises(NondeterminismError):
        await replayer.replay_workflow(recorded(expired))
