"""The door to Microsoft: one for the process, through which every tenant is reached."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

import httpx

from entra_jit.graph import addresses
from entra_jit.graph.access_passes import AccessPasses
from entra_jit.graph.applications import Applications
from entra_jit.graph.audit_logs import AuditLogs
from entra_jit.graph.authority import Authority, find_authority
from entra_jit.graph.calls import Calls, Clock, Heard
from entra_jit.graph.connection import Connection, Credential
from entra_jit.graph.deleted_items import DeletedItems
from entra_jit.graph.domains import Domains
from entra_jit.graph.granted import Granted
from entra_jit.graph.groups import Groups
from entra_jit.graph.licences import Licences
from entra_jit.graph.organization import OrganizationReader
from entra_jit.graph.owned_objects import OwnedObjects
from entra_jit.graph.passkey_policy import PasskeyPolicies
from entra_jit.graph.passkeys import Passkeys
from entra_jit.graph.person_sign_in import PersonSignIn
from entra_jit.graph.policies import Policies
from entra_jit.graph.public_sign_in import PublicSignIn
from entra_jit.graph.recording import Recorder
from entra_jit.graph.roles import Roles
from entra_jit.graph.sign_in import SignInLine
from entra_jit.graph.sign_in_logs import SignInLogs
from entra_jit.graph.sign_in_methods import SignInMethods
from entra_jit.graph.spread_connections import SpreadTransport
from entra_jit.graph.standby import CallsWithStandby, StandbyWatch
from entra_jit.graph.tokens import TokenSource
from entra_jit.graph.users import Users
from models.moments import steady_seconds

CallsT = TypeVar("CallsT", bound=Calls)

_SIGN_IN_THREADS = 16
"""Tokens that can be fetched at once. Apart from asyncio's own few threads, which resolve names for httpx."""


def utc_now() -> datetime:
    """The clock on the wall."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Tenant:
    """What can be done in one tenant with one connection, by resource. Cheap; make one whenever it is needed."""

    connection: Connection
    organization: OrganizationReader
    domains: Domains
    users: Users
    groups: Groups
    roles: Roles
    access_passes: AccessPasses
    passkeys: Passkeys
    passkey_policy: PasskeyPolicies
    sign_in_methods: SignInMethods
    deleted_items: DeletedItems
    owned_objects: OwnedObjects
    applications: Applications
    audit_logs: AuditLogs
    sign_in_logs: SignInLogs
    licences: Licences
    policies: Policies

    _calls: Calls

    async def granted(self, *, anew: bool = False) -> Granted | None:
        """What our application may do here, by its own token; None where the token cannot be read.

        A token says what was so when it was made; ``anew`` asks for another. Raises what signing in raises.
        """
        return await self._calls.granted(anew=anew)

    async def sign_in(self) -> None:
        """Have a token ready, so that the next call is sent at once. Raises what signing in raises."""
        await self._calls.sign_in()

    @property
    def heard(self) -> Heard | None:
        """What the last answer said beside what was asked; None: none has come yet."""
        return self._calls.heard


class Graph:
    """Microsoft Graph and its sign-in service; an async context manager for one event loop.

    ``timeout`` is how many seconds a call may take in all, its token included. ``ca_file`` (PEM) is trusted instead
    of the public authorities. Proxy and certificate variables of the environment are not read. Nothing is retried.
    ``hear`` is told what each answer says beside what was asked. ``clock`` dates evidence; ``monotonic`` (seconds) says
    how old a token or a call is, also where the machine was suspended meanwhile.
    """

    def __init__(
        self,
        *,
        graph_url: str = "https://graph.microsoft.com/v1.0",
        login_url: str = "https://login.microsoftonline.com",
        ca_file: Path | None = None,
        timeout: float = 10.0,
        clock: Clock = utc_now,
        hear: Callable[[Heard], None] = lambda _: None,
        monotonic: Callable[[], float] = steady_seconds,
    ) -> None:
        self._graph_url = graph_url.rstrip("/")
        self._login_url = login_url.rstrip("/")
        self._ca_file = str(ca_file) if ca_file else None
        self._timeout = timeout
        self._clock = clock
        self._hear = hear
        self._monotonic = monotonic
        self._tokens: dict[tuple[str, str, Credential, datetime | None], TokenSource] = {}
        self._threads = ThreadPoolExecutor(_SIGN_IN_THREADS, thread_name_prefix="sign-in")
        self._http = httpx.AsyncClient(
            transport=SpreadTransport(
                ssl.create_default_context(cafile=self._ca_file)
                if self._ca_file
                else httpx.create_ssl_context(trust_env=False)
            ),
            trust_env=False,
            timeout=timeout,
            headers={"Accept": "application/json", "User-Agent": "entra-jit"},
        )

    def record(self, recorder: Recorder) -> None:
        """Have every answer of Graph, from now on, heard by ``recorder``."""
        self._http.event_hooks = {"response": [recorder.note]}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Let go of every connection. Calls still under way fail."""
        for tokens in self._tokens.values():
            tokens.close()
        self._threads.shutdown(wait=False, cancel_futures=True)
        await self._http.aclose()

    async def authority(self, tenant: str) -> Authority:
        """Where the people of a tenant sign in, by a domain or the id of it. Raises as ``find_authority`` does."""
        return await find_authority(self._http, self._login_url, tenant)

    def person_sign_in(self, connection: Connection) -> PersonSignIn:
        """Our application that people of the tenant sign in to. Touches nothing."""
        return PersonSignIn(
            connection,
            login_url=self._login_url,
            line=SignInLine(ca_file=self._ca_file, timeout=self._timeout),
            threads=self._threads,
        )

    def public_sign_in(self, tenant_id: str) -> PublicSignIn:
        """The sign-in of an account of the tenant by Microsoft's own public client. Touches nothing."""
        return PublicSignIn(self._http, login_url=self._login_url, graph_url=self._graph_url, tenant_id=tenant_id)

    def tenant(self, connection: Connection) -> Tenant:
        """The tenant as this connection may act in it. Touches nothing; the first call signs in."""
        return self._tenant(connection, self._calls(Calls, connection))

    def tenant_with_standby(self, connection: Connection, standby: Connection, watch: StandbyWatch) -> Tenant:
        """The same, where ``standby`` does at once what is refused to this connection, and ``watch`` hears of it."""
        calls = self._calls(CallsWithStandby, connection)
        calls.stand_by(self._calls(Calls, standby), watch)
        return self._tenant(connection, calls)

    def _calls(self, kind: type[CallsT], connection: Connection) -> CallsT:
        return kind(
            self._http,
            self._tokens_of(connection),
            graph_url=self._graph_url,
            tenant=connection.tenant,
            timeout=self._timeout,
            clock=self._clock,
            hear=self._hear,
            monotonic=self._monotonic,
        )

    def _tenant(self, connection: Connection, calls: Calls) -> Tenant:
        return Tenant(
            connection=connection,
            organization=OrganizationReader(calls),
            domains=Domains(calls),
            users=Users(calls),
            groups=Groups(calls),
            roles=Roles(calls),
            access_passes=AccessPasses(calls),
            passkeys=Passkeys(calls),
            passkey_policy=PasskeyPolicies(calls),
            sign_in_methods=SignInMethods(calls),
            deleted_items=DeletedItems(calls),
            owned_objects=OwnedObjects(calls),
            applications=Applications(calls),
            audit_logs=AuditLogs(calls),
            sign_in_logs=SignInLogs(calls),
            licences=Licences(calls),
            policies=Policies(calls),
            _calls=calls,
        )

    def _tokens_of(self, connection: Connection) -> TokenSource:
        # With a rotated secret, MSAL would go on serving the old one's token; after a consent, the one without it.
        key = (connection.tenant_id, connection.client_id, connection.credential, connection.authorized_at)
        if key not in self._tokens:
            self._tokens[key] = TokenSource(
                connection,
                login_url=self._login_url,
                scope=addresses.scope(self._graph_url),
                ca_file=self._ca_file,
                timeout=self._timeout,
                threads=self._threads,
                monotonic=self._monotonic,
            )
        return self._tokens[key]
