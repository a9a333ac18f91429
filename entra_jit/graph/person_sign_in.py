"""Signing a person in with our application: OpenID Connect by MSAL, with a nonce and PKCE.

MSAL validates no id token (microsoft-authentication-library-for-python#911): ``entra_jit.identity.open_id`` does.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import warnings
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit, urlunsplit

import msal
from pydantic import SecretStr

from entra_jit.graph.connection import Connection
from entra_jit.graph.errors import GraphError
from entra_jit.graph.sign_in import SignInLine, sign_in_error
from entra_jit.graph.tokens import MSAL_RAISES, as_msal_takes_it

# A form that another site posts comes without the browser's SameSite=Lax cookie, which binds the answer to the browser.
# The code in the address is worth nothing without the verifier, and is good once.
warnings.filterwarnings("ignore", message="response_mode='form_post' is recommended", category=UserWarning)


class PersonSignIn:
    """The sign-in of one person: ``begin`` it, send the browser there, and ``redeem`` what comes back."""

    def __init__(self, connection: Connection, *, login_url: str, line: SignInLine, threads: Executor) -> None:
        self._connection = connection
        self._authority = f"{login_url}/{connection.tenant_id}"
        self._line = line
        self._threads = threads

    async def begin(
        self, redirect_uri: str, state: str, *, anew: bool = False, about: str | None = None
    ) -> tuple[str, SecretStr]:
        """Where the person signs in, and what ``redeem`` needs later, which only we may know.

        ``anew``: a person who is signed in there has to prove it again. ``about``: an ASCII text that the id token is
        bound to, by ``nonce_about``. No scope of Graph is asked for, and no refresh token. Raises what signing in
        raises.
        """
        flow = await self._with_msal(
            lambda application: application.initiate_auth_code_flow(
                [],
                redirect_uri=redirect_uri,
                state=state,
                response_mode="query",
                max_age=0 if anew else None,
            )
        )
        if about is not None:
            flow = _with_nonce(flow, about)
        return str(flow["auth_uri"]), SecretStr(json.dumps(flow))

    async def redeem(self, begun: SecretStr, answer: Mapping[str, str]) -> SecretStr:
        """The id token, *not* validated, for the code that the browser brought back. A code is good once.

        Raises ``PermanentError`` for a code of another tenant or application, or one that was used already.
        """
        flow = json.loads(begun.get_secret_value())
        result = await self._with_msal(
            lambda application: application.acquire_token_by_auth_code_flow(flow, dict(answer))
        )
        if not isinstance(token := result.get("id_token"), str):
            raise self._error(KeyError("id_token"))
        return SecretStr(token)

    async def _with_msal(self, work: Callable[[msal.ConfidentialClientApplication], dict[str, Any]]) -> dict[str, Any]:
        def run() -> dict[str, Any]:
            # In a worker thread, since MSAL blocks.
            return work(
                msal.ConfidentialClientApplication(
                    self._connection.client_id,
                    client_credential=as_msal_takes_it(self._connection.credential),
                    authority=self._authority,
                    instance_discovery=False,
                    http_client=self._line,
                    exclude_scopes=["offline_access"],
                )
            )

        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, run)
        except MSAL_RAISES as cause:
            raise self._error(cause) from None
        finally:
            self._line.close()

    def _error(self, cause: Exception) -> GraphError:
        return sign_in_error(self._connection, self._line.answer, cause, secret_may_be_new=False)


def nonce_of(begun: SecretStr) -> str:
    """The nonce that the id token of this sign-in must repeat."""
    query = urlsplit(str(json.loads(begun.get_secret_value())["auth_uri"])).query
    return parse_qs(query)["nonce"][0]


def about_of(begun: SecretStr) -> str | None:
    """What the sign-in was begun about, if anything."""
    about = json.loads(begun.get_secret_value()).get(_ABOUT)
    return str(about) if about is not None else None


def nonce_about(about: str) -> str:
    """The nonce of an id token whose sign-in was begun about this."""
    return hashlib.sha256(about.encode()).hexdigest()


_ABOUT = "about"


def _with_nonce(flow: dict[str, Any], about: str) -> dict[str, Any]:
    """MSAL takes no nonce: it makes one, and holds the token's against the SHA-256 of what stands in the flow."""
    parts = urlsplit(str(flow["auth_uri"]))
    query = parse_qs(parts.query) | {"nonce": [nonce_about(about)]}
    address = urlunsplit(parts._replace(query=urlencode(query, doseq=True)))
    return {**flow, "nonce": about, _ABOUT: about, "auth_uri": address}
