"""``/sandbox/``: a page on which a demonstration can be watched in the directory itself. It changes nothing."""

from __future__ import annotations

import base64
import hashlib
import heapq
import re
from datetime import datetime
from functools import cache
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from sandbox.app import Sandbox
from sandbox.clock import seconds, ticks
from sandbox.directory.roles import built_in_roles
from sandbox.directory.rows import User
from sandbox.directory.tenant import Tenant
from sandbox.exchange import Json

_PAGE = Path(__file__).parent.parent / "data" / "page.html"
_MOST_ACCOUNTS = 60
_MOST_ENTRIES = 80


class PageControl:
    """The page and what it asks for once a second."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    async def page(self, _: Request) -> Response:
        html, policy = _page()
        return HTMLResponse(html, headers={"Content-Security-Policy": policy, "Cache-Control": "no-store"})

    async def watch(self, request: Request) -> Json:
        """All tenants in brief; one (``tenant``) with its accounts; what was asked since ``after``."""
        directory = self._sandbox.directory
        asked = request.query_params
        shown = directory.tenant_or_slug(asked.get("tenant", "")) or next(iter(directory.tenants.values()), None)
        after = asked.get("after", "0")
        if not after.isdecimal():
            raise HTTPException(400, "after: has to be a sequence number")
        return {
            "now": seconds(self._sandbox.clock.now()),
            "lag": self._lag(shown),
            "throttle": self._sandbox.throttling.factor_of(shown.id) if shown else None,
            "faults": sum(1 for fault in self._sandbox.faults.shown() if fault["count"] != fault["hits"]),
            "tenants": [self._brief(tenant) for tenant in directory.tenants.values()],
            "tenant": self._in_full(shown, asked.get("find", "").lower()) if shown else None,
            "journal": self._entries(shown, int(after)) if shown else [],
        }

    def _lag(self, tenant: Tenant | None) -> Json:
        lag = self._sandbox.replication.lag_of(tenant.id) if tenant else None
        return f"up to {lag.longest:g} s" if lag else "off"

    def _brief(self, tenant: Tenant) -> Json:
        organization = tenant.organization
        return {"slug": organization.slug, "name": organization.display_name, "accounts": len(tenant.users)}

    def _in_full(self, tenant: Tenant, find: str) -> Json:
        now = self._sandbox.clock.now()
        matching = [
            user
            for table in (tenant.users, tenant.deleted_users)
            for user in table
            if find in user.user_principal_name.lower() or find in user.display_name.lower()
        ]
        # Those whom anything has happened to come first: a demonstration is about them.
        shown = heapq.nsmallest(
            _MOST_ACCOUNTS, matching, key=lambda user: (-user.sessions_valid_from.timestamp(), user.user_principal_name)
        )
        return {
            "slug": tenant.organization.slug,
            "name": tenant.organization.display_name,
            "domains": [domain.name for domain in tenant.organization.domains if domain.is_verified],
            "matching": len(matching),
            "accounts": [_account(tenant, user, now) for user in shown],
        }

    def _entries(self, tenant: Tenant, after: int) -> Json:
        names = {principal.app_id: principal.display_name for principal in tenant.service_principals}
        entries = self._sandbox.journal.entries(after=after, tenant=tenant.id)[-_MOST_ENTRIES:]
        return [entry | {"app": names.get(str(entry["app_id"]), entry["app_id"])} for entry in entries]


def _account(tenant: Tenant, user: User, now: datetime) -> Json:
    held = user.temporary_access_pass
    usability = held.usability(tenant.organization.temporary_access_pass, now) if held else None
    attributes = user.properties.get("onPremisesExtensionAttributes")
    set_ones = attributes.items() if isinstance(attributes, dict) else ()
    roles = [built_in_roles()[role] for role in tenant.roles_of(user.id)]
    return {
        "id": user.id,
        "name": user.display_name,
        "upn": user.user_principal_name,
        "state": "deleted" if user.deleted else "enabled" if user.enabled else "disabled",
        "kind": "synced" if user.is_synced else "guest" if user.is_guest else None,
        "roles": [
            {"name": role.name, "privileged": role.privileged is not False}
            for role in sorted(roles, key=lambda role: role.name)
        ],
        "groups": sorted(group.display_name for group in tenant.groups.find("member", user.id)),
        "methods": [method.kind for method in user.methods],
        "pass": {"expires": ticks(held.expires), "usability": usability} if held else None,
        "attributes": sorted(name for name, value in set_ones if value),
        "sessions_since": seconds(user.sessions_valid_from),
    }


@cache
def _page() -> tuple[str, str]:
    """The page, and the policy that lets its own script and style run and nothing else."""
    html = _PAGE.read_text(encoding="utf-8")
    script, style = (_digest(html, tag) for tag in ("script", "style"))
    return html, f"default-src 'none'; connect-src 'self'; script-src {script}; style-src {style}; base-uri 'none'"


def _digest(html: str, tag: str) -> str:
    found = re.search(rf"<{tag}>(.*?)</{tag}>", html, re.DOTALL)
    text = found[1] if found else ""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
