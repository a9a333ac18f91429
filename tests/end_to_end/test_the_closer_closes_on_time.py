"""With Temporal away, or without its workers, each account is disabled at its expiry all the same, and none earlier.

Temporal was lost for four minutes, and an account whose grant had expired stayed open for as long, without an alarm.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import stat
import sys
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr

from entra_jit.accounts.directories import NotConnectedError, Purpose
from entra_jit.accounts.ledger_watch import LedgerWatch
from entra_jit.accounts.on_time.disabling import Taken
from entra_jit.accounts.reconciliation.overdue import OverdueReconciliation
from entra_jit.closer import Closer, RevokingBackend
from entra_jit.crypto.marks import write_open_until
from entra_jit.ledger import due
from entra_jit.local_stack.addresses import SANDBOX_SECRETS
from entra_jit.operations.list_alarms import list_alarms
from models.alarms import Alarm, AlarmKind
from models.marks import AccountKind, OpenUntil
from models.messages import GrantState, ObjectId, TenantId
from tests.actors import TESTER
from tests.command_line import ENVIRONMENT
from tests.patience import PATIENCE_SECONDS, eventually
from tests.stage import REVOKE, TECHNICIANS, Scene, customer_id

MARK = "extensionAttribute15"


async def opened(act: Scene, *technicians: str) -> list[str]:
    """A grant of four hours each, which is open, and no worker any more."""
    requests = [await act.ask(technician) for technician in technicians]
    for request_id in requests:
        await act.until(request_id, GrantState.OPEN)
    for worker in list(act.workers):
        await act.stop_worker(worker)
    return requests


def expires(act: Scene, request_id: str, within: str) -> None:
    """Have it expire so soon by the ledger."""
    act.sql("UPDATE grants SET expires_at = clock_timestamp() + %s::interval WHERE request_id = %s", within, request_id)


def is_open(act: Scene, technician: str) -> bool:
    return bool((act.user(act.account(technician)) or {})["enabled"])


def changed_by(act: Scene, technician: str) -> list[str]:
    """Which applications have changed the account, in order."""
    user = act.user(act.account(technician)) or {}
    calls = act.journal(writes=True)
    return [call["app_id"] for call in calls if call["method"] == "PATCH" and user["id"] in call["path"]]


def marked_anew(act: Scene, backend: RevokingBackend, technician: str, request_id: str) -> None:
    """Give the account a newer mark for another hour, as an extension does that this ledger does not know."""
    user = act.user(act.account(technician)) or {}
    now = backend.clock()
    tenant_id = TenantId(customer_id(act.customer))
    extended = OpenUntil(request_id, now + timedelta(hours=1), now)
    text = write_open_until(backend.keyring, extended, tenant_id, ObjectId(user["id"]), AccountKind.TECHNICIAN)
    act.control("PATCH", f"/tenants/{act.customer}/users/{user['id']}", extension_attributes={MARK: text})


@contextlib.asynccontextmanager
async def a_process(act: Scene, ready: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    """``python -m entra_jit.closer``, once it looks."""
    settings = act.settings
    environment = {
        "DATABASE_URL": settings.database_url.get_secret_value(),
        "ENTRA_JIT_KEYS": settings.keys.get_secret_value(),
        "ENTRA_JIT_PROFILE": "sandbox",
        "ENTRA_JIT_GRAPH_URL": settings.graph_url,
        "ENTRA_JIT_LOGIN_URL": settings.login_url,
        "ENTRA_JIT_CA_FILE": str(settings.ca_file),
        "ENTRA_JIT_READY_FILE": str(ready),
        "TEMPORAL_ADDRESS": "127.0.0.1:1",
    }
    command = sys.executable, "-m", "entra_jit.closer"
    process = await asyncio.create_subprocess_exec(*command, env={**os.environ, **ENVIRONMENT, **environment})
    try:

        async def looks() -> bool | None:
            assert process.returncode is None
            return ready.exists() or None  # noqa: ASYNC240

        await eventually(looks)
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


@pytest.fixture
async def backend(real_time: Scene) -> AsyncIterator[RevokingBackend]:
    """What a closer in this process works with."""
    async with RevokingBackend(real_time.settings) as made:
        yield made


async def test_two_closers_close_what_is_due_once_and_nothing_else(
    real_time: Scene, backend: RevokingBackend, tmp_path: Path
) -> None:
    alex, robin, kim = await opened(real_time, *TECHNICIANS)
    before = len(changed_by(real_time, "alex")), changed_by(real_time, "robin")
    second = asyncio.create_task(Closer(backend).run())
    async with a_process(real_time, tmp_path / "ready") as process:
        expires(real_time, alex, "3 s")
        expires(real_time, kim, "-2 hours")

        async def entered() -> bool | None:
            return real_time.sql("SELECT 1 FROM grants WHERE disabled_at >= expires_at") != [] or None

        await eventually(entered)
        process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(PATIENCE_SECONDS):
            assert await process.wait() == 0, "it leaves when it is told to"
    second.cancel()
    assert not is_open(real_time, "alex")
    assert is_open(real_time, "robin"), "its time is not over"
    assert is_open(real_time, "kim"), "what was long overdue when it was first seen may come from a backup"
    assert changed_by(real_time, "alex")[before[0] :] == [REVOKE]
    assert changed_by(real_time, "robin") == before[1]
    told = real_time.sql("SELECT id, lateness FROM closers WHERE lateness >= interval '0 s'")
    assert len(told) <= 2
    assert robin


async def test_no_elevating_credential_is_read(real_time: Scene, backend: RevokingBackend) -> None:
    tenant_id = TenantId(customer_id(real_time.customer))
    assert (await backend.directories.to_close(tenant_id)).connection.client_id == REVOKE
    with pytest.raises(NotConnectedError):
        await backend.directories.of(tenant_id, Purpose.ELEVATE)


async def test_a_closer_that_was_frozen_asks_again_before_it_disables(
    real_time: Scene, backend: RevokingBackend
) -> None:
    """It had taken the grant; by the time it goes on, the account is open under another one.

    What a restored ledger has it disable before the time of the account's own mark is an alarm.
    """
    requests = await opened(real_time, "alex", "robin", "kim")
    closer = Closer(backend)
    for request_id in requests:
        expires(real_time, request_id, "-1 s")
    async with backend.ledger.transaction() as session:
        grants = await due.take(session, backend.lease, 10)
    real_time.sql("UPDATE grants SET settled_at = clock_timestamp() WHERE request_id = %s", requests[0])
    before = len(changed_by(real_time, "alex"))
    marked_anew(real_time, backend, "robin", requests[1])
    closer.disabling.send(Taken(backend, backend.ledger_clock, grants, backend.ledger_clock.steady() - 3))
    await closer.disabling.finish(timedelta(seconds=PATIENCE_SECONDS))
    assert len(changed_by(real_time, "alex")) == before
    assert is_open(real_time, "alex")
    assert not is_open(real_time, "robin")
    assert not is_open(real_time, "kim")
    checking = asyncio.create_task(closer.disabling.check())

    async def told() -> list[Alarm] | None:
        return await list_alarms(TESTER, real_time.app) or None

    [early] = await eventually(told)
    checking.cancel()
    assert (early.kind, early.subject) == (AlarmKind.CLOSED_EARLY, requests[1])


async def test_without_the_ledger_the_newest_mark_decides_also_after_a_start(real_time: Scene, tmp_path: Path) -> None:
    kept = tmp_path / "sealed"
    settings = real_time.settings.model_copy(update={"sealed_cache": kept})
    nowhere = settings.model_copy(update={"database_url": SecretStr("postgresql://127.0.0.1:1/none")})
    async with RevokingBackend(settings) as backend, RevokingBackend(nowhere) as without:
        await _without_the_ledger(real_time, backend, without, kept)


async def _without_the_ledger(real_time: Scene, backend: RevokingBackend, without: RevokingBackend, kept: Path) -> None:
    alex, robin, kim = await opened(real_time, *TECHNICIANS)
    for request_id in (alex, robin, kim):
        expires(real_time, request_id, "-1 s")
    closer = Closer(backend)
    await backend.directories.to_close(TenantId(customer_id(real_time.customer)))
    await closer.look()
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600  # noqa: ASYNC240
    assert SANDBOX_SECRETS["SANDBOX_REVOKE_SECRET"].encode() not in kept.read_bytes()  # noqa: ASYNC240
    [(past,)] = real_time.sql("SELECT max(expires_at) + interval '10 s' FROM grants")
    assert backend.lease == timedelta(seconds=10)

    async def are_over() -> bool | None:
        return backend.clock() >= past or None

    with real_time.locked("grants"):
        await closer.close_without_ledger()
        assert is_open(real_time, "alex"), "an extension may be on its way to the directory"
        await eventually(are_over)
        marked_anew(real_time, backend, "robin", robin)
        users = f"/tenants/{real_time.customer}/users"
        real_time.control("PATCH", f"{users}/{real_time.account('kim')}", extension_attributes={MARK: None})
        await Closer(without).close_without_ledger()
        assert [is_open(real_time, name) for name in TECHNICIANS] == [False, True, False], "it had just started"
        await closer.close_without_ledger()
        assert not is_open(real_time, "alex")
        assert is_open(real_time, "robin"), "it was extended since"
        assert not is_open(real_time, "kim"), "its administrator has removed the mark"
    await closer.disabling.finish(timedelta(seconds=PATIENCE_SECONDS))
    entered = real_time.sql("SELECT request_id FROM grants WHERE disabled_at IS NOT NULL")
    assert {request_id for (request_id,) in entered} == {alex, kim}


async def test_without_temporal_tenants_are_reconciled_and_what_is_late_is_told(
    real_time: Scene, backend: RevokingBackend
) -> None:
    [alex] = await opened(real_time, "alex")
    expires(real_time, alex, "-3 min")
    real_time.sql("DELETE FROM reconciliations")
    overdue = OverdueReconciliation(backend)
    [report] = await overdue.once()
    assert len(report.closed) == 1, report
    assert not is_open(real_time, "alex")
    assert await overdue.once() == [], "it was done just now"
    await LedgerWatch(backend).look()
    [late] = await list_alarms(TESTER, real_time.app)
    assert (late.kind, late.subject) == (AlarmKind.CLOSING_LATE, alex)
