"""One `App` opens what a program needs, when it needs it, and closes all of it.

Commands that only read the ledger must work while Temporal is away; and a command that leaves at once must not take an
alarm with it that was about to be delivered.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest
from pydantic import SecretStr

from entra_jit.app import App
from entra_jit.operations.list_alarms import list_alarms
from entra_jit.settings import Settings
from models.alarms import Alarm, AlarmKind
from models.errors import SettingsError
from tests.actors import TESTER
from tests.stage import Services

KEYS = SecretStr("k0:" + "A" * 43 + "=")
LATE = Alarm(kind=AlarmKind.CLOSING_LATE, subject="a-grant", sentence="It is late.", raised_at=datetime.now(UTC))


class Slow:
    """Takes its time to deliver an alarm."""

    def __init__(self) -> None:
        self.delivered: list[Alarm] = []

    async def announce(self, alarm: Alarm) -> None:
        await asyncio.sleep(0.2)
        self.delivered.append(alarm)


async def test_what_is_set_wrongly_is_told_when_it_is_needed_and_not_before() -> None:
    async with App(Settings(profile="sandbox", database_url=SecretStr("nonsense"), keys=SecretStr("nonsense"))) as app:
        with pytest.raises(SettingsError, match="DATABASE_URL"):
            _ = app.ledger
        with pytest.raises(SettingsError, match="ENTRA_JIT_KEYS"):
            _ = app.keyring


async def test_the_ledger_is_read_without_temporal(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEMPORAL_ADDRESS", "127.0.0.1:1")
    settings = Settings(profile="sandbox", database_url=SecretStr(services.new_database()), keys=KEYS)
    async with App(settings) as app:
        assert not await list_alarms(TESTER, app)


async def test_an_alarm_is_delivered_before_the_app_is_closed(services: Services) -> None:
    slow = Slow()
    settings = Settings(profile="sandbox", database_url=SecretStr(services.new_database()), keys=KEYS)
    async with App(settings, announcer=slow) as app:
        await app.alarms.raise_alarm(LATE)
        app.revoking.refused("contoso", "disable an account", "it is not permitted.")
        assert not slow.delivered

    assert {alarm.kind for alarm in slow.delivered} == {AlarmKind.CLOSING_LATE, AlarmKind.REVOKING_REFUSED}


async def test_the_app_closes_also_when_its_work_fails(services: Services) -> None:
    slow = Slow()

    async def work(app: App) -> None:
        async with app:
            await app.alarms.raise_alarm(LATE)
            raise ZeroDivisionError

    settings = Settings(profile="sandbox", database_url=SecretStr(services.new_database()), keys=KEYS)
    with pytest.raises(ZeroDivisionError):
        await work(App(settings, announcer=slow))
    assert slow.delivered == [LATE]
