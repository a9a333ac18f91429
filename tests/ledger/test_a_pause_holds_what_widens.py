"""A pause is asked for at every step that widens access, and at none that narrows it.

One step that forgot to ask would open accounts in the tenant that an operator has just taken out of use; one closing
that did ask would leave an account open for as long as the trouble lasts.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from pydantic import SecretStr

from entra_jit.ledger import admission, credentials, fences, holds
from entra_jit.ledger.admission import PausedError
from models.errors import RefusedError
from models.holds import Hold, HoldKind
from models.messages import CredentialKind
from tests.actors import operator
from tests.ledger.books import ALEX, CONTOSO, FABRIKAM, KEYRING, LEASE, NOON, Books, ref, settlement_of

HOUR = timedelta(hours=1)


async def pause(books: Books, reason: str = "Microsoft is down") -> Hold:
    return await books.do(
        holds.place, HoldKind.PAUSE, tenant_id=CONTOSO, technician_id=None, by=operator("kim"), reason=reason, at=NOON
    )


async def test_nothing_widens_and_everything_narrows(books: Books) -> None:
    grant = await books.armed()
    await books.do(admission.opened, grant.request_id, NOON)
    elsewhere = await books.armed(tenant="fabrikam")
    await pause(books)

    for widening in (
        books.do(admission.admit, ref(grant), NOON),
        books.do(admission.arm, KEYRING, ref(grant), NOON),
        books.do(admission.take_lease, KEYRING, ref(grant), NOON, LEASE),
        books.do(credentials.keep, KEYRING, ref(grant), CredentialKind.PASSWORD, SecretStr("x"), at=NOON),
    ):
        with pytest.raises(PausedError, match=r"contoso is paused since .* by kim: Microsoft is down\."):
            await widening
    with pytest.raises(RefusedError, match="Nothing is extended there until it is resumed"):
        await books.do(admission.extend, KEYRING, ref(grant), NOON + 5 * HOUR, NOON, LEASE)
    assert (await books.do(admission.take_lease, KEYRING, ref(elsewhere), NOON, LEASE)).grant == elsewhere

    assert (await books.do(fences.fence, grant.request_id, NOON, LEASE)).lease_until is None
    assert (await books.settle(settlement_of(grant))).proven_at is not None


async def test_a_pause_stands_once_and_is_lifted_once(books: Books) -> None:
    said = await asyncio.gather(*(pause(books, reason=f"reason {number}") for number in range(5)))
    assert len({hold.reason for hold in said}) == 1, "the first one stands"
    lift = {"tenant_id": CONTOSO, "technician_id": None, "by": operator("robin"), "at": NOON}
    assert not await books.do(holds.lift, HoldKind.PAUSE, **{**lift, "tenant_id": FABRIKAM})
    assert not await books.do(holds.lift, HoldKind.STOP, **lift)
    assert not await books.do(holds.lift, HoldKind.PAUSE, **{**lift, "technician_id": ALEX})
    assert await books.do(holds.in_force) == [said[0]]

    assert await books.do(holds.lift, HoldKind.PAUSE, **lift)
    assert not await books.do(holds.lift, HoldKind.PAUSE, **lift)
    assert await books.do(holds.in_force) == []
    assert (await pause(books, reason="again")).reason == "again"


async def test_what_is_over_does_not_wait_for_a_resumption(books: Books) -> None:
    """A step that waits out a pause for a grant that has ended would keep its workflow from closing it."""
    grant = await books.armed()
    await pause(books)
    await books.do(fences.fence, grant.request_id, NOON, LEASE)
    with pytest.raises(admission.GrantOverError, match="is closing"):
        await books.do(admission.admit, ref(grant), NOON)
