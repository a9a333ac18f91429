"""The routes under ``/sandbox/``. Every program that reaches the port may do everything: bind it to loopback.

Tenants are named by GUID, slug or verified domain, users by id or user principal name. Repeating a call is no error.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection

import pydantic_core
from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.app import Sandbox
from sandbox.control.behaviour import BehaviourControl
from sandbox.control.drills import DrillControl
from sandbox.control.groups import GroupControl
from sandbox.control.origins import OwnOriginOnly
from sandbox.control.page import PageControl
from sandbox.control.registrations import RegistrationControl
from sandbox.control.sign_in import sign_in
from sandbox.control.sign_in_service import SignInServiceControl
from sandbox.control.state import StateControl
from sandbox.control.tenants import TenantControl
from sandbox.control.users import UserControl
from sandbox.exchange import Json

_Endpoint = Callable[[Request], Awaitable[Json]]


def control_application(sandbox: Sandbox, names: Collection[str]) -> Starlette:
    """The control interface of one sandbox, which is served under these names only."""
    drills, tenants, users = DrillControl(sandbox), TenantControl(sandbox), UserControl(sandbox)
    groups = GroupControl(sandbox)
    behaviour, state, page = BehaviourControl(sandbox), StateControl(sandbox), PageControl(sandbox)

    registrations, service = RegistrationControl(sandbox), SignInServiceControl(sandbox)

    async def sign_in_as(request: Request) -> Json:
        return await sign_in(sandbox, request)

    user = "/tenants/{tenant}/users/{user}"
    routes: list[tuple[str, str, _Endpoint]] = [
        ("GET", "/faults", drills.list_faults),
        ("POST", "/faults", drills.add_fault),
        ("DELETE", "/faults", drills.remove_faults),
        ("DELETE", "/faults/{fault}", drills.remove_faults),
        ("GET", "/journal", drills.read_journal),
        ("DELETE", "/journal", drills.clear_journal),
        ("POST", "/reset", drills.reset),
        ("POST", "/sign-in", sign_in_as),
        ("GET", "/clock", drills.read_clock),
        ("POST", "/clock", drills.move_clock),
        ("GET", "/", page.page),
        ("GET", "/watch", page.watch),
        ("GET", "/lag", behaviour.read_lag),
        ("POST", "/lag", behaviour.set_lag),
        ("GET", "/throttle", behaviour.read_throttle),
        ("POST", "/throttle", behaviour.set_throttle),
        ("GET", "/random-seed", behaviour.read_random_seed),
        ("POST", "/random-seed", behaviour.set_random_seed),
        ("GET", "/divergences", behaviour.list_divergences),
        ("GET", "/export", state.export),
        ("POST", "/seed", state.sow),
        ("GET", "/sign-in-service", service.read),
        ("POST", "/sign-in-service", service.change),
        ("GET", "/keys", service.read_keys),
        ("POST", "/keys/rotate", service.rotate_keys),
        ("POST", "/keys/retire", service.retire_keys),
        ("GET", "/applications", registrations.list_all),
        ("POST", "/applications", registrations.register),
        ("GET", "/applications/{app}", registrations.show),
        ("PATCH", "/applications/{app}", registrations.change),
        ("POST", "/applications/{app}/secrets", registrations.add_secret),
        ("POST", "/applications/{app}/secrets/expire", registrations.expire_secrets),
        ("GET", "/tenants/{tenant}/sign-in-policy", service.read_policy),
        ("POST", "/tenants/{tenant}/sign-in-policy", service.change_policy),
        ("DELETE", "/tenants/{tenant}/applications/{app}", registrations.uninstall),
        ("GET", f"{user}/verification-code", service.read_code),
        ("GET", "/tenants", tenants.list_all),
        ("GET", "/tenants/{tenant}", tenants.show),
        ("POST", "/tenants/{tenant}", tenants.change),
        ("POST", "/tenants/{tenant}/domains/{domain}", tenants.change_domain),
        ("POST", "/tenants/{tenant}/applications/{app}/certificates", tenants.add_certificate),
        ("GET", "/tenants/{tenant}/groups", groups.list_all),
        ("POST", "/tenants/{tenant}/groups", groups.create),
        ("PATCH", "/tenants/{tenant}/groups/{group}", groups.change),
        ("DELETE", "/tenants/{tenant}/groups/{group}", groups.delete),
        ("GET", "/tenants/{tenant}/users", users.list_all),
        ("POST", "/tenants/{tenant}/users", users.create),
        ("GET", user, users.show),
        ("PATCH", user, users.change),
        ("DELETE", user, users.delete),
        ("POST", f"{user}/restore", users.restore),
        ("POST", f"{user}/roles", users.give_roles),
        ("DELETE", f"{user}/roles/{{role}}", users.take_role),
        ("POST", f"{user}/methods", users.register_method),
        ("DELETE", f"{user}/methods/{{method}}", users.remove_method),
        ("POST", f"{user}/groups", users.join_group),
        ("POST", f"{user}/audit", users.write_audit),
        ("DELETE", f"{user}/groups/{{group}}", users.leave_group),
    ]
    return Starlette(
        routes=[
            Route(f"/sandbox{path}", _endpoint(sandbox, endpoint), methods=[method])
            for method, path, endpoint in routes
        ],
        middleware=[Middleware(OwnOriginOnly, names=names)],
        exception_handlers={ValidationError: _invalid, HTTPException: _refused},
    )


def _endpoint(sandbox: Sandbox, endpoint: _Endpoint) -> Callable[[Request], Awaitable[Response]]:
    async def run(request: Request) -> Response:
        sandbox.catch_up()
        try:
            result = await endpoint(request)
        finally:
            sandbox.commit()
            sandbox.catch_up()
        return result if isinstance(result, Response) else as_json(result)

    return run


def as_json(body: Json, status: int = 200) -> Response:
    """A JSON answer of the control interface."""
    return Response(pydantic_core.to_json(body), status, media_type="application/json")


async def _invalid(_: Request, error: Exception) -> Response:
    assert isinstance(error, ValidationError)  # noqa: S101 - registered for nothing else
    first = error.errors(include_url=False, include_input=False)[0]
    where = ".".join(str(step) for step in first["loc"]) or "body"
    return as_json({"error": f"{where}: {first['msg'].removeprefix('Value error, ')}"}, 400)


async def _refused(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for nothing else
    return as_json({"error": error.detail}, error.status_code)
