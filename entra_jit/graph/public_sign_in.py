"""A sign-in as Microsoft's own command line does it: it shows that an account can sign in, and as whom.

The Azure CLI is a public client that every tenant has, and that Graph knows beforehand: nothing is registered, and
no consent is asked for. The browser brings the code to an address of this machine at which nothing listens; it is read
from the browser.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from dataclasses import dataclass, field
from http import HTTPStatus
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx

from entra_jit.graph.addresses import scope
from entra_jit.graph.sign_in import passes_by_itself
from models.errors import EntraJitError, ExitCode, UnreachableError
from models.states import FailureType

AZURE_CLI = "04b07795-8ddb-461a-bbee-02f9e1bf7b46"
REDIRECT = "http://localhost"


class SignInRefusedError(EntraJitError):
    """The sign-in service, or Graph, does not take what the browser brought. The sentence has Microsoft's number."""

    failure_type = FailureType.PERMANENT
    exit_code = ExitCode.REFUSED
    http_status = HTTPStatus.BAD_GATEWAY


class SignInUnreachableError(UnreachableError):
    """Microsoft was not reached, which says nothing of the credential."""


@dataclass(frozen=True, slots=True)
class BegunSignIn:
    """Where the browser is to go, and what only we know of it."""

    address: str
    state: str
    verifier: str = field(repr=False)


class PublicSignIn:
    """Signs one account in to one tenant. Nothing is retried, and no token is kept."""

    def __init__(self, http: httpx.AsyncClient, *, login_url: str, graph_url: str, tenant_id: str) -> None:
        self._http = http
        self._login_url = f"{login_url}/{tenant_id}/oauth2/v2.0"
        self._graph_url = graph_url

    def begin(self, account_name: str) -> BegunSignIn:
        """A sign-in of this account that proves itself anew, whatever the browser remembers."""
        state, verifier = secrets.token_urlsafe(24), secrets.token_urlsafe(48)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
        asked = {
            "client_id": AZURE_CLI,
            "response_type": "code",
            "redirect_uri": REDIRECT,
            "response_mode": "query",
            "scope": f"openid {scope(self._graph_url)}",
            "state": state,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
            "prompt": "login",
            "login_hint": account_name,
        }
        return BegunSignIn(f"{self._login_url}/authorize?{urlencode(asked)}", state, verifier)

    async def whose(self, begun: BegunSignIn, address: str) -> str:
        """The object id of the account that signed in, by ``/me``, for the address that the browser came to.

        Raises ``SignInRefusedError`` or ``SignInUnreachableError``.
        """
        said = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        if said.get("state") != begun.state:
            raise SignInRefusedError("The browser came back from another sign-in.")
        if "code" not in said:
            raise SignInRefusedError(_sentence(said.get("error_description") or said.get("error") or "no code"))
        try:
            token = await self._token(begun, said["code"])
            answer = await self._http.get(f"{self._graph_url}/me", headers={"Authorization": f"Bearer {token}"})
        except httpx.RequestError as error:
            raise SignInUnreachableError(f"Microsoft was not reached: {type(error).__name__}.") from None
        if passes_by_itself(answer.status_code, None):
            raise SignInUnreachableError(f"Graph answers {answer.status_code} to /me.")
        found = _document(answer).get("id")
        if not answer.is_success or not isinstance(found, str):
            raise SignInRefusedError(f"Graph answers {answer.status_code} to /me.")
        return found

    async def _token(self, begun: BegunSignIn, code: str) -> str:
        form = {
            "client_id": AZURE_CLI,
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": REDIRECT,
            "code_verifier": begun.verifier,
        }
        answer = await self._http.post(f"{self._login_url}/token", data=form)
        document = _document(answer)
        token = document.get("access_token")
        if not isinstance(token, str):
            said = _sentence(str(document.get("error_description", answer.status_code)))
            if passes_by_itself(answer.status_code, _number(document)):
                raise SignInUnreachableError(said)
            raise SignInRefusedError(said)
        return token


def _document(answer: httpx.Response) -> dict[str, object]:
    try:
        document = answer.json()
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}


def _number(document: dict[str, object]) -> int | None:
    codes = document.get("error_codes")
    return codes[0] if isinstance(codes, list) and codes and isinstance(codes[0], int) else None


def _sentence(text: str) -> str:
    """The first line of what the sign-in service says: its number and its words."""
    return text.split("\n", maxsplit=1)[0].split(" Trace ID:", maxsplit=1)[0][:200]
