"""Code that cannot continue the open grants is found before it is deployed.

Once deployed it would fail their workflow tasks for ever: accounts would stay open past their expiry, deaf to Cancel.
A check that misses such a change, or reports a harmless one, is soon no longer run; a check that touches a grant is
worse.
"""

from __future__ import annotations

import asyncio
import shutil
import sys
from pathlib import Path

from temporalio.client import Client

from entra_jit.operations.check_upgrade import UpgradeCheck, check_upgrade
from entra_jit.temporal.codec import SealingCodec
from entra_jit.temporal.plugin import entra_jit_plugin
from models.messages import GrantState
from models.names import workflow_id
from tests.actors import TESTER
from tests.command_line import ROOT, Ran, run_program
from tests.end_to_end.grant_calls import OPENING_WRITES
from tests.patience import eventually
from tests.stage import Scene, Services, scene, variant
from workflows.registry import WORKFLOWS

STEP = "        account = await make_ready(progress)"
CHANGES = {
    "a timer": f"        await workflow.sleep(1)\n{STEP}",
    "an error of ours": f"        raise ValueError\n{STEP}",
}
"""What a careless hand may put before a grant's first step."""


async def test_grants_of_this_very_code_can_be_gone_on_with_in_every_state(services: Services) -> None:
    async with scene(services, customers=3, skips_time=False) as act:
        parks, waits, opens = act.customers
        act.fault(customer=parks, **OPENING_WRITES["assign a role"], status=403)
        act.fault(customer=waits, **OPENING_WRITES["create the account"], status=503)
        parked, preparing, opened, over = await asyncio.gather(
            *(act.ask(customer=customer) for customer in (parks, waits, opens)), act.ask("robin", customer=opens)
        )
        await act.until(parked, GrantState.PARKED)
        await act.until(preparing, GrantState.PREPARING)
        await act.until(opened, GrantState.OPEN)
        await act.workflow(over).signal("end")
        await act.receipt(over)

        steps: list[tuple[int, int]] = []
        rehearsal = await _rehearsed(act, 3, told=steps)

        assert rehearsal == UpgradeCheck(running=3, replayed=3, breaks=())
        assert steps == [(1, 3), (2, 3), (3, 3)]
        limited = await check_upgrade(TESTER, act.app, WORKFLOWS, limit=2)
        assert (limited.running, limited.replayed) == (3, 2)
        for request_id in (parked, preparing, opened):
            await act.workflow(request_id).signal("end")


async def test_sealed_histories_are_replayed_too(services: Services) -> None:
    async with scene(services, customers=1, skips_time=False, worker=False) as act:
        codec = SealingCodec(act.app.keyring, seals=True)
        address = services.client.service_client.config.target_host
        act.worker_client = act.app.client = await Client.connect(address, plugins=[entra_jit_plugin(codec)])
        await act.start_worker()
        request_id = await act.ask()
        await act.until(request_id, GrantState.OPEN)

        act.app = variant(act.app, settings=act.settings.model_copy(update={"seal_history": True}))
        assert await _rehearsed(act, 1) == UpgradeCheck(running=1, replayed=1, breaks=())

        await act.workflow(request_id).signal("end")
        await act.receipt(request_id)


async def test_code_that_would_break_them_is_reported_by_grant_and_nothing_is_touched(
    real_time: Scene, tmp_path: Path
) -> None:
    alex, robin = await asyncio.gather(real_time.ask("alex"), real_time.ask("robin"))
    for request_id in (alex, robin):
        await real_time.until(request_id, GrantState.OPEN)
    await _rehearsed(real_time, 2)
    before = [await _history(real_time, request_id) for request_id in (alex, robin)]

    same = await _rehearse(real_time, ROOT)
    assert (same.code, same.err) == (0, ""), same.err
    assert same.out == "2 open executions replayed: this code can continue them.\n"

    for name, change in CHANGES.items():
        checkout = _checkout(tmp_path / name, change)
        report = await _rehearse(real_time, checkout, "--json")
        assert report.code == 3, report.err
        assert report.err == ""
        broken = {grant["workflow_id"]: grant for grant in report.json["breaks"]}
        assert broken.keys() == {workflow_id(alex), workflow_id(robin)}
        told = broken[workflow_id(alex)]
        assert (told["technician"], told["tenant"], told["state"]) == ("alex", real_time.customer, "open")
        assert told["because"].startswith("Nondeterminism error: ")
        assert len(told["because"].splitlines()) == 1

    shown = await _rehearse(real_time, tmp_path / "a timer", "--limit", "1")
    assert shown.code == 3
    assert "1 of 2 open executions replayed, 1 would break: do not deploy this code." in shown.out

    assert [await _history(real_time, request_id) for request_id in (alex, robin)] == before
    for technician, request_id in (("alex", alex), ("robin", robin)):
        await real_time.workflow(request_id).signal("end")
        assert (await real_time.receipt(request_id)).ending.state is GrantState.ENDED
        real_time.assert_closed(real_time.account(technician))


async def _rehearsed(act: Scene, running: int, told: list[tuple[int, int]] | None = None) -> UpgradeCheck:
    """The rehearsal, once Temporal's lists have caught up with what runs."""

    async def listed() -> UpgradeCheck | None:
        steps: list[tuple[int, int]] = []
        rehearsal = await check_upgrade(TESTER, act.app, WORKFLOWS, told=lambda done, of: steps.append((done, of)))
        if rehearsal.running != running:
            return None
        if told is not None:
            told.extend(steps)
        return rehearsal

    return await eventually(listed)


async def _rehearse(act: Scene, checkout: Path, *options: str) -> Ran:
    """``starter.py check-upgrade`` of one checkout, against this scene."""
    return await run_program(
        [sys.executable, "starter.py", "check-upgrade", *options],
        cwd=checkout,
        DATABASE_URL=act.settings.database_url.get_secret_value(),
        ENTRA_JIT_KEYS=act.settings.keys.get_secret_value(),
        ENTRA_JIT_TASK_QUEUE=act.settings.task_queue,
        TEMPORAL_ADDRESS=act.services.client.service_client.config.target_host,
    )


def _checkout(where: Path, change: str) -> Path:
    """A copy of our code with the change made to the grants' workflow."""
    tracked = [path for path in ROOT.glob("*") if not path.name.startswith(".") and path.name not in {"tests", "docs"}]
    where.mkdir()
    for path in tracked:
        if path.is_dir():
            shutil.copytree(path, where / path.name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(path, where / path.name)
    file = where / "workflows" / "access_grant.py"
    code = file.read_text()
    assert code.count(STEP) == 1
    file.write_text(code.replace(STEP, change))
    return where


async def _history(act: Scene, request_id: str) -> list[int]:
    """The events of a grant, by their ids and kinds."""
    history = await act.workflow(request_id).fetch_history()
    return [(event.event_id << 8) + event.event_type for event in history.events]
