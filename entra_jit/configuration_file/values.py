"""The types of single values: each reads text, or says what is allowed."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import TypeVar
from uuid import UUID

from entra_jit.policy.configuration import EmergencyCount
from entra_jit.policy.emergency import LONGEST_ROTATION, SHORTEST_ROTATION
from entra_jit.policy.names import DOMAIN_LENGTH
from entra_jit.policy.roles import find_role
from models.errors import BadInputError, quoted
from models.plain_text import plain

Choice = TypeVar("Choice", bound=str)

LABEL_LENGTH = 256

_EMERGENCY_COUNTS: dict[str, EmergencyCount] = {"0": 0, "1": 1, "2": 2}

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_PREFIX = re.compile(r"[a-z0-9-]{0,20}")
_ATTRIBUTE = re.compile(r"[a-z][a-z0-9_]{0,62}")
_DOMAIN_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_DOMAIN = re.compile(rf"(?:{_DOMAIN_LABEL}\.)+(?=[A-Za-z]){_DOMAIN_LABEL}")


def read_label(text: str) -> str:
    """A text for people, on one line."""
    shown = plain(text)
    if shown != " ".join(text.split()):
        raise BadInputError(f"{quoted(text)} has characters that do not show; remove them")
    if len(shown) > LABEL_LENGTH:
        raise BadInputError(f"{quoted(text)} is too long; at most {LABEL_LENGTH} characters")
    return shown


def read_name(text: str) -> str:
    """What people type for a tenant, a technician or a group."""
    return _matching(_NAME, text, "a name; use up to 63 of a-z, 0-9 and -, and begin with a letter or digit")


def read_prefix(text: str) -> str:
    """The beginning of account names."""
    return _matching(_PREFIX, text, "a prefix; use up to 20 of a-z, 0-9 and -")


def read_attribute(text: str) -> str:
    """A technician's attribute."""
    return _matching(_ATTRIBUTE, text, "an attribute; use up to 63 of a-z, 0-9 and _, and begin with a letter")


def read_domain(text: str) -> str:
    """A domain name; an international one in its ASCII form (``xn--...``)."""
    allowed = f"a domain name; use up to {DOMAIN_LENGTH} characters, as in contoso.onmicrosoft.com or xn--bcher-kva.de"
    if len(text) > DOMAIN_LENGTH:
        raise BadInputError(f"{quoted(text)} is not {allowed}")
    return _matching(_DOMAIN, text, allowed)


def read_guid(text: str) -> UUID:
    """An id at Microsoft."""
    try:
        return UUID(text)
    except ValueError:
        raise BadInputError(f"{quoted(text)} is not a GUID, as in c0c0c0c0-2222-4222-8222-000000000002") from None


def read_path(text: str) -> Path:
    """A path, as it is written."""
    return Path(read_label(text))


def read_role(text: str) -> str:
    """A built-in directory role by its name, or any role by its id."""
    find_role(text)
    return text


def one_of(allowed: tuple[Choice, ...]) -> Callable[[str], Choice]:
    """The reader of a choice."""

    def read(text: str) -> Choice:
        for choice in allowed:
            if text == choice:
                return choice
        raise BadInputError(f"{quoted(text)} is not one of {', '.join(allowed)}")

    return read


def read_emergency_accounts(text: str) -> EmergencyCount:
    """How many emergency accounts a tenant has."""
    return _EMERGENCY_COUNTS[one_of(tuple(_EMERGENCY_COUNTS))(text)]


def read_rotation(text: str) -> timedelta:
    """After how many days a credential is rotated."""
    days = int(text) if text.isascii() and text.isdigit() and len(text) < 5 else 0
    if not SHORTEST_ROTATION <= timedelta(days=days) <= LONGEST_ROTATION:
        allowed = f"{SHORTEST_ROTATION.days} to {LONGEST_ROTATION.days}"
        raise BadInputError(f"{quoted(text)} is not a number of days from {allowed}")
    return timedelta(days=days)


def _matching(pattern: re.Pattern[str], text: str, allowed: str) -> str:
    if not pattern.fullmatch(text):
        raise BadInputError(f"{quoted(text)} is not {allowed}")
    return text
