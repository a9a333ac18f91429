"""Take what the browser of an invited administrator brings back from Microsoft."""

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


@asks(Verb.ACCEPT_INVITATION)
@at_a_worker
async def finish_invited(
    actor: Actor, app: App, browser: SecretStr, answer: Annotated[Mapping[str, str], Confidential]
) -> NextPage | TenantConnection:
    """Go on with what ``accept_invitation`` began, as ``finish_connection`` does."""
    return await finish(actor, app, browser, answer)
