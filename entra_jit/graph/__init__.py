"""Microsoft Graph, as far as granting and closing access needs it.

``Graph`` is the door, ``Connection`` the key to one tenant, ``Tenant`` what can be done there::

    async with Graph() as graph:
        tenant = graph.tenant(connection)
        user = await tenant.users.find("msp-alex@contoso.onmicrosoft.com")

Every call is tried once and ends in an answer with its evidence, or in one of five errors.
"""

from entra_jit.graph.access_passes import AccessPass, AccessPassPolicy
from entra_jit.graph.addresses import InvalidAddressError
from entra_jit.graph.answers import Listing
from entra_jit.graph.applications import ApplicationObject, Applications
from entra_jit.graph.audit_logs import AuditEntry, AuditListing, AuditTarget, UnreadablePart
from entra_jit.graph.authority import Authority
from entra_jit.graph.calls import Heard
from entra_jit.graph.catalogue import LONGEST_WAIT
from entra_jit.graph.connection import ClientCertificate, ClientSecret, Connection, Credential, FederatedAssertion
from entra_jit.graph.deleted_items import DeletedUser
from entra_jit.graph.domains import Domain
from entra_jit.graph.errors import (
    ConflictError,
    DefaultMethodError,
    GraphError,
    LostPageError,
    MasteredElsewhereError,
    Needs,
    NotYetVisibleError,
    PassNotAllowedError,
    PermanentError,
    TransientError,
    UnexpectedResponseError,
)
from entra_jit.graph.granted import Granted
from entra_jit.graph.graph import Graph, Tenant
from entra_jit.graph.groups import Group, GroupRead
from entra_jit.graph.organization import Organization
from entra_jit.graph.owned_objects import Consent, OwnedObject
from entra_jit.graph.passkeys import PublicKeyOptions
from entra_jit.graph.person_sign_in import about_of, nonce_about, nonce_of
from entra_jit.graph.public_sign_in import BegunSignIn, PublicSignIn, SignInRefusedError, SignInUnreachableError
from entra_jit.graph.retry_budget import RetryBudget
from entra_jit.graph.roles import Eligibility, RoleAssignment, RoleDefinition, RoleHolder, assignment_id
from entra_jit.graph.sign_in import SIGN_IN
from entra_jit.graph.sign_in_methods import SignInMethod
from entra_jit.graph.standby import StandbyWatch
from entra_jit.graph.users import CreatedUser, Memberships, NewUser, User

__all__ = [
    "LONGEST_WAIT",
    "SIGN_IN",
    "AccessPass",
    "AccessPassPolicy",
    "ApplicationObject",
    "Applications",
    "AuditEntry",
    "AuditListing",
    "AuditTarget",
    "Authority",
    "BegunSignIn",
    "ClientCertificate",
    "ClientSecret",
    "ConflictError",
    "Connection",
    "Consent",
    "CreatedUser",
    "Credential",
    "DefaultMethodError",
    "DeletedUser",
    "Domain",
    "Eligibility",
    "FederatedAssertion",
    "Granted",
    "Graph",
    "GraphError",
    "Group",
    "GroupRead",
    "Heard",
    "InvalidAddressError",
    "Listing",
    "LostPageError",
    "MasteredElsewhereError",
    "Memberships",
    "Needs",
    "NewUser",
    "NotYetVisibleError",
    "Organization",
    "OwnedObject",
    "PassNotAllowedError",
    "PermanentError",
    "PublicKeyOptions",
    "PublicSignIn",
    "RetryBudget",
    "RoleAssignment",
    "RoleDefinition",
    "RoleHolder",
    "SignInMethod",
    "SignInRefusedError",
    "SignInUnreachableError",
    "StandbyWatch",
    "Tenant",
    "TransientError",
    "UnexpectedResponseError",
    "UnreadablePart",
    "User",
    "about_of",
    "assignment_id",
    "nonce_about",
    "nonce_of",
]
