"""Under which name: the managed account's user principal name, derived from the technician and never typed."""

from __future__ import annotations

import hashlib
import re
import unicodedata

from models.errors import BadInputError
from models.messages import TechnicianId

LOCAL_PART_LENGTH = 64
DOMAIN_LENGTH = 48
_SUFFIX_LENGTH = 6
_SUFFIXED = re.compile(rf"(^|-)[0-9a-f]{{{_SUFFIX_LENGTH}}}$")


def account_name(prefix: str, technician: str, technician_id: TechnicianId, domain: str) -> str:
    """``msp-alex@contoso.onmicrosoft.com`` for prefix ``msp-`` and technician ``alex``.

    Only ``a-z 0-9 -`` are used, a small part of what Entra permits. Where the technician's name had to be changed
    or cut to fit, or looks as if it had been, a suffix from the immutable id keeps two technicians from ever sharing
    an account.
    Raises ``BadInputError`` for a domain longer than Entra's 48 characters.
    """
    if not 1 <= len(domain) <= DOMAIN_LENGTH:
        raise BadInputError(f"the domain {domain!r} must have 1 to {DOMAIN_LENGTH} characters")
    wanted = f"{prefix}{technician}"
    local = _plain(wanted)
    if local != wanted or len(local) > LOCAL_PART_LENGTH or _SUFFIXED.search(local):
        suffix = hashlib.sha256(technician_id.lower().encode()).hexdigest()[:_SUFFIX_LENGTH]
        kept = local[: LOCAL_PART_LENGTH - _SUFFIX_LENGTH - 1].rstrip("-")
        local = f"{kept}-{suffix}" if kept else suffix
    return f"{local}@{domain.lower()}"


def _plain(text: str) -> str:
    ascii_only = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", ascii_only).strip("-")
