"""Every call of a grant that a test may want to go wrong, as the sandbox's faults select it."""

from __future__ import annotations

READS_BEFORE_WRITING = {
    "read the domain": {"method": "GET", "path": "/domains/*"},
    "look for the account": {"method": "GET", "path": "/users/*"},
}

OPENING_WRITES = {
    "create the account": {"method": "POST", "path": "/users"},
    "assign a role": {"method": "POST", "path": "/roleManagement/directory/roleAssignments"},
    "make the pass": {"method": "POST", "path": "/users/*/authentication/temporaryAccessPassMethods"},
    "set the password": {
        "method": "PATCH",
        "path": "/users/*",
        "body_contains": '"forceChangePasswordNextSignIn":false',
    },
    "enable": {"method": "PATCH", "path": "/users/*", "body_contains": '"accountEnabled":true'},
}

_DISABLE = {"method": "PATCH", "path": "/users/*", "body_contains": '"accountEnabled":false'}

TRYING_TO_CLOSE: dict[str, object] = {**_DISABLE, "count": 1}
"""What admits an opening. The closing makes the same call."""

FIRST_IS_A_TRIAL: dict[str, object] = {"skip": 1}
"""For a fault of the disabling that is ordered before the account is opened."""

CLOSING_WRITES = {
    "disable": _DISABLE,
    "scramble the password": {
        "method": "PATCH",
        "path": "/users/*",
        "body_contains": '"forceChangePasswordNextSignIn":true',
    },
    "revoke the sessions": {"method": "POST", "path": "/users/*/revokeSignInSessions"},
    "delete the pass": {"method": "DELETE", "path": "/users/*/authentication/temporaryAccessPassMethods/*"},
    "remove a role": {"method": "DELETE", "path": "/roleManagement/directory/roleAssignments/*"},
    "clear the mark": {"method": "PATCH", "path": "/users/*", "body_contains": '"extensionAttribute15":null'},
}

CLOSING_CALLS: dict[str, dict[str, object]] = {
    "disable": {"method": "PATCH", "path": "/users/*", "body_contains": '"accountEnabled":false'},
    "password": {"method": "PATCH", "path": "/users/*", "body_contains": '"passwordProfile"'},
    "sessions": {"method": "POST", "path": "/users/*/revokeSignInSessions"},
    "methods listed": {"method": "GET", "path": "/users/*/authentication/methods"},
    "methods deleted": {"method": "DELETE", "path": "/users/*/authentication/**"},
    "roles listed": {"method": "GET", "path": "/roleManagement/directory/roleAssignments"},
    "roles deleted": {"method": "DELETE", "path": "/roleManagement/directory/roleAssignments/*"},
    "memberships": {"method": "GET", "path": "/users/*/memberOf"},
    "account read": {"method": "GET", "path": "/users/*"},
    "mark cleared": {"method": "PATCH", "path": "/users/*", "body_contains": '"extensionAttribute15":null'},
}
"""Everything that a closing asks, its reads as well."""
