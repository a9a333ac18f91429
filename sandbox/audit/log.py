"""Writing the audit log: after each request, from the rows that it changed."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from datetime import datetime
from uuid import uuid4

from pydantic import JsonValue

from sandbox.audit.activities import activities
from sandbox.audit.activity import Activity, Author, entry
from sandbox.clock import Clock
from sandbox.directory.directory import NO_TENANT, Change, Directory
from sandbox.directory.roles import GLOBAL_ADMINISTRATOR
from sandbox.directory.rows import Application
from sandbox.directory.tenant import Tenant
from sandbox.exchange import Exchange
from sandbox.graph.call import Actor
from sandbox.graph.microsofts_own import SERVICES, own_principal_id

LOGS = frozenset({"audit", "signIn"})
"""The tables of the logs themselves: that they grow is no change of the directory."""

_KEPT = 20_000
"""Entries a tenant; the oldest go first, so that a long run does not fill the memory."""


def record(directory: Directory, changes: list[Change], author: Author) -> None:
    """Write into each tenant's log what these changes were."""
    by_tenant: dict[str, list[Change]] = defaultdict(list)
    for change in changes:
        if change.table not in LOGS:
            by_tenant[_tenant_id(change)].append(change)
    for tenant_id, theirs in by_tenant.items():
        if (tenant := directory.tenants.get(tenant_id)) is None:
            continue
        by = in_tenant(author, tenant)
        for activity in activities(theirs, tenant, by):
            tenant.audits.put(entry(activity, author=_author_of(activity, by, tenant)))
        _forget_the_oldest(tenant)


def _forget_the_oldest(tenant: Tenant) -> None:
    for table in (tenant.audits, tenant.sign_ins):
        if len(table) > _KEPT:
            for row in list(table)[: len(table) - _KEPT]:
                table.remove(row.id)


def _tenant_id(change: Change) -> str:
    """Registrations belong to no tenant's tables; their home tenant's log tells of them."""
    if change.tenant_id == NO_TENANT and isinstance(row := change.row or change.before, Application):
        return row.home_tenant
    return change.tenant_id


def graph_author(directory: Directory, actor: Actor, exchange: Exchange) -> Author:
    """An application or a person that called Graph."""
    tenant = directory.tenants.get(actor.tenant_id)
    initiated_by: dict[str, JsonValue]
    if actor.kind == "user":
        initiated_by = {"user": _person(tenant, actor.id)}
    else:
        principal = tenant.service_principals.get(actor.id) if tenant else None
        name = principal.display_name if principal else None
        initiated_by = {"app": _app(name, actor.id)}
    return Author("graph", initiated_by, exchange.client_request_id, exchange.at, exchange.headers.get("user-agent"))


def sign_in_author(exchange: Exchange) -> Author:
    """The sign-in service, or the person who used it as far as the request says."""
    initiated_by: dict[str, JsonValue] = {"app": _app("Azure ESTS Service")}
    if exchange.signed_in_as is not None:
        user_id, name = exchange.signed_in_as
        initiated_by = {
            "user": {"id": user_id, "displayName": None, "userPrincipalName": name, "ipAddress": "127.0.0.1"}
        }
    return Author("signIn", initiated_by, exchange.client_request_id, exchange.at)


def control_author(clock: Clock) -> Author:
    """A person of the tenant's own administration, played by the control interface."""
    return Author("control", {}, str(uuid4()), clock.now())


def person_author(tenant: Tenant, user_id: str, at: datetime) -> Author:
    """An account of the tenant, wherever it did it."""
    return Author("control", {"user": _person(tenant, user_id)}, str(uuid4()), at)


def time_author(clock: Clock) -> Author:
    """No person: a schedule or a period ended."""
    return service_author("MS-PIM", clock.now())


def service_author(name: str, at: datetime) -> Author:
    """One of Microsoft's own services."""
    return Author("time", {"app": _app(name)}, str(uuid4()), at)


def in_tenant(author: Author, tenant: Tenant) -> Author:
    """What is done by control is done by the tenant's first Global Administrator.

    Microsoft's own services are named by their service principals (recorded by rknightion/graph2otel).
    """
    app = author.initiated_by.get("app")
    if isinstance(app, dict) and app["displayName"] in SERVICES and app["servicePrincipalId"] is None:
        own = own_principal_id(tenant.id, SERVICES[app["displayName"]])
        return replace(author, initiated_by={"app": app | {"servicePrincipalId": own}})
    if author.source != "control":
        return author
    administrators = tenant.holders_of(GLOBAL_ADMINISTRATOR)
    who = administrators[0].id if administrators else ""
    return Author("control", {"user": _person(tenant, who)}, author.correlation_id, author.at)


def _author_of(activity: Activity, author: Author, tenant: Tenant) -> Author:
    if not activity.by_target:
        return author
    return replace(author, initiated_by={"user": _person(tenant, activity.targets[0].id or "")})


def _person(tenant: Tenant | None, user_id: str) -> dict[str, JsonValue]:
    user = tenant.users.get(user_id) if tenant else None
    return {
        "id": user_id or None,
        "displayName": None,
        "userPrincipalName": user.user_principal_name if user else None,
        "ipAddress": "127.0.0.1",
    }


def _app(name: str | None, principal_id: str | None = None) -> dict[str, JsonValue]:
    # ``appId`` was null in every recorded entry, of any application (rknightion/graph2otel).
    return {"appId": None, "displayName": name, "servicePrincipalId": principal_id, "servicePrincipalName": None}
