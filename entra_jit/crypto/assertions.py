"""Who says so: the assertion that travels with every message which opens or widens access.

A writer to the Temporal namespace can send any signal. Without the deployment's key they cannot make one
that opens anything: the assertion signs the whole message, the actor and the time. The portal's process has a key of
its own, with which it can speak for people who came there, and for no other kind of actor.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from http import HTTPStatus

from entra_jit.crypto.keyring import Keyring, Purpose
from models.actor import Actor, ActorKind, Via
from models.errors import RefusedError
from models.message import Message
from models.messages import Assertion

LIFETIME = timedelta(hours=1)
"""How long after it was made an assertion counts as new.

It bounds the time until the message is heard for the first time. From then on the ledger has it, and what may still be
decided or opened is policy's to say.
"""

CLOCK_SKEW = timedelta(minutes=5)


class ForgedAssertionError(RefusedError):
    """The message was not signed by this deployment, was changed since, or is too old."""

    http_status = HTTPStatus.FORBIDDEN


class StaleAssertionError(ForgedAssertionError):
    """This deployment signed the message, but too long ago to hear it now for the first time."""


def assert_actor(keyring: Keyring, actor: Actor, message: Message, at: datetime) -> Assertion:
    """Sign ``message`` in the name of ``actor``. The caller has authenticated the actor; this proves the caller."""
    unsigned = Assertion(actor=actor, issued_at=at, key_id=keyring.active_id, signature="")
    # Signed as it will be read: a message's text loses the spaces around it.
    signature = keyring.sign(_purpose(actor), _content(unsigned.actor, message, at))
    return unsigned.model_copy(update={"signature": signature})


def is_ours(keyring: Keyring, assertion: Assertion, message: Message) -> bool:
    """Whether this deployment signed ``message`` for this actor, however long ago."""
    content = _content(assertion.actor, message, assertion.issued_at)
    return keyring.verify(assertion.key_id, _purpose(assertion.actor), content, assertion.signature)


def verify_actor(keyring: Keyring, assertion: Assertion, message: Message, at: datetime) -> Actor:
    """The actor who sent ``message``; raises ``ForgedAssertionError`` where the signature does not prove it.

    A genuine one that is too old raises ``StaleAssertionError``, which is a ``ForgedAssertionError``.
    """
    if not is_ours(keyring, assertion, message):
        raise ForgedAssertionError("the message does not carry a valid signature of this deployment")
    if not -CLOCK_SKEW <= at - assertion.issued_at <= LIFETIME:
        raise StaleAssertionError(f"the message was signed at {assertion.issued_at:%Y-%m-%d %H:%MZ}, too long ago")
    return assertion.actor


def _purpose(actor: Actor) -> Purpose:
    # Those who follow an invitation are unknown there: the table lets them connect a tenant, and nothing else.
    at_the_portal = actor.via is Via.PORTAL and actor.kind in {ActorKind.PERSON, ActorKind.UNKNOWN}
    return Purpose.PORTAL_ASSERTION if at_the_portal else Purpose.ASSERTION


def _content(actor: Actor, message: Message, at: datetime) -> str:
    signed = (
        type(message).__name__,
        actor.model_dump_json(exclude_defaults=True),
        at.isoformat(),
        message.model_dump_json(exclude_defaults=True),
    )
    return "\n".join(signed)
