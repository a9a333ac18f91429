"""How a call to Microsoft can fail, cut by what the caller should do next."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus

from models.errors import EntraJitError, ExitCode
from models.messages import FailureType
from models.plain_text import plain


@dataclass(frozen=True, slots=True)
class Needs:
    """What our app must hold in a tenant for an operation to be allowed there."""

    permissions: tuple[str, ...]
    """Graph application permissions that docs/real-tenant.md lists; an administrator's consent makes them effective."""
    directory_role: str | None = None
    """The role that the app's service principal must hold besides, where a permission alone is not enough."""

    def __str__(self) -> str:
        """The sentence that tells an operator what to grant."""
        sentence = f"Grant the app {' and '.join(self.permissions)} (application permissions, with admin consent)"
        if self.directory_role:
            sentence += f", and give its service principal the directory role {self.directory_role}"
        return sentence + "."


@dataclass(kw_only=True, eq=False)
class GraphError(EntraJitError):
    """A call to Microsoft Graph or to the sign-in service did not do what was asked.

    ``str()`` is one line for a person: what failed, in which tenant, what to do, and Microsoft's request-id.
    Of what we sent it holds method and path only, hence no secret.
    """

    tenant: str
    """The tenant's name, for people."""
    purpose: str
    """What was being attempted: ``disable the account``."""
    operation: str
    """Method and path: ``PATCH /users/87d349ed-…``."""
    advice: str
    """What the operator can do, a sentence or two."""
    status: int | None = None
    """HTTP status; None: no answer arrived."""
    code: str | None = None
    """Microsoft's error code: ``Request_BadRequest``, ``AADSTS7000215``."""
    message: str | None = None
    """Microsoft's words, or the transport's."""
    request_id: str | None = None
    """Microsoft's number for the call (the sign-in service's trace id)."""
    client_request_id: str | None = None
    """Ours for the call (the sign-in service's correlation id)."""

    def __post_init__(self) -> None:
        """Say in a sentence what failed."""
        numbers = " ".join(str(part) for part in (self.status, self.code) if part is not None)
        said = ": ".join(part for part in (numbers, self.message) if part)
        explanation = f"{self.tenant}: could not {self.purpose}" + (f" ({said})" if said else "") + "."
        super().__init__(plain(explanation), advice=self.advice, request_id=self.request_id)

    def __str__(self) -> str:
        ids = (("request-id", self.request_id), ("client-request-id", self.client_request_id))
        where = "; ".join([self.operation, *(f"{name} {value}" for name, value in ids if value)])
        return plain(f"{self.explanation} {self.advice} [{where}]")


@dataclass(kw_only=True, eq=False)
class TransientError(GraphError):
    """A passing condition. Nothing in this package retries: the caller does."""

    failure_type = FailureType.TRANSIENT
    exit_code = ExitCode.UNREACHABLE
    http_status = HTTPStatus.SERVICE_UNAVAILABLE

    retry_after: timedelta | None = None
    """How long to wait, as Microsoft asks; None: it named nothing, and has not throttled."""
    outcome_unknown: bool = False
    """True: the write may have taken effect all the same. Look before doing it again."""


@dataclass(kw_only=True, eq=False)
class LostPageError(TransientError):
    """A page of a collection that will not come, however often it is asked for. Ask for the whole anew, or for less."""


@dataclass(kw_only=True, eq=False)
class NotYetVisibleError(GraphError):
    """The object is absent, deleted, or not replicated yet. After our own create, give it time."""

    failure_type = FailureType.NOT_YET_VISIBLE
    exit_code = ExitCode.UNREACHABLE
    http_status = HTTPStatus.SERVICE_UNAVAILABLE


@dataclass(kw_only=True, eq=False)
class ConflictError(GraphError):
    """The directory claims to be in the wanted state already (a duplicate, or gone before). Read it back."""

    failure_type = FailureType.READ_BACK_DISAGREES
    exit_code = ExitCode.UNREACHABLE
    http_status = HTTPStatus.SERVICE_UNAVAILABLE


@dataclass(kw_only=True, eq=False)
class PermanentError(GraphError):
    """Microsoft refuses, and will until something is changed in the tenant; ``advice`` says what."""

    failure_type = FailureType.PERMANENT
    exit_code = ExitCode.REFUSED
    http_status = HTTPStatus.BAD_GATEWAY

    needs: Needs | None = None
    """What the operation takes, where lacking it can be the reason."""


@dataclass(kw_only=True, eq=False)
class MasteredElsewhereError(PermanentError):
    """Another service masters what was to be written, as Exchange does the extension attributes of an account that has
    a mailbox, and an on-premises directory those of a synchronised account. The rest of the account can still be
    changed, in a write of its own."""


@dataclass(kw_only=True, eq=False)
class DefaultMethodError(PermanentError):
    """The account's default sign-in method, which Microsoft deletes only once it is the last one."""


@dataclass(kw_only=True, eq=False)
class PassNotAllowedError(PermanentError):
    """The tenant's policy allows this account no Temporary Access Pass, or does not know the account yet."""


@dataclass(kw_only=True, eq=False)
class UnexpectedResponseError(GraphError):
    """An answer that makes no sense, or a request that should not have been made: a bug of ours or of Microsoft's."""

    failure_type = FailureType.UNEXPECTED_RESPONSE
    exit_code = ExitCode.FAILED
    http_status = HTTPStatus.BAD_GATEWAY
