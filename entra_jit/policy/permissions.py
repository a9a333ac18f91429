"""Which Graph permissions our applications need in a tenant: ``docs/real-tenant.md`` shows this table."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import StrEnum

from entra_jit.policy.configuration import CredentialChoice, PurposeName


class Need(StrEnum):
    """How much an application needs a permission."""

    ALWAYS = "always"
    FOR_PASSWORDS = "for passwords"
    FOR_PASSES = "for passes"
    FOR_GROUPS = "for groups"
    WANTED = "wanted"
    """Grants work without it; something that accompanies them does not."""
    OPTIONAL = "optional"


@dataclass(frozen=True, slots=True)
class Permission:
    """An application permission of Microsoft Graph. None: the application of that purpose does not need it."""

    name: str
    elevate: Need | None = None
    revoke: Need | None = None


TABLE = (
    Permission("Organization.Read.All", elevate=Need.ALWAYS),
    Permission("Domain.Read.All", elevate=Need.ALWAYS),
    Permission("User.ReadWrite.All", elevate=Need.ALWAYS, revoke=Need.ALWAYS),
    Permission("User.EnableDisableAccount.All", elevate=Need.ALWAYS, revoke=Need.ALWAYS),
    Permission("User-PasswordProfile.ReadWrite.All", elevate=Need.FOR_PASSWORDS, revoke=Need.ALWAYS),
    Permission("User.RevokeSessions.All", revoke=Need.ALWAYS),
    Permission("RoleManagement.ReadWrite.Directory", elevate=Need.ALWAYS, revoke=Need.ALWAYS),
    Permission("UserAuthenticationMethod.ReadWrite.All", elevate=Need.ALWAYS, revoke=Need.ALWAYS),
    Permission("Policy.Read.AuthenticationMethod", elevate=Need.FOR_PASSES),
    Permission("Directory.Read.All", elevate=Need.OPTIONAL, revoke=Need.ALWAYS),
    Permission("AuditLog.Read.All", revoke=Need.WANTED),
    Permission("GroupMember.ReadWrite.All", elevate=Need.FOR_GROUPS, revoke=Need.ALWAYS),
    Permission("Policy.Read.All", elevate=Need.WANTED),
    Permission("Policy.ReadWrite.AuthenticationMethod", elevate=Need.OPTIONAL),
    Permission("Group.Create", elevate=Need.OPTIONAL),
)


@dataclass(frozen=True, slots=True)
class Expected:
    """What one application should hold in a tenant."""

    needed: frozenset[str]
    wanted: frozenset[str]
    allowed: frozenset[str]
    """Everything that it may hold, the needed and the wanted included."""


def expected(purposes: Iterable[PurposeName], credential: CredentialChoice, *, gives_groups: bool) -> Expected:
    """What an application that serves ``purposes`` should hold, where accounts sign in with ``credential``."""
    in_force = {Need.ALWAYS}
    if credential != "temporary_access_pass":
        in_force.add(Need.FOR_PASSWORDS)
    if credential != "password":
        in_force.add(Need.FOR_PASSES)
    if gives_groups:
        in_force.add(Need.FOR_GROUPS)
    needs = [
        (permission.name, need) for permission in TABLE for each in set(purposes) if (need := _need(permission, each))
    ]
    needed = frozenset(name for name, need in needs if need in in_force)
    return Expected(
        needed,
        frozenset(name for name, need in needs if need is Need.WANTED) - needed,
        frozenset(name for name, _ in needs),
    )


def lacking(purposes: Iterable[PurposeName], held: Collection[str]) -> list[str]:
    """What an application of the MSP's own lacks, which serves every tenant whatever its settings are, by name.

    What only security groups need is left to the doctor, which knows whether a tenant gives any.
    """
    return sorted(expected(purposes, "auto", gives_groups=False).needed - set(held))


def _need(permission: Permission, purpose: PurposeName) -> Need | None:
    return permission.elevate if purpose == "elevate" else permission.revoke
