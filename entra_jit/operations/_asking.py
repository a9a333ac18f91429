"""What every operation begins with: who asks is judged, and what is refused stands in the journal."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from contextvars import ContextVar
from dataclasses import replace
from typing import Any, Concatenate, ParamSpec, TypeVar
from uuid import UUID

from entra_jit.app import App
from entra_jit.identity.authorize import LOOKS, NotAllowedError, Subject, Verb, authorize, authorize_own, may
from entra_jit.ledger import configuration, events, requests
from entra_jit.ledger.names import find_technician
from models.actor import Actor
from models.errors import RefusedError
from models.messages import TechnicianId
from models.names import technician_named_in

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")

_is_inside: ContextVar[bool] = ContextVar("_is_inside", default=False)
"""An operation that is part of another enters no refusal of its own: the whole has been refused once."""


def asks(
    verb: Verb,
) -> Callable[
    [Callable[Concatenate[Actor, App, Parameters], Awaitable[Result]]],
    Callable[Concatenate[Actor, App, Parameters], Coroutine[Any, Any, Result]],
]:
    """The operation asks ``authorize`` for ``verb`` first, about the request, tenant and technician in its arguments.

    Whose that is, the ledger is asked only for an actor who may do it to what is theirs alone.

    A ``RefusedError`` of what does more than look is entered in the journal; a ledger that is away changes nothing
    about it.
    """

    def judged(
        operation: Callable[Concatenate[Actor, App, Parameters], Awaitable[Result]],
    ) -> Callable[Concatenate[Actor, App, Parameters], Coroutine[Any, Any, Result]]:
        signature = inspect.signature(operation)

        async def asked(actor: Actor, app: App, *args: Parameters.args, **kwargs: Parameters.kwargs) -> Result:
            given = signature.bind(actor, app, *args, **kwargs).arguments
            subject = _subject(given)
            outermost = not _is_inside.get()
            mark = _is_inside.set(True)
            try:
                await _judge(actor, app, verb, subject)
                return await operation(actor, app, *args, **kwargs)
            except RefusedError as error:
                if outermost and _is_attempt(verb, error):
                    await _enter(actor, app, verb, subject, str(error))
                raise
            finally:
                _is_inside.reset(mark)

        functools.update_wrapper(asked, operation)
        return asked  # type: ignore[return-value]  # actor and app may be passed by name as well

    return judged


async def _judge(actor: Actor, app: App, verb: Verb, subject: Subject) -> None:
    authorize_own(actor, verb, subject)
    if not may(actor, verb):
        authorize(actor, verb, await _with_owner(app, subject))


async def _with_owner(app: App, subject: Subject) -> Subject:
    """The subject with the id of the technician whose it is, as the ledger has it."""
    if subject.technician_id is not None:
        return subject
    async with app.ledger.transaction() as session:
        if subject.request_id is not None:
            row = await requests.by_id(session, subject.request_id)
            whose = row.technician_id if row else None
            named = None if whose else technician_named_in(subject.request_id)
            # Of a request that no worker has taken to the ledger yet its id alone says whose it is.
            found = await configuration.technician_terms(session, named) if named else None
            whose = UUID(found.id) if found else whose
        elif subject.technician is not None:
            whose = UUID((await find_technician(session, subject.technician)).id)
        else:
            whose = None
    return replace(subject, technician_id=TechnicianId(str(whose)) if whose else None)


def _is_attempt(verb: Verb, error: RefusedError) -> bool:
    return isinstance(error, NotAllowedError) or (verb not in LOOKS and error.is_attempt)


def _subject(given: Mapping[str, Any]) -> Subject:
    """What the arguments of an operation are about, by their names."""
    within = given.get("request") or given.get("selection")
    names = ("request_id", "tenant", "technician")
    request_id, tenant, technician = (given.get(name) or getattr(within, name, None) for name in names)
    return Subject(request_id, tenant, technician, given.get("person_id"))


async def _enter(actor: Actor, app: App, verb: Verb, subject: Subject, because: str) -> None:
    await app.ledger.attempt(
        "a refused attempt",
        lambda session: events.refuse(
            session, actor, verb, because, request_id=subject.request_id, tenant=subject.tenant
        ),
    )
