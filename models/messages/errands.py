"""What the portal has a worker do: workers alone hold what signs in to customers' tenants."""

from __future__ import annotations

from typing import Any

from models.actor import Role
from models.message import Message
from models.messages.asking import Assertion


class Errand(Message):
    """One operation, to be carried out once."""

    id: str
    operation: str
    arguments: dict[str, Any]
    """By name, as JSON. What is secret is sealed to the workers' key."""
    roles: tuple[Role, ...] = ()
    """What the person is, by the sign-in at the portal: no journal keeps it, so that no actor carries it elsewhere."""


class SignedErrand(Message):
    """An errand, and who asks for it."""

    errand: Errand
    assertion: Assertion


class ErrandRefusal(Message):
    """Why it was not done: an error of ours, without what only its own process can use of it."""

    kinds: tuple[str, ...]
    """The names of the error's class and of its bases, the most special first."""
    explanation: str
    advice: str = ""


class ErrandOutcome(Message):
    """What came of it: one of the two."""

    result: Any = None
    refusal: ErrandRefusal | None = None
