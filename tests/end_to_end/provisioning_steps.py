"""The steps that open access, each by the one call that a test makes go wrong."""

from __future__ import annotations

STEPS: dict[str, dict[str, object]] = {
    "read the organization": {"method": "GET", "path": "/organization"},
    "read the domain": {"method": "GET", "path": "/domains/*"},
    "read the account": {"method": "GET", "path": "/users/*"},
    "create the account": {"method": "POST", "path": "/users"},
    "assign the directory role": {"method": "POST", "path": "/roleManagement/directory/roleAssignments"},
    "read directory roles": {"method": "GET", "path": "/roleManagement/directory/roleAssignments"},
    "list the account's sign-in methods": {"method": "GET", "path": "/users/*/authentication/methods"},
    "read the Temporary Access Pass policy": {"method": "GET", "path": "/policies/**"},
    "create a Temporary Access Pass": {"method": "POST", "path": "/users/*/authentication/*"},
    "set the account's password": {"method": "PATCH", "path": "/users/*", "body_contains": '"passwordProfile"'},
    "enable the account": {"method": "PATCH", "path": "/users/*", "body_contains": '"accountEnabled":true'},
}
"""By what was being attempted, in the words that an operator reads."""

NEEDS = {
    "read the organization": "Organization.Read.All",
    "read the domain": "Domain.Read.All",
    "read the account": "User.ReadWrite.All",
    "create the account": "User.ReadWrite.All",
    "assign the directory role": "RoleManagement.ReadWrite.Directory",
    "read directory roles": "RoleManagement.ReadWrite.Directory",
    "list the account's sign-in methods": "UserAuthenticationMethod.ReadWrite.All",
    "read the Temporary Access Pass policy": "Policy.Read.AuthenticationMethod",
    "create a Temporary Access Pass": "UserAuthenticationMethod.ReadWrite.All",
    "set the account's password": "Privileged Authentication Administrator",
    "enable the account": "Privileged Authentication Administrator",
}
"""What the operator must be told to grant."""
