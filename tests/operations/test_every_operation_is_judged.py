"""No operation does anything for an actor whom the table does not allow it.

The portal and the API will call the same operations as the command line. One that forgets to ask `authorize` would be
open to every caller. So each runs here for a stranger: it must be refused before it has opened anything.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, get_type_hints

import pytest
from pydantic import SecretStr, TypeAdapter

from entra_jit import operations
from entra_jit.app import App
from entra_jit.identity.authorize import (
    DEPLOYMENT,
    LOOKS,
    TABLE,
    NotAllowedError,
    Subject,
    Verb,
    authorize,
    authorize_own,
)
from entra_jit.operations import _at_a_worker
from entra_jit.operations.list_failures import Selection
from entra_jit.settings import Settings
from models.actor import RECONCILER, Actor, ActorKind, Role, Via
from models.messages import AccessRequest, TechnicianId
from tests.actors import TESTER

STRANGER = Actor(kind=ActorKind.PERSON, id="0b57a8e1-0000-4000-8000-000000000000", name="tests", via=Via.API)
"""Has the name of the operator who may do everything: a name decides nothing."""

ARGUMENTS = {
    "agreed": None,
    "based_on": 1,
    "certificate_file": Path("/etc/revoker.pem"),
    "client_id": "5e70ca7e-0000-4000-8000-000000005e70",
    "content": "tenants: []",
    "answer": {"state": "a-state"},
    "browser": SecretStr("a-browser"),
    "redirect_uri": "http://localhost/connect/callback",
    "by": timedelta(hours=1),
    "confirmation": "contoso",
    "credentials": ["e3e46e0c-0000-4000-8000-00000000000c"],
    "do": True,
    "edits": (),
    "errand_id": "an-errand",
    "file": Path("/nowhere/msp.yaml"),
    "kind": "closing late",
    "name": "alex",
    "number": 1,
    "operation": "disconnect_tenant",
    "person_id": "0a0a0a0a-1111-4111-8111-0000000000a1",
    "reader": "a-public-key",
    "reason": "a test",
    "request": AccessRequest(
        request_id="a-grant", tenant="contoso", technician="alex", reason="a test", asked_at=datetime.now(UTC)
    ),
    "request_id": "a-grant",
    "request_ids": ["a-grant"],
    "selection": Selection(),
    "subject": "a-grant",
    "technician": "alex",
    "tenant": "contoso",
    "tenants": ["contoso"],
    "token": SecretStr("a-token"),
    "workflows": (),
}
"""A value for each argument that some operation needs."""


def public_operations() -> Iterator[Callable[..., Any]]:
    """What the modules of ``operations`` offer: every public coroutine and asynchronous generator that they define."""
    for found in pkgutil.iter_modules(operations.__path__):
        module = importlib.import_module(f"{operations.__name__}.{found.name}")
        for name, value in vars(module).items():
            is_its_own = inspect.isfunction(value) and value.__module__ == module.__name__
            is_async = inspect.iscoroutinefunction(value) or inspect.isasyncgenfunction(value)
            if is_its_own and is_async and not name.startswith("_") and not found.name.startswith("_"):
                yield value


OPERATIONS = {operation.__name__: operation for operation in public_operations()}


@pytest.fixture
def app() -> App:
    """Of a deployment that does not exist: an operation that went on would fail otherwise than by being refused."""
    keys = SecretStr("k0:" + "A" * 43 + "=")
    return App(Settings(profile="sandbox", database_url=SecretStr("postgresql://127.0.0.1:1/nothing"), keys=keys))


async def refusal(operation: Callable[..., Any], actor: Actor, app: App) -> NotAllowedError:
    """Call the operation with all the arguments that it needs."""
    parameters = inspect.signature(operation).parameters.values()
    needed = [one for one in parameters if one.default is one.empty and one.name not in {"actor", "app"}]
    values = {one.name: ARGUMENTS[one.name] for one in needed}
    called = operation(actor=actor, app=app, **values)
    with pytest.raises(NotAllowedError) as refused:
        await (anext(called) if isinstance(called, AsyncIterator) else called)
    return refused.value


@pytest.mark.parametrize("name", OPERATIONS)
async def test_it_is_refused_to_a_stranger_before_anything_is_touched(name: str, app: App) -> None:
    untouched = dict(vars(app))

    refused = await refusal(OPERATIONS[name], STRANGER, app)

    opened = vars(app).keys() - untouched.keys()
    assert opened <= {"ledger"}, "neither keys, directories nor Temporal; the ledger only to enter the refusal"
    assert refused.actor is STRANGER
    assert "may not" in str(refused)


async def test_each_verb_is_what_some_operation_asks_for(app: App) -> None:
    asked = {(await refusal(operation, STRANGER, app)).verb for operation in OPERATIONS.values()}
    assert asked == set(Verb)


@pytest.mark.parametrize("name", [name for name, value in OPERATIONS.items() if hasattr(value, _at_a_worker._MARK)])
def test_a_worker_finds_what_the_portal_gives_it_and_can_read_its_arguments(name: str) -> None:
    """By the name alone: one in a module of another name is nothing that a worker carries out."""
    assert _at_a_worker._operation(name) is OPERATIONS[name]
    for argument, kind in get_type_hints(OPERATIONS[name], include_extras=True).items():
        if argument not in {"actor", "app"}:
            TypeAdapter(kind)


@pytest.mark.parametrize("name", OPERATIONS)
def test_the_actor_comes_first(name: str) -> None:
    first, second, *_ = inspect.signature(OPERATIONS[name]).parameters.values()
    assert (first.name, first.annotation) == ("actor", "Actor")
    assert (second.name, second.annotation) == ("app", "App")


@pytest.mark.parametrize("verb", Verb)
def test_an_operator_may_do_everything_from_the_command_line_and_nowhere_else(verb: Verb) -> None:
    authorize(TESTER, verb)
    for via in set(Via) - {Via.COMMAND_LINE}:
        with pytest.raises(NotAllowedError):
            authorize(TESTER.model_copy(update={"via": via}), verb)


def test_what_gives_or_shows_access_is_not_the_systems_to_ask_for() -> None:
    for verb in (*OPENS_OR_SHOWS, *OF_EMERGENCIES, Verb.APPLY_CONFIGURATION):
        with pytest.raises(NotAllowedError):
            authorize(RECONCILER, verb)


PERSON = STRANGER.model_copy(update={"via": Via.PORTAL})
ANOTHER = Subject("4f2a", technician_id=TechnicianId("another"))
OWN = Subject("4f2a", technician_id=TechnicianId(PERSON.id))
SESSIONS = {Verb.LIST_SESSIONS, Verb.END_SESSIONS}
OPENS_OR_SHOWS = {Verb.REQUEST_ACCESS, Verb.EXTEND_ACCESS, Verb.REVEAL_CREDENTIAL, Verb.RENEW_CREDENTIAL}
OF_EMERGENCIES = {Verb.REVEAL_EMERGENCY_ACCOUNT, Verb.MAKE_EMERGENCY_KIT}
"""Not an admin's by itself."""
OF_A_GRANT = OPENS_OR_SHOWS | {Verb.END_ACCESS, Verb.CANCEL_ACCESS, Verb.SHOW_STATUS, Verb.SHOW_RECEIPT}


def allowed(subject: Subject, *roles: Role) -> set[Verb]:
    """What a person with these roles may do to ``subject``."""
    person = PERSON.model_copy(update={"roles": frozenset(roles)})
    found = set()
    for verb in Verb:
        with suppress(NotAllowedError):
            authorize(person, verb, subject)
            found.add(verb)
    return found


def test_what_people_may_do_follows_from_their_roles_and_whose_it_is() -> None:
    for roles in ((), (Role.TECHNICIAN,)):
        assert allowed(OWN, *roles) >= SESSIONS | OF_A_GRANT | {Verb.LIST_GRANTS}
        assert allowed(ANOTHER, *roles) == allowed(DEPLOYMENT, *roles) == set()


def test_an_admin_opens_and_reveals_nothing_for_others() -> None:
    for subject in (ANOTHER, DEPLOYMENT):
        assert allowed(subject, Role.ADMIN).isdisjoint(OPENS_OR_SHOWS | OF_EMERGENCIES)
    assert allowed(OWN, Role.ADMIN) >= OPENS_OR_SHOWS


def test_who_reveals_emergency_accounts_does_nothing_else() -> None:
    may = {Verb.LIST_EMERGENCY_ACCOUNTS, Verb.REVEAL_EMERGENCY_ACCOUNT, Verb.AWAIT_WORKER}
    assert allowed(DEPLOYMENT, Role.EMERGENCY) == may


def test_an_auditor_sees_everything_and_changes_nothing() -> None:
    assert allowed(DEPLOYMENT, Role.AUDITOR) <= LOOKS
    assert allowed(ANOTHER, Role.AUDITOR) <= LOOKS
    assert {Verb.LIST_GRANTS, Verb.SHOW_RECEIPT, Verb.LIST_ALARMS} <= allowed(ANOTHER, Role.AUDITOR)


def test_before_it_is_known_whose_it_is_a_technician_is_let_through_to_the_question_alone() -> None:
    authorize_own(PERSON, Verb.RENEW_CREDENTIAL, Subject("4f2a"))
    with pytest.raises(NotAllowedError):
        authorize_own(PERSON, Verb.CLOSE_ALL, Subject("4f2a"))


def test_roles_are_never_written() -> None:
    """They say what is so in this process; one that is read back from a journal or a message would be a claim."""
    admin = PERSON.model_copy(update={"roles": frozenset({Role.ADMIN})})
    assert "roles" not in admin.model_dump_json()
    assert Actor.model_validate_json(admin.model_dump_json()).roles == frozenset()


@pytest.mark.parametrize("verb", Verb)
def test_who_proves_nothing_may_do_nothing(verb: Verb) -> None:
    with pytest.raises(NotAllowedError):
        authorize(Actor.claimed("tests"), verb)


def test_a_kind_has_one_row_for_each_way_and_role() -> None:
    assert len({(row.kind, row.via, row.role) for row in TABLE}) == len(TABLE)


def test_a_refusal_says_who_what_and_to_whom() -> None:
    with pytest.raises(NotAllowedError, match=r"tests \(person, api\) may not see the credential: grant 4f2a\."):
        authorize(STRANGER, Verb.REVEAL_CREDENTIAL, Subject("4f2a"))
    assert str(DEPLOYMENT) == "the deployment"
    assert str(Subject(tenant="contoso", technician="alex")) == "alex in contoso"
