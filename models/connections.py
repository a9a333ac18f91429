"""Connections of tenants: the steps that make one, and what stands of it."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from pydantic import AwareDatetime

from models.message import Message
from models.messages import ObjectId, Sentence, TenantId


class ConnectionStep(StrEnum):
    """Where the browser is sent, in this order."""

    CONSENT_TO_ELEVATE = "consent to elevate"
    CONSENT_TO_REVOKE = "consent to revoke"
    """Left out where one application does both."""
    SIGN_IN = "sign in"
    """Admin consent does not say who consented; a sign-in does."""


class ConnectedApplication(Message):
    """One of our applications in a tenant, as its own token says."""

    purpose: Literal["elevate", "revoke"]
    client_id: str
    principal: ObjectId
    """Its service principal there."""
    permissions: tuple[str, ...]


class TenantConnection(Message):
    """A tenant in which the MSP's own applications are authorized."""

    tenant_id: TenantId
    domain: str
    """The domain by which it was connected."""
    display_name: str
    applications: tuple[ConnectedApplication, ...]
    authorized_by: str
    """The person's name in the tenant; their role was read back."""
    authorized_at: AwareDatetime


class ShownConnection(Message):
    """A connection, and what this version needs besides."""

    connection: TenantConnection
    lacking: tuple[str, ...] = ()
    """Permissions that were not there when it was authorized: authorize again."""


class Disconnection(Message):
    """What became of a tenant that was disconnected."""

    tenant_id: TenantId
    tenant: str
    reason: Sentence
    accounts_left: tuple[str, ...] = ()
    """Our accounts, disabled, for the customer to delete."""
    applications_left: tuple[str, ...] = ()
    """Client ids of our applications, whose service principals only the customer can delete."""
    not_done: tuple[str, ...] = ()
    """What was not done, where it was forced; each a sentence."""
