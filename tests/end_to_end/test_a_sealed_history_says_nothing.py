"""With sealing on, Temporal's database and its operators learn no reason, no account and no tenant's domain.

A grant works as before, also when sealing is switched on, off, or to another key while it is open.
"""

from __future__ import annotations

import json
from base64 import b64decode

from temporalio.client import Client

from entra_jit.operations.end_access import end_access
from entra_jit.temporal.codec import SealingCodec
from entra_jit.temporal.plugin import entra_jit_plugin
from models.messages import GrantState
from tests.actors import TESTER
from tests.stage import Scene, Services, scene


async def _client(act: Scene, *, seals: bool) -> Client:
    plain = act.services.client
    address = plain.service_client.config.target_host
    return await Client.connect(address, plugins=[entra_jit_plugin(SealingCodec(act.app.keyring, seals=seals))])


async def test_it_can_be_switched_while_a_grant_is_open(services: Services) -> None:
    async with scene(services, customers=1, skips_time=False, worker=False) as act:
        sealing = await _client(act, seals=True)
        act.app.client = sealing
        act.worker_client = sealing
        worker = await act.start_worker()
        request_id = await act.ask()
        await act.until(request_id, GrantState.OPEN)
        await act.stop_worker(worker)

        act.worker_client = act.app.client = await _client(act, seals=False)
        await act.start_worker()
        await end_access(TESTER, act.app, request_id)
        receipt = await act.receipt(request_id)

        assert receipt.ending.state is GrantState.ENDED
        act.assert_closed()
        events = json.loads((await act.workflow(request_id).fetch_history()).to_json())["events"]
        assert receipt.opened_at is not None
        opened_at = f"{receipt.opened_at:%Y-%m-%dT%H:%M:%S.%f}"
        while_sealing = [event for event in events if event["eventTime"] < opened_at]
        assert while_sealing
        for said in ("a test", act.account(), "Helpdesk Administrator"):
            assert said.encode() not in contents(while_sealing)
            assert said.encode() in contents(events)


def contents(value: object) -> bytes:
    """Everything that the payloads hold, decoded."""
    if isinstance(value, dict):
        return b"".join(
            b64decode(part) if key == "data" and isinstance(part, str) else contents(part)
            for key, part in value.items()
        )
    if isinstance(value, list):
        return b"".join(contents(part) for part in value)
    return b""
