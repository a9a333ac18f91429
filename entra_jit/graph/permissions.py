"""Which permissions of Graph our applications need in a tenant: the list of docs/real-tenant.md."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal

_Purpose = Literal["elevate", "revoke"]

_BOTH = (
    "User.ReadWrite.All",
    "User.EnableDisableAccount.All",
    "User-PasswordProfile.ReadWrite.All",
    "RoleManagement.ReadWrite.Directory",
    "UserAuthenticationMethod.ReadWrite.All",
)

EXPECTED: Mapping[_Purpose, tuple[str, ...]] = {
    "elevate": (*_BOTH, "Organization.Read.All", "Domain.Read.All", "Policy.Read.AuthenticationMethod"),
    "revoke": (*_BOTH, "User.RevokeSessions.All", "Directory.Read.All", "GroupMember.ReadWrite.All"),
}
"""What a connection must have. Optional ones (``AuditLog.Read.All``) are missed by what uses them."""

_INSTEAD: Mapping[str, frozenset[str]] = {
    "Directory.Read.All": frozenset({"Application.Read.All", "DelegatedPermissionGrant.Read.All"}),
}
"""Narrower ones that together do as well."""


def missing(purpose: _Purpose, held: Iterable[str]) -> list[str]:
    """What an application that is expected to have all of ``purpose`` lacks, in the order of the list."""
    has = frozenset(held)
    return [one for one in EXPECTED[purpose] if one not in has and not _is_replaced(one, has)]


def _is_replaced(permission: str, held: frozenset[str]) -> bool:
    return permission in _INSTEAD and held >= _INSTEAD[permission]
