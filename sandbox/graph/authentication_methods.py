"""``/users/{id}/authentication``: registered sign-in methods and Temporary Access Passes, and the policy for passes.

This workload speaks a little differently from the directory: its refusals are ``accessDenied`` and ``badRequest``.
"""

from __future__ import annotations

import secrets
import string
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import get_args
from urllib.parse import quote
from uuid import uuid4

from sandbox.clock import ticks
from sandbox.directory.digest import Digest
from sandbox.directory.rows import ALL_USERS, MethodKind, SignInMethod, TemporaryAccessPass, User
from sandbox.directory.tenant import Tenant
from sandbox.exchange import Answer, Json
from sandbox.graph import permissions
from sandbox.graph.call import Call, Operation
from sandbox.graph.errors import methods_denied, methods_refused, not_found
from sandbox.graph.operations import Operations
from sandbox.graph.protection import require_unrestricted
from sandbox.graph.users import live_user

operations = Operations(lambda _: methods_denied())

_AUTHENTICATION = "/users/{user}/authentication"
_PASSES = f"{_AUTHENTICATION}/temporaryAccessPassMethods"
PASSWORD_METHOD_ID = "28c10230-6103-485e-b985-444c60001490"
_PASS_ALPHABET = string.ascii_letters + string.digits + "+-*&^%$#@!"
_SHORTEST, _LONGEST = 10, 43_200
_STARTS_EARLIER = timedelta(seconds=1.3)
"""A pass for now is dated before it was made, as in an answer that was seen."""


@operations.get(f"{_AUTHENTICATION}/methods", permissions.READ_METHODS)
def list_methods(call: Call) -> Answer:
    """Everything that the user can sign in with, the password included."""
    user = live_user(call)
    return _collection(call, user, "methods", _all_methods(call, user))


@operations.get(f"{_AUTHENTICATION}/passwordMethods", permissions.READ_METHODS)
def list_password_methods(call: Call) -> Answer:
    user = live_user(call)
    return _collection(call, user, "passwordMethods", [_password_method(user)])


@operations.get(f"{_AUTHENTICATION}/methods/{{method}}", permissions.READ_METHODS)
def get_method(call: Call) -> Answer:
    """Any method by its id, whatever its kind."""
    user = live_user(call)
    wanted = call.args["method"].lower()
    shown = next((one for one in _all_methods(call, user) if one["id"].lower() == wanted), None)
    if shown is None:
        raise not_found(call.args["method"])
    return Answer(200, {"@odata.context": f"{_context(call, user, 'methods')}/$entity"} | shown)


@operations.get(f"{_AUTHENTICATION}/passwordMethods/{{method}}", permissions.READ_METHODS)
def get_password_method(call: Call) -> Answer:
    user = live_user(call)
    if call.args["method"].lower() != PASSWORD_METHOD_ID:
        raise not_found(call.args["method"])
    kind = "#microsoft.graph.passwordAuthenticationMethod"
    return _entity(call, user, "passwordMethods", kind, _password_method(user), 200)


@operations.delete(f"{_AUTHENTICATION}/methods/{{method}}", permissions.WRITE_METHODS)
def refuse_to_delete_method(call: Call) -> Answer:
    """Nothing is deleted here, but under the segment of its kind; the workload behind Graph says so by itself.

    Body as pasted in microsoft-graph-docs#20928 and msgraph-sdk-powershell#937, which do not tell the status.
    """
    where = f"/odata/users('{call.args['user']}@{call.tenant.id}')/authentication/methods('{call.args['method']}')"
    message = f"No HTTP resource was found that matches the request URI 'https://mface.windowsazure.com{where}'."
    detail = "No type was found that matches the controller named 'users'."
    return Answer(404, {"Message": message, "MessageDetail": detail})


@operations.post(
    f"{_AUTHENTICATION}/methods/{{method}}/resetPassword", permissions.WRITE_METHODS, lacks="delegated calls"
)
def reset_password(_: Call) -> Answer:
    """For people only: an application sets passwords by changing the user."""
    raise methods_denied()


@operations.get(_PASSES, permissions.READ_PASSES)
def list_passes(call: Call) -> Answer:
    user = live_user(call)
    held = user.temporary_access_pass
    value = [_pass(call.tenant, held, call.exchange.at)] if held else []
    return _collection(call, user, "temporaryAccessPassMethods", value)


@operations.get(f"{_PASSES}/{{pass}}", permissions.READ_PASSES)
def get_pass(call: Call) -> Answer:
    user = live_user(call)
    held = _held_pass(call, user)
    return _entity(
        call, user, "temporaryAccessPassMethods", _PASS_TYPE, _pass(call.tenant, held, call.exchange.at), 200
    )


@operations.post(_PASSES, permissions.WRITE_PASSES)
def create_pass(call: Call) -> Answer:
    """Make a pass and tell its value, this once. An earlier pass of the user is gone."""
    body = call.json_object(optional=True)
    user = live_user(call)
    require_unrestricted(call, user.id)
    _require_policy(call, user)
    policy = call.tenant.organization.temporary_access_pass
    value = "".join(secrets.choice(_PASS_ALPHABET) for _ in range(policy.length))
    held = TemporaryAccessPass(
        id=str(uuid4()),
        digest=Digest.of(value),
        created=call.exchange.at,
        starts=_start(body, call.exchange.at),
        lifetime_minutes=_lifetime(call.tenant, body),
        is_usable_once=_usable_once(call.tenant, body),
    )
    call.tenant.users.put(replace(user, temporary_access_pass=held))
    shown = _pass(call.tenant, held, call.exchange.at) | {"temporaryAccessPass": value}
    return _entity(call, user, "temporaryAccessPassMethods", _PASS_TYPE, shown, 201)


@operations.delete(f"{_PASSES}/{{pass}}", permissions.WRITE_PASSES)
def delete_pass(call: Call) -> Answer:
    user = live_user(call)
    require_unrestricted(call, user.id)
    _held_pass(call, user)
    call.tenant.users.put(replace(user, temporary_access_pass=None))
    return Answer(204)


_PASS_TYPE = "#microsoft.graph.temporaryAccessPassAuthenticationMethod"


def _serve_kind(kind: MethodKind) -> None:
    """The same three operations for each kind of method that a person can register."""

    def list_kind(call: Call) -> Answer:
        user = live_user(call)
        return _collection(
            call, user, f"{kind}Methods", [_method(method) for method in user.methods if method.kind == kind]
        )

    def get_one(call: Call) -> Answer:
        user = live_user(call)
        method = _registered(call, user, kind)
        return method_entity(call, user, method)

    def delete_one(call: Call) -> Answer:
        user = live_user(call)
        return _delete(call, user, _registered(call, user, kind))

    path = f"{_AUTHENTICATION}/{kind}Methods"
    reads: list[tuple[str, Operation]] = [(path, list_kind), (f"{path}/{{method}}", get_one)]
    is_passkey = kind == "fido2"
    for where, run in reads:
        operations.get(where, permissions.READ_PASSKEYS if is_passkey else permissions.READ_METHODS)(run)
    writes = permissions.WRITE_PASSKEYS if is_passkey else permissions.WRITE_METHODS
    operations.delete(f"{path}/{{method}}", writes)(delete_one)


_IN_BETA: dict[MethodKind, str] = {"qrCodePin": "qrCodePinMethod", "hardwareOath": "hardwareOathMethods/{method}"}
"""Listed in v1.0 and deleted in beta alone. An account has one QR code at most, and it is named without an id."""


def _serve_in_beta(kind: MethodKind, segments: str) -> None:
    @operations.delete(f"/beta{_AUTHENTICATION}/{segments}", permissions.WRITE_METHODS)
    def delete_one(call: Call) -> Answer:
        user = live_user(call)
        wanted = call.args.get("method")
        for held in user.methods:
            if held.kind == kind and wanted in {None, held.id}:
                return _delete(call, user, held)
        raise not_found(wanted or segments)


@operations.get(f"/beta{_AUTHENTICATION}/fido2Methods", permissions.READ_PASSKEYS)
def list_passkeys_in_beta(call: Call) -> Answer:
    """With when each was last used, which v1.0 does not tell."""
    user = live_user(call)
    held = [_method(one) | {"lastUsedDateTime": one.last_used} for one in user.methods if one.kind == "fido2"]
    return _collection(call, user, "fido2Methods", held)


for _kind in get_args(MethodKind):
    if _kind in _IN_BETA:
        _serve_in_beta(_kind, _IN_BETA[_kind])
    else:
        _serve_kind(_kind)


def _delete(call: Call, user: User, method: SignInMethod) -> Answer:
    require_unrestricted(call, user.id)
    kept = tuple(held for held in user.methods if held != method)
    if kept and method == user.default_method:
        raise methods_refused(
            f"The requested authentication method id of [{method.id}] matches the user's current default "
            "authentication method, and cannot be deleted until the default authentication method is changed"
        )
    call.tenant.users.put(replace(user, methods=kept))
    return Answer(204)


def _serve_registration(kind: MethodKind, required: tuple[str, ...]) -> None:
    """The kinds that an administrator, or an application, can register for an account."""

    @operations.post(f"{_AUTHENTICATION}/{kind}Methods", permissions.WRITE_METHODS)
    def register(call: Call) -> Answer:
        user = live_user(call)
        require_unrestricted(call, user.id)
        body = {name: value for name, value in call.json_object().items() if not name.startswith("@odata.")}
        if missing := next((name for name in required if not isinstance(body.get(name), str)), None):
            raise methods_refused(f"The value of {missing} is required.")
        if any(method.kind == kind and _is_same(method, body) for method in user.methods):
            raise methods_refused("This authentication method is registered already.")
        method = SignInMethod(id=_METHOD_IDS.get(body.get("phoneType", kind), str(uuid4())), kind=kind, properties=body)
        call.tenant.users.put(replace(user, methods=(*user.methods, method)))
        return method_entity(call, user, method, 201)


_METHOD_IDS = {
    "mobile": "3179e48a-750b-4051-897c-87b9720928f7",
    "alternateMobile": "b6332ec1-7057-4abe-9331-3d72feddfe41",
    "office": "e37fc753-ff3b-4958-9484-eaa9425c82bc",
    "email": "3ddfcfc8-9383-446f-83cc-3ab9be4be18f",
}
"""Phones and the email address have the same ids for everybody."""


def _is_same(method: SignInMethod, body: dict[str, Json]) -> bool:
    return method.properties.get("phoneType") == body.get("phoneType")


_serve_registration("phone", ("phoneNumber", "phoneType"))
_serve_registration("email", ("emailAddress",))


def _all_methods(call: Call, user: User) -> list[dict[str, Json]]:
    value = [{"@odata.type": "#microsoft.graph.passwordAuthenticationMethod"} | _password_method(user)]
    value += [{"@odata.type": _type_of(method.kind)} | _method(method) for method in user.methods]
    if user.temporary_access_pass is not None:
        shown = _pass(call.tenant, user.temporary_access_pass, call.exchange.at)
        value.append({"@odata.type": _PASS_TYPE} | shown)
    return value


def _type_of(kind: MethodKind) -> str:
    return f"#microsoft.graph.{kind}AuthenticationMethod"


def _method(method: SignInMethod) -> dict[str, Json]:
    return {"id": method.id} | method.properties


def _password_method(user: User) -> dict[str, Json]:
    return {
        "id": PASSWORD_METHOD_ID,
        "password": None,
        "createdDateTime": user.properties.get("lastPasswordChangeDateTime"),
    }


def _registered(call: Call, user: User, kind: MethodKind) -> SignInMethod:
    wanted = call.args["method"]
    for method in user.methods:
        if method.kind == kind and method.id == wanted:
            return method
    raise not_found(wanted)


def _held_pass(call: Call, user: User) -> TemporaryAccessPass:
    held = user.temporary_access_pass
    if held is None or held.id != call.args["pass"].lower():
        raise not_found(call.args["pass"])
    return held


def _pass(tenant: Tenant, held: TemporaryAccessPass, now: datetime) -> dict[str, Json]:
    reason = held.usability(tenant.organization.temporary_access_pass, now)
    return {
        "id": held.id,
        "temporaryAccessPass": None,
        "createdDateTime": ticks(held.created),
        "startDateTime": ticks(held.starts),
        "lifetimeInMinutes": held.lifetime_minutes,
        "isUsableOnce": held.is_usable_once,
        "isUsable": reason == "EnabledByPolicy",
        "methodUsabilityReason": reason,
    }


def _collection(call: Call, user: User, collection: str, value: list[dict[str, Json]]) -> Answer:
    return Answer(200, {"@odata.context": _context(call, user, collection), "value": value})


def _entity(call: Call, user: User, collection: str, kind: str, value: dict[str, Json], status: int) -> Answer:
    head = {"@odata.context": f"{_context(call, user, collection)}/$entity", "@odata.type": kind}
    return Answer(status, head | value)


def method_entity(call: Call, user: User, method: SignInMethod, status: int = 200) -> Answer:
    """One registered method as an answer."""
    return _entity(call, user, f"{method.kind}Methods", _type_of(method.kind), _method(method), status)


def _context(call: Call, user: User, collection: str) -> str:
    """Names the user as the caller did."""
    return f"{call.context_base}users('{quote(call.args['user'], safe='')}')/authentication/{collection}"


def _require_policy(call: Call, user: User) -> None:
    tenant = call.tenant
    if user.is_guest:
        raise methods_refused("Temporary Access Pass cannot be added to an external guest user")
    policy = tenant.organization.temporary_access_pass
    groups = {group.id for group in tenant.groups.find("member", user.id)}
    known = _age(user, call.exchange.at) >= timedelta(seconds=policy.new_accounts_refused)
    covered = {ALL_USERS, *groups} & set(policy.include_groups) and not set(groups) & set(policy.exclude_groups)
    if not (known and policy.enabled and covered):
        raise methods_refused(
            "Converged UserCredentialPolicy does not allow creating or updating this authentication method. "
            "AuthMethodType [TemporaryAccessPass]."
        )


def _age(user: User, now: datetime) -> timedelta:
    return now - datetime.fromisoformat(str(user.properties["createdDateTime"]))


def _lifetime(tenant: Tenant, body: dict[str, Json]) -> int:
    policy = tenant.organization.temporary_access_pass
    asked = body.get("lifetimeInMinutes")
    if asked is None:
        return policy.default_lifetime
    lowest, highest = max(_SHORTEST, policy.minimum_lifetime), min(_LONGEST, policy.maximum_lifetime)
    if not isinstance(asked, int) or isinstance(asked, bool) or not lowest <= asked <= highest:
        raise methods_refused(f"Invalid LifetimeInMinutes specified. The valid range between {lowest} and {highest}.")
    return asked


def _usable_once(tenant: Tenant, body: dict[str, Json]) -> bool:
    one_time_only = tenant.organization.temporary_access_pass.one_time_only
    asked = body.get("isUsableOnce")
    if asked is None:
        return one_time_only
    if not isinstance(asked, bool) or (one_time_only and not asked):
        raise methods_refused("isUsableOnce cannot be false: the policy of this tenant allows one-time passes only.")
    return asked


def _start(body: dict[str, Json], now: datetime) -> datetime:
    asked = body.get("startDateTime")
    if asked is None:
        return now - _STARTS_EARLIER
    try:
        moment = datetime.fromisoformat(asked)
    except (TypeError, ValueError):
        raise methods_refused("startDateTime is not a valid time.") from None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    if moment < now:
        raise methods_refused("Invalid StartDateTime specified. It can not be a time in the past.")
    return moment
