"""A credential opens the account for the technician whose grant it is, while the grant lives, and is shown once.

Other products mail the password, or show it on a page; and it is still the password next week.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest

from entra_jit.ledger.credentials import Revealed
from entra_jit.operations.end_access import end_access
from entra_jit.operations.extend_access import extend_access
from entra_jit.operations.renew_credential import renew_credential
from entra_jit.operations.reveal_credential import reveal_credential
from models.actor import Actor, ActorKind, Via
from models.errors import NotFoundError, RefusedError
from models.messages import CredentialKind, GrantState
from tests.actors import TESTER, operator
from tests.stage import ON_TIME, Scene, configure, technician_id

pytestmark = pytest.mark.spine


def signs_in(scene: Scene, revealed: Revealed) -> bool:
    return scene.signs_in(scene.account(), **{revealed.kind.value: revealed.secret.get_secret_value()})


def allow_passes(scene: Scene, *, enabled: bool) -> None:
    scene.control("POST", f"/tenants/{scene.customer}", temporary_access_pass={"enabled": enabled})


def person(name: str) -> Actor:
    """A technician, as the portal signs them in."""
    return Actor(kind=ActorKind.PERSON, id=technician_id(name), name=name, via=Via.PORTAL)


@contextmanager
def refused(sentence: str) -> Iterator[None]:
    with pytest.raises(RefusedError, match=sentence):
        yield


@pytest.mark.parametrize(
    ("policy", "choice", "kind"),
    [
        (True, "auto", CredentialKind.TEMPORARY_ACCESS_PASS),
        (False, "auto", CredentialKind.PASSWORD),
        (True, "password", CredentialKind.PASSWORD),
    ],
)
async def test_it_opens_while_the_grant_lives_and_not_after(
    hours_pass: Scene, policy: bool, choice: str, kind: CredentialKind
) -> None:
    allow_passes(hours_pass, enabled=policy)
    await configure(hours_pass, credential=choice)
    slow = hours_pass.hold(method="PATCH", path="/users/*", body_contains='"accountEnabled":true')
    request_id = await hours_pass.ask(held=True)
    await hours_pass.until(request_id, GrantState.PREPARING)
    with refused("is preparing"):
        await reveal_credential(TESTER, hours_pass.app, request_id, "alex")
    hours_pass.release(slow)
    await hours_pass.until(request_id, GrantState.OPEN)

    with refused("is not kim's"):
        await reveal_credential(TESTER, hours_pass.app, request_id, "kim")
    name, revealed = await reveal_credential(TESTER, hours_pass.app, request_id, "alex")
    with refused("shown to tests at .*; it is shown once"):
        await reveal_credential(TESTER, hours_pass.app, request_id, "alex")

    assert name == hours_pass.account()
    assert revealed.kind is kind
    assert (revealed.note is None) is (kind is CredentialKind.PASSWORD), "a new pass may be refused for some seconds"
    assert signs_in(hours_pass, revealed)
    secret = revealed.secret.get_secret_value()
    if kind is CredentialKind.PASSWORD:
        assert len(secret) == 24
        assert not (hours_pass.user() or {})["must_change_password"]
        assert (hours_pass.user() or {})["temporary_access_pass"] is None
    (stored,) = hours_pass.sql("SELECT ciphertext, revealed_to FROM sealed_credentials")
    assert secret.encode() not in bytes(stored[0])
    assert stored[1] == TESTER.model_dump(mode="json")

    await hours_pass.time_passes(request_id)
    assert not signs_in(hours_pass, revealed)
    # Not even if the account were opened again by hand.
    hours_pass.control("PATCH", f"/tenants/{hours_pass.customer}/users/{name}", enabled=True)
    assert not signs_in(hours_pass, revealed)
    assert hours_pass.sql("SELECT count(*) FROM sealed_credentials") == [(0,)]
    with refused("is expired"):
        await reveal_credential(TESTER, hours_pass.app, request_id, "alex")
    with pytest.raises(NotFoundError):
        await reveal_credential(TESTER, hours_pass.app, "no-such-grant", "alex")


async def test_a_name_that_was_given_anew_shows_nothing(hours_pass: Scene) -> None:
    """Alex has left the team's name behind; the next one to be called alex has no right to what the first one has."""
    request_id = await hours_pass.ask(held=True)
    await hours_pass.until(request_id, GrantState.OPEN)
    hours_pass.sql("UPDATE technicians SET name = 'alex-before' WHERE name = 'alex'")
    hours_pass.sql("UPDATE technicians SET name = 'alex' WHERE name = 'robin'")

    with refused("is not alex's"):
        await reveal_credential(TESTER, hours_pass.app, request_id, "alex")
    with refused("There is no technician 'nobody'"):
        await reveal_credential(TESTER, hours_pass.app, request_id, "nobody")
    _, revealed = await reveal_credential(TESTER, hours_pass.app, request_id, "alex-before")

    assert signs_in(hours_pass, revealed)


async def test_each_visit_has_its_own(hours_pass: Scene) -> None:
    shown = []
    for _ in range(2):
        request_id = await hours_pass.ask(held=True)
        await hours_pass.until(request_id, GrantState.OPEN)
        shown.append((await reveal_credential(TESTER, hours_pass.app, request_id, "alex"))[1])
        assert [signs_in(hours_pass, revealed) for revealed in shown] == [False] * (len(shown) - 1) + [True]
        await end_access(operator("alex"), hours_pass.app, request_id)
        await hours_pass.time_passes(request_id)


async def test_an_extension_renews_a_pass_that_would_end_too_soon(hours_pass: Scene) -> None:
    request_id = await hours_pass.ask(hours=2, held=True)
    await hours_pass.until(request_id, GrantState.OPEN)
    _, first = await reveal_credential(TESTER, hours_pass.app, request_id, "alex")

    expires_at = await extend_access(operator("kim"), hours_pass.app, request_id, timedelta(hours=3), "not done yet")

    _, second = await reveal_credential(TESTER, hours_pass.app, request_id, "alex")
    assert second.secret.get_secret_value() != first.secret.get_secret_value()
    assert second.usable_until is not None
    assert abs(second.usable_until - expires_at) < ON_TIME, "Microsoft's clock is another one"
    assert signs_in(hours_pass, second)
    assert not signs_in(hours_pass, first)
    await hours_pass.time_passes(request_id)
    assert not signs_in(hours_pass, second)
    hours_pass.assert_closed()


async def test_a_pass_that_is_refused_while_the_account_is_young_parks_nothing(hours_pass: Scene) -> None:
    """For seconds or minutes the policy does not know a new account: the first grant of a technician parked."""
    refusal = {"method": "POST", "path": "/users/*/authentication/temporaryAccessPassMethods", "status": 400}
    words = "Converged UserCredentialPolicy does not allow creating or updating this authentication method."
    hours_pass.fault(**refusal, message=words, count=2)
    request_id = await hours_pass.ask(held=True)
    await hours_pass.until(request_id, GrantState.OPEN)
    await end_access(operator("kim"), hours_pass.app, request_id)
    await hours_pass.receipt(request_id)

    account = f"/tenants/{hours_pass.customer}/users/{hours_pass.account()}"
    hours_pass.control("PATCH", account, properties={"createdDateTime": "2020-01-01T00:00:00Z"})
    hours_pass.fault(**refusal, message=words)
    request_id = await hours_pass.ask(held=True)
    parked = await hours_pass.until(request_id, GrantState.PARKED)
    assert "authentication methods policy" in parked.sentence
    await end_access(operator("kim"), hours_pass.app, request_id)
    await hours_pass.receipt(request_id)


async def test_a_pass_that_ends_early_is_renewed_as_often_as_policy_allows(hours_pass: Scene) -> None:
    policy = {"one_time_only": True, "maximum_lifetime": 60}
    hours_pass.control("POST", f"/tenants/{hours_pass.customer}", temporary_access_pass=policy)
    request_id = await hours_pass.ask(hours=4, held=True)
    opened = await hours_pass.until(request_id, GrantState.OPEN)
    assert "Its pass works until" in opened.sentence
    assert "once; `reveal --renew` makes another" in opened.sentence
    assert opened.sign_in is not None
    assert opened.sign_in.usable_once
    used: list[Revealed] = []
    for actor in (operator("kim"), person("alex")):
        with refused("may not renew the credential"):
            await renew_credential(person("robin"), hours_pass.app, request_id)
        await renew_credential(actor, hours_pass.app, request_id)
        _, revealed = await reveal_credential(TESTER, hours_pass.app, request_id, "alex")
        assert signs_in(hours_pass, revealed)
        assert not any(signs_in(hours_pass, earlier) for earlier in (*used, revealed))
        used.append(revealed)
    assert hours_pass.sql("SELECT lease_until FROM grants") == [(None,)]

    await end_access(operator("kim"), hours_pass.app, request_id)
    await hours_pass.time_passes(request_id)

    receipt = await hours_pass.receipt(request_id)
    renewed = [step for step in receipt.steps if step.name == "credential renewed"]
    note = "Temporary Access Pass for 1 h, usable once; it ends before the grant, by "
    assert [step.note for step in renewed] == [note + "kim", note + "alex"]
    assert all(step.calls for step in renewed)
    assert [step.note for step in receipt.steps if step.name == "credential revealed"] == 2 * ["to tests"]
    hours_pass.assert_closed()
    with refused("over already"):
        await renew_credential(operator("kim"), hours_pass.app, request_id)


async def test_where_passes_are_wanted_and_off_an_operator_is_told(hours_pass: Scene) -> None:
    allow_passes(hours_pass, enabled=False)
    await configure(hours_pass, credential="temporary_access_pass")
    request_id = await hours_pass.ask(held=True)

    parked = await hours_pass.until(request_id, GrantState.PARKED)

    assert "does not enable them for everyone" in parked.sentence
    hours_pass.assert_closed()
    await end_access(operator("kim"), hours_pass.app, request_id)
    assert (await hours_pass.receipt(request_id)).ending.state is GrantState.ENDED
