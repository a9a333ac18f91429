"""Microsoft Graph, as far as granting and closing access needs it.

``Graph`` is the door, ``Connection`` the key to one tenant, ``Tenant`` what can be done there::

    async with Graph() as graph:
        tenant = graph.tenant(connection)
        user = await tenant.users.find("msp-alex@contoso.onmicrosoft.com")

Every call is tried once and ends in an answer with its evidence, or in one of five errors.
"""

from graph.access_passes import AccessPass, AccessPassPolicy
from graph.addresses import NotAnAddress
from graph.answers import Listing
from graph.applications import ApplicationObject
from graph.audit_logs import AuditEntry, AuditTarget
from graph.connection import ClientCertificate, ClientSecret, Connection, Credential, FederatedAssertion
from graph.deleted_items import DeletedUser
from graph.domains import Domain
from graph.errors import AlreadySo, Broken, GraphError, MasteredElsewhere, Needs, NotYetVisible, Refused, TryLater
from graph.granted import Granted
from graph.graph import Graph, Tenant
from graph.organization import Organization
from graph.patience import Patience
from graph.possessions import Consent, OwnedObject
from graph.roles import Eligibility, RoleAssignment, RoleDefinition, RoleHolder, assignment_id
from graph.sign_in import SIGN_IN
from graph.sign_in_methods import SignInMethod
from graph.standby import StandbyWatch
from graph.users import CreatedUser, Memberships, NewUser, User

__all__ = [
    "SIGN_IN",
    "AccessPass",
    "AccessPassPolicy",
    "AlreadySo",
    "ApplicationObject",
    "AuditEntry",
    "AuditTarget",
    "Broken",
    "ClientCertificate",
    "ClientSecret",
    "Connection",
    "Consent",
    "CreatedUser",
    "Credential",
    "DeletedUser",
    "Domain",
    "Eligibility",
    "FederatedAssertion",
    "Granted",
    "Graph",
    "GraphError",
    "Listing",
    "MasteredElsewhere",
    "Memberships",
    "Needs",
    "NewUser",
    "NotAnAddress",
    "NotYetVisible",
    "Organization",
    "OwnedObject",
    "Patience",
    "Refused",
    "RoleAssignment",
    "RoleDefinition",
    "RoleHolder",
    "SignInMethod",
    "StandbyWatch",
    "Tenant",
    "TryLater",
    "User",
    "assignment_id",
]
