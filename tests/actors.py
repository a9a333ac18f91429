"""Who asks for things in tests."""

from __future__ import annotations

from models.actor import Actor, ActorKind, Via


def operator(name: str) -> Actor:
    """An operator at the command line of some machine."""
    return Actor(kind=ActorKind.OPERATOR, id=f"{name}@tests", name=name, via=Via.COMMAND_LINE)


TESTER = operator("tests")
