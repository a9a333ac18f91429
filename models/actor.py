"""Who asked for something: a person, an application, an operator at the command line, or the system itself."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, StringConstraints

from models.message import Message
from models.plain_text import ONE_LINE

LONGEST_NAME = 500


class ActorKind(StrEnum):
    """What an actor is, which says what its id is."""

    PERSON = "person"
    """Signed in with the MSP's Entra tenant. Its id is the object id there."""
    APPLICATION = "application"
    """Its id is the object id of its service principal in the MSP's tenant."""
    OPERATOR = "operator"
    """At the command line of a machine that holds the deployment's keys. Its id is ``user@host``."""
    SYSTEM = "system"
    """Part of entra-jit acting by itself. Its id is the part's name: ``reconciler``."""
    UNKNOWN = "unknown"
    """Sent a message that only narrows access, and proved nothing. Its name is what it claims; its id is empty."""


class Via(StrEnum):
    """By which way an actor asked."""

    COMMAND_LINE = "command line"
    PORTAL = "portal"
    API = "api"
    TEMPORAL = "temporal"
    INTERNAL = "internal"


class Role(StrEnum):
    """What a person is for the deployment. A person may have several; *admin* does not imply *technician*."""

    TECHNICIAN = "technician"
    """In the configuration. Asks for access, and acts on their own grants."""
    ADMIN = "admin"
    """Operates the deployment: sees and ends everything, configures. Sees no credential of others."""
    AUDITOR = "auditor"
    """Sees everything, and changes nothing."""
    EMERGENCY = "emergency"
    """May see what opens an emergency account. Admins are it where no group for it is set."""


class Actor(Message):
    """Who acts. Compared by kind and id alone: names are shown, and decide nothing."""

    kind: ActorKind
    id: str
    """Never changes and is never reused, unlike a name."""
    name: Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_NAME), ONE_LINE]
    """For people to read."""
    via: Via
    roles: frozenset[Role] = Field(default=frozenset(), exclude=True)
    """What a person who signed in is, by who signed them in. For ``authorize`` in this process: it is never written."""

    @classmethod
    def part(cls, part: str) -> Self:
        """A part of entra-jit: ``reconciler`` is shown as *the reconciler*."""
        return cls(kind=ActorKind.SYSTEM, id=part, name=f"the {part}", via=Via.INTERNAL)

    @classmethod
    def claimed(cls, name: str) -> Self:
        """The sender of an unsigned message through Temporal, who claims to be ``name``."""
        return cls(kind=ActorKind.UNKNOWN, id="", name=name, via=Via.TEMPORAL)

    def __str__(self) -> str:
        """The name, so that a sentence about an actor stays readable."""
        return self.name

    def is_same_as(self, other: Actor) -> bool:
        """Whether both are the same one, whatever they are called by now and wherever they asked.

        False for unknown ones: two claims of one name prove nothing.
        """
        return self.kind is not ActorKind.UNKNOWN and (self.kind, self.id) == (other.kind, other.id)


ALARMS = Actor.part("alarms")
CLOCK = Actor.part("clock")
CLOSER = Actor.part("closer")
CONFIGURATION = Actor.part("configuration")
DOCTOR = Actor.part("doctor")
EMERGENCY_ACCOUNTS = Actor.part("emergency accounts")
EMERGENCY_STOP = Actor.part("emergency stop")
LEDGER = Actor.part("ledger")
POLICY = Actor.part("policy")
PROVISIONING_WINDOW = Actor.part("provisioning window")
RECONCILER = Actor.part("reconciler")
REVIEW = Actor.part("review")
WORKFLOW = Actor.part("grant's workflow")
"""Acts for a grant, within what was decided."""

INVITED = Actor(kind=ActorKind.UNKNOWN, id="", name="an invited administrator", via=Via.PORTAL)
"""Follows a link that was made for them. What connects a tenant is proven otherwise."""

UNNAMED = Actor.claimed("a Temporal user")
"""The sender of a message without a name."""
