"""Tenant: one customer's connection, terms, access and health; each change of it leads to the preview."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Form, Request
from pydantic import BaseModel, Field, ValidationError
from starlette.responses import RedirectResponse, Response

from entra_jit.app import App
from entra_jit.identity.authorize import Verb, authorize, may
from entra_jit.operations.disconnect_tenant import disconnect_tenant
from entra_jit.operations.examine_tenant import examine_tenant
from entra_jit.operations.plan_disconnection import plan_disconnection
from entra_jit.operations.repair_tenant import repair_tenant
from entra_jit.operations.run_canary import run_canary
from entra_jit.operations.show_connection import lacking_of
from entra_jit.operations.show_tenant import show_tenant
from entra_jit.policy.configuration import Configuration, ProofKind, TenantEntry
from entra_jit.policy.configuration_edits import (
    Registration,
    RemoveTenant,
    SetAccess,
    SetRegistration,
    describe_rule,
    tenant_of,
)
from entra_jit.policy.entitlement import ALL_TECHNICIANS, Group, Technician
from entra_jit.policy.membership import given_to
from entra_jit.web.addresses import given
from entra_jit.web.changes import Editing, RoleChoice, editing, to_preview
from entra_jit.web.rendering import page
from entra_jit.web.tenant_terms import CANARIES, CREDENTIALS, PROOFS, Terms, domains_of, terms_of
from entra_jit.web.visitors import FreshlySignedIn, SignedIn, TheApp, Visitor
from models.checks import CheckState
from models.connections import DisconnectionPlan
from models.errors import BadInputError, NotFoundError, RefusedError
from models.messages import TechnicianId

MARKS = {
    CheckState.OK: ("✓", "done", "good"),
    CheckState.UNKNOWN: ("?", "to-come", "not tried"),
    CheckState.WARNING: ("!", "warning", "a warning"),
    CheckState.FAILED: ("✗", "trouble", "failed"),
}
"""What stands before a finding: for the eye, for the colour, and for a screen reader."""

router = APIRouter()


@dataclass(frozen=True)
class GivenAccess:
    """What one group has in a tenant."""

    group: str
    here: tuple[tuple[str, bool], ...]
    """By mappings of this tenant: names, and whether each is a privileged role."""
    everywhere: tuple[tuple[str, bool], ...]
    """By mappings of every tenant."""
    members: int
    rules: tuple[str, ...]
    """Attributes that make members; those that are listed are not said."""


@router.get("/tenants/{tenant}")
async def one(request: Request, visitor: SignedIn, app: TheApp, tenant: str) -> Response:
    """Everything about it."""
    shown = await show_tenant(visitor.actor, app, tenant)
    now_is = await editing(visitor, app)
    entry = tenant_of(now_is.shown.configuration, shown.id)
    return await page(
        request,
        visitor,
        "tenant.html",
        shown=shown,
        entry=entry,
        now_is=now_is,
        lacking=lacking_of(shown.connection) if shown.connection else (),
        access=_access(now_is.shown.configuration, entry) if entry else [],
        credentials=CREDENTIALS,
        canaries=CANARIES,
        marks=MARKS,
        may_connect=may(visitor.actor, Verb.CONNECT_TENANT),
        may_examine=may(visitor.actor, Verb.EXAMINE_TENANT),
        may_disconnect=may(visitor.actor, Verb.DISCONNECT_TENANT),
        now=app.clock(),
    )


@router.get("/tenants/{tenant}/settings")
async def settings(request: Request, visitor: SignedIn, app: TheApp, tenant: str) -> Response:
    """The form of its terms. The domain is chosen from the tenant's own list."""
    now_is, entry = await _entry(visitor, app, tenant)
    domains, unread = await domains_of(visitor, app, entry.id)
    return await page(
        request,
        visitor,
        "tenant_settings.html",
        entry=entry,
        now_is=now_is,
        terms=terms_of(entry),
        domains=domains,
        unread=unread,
        credentials=CREDENTIALS,
        canaries=CANARIES,
    )


class ChangedTerms(Terms):
    """What the form of its terms sends."""

    version: int


@router.post("/tenants/{tenant}/settings")
async def set_terms(visitor: SignedIn, app: TheApp, tenant: str, form: Annotated[ChangedTerms, Form()]) -> Response:
    """To the preview."""
    _, entry = await _entry(visitor, app, tenant)
    return to_preview([form.edit(entry.id)], form.version, f"/tenants/{entry.id}")


@router.get("/tenants/{tenant}/access")
async def access(request: Request, visitor: SignedIn, app: TheApp, tenant: str, group: str = "") -> Response:
    """The form of what one group has there."""
    now_is, entry = await _entry(visitor, app, tenant)
    configuration = now_is.shown.configuration
    groups = [ALL_TECHNICIANS, *(one.name for one in configuration.groups)]
    chosen = group or ALL_TECHNICIANS
    if chosen not in groups:
        raise NotFoundError(f"There is no group {chosen}.")
    mapped = [one for one in configuration.role_mappings if (one.group, one.tenant) == (chosen, entry.name)]
    given = Given(
        version=now_is.shown.number,
        group=chosen,
        role=[role for one in mapped for role in one.roles],
        security_group=[name for one in mapped for name in one.security_groups],
    )
    return await _access_page(request, visitor, now_is, entry, given)


class Given(RoleChoice):
    """What the form of access sends."""

    version: int
    group: str
    security_group: list[str] = Field(default_factory=list)


@router.post("/tenants/{tenant}/access")
async def set_access(
    request: Request, visitor: SignedIn, app: TheApp, tenant: str, form: Annotated[Given, Form()]
) -> Response:
    """To the preview."""
    now_is, entry = await _entry(visitor, app, tenant)
    if form.finding:
        return await _access_page(request, visitor, now_is, entry, form)
    edit = SetAccess(
        group=form.group, tenant=entry.name, roles=tuple(form.role), security_groups=tuple(form.security_group)
    )
    return to_preview([edit], form.version, f"/tenants/{entry.name}")


@router.get("/tenants/{tenant}/registration")
async def registration(request: Request, visitor: SignedIn, app: TheApp, tenant: str) -> Response:
    """The form of an application of the customer's own. Secrets are entered at the preview, and shown nowhere."""
    now_is, entry = await _entry(visitor, app, tenant)
    return await page(request, visitor, "tenant_registration.html", entry=entry, now_is=now_is, proofs=PROOFS)


class Registered(BaseModel):
    """What the form of a registration sends; without a client id, the MSP's own applications are meant."""

    version: int
    client_id: str = ""
    proof: ProofKind = "certificate"
    token_file: str = ""
    revoke_client_id: str = ""
    revoke_proof: ProofKind = "certificate"
    revoke_token_file: str = ""

    def edit(self, entry: TenantEntry) -> SetRegistration:
        """The change that it asks for. Raises ``BadInputError``."""
        elevate = _registration(self.client_id, self.proof, self.token_file)
        revoke = _registration(self.revoke_client_id, self.revoke_proof, self.revoke_token_file)
        if revoke and not elevate:
            raise BadInputError("What closes cannot be registered without what opens.")
        return SetRegistration(id=entry.id, name=entry.name, elevate=elevate, revoke=revoke)


@router.post("/tenants/{tenant}/registration")
async def set_registration(
    visitor: SignedIn, app: TheApp, tenant: str, form: Annotated[Registered, Form()]
) -> Response:
    """To the preview, where the secret is entered."""
    _, entry = await _entry(visitor, app, tenant)
    return to_preview([form.edit(entry)], form.version, f"/tenants/{entry.name}")


@router.post("/tenants/{tenant}/doctor")
async def examine(visitor: SignedIn, app: TheApp, tenant: str) -> Response:
    """Have the doctor look again."""
    await examine_tenant(visitor.actor, app, [tenant])
    return RedirectResponse(f"/tenants/{tenant}", status_code=303)


@router.post("/tenants/{tenant}/canary")
async def canary(visitor: SignedIn, app: TheApp, tenant: str) -> Response:
    """Open, close and prove an account of the doctor's own."""
    request_id = await run_canary(visitor.actor, app, tenant)
    return RedirectResponse(f"/grants/{request_id}", status_code=303)


@router.get("/tenants/{tenant}/repairs")
async def repairs(request: Request, visitor: FreshlySignedIn, app: TheApp, tenant: str) -> Response:
    """What the doctor would change, exactly, before it does."""
    found = await repair_tenant(visitor.actor, app, tenant)
    return await page(request, visitor, "repairs.html", tenant=tenant, repairs=found, is_done=False)


@router.post("/tenants/{tenant}/repairs")
async def repair(
    request: Request, visitor: FreshlySignedIn, app: TheApp, tenant: str, change: Annotated[list[str], Form()]
) -> Response:
    """Change what was ticked."""
    found = await repair_tenant(visitor.actor, app, tenant, change)
    return await page(request, visitor, "repairs.html", tenant=tenant, repairs=found, is_done=True)


@router.post("/tenants/{tenant}/removal")
async def remove(visitor: SignedIn, app: TheApp, tenant: str, version: Annotated[int, Form()]) -> Response:
    """The first step of disconnecting: out of the configuration, which ends what is open. To the preview."""
    _, entry = await _entry(visitor, app, tenant)
    return to_preview([RemoveTenant(id=entry.id, name=entry.name)], version, f"/tenants/{entry.id}/disconnect")


@router.get("/tenants/{tenant}/disconnect")
async def sure(request: Request, visitor: FreshlySignedIn, app: TheApp, tenant: str) -> Response:
    """What disconnecting does, before it is done."""
    shown = await show_tenant(visitor.actor, app, tenant)
    authorize(visitor.actor, Verb.DISCONNECT_TENANT)
    now_is = await editing(visitor, app)
    plan, refused = None, None
    if not shown.is_active:
        try:
            plan = await plan_disconnection(visitor.actor, app, tenant)
        except RefusedError as error:  # grants that are not proven closed yet
            refused = str(error)
    return await page(
        request,
        visitor,
        "disconnect.html",
        shown=shown,
        now_is=now_is,
        plan=plan,
        agreed=plan.model_dump_json() if plan else "",
        refused=refused,
    )


@router.post("/tenants/{tenant}/disconnect")
async def disconnect(
    request: Request,
    visitor: FreshlySignedIn,
    app: TheApp,
    tenant: str,
    reason: Annotated[str, Form()],
    confirmation: Annotated[str, Form()],
    agreed: Annotated[str, Form()],
    force: Annotated[str, Form()] = "",
) -> Response:
    """Give up our rights there, and say what only the customer can still delete."""
    shown = await show_tenant(visitor.actor, app, tenant)
    authorize(visitor.actor, Verb.DISCONNECT_TENANT)
    if confirmation.strip() != shown.name:
        raise BadInputError(f"Type {shown.name} to confirm.")
    outcome = await disconnect_tenant(
        visitor.actor,
        app,
        tenant,
        reason,
        agreed=_agreed(agreed),
        forced=bool(force),
    )
    return await page(request, visitor, "disconnected.html", outcome=outcome)


async def _entry(visitor: Visitor, app: App, tenant: str) -> tuple[Editing, TenantEntry]:
    """The tenant in the configuration, for a person who may change it. Raises ``NotFoundError`` besides."""
    authorize(visitor.actor, Verb.APPLY_CONFIGURATION)
    shown = await show_tenant(visitor.actor, app, tenant)
    now_is = await editing(visitor, app)
    entry = tenant_of(now_is.shown.configuration, shown.id)
    if entry is None:
        raise NotFoundError(f"{shown.name} is not in the configuration.")
    return now_is, entry


async def _access_page(
    request: Request, visitor: Visitor, now_is: Editing, entry: TenantEntry, picked: Given
) -> Response:
    return await page(
        request,
        visitor,
        "tenant_access.html",
        entry=entry,
        now_is=now_is,
        groups=[ALL_TECHNICIANS, *(one.name for one in now_is.shown.configuration.groups)],
        picked=picked,
        everywhere=given_to(now_is.shown.configuration, picked.group, None),
        security_groups=[one.name for one in entry.security_groups],
    )


def _agreed(text: str) -> DisconnectionPlan:
    try:
        return DisconnectionPlan.model_validate_json(text)
    except ValidationError:
        raise BadInputError("What was agreed to cannot be read.") from None


def _registration(client_id: str, proof: ProofKind, token_file: str) -> Registration | None:
    if not client_id.strip():
        return None
    try:
        return Registration.model_validate(
            {"client_id": client_id.strip(), "proof": proof, "token_file": given(token_file)}
        )
    except ValueError:
        raise BadInputError("client_id: the application's id, a GUID") from None


def _access(configuration: Configuration, entry: TenantEntry) -> list[GivenAccess]:
    """What each group has there, the preset first; groups that have nothing there, too."""
    people = [Technician(TechnicianId(str(one.id)), one.attributes) for one in configuration.technicians]
    return [
        GivenAccess(
            group.name,
            here=given_to(configuration, group.name, entry.name),
            everywhere=given_to(configuration, group.name, None),
            members=sum(person in group for person in people),
            rules=tuple(map(describe_rule, group.rules)),
        )
        for group in (Group(ALL_TECHNICIANS), *configuration.technician_groups())
    ]
