"""A person who was given the key of a Global Administrator has it for ever, unless the key is made worthless.

So a reveal is known at once, and the account is rotated an hour later. Until then the key works, whatever else happens:
the person who asked for it has an outage to end.
"""

from __future__ import annotations

from datetime import timedelta

import pytest

from entra_jit.app import App
from entra_jit.emergency_kit import KitError, OneTimeKey
from entra_jit.identity.authorize import NotAllowedError
from entra_jit.operations.list_emergency_accounts import list_emergency_accounts
from entra_jit.operations.make_emergency_kit import make_emergency_kit
from entra_jit.operations.reveal_emergency_account import reveal_emergency_account
from models.actor import Actor, ActorKind, Role, Via
from models.errors import BadInputError, NotFoundError, RefusedError
from tests.actors import TESTER
from tests.emergency.accounts import made, passkeys, rotate, signs_in, want_rotation
from tests.emergency.revealing import opened, request_of, reveal, works
from tests.stage import Scene, stage_clock, variant

ADMIN = Actor(
    kind=ActorKind.PERSON,
    id="0a0a0a0a-2222-4222-8222-0000000000ad",
    name="an admin",
    via=Via.PORTAL,
    roles=frozenset({Role.ADMIN}),
)


def later(act: Scene, by: timedelta) -> App:
    """The same deployment, so much later."""
    return variant(act.app, clock=lambda: stage_clock() + by)


async def test_it_is_told_at_once_and_rotated_after_its_hour(real_time: Scene) -> None:
    await made(real_time)
    passkey = await reveal(real_time)
    assert await works(real_time, passkey)
    assert real_time.sql("SELECT kind FROM alarms") == [("emergency credential revealed",)]
    [[reason]] = real_time.sql(
        "SELECT texts.content FROM events JOIN texts ON texts.id::text = events.body->'reason'->>'text' "
        "WHERE kind = 'emergency credential revealed'"
    )
    assert reason == "an outage"
    [[rotate_at]] = real_time.sql("SELECT rotate_at FROM emergency_accounts")
    assert rotate_at - stage_clock() <= timedelta(hours=1)

    await rotate(real_time, app=later(real_time, timedelta(hours=1, minutes=1)))

    assert not await works(real_time, passkey)
    ended = [call for call in real_time.journal(writes=True) if call["path"].endswith("/revokeSignInSessions")]
    assert len(ended) == 1, "a session that was begun with it does not outlive it"
    assert await signs_in(real_time)
    assert real_time.sql("SELECT kind FROM alarms") == []


async def test_a_rotation_within_the_hour_leaves_it_its_hour(real_time: Scene) -> None:
    await made(real_time)
    passkey = await reveal(real_time)
    await want_rotation(real_time)
    assert await rotate(real_time) is False
    assert await works(real_time, passkey)
    assert len(passkeys(real_time)) == 2

    assert await rotate(real_time, app=later(real_time, timedelta(hours=1, minutes=1))) is True
    assert not await works(real_time, passkey)
    assert len(passkeys(real_time)) == 1


async def test_a_second_reveal_makes_the_hour_no_longer_and_a_failing_rotation_no_shorter(real_time: Scene) -> None:
    await made(real_time)
    await reveal(real_time)
    [[first]] = real_time.sql("SELECT usable_until FROM emergency_accounts")
    await reveal(real_time)
    assert real_time.sql("SELECT usable_until FROM emergency_accounts") == [(first,)]
    # Its rotation has not come through for an hour, and a person needs it now.
    real_time.sql("UPDATE emergency_accounts SET usable_until = usable_until - interval '2 hours'")
    await reveal(real_time)
    [[again]] = real_time.sql("SELECT usable_until FROM emergency_accounts")
    assert again > stage_clock()


async def test_only_its_reader_opens_it(real_time: Scene) -> None:
    await made(real_time)
    key = OneTimeKey()
    sealed = await reveal_emergency_account(TESTER, real_time.app, request_of(real_time, key))
    with pytest.raises(KitError):
        OneTimeKey().open(sealed.sealed, sealed.about)
    with pytest.raises(KitError):
        key.open(sealed.sealed, "emergency kit")
    assert opened(key, sealed).account_name


async def test_what_is_not_given_is_not_recorded_as_given(real_time: Scene) -> None:
    await made(real_time)
    for changes, error in (
        ({"reader": "no key"}, BadInputError),
        ({"reason": " "}, BadInputError),
        ({"number": 2}, NotFoundError),
    ):
        with pytest.raises(error):
            await reveal_emergency_account(TESTER, real_time.app, request_of(real_time, OneTimeKey(), **changes))
    assert real_time.sql("SELECT revealed_at, usable_until FROM emergency_accounts") == [(None, None)]
    assert real_time.sql("SELECT kind FROM alarms") == []


async def test_the_portals_word_opens_none(real_time: Scene) -> None:
    """A portal that is broken into speaks for every admin; it cannot sign in for one."""
    await made(real_time)
    key = OneTimeKey()
    for role in (Role.ADMIN, Role.EMERGENCY):
        person = ADMIN.model_copy(update={"roles": frozenset({role})})
        with pytest.raises(RefusedError):
            await reveal_emergency_account(person, real_time.app, request_of(real_time, key))
        with pytest.raises(NotAllowedError):
            await make_emergency_kit(person, real_time.app, [], "an outage", key.public)
    assert real_time.sql("SELECT revealed_at FROM emergency_accounts") == [(None,)]


async def test_a_key_is_good_once(real_time: Scene) -> None:
    await made(real_time, 2)
    key = OneTimeKey()
    await reveal_emergency_account(TESTER, real_time.app, request_of(real_time, key))
    for number in (1, 2):
        with pytest.raises(RefusedError, match="used already"):
            await reveal_emergency_account(TESTER, real_time.app, request_of(real_time, key, number=number))


async def test_what_is_in_a_kit_is_kept_for_it(real_time: Scene) -> None:
    await made(real_time, 2)
    key = OneTimeKey()
    passkey = opened(key, await make_emergency_kit(TESTER, real_time.app, [], "the safe", key.public))
    assert passkey.number == 2, "the first one is rotated as ever"
    in_a_year = later(real_time, timedelta(days=365))
    assert real_time.sql("SELECT number, rotate_at FROM emergency_accounts WHERE rotate_at IS NULL") == [(2, None)]
    [_, kept] = await list_emergency_accounts(TESTER, real_time.app, real_time.customer)
    assert (kept.in_kit_since is not None, kept.kit_is_stale) == (True, False)
    await rotate(real_time, app=in_a_year)
    assert await works(real_time, passkey)
    await want_rotation(real_time, 2)
    await rotate(real_time, number=2)
    [first, second] = await list_emergency_accounts(TESTER, real_time.app, real_time.customer)
    assert (first.kit_is_stale, second.kit_is_stale) == (False, True)
    assert second.rotates_at is not None
    assert not await works(real_time, passkey)
