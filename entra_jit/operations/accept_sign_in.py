"""Make a technician of a person who signed in at the portal and was nothing in this deployment."""

from __future__ import annotations

from uuid import UUID

from pydantic import TypeAdapter, ValidationError

from entra_jit.app import App
from entra_jit.identity.authorize import Verb
from entra_jit.ledger import applying, configuration_versions, events, sessions
from entra_jit.ledger.events import NewEvent
from entra_jit.ledger.texts import PersonName
from entra_jit.operations._asking import asks
from entra_jit.policy.configuration_edits import SetTechnician
from models.actor import Actor
from models.errors import BadInputError, NotFoundError, RefusedError
from models.events import EventKind
from models.messages import Name


@asks(Verb.ACCEPT_SIGN_IN)
async def accept_sign_in(actor: Actor, app: App, person_id: str, name: str) -> None:
    """The person is a technician called ``name`` from now on, and in ``all-technicians``. They sign in again.

    The configuration in force has them, with the next number: pages that were opened before say so. A file that is
    applied later removes them unless it has them; it asks before. Raises
    ``BadInputError``, ``NotFoundError``, or ``RefusedError`` where another technician has the name.
    """
    try:
        chosen = TypeAdapter[str](Name).validate_python(name)
        person = UUID(person_id)
    except (ValidationError, ValueError):
        raise BadInputError("name: lower-case letters, digits and dashes, beginning with a letter or digit") from None
    async with app.ledger.transaction() as session:
        await applying.take_turns(session)
        waiting = await sessions.take_waiting(session, person)
        if waiting is None:
            raise NotFoundError("This person does not wait to be accepted.")
        if await sessions.is_name_taken(session, chosen, person):
            raise RefusedError(f"Another technician is called {chosen}.")
        await sessions.accept(session, person, chosen, waiting.display_name)
        body = {"person_id": person_id, "technician": chosen, "name": PersonName(waiting.name, person)}
        [event_id] = await events.append(session, NewEvent(EventKind.SIGN_IN_ACCEPTED, actor, body))
        if in_force := await configuration_versions.newest(session):
            edit = SetTechnician(id=person, name=chosen, display_name=waiting.display_name)
            changed = edit.made_to(in_force.configuration)
            await configuration_versions.enter(session, changed, configuration_versions.hash_of(changed), event_id)
