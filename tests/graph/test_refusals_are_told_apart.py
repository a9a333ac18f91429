"""An answer that is read wrongly parks a grant that would have opened, or retries for ever what can never succeed."""

# ruff: noqa: E501  # Microsoft's sentences are as long as they are
from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from entra_jit.graph import (
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
    operations,
)
from entra_jit.graph.answers import error_of
from entra_jit.graph.catalogue import LONGEST_WAIT, NOT_GRAPHS, THROTTLED, Attempt, explain, retry_after, unreachable

GENERIC = "Request_BadRequest"


def attempt(method: str, status: int, code: str | None, message: str | None, **known: object) -> Attempt:
    return Attempt("Contoso", operations.DISABLE_USER, method, "/users/x", "c-1", status, code, message, **known)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("method", "status", "code", "message", "expected"),
    [
        ("POST", 400, GENERIC, "Another object with the same value for property userPrincipalName already exists.", ConflictError),
        ("POST", 400, GENERIC, "Another object with the same value for property proxyAddresses already exists.", PermanentError),
        ("POST", 400, GENERIC, "Another object with the same value for property mailNickname already exists.", PermanentError),
        ("POST", 400, GENERIC, "A conflicting object with one or more of the specified property values is present in the directory.", ConflictError),
        ("POST", 400, GENERIC, "One or more added object references already exist for the following modified properties: 'members'.", ConflictError),
        ("DELETE", 400, GENERIC, "One or more removed object references do not exist for the following modified properties: 'members'.", ConflictError),
        ("POST", 409, "Request_MultipleObjectsWithSameKeyValue", "Another object is there.", ConflictError),
        ("DELETE", 404, "Request_ResourceNotFound", "Resource 'x' does not exist.", ConflictError),
        ("PATCH", 404, "Request_ResourceNotFound", "Resource 'x' does not exist.", NotYetVisibleError),
        ("GET", 404, "Directory_ObjectNotFound", "Unable to read the company information from the directory.", NotYetVisibleError),
        ("GET", 202, None, NOT_GRAPHS, NotYetVisibleError),
        ("POST", 400, GENERIC, "The role assignment's principal does not exist.", NotYetVisibleError),
        ("POST", 400, GENERIC, "The domain portion of the userPrincipalName property is invalid. You must use one of the verified domain names in your organization.", PermanentError),
        ("PATCH", 400, GENERIC, "Property userPrincipalName is invalid.", PermanentError),
        ("PATCH", 400, GENERIC, "The specified password does not comply with password complexity requirements. Please provide a different password.", PermanentError),
        ("POST", 400, "badRequest", "Converged UserCredentialPolicy does not allow creating or updating this authentication method. AuthMethodType [TemporaryAccessPass].", PassNotAllowedError),
        ("PATCH", 400, GENERIC, "Unable to update the specified properties for on-premises mastered Directory Sync objects or objects currently undergoing migration.", MasteredElsewhereError),
        ("DELETE", 400, GENERIC, "Cannot Update a mail-enabled security groups and or distribution list.", PermanentError),
        ("DELETE", 400, "badRequest", "Cannot delete default method with other methods configured. Please change default method before deletion.", DefaultMethodError),
        ("DELETE", 400, "badRequest", "The requested authentication method id of [x] matches the user's current default authentication method, and cannot be deleted until the default authentication method is changed", DefaultMethodError),
        ("DELETE", 400, GENERIC, "The last Global Administrator of a directory cannot be removed.", PermanentError),
        ("PATCH", 403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.", PermanentError),
        ("POST", 403, "accessDenied", "Request Authorization failed", PermanentError),
        ("POST", 403, "Directory_QuotaExceeded", "The directory object quota limit for the Tenant has been exceeded.", PermanentError),
        ("GET", 401, "InvalidAuthenticationToken", "Lifetime validation failed, the token is expired.", PermanentError),
        ("POST", 400, GENERIC, "One or more property values specified are invalid.", TransientError),
        ("POST", 400, GENERIC, "One or more property values specified are invalid. ", TransientError),
        ("POST", 400, GENERIC, "One or more added\u00a0object references already exist.", ConflictError),
        ("PATCH", 409, "Directory_ConcurrencyViolation", "Error due to concurrent requests being made to the tenant.", TransientError),
        ("PATCH", 400, "directory_concurrencyviolation", "Error due to concurrent requests being made to the tenant.", TransientError),
        ("GET", 429, "TooManyRequests", "Please retry again later.", TransientError),
        ("GET", 429, "Request_ThrottledTemporarily", "Slow down.", TransientError),
        ("PATCH", 500, "UnknownError", None, TransientError),
        ("PATCH", 502, None, NOT_GRAPHS, TransientError),
        ("PATCH", 403, None, NOT_GRAPHS, TransientError),
        ("GET", 302, None, NOT_GRAPHS, TransientError),
        ("GET", 400, "BadRequest", "Resource not found for the segment 'usr'.", UnexpectedResponseError),
        ("POST", 400, "BadRequest", "Unable to read JSON request payload. Please ensure Content-Type header is set and payload is of valid JSON format.", UnexpectedResponseError),
        ("GET", 400, "Request_UnsupportedQuery", "Unsupported Query.", UnexpectedResponseError),
        ("POST", 405, GENERIC, "Specified HTTP method is not allowed for the request target.", UnexpectedResponseError),
        ("GET", 401, "InvalidAuthenticationToken", "Access token is empty.", UnexpectedResponseError),
        ("GET", 401, "Authorization_IdentityNotFound", "The identity of the calling application could not be established.", TransientError),
        ("GET", 401, "GraphTokenValidationFail", "MS Graph token validation fail", PermanentError),
        ("GET", 400, "Directory_ExpiredPageToken", "The specified page token value has expired and can no longer be included in your request.", LostPageError),
        ("GET", 400, "Directory_ReplicaUnavailable", "The preferred replica is unavailable.", TransientError),
        ("GET", 400, GENERIC, "The preferred replica is unavailable. Please retry.", TransientError),
        ("GET", 400, "Directory_BindingRedirection", "Tenant information is not available in this data center.", TransientError),
        ("GET", 400, "ServiceUnavailable", "Service is unavailable.", TransientError),
    ],
)  # fmt: skip
def test_an_answer_means_what_microsoft_means_by_it(
    method: str, status: int, code: str | None, message: str | None, expected: type[GraphError]
) -> None:
    """Most refusals share one code; each row here was seen or documented for the real service."""
    error = explain(attempt(method, status, code, message))
    assert type(error) is expected
    assert error.advice


@pytest.mark.parametrize(
    ("method", "status", "unknown"),
    [("PATCH", 500, True), ("POST", 503, True), ("DELETE", 504, True), ("GET", 503, False), ("PATCH", 429, False)],
)
def test_a_write_that_failed_inside_may_have_happened(method: str, status: int, unknown: bool) -> None:
    """A creation that is repeated blindly makes a second account; a throttled one has surely done nothing."""
    error = explain(attempt(method, status, "Whatever", "Whatever."))
    assert isinstance(error, TransientError)
    assert error.outcome_unknown is unknown


@pytest.mark.parametrize(
    ("method", "sent", "unknown"), [("PATCH", True, True), ("PATCH", False, False), ("GET", True, False)]
)
def test_a_write_that_never_left_has_not_happened(method: str, sent: bool, unknown: bool) -> None:
    """Looking twice costs little; treating a request that did reach Microsoft as unsent costs an account."""
    error = unreachable(Attempt("Contoso", operations.DISABLE_USER, method, "/users/x", sent=sent))
    assert isinstance(error, TransientError)
    assert error.outcome_unknown is unknown


def test_a_throttled_call_is_waited_for_although_no_time_is_named() -> None:
    """Audit log and sign-in methods name none: asked again at once, they are refused again."""
    for wait in (None, timedelta(seconds=7)):
        error = explain(attempt("GET", 429, "UnknownError", "Too Many Requests", retry_after=wait))
        assert isinstance(error, TransientError)
        assert error.retry_after == (wait or THROTTLED)


def test_a_missing_permission_is_named() -> None:
    """ "Insufficient privileges" has sent administrators in circles for years: say which permission and which role."""
    error = explain(attempt("PATCH", 403, "Authorization_RequestDenied", "Insufficient privileges."))
    assert isinstance(error, PermanentError)
    assert error.needs == operations.DISABLE_USER.needs
    assert "User.EnableDisableAccount.All" in str(error)
    assert "Privileged Authentication Administrator" in str(error)


@pytest.mark.parametrize(
    ("status", "code", "message", "says", "never"),
    [
        (401, "Authorization_IdentityNotFound", "The identity could not be established.", "consent", "clock"),
        (401, "GraphTokenValidationFail", "MS Graph token validation fail", "consent", "clock"),
        (400, GENERIC, "Another object with the same value for property proxyAddresses already exists.", "mailbox", "ours"),
    ],
)  # fmt: skip
def test_the_advice_fits_the_refusal(status: int, code: str, message: str, says: str, never: str) -> None:
    """A missing consent has sent people to look at clocks and clouds, and a taken address at Microsoft's outages."""
    advice = explain(attempt("POST", status, code, message)).advice
    assert says in advice
    assert never not in advice


def test_an_error_inside_an_errors_words_is_unwrapped() -> None:
    """Privileged Identity Management says ``UnknownError``, and its own code and words as JSON in the message."""
    inner = '{"errorCode":"PermissionScopeNotGranted","message":"Missing {X.Read}.","target":null}'
    wrapped = {"error": {"code": "UnknownError", "message": inner}}
    assert error_of(wrapped) == ("PermissionScopeNotGranted", "Missing {X.Read}.")
    other = {"error": {"code": "UnknownError", "message": "{not JSON"}}
    assert error_of(other) == ("UnknownError", "{not JSON")


def test_an_error_is_one_line_that_says_where_what_and_under_which_number() -> None:
    """Temporal's UI shows one line; a person must be able to act on it and to quote it to Microsoft."""
    told = attempt("PATCH", 503, "ServiceUnavailable", "Service is\n  unavailable.", request_id="r-1")
    assert str(explain(told)) == (
        "Contoso: could not disable the account (503 ServiceUnavailable: Service is unavailable.). "
        "It passes by itself; if it goes on for an hour, see Microsoft's service health. "
        "[PATCH /users/x; request-id r-1; client-request-id c-1]"
    )


NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("header", "wait"),
    [
        (None, None),
        ("soon", None),
        ("", None),
        ("10", timedelta(seconds=10)),
        ("0", timedelta()),
        ("Mon, 23 Nov 2026 12:01:30 GMT", timedelta(seconds=90)),
        ("Mon, 23 Nov 2026 11:00:00 GMT", timedelta()),
        ("99999999999999", LONGEST_WAIT),
        ("9" * 5000, LONGEST_WAIT),
        ("Fri, 31 Dec 9999 23:59:59 GMT", LONGEST_WAIT),
    ],
)
def test_the_wait_that_microsoft_asks_for_is_understood(header: str | None, wait: timedelta | None) -> None:
    """Coming back too early extends the throttling; a header that cannot be read must not stop a closing."""
    assert retry_after(header, NOW) == wait
