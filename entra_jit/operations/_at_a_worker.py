"""Operations that need what workers alone hold: a process without it has a worker carry them out.

The portal is the part that strangers can reach, so it has no key that opens a tenant's credential.
"""

from __future__ import annotations

import asyncio
import functools
import inspect
import json
from collections.abc import Awaitable, Callable, Coroutine
from datetime import timedelta
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Concatenate, ParamSpec, TypeVar, cast, get_args, get_type_hints
from uuid import uuid4

from pydantic import SecretStr, TypeAdapter

from entra_jit.app import App
from entra_jit.crypto.keyring import Purpose
from entra_jit.crypto.sealing import Sealed, seal, unseal
from entra_jit.ledger import errands
from models.actor import Actor
from models.configuration_plan import ChangedMeanwhileError
from models.errors import (
    BadInputError,
    EntraJitError,
    InternalError,
    NotFoundError,
    RefusedError,
    SettingsError,
    StillWorkingError,
    UnreachableError,
    quoted,
)
from models.messages import Errand, ErrandOutcome, ErrandRefusal, SignedErrand
from models.names import PORTAL_ERRAND

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")

_Operation = Callable[Concatenate[Actor, App, Parameters], Awaitable[Result]]
_Carried = Callable[Concatenate[Actor, App, Parameters], Coroutine[Any, Any, Result]]

LASTS = timedelta(minutes=10)
"""How long a worker may take. A person waits less; the errand goes on."""

_KINDS = (
    BadInputError,
    NotFoundError,
    ChangedMeanwhileError,
    RefusedError,
    SettingsError,
    UnreachableError,
    InternalError,
)
"""What an error becomes that has crossed from a worker: the first of these that it is."""

LOOKS_EVERY = timedelta(milliseconds=250)

_MARK = "is_done_at_a_worker"


class Confidential:
    """Marks an argument that crosses sealed although none of it is a ``SecretStr``: ``Annotated[..., Confidential]``"""


def at_a_worker(operation: _Operation[Parameters, Result]) -> _Carried[Parameters, Result]:
    """Carry the operation out here where the deployment's keys are held, and by a worker where not.

    Stands below ``asks``, which judges the actor here and again there, in a module of the operation's own name.
    Arguments and result cross as JSON, secrets among the arguments sealed. Raises ``StillWorkingError`` where no worker
    answers in time; ``find_result`` finds what came of it.
    """
    signature = inspect.signature(operation)

    async def carried_out(actor: Actor, app: App, *args: Parameters.args, **kwargs: Parameters.kwargs) -> Result:
        if app.holds_keys:
            return await operation(actor, app, *args, **kwargs)
        arguments = signature.bind(actor, app, *args, **kwargs).arguments
        hints = get_type_hints(operation, include_extras=True)
        errand_id = uuid4().hex
        sent = {
            key: packed(app, errand_id, hints[key], value)
            for key, value in arguments.items()
            if key not in {"actor", "app"}
        }
        # Sorted: what is signed must read the same in every process.
        roles = tuple(sorted(actor.roles))
        errand = Errand(id=errand_id, operation=operation.__name__, arguments=sent, roles=roles)
        return cast("Result", _result(operation, await _send(actor, app, errand)))

    functools.update_wrapper(carried_out, operation)
    setattr(carried_out, _MARK, True)
    return carried_out  # type: ignore[return-value]  # actor and app may be passed by name as well


async def carry_out(actor: Actor, app: App, errand: Errand) -> Any:
    """Do what was asked for elsewhere; gives the result as JSON. The caller has verified the actor.

    Raises ``BadInputError`` for what is no such operation, or what the operation raises.
    """
    operation = _operation(errand.operation)
    hints = get_type_hints(operation, include_extras=True)
    arguments = {key: unpacked(app, errand.id, hints[key], value) for key, value in errand.arguments.items()}
    result = await operation(actor, app, **arguments)
    return TypeAdapter(hints["return"]).dump_python(result, mode="json")


def _operation(name: str) -> Callable[..., Awaitable[Any]]:
    module = f"entra_jit.operations.{name}"
    if name.isidentifier() and not name.startswith("_") and find_spec(module):
        operation = getattr(import_module(module), name, None)
        if hasattr(operation, _MARK):
            return cast("Callable[..., Awaitable[Any]]", operation)
    raise BadInputError(f"{quoted(name)} is nothing that a worker carries out.")


def _result(operation: Callable[..., Awaitable[Any]], outcome: ErrandOutcome) -> Any:
    if outcome.refusal is not None:
        raise _as_error(outcome.refusal)
    return TypeAdapter(get_type_hints(operation)["return"]).validate_python(outcome.result)


async def find_result(app: App, operation: str, errand_id: str) -> tuple[Any] | None:
    """What the operation gave; None: it is not done. Raises what it raised, or ``BadInputError`` for no operation."""
    wanted = _operation(operation)
    async with app.ledger.transaction() as session:
        outcome = await errands.find(session, errand_id)
    return (_result(wanted, outcome),) if outcome else None


async def _send(actor: Actor, app: App, errand: Errand) -> ErrandOutcome:
    signed = SignedErrand(errand=errand, assertion=app.sign(actor, errand))
    client = await app.temporal()
    await client.start_workflow(
        PORTAL_ERRAND,
        signed,
        id=f"errand/{errand.id}",
        task_queue=app.settings.task_queue,
        execution_timeout=LASTS,
    )
    try:
        async with asyncio.timeout(app.settings.worker_patience_seconds):
            return await _outcome(app, errand.id)
    except TimeoutError:
        raise StillWorkingError(errand.operation, errand.id) from None


async def _outcome(app: App, errand_id: str) -> ErrandOutcome:
    while True:
        async with app.ledger.transaction() as session:
            if outcome := await errands.find(session, errand_id):
                return outcome
        await asyncio.sleep(LOOKS_EVERY.total_seconds())


def _as_error(refusal: ErrandRefusal) -> EntraJitError:
    kind = next((kind for kind in _KINDS if kind.__name__ in refusal.kinds), RefusedError)
    return kind(refusal.explanation, advice=refusal.advice)


def packed(app: App, errand_id: str, kind: Any, value: Any) -> Any:
    """An argument as JSON; one with secrets in it is sealed to the workers, for this errand alone."""
    if not _holds_secrets(kind):
        return TypeAdapter(kind).dump_python(value, mode="json")
    sealed = seal(app.keyring, Purpose.TENANT_CREDENTIAL, SecretStr(json.dumps(_revealed(value))), _owner(errand_id))
    return {"key_id": sealed.key_id, "ciphertext": sealed.ciphertext.hex()}


def unpacked(app: App, errand_id: str, kind: Any, value: Any) -> Any:
    """The argument again. Raises ``SealBrokenError``, or ``ValueError`` for what no argument of the kind can be."""
    if not _holds_secrets(kind):
        return TypeAdapter(kind).validate_python(value)
    sealed = Sealed(value["key_id"], bytes.fromhex(value["ciphertext"]))
    opened = unseal(app.keyring, Purpose.TENANT_CREDENTIAL, sealed, _owner(errand_id))
    return TypeAdapter(kind).validate_json(opened.get_secret_value())


def _holds_secrets(kind: Any) -> bool:
    return kind in (SecretStr, Confidential) or any(_holds_secrets(part) for part in get_args(kind))


def _revealed(value: Any) -> Any:
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    return {key: _revealed(one) for key, one in value.items()} if isinstance(value, dict) else value


def _owner(errand_id: str) -> str:
    return f"errand {errand_id}"
