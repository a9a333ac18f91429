"""Make a technician of a person who signed in at the portal and was nothing in this deployment."""

from __future__ import annotations

from uuid import UUID

from pydantic import TypeAdapter, ValidationError

from entra_jit.app import App
from entra_jit.identity.authorize import Verb
from entra_jit.ledger import events, sessions
from entra_jit.ledger.events import NewEvent
from entra_jit.ledger.texts import PersonName
from entra_jit.operations._asking import asks
from models.actor import Actor
from models.errors import BadInputError, NotFoundError, RefusedError
from models.events import EventKind
from models.messages import Name


@asks(Verb.ACCEPT_SIGN_IN)
async def accept_sign_in(actor: Actor, app: App, person_id: str, name: str) -> None:
    """The person is a technician called ``name`` from now on, and in ``all-technicians``. They sign in again.

    A configuration file that is applied later removes them unless it has them; it asks before. Raises
    ``BadInputError``, ``NotFoundError``, or ``RefusedError`` where another technician has the name.
    """
    try:
        chosen = TypeAdapter[str](Name).validate_python(name)
        person = UUID(person_id)
    except (ValidationError, ValueError):
        raise BadInputError("name: lower-case letters, digits and dashes, beginning with a letter or digit") from None
    async with app.ledger.transaction() as session:
        waiting = await sessions.take_waiting(session, person)
        if waiting is None:
            raise NotFoundError("This person does not wait to be accepted.")
        if await sessions.is_name_taken(session, chosen, person):
            raise RefusedError(f"Another technician is called {chosen}.")
        await sessions.accept(session, person, chosen, waiting.display_name)
        body = {"person_id": person_id, "technician": chosen, "name": PersonName(waiting.name, person)}
        await events.append(session, NewEvent(EventKind.SIGN_IN_ACCEPTED, actor, body))
