"""The line of one application behind which another application's stands by, for what must not wait until it is mended.

Closing is done like this: what Microsoft refuses to the closing application is asked for at once by the other one.
"""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from entra_jit.graph.answers import Answer
from entra_jit.graph.calls import Body, Calls
from entra_jit.graph.catalogue import IDENTITY_NOT_FOUND
from entra_jit.graph.errors import GraphError, PermanentError, UnexpectedResponseError
from entra_jit.graph.operations import Operation
from entra_jit.graph.sign_in import SIGN_IN, is_wrong_secret

_ABOUT_THE_APPLICATION = (401, 403)


class StandbyWatch(Protocol):
    """Hears what the first application can do and what it cannot. Both methods return at once and never raise."""

    def refused(self, tenant: str, purpose: str, why: str) -> None:
        """The other application was asked for ``purpose``, because the first one was refused."""

    def worked(self, tenant: str, purpose: str, at: datetime) -> None:
        """The first application did it, at ``at``."""


class CallsWithStandby(Calls):
    """Asks as the first application, and after a refusal as the standby: one call at a time, each decided anew."""

    def stand_by(self, standby: Calls, watch: StandbyWatch) -> None:
        """Before the first call."""
        self._standby = standby
        self._watch = watch

    async def call(
        self,
        operation: Operation,
        method: str,
        url: str,
        body: Body | None = None,
        *,
        advanced: bool = False,
    ) -> Answer:
        """As in ``Calls``. Raises the first application's refusal where the standby is refused, too."""
        # A sign-in for each call would be a storm of them, which Microsoft answers by throttling.
        refusal: GraphError | None = self._tokens.refused_lately
        if refusal is None:
            try:
                answer = await super().call(operation, method, url, body, advanced=advanced)
            except GraphError as error:
                if not _is_refusal(error):
                    raise
                refusal = error
            else:
                for purpose in (SIGN_IN, operation.purpose):
                    self._watch.worked(self.tenant, purpose, answer.evidence.answered_at)
                return answer
        try:
            answer = await self._standby.call(operation, method, url, body, advanced=advanced)
        except (PermanentError, UnexpectedResponseError):
            # PermanentError to both, it is about the account or the tenant. The first one's words say what to mend.
            raise refusal from None
        except GraphError:
            self._watch.refused(self.tenant, refusal.purpose, str(refusal))
            raise
        self._watch.refused(self.tenant, refusal.purpose, str(refusal))
        return answer


def _is_refusal(error: GraphError) -> bool:
    """Whether another application may fare better: other refusals are about the tenant or the account.

    A wrong secret may be a new one that becomes known within a minute, and a service principal may be as new: neither
    is waited for.
    """
    if isinstance(error, PermanentError | UnexpectedResponseError):
        return error.purpose == SIGN_IN or error.status in _ABOUT_THE_APPLICATION
    return is_wrong_secret(error) or error.code == IDENTITY_NOT_FOUND
