"""A retried activity changes nothing twice.

Temporal runs an activity again when its answer was lost, which also happens after a success. A second run that changes
something makes the receipt wrong: another time, another expiry, a credential that counts as not shown.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest
from pydantic import SecretStr
from sqlmodel.ext.asyncio.session import AsyncSession

from entra_jit.ledger import accounts, admission, credentials, fences, receipts, reconciliation, requests, steps
from entra_jit.ledger.accounts import NameTakenError
from entra_jit.ledger.receipts import UnprovenError
from models.errors import RefusedError
from models.messages import CredentialKind, Grant, GrantState, ObjectId, Step, TenantId, Verdict
from tests.actors import TESTER
from tests.ledger.books import CONTOSO, KEYRING, LEASE, NOON, Books, ref, settlement_of

LATER = timedelta(minutes=1)
OBJECT = ObjectId("11111111-1111-4111-8111-111111111111")
STEPS = [Step(name="opened", at=NOON), Step(name="disabled", at=NOON + LATER)]

WRITES: dict[str, Callable[[Books, Grant, timedelta], Awaitable[object]]] = {
    "intend": lambda books, grant, wait: books.do(accounts.intend, grant, NOON + wait),
    "confirm": lambda books, grant, _: books.do(accounts.confirm, grant, OBJECT),
    "forget object": lambda books, grant, _: books.do(
        accounts.forget_object, grant.tenant_id, grant.technician_id, OBJECT
    ),
    "confirm another": lambda books, grant, _: books.do(accounts.confirm, grant, OBJECT),
    "arm": lambda books, grant, wait: books.do(admission.arm, KEYRING, ref(grant), NOON + wait),
    "lease": lambda books, grant, _: books.do(admission.take_lease, KEYRING, ref(grant), NOON, LEASE),
    "opened": lambda books, grant, wait: books.do(admission.opened, grant.request_id, NOON + wait),
    "extend": lambda books, grant, _: books.do(
        admission.extend, KEYRING, ref(grant), NOON + timedelta(hours=5), NOON, LEASE
    ),
    "steps": lambda books, grant, _: books.do(steps.record, grant.request_id, 1, STEPS),
    "fence": lambda books, grant, wait: books.do(fences.fence, grant.request_id, NOON + wait, LEASE),
    "settle": lambda books, grant, wait: books.settle(settlement_of(grant, at=NOON + timedelta(hours=4) + wait)),
    "forget credential": lambda books, grant, _: books.do(credentials.forget, grant.request_id),
}


async def test_each_write_in_the_life_of_a_grant_run_twice_is_run_once(books: Books) -> None:
    grant = await books.granted()
    for name, write in WRITES.items():
        await write(books, grant, timedelta(0))
        once = await books.everything()
        await write(books, grant, LATER)
        assert await books.everything() == once, f"{name}, run twice, changed something"


async def test_a_decision_is_repeated_and_not_made_again(books: Books) -> None:
    request = books.a_request()
    first = await books.answer(request)
    once = await books.everything()
    await books.configure(role_mappings=[])  # what was decided is decided
    again = await books.answer(request, NOON + timedelta(minutes=59))
    assert (again.verdict, again.sentence, again.grant) == (first.verdict, first.sentence, first.grant)
    now = await books.everything()
    assert {table: now[table] for table in ("requests", "grants")} == {
        table: once[table] for table in ("requests", "grants")
    }

    denied = books.a_request("robin")
    refusal = await books.answer(denied)
    assert refusal.verdict is Verdict.DENIED
    await books.configure()
    assert await books.answer(denied) == refusal, "a second ask is a second request, with an id of its own"


async def test_what_is_over_is_answered_as_over(books: Books) -> None:
    """A reset workflow that decides again must not be told that it may open."""
    request = books.a_request()
    await books.answer(request)
    await books.settle(settlement_of(request))
    assert (await books.answer(request)).verdict is Verdict.OVER


async def test_the_first_receipt_stands(books: Books) -> None:
    grant = await books.armed()
    first = await books.settle(settlement_of(grant))
    other = settlement_of(grant, at=NOON + timedelta(hours=9))
    again = await books.settle(other.model_copy(update={"alarms": ("forged",)}))
    assert again == first == await books.do(receipts.of_request, grant.request_id)
    assert first.alarms == ()


async def test_an_armed_grant_is_not_settled_without_proof(books: Books) -> None:
    """Releasing its lock would let the next grant find the account open, and its receipt would claim a closing."""
    grant = await books.armed()
    await books.do(credentials.keep, KEYRING, ref(grant), CredentialKind.PASSWORD, SecretStr("sesame"), at=NOON)
    before = await books.everything()
    with pytest.raises(UnprovenError, match="nothing proves"):
        await books.settle(settlement_of(grant, proven=False))
    assert await books.everything() == before

    await books.settle(settlement_of(grant))
    assert (await books.everything())["sealed_credentials"] == []
    with pytest.raises(RefusedError, match="closed already"):
        await books.do(credentials.reveal, KEYRING, grant.request_id, TESTER, NOON)


async def test_a_grant_that_never_came_to_be_armed_needs_no_proof(books: Books) -> None:
    grant = await books.granted()
    receipt = await books.settle(settlement_of(grant, proven=False))
    assert receipt.opened_at is None
    assert (await books.answer(books.a_request())).verdict is Verdict.ALLOWED


async def test_what_ended_before_it_was_decided_can_never_be_granted(books: Books) -> None:
    """Cancelled before a worker lived: a repeated decision must not open it afterwards."""
    request = books.a_request()
    receipt = await books.settle(settlement_of(request, proven=False))
    assert receipt.decision == "Withdrawn before it was decided."
    assert (await books.answer(request)).verdict is Verdict.DENIED
    assert (await books.everything())["grants"] == []


async def test_the_first_record_of_a_step_stands_and_the_next_attempt_has_its_own(books: Books) -> None:
    grant = await books.granted()
    for attempt in (1, 2):
        for wait in (timedelta(0), LATER):
            step = Step(name="opened", at=NOON + attempt * timedelta(hours=1) + wait)
            await books.do(steps.record, grant.request_id, attempt, [step])
    rows = await books.do(steps.of_request, grant.request_id)
    assert [row.at - NOON for row in rows] == [timedelta(hours=1), timedelta(hours=2)]


async def test_an_account_is_intended_once_and_its_name_is_nobody_elses(books: Books) -> None:
    """The first to intend an account makes it without looking; two of them would make two."""
    grant = await books.granted()
    assert await books.do(accounts.intend, grant, NOON)
    assert not await books.do(accounts.intend, grant, NOON + LATER)
    robin = (await books.granted("robin")).model_copy(update={"account_name": grant.account_name})
    with pytest.raises(NameTakenError, match="registered for another technician"):
        await books.do(accounts.intend, robin, NOON)


async def test_a_newer_credential_replaces_the_old_one_and_counts_as_not_shown(books: Books) -> None:
    grant = await books.armed()
    for secret in ("first", "second"):
        await books.do(credentials.keep, KEYRING, ref(grant), CredentialKind.PASSWORD, SecretStr(secret), at=NOON)
        revealed = await books.do(credentials.reveal, KEYRING, grant.request_id, TESTER, NOON)
        assert revealed.secret.get_secret_value() == secret
    with pytest.raises(RefusedError, match="shown to tests at 2026-11-23 12:00:00Z"):
        await books.do(credentials.reveal, KEYRING, grant.request_id, TESTER, NOON)


async def test_a_slow_attempt_leaves_no_credential_behind_the_receipt(books: Books) -> None:
    """Nothing would ever delete it."""
    grant = await books.granted()
    keep = (credentials.keep, KEYRING, ref(grant), CredentialKind.PASSWORD, SecretStr("sesame"))
    await books.settle(settlement_of(grant))
    with pytest.raises(admission.GrantOverError):
        await books.do(*keep, at=NOON)
    assert (await books.everything())["sealed_credentials"] == []


async def test_nothing_of_a_transaction_that_fails_is_kept(books: Books) -> None:
    before = await books.everything()

    async def answer_and_fail(session: AsyncSession) -> None:
        await requests.answer(session, KEYRING, books.a_request(), TESTER, NOON)
        raise RuntimeError

    with pytest.raises(RuntimeError):
        await books.do(answer_and_fail)
    assert await books.everything() == before


async def test_a_refusal_names_no_tenant_that_does_not_exist_and_keeps_the_request(books: Books) -> None:
    decision = await books.answer(books.a_request(tenant="nowhere"))
    assert decision.sentence == "There is no tenant 'nowhere' connected to this deployment."
    receipt = await books.settle(settlement_of(books.a_request(tenant="elsewhere"), proven=False))
    assert receipt.ending.state is GrantState.EXPIRED


async def test_two_that_look_at_a_new_tenant_at_once_both_come_through(books: Books) -> None:
    """The scheduled reconciliation and one by hand: the second to write down that it had looked was told of a bug."""
    tenant = TenantId(str(CONTOSO))
    outcomes = await asyncio.gather(
        *(books.do(reconciliation.came_through, tenant, frozenset({"User.Read.All"}), NOON) for _ in range(8)),
        *(books.do(reconciliation.failed, tenant, "TransientError", NOON) for _ in range(8)),
    )
    assert outcomes[:8] == [frozenset()] * 8
    assert outcomes[8:] == [NOON] * 8
