"""A stop finds every live grant, and no grant is decided beside it.

If the stop looks before a grant is written, and the decision looks before the stop is, neither sees the other: the one
account that stays open is the one that was asked for in that second.
"""

from __future__ import annotations

import asyncio
from uuid import UUID

import pytest
from sqlmodel.ext.asyncio.session import AsyncSession

from entra_jit.ledger import admission, holds, parking, reconciliation, requests
from entra_jit.ledger.admission import GrantOverError
from entra_jit.ledger.fences import Fenced, fence_all
from models.holds import HoldKind
from models.messages import TenantId, Verdict
from tests.actors import TESTER, operator
from tests.ledger.books import ALEX, CONTOSO, KEYRING, LEASE, NOON, Books, ref


async def place_and_fence(
    session: AsyncSession, tenant_id: UUID | None = None, technician_id: UUID | None = None
) -> list[Fenced]:
    whose = {"tenant_id": tenant_id, "technician_id": technician_id}
    await holds.place(session, HoldKind.STOP, **whose, by=operator("kim"), reason="a laptop was stolen", at=NOON)
    return await fence_all(session, NOON, TESTER, **whose)


async def stop(books: Books, *, tenant_id: UUID | None = None, technician_id: UUID | None = None) -> list[Fenced]:
    return await books.do(place_and_fence, tenant_id, technician_id)


async def lift(books: Books) -> None:
    assert await books.do(holds.lift, HoldKind.STOP, by=operator("kim"), at=NOON)


async def waits(task: asyncio.Task[object]) -> bool:
    return not (await asyncio.wait({task}, timeout=0.5))[0]


async def test_a_stop_waits_for_what_is_just_being_decided(books: Books) -> None:
    request = books.a_request()
    async with books.ledger.transaction() as deciding:
        assert (await requests.answer(deciding, KEYRING, request, TESTER, NOON)).verdict is Verdict.ALLOWED
        stopping = asyncio.create_task(stop(books))
        assert await waits(stopping), "it would not see the grant, nor the grant it"
    assert [one.grant.request_id for one in await stopping] == [request.request_id]


async def test_what_is_decided_beside_a_stop_waits_for_it(books: Books) -> None:
    async with books.ledger.transaction() as stopping:
        assert not await place_and_fence(stopping)
        deciding = asyncio.create_task(books.answer(books.a_request()))
        assert await waits(deciding)
    decision = await deciding
    assert decision.verdict is Verdict.DENIED
    assert "is stopped since" in decision.sentence


async def test_an_opening_that_was_admitted_is_seen_by_its_lease(books: Books) -> None:
    grant = await books.armed()
    async with books.ledger.transaction() as opening:
        await admission.take_lease(opening, KEYRING, ref(grant), NOON, LEASE)
        stopping = asyncio.create_task(stop(books))
        assert await waits(stopping)
    assert [one.lease_until for one in await stopping] == [NOON + LEASE]


async def test_an_opening_beside_a_stop_is_refused(books: Books) -> None:
    grant = await books.armed()
    async with books.ledger.transaction() as stopping:
        assert [one.lease_until for one in await place_and_fence(stopping)] == [None]
        opening = asyncio.create_task(books.do(admission.take_lease, KEYRING, ref(grant), NOON, LEASE))
        assert await waits(opening)
    with pytest.raises(GrantOverError, match="is stopped since"):
        await opening


async def test_its_scope_is_what_was_said(books: Books) -> None:
    pairs = [(who, where) for who in ("alex", "robin") for where in ("contoso", "fabrikam")]
    live = {pair: await books.granted(*pair) for pair in pairs}

    def ids(*wanted: tuple[str, str]) -> set[str]:
        return {live[pair].request_id for pair in wanted}

    def fenced(by: list[Fenced]) -> set[str]:
        return {one.grant.request_id for one in by}

    assert fenced(await stop(books, tenant_id=CONTOSO)) == ids(("alex", "contoso"), ("robin", "contoso"))
    assert fenced(await stop(books, technician_id=ALEX)) == ids(("alex", "contoso"), ("alex", "fabrikam"))
    assert (await books.do(admission.admit, ref(live["robin", "fabrikam"]), NOON)).grant == live["robin", "fabrikam"]
    assert fenced(await stop(books)) == ids(*pairs)
    assert len(await books.do(holds.in_force)) == 3


async def test_lifting_opens_nothing_again(books: Books) -> None:
    """The fence stays: what was stopped half-way is asked for anew."""
    grant = await books.armed()
    parked = await books.granted("robin")
    await books.do(parking.park, parked.request_id, "Microsoft says no", NOON)
    await stop(books)
    for widening in (
        books.do(admission.take_lease, KEYRING, ref(grant), NOON, LEASE),
        books.do(parking.unpark, ref(parked), NOON, by=TESTER),
    ):
        with pytest.raises(GrantOverError, match=r"stopped since .* by kim: a laptop was stolen\."):
            await widening
    await lift(books)
    with pytest.raises(GrantOverError, match="is closing"):
        await books.do(admission.take_lease, KEYRING, ref(grant), NOON, LEASE)


async def test_the_reconciler_is_told(books: Books) -> None:
    await books.armed()
    await stop(books)
    (row,) = (await books.do(reconciliation.register, KEYRING, TenantId(str(CONTOSO)), NOON)).accounts
    assert row.live is not None
    assert row.live.withdrawn_because is not None
    assert "a laptop was stolen" in row.live.withdrawn_because
    await lift(books)
    (row,) = (await books.do(reconciliation.register, KEYRING, TenantId(str(CONTOSO)), NOON)).accounts
    assert row.live is not None
    assert row.live.withdrawn_because is None
