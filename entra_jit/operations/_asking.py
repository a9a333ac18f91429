"""What every operation begins with: who asks is judged, and what is refused stands in the journal."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from contextvars import ContextVar
from typing import Any, Concatenate, ParamSpec, TypeVar

from entra_jit.app import App
from entra_jit.identity.authorize import NotAllowedError, Subject, Verb, authorize
from entra_jit.ledger import events
from models.actor import Actor
from models.errors import RefusedError

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")

LOOKS = frozenset(
    verb for verb in Verb if verb.name.startswith(("SHOW_", "LIST_", "CHECK_", "PLAN_", "EXPORT_", "PREVIEW_"))
)
"""Verbs that only look: asking for a receipt before there is one is no attempt at anything."""

_is_inside: ContextVar[bool] = ContextVar("_is_inside", default=False)
"""An operation that is part of another enters no refusal of its own: the whole has been refused once."""


def asks(
    verb: Verb, judge: Callable[[Actor, Verb, Subject], None] = authorize
) -> Callable[
    [Callable[Concatenate[Actor, App, Parameters], Awaitable[Result]]],
    Callable[Concatenate[Actor, App, Parameters], Coroutine[Any, Any, Result]],
]:
    """The operation asks ``judge`` for ``verb`` first, about the request, tenant and technician in its arguments.

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
                judge(actor, verb, subject)
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


def _is_attempt(verb: Verb, error: RefusedError) -> bool:
    return isinstance(error, NotAllowedError) or (verb not in LOOKS and error.is_attempt)


def _subject(given: Mapping[str, Any]) -> Subject:
    """What the arguments of an operation are about, by their names."""
    within = given.get("request") or given.get("selection")
    names = ("request_id", "tenant", "technician")
    return Subject(*(given.get(name) or getattr(within, name, None) for name in names))


async def _enter(actor: Actor, app: App, verb: Verb, subject: Subject, because: str) -> None:
    await app.ledger.attempt(
        "a refused attempt",
        lambda session: events.refuse(
            session, actor, verb, because, request_id=subject.request_id, tenant=subject.tenant
        ),
    )
