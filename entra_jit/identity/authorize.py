"""Who may do what: one table for the command line, the portal and the API. Every operation asks it first."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus

from models.actor import Actor, ActorKind, Role, Via
from models.errors import RefusedError
from models.messages import TechnicianId


class Verb(StrEnum):
    """What can be asked for. The values complete the sentence *kim may not ...*."""

    PREVIEW_ACCESS = "preview access"
    REQUEST_ACCESS = "request access"
    EXTEND_ACCESS = "extend access"
    END_ACCESS = "end access"
    CANCEL_ACCESS = "cancel access"
    REVEAL_CREDENTIAL = "see the credential"
    RENEW_CREDENTIAL = "renew the credential"
    SHOW_STATUS = "see the status"
    SHOW_RECEIPT = "see the receipt"
    LIST_CUSTOMERS = "list the customers of a technician"
    KEEP_FAVOURITES = "keep favourites"
    LIST_GRANTS = "list grants"
    LIST_RECEIPTS = "list receipts"
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
    EXAMINE_TENANT = "examine a tenant"
    REPAIR_TENANT = "repair a tenant"
    RUN_CANARY = "run a canary"
    LIST_EMERGENCY_ACCOUNTS = "list emergency accounts"
    ROTATE_EMERGENCY_ACCOUNT = "rotate an emergency account"
    DRILL_EMERGENCY_ACCOUNT = "try an emergency account"
    FORGET_EMERGENCY_ACCOUNT = "forget an emergency account"
    REVEAL_EMERGENCY_ACCOUNT = "see an emergency credential"
    MAKE_EMERGENCY_KIT = "make an emergency kit"
    CHECK_EMERGENCY_KIT = "check an emergency kit"
    REGISTER_ACCOUNTS = "register accounts"
    CONNECT_TENANT = "connect the tenant"
    ACCEPT_INVITATION = "accept an invitation"
    SHOW_CONNECTION = "see the connection"
    DISCONNECT_TENANT = "disconnect the tenant"
    PLAN_CONFIGURATION = "preview a configuration"
    APPLY_CONFIGURATION = "apply a configuration"
    EXPORT_CONFIGURATION = "export the configuration"
    EXPORT_REVOKER_FILE = "write the revoker's file"
    LIST_TENANTS = "list tenants"
    SHOW_TENANT = "see the tenant"
    READ_DOMAINS = "read the domains"
    AWAIT_WORKER = "ask what a worker has done"
    CHECK_UPGRADE = "check an upgrade"
    ERASE_TEXTS = "erase texts"
    LIST_SESSIONS = "list sessions"
    END_SESSIONS = "end sessions"
    LIST_SIGN_INS = "list waiting sign-ins"
    ACCEPT_SIGN_IN = "accept a sign-in"


@dataclass(frozen=True)
class Subject:
    """What is acted upon, as the actor named it. All None: the whole deployment."""

    request_id: str | None = None
    tenant: str | None = None
    technician: str | None = None
    technician_id: TechnicianId | None = None
    """Whose grant it is, by the ledger; None: that was not looked up."""

    def __str__(self) -> str:
        """``grant 4f2a``, ``alex in contoso``, or ``the deployment``."""
        if self.request_id is not None:
            return f"grant {self.request_id}"
        return " in ".join(name for name in (self.technician, self.tenant) if name) or "the deployment"


DEPLOYMENT = Subject()


@dataclass(frozen=True)
class Row:
    """What actors of one kind, with one role where they have any, may do by one way of asking."""

    kind: ActorKind
    via: Via
    verbs: frozenset[Verb]
    own: frozenset[Verb] = frozenset()
    """What they may do to what is their own alone: their grants, their sessions."""
    role: Role | None = None
    """None: whatever roles they have."""


LOOKS = frozenset(
    verb for verb in Verb if verb.name.startswith(("SHOW_", "LIST_", "CHECK_", "PLAN_", "EXPORT_", "PREVIEW_"))
)
"""Verbs that only look: asking for a receipt before there is one is no attempt at anything."""


TABLE = (
    # An operator holds the deployment's keys, so a refusal here would protect nothing.
    Row(ActorKind.OPERATOR, Via.COMMAND_LINE, frozenset(Verb)),
    # By a link that was made for them: it proves nothing, and what connects a tenant is proven otherwise.
    Row(ActorKind.UNKNOWN, Via.PORTAL, frozenset({Verb.ACCEPT_INVITATION, Verb.AWAIT_WORKER})),
    # The system narrows access and looks. It never asks for any, but for the canary's.
    Row(
        ActorKind.SYSTEM,
        Via.INTERNAL,
        frozenset(
            {
                Verb.END_ACCESS,
                Verb.RECONCILE,
                Verb.EXAMINE_TENANT,
                Verb.RUN_CANARY,
                Verb.SHOW_STATUS,
                Verb.LIST_ALARMS,
                Verb.LIST_HOLDS,
            }
        ),
    ),
    # Whose grant it is, is its technician: the ledger says so, and no role besides is asked for.
    Row(
        ActorKind.PERSON,
        Via.PORTAL,
        frozenset(),
        own=frozenset(
            {
                Verb.LIST_CUSTOMERS,
                Verb.KEEP_FAVOURITES,
                Verb.PREVIEW_ACCESS,
                Verb.REQUEST_ACCESS,
                Verb.EXTEND_ACCESS,
                Verb.END_ACCESS,
                Verb.CANCEL_ACCESS,
                Verb.REVEAL_CREDENTIAL,
                Verb.RENEW_CREDENTIAL,
                Verb.SHOW_STATUS,
                Verb.SHOW_RECEIPT,
                Verb.LIST_GRANTS,
                Verb.LIST_SESSIONS,
                Verb.END_SESSIONS,
            }
        ),
    ),
    # An admin opens nothing for others and sees no credential of theirs: both would be an account without an owner.
    Row(
        ActorKind.PERSON,
        Via.PORTAL,
        frozenset(Verb)
        - {Verb.REQUEST_ACCESS, Verb.EXTEND_ACCESS, Verb.REVEAL_CREDENTIAL, Verb.RENEW_CREDENTIAL, Verb.CHECK_UPGRADE}
        - {Verb.REVEAL_EMERGENCY_ACCOUNT, Verb.MAKE_EMERGENCY_KIT},
        role=Role.ADMIN,
    ),
    Row(ActorKind.PERSON, Via.PORTAL, LOOKS - {Verb.CHECK_UPGRADE, Verb.PLAN_CONFIGURATION}, role=Role.AUDITOR),
    # A worker takes this role from the person's own sign-in, and not from the portal.
    Row(
        ActorKind.PERSON,
        Via.PORTAL,
        frozenset({Verb.LIST_EMERGENCY_ACCOUNTS, Verb.REVEAL_EMERGENCY_ACCOUNT, Verb.AWAIT_WORKER}),
        role=Role.EMERGENCY,
    ),
)
"""What is not in a row is refused."""


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
    is_theirs = subject.technician_id is not None and subject.technician_id == actor.id
    if not any(verb in row.verbs or (verb in row.own and is_theirs) for row in _rows_of(actor)):
        raise NotAllowedError(actor, verb, subject)


def authorize_signed(actor: Actor, verb: Verb, subject: Subject) -> None:
    """A worker's own judgement of a signed message that opens or widens access: ``subject`` as the ledger knows it.

    The portal vouches for people, and can be broken into: people who ask there widen their own access alone, whatever
    roles the portal says that they have. Raises ``NotAllowedError``.
    """
    if (actor.kind, actor.via) != (ActorKind.PERSON, Via.PORTAL):
        authorize(actor, verb, subject)
    elif subject.technician_id is None or subject.technician_id != actor.id:
        raise NotAllowedError(actor, verb, subject)


def authorize_own(actor: Actor, verb: Verb, subject: Subject) -> None:
    """Return if ``actor`` may do ``verb`` to what is theirs, at least: before the ledger is asked whose ``subject`` is.

    It permits nothing. ``authorize`` does, once ``subject`` has its ``technician_id``. Raises ``NotAllowedError``.
    """
    if not any(verb in row.verbs | row.own for row in _rows_of(actor)):
        raise NotAllowedError(actor, verb, subject)


def may(actor: Actor, verb: Verb) -> bool:
    """Whether ``actor`` may do ``verb`` to whatever there is, without it being asked whose it is. Pure."""
    return any(verb in row.verbs for row in _rows_of(actor))


def _rows_of(actor: Actor) -> list[Row]:
    return [
        row
        for row in TABLE
        if (row.kind, row.via) == (actor.kind, actor.via) and (row.role is None or row.role in actor.roles)
    ]
