"""The line to Microsoft's sign-in service, and what its refusals mean.

MSAL reports failures in five ways (a result without a token, its own exceptions, ValueError, KeyError and those of
requests) and loses status and Retry-After in most. So what was answered is kept here, and judged here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import requests

from entra_jit.graph.catalogue import CERTIFICATE_ADVICE, TRANSPORT_ADVICE, retry_after
from entra_jit.graph.connection import Connection
from entra_jit.graph.errors import GraphError, PermanentError, TransientError, UnexpectedResponseError

_TRAILER = re.compile(r"\s+Trace ID: .*", re.DOTALL)


@dataclass(frozen=True, slots=True)
class SignInAnswer:
    """What the sign-in service last said, without any token."""

    status: int
    readable: bool
    retry_after: timedelta | None = None
    number: int | None = None
    """The digits of ``AADSTS7000215``; the only part of a refusal to branch on."""
    error: str | None = None
    description: str | None = None
    trace_id: str | None = None
    correlation_id: str | None = None


class SignInLine(requests.Session):
    """A session that the environment cannot mislead: bundle and proxy variables override ``verify`` otherwise.

    Every request has a timeout, and no redirect is followed: one would carry the client secret to wherever it points.
    """

    def __init__(self, *, ca_file: str | None, timeout: float) -> None:
        super().__init__()
        self.trust_env = False
        self.verify = ca_file or True
        self.answer: SignInAnswer | None = None
        """The last answer; None while none has come to the last request."""
        self._timeout = timeout

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        """As in requests, but what is not a JSON object is an error, before MSAL writes the body to its log."""
        self.answer = None
        kwargs.update(timeout=self._timeout, allow_redirects=False)
        response = super().send(request, **kwargs)
        try:
            document = response.json()
        except requests.exceptions.JSONDecodeError:
            document = None
        self.answer = _read(response, document)
        if not isinstance(document, dict):
            raise requests.exceptions.InvalidJSONError("the answer is not JSON")
        return response


def _read(response: requests.Response, document: object) -> SignInAnswer:
    wait = retry_after(response.headers.get("Retry-After"), datetime.now(UTC))
    if not isinstance(document, dict):
        return SignInAnswer(response.status_code, readable=False, retry_after=wait)
    if response.ok:
        return SignInAnswer(response.status_code, readable=True)
    numbers = document.get("error_codes")
    description = _TRAILER.sub("", str(document.get("error_description") or ""))
    return SignInAnswer(
        response.status_code,
        readable=True,
        retry_after=wait,
        number=_telling(numbers) if isinstance(numbers, list) else None,
        error=document.get("error"),
        description=re.sub(r"^AADSTS\d+:\s*", "", description) or None,
        trace_id=document.get("trace_id"),
        correlation_id=document.get("correlation_id"),
    )


def _telling(numbers: list[object]) -> int | None:
    """The number that says most: of two, Microsoft gives the general one first (70002, 50012)."""
    read = [number for number in numbers if isinstance(number, int)]
    return next((number for number in read if number in _REFUSALS or number in _PASSING), next(iter(read), None))


SIGN_IN = "get a token from the sign-in service"
"""What was attempted, in the errors of this module."""

_WRONG_SECRET = 7000215

_CONSENT = "Have an administrator of the tenant consent to the app, and check the tenant id and the client id."
_NO_PRINCIPAL = "The app has no service principal in the tenant: have an administrator of the tenant consent to it."
_WRONG_TENANT = "Check the tenant id, and that the sign-in address belongs to the tenant's cloud."
_WRONG_CLOUD = "The Graph and sign-in addresses must belong to the tenant's cloud."
_FEDERATION = "The app's federated credential must match the token's issuer, subject and audience exactly."

_REFUSALS = {
    _WRONG_SECRET: "Store the client secret's value (not its id), and check that it belongs to this app.",
    7000222: "The client secret has expired: make a new one for the app and store it.",
    7000112: "The app is disabled in the tenant: enable its enterprise application.",
    700016: _CONSENT,
    65001: _CONSENT,
    7000229: _NO_PRINCIPAL,
    700038: "Check the client id.",
    90002: _WRONG_TENANT,
    900023: _WRONG_TENANT,
    5000224: "The tenant was deleted or disabled. If the customer has left, remove it from the configuration.",
    500011: _WRONG_CLOUD,
    70011: _WRONG_CLOUD,
    1002012: _WRONG_CLOUD,
    700027: "Upload the certificate to the app; the one that signed is not known there.",
    50012: "Check that the certificate is the app's, the tenant id, the sign-in address and this machine's clock.",
    700024: "Set this machine's clock right, or renew the federated token.",
    70021: _FEDERATION,
    700211: _FEDERATION,
    700212: _FEDERATION,
    700213: _FEDERATION,
    53003: "Exclude the app from the tenant's Conditional Access policies for workload identities, or run from a "
    "place that they allow.",
}

_PASSING = {50196, 90033, 90055}
_WAIT = "The sign-in service is busy or disturbed; it passes by itself."
_FRESH = "If the client secret was made within the last minute it is not known everywhere yet. If not: "


def passes_by_itself(status: int, number: int | None) -> bool:
    """Whether the sign-in service is busy or disturbed, which says nothing of what was shown to it.

    ``number``: of the AADSTS error.
    """
    return status in (408, 429) or status >= 500 or number in _PASSING


def sign_in_error(
    connection: Connection, answer: SignInAnswer | None, cause: Exception, *, secret_may_be_new: bool
) -> GraphError:
    """Why there is no token.

    AADSTS7000215 says that a secret is wrong, also for some seconds after it was made. It is ``TransientError`` while
    the secret is new to this process and has never worked, else ``PermanentError``.
    """
    known: dict[str, Any] = {
        "tenant": connection.tenant,
        "purpose": SIGN_IN,
        "operation": f"SIGN-IN {connection.tenant_id} as {connection.client_id}",
    }
    if isinstance(cause, OSError) and not isinstance(cause, requests.RequestException):
        advice = "Check the file with the federated token: it must exist, be readable and not be empty."
        return PermanentError(**known, message=str(cause), advice=advice)
    if answer is None:
        advice = CERTIFICATE_ADVICE if "CERTIFICATE_VERIFY_FAILED" in str(cause) else TRANSPORT_ADVICE
        return TransientError(**known, message=type(cause).__name__, advice=advice)
    known |= {
        "status": answer.status,
        "code": f"AADSTS{answer.number}" if answer.number else answer.error,
        "message": answer.description,
        "request_id": answer.trace_id,
        "client_request_id": answer.correlation_id,
    }
    if passes_by_itself(answer.status, answer.number):
        return TransientError(**known, advice=_WAIT, retry_after=answer.retry_after)
    if not answer.readable:
        advice = "The answer did not come from the sign-in service: see what proxy or firewall stands between."
        return TransientError(**known, advice=advice, retry_after=answer.retry_after)
    if answer.status < 400:
        return UnexpectedResponseError(
            **known, advice="The sign-in service answered without a token; please report this."
        )
    if answer.number == _WRONG_SECRET and secret_may_be_new:
        return TransientError(**known, advice=_FRESH + _REFUSALS[_WRONG_SECRET], retry_after=timedelta(seconds=5))
    return PermanentError(**known, advice=_REFUSALS.get(answer.number or 0, "Microsoft's words say what must change."))


def is_wrong_secret(error: GraphError) -> bool:
    """Whether the sign-in service does not know the secret, or does not know it yet."""
    return error.purpose == SIGN_IN and error.code == f"AADSTS{_WRONG_SECRET}"
