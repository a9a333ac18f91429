"""Connections of tenants: the steps that make one, and what stands of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
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


@dataclass(frozen=True)
class BegunConnection:
    """Where to send the browser."""

    tenant_id: TenantId
    """As Microsoft resolves the domain: no answer of a browser changes it."""
    address: str
    expires_at: datetime


@dataclass(frozen=True)
class NextPage:
    """The connection goes on there, in the same browser."""

    address: str


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


class DisconnectionPlan(Message):
    """What disconnecting a tenant deletes there; it is asked about first."""

    tenant: str
    accounts: tuple[str, ...]
    emergency: tuple[str, ...] = ()
    """Emergency accounts. They stay as they are, enabled, and we forget what opens them."""


class Disconnection(Message):
    """What became of a tenant that was disconnected."""

    tenant_id: TenantId
    tenant: str
    reason: Sentence
    accounts_deleted: tuple[str, ...] = ()
    """Our accounts that were deleted, read back. An administrator can restore them for 30 days."""
    accounts_left: tuple[str, ...] = ()
    """Our accounts, disabled, for the customer to delete."""
    emergency_left: tuple[str, ...] = ()
    """Emergency accounts, enabled, for the customer to take over or delete. We hold no key to them any more."""
    applications_left: tuple[str, ...] = ()
    """Client ids of our applications, whose service principals only the customer can delete."""
    not_done: tuple[str, ...] = ()
    """What was not done, where it was forced; each a sentence."""
