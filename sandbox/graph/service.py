"""Microsoft Graph as one thing: path and token to operation, refusals to envelopes, headers on everything."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from sandbox.directory.directory import Directory
from sandbox.directory.roles import GLOBAL_ADMINISTRATOR
from sandbox.directory.tenant import Tenant
from sandbox.exchange import Answer, Exchange
from sandbox.graph import (
    administrative_units,
    app_owners,
    app_role_assignments,
    applications,
    audit_logs,
    authentication_methods,
    authentication_policies,
    conditional_access,
    deleted_items,
    delta,
    directory_roles,
    federated_credentials,
    groups,
    licence_assignment,
    licences,
    managers,
    me,
    memberships,
    objects_by_id,
    organization,
    owned_objects,
    partners,
    passkeys,
    permission_grants,
    role_management,
    role_policies,
    role_schedule_requests,
    role_schedules,
    service_principals,
    tenant_policies,
    users,
)
from sandbox.graph.app_roles import app_role_ids
from sandbox.graph.call import Actor, Call
from sandbox.graph.errors import (
    GraphError,
    identity_not_found,
    unauthenticated,
    unknown_segment,
    unreadable_payload,
    wrong_method,
)
from sandbox.graph.operations import Served
from sandbox.graph.options import read_options
from sandbox.identity.tokens import ExpiredTokenError, InvalidTokenError, Tokens, WrongAudienceError
from sandbox.lag import Api
from sandbox.replication import Replication
from sandbox.routing import Routes, UnknownMethodError, UnknownSegmentError
from sandbox.throttling import Throttling

VERSIONS = frozenset({"v1.0", "beta"})
_BETA = "beta"
_WRITES = frozenset({"POST", "PATCH", "PUT"})
_AS_THE_PERSON = "Directory.AccessAsUser.All"
_OWN_PROFILE = frozenset({"User.Read", "User.ReadWrite"})

_KEY_IN_PARENTHESES = re.compile(r"(\w+)\((?:'(.*)'|(\w+='.*'))\)")
_FUNCTION = re.compile(r"(\w+)\(\)")
_CAST = re.compile(r"(?:microsoft\.)?graph\.(\w+)", re.IGNORECASE)
_DIAGNOSTIC = json.dumps(
    {
        "ServerInfo": {
            "DataCenter": "Sandbox",
            "Slice": "E",
            "Ring": "2",
            "ScaleUnit": "001",
            "RoleInstance": "SANDBOX",
        }
    },
    separators=(",", ":"),
)
_JSON = "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8"
_ALL: Sequence[Sequence[Served]] = (
    administrative_units.operations,
    app_owners.operations,
    app_role_assignments.operations,
    applications.operations,
    federated_credentials.operations,
    audit_logs.operations,
    authentication_methods.operations,
    authentication_policies.operations,
    conditional_access.operations,
    deleted_items.operations,
    delta.operations,
    directory_roles.operations,
    groups.operations,
    licence_assignment.operations,
    licences.operations,
    managers.operations,
    me.operations,
    memberships.operations,
    objects_by_id.operations,
    organization.operations,
    owned_objects.operations,
    partners.operations,
    passkeys.operations,
    permission_grants.operations,
    role_management.operations,
    role_policies.operations,
    role_schedule_requests.operations,
    role_schedules.operations,
    service_principals.operations,
    tenant_policies.operations,
    users.operations,
)


def served_operations() -> Iterator[Served]:
    """Everything that Graph serves here, in no particular order."""
    for operations in _ALL:
        yield from operations


class GraphService:
    """Everything that is served under ``/v1.0``, and the few operations that Microsoft has in beta alone."""

    def __init__(self, directory: Directory, tokens: Tokens, replication: Replication, throttling: Throttling) -> None:
        self._directory = directory
        self._tokens = tokens
        self._replication = replication
        self._throttling = throttling
        self._routes: Routes[Served] = Routes()
        for served in served_operations():
            self._routes.add(served.method, served.path, served)

    def actor(self, exchange: Exchange) -> Actor | None:
        """Who calls, if the token tells; None for no token or a bad one."""
        try:
            return self.require_actor(exchange)
        except GraphError:
            return None

    def answer(self, exchange: Exchange) -> Answer:
        """The answer or the refusal, with Graph's headers."""
        try:
            answer = self._run(exchange)
        except GraphError as refusal:
            answer = refusal.answer(exchange)
        return with_headers(answer, exchange)

    def _run(self, exchange: Exchange) -> Answer:
        version, *segments = exchange.segments
        segments = _plain(segments)
        try:
            # Unknown paths are refused before the caller is identified.
            asked = [_BETA, *segments] if version.lower() == _BETA else segments
            served, found = self._routes.find(exchange.method, asked)
        except UnknownSegmentError as unknown:
            raise unknown_segment(unknown.segment) from None
        except UnknownMethodError:
            raise wrong_method() from None
        actor = self.require_actor(exchange)
        tenant = self._directory.tenants.get(actor.tenant_id)
        if tenant is None or tenant.organization.deleted:
            raise identity_not_found()
        if actor.kind == "app" and actor.id not in tenant.service_principals:
            raise identity_not_found()
        self._throttling.admit(exchange, segments, actor.app_id, tenant)
        actor = _with_authority(actor, tenant)
        if served.allowed and not served.allowed & actor.permissions:
            raise served.refusal(served.allowed)
        applications = self._directory.applications
        _require_json(exchange)
        query = read_options(exchange, served.method, served.path)
        call = Call(exchange, tenant, actor, version.lower(), found, query, applications)
        api = Api.of(exchange.method, segments, asks_index=call.asks_index)
        call.tenant = self._replication.as_seen(tenant, exchange.method, api)
        return served.run(call)

    def require_actor(self, exchange: Exchange) -> Actor:
        """Who calls. Raises 401 for no token or a bad one."""
        scheme, _, token = exchange.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            raise unauthenticated("Access token is empty.")
        try:
            return self._tokens.actor(token.strip())
        except ExpiredTokenError:
            raise unauthenticated("Lifetime validation failed, the token is expired.") from None
        except WrongAudienceError:
            raise unauthenticated("Access token validation failure. Invalid audience.") from None
        except InvalidTokenError:
            raise unauthenticated("CompactToken parsing failed with error code: 80049217") from None


def _require_json(exchange: Exchange) -> None:
    """Writes are declared as JSON, those without a body too (microsoft-graph-docs#6259). Raises Graph's 400."""
    if exchange.method in _WRITES and "json" not in exchange.headers.get("content-type", "").lower():
        raise unreadable_payload()


def _with_authority(actor: Actor, tenant: Tenant) -> Actor:
    """What a person may do is what both the token's scopes and the person's own directory roles allow.

    ``Directory.AccessAsUser.All``, which Microsoft's own tools have, leaves it to the roles alone. Of those, only
    Global Administrator counts here.
    """
    if actor.kind == "app":
        return actor
    if GLOBAL_ADMINISTRATOR not in tenant.roles_of(actor.id):
        own = _OWN_PROFILE if _AS_THE_PERSON in actor.permissions else actor.permissions & _OWN_PROFILE
        return replace(actor, permissions=own)
    if _AS_THE_PERSON in actor.permissions:
        return replace(actor, permissions=actor.permissions | app_role_ids().keys())
    return actor


def with_headers(answer: Answer, exchange: Exchange) -> Answer:
    """The headers that Graph puts on every answer, errors included."""
    answer.headers |= {
        "Strict-Transport-Security": "max-age=31536000",
        "request-id": exchange.request_id,
        "client-request-id": exchange.client_request_id,
        "x-ms-ags-diagnostic": _DIAGNOSTIC,
    }
    # As recorded by azure-cli and azure-sdk-for-js, and pasted in maester365/maester#1421.
    if answer.status != 401 and Api.of(exchange.method, exchange.segments[1:]) is not Api.PIM:
        answer.headers |= {"Cache-Control": "no-cache", "x-ms-resource-unit": "1", **exchange.answer_headers}
    if answer.status != 204:
        answer.headers["Vary"] = "Accept-Encoding"
        if answer.status < 300:
            answer.headers["OData-Version"] = "4.0"
    if answer.body is not None:
        answer.headers.setdefault("Content-Type", _JSON if answer.status < 300 else "application/json")
    return answer


def _plain(segments: list[str]) -> list[str]:
    """``users('x')`` as ``users``, ``x``; and one spelling of casts, of which clients use two."""
    plain: list[str] = []
    for segment in segments:
        if segment.endswith(")") and (match := _KEY_IN_PARENTHESES.fullmatch(segment)):
            plain += [match[1], match[2].replace("''", "'") if match[2] is not None else match[3]]
        elif match := _FUNCTION.fullmatch(segment):
            plain.append(match[1])
        elif match := _CAST.fullmatch(segment):
            plain.append(f"graph.{match[1]}")
        else:
            plain.append(segment)
    return plain
