"""Tenants: every customer with its connection and health; and Add customer."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID, uuid4

from fastapi import APIRouter, Form, Request
from starlette.responses import Response

from entra_jit.app import App
from entra_jit.identity.authorize import Verb, authorize
from entra_jit.identity.sessions import new_cookie
from entra_jit.operations.invite_administrator import invite_administrator
from entra_jit.operations.list_tenants import list_tenants
from entra_jit.policy.configuration import ProofKind
from entra_jit.policy.configuration_edits import Edit, Registration, SetAccess, SetRegistration
from entra_jit.policy.entitlement import ALL_TECHNICIANS
from entra_jit.policy.membership import given_to
from entra_jit.web.addresses import given, query
from entra_jit.web.changes import Editing, RoleChoice, editing, to_preview
from entra_jit.web.navigation import Link
from entra_jit.web.rendering import page
from entra_jit.web.tenant_terms import CANARIES, CREDENTIALS, PROOFS, Terms, domains_of, suggested_terms
from entra_jit.web.visitors import FreshlySignedIn, SignedIn, TheApp, Visitor
from models.actor import Role
from models.errors import BadInputError, NotFoundError

LINK = Link("/tenants", "Tenants", 50, frozenset({Role.ADMIN, Role.AUDITOR}))

router = APIRouter()


class NewTenant(Terms, RoleChoice):
    """The form of a new customer: its terms, and what all technicians have there."""

    version: int

    def edits(self, tenant_id: UUID) -> tuple[Edit, ...]:
        """The tenant, and the preset. Raises ``BadInputError``."""
        tenant = self.edit(tenant_id)
        if not self.role:
            return (tenant,)
        return (tenant, SetAccess(group=ALL_TECHNICIANS, tenant=tenant.name, roles=tuple(self.role)))


class NewRegistration(NewTenant):
    """The same for a customer who registered the application themselves."""

    tenant: str
    client_id: str
    proof: ProofKind = "certificate"
    token_file: str = ""


@router.get("/tenants")
async def tenants(request: Request, visitor: SignedIn, app: TheApp, q: str = "", after: str | None = None) -> Response:
    """By name. ``q``: words to search by."""
    found = await list_tenants(visitor.actor, app, search=q, after=after)
    following = found.found.following
    return await page(
        request,
        visitor,
        "tenants.html",
        tenants=found,
        q=q,
        following=following and query(q=q, after=following),
        is_first=after is None,
        now_is=await editing(visitor, app),
        now=app.clock(),
    )


@router.get("/add-customer")
async def add(request: Request, visitor: SignedIn, app: TheApp) -> Response:
    """How a customer is connected: here and now, by a link, or by an application of theirs."""
    authorize(visitor.actor, Verb.CONNECT_TENANT)
    found = await list_tenants(visitor.actor, app, limit=1)
    return await page(request, visitor, "add_customer.html", waiting=found.unconfigured)


@router.post("/add-customer/invitation")
async def invite(request: Request, visitor: FreshlySignedIn, app: TheApp, domain: Annotated[str, Form()]) -> Response:
    """The link for the customer's administrator. It is shown on this page alone: nothing keeps it."""
    token = new_cookie()
    invited = await invite_administrator(visitor.actor, app, domain.strip(), token)
    link = f"{app.settings.portal_url}/connect?invitation={token.get_secret_value()}"
    return await page(request, visitor, "invited.html", domain=domain.strip(), invited=invited, link=link)


@router.get("/add-customer/registration")
async def own_registration(request: Request, visitor: SignedIn, app: TheApp) -> Response:
    """The form for a customer who registered the application in their own tenant."""
    authorize(visitor.actor, Verb.APPLY_CONFIGURATION)
    now_is = await editing(visitor, app)
    terms = suggested_terms("", "", now_is.shown.configuration.defaults)
    filled = NewRegistration(version=now_is.shown.number, tenant="", client_id="", **terms.model_dump())
    return await _registration_page(request, visitor, now_is, filled)


@router.post("/add-customer/registration")
async def add_registered(
    request: Request, visitor: SignedIn, app: TheApp, form: Annotated[NewRegistration, Form()]
) -> Response:
    """To the preview, where the secret is entered."""
    authorize(visitor.actor, Verb.APPLY_CONFIGURATION)
    if form.finding:
        return await _registration_page(request, visitor, await editing(visitor, app), form)
    tenant_id = _guid(form.tenant, "tenant")
    registration = Registration(
        client_id=_guid(form.client_id, "client_id"), proof=form.proof, token_file=given(form.token_file)
    )
    tenant, *access = form.edits(tenant_id)
    edits = (tenant, SetRegistration(id=tenant_id, name=form.name.strip(), elevate=registration), *access)
    return to_preview(edits, form.version, f"/tenants/{form.name.strip()}")


@router.get("/add-customer/{tenant_id}")
async def set_up(request: Request, visitor: SignedIn, app: TheApp, tenant_id: UUID) -> Response:
    """The form of a customer who is connected: everything is filled in as most want it."""
    authorize(visitor.actor, Verb.APPLY_CONFIGURATION)
    return await _set_up_page(request, visitor, app, tenant_id, None)


@router.post("/add-customer/{tenant_id}")
async def add_connected(
    request: Request, visitor: SignedIn, app: TheApp, tenant_id: UUID, form: Annotated[NewTenant, Form()]
) -> Response:
    """To the preview."""
    authorize(visitor.actor, Verb.APPLY_CONFIGURATION)
    if form.finding:
        return await _set_up_page(request, visitor, app, tenant_id, form)
    return to_preview(form.edits(tenant_id), form.version, f"/tenants/{form.name.strip()}")


async def _registration_page(request: Request, visitor: Visitor, now_is: Editing, filled: NewRegistration) -> Response:
    return await page(
        request,
        visitor,
        "add_registration.html",
        now_is=now_is,
        filled=filled,
        domains=(),
        unread=None,
        proofs=PROOFS,
        credentials=CREDENTIALS,
        canaries=CANARIES,
    )


async def _set_up_page(
    request: Request, visitor: Visitor, app: App, tenant_id: UUID, filled: NewTenant | None
) -> Response:
    found = await list_tenants(visitor.actor, app, limit=1)
    connected = next((one for one in found.unconfigured if one[0] == tenant_id), None)
    if connected is None:
        raise NotFoundError("No customer with this id is connected and waits to be set up.")
    now_is = await editing(visitor, app)
    domains, unread = await domains_of(visitor, app, tenant_id)
    if filled is None:
        best = next((one.name for one in domains if one.refused is None), connected[2])
        terms = suggested_terms(connected[1], best, now_is.shown.configuration.defaults)
        filled = NewTenant(version=now_is.shown.number, **terms.model_dump())
    return await page(
        request,
        visitor,
        "set_up.html",
        tenant_id=tenant_id,
        display_name=connected[1],
        now_is=now_is,
        filled=filled,
        everywhere=given_to(now_is.shown.configuration, ALL_TECHNICIANS, None),
        domains=domains,
        unread=unread,
        credentials=CREDENTIALS,
        canaries=CANARIES,
    )


def _guid(text: str, what: str) -> UUID:
    try:
        return UUID(text.strip())
    except ValueError:
        raise BadInputError(f"{what}: a GUID, as in {uuid4()}") from None
