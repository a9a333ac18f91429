"""What may be done in a tenant, and what our app must hold to do it, after Graph's permission reference."""

from __future__ import annotations

from dataclasses import dataclass

from entra_jit.graph.errors import Needs

ANY_ADMINISTRATOR = "Privileged Authentication Administrator"
"""The only role besides Global Administrator that may close an account which holds administrator roles."""


@dataclass(frozen=True, slots=True)
class Operation:
    """An intention towards the directory; it names itself in errors and knows what it needs."""

    purpose: str
    """Continues "could not …"."""
    needs: Needs
    timeout: float | None = None
    """Seconds that it may take; None: as long as any call."""


def _operation(purpose: str, *permissions: str, role: str | None = None, timeout: float | None = None) -> Operation:
    return Operation(purpose, Needs(permissions, role), timeout)


READ_ORGANIZATION = _operation("read the organization", "Organization.Read.All")
READ_LICENCES = _operation("read the licences", "Organization.Read.All")
READ_DOMAIN = _operation("read the domain", "Domain.Read.All")
LIST_DOMAINS = _operation("list the domains", "Domain.Read.All")

READ_USER = _operation("read the account", "User.ReadWrite.All")
LIST_USERS = _operation("list accounts", "User.ReadWrite.All")
CREATE_USER = _operation("create the account", "User.ReadWrite.All")
ENABLE_USER = _operation("enable the account", "User.ReadWrite.All", role=ANY_ADMINISTRATOR)
DISABLE_USER = _operation(
    "disable the account", "User.EnableDisableAccount.All", "User.ReadWrite.All", role=ANY_ADMINISTRATOR
)
SET_PASSWORD = _operation("set the account's password", "User-PasswordProfile.ReadWrite.All", role=ANY_ADMINISTRATOR)
SET_ATTRIBUTES = _operation("mark the account", "User.ReadWrite.All")
REVOKE_SESSIONS = _operation("revoke the account's sessions", "User.RevokeSessions.All", role=ANY_ADMINISTRATOR)
DELETE_USER = _operation("delete the account", "User.ReadWrite.All", role=ANY_ADMINISTRATOR)
READ_MEMBERSHIPS = _operation("read the account's memberships", "Directory.Read.All")
READ_DELETED = _operation("read a deleted account", "User.ReadWrite.All")

READ_GROUP = _operation("read the group", "GroupMember.ReadWrite.All")
CREATE_GROUP = _operation("create the group", "Group.Create")
ADD_MEMBER = _operation("add the account to the group", "GroupMember.ReadWrite.All")
# The second one is for groups that can hold roles.
REMOVE_MEMBER = _operation(
    "remove the account from the group", "GroupMember.ReadWrite.All", "RoleManagement.ReadWrite.Directory"
)

READ_ROLES = _operation("read directory roles", "RoleManagement.ReadWrite.Directory")
ASSIGN_ROLE = _operation("assign the directory role", "RoleManagement.ReadWrite.Directory")
READ_ELIGIBILITY = _operation("read what roles the account is eligible for", "RoleManagement.ReadWrite.Directory")
REMOVE_ELIGIBILITY = _operation("take the eligibility for a directory role", "RoleManagement.ReadWrite.Directory")
UNASSIGN_ROLE = _operation("remove the directory role", "RoleManagement.ReadWrite.Directory")

READ_PASS_POLICY = _operation("read the Temporary Access Pass policy", "Policy.Read.AuthenticationMethod")
CHANGE_PASS_POLICY = _operation("change the Temporary Access Pass policy", "Policy.ReadWrite.AuthenticationMethod")
READ_POLICIES = _operation("read the tenant's policies", "Policy.Read.All")
READ_PASSKEY_POLICY = _operation("read the passkey policy", "Policy.Read.AuthenticationMethod")
CHANGE_PASSKEY_POLICY = _operation("change the passkey policy", "Policy.ReadWrite.AuthenticationMethod")
CREATE_PASS = _operation("create a Temporary Access Pass", "UserAuthenticationMethod.ReadWrite.All")
READ_PASSKEY_OPTIONS = _operation(
    "read how a passkey is to be made", "UserAuthenticationMethod.ReadWrite.All", role=ANY_ADMINISTRATOR
)
REGISTER_PASSKEY = _operation("register a passkey", "UserAuthenticationMethod.ReadWrite.All", role=ANY_ADMINISTRATOR)
LIST_METHODS = _operation("list the account's sign-in methods", "UserAuthenticationMethod.ReadWrite.All")
DELETE_METHOD = _operation("delete the sign-in method", "UserAuthenticationMethod.ReadWrite.All")

READ_OWNED = _operation("read what the account owns", "Directory.Read.All")
READ_CONSENTS = _operation("read the account's consents", "Directory.Read.All")
READ_APPLICATION = _operation("read our own application", "Directory.Read.All")
READ_SIGN_INS = _operation("read the sign-in log", "AuditLog.Read.All", timeout=60)
# Filtered reads of the logs of a large tenant take minutes (msgraph-sdk-powershell#2941, #3146).
READ_AUDIT = _operation("read the audit log", "AuditLog.Read.All", timeout=300)
