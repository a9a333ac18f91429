"""Which app permissions allow which operation: any one of a set is enough (facts 2.1)."""

from __future__ import annotations

READ_ORGANIZATION = frozenset(
    {
        "Organization.Read.All",
        "Organization.ReadWrite.All",
        "Directory.Read.All",
        "Directory.ReadWrite.All",
        "User.Read.All",
    }
)
READ_DOMAINS = frozenset({"Domain.Read.All", "Domain.ReadWrite.All", "Directory.Read.All"})
READ_USERS = frozenset({"User.Read.All", "User.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"})
CREATE_USERS = frozenset({"User.Create", "User.ReadWrite.All", "Directory.ReadWrite.All"})
UPDATE_USERS = frozenset({"User.ReadUpdate.All", "User.ReadWrite.All", "Directory.ReadWrite.All"})
ENABLE_USERS = frozenset({"User.EnableDisableAccount.All", "User.ReadWrite.All", "Directory.ReadWrite.All"})
SET_PASSWORDS = frozenset({"User-PasswordProfile.ReadWrite.All", "User.ReadWrite.All", "Directory.ReadWrite.All"})
PATCH_USERS = UPDATE_USERS | ENABLE_USERS | SET_PASSWORDS
DELETE_USERS = frozenset({"User.DeleteRestore.All", "User.ReadWrite.All"})
REVOKE_SESSIONS = frozenset({"User.RevokeSessions.All", "User.ReadWrite.All", "Directory.ReadWrite.All"})
READ_DELETED_USERS = READ_USERS | {"User.DeleteRestore.All"}

READ_ROLES = frozenset(
    {
        "RoleManagement.Read.Directory",
        "RoleManagement.ReadWrite.Directory",
        "RoleManagement.Read.All",
        "Directory.Read.All",
        "Directory.ReadWrite.All",
    }
)
WRITE_ROLES = frozenset({"RoleManagement.ReadWrite.Directory"})

READ_MEMBERSHIPS = frozenset(
    {
        "User.Read.All",
        "User.ReadWrite.All",
        "GroupMember.Read.All",
        "GroupMember.ReadWrite.All",
        "Group.Read.All",
        "Group.ReadWrite.All",
        "Directory.Read.All",
        "Directory.ReadWrite.All",
    }
)
WRITE_MEMBERSHIPS = frozenset({"GroupMember.ReadWrite.All", "Group.ReadWrite.All", "Directory.ReadWrite.All"})

READ_METHODS = frozenset({"UserAuthenticationMethod.Read.All", "UserAuthenticationMethod.ReadWrite.All"})
WRITE_METHODS = frozenset({"UserAuthenticationMethod.ReadWrite.All"})
READ_PASSES = READ_METHODS | {"UserAuthMethod-TAP.Read.All", "UserAuthMethod-TAP.ReadWrite.All"}
WRITE_PASSES = WRITE_METHODS | {"UserAuthMethod-TAP.ReadWrite.All"}
READ_METHOD_POLICY = frozenset(
    {"Policy.Read.AuthenticationMethod", "Policy.ReadWrite.AuthenticationMethod", "Policy.Read.All"}
)
READ_APPLICATIONS = frozenset(
    {"Application.Read.All", "Application.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"}
)
ANYONE = frozenset[str]()
"""For operations that check for themselves."""
