"""An end closes the account at once. The caller needs to prove nothing, because it only takes access away.

Other products ignore an early end that arrives at the wrong moment: while the access is being prepared, a second time,
or without the form that their own page would have filled in.
"""

from __future__ import annotations

import asyncio

import pytest

from entra_jit.operations.end_access import end_access
from models.actor import UNNAMED, Actor
from models.errors import NotFoundError, RefusedError
from models.messages import EndAccess, GrantState, Receipt, SignedEnd
from tests.actors import operator
from tests.stage import ON_TIME, Scene

pytestmark = pytest.mark.spine


async def ended(scene: Scene, technician: str, *signals: object) -> Receipt:
    """A grant that was open and got these ``end`` signals, None being one without any input."""
    request_id = await scene.ask(technician, held=True)
    await scene.until(request_id, GrantState.OPEN)
    for signal in signals:
        await scene.workflow(request_id).signal("end", *([] if signal is None else [signal]))
    return await scene.receipt(request_id)


async def test_an_end_closes_at_once_and_says_by_whom(hours_pass: Scene) -> None:
    bare, said, twice = await asyncio.gather(
        ended(hours_pass, "alex", None),
        ended(hours_pass, "robin", {"by": "robin", "reason": "the work is done"}),
        ended(hours_pass, "kim", {"by": "kim"}, {"by": "somebody later"}),
    )

    for receipt in (bare, said, twice):
        assert receipt.ending.state is GrantState.ENDED
        assert receipt.opened_at is not None
        assert receipt.settled_at - receipt.opened_at < ON_TIME
        assert receipt.lateness is None, "it did not run to its expiry, so it is neither late nor on time"
        assert receipt.standing is not None
        assert receipt.standing.is_closed
        hours_pass.assert_closed(receipt.account_name)
    assert bare.ending.by == UNNAMED
    assert said.ending.sentence == "Ended by robin: the work is done"
    assert twice.ending.by == Actor.claimed("kim"), "what nothing proves stays a claim"


async def test_an_end_while_access_is_prepared_leaves_nothing(hours_pass: Scene) -> None:
    # The end arrives while the account comes to be.
    creation = hours_pass.hold(method="POST", path="/users")
    request_id = await hours_pass.ask(held=True)
    await hours_pass.reached(creation)

    await end_access(operator("kim"), hours_pass.app, request_id, "a mistake")
    hours_pass.release(creation)

    receipt = await hours_pass.receipt(request_id)
    assert receipt.ending.state is GrantState.ENDED
    assert receipt.opened_at is None
    if hours_pass.user() is not None:
        hours_pass.assert_closed()
    assert not any(call["path"].endswith("/roleAssignments") for call in hours_pass.journal(writes=True))


async def test_what_is_over_says_so(hours_pass: Scene) -> None:
    request_id = await hours_pass.ask("robin", hours=1)
    await hours_pass.receipt(request_id)
    calls = len(hours_pass.journal())

    with pytest.raises(RefusedError, match="over already"):
        await end_access(operator("kim"), hours_pass.app, request_id)
    with pytest.raises(NotFoundError):
        await end_access(operator("kim"), hours_pass.app, "no-such-grant")
    assert len(hours_pass.journal()) == calls


async def test_the_receipt_names_who_ended_it_only_where_a_signature_proves_it(hours_pass: Scene) -> None:
    """Who can write to Temporal can send an end in any name. It ends; the receipt must not take the name for proven."""
    kim = operator("kim")

    async def ended_by(technician: str, signed_of: str | None, actor: Actor) -> Receipt:
        request_id = await hours_pass.ask(technician, held=True)
        await hours_pass.until(request_id, GrantState.OPEN)
        end = EndAccess(request_id=signed_of or request_id, reason="done")
        assertion = hours_pass.app.sign(kim, end).model_copy(update={"actor": actor})
        await hours_pass.workflow(request_id).signal("end", SignedEnd(ending=end, assertion=assertion))
        return await hours_pass.receipt(request_id)

    proven, in_anothers_name, of_another_grant = await asyncio.gather(
        ended_by("alex", None, kim),
        ended_by("robin", None, operator("robin")),
        ended_by("kim", "another-grant", kim),
    )

    assert proven.ending.by == kim
    assert in_anothers_name.ending.by == Actor.claimed("robin")
    assert of_another_grant.ending.by == Actor.claimed("kim")
    assert {one.ending.sentence for one in (proven, of_another_grant)} == {"Ended by kim: done"}
