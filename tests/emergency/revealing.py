"""Revealing an emergency credential as the command line does it, and trying it."""

from __future__ import annotations

import json

from entra_jit.crypto.one_time import OneTimeKey
from entra_jit.emergency_kit import Passkey
from entra_jit.operations.reveal_emergency_account import reveal_emergency_account
from models.messages import ObjectId, SealedPasskeys, SignInOutcome
from tests.actors import TESTER
from tests.emergency.accounts import user
from tests.emergency.over_http import OverHttp
from tests.stage import Scene


def opened(key: OneTimeKey, sealed: SealedPasskeys) -> Passkey:
    """As the reader opens it."""
    [found] = json.loads(key.open(sealed.sealed, sealed.about).get_secret_value())
    return Passkey.read(found)


async def reveal(act: Scene) -> Passkey:
    """As the command line does it."""
    key = OneTimeKey()
    return opened(key, await reveal_emergency_account(TESTER, act.app, act.customer, 1, "an outage", key.public))


async def works(act: Scene, passkey: Passkey) -> bool:
    """Whether it opens the account now."""
    account = ObjectId(user(act, passkey.number)["id"])
    attempt = await OverHttp(act.app.graph, act.services).sign_in(passkey, account)
    return attempt.outcome is SignInOutcome.SIGNED_IN
