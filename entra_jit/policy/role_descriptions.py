"""What the roles that are mapped most are for, in our own words; Microsoft's reference has all of them."""

from __future__ import annotations

REFERENCE = "https://learn.microsoft.com/entra/identity/role-based-access-control/permissions-reference"

_DESCRIPTIONS = {
    "Application Administrator": "Registers and changes all applications, and gives most consents.",
    "Authentication Administrator": "Resets sign-in methods and passwords of people without administrator roles.",
    "Azure DevOps Administrator": "Manages Azure DevOps policies of the organization.",
    "Billing Administrator": "Buys, pays, and manages subscriptions and support tickets.",
    "Cloud Application Administrator": "Registers and changes applications, but not those on premises.",
    "Cloud Device Administrator": "Enables, disables and deletes devices; reads BitLocker keys.",
    "Compliance Administrator": "Manages compliance and data protection in Microsoft 365.",
    "Conditional Access Administrator": "Writes Conditional Access policies.",
    "Directory Readers": "Reads what every member of the tenant may read.",
    "Exchange Administrator": "Manages mailboxes, mail flow and all of Exchange Online.",
    "Global Administrator": "May do everything in the tenant, and give every role.",
    "Global Reader": "Reads everything that a Global Administrator can, and changes nothing.",
    "Groups Administrator": "Creates and manages groups and their settings.",
    "Guest Inviter": "Invites guests, whatever the tenant's setting says.",
    "Helpdesk Administrator": "Resets passwords of people without administrator roles, and ends their sessions.",
    "Hybrid Identity Administrator": "Manages synchronisation and federation with directories on premises.",
    "Intune Administrator": "Manages devices and applications in Intune.",
    "License Administrator": "Assigns and removes licences of people and groups.",
    "Message Center Reader": "Reads announcements of changes to services.",
    "Password Administrator": "Resets passwords of people without administrator roles.",
    "Privileged Authentication Administrator": "Resets sign-in methods and passwords of everyone, administrators too.",
    "Privileged Role Administrator": "Gives every role, and consents to every permission.",
    "Reports Reader": "Reads sign-in and usage reports.",
    "Security Administrator": "Manages security features, alerts and policies.",
    "Security Operator": "Investigates and answers security alerts.",
    "Security Reader": "Reads security reports, alerts and sign-in logs.",
    "Service Support Administrator": "Opens support tickets with Microsoft, and reads service health.",
    "SharePoint Administrator": "Manages SharePoint Online and OneDrive.",
    "Teams Administrator": "Manages Microsoft Teams.",
    "Teams Communications Support Engineer": "Troubleshoots calls in Teams with all their details.",
    "User Administrator": "Manages people and groups, and resets passwords of those with few roles.",
}

USED_MOST = frozenset(_DESCRIPTIONS)
"""Shown first where roles are chosen."""


def describe_role(name: str) -> str:
    """One sentence; empty for a role that is not described here."""
    return _DESCRIPTIONS.get(name, "")
