"""Take what a browser brings back from Microsoft: the next page, or the tenant connected and proven."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import SecretStr

from entra_jit.app import App
from entra_jit.identity.authorize import Verb
from entra_jit.operations._asking import asks
from entra_jit.operations._at_a_worker import Confidential, at_a_worker
from entra_jit.operations._connection_answer import finish
from models.actor import Actor
from models.connections import NextPage, TenantConnection


@asks(Verb.CONNECT_TENANT)
@at_a_worker
async def finish_connection(
    actor: Actor, app: App, browser: SecretStr, answer: Annotated[Mapping[str, str], Confidential]
) -> NextPage | TenantConnection:
    """Go on with the connection that ``answer``, the query of the callback, belongs to.

    ``browser``: as ``begin_connection`` had it. The answer is believed in nothing: any page can forge
    it (azure-docs#91932). Our applications' own tokens of the tenant prove the consent, and the person's validated id
    token with their role read back proves who authorized it. Raises ``NotConnectableError`` where either is not so, and
    then enters nothing; each answer is good once. Start again after any error.
    """
    return await finish(actor, app, browser, answer)
