"""A person's sign-in at the portal, from the button to the session: with the MSP's own tenant, by OpenID Connect.

A sign-in comes back once, in the browser that began it: what redeems it is sealed with what that browser alone keeps.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Self
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pydantic import SecretStr

from entra_jit.graph import Connection, Graph, about_of, nonce_about, nonce_of
from entra_jit.graph.errors import GraphError
from entra_jit.identity import sessions
from entra_jit.identity.open_id import SignedInPerson, verified_person
from entra_jit.ledger import sessions as rows
from entra_jit.ledger.database import Ledger
from entra_jit.settings import Settings
from models.actor import Role
from models.errors import RefusedError
from models.messages import TenantId
from models.tables import BegunSignInRow

LASTS = timedelta(minutes=15)
"""How long a person may take to sign in."""

NONCE_BYTES = 12


class SignInFailedError(RefusedError):
    """The sign-in did not come about; the person begins anew."""

    http_status = HTTPStatus.BAD_REQUEST
    advice = "Sign in again."


class UnknownPersonError(RefusedError):
    """The person belongs to the MSP's tenant, and is nothing in this deployment."""

    http_status = HTTPStatus.FORBIDDEN
    advice = "Ask an admin of entra-jit to accept you; your name is in their list. Then sign in again."


@dataclass(frozen=True)
class Begun:
    """A sign-in under way: where the browser goes, and what it keeps meanwhile."""

    address: str
    cookie: SecretStr


@dataclass(frozen=True)
class Finished:
    """A sign-in that came back: the session's cookie, and where the person wanted to go."""

    cookie: SecretStr
    return_to: str
    about: str | None
    """What the sign-in was begun about, if anything."""
    token: SecretStr
    """The id token, by which a worker knows that the person meant just that."""


@dataclass(frozen=True)
class RoleSource:
    """Which app roles and groups of the MSP's tenant give a person a role here."""

    admin_group: UUID | None
    auditor_group: UUID | None
    emergency_group: UUID | None

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """As the deployment is set up."""
        return cls(settings.admin_group, settings.auditor_group, settings.emergency_group)

    def roles(self, person: SignedInPerson) -> frozenset[Role]:
        """What the person is by their token. ``technician`` is for the configuration to say."""
        groups = {
            Role.ADMIN: self.admin_group,
            Role.AUDITOR: self.auditor_group,
            Role.EMERGENCY: self.emergency_group,
        }
        named = {role.lower() for role in person.app_roles}
        found = frozenset(
            role
            for role, group in groups.items()
            if role in named or (group is not None and str(group) in person.groups)
        )
        is_for_admins = self.emergency_group is None and Role.ADMIN in found
        return found | {Role.EMERGENCY} if is_for_admins else found


@dataclass(frozen=True)
class PersonSignIns:
    """Signing people in with the application ``connection`` of the MSP's tenant."""

    ledger: Ledger
    graph: Graph
    connection: Connection
    role_source: RoleSource

    async def begin(
        self, redirect_uri: str, return_to: str, *, anew: bool, at: datetime, about: str | None = None
    ) -> Begun:
        """Where to send the browser. ``anew``: also a person who is signed in there has to prove it.

        ``about``: what the id token is bound to, so that ``verified_asker`` believes it for nothing else. Raises
        ``GraphError`` where the sign-in service does not answer.
        """
        cookie = sessions.new_cookie()
        address, begun = await self.graph.person_sign_in(self.connection).begin(
            redirect_uri, secrets.token_urlsafe(16), anew=anew, about=about
        )
        row = BegunSignInRow(
            key=sessions.hashed(cookie), sealed=_seal(cookie, begun), return_to=return_to, is_fresh=anew, begun_at=at
        )
        async with self.ledger.transaction() as session:
            await rows.remember_begun(session, row, forget_before=at - LASTS)
        return Begun(address, cookie)

    async def finish(
        self,
        cookie: SecretStr | None,
        answer: Mapping[str, str],
        *,
        replaces: SecretStr | None,
        browser: str,
        at: datetime,
    ) -> Finished:
        """The session of the person whom the sign-in service sent back with ``answer``.

        ``replaces``: the session that the browser had until now. Raises ``SignInFailedError``, ``InvalidIdTokenError``
        or ``UnknownPersonError``; nothing is signed in then.
        """
        begun = await self._take(cookie, at)
        if "error" in answer:
            raise SignInFailedError("The sign-in was refused or given up.")
        flow = _unseal(cookie, begun.sealed)
        token = await self._redeem(flow, answer)
        own = self.connection
        person = await _verified(self.graph, own.tenant_id, own.client_id, token, nonce_of(flow), at)
        if begun.is_fresh:
            _expect_fresh(person, at)
        roles = await self._roles(person, at)
        new = await sessions.begin(self.ledger, person, roles, replaces=replaces, browser=browser, at=at)
        return Finished(new, begun.return_to, about_of(flow), token)

    async def _take(self, cookie: SecretStr | None, at: datetime) -> BegunSignInRow:
        if cookie is not None:
            async with self.ledger.transaction() as session:
                begun = await rows.take_begun(session, sessions.hashed(cookie), not_before=at - LASTS)
            if begun is not None:
                return begun
        raise SignInFailedError("This sign-in was not begun in this browser, is over already, or took too long.")

    async def _redeem(self, begun: SecretStr, answer: Mapping[str, str]) -> SecretStr:
        try:
            return await self.graph.person_sign_in(self.connection).redeem(begun, answer)
        except GraphError as error:
            if error.is_transient:
                raise
            raise SignInFailedError(f"The sign-in service refused it: {error.explanation}") from None

    async def _roles(self, person: SignedInPerson, at: datetime) -> frozenset[Role]:
        roles = self.role_source.roles(person)
        async with self.ledger.transaction() as session:
            if await rows.technician(session, UUID(person.id)) is not None:
                roles |= {Role.TECHNICIAN}
            if roles:
                await rows.take_waiting(session, UUID(person.id))
            else:
                await rows.wait(session, UUID(person.id), person.name, person.display_name, at)
        if not roles:
            raise UnknownPersonError(f"{person.name} is not known here.")
        return roles


async def verified_asker(
    graph: Graph, tenant_id: TenantId, client_id: str, token: SecretStr, about: str, at: datetime
) -> SignedInPerson:
    """The person who signed in at most five minutes ago, to ask for just what ``about`` says.

    For a process that does not believe the portal's word. It needs no secret of the application ``client_id``. Raises
    ``InvalidIdTokenError`` or ``SignInFailedError``.
    """
    person = await _verified(graph, tenant_id, client_id, token, nonce_about(about), at)
    _expect_fresh(person, at)
    return person


async def _verified(
    graph: Graph, tenant_id: TenantId, client_id: str, token: SecretStr, nonce: str, at: datetime
) -> SignedInPerson:
    authority = await graph.authority(tenant_id)
    return verified_person(
        token,
        keys=await authority.keys(),
        issuer=authority.issuer,
        tenant_id=tenant_id,
        client_id=client_id,
        nonce=nonce,
        at=at,
    )


def _expect_fresh(person: SignedInPerson, at: datetime) -> None:
    if person.proved_at is None or at - person.proved_at > sessions.FRESH:
        raise SignInFailedError(
            "The sign-in service does not say that you signed in just now.",
            advice="An admin adds the optional claim auth_time to the registration of the portal's application.",
        )


def _cipher(cookie: SecretStr) -> AESGCM:
    return AESGCM(hashlib.sha256(b"sign-in\n" + cookie.get_secret_value().encode()).digest())


def _seal(cookie: SecretStr, begun: SecretStr) -> bytes:
    nonce = secrets.token_bytes(NONCE_BYTES)
    return nonce + _cipher(cookie).encrypt(nonce, begun.get_secret_value().encode(), None)


def _unseal(cookie: SecretStr | None, sealed: bytes) -> SecretStr:
    try:
        if cookie is not None:
            return SecretStr(_cipher(cookie).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], None).decode())
    except InvalidTag:
        pass
    raise SignInFailedError("This sign-in cannot be read any more.")
