"""A drill that no browser makes proves nothing: it is with a browser that a person gets in on the worst day.

A real Chromium signs in at the sandbox's own page with the key that was sealed, and no other process sees the key.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from entra_jit.accounts.emergency.key_pair import usable
from entra_jit.accounts.emergency.signing_in import BrowserSignIn
from entra_jit.emergency_kit import Browser, Passkey
from entra_jit.ledger import emergency
from models.messages import EmergencyCredentialRef, ObjectId, SignInOutcome
from tests.chromium import ARGUMENTS, CHROMIUM
from tests.emergency.accounts import made, ref_of, user
from tests.stage import Scene, stage_clock

pytestmark = pytest.mark.skipif(not CHROMIUM.exists(), reason="there is no /usr/bin/chromium to sign in with")


async def sealed_passkey(act: Scene) -> Passkey:
    """What the ledger keeps, opened."""
    async with act.app.ledger.transaction() as session:
        account = await emergency.find(session, ref_of(act))
        assert account is not None
        assert account.current is not None
        credential = EmergencyCredentialRef(account=ref_of(act), credential=str(account.current.handle))
        stored, pair = await emergency.open_passkey(session, act.app.keyring, credential)
    return usable(ref_of(act), account, stored, pair)


def in_chromium(act: Scene) -> BrowserSignIn:
    """As a worker has it that is told of this machine's browser."""
    changes = {"browser": str(CHROMIUM), "browser_arguments": tuple(ARGUMENTS)}
    return BrowserSignIn(act.app.graph, act.settings.model_copy(update=changes), stage_clock)


async def test_it_signs_in_and_is_refused_by_what_a_page_says(real_time: Scene) -> None:
    await made(real_time)
    passkey = await sealed_passkey(real_time)
    object_id = ObjectId(user(real_time)["id"])
    attempt = await in_chromium(real_time).sign_in(passkey, object_id)
    assert attempt.outcome is SignInOutcome.SIGNED_IN, attempt.detail

    real_time.control("PATCH", f"/tenants/{real_time.customer}/users/{object_id}", enabled=False)
    refused = await in_chromium(real_time).sign_in(passkey, object_id)
    assert refused.outcome is SignInOutcome.REFUSED, refused.detail
    assert "AADSTS" in refused.detail


async def test_a_browser_that_does_not_start_says_nothing_of_the_credential(real_time: Scene) -> None:
    await made(real_time)
    passkey = await sealed_passkey(real_time)
    absent = BrowserSignIn(
        real_time.app.graph, real_time.settings.model_copy(update={"browser": "/nowhere/chromium"}), stage_clock
    )
    attempt = await absent.sign_in(passkey, ObjectId(user(real_time)["id"]))
    assert attempt.outcome is SignInOutcome.NOT_TRIED
    assert "No browser" in attempt.detail


def of_processes(name: str) -> Iterator[bytes]:
    """What ``ps`` could show of each process: its arguments, or its environment."""
    for process in Path("/proc").iterdir():
        if process.name.isdecimal() and process.name != str(os.getpid()):
            with suppress(OSError):
                yield (process / name).read_bytes()


async def test_the_key_stands_in_no_argument_environment_or_file(
    real_time: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await made(real_time)
    passkey = await sealed_passkey(real_time)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setenv("ENTRA_JIT_KEYS", "unmistakable")

    def look() -> None:
        with Browser(passkey, program=str(CHROMIUM), headless=True, arguments=ARGUMENTS) as browser:
            browser.open("about:blank")
            secrets = (passkey.private_key, passkey.credential_id, "unmistakable")
            shown = [*of_processes("cmdline"), *of_processes("environ")]
            assert any(str(tmp_path).encode() in one for one in shown), "the browser is among them"
            assert not any(secret.encode() in one for secret in secrets for one in shown)
            files = [file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()]
            assert not any(passkey.private_key.encode() in one for one in files)

        assert list(tmp_path.iterdir()) == [], "the profile is gone"

    await asyncio.to_thread(look)


@pytest.mark.long
async def test_another_accounts_key_is_refused(real_time: Scene) -> None:
    await made(real_time, 2)
    passkey = replace(await sealed_passkey(real_time), account_name=user(real_time, 2)["user_principal_name"])
    attempt = await in_chromium(real_time).sign_in(passkey, ObjectId(user(real_time, 2)["id"]))
    assert attempt.outcome is SignInOutcome.REFUSED, attempt.detail
