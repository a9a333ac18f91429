"""The table of marks, row by row: an account that is not provably ours is neither opened nor closed.

Other products adopt an account by its name: a stranger who takes the name first, perhaps an employee of the customer,
gets administrator roles and is disabled in the evening.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from entra_jit.local_stack.addresses import SANDBOX_SECRETS
from models.messages import GrantState, Receipt
from tests.stage import REVOKE, Scene, customer_id

OWNER_TAG = "extensionAttribute14"
UNITS = "/directory/administrativeUnits"
Tampering = Callable[[Scene], None]


def change(scene: Scene, account: str | None = None, **changes: object) -> None:
    """Change an account past every rule, as its administrators or a synchronisation could."""
    scene.control("PATCH", f"/tenants/{scene.customer}/users/{account or scene.account()}", **changes)


def tag_missing(scene: Scene) -> None:
    change(scene, extension_attributes={OWNER_TAG: None})


def tag_broken(scene: Scene) -> None:
    tag = (scene.user() or {})["extension_attributes"][OWNER_TAG]
    change(scene, extension_attributes={OWNER_TAG: f"{tag[:-1]}{'A' if tag[-1] != 'A' else 'B'}"})


def tag_of_another(scene: Scene) -> None:
    tag = (scene.user(scene.account("robin")) or {})["extension_attributes"][OWNER_TAG]
    change(scene, extension_attributes={OWNER_TAG: tag})


def unregistered(scene: Scene) -> None:
    scene.sql("DELETE FROM managed_accounts WHERE account_name = %s", scene.account())


def synced(scene: Scene) -> None:
    change(scene, synced=True)


def federated(scene: Scene) -> None:
    """Another identity provider signs its accounts in, and Microsoft sets no password of theirs."""
    domain = f"{scene.customer}.onmicrosoft.com"
    scene.control("POST", f"/tenants/{scene.customer}/domains/{domain}", authentication_type="Federated")


def guest(scene: Scene) -> None:
    change(scene, user_type="Guest")


def restricted(scene: Scene) -> None:
    """Into a restricted unit, whose members no application can change."""
    unit = as_administrator(scene, "POST", UNITS, displayName="closed", isMemberManagementRestricted=True)["id"]
    scene.a_while_later()
    account = (scene.user() or {})["id"]
    graph = f"{scene.services.sandbox.graph_url}/users/{account}"
    as_administrator(scene, "POST", f"{UNITS}/{unit}/members/$ref", **{"@odata.id": graph})


def unrestricted(scene: Scene) -> None:
    scene.a_while_later()
    for unit in as_administrator(scene, "GET", UNITS)["value"]:
        as_administrator(scene, "DELETE", f"{UNITS}/{unit['id']}")


def as_administrator(scene: Scene, method: str, path: str, **body: object) -> Any:
    """A call to Graph by an application that may manage administrative units."""
    may = {"app": REVOKE, "grant": ["AdministrativeUnit.ReadWrite.All"]}
    scene.control("POST", f"/tenants/{scene.customer}", service_principals=[may])
    sandbox = scene.services.sandbox
    token = scene.http.post(
        f"{sandbox.login_url}/{customer_id(scene.customer)}/oauth2/v2.0/token",
        data={
            "grant_type": "client_credentials",
            "client_id": REVOKE,
            "client_secret": SANDBOX_SECRETS["SANDBOX_REVOKE_SECRET"],
            "scope": "https://graph.microsoft.com/.default",
        },
    ).json()["access_token"]
    answer = scene.http.request(
        method, f"{sandbox.graph_url}{path}", json=body or None, headers={"Authorization": f"Bearer {token}"}
    )
    assert answer.is_success, answer.text
    return answer.json() if answer.content else None


BETWEEN_TWO_VISITS: dict[str, tuple[tuple[Tampering, ...], str]] = {
    "registered, tag missing": ((tag_missing,), "owner tag is missing or broken"),
    "registered, tag broken": ((tag_broken,), "owner tag is missing or broken"),
    "registered, tag of another account": ((tag_of_another,), "owner tag is missing or broken"),
    "unregistered, tag valid": ((unregistered,), "the ledger does not know it"),
    "unregistered, tag missing": ((unregistered, tag_missing), "is not ours and is never adopted"),
    "unregistered, tag broken": ((unregistered, tag_broken), "is not ours and is never adopted"),
    "unregistered, tag of another account": ((unregistered, tag_of_another), "is not ours and is never adopted"),
    "synchronised": ((synced,), "synchronised from an on-premises directory"),
    "guest": ((guest,), "is a guest"),
    "restricted": ((restricted,), "restricted management administrative unit"),
}


async def visited(scene: Scene, technician: str = "alex") -> Receipt:
    return await scene.receipt(await scene.ask(technician, hours=1))


async def test_what_is_not_ours_is_not_opened(hours_pass: Scene) -> None:
    await visited(hours_pass)
    await visited(hours_pass, "robin")
    # Each row on the same account, which is put back after each.
    register = hours_pass.sql("SELECT * FROM managed_accounts WHERE account_name = %s", hours_pass.account())[0]
    ours = hours_pass.user() or {}
    for row, (tamperings, sentence) in BETWEEN_TWO_VISITS.items():
        for tampering in tamperings:
            tampering(hours_pass)
        hours_pass.a_while_later()
        before, writes = hours_pass.everything(), len(hours_pass.journal(writes=True))

        receipt = await visited(hours_pass)

        assert receipt.ending.state is GrantState.DENIED, row
        assert sentence in receipt.ending.sentence, row
        assert hours_pass.everything() == before, row
        assert len(hours_pass.journal(writes=True)) == writes, row
        unrestricted(hours_pass)
        change(hours_pass, synced=False, user_type="Member", extension_attributes=ours["extension_attributes"],
               properties={"isManagementRestricted": None})  # fmt: skip
        values = ", ".join(["%s"] * len(register))
        hours_pass.sql(f"INSERT INTO managed_accounts VALUES ({values}) ON CONFLICT DO NOTHING", *register)  # noqa: S608
        hours_pass.a_while_later()
    assert (await visited(hours_pass)).ending.state is GrantState.EXPIRED, "registered and validly tagged"


@pytest.mark.parametrize("enabled", [True, False])
async def test_a_stranger_with_our_name_is_never_adopted(hours_pass: Scene, enabled: bool) -> None:
    hours_pass.control(
        "POST",
        f"/tenants/{hours_pass.customer}/users",
        user_principal_name=hours_pass.account(),
        password="sandbox-only-Stranger1",
        enabled=enabled,
        roles=["Global Administrator"],
    )
    hours_pass.a_while_later()
    before = hours_pass.everything()

    receipt = await visited(hours_pass)

    assert receipt.ending.state is GrantState.DENIED
    assert "is not ours and is never adopted" in receipt.ending.sentence
    assert hours_pass.everything() == before
    assert hours_pass.journal(writes=True) == []
    assert not hours_pass.sql("SELECT 1 FROM managed_accounts")
    assert hours_pass.signs_in(hours_pass.account(), password="sandbox-only-Stranger1") is enabled


@pytest.mark.parametrize(
    ("tampering", "alarm"),
    [
        (tag_missing, "owner tag"),
        (tag_broken, "owner tag"),
        (unregistered, None),
        (guest, "is a guest"),
        (synced, "is synchronised"),
        (federated, "could not be set: the domain"),
    ],
)
async def test_what_we_opened_is_closed_whatever_was_made_of_it(
    hours_pass: Scene, tampering: Tampering, alarm: str | None
) -> None:
    request_id = await hours_pass.ask(held=True)
    await hours_pass.until(request_id, GrantState.OPEN)
    tampering(hours_pass)

    await hours_pass.time_passes(request_id)

    receipt = await hours_pass.receipt(request_id)
    assert receipt.ending.state is GrantState.EXPIRED
    assert receipt.standing is not None
    assert receipt.standing.exists
    assert receipt.standing.is_closed
    assert [said for said in receipt.alarms if alarm and alarm in said] or not alarm
    assert bool(receipt.alarms) is bool(alarm)
    keeps_its_mark = tampering is synced  # its on-premises directory masters it
    assert any("mark was not changed" in (step.note or "") for step in receipt.steps) is keeps_its_mark
    if not keeps_its_mark:
        hours_pass.assert_closed()


async def test_what_nobody_lets_us_close_is_alarmed_until_we_may(hours_pass: Scene) -> None:
    request_id = await hours_pass.ask(held=True)
    await hours_pass.until(request_id, GrantState.OPEN)
    restricted(hours_pass)

    await hours_pass.time_passes(request_id, hours=4.1)
    assert (await hours_pass.status(request_id)).state is GrantState.CLOSING, "it is not over while it is open"
    unrestricted(hours_pass)
    await hours_pass.time_passes(request_id)

    receipt = await hours_pass.receipt(request_id)
    assert receipt.lateness is not None
    assert receipt.lateness > timedelta(minutes=5)
    assert any("not proven closed after 2 min" in alarm for alarm in receipt.alarms)
    assert any("restricted management administrative unit" in alarm for alarm in receipt.alarms), "why it took so long"
    hours_pass.assert_closed()


@pytest.mark.parametrize("purged", [pytest.param("true", marks=pytest.mark.long), "false"])
async def test_what_somebody_deleted_is_made_anew(hours_pass: Scene, purged: str) -> None:
    await visited(hours_pass)
    gone = hours_pass.user() or {}
    hours_pass.control("DELETE", f"/tenants/{hours_pass.customer}/users/{gone['id']}?purge={purged}")

    receipt = await visited(hours_pass)

    assert receipt.ending.state is GrantState.EXPIRED, receipt.ending.sentence
    assert receipt.opened_at is not None
    assert receipt.object_id not in {None, gone["id"]}
    (alive,) = [
        user
        for user in hours_pass.everything()
        if user["user_principal_name"] == hours_pass.account() and not user["deleted"]
    ]
    assert alive["id"] == receipt.object_id
    assert not alive["enabled"]


@pytest.mark.parametrize("purged", [pytest.param("true", marks=pytest.mark.long), "false"])
async def test_what_vanished_during_a_grant_ends_it_with_an_alarm(hours_pass: Scene, purged: str) -> None:
    request_id = await hours_pass.ask(held=True)
    await hours_pass.until(request_id, GrantState.OPEN)
    user = hours_pass.user() or {}
    hours_pass.control("DELETE", f"/tenants/{hours_pass.customer}/users/{user['id']}?purge={purged}")

    await hours_pass.time_passes(request_id)

    receipt = await hours_pass.receipt(request_id)
    assert receipt.ending.state is GrantState.EXPIRED
    assert receipt.standing is not None
    assert not receipt.standing.exists
    assert any("gone from the directory" in alarm for alarm in receipt.alarms)
    assert not hours_pass.sql("SELECT 1 FROM grants WHERE settled_at IS NULL"), "the lock is released"
