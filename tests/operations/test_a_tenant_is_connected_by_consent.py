"""A tenant is connected by what Microsoft's own tokens prove, and by nothing that a browser says.

The callback of an admin consent is a plain address: anyone can send it, for any tenant. What connects a tenant decides
whom technicians become administrators of, so each forged or half-true answer is refused and enters nothing.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from pydantic import SecretStr

from entra_jit.accounts import directories
from entra_jit.app import App
from entra_jit.ledger import connections, events
from entra_jit.operations._connection_proof import NotConnectableError
from entra_jit.operations.accept_invitation import accept_invitation
from entra_jit.operations.apply_configuration import apply_configuration
from entra_jit.operations.begin_connection import begin_connection
from entra_jit.operations.finish_connection import finish_connection
from entra_jit.operations.finish_invited import finish_invited
from entra_jit.operations.invite_administrator import invite_administrator
from entra_jit.operations.show_connection import show_connection
from models.actor import INVITED
from models.connections import NextPage, TenantConnection
from models.errors import BadInputError, EntraJitError, NotFoundError, SettingsError
from models.events import EventKind
from models.messages import TenantId
from tests.actors import TESTER, operator
from tests.sandbox.person import Callback, Page, Person, arrived, shown
from tests.sandbox.seeded import CONTOSO, ELEVATE, FABRIKAM, REVOKE

CALLBACK = "http://localhost:54321/connect/callback"
BROWSER, TOKEN = SecretStr("a browser"), SecretStr("a token")
ADMINS = ("admin@contoso.onmicrosoft.com", "sandbox-only-Admin1")
FABRIKAMS = ("admin@fabrikam.onmicrosoft.com", "sandbox-only-Admin1")
HELPDESKS = ("helpdesk@contoso.com", "sandbox-only-Helpdesk1")
DOMAIN = "contoso.onmicrosoft.com"
CLOSER = "Privileged Authentication Administrator"


async def go_on(msp: App, answer: dict[str, str]) -> str:
    found = await finish_connection(TESTER, msp, BROWSER, answer)
    assert isinstance(found, NextPage)
    return found.address


async def consent(msp: App, person: Person, who: tuple[str, str] = ADMINS, tenant: str = DOMAIN) -> str:
    """Consent to both applications; where the person signs in next."""
    begun = await begin_connection(TESTER, msp, tenant, CALLBACK, BROWSER)
    person.open(begun.address)
    assert shown(person.sign_in(*who)).title.startswith("Permissions requested")
    following = await go_on(msp, arrived(person.press("accept")).parameters)
    assert shown(person.open(following)).title.startswith("Permissions requested")
    return await go_on(msp, arrived(person.press("accept")).parameters)


async def authorize_again(msp: App, person: Person) -> object:
    """The same with the session that stands, by the tenant's id."""
    begun = await begin_connection(TESTER, msp, CONTOSO, CALLBACK, BROWSER)
    person.open(begun.address)
    person.open(await go_on(msp, arrived(person.press("accept")).parameters))
    address = await go_on(msp, arrived(person.press("accept")).parameters)
    return await finish_connection(TESTER, msp, BROWSER, signed_in(person, address))


def configure(file: Path) -> None:
    """Contoso, with the MSP's own applications."""
    tenant = {"name": "contoso", "id": CONTOSO, "account_domain": DOMAIN}
    file.write_text(yaml.safe_dump({"tenants": [tenant]}))


def signed_in(person: Person, address: str) -> dict[str, str]:
    """Sign in with the session that consented; the answer for the application."""
    page = person.open(address)
    return arrived(person.press("accept") if isinstance(page, Page) else page).parameters


async def stored(msp: App, tenant_id: str = CONTOSO) -> TenantConnection | None:
    async with msp.ledger.transaction() as session:
        return await connections.of_tenant(session, TenantId(tenant_id))


def withhold(control: httpx.Client, application: str, permission: str) -> None:
    """Take a permission out of the registration in the MSP's own tenant."""
    listed = control.get(f"/applications/{application}").json()["required_permissions"]
    left = {"required_permissions": [one for one in listed if one != permission]}
    control.patch(f"/applications/{application}", json=left).raise_for_status()


def add(control: httpx.Client, application: str, permission: str) -> None:
    """Put a permission into the registration."""
    listed = control.get(f"/applications/{application}").json()["required_permissions"]
    control.patch(f"/applications/{application}", json={"required_permissions": [*listed, permission]})


def delay_consents(control: httpx.Client, seconds: float) -> None:
    control.post("/sign-in-service", json={"permission_delay": seconds}).raise_for_status()


def principals(control: httpx.Client) -> dict[str, dict[str, Any]]:
    found = control.get("/tenants/contoso").json()["service_principals"]
    return {one["app_id"]: one for one in found}


async def test_two_consents_and_a_sign_in_connect_a_tenant(msp: App, person: Person, control: httpx.Client) -> None:
    address = await consent(msp, person)
    connection = await finish_connection(TESTER, msp, BROWSER, signed_in(person, address))

    assert isinstance(connection, TenantConnection)
    assert connection.tenant_id == CONTOSO
    assert (connection.display_name, connection.authorized_by) == ("Contoso", ADMINS[0])
    assert await stored(msp) == connection
    assert {one: principals(control)[one]["roles"] for one in (ELEVATE, REVOKE)} == {
        ELEVATE: [CLOSER],
        REVOKE: [CLOSER],
    }
    async with msp.ledger.transaction() as session:
        [event] = await events.newest(session, EventKind.TENANT_CONNECTED, {}, limit=1)
    assert event.body["authorized_by"]["name"] == ADMINS[0]
    assert event.actor.is_same_as(TESTER)


async def test_authorizing_again_replaces_what_stood(msp: App, person: Person) -> None:
    address = await consent(msp, person)
    first = await finish_connection(TESTER, msp, BROWSER, signed_in(person, address))
    again = await authorize_again(msp, person)
    assert isinstance(first, TenantConnection)
    assert isinstance(again, TenantConnection)
    assert again.applications == first.applications
    assert await stored(msp) == again


async def test_what_was_added_counts_at_once_after_authorizing_again(
    msp: App, person: Person, control: httpx.Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A token is good for an hour and more: grants were refused what the customer had just consented to."""
    monkeypatch.setattr(directories, "FRESH_FOR_SECONDS", 0.0)
    configure(msp_file := tmp_path / "msp.yaml")
    await apply_configuration(TESTER, msp, msp_file, yes=True, prune=True)
    withhold(control, REVOKE, "AuditLog.Read.All")

    async def may_read_logs() -> bool:
        granted = await (await msp.directories.of(TenantId(CONTOSO), directories.Purpose.REVOKE)).granted()
        return granted is not None and "AuditLog.Read.All" in granted.permissions

    address = await consent(msp, person)
    await finish_connection(TESTER, msp, BROWSER, signed_in(person, address))
    assert not await may_read_logs()
    add(control, REVOKE, "AuditLog.Read.All")
    await authorize_again(msp, person)
    assert await may_read_logs()


async def test_the_tenant_shows_who_authorized_it(msp: App, person: Person, tmp_path: Path) -> None:
    file = tmp_path / "msp.yaml"
    configure(file)
    await apply_configuration(TESTER, msp, file, yes=True, prune=True)
    with pytest.raises(NotFoundError, match="contoso was not connected by consent"):
        await show_connection(TESTER, msp, "contoso")
    address = await consent(msp, person)
    made = await finish_connection(TESTER, msp, BROWSER, signed_in(person, address))
    found = await show_connection(TESTER, msp, "contoso")
    assert found.connection == made
    assert found.lacking == ()


async def test_a_forged_callback_connects_nothing(msp: App, person: Person, control: httpx.Client) -> None:
    begun = await begin_connection(TESTER, msp, DOMAIN, CALLBACK, BROWSER)
    forged = {"admin_consent": "True", "tenant": CONTOSO, "state": "forged"}
    with pytest.raises(NotConnectableError, match="belongs to no connection"):
        await finish_connection(TESTER, msp, BROWSER, forged)
    person.open(begun.address)
    person.sign_in(*ADMINS)
    true = arrived(person.press("accept")).parameters
    with pytest.raises(NotConnectableError, match="belongs to no connection"):
        await finish_connection(TESTER, msp, SecretStr("another browser"), true)
    assert "adminconsent" in await go_on(msp, true), "another browser uses no state up"
    with pytest.raises(NotConnectableError, match="belongs to no connection"):
        await finish_connection(TESTER, msp, BROWSER, true)
    assert await stored(msp) is None
    assert principals(control)[ELEVATE]["roles"] == []


async def test_what_another_actor_has_begun_is_not_finished(msp: App, person: Person) -> None:
    """Whose name the journal has for a connection is decided when it begins."""
    begun = await begin_connection(operator("another"), msp, DOMAIN, CALLBACK, BROWSER)
    state = httpx.URL(begun.address).params["state"]
    with pytest.raises(NotConnectableError, match="belongs to no connection of yours"):
        await finish_connection(TESTER, msp, BROWSER, {"tenant": CONTOSO, "state": state})


async def test_an_invited_administrator_connects_their_tenant_once(msp: App, person: Person) -> None:
    """The customer's administrator sits elsewhere, has no account here, and may forward the link to anyone."""
    await invite_administrator(TESTER, msp, DOMAIN, TOKEN)
    begun = await accept_invitation(INVITED, msp, TOKEN, CALLBACK, BROWSER)
    person.open(begun.address)
    answer = arrived(person.sign_in(*ADMINS) and person.press("accept")).parameters
    with pytest.raises(NotConnectableError, match="belongs to no connection of yours"):
        await finish_connection(TESTER, msp, BROWSER, answer)

    begun = await accept_invitation(INVITED, msp, TOKEN, CALLBACK, BROWSER)
    person.open(begun.address)
    for _ in range(2):
        following = await finish_invited(INVITED, msp, BROWSER, arrived(person.press("accept")).parameters)
        assert isinstance(following, NextPage)
        page = person.open(following.address)
    last = page if isinstance(page, Callback) else arrived(person.press("accept"))
    assert isinstance(await finish_invited(INVITED, msp, BROWSER, last.parameters), TenantConnection)

    assert await stored(msp) is not None
    async with msp.ledger.transaction() as session:
        [event] = await events.newest(session, EventKind.TENANT_CONNECTED, {}, limit=1)
    assert event.actor.is_same_as(TESTER), "who invited has connected it"
    with pytest.raises(NotConnectableError, match="used already"):
        await accept_invitation(INVITED, msp, TOKEN, CALLBACK, BROWSER)


@pytest.mark.parametrize("changes", [{"tenant": FABRIKAM}, {"tenant": ""}])
async def test_a_consent_of_another_tenant_is_refused(msp: App, person: Person, changes: dict[str, str]) -> None:
    begun = await begin_connection(TESTER, msp, DOMAIN, CALLBACK, BROWSER)
    person.open(begun.address)
    person.sign_in(*ADMINS)
    answer = arrived(person.press("accept")).parameters
    with pytest.raises(NotConnectableError, match="about another tenant than contoso"):
        await finish_connection(TESTER, msp, BROWSER, answer | changes)
    assert await stored(msp) is None


async def test_claiming_a_consent_that_was_not_given_connects_nothing(
    msp: App, person: Person, control: httpx.Client
) -> None:
    """The operator who begins has the true state and can claim a consent: tokens must not follow."""
    begun = await begin_connection(TESTER, msp, DOMAIN, CALLBACK, BROWSER)
    address = begun.address
    for _ in range(2):
        state = httpx.URL(address).params["state"]
        address = await go_on(msp, {"admin_consent": "True", "tenant": CONTOSO, "state": state})
    person.open(address)
    person.sign_in(*ADMINS)
    msp.consent_known_after = timedelta(0)
    with pytest.raises(NotConnectableError, match="has no token of contoso"):
        await finish_connection(TESTER, msp, BROWSER, arrived(person.press("accept")).parameters)
    assert await stored(msp) is None
    assert ELEVATE not in principals(control)


async def test_another_tenants_code_is_refused(msp: App, person: Person) -> None:
    address = await consent(msp, person)
    elsewhere = Person(person.client)
    elsewhere.client.cookies.clear()
    elsewhere.open(address.replace(CONTOSO, FABRIKAM))
    elsewhere.sign_in(*FABRIKAMS)
    code = arrived(elsewhere.press("accept")).parameters
    with pytest.raises(NotConnectableError, match=r"not one of contoso\.onmicrosoft\.com \(AADSTS700005\)"):
        await finish_connection(TESTER, msp, BROWSER, code)
    assert await stored(msp) is None


async def test_a_person_without_the_right_authorizes_nothing(msp: App, person: Person, control: httpx.Client) -> None:
    address = await consent(msp, person)
    person.client.cookies.clear()
    person.open(address)
    page = person.sign_in(*HELPDESKS)
    answer = arrived(person.press("accept") if isinstance(page, Page) else page).parameters
    with pytest.raises(NotConnectableError, match=r"helpdesk@contoso\.com cannot authorize us"):
        await finish_connection(TESTER, msp, BROWSER, answer)
    assert await stored(msp) is None
    assert principals(control)[REVOKE]["roles"] == []


async def test_a_consent_that_lacks_a_permission_is_refused_with_its_name(
    msp: App, person: Person, control: httpx.Client
) -> None:
    withhold(control, REVOKE, "User.RevokeSessions.All")
    address = await consent(msp, person)
    answer = signed_in(person, address)
    msp.consent_known_after = timedelta(0)
    with pytest.raises(NotConnectableError, match=r"\(revoke\) lacks User\.RevokeSessions\.All\."):
        await finish_connection(TESTER, msp, BROWSER, answer)
    assert await stored(msp) is None
    assert principals(control)[REVOKE]["roles"] == []


async def test_a_consent_that_is_on_its_way_is_waited_for(msp: App, person: Person, control: httpx.Client) -> None:
    delay_consents(control, 3)
    address = await consent(msp, person)
    assert isinstance(await finish_connection(TESTER, msp, BROWSER, signed_in(person, address)), TenantConnection)


async def test_a_declined_consent_says_so(msp: App, person: Person) -> None:
    begun = await begin_connection(TESTER, msp, DOMAIN, CALLBACK, BROWSER)
    person.open(begun.address)
    person.sign_in(*ADMINS)
    with pytest.raises(NotConnectableError, match="was not connected: Microsoft says 'AADSTS65004"):
        await finish_connection(TESTER, msp, BROWSER, arrived(person.press("decline")).parameters)
    assert await stored(msp) is None


async def test_an_answer_that_comes_too_late_is_refused(msp: App, person: Person) -> None:
    begun = await begin_connection(TESTER, msp, DOMAIN, CALLBACK, BROWSER)
    state = httpx.URL(begun.address).params["state"]
    msp.clock = lambda: datetime.now(UTC) + timedelta(minutes=16)
    with pytest.raises(NotConnectableError, match="has expired"):
        await finish_connection(TESTER, msp, BROWSER, {"tenant": CONTOSO, "state": state})


@pytest.mark.parametrize(
    ("tenant", "error", "says"),
    [
        ("nowhere.example", EntraJitError, "nowhere.example: could not find the tenant"),
        ("not a domain", BadInputError, "'not a domain' is neither a domain nor an id of a tenant"),
    ],
)
async def test_an_unknown_tenant_is_told_before_the_browser_leaves(
    msp: App, tenant: str, error: type[Exception], says: str
) -> None:
    with pytest.raises(error, match=says):
        await begin_connection(TESTER, msp, tenant, CALLBACK, BROWSER)


async def test_without_applications_of_its_own_a_deployment_cannot_ask(app: App) -> None:
    with pytest.raises(SettingsError, match="own applications are not set"):
        await begin_connection(TESTER, app, DOMAIN, CALLBACK, BROWSER)
