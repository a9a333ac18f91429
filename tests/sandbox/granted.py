"""What tests give an application or a tenant beyond the seed, in a line."""

from __future__ import annotations

import httpx

from tests.sandbox.seeded import ELEVATE

PRIVILEGED = "Privileged Authentication Administrator"


def grant(control: httpx.Client, *permissions: str, app: str = ELEVATE, tenant: str = "contoso") -> None:
    """Give app permissions; the next token has them."""
    change(control, app=app, tenant=tenant, grant=list(permissions))


def change(control: httpx.Client, app: str = ELEVATE, tenant: str = "contoso", **changes: object) -> None:
    """Change an application in one tenant: ``grant``, ``withdraw``, ``add_roles``, ``remove_roles``, ``enabled``."""
    body = {"service_principals": [{"app": app} | changes]}
    assert control.post(f"/tenants/{tenant}", json=body).status_code == 200


def license_with(control: httpx.Client, *plans: str, tenant: str = "contoso") -> None:
    """Replace a tenant's service plans."""
    assert control.post(f"/tenants/{tenant}", json={"service_plans": list(plans)}).status_code == 200


def own_principal(control: httpx.Client, app: str = ELEVATE, tenant: str = "contoso") -> str:
    """The object id of an application's service principal."""
    shown = control.get(f"/tenants/{tenant}").json()["service_principals"]
    return next(str(one["id"]) for one in shown if one["app_id"] == app)


def hours_pass(control: httpx.Client, hours: float) -> None:
    """Move the sandbox's clock."""
    assert control.post("/clock", json={"advance": hours * 3600}).status_code == 200
