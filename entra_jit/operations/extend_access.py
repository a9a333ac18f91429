"""Extend an open grant."""

from __future__ import annotations

from datetime import datetime, timedelta

from pydantic import ValidationError

from entra_jit.app import App
from entra_jit.identity.authorize import Verb
from entra_jit.ledger import grants, holds
from entra_jit.operations._asking import asks
from entra_jit.operations._live_workflows import update_live
from models.actor import Actor
from models.errors import BadInputError, NotFoundError, RefusedError
from models.messages import Extension, SignedExtension
from models.names import EXTEND


@asks(Verb.EXTEND_ACCESS)
async def extend_access(actor: Actor, app: App, request_id: str, by: timedelta, reason: str) -> datetime:
    """Let the grant last ``by`` longer than it would now. Gives the new expiry.

    Idempotent: the new expiry is absolute, and asking twice for the same one is asking once.
    Raises ``BadInputError``, ``NotFoundError``, ``RefusedError`` with what would be allowed, or ``UnreachableError``
    where no worker answers; the extension may then still come about.
    """
    async with app.ledger.transaction() as session:
        grant = await grants.by_id(session, request_id)
        stop = await holds.stop_over_grant(session, request_id)
    if grant is None:
        raise NotFoundError(f"There is no grant {request_id!r}.")
    if stop is not None:
        raise RefusedError(stop.sentence)
    if grant.expires_at is None or grant.closing_at is not None:
        raise RefusedError(f"The grant {request_id} is not open.")
    try:
        extension = Extension(request_id=request_id, expires_at=grant.expires_at + by, reason=reason)
    except ValidationError as error:
        raise BadInputError.of(error) from None
    signed = SignedExtension(extension=extension, assertion=app.sign(actor, extension))
    update = f"extend-{extension.expires_at.isoformat()}"
    await update_live(app, request_id, EXTEND, signed, update_id=update)
    return extension.expires_at
