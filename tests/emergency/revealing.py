"""Revealing an emergency credential as the command line does it, and trying it."""

from __future__ import annotations

from entra_jit.emergency_kit import OneTimeKey, Passkey
from entra_jit.operations.reveal_emergency_account import reveal_emergency_account
from models.messages import ObjectId, RevealRequest, SealedPasskeys, SignInOutcome
from tests.actors import TESTER
from tests.emergency.accounts import user
from tests.emergency.over_http import OverHttp
from tests.stage import Scene, stage_clock


def opened(key: OneTimeKey, sealed: SealedPasskeys) -> Passkey:
    """As the reader opens it."""
    [found] = key.open(sealed.sealed, sealed.about)
    return found


async def reveal(act: Scene) -> Passkey:
    """As the command line does it."""
    key = OneTimeKey()
    return opened(key, await reveal_emergency_account(TESTER, act.app, request_of(act, key)))


def request_of(act: Scene, key: OneTimeKey, **changes: object) -> RevealRequest:
    """For the first account, sealed to ``key``."""
    given = {"tenant": act.customer, "number": 1, "reason": "an outage", "reader": key.public}
    return RevealRequest.model_validate(given | changes)


async def works(act: Scene, passkey: Passkey) -> bool:
    """Whether it opens the account now."""
    account = ObjectId(user(act, passkey.number)["id"])
    attempt = await OverHttp(act.app.graph, act.services.trusted, stage_clock).sign_in(passkey, account)
    return attempt.outcome is SignInOutcome.SIGNED_IN
