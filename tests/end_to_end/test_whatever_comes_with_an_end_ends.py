"""An end closes the account whatever comes with it: a sentence instead of a form, several inputs, a file, a payload
that another program encrypted.

Temporal answers *succeeded* as soon as it has a signal. A workflow that then drops the signal leaves the account open
until its expiry; one whose task fails on it leaves the account open past that, deaf to every later signal and to
Cancel.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator, Sequence

import pytest
from temporalio.api.common.v1 import Payload
from temporalio.client import Client, WorkflowQueryFailedError, WorkflowUpdateFailedError
from temporalio.common import RawValue
from temporalio.service import RPCError

from entra_jit.temporal.codec import SealingCodec
from entra_jit.temporal.plugin import entra_jit_plugin
from models.messages import GrantState
from models.names import workflow_id
from tests.command_line import run_program
from tests.end_to_end.grant_calls import OPENING_WRITES
from tests.end_to_end.odd_payloads import ODD, send
from tests.patience import PATIENCE_SECONDS, eventually
from tests.stage import TECHNICIANS, Scene, Services, scene, temporal_program


async def sealing(act: Scene) -> Scene:
    """The scene with sealed histories, so that our own encoding is one that is looked into."""
    address = act.services.client.service_client.config.target_host
    codec = SealingCodec(act.app.keyring, seals=True)
    act.worker_client = act.app.client = await Client.connect(address, plugins=[entra_jit_plugin(codec)])
    await act.start_worker()
    return act


@pytest.fixture
async def sealed(services: Services) -> AsyncIterator[Scene]:
    async with scene(services, customers=10, skips_time=False, worker=False) as made:
        yield await sealing(made)


def cli(act: Scene, request_id: str, *arguments: str) -> list[str]:
    address = act.services.client.service_client.config.target_host
    return [temporal_program(), "workflow", *arguments, "--address", address, "--workflow-id", workflow_id(request_id)]


async def closed(act: Scene, technician: str, customer: str, why: str) -> None:
    """Wait until the directory says that the account is closed."""

    async def shut() -> bool | None:
        user = act.user(act.account(technician, customer), customer)
        assert user is not None
        return (not user["enabled"] and not user["roles"]) or None

    try:
        await eventually(shut)
    except TimeoutError:
        raise AssertionError(f"{why}: the account stays open") from None


async def test_the_account_is_closed_whatever_comes_with_the_end(sealed: Scene) -> None:
    places = list(itertools.product(sealed.customers, TECHNICIANS))
    assert len(places) >= len(ODD)
    open_now = {
        why: (await sealed.ask(technician, customer=customer), technician, customer)
        for why, (customer, technician) in zip(ODD, places, strict=False)
    }
    for request_id, *_ in open_now.values():
        await sealed.until(request_id, GrantState.OPEN)

    for why, (request_id, *_) in open_now.items():
        await send(sealed.services.client, workflow_id(request_id), "end", ODD[why])

    await asyncio.gather(*(closed(sealed, who, where, why) for why, (_, who, where) in open_now.items()))
    receipts = {why: await sealed.receipt(request_id) for why, (request_id, *_) in open_now.items()}
    assert {receipt.ending.state for receipt in receipts.values()} == {GrantState.ENDED}
    for why in ("a sentence", "a sentence without quotes", "plain bytes"):
        assert receipts[why].ending.reason == "done by bob", why
    assert receipts["several"].ending.by.name == "kim"
    assert all(len(receipt.ending.sentence) < 1100 for receipt in receipts.values())


async def test_an_end_typed_at_a_prompt_closes_and_its_words_are_kept(real_time: Scene) -> None:
    request_id = await real_time.ask()
    await real_time.until(request_id, GrantState.OPEN)

    sent = await run_program(cli(real_time, request_id, "signal", "--name", "end", "--input", '"done by bob"'))

    assert sent.code == 0, sent.err
    await closed(real_time, "alex", real_time.customer, "typed")
    assert (await real_time.receipt(request_id)).ending.reason == "done by bob"


async def test_a_retry_retries_whatever_comes_with_it(sealed: Scene) -> None:
    odd = ("a sentence", "several, some unreadable", "deep", "encrypted", "no encoding", "sealed with a lost key")
    places = list(itertools.product(sealed.customers[:2], TECHNICIANS))
    for customer in sealed.customers[:2]:
        sealed.fault(customer=customer, **OPENING_WRITES["assign a role"], status=403)
    parked = {
        why: await sealed.ask(technician, customer=customer)
        for why, (customer, technician) in zip(odd, places, strict=True)
    }
    for request_id in parked.values():
        await sealed.until(request_id, GrantState.PARKED)
    sealed.mend()

    for why, request_id in parked.items():
        await send(sealed.services.client, workflow_id(request_id), "retry", ODD[why])

    for request_id in parked.values():
        await sealed.until(request_id, GrantState.OPEN)


async def test_no_other_message_keeps_a_grant_from_being_ended(sealed: Scene) -> None:
    """Each message that cannot be read is refused, ignored or without effect, and the next is heard."""
    request_id = await sealed.ask()
    await sealed.until(request_id, GrantState.OPEN)
    grant, client = sealed.workflow(request_id), sealed.services.client
    assert sealed.app.client is not None
    read = sealed.app.client.get_workflow_handle(grant.id)

    for inputs in ODD.values():
        for signal in ("request_access", "retry", "no such signal", "x" * 500):
            await send(client, grant.id, signal, inputs)
    for inputs in ODD.values():
        with pytest.raises(WorkflowUpdateFailedError):
            await grant.execute_update("extend", args=[RawValue(one) for one in inputs])
        await grant.execute_update("decision", args=[RawValue(one) for one in inputs])
        await grant.query("status", args=[RawValue(one) for one in inputs])
        for unknown in (grant.execute_update, grant.query):
            with pytest.raises((WorkflowUpdateFailedError, WorkflowQueryFailedError)):
                await unknown("no such message", args=[RawValue(one) for one in inputs])

    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await read.execute_update("extend", "for ever")
    assert "The extension could not be read. " in str(refused.value.cause)
    assert (await sealed.status(request_id)).state is GrantState.OPEN
    details = (await read.query("__temporal_workflow_metadata")).current_details
    assert f"An unreadable request\\_access was ignored. ({len(ODD)} times)" in details
    assert f"no such signal' was ignored: known are end, retry and request\\_access. ({len(ODD)} times)" in details
    assert len(details) < 3000

    await send(client, grant.id, " END ", ODD["encrypted"])
    await closed(sealed, "alex", sealed.customer, "with another spelling")


async def test_what_was_started_with_anything_ends_and_opens_nothing(hours_pass: Scene) -> None:
    client, queue = hours_pass.services.skipper.client, hours_pass.settings.task_queue

    async def started(number: int, inputs: Sequence[Payload]) -> str:
        raw = [RawValue(one) for one in inputs]
        grant = await client.start_workflow(
            "AccessGrant",
            args=raw,
            id=workflow_id(f"odd-{number}-{queue}"),
            task_queue=queue,
            start_signal="request_access",
            start_signal_args=raw,
        )
        return str((await grant.result())["state"])

    states = await asyncio.gather(*(started(number, inputs) for number, inputs in enumerate(ODD.values())))

    assert set(states) == {GrantState.DENIED}
    assert hours_pass.sql("SELECT count(*) FROM requests") == [(0,)]
    assert not hours_pass.journal()


@pytest.mark.parametrize(("scheduled", "tenants"), [("Reconciliation", 1), ("Reviews", 0)])
async def test_what_a_schedule_starts_runs_whatever_it_is_sent(real_time: Scene, scheduled: str, tenants: int) -> None:
    """One that fails its task stays for an hour, and meanwhile there is no other."""
    client, queue = real_time.services.client, real_time.settings.task_queue
    everything = [RawValue(one) for inputs in ODD.values() for one in inputs[:2]]
    run = await client.start_workflow(
        scheduled,
        args=everything,
        id=f"odd-{queue}",
        task_queue=queue,
        start_signal="end",
        start_signal_args=everything,
    )
    for inputs in ODD.values():
        with contextlib.suppress(RPCError):  # it is over by now
            await send(client, run.id, "no such signal", inputs)
    async with asyncio.timeout(PATIENCE_SECONDS):
        assert (await run.result())["tenants"] == tenants
