"""What a browser brings back from Microsoft: it leads to the next page, or to the tenant connected and proven."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from pydantic import SecretStr

from entra_jit.app import App
from entra_jit.graph import PermanentError, nonce_of
from entra_jit.identity.open_id import SignedInPerson, verified_person
from entra_jit.ledger import connections
from entra_jit.ledger.connections import Pending
from entra_jit.operations._connection_proof import NotConnectableError, UnexpectedAnswerError, prove
from entra_jit.operations._connection_steps import send_browser, step_after
from models.actor import INVITED, Actor
from models.connections import ConnectionStep, NextPage, TenantConnection
from models.errors import quoted

_START_AGAIN = "Start again, in one browser."


async def finish(actor: Actor, app: App, browser: SecretStr, answer: Mapping[str, str]) -> NextPage | TenantConnection:
    """Go on with the connection that ``answer`` belongs to. ``actor``: who began it, or who was invited."""
    pending = await _expected(actor, app, browser, answer)
    if pending.step is not ConnectionStep.SIGN_IN:
        _expect_consent(pending, answer)
        authority = await app.graph.authority(pending.tenant_id)
        following = replace(pending, step=step_after(app, pending.step))
        return NextPage(await send_browser(app, authority, following, browser))
    person = await _person(app, pending, answer)
    connection = await prove(app, pending, person)
    async with app.ledger.transaction() as session:
        if pending.invitation and not await connections.use(session, pending.invitation, app.clock()):
            raise NotConnectableError("The invitation was used already, or has expired.", advice="Ask for another.")
        await connections.connected(session, pending.begun_by, connection, person.id)
    return connection


async def _expected(actor: Actor, app: App, browser: SecretStr, answer: Mapping[str, str]) -> Pending:
    async with app.ledger.transaction() as session:
        pending = await connections.take(
            session, app.keyring, state=SecretStr(answer.get("state", "")), browser=browser, at=app.clock()
        )
    if pending is None or not _may_go_on(actor, pending):
        raise UnexpectedAnswerError(
            "This answer belongs to no connection of yours that waits for it in this browser: it was used already, "
            "has expired, or was forged.",
            advice=_START_AGAIN,
        )
    if error := answer.get("error"):
        said = answer.get("error_description") or error
        raise NotConnectableError(f"{pending.domain} was not connected: Microsoft says {quoted(said)}.")
    return pending


def _may_go_on(actor: Actor, pending: Pending) -> bool:
    return actor == INVITED if pending.invitation else actor.is_same_as(pending.begun_by)


def _expect_consent(pending: Pending, answer: Mapping[str, str]) -> None:
    if answer.get("tenant", "").lower() != pending.tenant_id:
        raise NotConnectableError(
            f"The answer is about another tenant than {pending.domain} ({pending.tenant_id}).", advice=_START_AGAIN
        )


async def _person(app: App, pending: Pending, answer: Mapping[str, str]) -> SignedInPerson:
    own = app.own_applications["sign_in"]
    sign_in = app.graph.person_sign_in(own.connection(pending.tenant_id, pending.domain))
    if pending.begun is None or "code" not in answer:
        raise NotConnectableError("The answer has no code of a sign-in.", advice=_START_AGAIN)
    try:
        token = await sign_in.redeem(pending.begun, answer)
    except PermanentError as error:
        raise NotConnectableError(
            f"The code of the sign-in is not one of {pending.domain} ({error.code}).", advice=_START_AGAIN
        ) from None
    authority = await app.graph.authority(pending.tenant_id)
    return verified_person(
        token,
        keys=await authority.keys(),
        issuer=authority.issuer,
        tenant_id=pending.tenant_id,
        client_id=own.client_id,
        nonce=nonce_of(pending.begun),
        at=app.clock(),
    )
