"""Owners of applications and service principals: an owner can add a secret to it."""

from __future__ import annotations

from dataclasses import replace

from sandbox.exchange import Answer
from sandbox.graph import permissions
from sandbox.graph.applications import application
from sandbox.graph.call import Call
from sandbox.graph.directory_objects import objects, referenced, related_objects
from sandbox.graph.errors import reference_absent, reference_exists
from sandbox.graph.operations import Operations
from sandbox.graph.service_principals import own_principal, principal

operations = Operations()
_OF_PRINCIPAL = "/servicePrincipals/{principal}/owners"
_OF_APPLICATION = "/applications/{application}/owners"


@operations.get(_OF_PRINCIPAL, permissions.READ_APPLICATIONS)
def list_principal_owners(call: Call) -> Answer:
    return objects(call, principal(call).owners)


@operations.post(f"{_OF_PRINCIPAL}/$ref", permissions.WRITE_APPLICATIONS)
def add_principal_owner(call: Call) -> Answer:
    held = own_principal(call)
    call.tenant.service_principals.put(replace(held, owners=_with(call, held.owners, "ServicePrincipal")))
    return Answer(204)


@operations.delete(f"{_OF_PRINCIPAL}/{{owner}}/$ref", permissions.WRITE_APPLICATIONS)
def remove_principal_owner(call: Call) -> Answer:
    held = own_principal(call)
    call.tenant.service_principals.put(replace(held, owners=_without(call, held.owners)))
    return Answer(204)


@operations.get(_OF_APPLICATION, permissions.READ_APPLICATIONS)
def list_application_owners(call: Call) -> Answer:
    return objects(call, application(call).owners)


@operations.post(f"{_OF_APPLICATION}/$ref", permissions.WRITE_APPLICATIONS)
def add_application_owner(call: Call) -> Answer:
    held = application(call)
    call.applications.put(replace(held, owners=_with(call, held.owners, "Application")))
    return Answer(204)


@operations.delete(f"{_OF_APPLICATION}/{{owner}}/$ref", permissions.WRITE_APPLICATIONS)
def remove_application_owner(call: Call) -> Answer:
    held = application(call)
    call.applications.put(replace(held, owners=_without(call, held.owners)))
    return Answer(204)


def _with(call: Call, owners: frozenset[str], resource: str) -> frozenset[str]:
    owner = referenced(call, resource)
    if owner in owners:
        raise reference_exists("owners")
    return owners | {owner}


def _without(call: Call, owners: frozenset[str]) -> frozenset[str]:
    owner = call.args["owner"].lower()
    if owner not in owners:
        raise reference_absent("owners")
    return owners - {owner}


related_objects("ServicePrincipal", "owners", lambda _, held: held.owners)
related_objects("Application", "owners", lambda _, held: held.owners)
