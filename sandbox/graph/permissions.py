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
WRITE_LIFE_CYCLE = frozenset({"User-LifeCycleInfo.ReadWrite.All"})
READ_SECURITY_ATTRIBUTES = frozenset(
    {"CustomSecAttributeAssignment.Read.All", "CustomSecAttributeAssignment.ReadWrite.All"}
)
WRITE_SECURITY_ATTRIBUTES = frozenset({"CustomSecAttributeAssignment.ReadWrite.All"})
PATCH_USERS = UPDATE_USERS | ENABLE_USERS | SET_PASSWORDS | WRITE_LIFE_CYCLE | WRITE_SECURITY_ATTRIBUTES
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

WRITE_GROUPS = frozenset({"Group.ReadWrite.All", "Directory.ReadWrite.All"})
CREATE_GROUPS = WRITE_GROUPS | {"Group.Create"}
READ_UNITS = frozenset(
    {
        "AdministrativeUnit.Read.All",
        "AdministrativeUnit.ReadWrite.All",
        "Directory.Read.All",
        "Directory.ReadWrite.All",
    }
)
WRITE_UNITS = frozenset({"AdministrativeUnit.ReadWrite.All", "Directory.ReadWrite.All"})
READ_LICENCES = frozenset(
    {
        "LicenseAssignment.Read.All",
        "LicenseAssignment.ReadWrite.All",
        "Organization.Read.All",
        "Organization.ReadWrite.All",
        "Directory.Read.All",
        "Directory.ReadWrite.All",
    }
)
ASSIGN_LICENCES = frozenset({"LicenseAssignment.ReadWrite.All", "User.ReadWrite.All", "Directory.ReadWrite.All"})
READ_LOGS = frozenset({"AuditLog.Read.All"})
_READ_ROLE_MANAGEMENT = READ_ROLES - {"Directory.Read.All", "Directory.ReadWrite.All"}
READ_SCHEDULES = _READ_ROLE_MANAGEMENT | {
    "RoleAssignmentSchedule.Read.Directory",
    "RoleAssignmentSchedule.ReadWrite.Directory",
}
WRITE_SCHEDULES = WRITE_ROLES | {"RoleAssignmentSchedule.ReadWrite.Directory"}
REMOVE_SCHEDULES = WRITE_SCHEDULES | {"RoleAssignmentSchedule.Remove.Directory"}
READ_ELIGIBILITY = _READ_ROLE_MANAGEMENT | {
    "RoleEligibilitySchedule.Read.Directory",
    "RoleEligibilitySchedule.ReadWrite.Directory",
}
WRITE_ELIGIBILITY = WRITE_ROLES | {"RoleEligibilitySchedule.ReadWrite.Directory"}
READ_ROLE_POLICIES = READ_ROLES | {
    "RoleManagementPolicy.Read.Directory",
    "RoleManagementPolicy.ReadWrite.Directory",
    "Policy.Read.All",
}
READ_POLICIES = frozenset({"Policy.Read.All"})
WRITE_METHOD_POLICY = frozenset({"Policy.ReadWrite.AuthenticationMethod"})
READ_CONDITIONAL_ACCESS = frozenset(
    {"Policy.Read.All", "Policy.Read.ConditionalAccess", "Policy.ReadWrite.ConditionalAccess"}
)
WRITE_CONDITIONAL_ACCESS = frozenset({"Policy.ReadWrite.ConditionalAccess"})
READ_GRANTS = frozenset(
    {
        "DelegatedPermissionGrant.Read.All",
        "DelegatedPermissionGrant.ReadWrite.All",
        "Directory.Read.All",
        "Directory.ReadWrite.All",
    }
)
WRITE_GRANTS = frozenset({"DelegatedPermissionGrant.ReadWrite.All", "Directory.ReadWrite.All"})
READ_CUSTOMERS = frozenset({"DelegatedAdminRelationship.Read.All", "DelegatedAdminRelationship.ReadWrite.All"})
WRITE_APPLICATIONS = frozenset({"Application.ReadWrite.All", "Application.ReadWrite.OwnedBy"})
READ_USERS_APP_ROLES = frozenset({"AppRoleAssignment.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"})
GRANT_APP_ROLES = frozenset({"AppRoleAssignment.ReadWrite.All"})

READ_METHODS = frozenset({"UserAuthenticationMethod.Read.All", "UserAuthenticationMethod.ReadWrite.All"})
WRITE_METHODS = frozenset({"UserAuthenticationMethod.ReadWrite.All"})
READ_PASSES = READ_METHODS | {"UserAuthMethod-TAP.Read.All", "UserAuthMethod-TAP.ReadWrite.All"}
WRITE_PASSES = WRITE_METHODS | {"UserAuthMethod-TAP.ReadWrite.All"}
READ_PASSKEYS = READ_METHODS | {"UserAuthMethod-Passkey.Read.All", "UserAuthMethod-Passkey.ReadWrite.All"}
WRITE_PASSKEYS = WRITE_METHODS | {"UserAuthMethod-Passkey.ReadWrite.All"}
READ_METHOD_POLICY = frozenset(
    {"Policy.Read.AuthenticationMethod", "Policy.ReadWrite.AuthenticationMethod", "Policy.Read.All"}
)
READ_APPLICATIONS = frozenset(
    {"Application.Read.All", "Application.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"}
)
ANYONE = frozenset[str]()
"""For operations that check for themselves."""
