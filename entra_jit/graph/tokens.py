"""Tokens of one app in one tenant: got through MSAL, off the event loop, by one request however many ask."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msal
import msal.exceptions
import requests
import structlog

from entra_jit.graph.connection import ClientCertificate, ClientSecret, Connection, Credential, FederatedAssertion
from entra_jit.graph.errors import GraphError, TransientError
from entra_jit.graph.sign_in import SignInLine, is_wrong_secret, sign_in_error

_MARGIN = 300.0
"""Seconds before its end at which a token is renewed, as MSAL does. Until the end it serves if renewing fails."""

_FRESH_SECRET = 30.0
"""Seconds that Microsoft's data centres may take to learn of a new client secret."""

_LATELY = 10.0
"""Seconds for which a refusal to sign in is remembered, for those who can do without."""

MSAL_RAISES = (requests.RequestException, msal.exceptions.MsalError, ValueError, KeyError, RuntimeError, OSError)
"""KeyError also stands for a result that holds an error, or nothing, in place of a token."""

_log = structlog.get_logger("graph")


@dataclass(frozen=True, slots=True)
class _Token:
    value: str
    renew_at: float
    ends_at: float


class TokenSource:
    """The tokens of one app, in one tenant, with one credential.

    MSAL's own cache does not know the credential, so a rotated secret must come with a source of its own. MSAL also
    remembers a refusal for a minute: the application object goes with every final error, and a corrected
    configuration works at the next attempt. It is kept after passing trouble, whose Retry-After MSAL observes.
    """

    def __init__(
        self,
        connection: Connection,
        *,
        login_url: str,
        scope: str,
        ca_file: str | None,
        timeout: float,
        threads: Executor,
        monotonic: Callable[[], float],
    ) -> None:
        self._connection = connection
        self._authority = f"{login_url}/{connection.tenant_id}"
        self._scope = scope
        self._line = SignInLine(ca_file=ca_file, timeout=timeout)
        self._threads = threads
        self._monotonic = monotonic
        self._application: msal.ConfidentialClientApplication | None = None
        self._token: _Token | None = None
        self._fetching: asyncio.Task[_Token] | None = None
        self._known_since = self._monotonic()
        self._has_worked = False
        self._refused: tuple[float, GraphError] | None = None

    async def token(self) -> str:
        """A token that Graph should accept now. Raises what ``entra_jit.graph.sign_in`` explains.

        Cancelling one waiter does not cancel the request that others wait for.
        """
        token, now = self._token, self._monotonic()
        if token is not None and now < token.renew_at:
            return token.value
        if self._fetching is None:
            self._fetching = asyncio.create_task(self._fetch())
            self._fetching.add_done_callback(self._fetched)
        try:
            return (await asyncio.shield(self._fetching)).value
        except TransientError:
            # The sign-in service is down in the last minutes of a token: closings go on with what is left of it.
            if token is not None and self._monotonic() < token.ends_at:
                return token.value
            raise

    @property
    def refused_lately(self) -> GraphError | None:
        """Why the sign-in service refused a token a few seconds ago; None: it did not, or gave one since."""
        if self._refused is None or self._monotonic() - self._refused[0] > _LATELY:
            return None
        return self._refused[1]

    def forget(self, token: str) -> None:
        """Graph did not accept this token; the next one will be new. A newer one that came meanwhile is kept."""
        if self._token is not None and self._token.value == token:
            self._token = self._application = None

    def close(self) -> None:
        """Let go of the connections to the sign-in service."""
        self._line.close()

    async def _fetch(self) -> _Token:
        began = self._monotonic()
        try:
            result = await asyncio.get_running_loop().run_in_executor(self._threads, self._ask)
            value, lifetime = result["access_token"], int(result["expires_in"])
            self._note(began)
        except MSAL_RAISES as cause:
            self._note(began)
            may_be_new = not self._has_worked and began - self._known_since < _FRESH_SECRET
            error = sign_in_error(self._connection, self._line.answer, cause, secret_may_be_new=may_be_new)
            if not isinstance(error, TransientError):
                self._application = None
            if not isinstance(error, TransientError) or is_wrong_secret(error):
                self._refused = self._monotonic(), error
            raise error from None
        self._has_worked, self._refused = True, None
        self._token = _Token(value, began + lifetime - min(_MARGIN, lifetime / 2), began + lifetime)
        return self._token

    def _fetched(self, task: asyncio.Task[_Token]) -> None:
        self._fetching = None
        if not task.cancelled():
            task.exception()  # Seen here, lest asyncio complain of it when every waiter has gone.

    def _note(self, began: float) -> None:
        answer = self._line.answer
        _log.info(
            "sign-in",
            tenant=self._connection.tenant,
            client_id=self._connection.client_id,
            status=answer and answer.status,
            code=answer and answer.number,
            request_id=answer and answer.trace_id,
            client_request_id=answer and answer.correlation_id,
            milliseconds=round((self._monotonic() - began) * 1000),
        )

    def _ask(self) -> dict[str, Any]:
        # In a worker thread, since MSAL blocks. Even building the application asks the tenant for its addresses.
        if self._application is None:
            self._application = msal.ConfidentialClientApplication(
                self._connection.client_id,
                client_credential=as_msal_takes_it(self._connection.credential),
                authority=self._authority,
                # Without this MSAL asks login.microsoftonline.com about every host, a sandbox's included.
                instance_discovery=False,
                http_client=self._line,
            )
        result: dict[str, Any] = self._application.acquire_token_for_client([self._scope])
        return result


def as_msal_takes_it(credential: Credential) -> str | dict[str, object]:
    """The credential as MSAL's applications expect it."""
    match credential:
        case ClientSecret(secret=secret):
            return secret.get_secret_value()
        case ClientCertificate(private_key=key, certificate=certificate):
            # A certificate without a thumbprint makes MSAL sign with PS256 and name itself by x5t#S256.
            return {"private_key": key.get_secret_value(), "public_certificate": certificate}
        case FederatedAssertion(token_file=file):
            return {"client_assertion": lambda: _assertion_in(file)}


def _assertion_in(file: Path) -> str:
    assertion = file.read_text().strip()
    if not assertion:
        raise OSError(f"{file} is empty")
    return assertion
