"""What may stand in a Graph address: ids and names are checked and escaped here, and nowhere else."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import quote, urlencode, urlsplit

from models.errors import InternalError

_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_OPAQUE = re.compile(r"[A-Za-z0-9_=+.-]{1,400}")
_DOMAIN = re.compile(r"[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})*")
_USER_PRINCIPAL_NAME = re.compile(r"[A-Za-z0-9'._!#^~-]{1,64}@[A-Za-z0-9.-]{1,253}")


class InvalidAddressError(InternalError):
    """A value that cannot be what it is used as. The sentence says what was expected; the caller has a bug."""


def guid(value: str) -> str:
    """An object's id for a path, lower case.

    Graph takes anything else for a user principal name: a typo would not fail, it would look up another account.
    """
    if not _GUID.fullmatch(value):
        raise InvalidAddressError("an object's id must be a GUID")
    return value.lower()


def opaque(value: str) -> str:
    """An id that is not a GUID (role assignments, passkeys) for a path."""
    if not _OPAQUE.fullmatch(value) or not value.strip("."):
        raise InvalidAddressError("an id holds letters, digits and - _ = + . only")
    return quote(value, safe="")


def domain(value: str) -> str:
    """A domain's name for a path, lower case."""
    if not _DOMAIN.fullmatch(value):
        raise InvalidAddressError("a domain's name holds letters, digits, hyphens and dots only")
    return value.lower()


def user_principal_name(value: str) -> str:
    """A user principal name for a path; ``#`` and ``'`` are legal in it and must not end the path."""
    if not _USER_PRINCIPAL_NAME.fullmatch(value):
        raise InvalidAddressError(
            "a user principal name is name@domain, without accents, slashes or a leading dollar sign"
        )
    return quote(value, safe="@")


def literal(value: str) -> str:
    """A string for ``$filter``, quoted; ``'`` is doubled, or a name could rewrite the filter."""
    return "'" + value.replace("'", "''") + "'"


def query(options: Mapping[str, str]) -> str:
    """The query part of an address, empty if there are no options. Blanks are %20: Graph does not take +."""
    return "?" + urlencode(options, quote_via=quote, safe="$") if options else ""


def is_below(address: str, base: str) -> bool:
    """Whether ``address`` is one of Graph's own. Our token goes to no other, whatever a body says."""
    there, here = urlsplit(address), urlsplit(base)
    same_origin = (there.scheme, there.hostname, there.port) == (here.scheme, here.hostname, here.port)
    return same_origin and there.username is None and there.path.startswith(here.path.rstrip("/") + "/")


def scope(graph_url: str) -> str:
    """What to ask a token for: everything consented to on the Graph of this cloud."""
    host = urlsplit(graph_url).hostname or ""
    national = host.endswith((".microsoft.us", ".chinacloudapi.cn"))
    return f"https://{host if national else 'graph.microsoft.com'}/.default"
