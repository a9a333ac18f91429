"""People and groups: who is in which group and why, what a group gives where, and who waits to be accepted."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import quote
from uuid import UUID

from fastapi import APIRouter, Form, Request
from pydantic import BaseModel, Field
from starlette.responses import Response

from entra_jit.app import App
from entra_jit.identity.authorize import Verb, authorize
from entra_jit.operations.list_sign_ins import list_sign_ins
from entra_jit.policy.configuration import GroupEntry, TechnicianEntry
from entra_jit.policy.configuration_edits import (
    RemoveGroup,
    RemoveTechnician,
    SetAccess,
    SetGroup,
    SetTechnician,
    describe_rule,
)
from entra_jit.policy.entitlement import ALL_TECHNICIANS
from entra_jit.policy.membership import gifts, memberships
from entra_jit.web.changes import Editing, RoleChoice, editing, read_attributes, read_rules, to_preview
from entra_jit.web.navigation import Link
from entra_jit.web.rendering import page
from entra_jit.web.visitors import SignedIn, TheApp, Visitor
from models.actor import Role
from models.errors import BadInputError, NotFoundError

LINK = Link("/people", "People and groups", 60, frozenset({Role.ADMIN, Role.AUDITOR}))

SPARE_RULES = 2
"""Empty rows of rules in the form, so that it works without scripts."""

router = APIRouter()


class GroupForm(BaseModel):
    """What the form of a group sends."""

    version: int
    name: str = ""
    tenant: str = ""
    member: list[str] = Field(default_factory=list)
    attribute: list[str] = Field(default_factory=list)
    test: list[str] = Field(default_factory=list)
    value: list[str] = Field(default_factory=list)

    def edit(self, name: str) -> SetGroup:
        """The change that it asks for. Raises ``BadInputError``."""
        rules = read_rules(self.attribute, self.test, self.value)
        return SetGroup(name=name, members=tuple(self.member), rules=rules)


class PersonForm(BaseModel):
    """What the form of a technician sends."""

    version: int
    id: str
    name: str
    display_name: str = ""
    attributes: str = ""

    def edit(self) -> SetTechnician:
        """The change that it asks for. Raises ``BadInputError``."""
        try:
            person_id = UUID(self.id.strip())
        except ValueError:
            raise BadInputError("id: the person's object id in your own directory, a GUID") from None
        name = self.name.strip()
        return SetTechnician(
            id=person_id,
            name=name,
            display_name=self.display_name.strip() or name,
            attributes=read_attributes(self.attributes),
        )


@router.get("/people")
async def people(request: Request, visitor: SignedIn, app: TheApp) -> Response:
    """Technicians with their groups; groups with their members and rules; who waits."""
    now_is = await editing(visitor, app)
    configuration = now_is.shown.configuration
    found = list(memberships(configuration))
    return await page(
        request,
        visitor,
        "people.html",
        now_is=now_is,
        waiting=await list_sign_ins(visitor.actor, app),
        groups_of={
            entry.name: [one for one in found if one.technician.id == entry.id] for entry in configuration.technicians
        },
        groups=[
            (one, sum(member.group == one.name for member in found), list(map(describe_rule, one.rules)))
            for one in configuration.groups
        ],
        now=app.clock(),
    )


@router.get("/people/technicians")
async def new_technician(request: Request, visitor: SignedIn, app: TheApp) -> Response:
    """The form of a technician who never signed in here."""
    authorize(visitor.actor, Verb.APPLY_CONFIGURATION)
    return await page(
        request,
        visitor,
        "technician.html",
        now_is=await editing(visitor, app),
        entry=None,
        attributes="",
        theirs=(),
        given=(),
    )


@router.post("/people/technicians")
async def set_technician(visitor: SignedIn, form: Annotated[PersonForm, Form()]) -> Response:
    """Add a technician, or change one. To the preview."""
    authorize(visitor.actor, Verb.APPLY_CONFIGURATION)
    return to_preview([form.edit()], form.version, "/people")


@router.get("/people/technicians/{name}")
async def technician(request: Request, visitor: SignedIn, app: TheApp, name: str) -> Response:
    """A technician: attributes, groups and why, what they may ask for and where."""
    now_is, entry = await _technician(visitor, app, name)
    configuration = now_is.shown.configuration
    theirs = [one for one in memberships(configuration) if one.technician.id == entry.id]
    names = {one.group for one in theirs}
    return await page(
        request,
        visitor,
        "technician.html",
        now_is=now_is,
        entry=entry,
        attributes="\n".join(f"{key}: {value}" for key, value in entry.attributes.items()),
        theirs=theirs,
        given=[one for one in gifts(configuration) if one.group in names],
    )


@router.post("/people/technicians/{name}/removal")
async def remove_technician(visitor: SignedIn, app: TheApp, name: str, version: Annotated[int, Form()]) -> Response:
    """To the preview, which says which of their grants end."""
    authorize(visitor.actor, Verb.APPLY_CONFIGURATION)
    _, entry = await _technician(visitor, app, name)
    return to_preview([RemoveTechnician(id=entry.id, name=entry.name)], version, "/people")


@router.get("/people/groups")
async def new_group(request: Request, visitor: SignedIn, app: TheApp, tenant: str = "") -> Response:
    """The form of a new group. ``tenant``: where it is to have something next."""
    authorize(visitor.actor, Verb.APPLY_CONFIGURATION)
    return await _group_page(request, visitor, await editing(visitor, app), None, tenant)


@router.post("/people/groups")
async def add_group(visitor: SignedIn, app: TheApp, form: Annotated[GroupForm, Form()]) -> Response:
    """To the preview."""
    authorize(visitor.actor, Verb.APPLY_CONFIGURATION)
    name = form.name.strip()
    now_is = await editing(visitor, app)
    if any(one.name == name for one in now_is.shown.configuration.groups):
        raise BadInputError(f"There is a group {name} already.", advice="Change that one, or choose another name.")
    back = f"/tenants/{quote(form.tenant)}/access?group={quote(name)}" if form.tenant else f"/people/groups/{name}"
    return to_preview([form.edit(name)], form.version, back)


@router.get("/people/groups/{name}")
async def group(request: Request, visitor: SignedIn, app: TheApp, name: str) -> Response:
    """A group: members and why, rules, what it gives where."""
    now_is = await editing(visitor, app)
    return await _group_page(request, visitor, now_is, _group(now_is, name))


@router.post("/people/groups/{name}")
async def set_group(visitor: SignedIn, app: TheApp, name: str, form: Annotated[GroupForm, Form()]) -> Response:
    """To the preview."""
    authorize(visitor.actor, Verb.APPLY_CONFIGURATION)
    found = _group(await editing(visitor, app), name)
    return to_preview([form.edit(found.name)], form.version, f"/people/groups/{found.name}")


@router.post("/people/groups/{name}/removal")
async def remove_group(visitor: SignedIn, app: TheApp, name: str, version: Annotated[int, Form()]) -> Response:
    """To the preview."""
    authorize(visitor.actor, Verb.APPLY_CONFIGURATION)
    found = _group(await editing(visitor, app), name)
    return to_preview([RemoveGroup(name=found.name)], version, "/people")


@router.get("/people/groups/{name}/access")
async def everywhere(request: Request, visitor: SignedIn, app: TheApp, name: str) -> Response:
    """The form of what a group has in every tenant."""
    authorize(visitor.actor, Verb.APPLY_CONFIGURATION)
    now_is = await editing(visitor, app)
    chosen = name if name == ALL_TECHNICIANS else _group(now_is, name).name
    mapped = [one for one in now_is.shown.configuration.role_mappings if (one.group, one.tenant) == (chosen, None)]
    picked = Everywhere(
        version=now_is.shown.number,
        role=[role for one in mapped for role in one.roles],
        security_group=[name for one in mapped for name in one.security_groups],
    )
    return await page(request, visitor, "group_access.html", now_is=now_is, group=chosen, picked=picked)


class Everywhere(RoleChoice):
    """What the form of what a group has in every tenant sends."""

    version: int
    security_group: list[str] = Field(default_factory=list)


@router.post("/people/groups/{name}/access")
async def set_everywhere(
    request: Request, visitor: SignedIn, app: TheApp, name: str, form: Annotated[Everywhere, Form()]
) -> Response:
    """To the preview."""
    authorize(visitor.actor, Verb.APPLY_CONFIGURATION)
    if form.finding:
        now_is = await editing(visitor, app)
        return await page(request, visitor, "group_access.html", now_is=now_is, group=name, picked=form)
    edit = SetAccess(group=name, roles=tuple(form.role), security_groups=tuple(form.security_group))
    return to_preview([edit], form.version, "/people")


async def _technician(visitor: Visitor, app: App, name: str) -> tuple[Editing, TechnicianEntry]:
    now_is = await editing(visitor, app)
    for entry in now_is.shown.configuration.technicians:
        if entry.name == name:
            return now_is, entry
    raise NotFoundError(f"There is no technician {name}.")


def _group(now_is: Editing, name: str) -> GroupEntry:
    for entry in now_is.shown.configuration.groups:
        if entry.name == name:
            return entry
    raise NotFoundError(f"There is no group {name}.")


async def _group_page(
    request: Request, visitor: Visitor, now_is: Editing, entry: GroupEntry | None, tenant: str = ""
) -> Response:
    configuration = now_is.shown.configuration
    name = entry.name if entry else None
    rules = [(rule.attribute, rule.test, "\n".join(rule.values)) for rule in entry.rules] if entry else []
    return await page(
        request,
        visitor,
        "group.html",
        now_is=now_is,
        entry=entry,
        tenant=tenant,
        members=[one for one in memberships(configuration) if one.group == name],
        given=[one for one in gifts(configuration) if one.group == name],
        rules=[*rules, *[("", "one_of", "")] * SPARE_RULES],
        attributes=sorted({key for one in configuration.technicians for key in one.attributes}),
    )
