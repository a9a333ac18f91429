"""Who asks for things in tests."""

from __future__ import annotations

from uuid import NAMESPACE_DNS, uuid5

from models.actor import Actor, ActorKind, Role, Via


def operator(name: str) -> Actor:
    """An operator at the command line of some machine."""
    return Actor(kind=ActorKind.OPERATOR, id=f"{name}@tests", name=name, via=Via.COMMAND_LINE)


def admin(name: str) -> Actor:
    """An admin who has signed in to the portal."""
    person_id = str(uuid5(NAMESPACE_DNS, name))
    return Actor(kind=ActorKind.PERSON, id=person_id, name=name, via=Via.PORTAL, roles=frozenset({Role.ADMIN}))


TESTER = operator("tests")
