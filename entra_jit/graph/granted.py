"""What our application may do in a tenant, as its own token says."""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass

from models.messages import ObjectId, TenantId

_IDS = ("oid", "tid", "appid")


@dataclass(frozen=True, slots=True)
class Granted:
    """Parsed from a token and *not* verified: good for noticing that something is missing, and for nothing else.

    A token says what was so when it was made, up to 90 minutes ago.
    """

    permissions: frozenset[str]
    """Application permissions by name: ``User.ReadWrite.All``."""
    directory_roles: frozenset[str]
    """Template ids of the directory roles of the service principal."""
    principal: ObjectId | None = None
    """The service principal itself."""
    tenant_id: TenantId | None = None
    """In which tenant it holds."""
    client_id: str | None = None
    """Of which application."""


def granted_by(token: str) -> Granted | None:
    """What the token grants; None for one that cannot be read, as Microsoft reserves the right to make them."""
    try:
        _, body, _ = token.split(".")
        claims = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
        oid, tid, appid = (claims[name] if isinstance(claims.get(name), str) else None for name in _IDS)
        return Granted(
            frozenset(claims.get("roles", ())),
            frozenset(claims.get("wids", ())),
            principal=ObjectId(oid) if oid else None,
            tenant_id=TenantId(tid) if tid else None,
            client_id=appid,
        )
    except (ValueError, binascii.Error, AttributeError, TypeError):
        return None
