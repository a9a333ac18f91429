"""Who may do what: one table for the command line, the portal and the API. Every operation asks it first."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus

from models.actor import Actor, ActorKind, Via
from models.errors import RefusedError


class Verb(StrEnum):
    """What can be asked for. The values complete the sentence *kim may not ...*."""

    REQUEST_ACCESS = "request access"
    EXTEND_ACCESS = "extend access"
    END_ACCESS = "end access"
    CANCEL_ACCESS = "cancel access"
    REVEAL_CREDENTIAL = "see the credential"
    SHOW_STATUS = "see the status"
    SHOW_RECEIPT = "see the receipt"
    LIST_GRANTS = "list grants"
    LIST_HOLDS = "list holds"
    LIST_FAILURES = "list failures"
    LIST_ALARMS = "list alarms"
    CLEAR_ALARM = "clear an alarm"
    RETRY_PROVISIONING = "retry provisioning"
    REPLAY_PROVISIONING = "replay provisioning"
    ABANDON_ACCESS = "abandon a closing"
    PAUSE_TENANT = "pause provisioning"
    RESUME_TENANT = "resume provisioning"
    CLOSE_ALL = "stop access"
    LIFT_STOP = "lift a stop"
    RECONCILE = "reconcile"
    REGISTER_ACCOUNTS = "register accounts"
    APPLY_CONFIGURATION = "apply a configuration"
    CHECK_UPGRADE = "check an upgrade"


@dataclass(frozen=True)
class Subject:
    """What is acted upon, as the actor named it. All None: the whole deployment."""

    request_id: str | None = None
    tenant: str | None = None
    technician: str | None = None

    def __str__(self) -> str:
        """``grant 4f2a``, ``alex in contoso``, or ``the deployment``."""
        if self.request_id is not None:
            return f"grant {self.request_id}"
        return " in ".join(name for name in (self.technician, self.tenant) if name) or "the deployment"


DEPLOYMENT = Subject()


@dataclass(frozen=True)
class Row:
    """What actors of one kind may do, by one way of asking."""

    kind: ActorKind
    via: Via
    verbs: frozenset[Verb]


TABLE = (
    # An operator holds the deployment's keys, so a refusal here would protect nothing.
    Row(ActorKind.OPERATOR, Via.COMMAND_LINE, frozenset(Verb)),
    # The system narrows access and looks. It never asks for any.
    Row(
        ActorKind.SYSTEM,
        Via.INTERNAL,
        frozenset({Verb.END_ACCESS, Verb.RECONCILE, Verb.SHOW_STATUS, Verb.LIST_ALARMS, Verb.LIST_HOLDS}),
    ),
)
"""What is not in a row is refused. Roles of people who sign in to the portal become rows here."""


class NotAllowedError(RefusedError):
    """The actor may not do it. Nothing was read or changed."""

    http_status = HTTPStatus.FORBIDDEN

    def __init__(self, actor: Actor, verb: Verb, subject: Subject) -> None:
        super().__init__(f"{actor.name} ({actor.kind}, {actor.via}) may not {verb}: {subject}.")
        self.actor = actor
        self.verb = verb


def authorize(actor: Actor, verb: Verb, subject: Subject = DEPLOYMENT) -> None:
    """Return if ``actor`` may do ``verb`` to ``subject``. Pure: reads and changes nothing. Raises ``NotAllowedError``.

    The actor's kind, id and way of asking decide, never its name. The caller has authenticated the actor.
    """
    if not any(verb in row.verbs and (row.kind, row.via) == (actor.kind, actor.via) for row in TABLE):
        raise NotAllowedError(actor, verb, subject)
