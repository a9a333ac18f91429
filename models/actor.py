"""Who asked for something: a person, an application, an operator at the command line, or the system itself."""

from __future__ import annotations

from enum import StrEnum

from models.message import Message


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


class Via(StrEnum):
    """By which way an actor asked."""

    COMMAND_LINE = "command line"
    PORTAL = "portal"
    API = "api"
    TEMPORAL = "temporal"
    INTERNAL = "internal"


class Actor(Message):
    """Who acts. Compared by kind and id alone: names are shown, and decide nothing."""

    kind: ActorKind
    id: str
    """Never changes and is never reused, unlike a name."""
    name: str
    """For people to read."""
    via: Via

    def is_same_as(self, other: Actor) -> bool:
        """Whether both are the same one, whatever they are called by now and wherever they asked."""
        return (self.kind, self.id) == (other.kind, other.id)
