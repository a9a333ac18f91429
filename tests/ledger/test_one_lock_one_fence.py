"""Lock, fence and lease: what keeps two grants from holding one account, and an opening from passing a closing.

Each is a race that is lost once in a thousand times. Here they are run until they would be: whatever the order, one
grant is live, and an opening that the fence did not stop is one that the fence knows of.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from pydantic import SecretStr
from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from entra_jit.ledger import admission, credentials, fences, parking, reconciliation
from entra_jit.ledger.admission import Admitted, GrantOverError
from entra_jit.policy.leases import LEASE_MARGIN, LONGEST_LEASE
from entra_jit.settings import Settings
from models.errors import RefusedError
from models.messages import CredentialKind, Fence, GrantRef, TenantId, Verdict
from tests.actors import TESTER, operator
from tests.ledger.books import CONTOSO, KEYRING, LEASE, NOON, Books, ref, settlement_of

HOUR = timedelta(hours=1)


async def test_of_twenty_requests_at_once_one_is_allowed(books: Books) -> None:
    asked = [books.a_request() for _ in range(20)]
    decisions = await asyncio.gather(*(books.answer(request) for request in asked))

    assert [decision.verdict for decision in decisions].count(Verdict.ALLOWED) == 1
    refused = [decision for decision in decisions if decision.verdict is Verdict.DENIED]
    assert len(refused) == 19
    winner = next(decision.grant for decision in decisions if decision.grant)
    assert all(f"the grant {winner.request_id} is being prepared" in decision.sentence for decision in refused)


async def test_one_request_answered_twenty_times_at_once_has_one_answer(books: Books) -> None:
    """A worker that was slow, and the one that took over from it."""
    request = books.a_request()
    decisions = await asyncio.gather(*(books.answer(request) for _ in range(20)))
    assert {decision.verdict for decision in decisions} == {Verdict.ALLOWED}
    assert all(decision.grant == decisions[0].grant for decision in decisions)


async def test_other_technicians_and_other_tenants_are_not_held_up(books: Books) -> None:
    pairs = [(technician, tenant) for technician in ("alex", "robin") for tenant in ("contoso", "fabrikam")]
    granted = await asyncio.gather(*(books.granted(*pair) for pair in pairs))
    assert len({grant.account_name for grant in granted}) == 4


async def test_the_place_is_free_again_only_when_the_grant_is_settled(books: Books) -> None:
    grant = await books.armed()
    assert (await books.answer(books.a_request())).verdict is Verdict.DENIED

    await books.do(fences.fence, grant.request_id, NOON, LEASE)
    waiting = books.a_request()
    assert (await books.answer(waiting)).verdict is Verdict.WAIT, "it is just closing"

    await books.settle(settlement_of(grant))
    assert (await books.answer(waiting)).verdict is Verdict.ALLOWED, "the one that waited is undecided until now"


async def test_an_opening_sees_the_fence_or_the_fence_sees_its_lease(books: Books) -> None:
    """If neither saw the other, the account would be opened after it was read back as closed."""
    both_orders = set()
    for number in range(40):
        grant = await books.armed()
        opening = books.do(admission.take_lease, KEYRING, ref(grant), NOON, LEASE)
        fencing = books.do(fences.fence, grant.request_id, NOON, LEASE)
        pair = (opening, fencing) if number % 2 else (fencing, opening)
        results = await asyncio.gather(*pair, return_exceptions=True)
        fence = next(result for result in results if isinstance(result, Fence))
        admitted = next((result for result in results if isinstance(result, Admitted)), None)

        assert (admitted is None) == (fence.lease_until is None)
        if admitted is None:
            assert any(isinstance(result, GrantOverError) for result in results)
        else:
            assert fence.lease_until == NOON + LEASE
        both_orders.add(admitted is None)
        await books.settle(settlement_of(grant))
    assert both_orders == {True, False}, "the race was never run both ways"


async def test_behind_the_fence_nothing_widens(books: Books) -> None:
    grant = await books.armed()
    await books.do(admission.opened, grant.request_id, NOON)
    await books.do(fences.fence, grant.request_id, NOON, LEASE)
    for widening in (
        books.do(admission.admit, ref(grant), NOON),
        books.do(admission.arm, KEYRING, ref(grant), NOON),
        books.do(admission.take_lease, KEYRING, ref(grant), NOON, LEASE),
        books.do(admission.extend, KEYRING, ref(grant), NOON + 5 * HOUR, NOON, LEASE),
        books.do(credentials.keep, KEYRING, ref(grant), CredentialKind.PASSWORD, SecretStr("x"), at=NOON),
    ):
        with pytest.raises(GrantOverError, match="is closing"):
            await widening


async def test_after_the_expiry_nothing_widens_even_without_a_fence(books: Books) -> None:
    """The worker may have slept through it."""
    grant = await books.armed()
    for late in (grant.duration, grant.duration + HOUR):
        with pytest.raises(GrantOverError, match="has expired"):
            await books.do(admission.take_lease, KEYRING, ref(grant), NOON + late, LEASE)


async def test_what_the_ledger_does_not_know_is_not_opened_and_can_be_closed(books: Books) -> None:
    """A ledger restored from an old backup. Closing such a grant must not wait for a row that will never come."""
    unknown = GrantRef(request_id="lost", attempt=1)
    with pytest.raises(GrantOverError, match="knows no grant"):
        await books.do(admission.take_lease, KEYRING, unknown, NOON, LEASE)
    with pytest.raises(GrantOverError, match="knows no grant"):
        await books.do(parking.unpark, unknown, NOON, by=TESTER)
    fence = await books.do(fences.fence, "lost", NOON, LEASE)
    assert fence == Fence(lease_until=NOON + LEASE), "it may have admitted an opening"
    receipt = await books.settle(settlement_of(books.a_request()))
    assert receipt.account_name is None


async def test_the_expiry_is_fixed_once(books: Books) -> None:
    """A reset or repeated workflow would otherwise give itself another four hours."""
    grant = await books.prepared()
    moments = [NOON + timedelta(minutes=minute) for minute in range(10)]
    said = await asyncio.gather(*(books.do(admission.arm, KEYRING, ref(grant), moment) for moment in moments))
    assert len(set(said)) == 1
    assert said[0].expires_at - grant.duration in moments
    assert await books.do(admission.arm, KEYRING, ref(grant), NOON + timedelta(minutes=30)) == said[0]


async def test_nothing_is_opened_before_its_expiry_is_fixed(books: Books) -> None:
    grant = await books.granted()
    with pytest.raises(GrantOverError, match="no expiry yet"):
        await books.do(admission.take_lease, KEYRING, ref(grant), NOON, LEASE)


async def test_a_lease_never_gets_shorter(books: Books) -> None:
    """The first opening may still be in flight when the second is admitted by a worker whose clock is behind."""
    grant = await books.armed()
    await books.do(admission.take_lease, KEYRING, ref(grant), NOON + timedelta(seconds=10), LEASE)
    second = await books.do(admission.take_lease, KEYRING, ref(grant), NOON, LEASE)
    await books.do(admission.release_lease, second)
    fence = await books.do(fences.fence, grant.request_id, NOON, LEASE)
    assert fence.lease_until == NOON + timedelta(seconds=10) + LEASE


async def test_a_first_opening_that_was_answered_leaves_no_lease_to_wait_for(books: Books) -> None:
    grant = await books.armed()
    lease = await books.do(admission.take_lease, KEYRING, ref(grant), NOON, LEASE)
    first = await books.do(admission.opened, grant.request_id, NOON)
    await books.do(admission.release_lease, lease)
    again = await books.do(admission.opened, grant.request_id, NOON + HOUR)
    assert first == again == NOON
    assert (await books.do(fences.fence, grant.request_id, NOON, LEASE)).lease_until is None


async def test_parked_is_fenced_and_unparking_is_a_new_attempt(books: Books) -> None:
    """What is left of the first attempt, on a worker that hangs, must not write into the second."""
    grant = await books.granted()
    first = ref(grant)
    await books.do(parking.park, grant.request_id, "Microsoft says no", NOON)
    with pytest.raises(GrantOverError):
        await books.do(admission.admit, first, NOON)
    assert "parked (Microsoft says no); retry or end it" in (await books.answer(books.a_request())).sentence

    seconds = await asyncio.gather(*(books.do(parking.unpark, first, NOON, by=TESTER) for _ in range(5)))
    assert {second.attempt for second in seconds} == {2}, "asking twice is trying once"
    assert (await books.do(admission.admit, seconds[0], NOON)).grant.attempt == 2
    with pytest.raises(GrantOverError, match="was retried since"):
        await books.do(admission.admit, first, NOON)


async def test_what_is_not_parked_or_too_late_is_not_unparked(books: Books) -> None:
    grant = await books.granted()
    with pytest.raises(GrantOverError, match="not parked"):
        await books.do(parking.unpark, ref(grant), NOON, by=TESTER)
    await books.do(parking.park, grant.request_id, "no", NOON)
    with pytest.raises(GrantOverError, match="window"):
        await books.do(parking.unpark, ref(grant), grant.window_ends_at, by=TESTER)
    await books.settle(settlement_of(grant))
    with pytest.raises(GrantOverError, match="not parked"):
        await books.do(parking.unpark, ref(grant), NOON, by=TESTER)
    await books.do(parking.park, grant.request_id, "late", NOON)
    assert (await books.answer(books.a_request())).verdict is Verdict.ALLOWED, "a late parking locks no technician out"


async def test_extending_twice_extends_once_and_never_past_the_maximum(books: Books) -> None:
    grant = await books.armed()
    with pytest.raises(RefusedError, match="Only an open grant"):
        await books.do(admission.extend, KEYRING, ref(grant), NOON + 5 * HOUR, NOON, LEASE)
    await books.do(admission.opened, grant.request_id, NOON)

    wanted = NOON + 6 * HOUR
    extended = await asyncio.gather(
        *(books.do(admission.extend, KEYRING, ref(grant), wanted, NOON, LEASE) for _ in range(5))
    )
    assert {admitted.expires_at for admitted in extended} == {wanted}
    for refused, sentence in ((NOON + 5 * HOUR, "already lasts"), (NOON + 9 * HOUR, "8 h in all")):
        with pytest.raises(RefusedError, match=sentence):
            await books.do(admission.extend, KEYRING, ref(grant), refused, NOON, LEASE)
    assert (await books.do(admission.admit, ref(grant), NOON)).expires_at == wanted


async def test_a_credential_is_shown_once_however_many_ask_at_once(books: Books) -> None:
    grant = await books.armed()
    await books.do(credentials.keep, KEYRING, ref(grant), CredentialKind.PASSWORD, SecretStr("sesame"), at=NOON)
    results = await asyncio.gather(
        *(books.do(credentials.reveal, KEYRING, grant.request_id, operator(f"alex-{n}"), NOON) for n in range(10)),
        return_exceptions=True,
    )
    shown = [result for result in results if not isinstance(result, BaseException)]
    assert [one.secret.get_secret_value() for one in shown] == ["sesame"]
    assert sum(isinstance(result, RefusedError) for result in results) == 9
    assert "sesame" not in repr(results)


async def test_a_lease_that_was_moved_holds_nothing_up_for_longer_than_any(books: Books) -> None:
    """It is not signed: a writer to PostgreSQL could keep a closing from being proven for years."""
    grant = await books.armed()
    await books.do(admission.take_lease, KEYRING, ref(grant), NOON, LEASE)

    async def move(session: AsyncSession) -> None:
        await (await session.connection()).execute(text("UPDATE grants SET lease_until = '2100-01-01Z'"))

    await books.do(move)
    [registered] = (await books.do(reconciliation.register, KEYRING, TenantId(str(CONTOSO)), NOON)).accounts
    assert registered.live is not None
    assert registered.live.lease_until is None
    assert (await books.do(fences.fence, grant.request_id, NOON, LEASE)).lease_until == NOON + LONGEST_LEASE
    later = NOON + timedelta(hours=1)
    assert [one.lease_until for one in await books.do(fences.fence_all, later, TESTER)] == [NOON + LONGEST_LEASE]
    longest = Settings.model_fields["graph_timeout_seconds"].metadata[1].le
    assert timedelta(seconds=longest) + LEASE_MARGIN < LONGEST_LEASE
