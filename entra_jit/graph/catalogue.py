"""What Microsoft's answers mean: the one table that turns status, code and words into our errors.

Microsoft asks clients not to read the words, yet answers most refusals with the one code ``Request_BadRequest``.
Words are therefore read in these tables and nowhere else. The first row that fits decides.
"""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from httpx import codes

from entra_jit.graph.errors import (
    ConflictError,
    DefaultMethodError,
    GraphError,
    LostPageError,
    MasteredElsewhereError,
    NotYetVisibleError,
    PassNotAllowedError,
    PermanentError,
    TransientError,
    UnexpectedResponseError,
)
from entra_jit.graph.operations import Operation
from models.display_text import comparable

NOT_GRAPHS = "a body that Graph did not write"
IDENTITY_NOT_FOUND = "Authorization_IdentityNotFound"
"""The code of a 401 for minutes after consent, or for good where the service principal is missing."""

THROTTLED = timedelta(seconds=2)
"""The wait after a 429 that names none, as those of audit log and sign-in methods: they allow five calls in ten
seconds; a call that is refused again waits longer."""

LONGEST_WAIT = timedelta(minutes=5)
"""However long Microsoft asks to wait. A proxy was seen to ask for a time of 14 digits, which no clock can add."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """A call, as far as it has come: what was meant, what was asked, and what came back."""

    tenant: str
    operation: Operation
    method: str
    path: str
    client_request_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    status: int | None = None
    code: str | None = None
    message: str | None = None
    request_id: str | None = None
    retry_after: timedelta | None = None
    sent: bool = True
    """False: nothing of the request can have reached Microsoft."""

    @property
    def writes(self) -> bool:
        """Whether the call could have changed the directory."""
        return self.method != "GET"


@dataclass(frozen=True, slots=True)
class _Row:
    error: type[GraphError]
    advice: str
    status: range | int | None = None
    code: str | None = None
    says: str | None = None
    """A regular expression on the message, in any case, with plain spaces and hyphens and none at its ends."""
    method: str | None = None
    effect_unknown: bool = False
    lacks_needs: bool = False

    def fits(self, attempt: Attempt) -> bool:
        return (
            (self.status is None or attempt.status in _span(self.status))
            and (self.code is None or (attempt.code or "").lower() == self.code.lower())
            and (
                self.says is None or re.search(self.says, comparable(attempt.message or ""), re.IGNORECASE) is not None
            )
            and (self.method is None or attempt.method == self.method)
        )


def _span(status: range | int) -> range:
    return status if isinstance(status, range) else range(status, status + 1)


_BUSY = "The tenant is busy with another change; it passes in seconds."
_READ_BACK = "Read back what the directory holds."
_WAIT = "It passes by itself; if it goes on for an hour, see Microsoft's service health."
_ANEW = "The listing starts again from its first page."
_OUR_BUG = "Please report this with its request-id: the request should not have been made so."
_INTERMEDIARY = "The answer did not come from Graph: see what proxy or firewall stands between."

_ROWS = (
    # Throttling and passing trouble, whatever the status it comes with.
    _Row(TransientError, _BUSY, code="Directory_ConcurrencyViolation"),
    _Row(LostPageError, _ANEW, code="Directory_ExpiredPageToken"),
    _Row(LostPageError, _ANEW, 400, says="page token .*expired"),
    # 503 that Graph words as 400 (microsoft-graph-docs#8188); its codes are those of the directory's older interface.
    _Row(TransientError, _WAIT, code="Directory_BindingRedirection", effect_unknown=True),
    _Row(TransientError, _WAIT, code="Directory_ReplicaUnavailable", effect_unknown=True),
    _Row(
        TransientError,
        _WAIT,
        400,
        says="replica .*unavailable|service is (temporarily )?unavailable",
        effect_unknown=True,
    ),
    _Row(
        TransientError,
        "It passes within minutes of a consent. If it stays, the app has no service principal in the tenant: "
        "have an administrator consent to it.",
        401,
        code=IDENTITY_NOT_FOUND,
    ),
    _Row(TransientError, "Too many calls at once; wait as long as Microsoft asks.", status=429),
    _Row(TransientError, _WAIT, status=408, effect_unknown=True),
    _Row(TransientError, _WAIT, status=range(500, 600), effect_unknown=True),
    # Not Graph's own words: still under way, or from something in between.
    _Row(NotYetVisibleError, "The directory is still copying it between data centres.", 202, method="GET"),
    _Row(TransientError, _INTERMEDIARY, says=f"^{NOT_GRAPHS}$", effect_unknown=True),
    # Already so.
    _Row(
        ConflictError,
        _READ_BACK,
        400,
        says="Another object with the same value for property userPrincipalName already exists",
    ),
    _Row(ConflictError, _READ_BACK, 400, says="A conflicting object with one or more of the specified property values"),
    _Row(ConflictError, _READ_BACK, 400, says="added object references already exist"),
    _Row(ConflictError, _READ_BACK, 400, says="removed object references do not exist"),
    _Row(ConflictError, _READ_BACK, 409, code="Request_MultipleObjectsWithSameKeyValue"),
    _Row(ConflictError, _READ_BACK, 404, method="DELETE"),
    # Not there, or not there yet.
    _Row(NotYetVisibleError, "The tenant is not ready in every data centre yet.", code="Directory_ObjectNotFound"),
    _Row(NotYetVisibleError, "It is not in the directory, was deleted, or is too new to be seen everywhere.", 404),
    _Row(NotYetVisibleError, "The account is too new to be seen everywhere.", 400, says="principal .*does not exist"),
    # Refused for good, and not for want of a permission.
    _Row(
        PermanentError,
        "Another object of the tenant, such as a group, a contact or a mailbox, has the account's address: "
        "change it there, then replay.",
        400,
        says="Another object with the same value for property .* already exists",
    ),
    _Row(PermanentError, "Choose another password.", 400, says="does not comply with password complexity"),
    _Row(
        PermanentError,
        "Use a domain that is verified in the tenant, and no characters that a user principal name cannot have.",
        400,
        says="domain portion of the userPrincipalName|Property userPrincipalName is invalid",
    ),
    _Row(
        PassNotAllowedError,
        "Enable Temporary Access Passes for this account in the tenant's authentication methods policy, "
        "or let the tenant use passwords.",
        400,
        says="UserCredentialPolicy does not allow",
    ),
    _Row(
        PermanentError,
        "Take the account out of the restricted management administrative unit: there no permission of ours counts.",
        403,
        says="restricted management administrative unit",
    ),
    _Row(
        MasteredElsewhereError,
        "The account or group is synchronised from an on-premises directory; change it there.",
        400,
        says="on-premises mastered",
    ),
    _Row(
        PermanentError,
        "Microsoft Graph cannot change the members of a mail-enabled group; change them in Exchange.",
        400,
        says="Cannot Update a mail-enabled security groups",
    ),
    _Row(
        MasteredElsewhereError,
        "Exchange masters these properties of the account, because it has a mailbox; change them there.",
        400,
        says="originated within an external service",
    ),
    _Row(
        DefaultMethodError,
        "It is the account's default sign-in method: delete the others first. If it is the last one, delete it in the "
        "Entra admin center.",
        400,
        says="current default authentication method|Cannot delete default method",
    ),
    _Row(
        PermanentError,
        "Make room in the tenant's directory: delete objects or raise its quota.",
        403,
        code="Directory_QuotaExceeded",
    ),
    # Requests that should not have been made.
    _Row(
        UnexpectedResponseError,
        _OUR_BUG,
        400,
        says="Unable to read JSON request payload|Resource not found for the segment",
    ),
    _Row(UnexpectedResponseError, _OUR_BUG, 400, code="Request_UnsupportedQuery"),
    _Row(UnexpectedResponseError, _OUR_BUG, 405),
    _Row(UnexpectedResponseError, _OUR_BUG, 401, says="Access token is empty"),
    # This one is also said for minutes after a domain or a tenant has changed; only time tells which it is.
    _Row(TransientError, _WAIT, 400, says=r"^One or more property values specified are invalid\.$"),
    _Row(
        PermanentError,
        "Privileged Identity Management does not accept the token: check the app's consent, and the tenant's licence.",
        401,
        code="GraphTokenValidationFail",
    ),
    _Row(
        PermanentError,
        "Graph does not accept the token: the Graph and sign-in addresses must belong to the same cloud, "
        "and this machine's clock must be right.",
        401,
    ),
    _Row(PermanentError, "", 403, lacks_needs=True),
    _Row(TransientError, _BUSY, 409),
    _Row(PermanentError, "Microsoft's words say what must change.", status=range(400, 500)),
)

TRANSPORT_ADVICE = "Check that this machine reaches Microsoft."
CERTIFICATE_ADVICE = "Check ENTRA_JIT_CA_FILE and whether a proxy replaces certificates."


def explain(attempt: Attempt) -> GraphError:
    """The error for an answer that was not a success."""
    for row in _ROWS:
        if row.fits(attempt):
            return _error(attempt, row.error, row.advice, unknown=row.effect_unknown, needs=row.lacks_needs)
    return _error(attempt, UnexpectedResponseError, "Microsoft answered what its documentation does not know.")


def unreachable(attempt: Attempt) -> GraphError:
    """The error for a call without an answer: refused, dropped, or not done in time."""
    advice = CERTIFICATE_ADVICE if "CERTIFICATE_VERIFY_FAILED" in (attempt.message or "") else TRANSPORT_ADVICE
    return _error(attempt, TransientError, advice, unknown=attempt.sent)


def broken_off(attempt: Attempt) -> GraphError:
    """The error for a success in whose middle Microsoft's own error stands: one entry could not be written."""
    advice = "Microsoft's answer breaks off with an error inside; if it stays, give Microsoft the request-id."
    return _error(attempt, LostPageError, advice, unknown=True)


def senseless(attempt: Attempt) -> GraphError:
    """The error for a success that does not say what it must."""
    return _error(attempt, UnexpectedResponseError, _OUR_BUG)


def _error(
    attempt: Attempt, error: type[GraphError], advice: str, *, unknown: bool = False, needs: bool = False
) -> GraphError:
    common: dict[str, Any] = {
        "tenant": attempt.tenant,
        "purpose": attempt.operation.purpose,
        "operation": f"{attempt.method} {attempt.path}",
        "status": attempt.status,
        "code": attempt.code,
        "message": attempt.message,
        "request_id": attempt.request_id,
        "client_request_id": attempt.client_request_id,
    }
    if issubclass(error, TransientError):
        unknown = unknown and attempt.writes
        wait = attempt.retry_after or (THROTTLED if attempt.status == codes.TOO_MANY_REQUESTS else None)
        return error(**common, advice=advice, retry_after=wait, outcome_unknown=unknown)
    if issubclass(error, PermanentError) and needs:
        held = attempt.operation.needs
        return error(**common, advice=str(held), needs=held)
    return error(**common, advice=advice)


def retry_after(value: str | None, now: datetime) -> timedelta | None:
    """The wait that a ``Retry-After`` header asks for, seconds or an HTTP date, but at most ``LONGEST_WAIT``.

    None: absent or unreadable.
    """
    if value is None:
        return None
    if (digits := value.strip()).isdecimal():
        # Python refuses to read more than some thousand digits at once.
        return LONGEST_WAIT if len(digits) > 9 else min(timedelta(seconds=int(digits)), LONGEST_WAIT)
    try:
        return min(max(timedelta(), parsedate_to_datetime(value) - now), LONGEST_WAIT)
    except (ValueError, TypeError, OverflowError):
        return None
