"""``/users/delta`` and ``/directoryRoles/delta``: what has changed since a token was given.

A first round lists everything, page by page, and ends in a link; later rounds list what changed since. A token is good
for seven days and not across a restart of the sandbox, which keeps no history: then it is 410 and the caller begins
anew, as clients of Microsoft's have to expect at any time.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import cast
from urllib.parse import quote, urlencode

import pydantic_core

from sandbox.directory.history import Step
from sandbox.directory.rows import TENANT_SCOPE, RoleAssignment, User
from sandbox.exchange import Answer, Json
from sandbox.graph import permissions
from sandbox.graph.call import Call
from sandbox.graph.directory_objects import shown
from sandbox.graph.directory_role_schema import DIRECTORY_ROLES, role_object
from sandbox.graph.directory_roles import activated
from sandbox.graph.errors import GraphError, bad_request, unsupported_query
from sandbox.graph.filter import Predicate, parse_filter
from sandbox.graph.operations import Operations
from sandbox.graph.queries import Queries
from sandbox.graph.users import USERS

operations = Operations()
_GOOD_FOR = timedelta(days=7)
_PAGE = 200
_IDS_AT_MOST = 50
_BY_ID = Queries(filter={"id": "D . . ."})


@dataclass(frozen=True, slots=True)
class _Token:
    """Where a round of changes stands. ``since`` None: the first round, which lists everything."""

    kind: str
    epoch: str
    until: int
    given: datetime
    since: int | None
    after: str
    query: Mapping[str, str]

    def text(self) -> str:
        values = [self.kind, self.epoch, self.until, self.given.isoformat(), self.since, self.after, dict(self.query)]
        return base64.urlsafe_b64encode(pydantic_core.to_json(values)).decode().rstrip("=")


@operations.get("/users/delta", permissions.READ_USERS, lacks="changes from before a restart of the sandbox")
def users_delta(call: Call) -> Answer:
    """Changed accounts: whole, or with ``Prefer: return=minimal`` only what changed of them."""
    token, changes = _round(call, "users")
    asked = _names(token.query)
    wanted = _wanted(call, token.query)
    items: Iterator[tuple[str, dict[str, Json]]]
    if token.since is None:
        items = ((user.id, _user(user, asked)) for user in call.tenant.users.in_order() if wanted(user))
    else:
        items = _changed_users(call, changes, asked, wanted)
    return _page(call, token, items, f"users{_suffix(token.query)}")


@operations.get("/directoryRoles/delta", permissions.READ_ROLES, lacks="changes from before a restart of the sandbox")
def roles_delta(call: Call) -> Answer:
    """Activated roles, and who came to hold them over the whole tenant or ceased to."""
    token, changes = _round(call, "directoryRoles")
    items = _all_roles(call) if token.since is None else _changed_roles(call, changes)
    return _page(call, token, items, "directoryRoles")


def _round(call: Call, kind: str) -> tuple[_Token, list[Step]]:
    """The token of this request, as given or new, and the changes that it covers."""
    history = call.tenant.history
    text = call.query.get("$skiptoken") or call.query.get("$deltatoken")
    if text is None or text.lower() == "latest":
        query = {name: call.query[name] for name in ("$select", "$filter") if name in call.query}
        since = history.latest if text else None
        return _Token(kind, history.epoch, history.latest, call.exchange.at, since, "", query), []
    token = _read(text, kind)
    if (
        token.epoch != history.epoch
        or call.exchange.at - token.given > _GOOD_FOR
        or not history.reaches(token.since or 0)
    ):
        raise _resync(call)
    if "$deltatoken" in call.query:
        token = _Token(kind, token.epoch, history.latest, call.exchange.at, token.until, "", token.query)
    steps = history.since(token.since) if token.since is not None else iter(())
    return token, [step for step in steps if step.number <= token.until]


def _read(text: str, kind: str) -> _Token:
    try:
        values = pydantic_core.from_json(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        named, epoch, until, given, since, after, query = values
        token = _Token(named, epoch, until, datetime.fromisoformat(given), since, after, query)
    except (ValueError, TypeError):
        raise bad_request("The delta token is not valid.") from None
    if token.kind != kind:
        raise bad_request("The delta token is not valid for this resource.")
    return token


def _resync(call: Call) -> GraphError:
    path = call.exchange.path
    return GraphError(
        410,
        "syncStateNotFound",
        "The sync state generation is not found; continue with a full synchronization.",
        headers={"Location": f"{call.exchange.origin}{path}?$skiptoken="},
    )


def _page(call: Call, token: _Token, items: Iterator[tuple[str, dict[str, Json]]], entity_set: str) -> Answer:
    ordered = sorted((item for item in items if item[0] > token.after), key=lambda item: item[0])
    page, rest = ordered[:_PAGE], ordered[_PAGE:]
    body: dict[str, Json] = {"@odata.context": f"{call.context_base}{entity_set}"}
    if rest:
        following = _Token(token.kind, token.epoch, token.until, token.given, token.since, page[-1][0], token.query)
        body["@odata.nextLink"] = _link(call, "$skiptoken", following)
    else:
        body["@odata.deltaLink"] = _link(call, "$deltatoken", token)
    return Answer(200, body | {"value": [item for _, item in page]})


def _link(call: Call, name: str, token: _Token) -> str:
    address = f"{call.exchange.origin}{call.exchange.path}"
    return f"{address}?{urlencode({name: token.text()}, quote_via=quote, safe='$')}"


def _names(query: Mapping[str, str]) -> list[str] | None:
    text = query.get("$select")
    return None if text is None else [name.strip() for name in text.split(",") if name.strip()]


def _suffix(query: Mapping[str, str]) -> str:
    names = _names(query)
    return f"({','.join(names)})" if names else ""


def _user(user: User, names: list[str] | None) -> dict[str, Json]:
    return USERS.project(user, names) | {"id": user.id}


def _wanted(call: Call, query: Mapping[str, str]) -> Predicate[User]:
    text = query.get("$filter")
    if not text:
        return lambda _: True
    if text.count("'") > 2 * _IDS_AT_MOST:
        raise unsupported_query("At most 50 ids can be tracked.")
    return parse_filter(text, USERS.value_of, USERS.properties, _BY_ID, "User", advanced=False)


def _changed_users(
    call: Call, changes: list[Step], names: list[str] | None, wanted: Predicate[User]
) -> Iterator[tuple[str, dict[str, Json]]]:
    before: dict[str, User | None] = {}
    purged: set[str] = set()
    for step in changes:
        if step.table == "user":
            before.setdefault(step.row_id, cast("User | None", step.before))
        elif step.table == "deletedUser" and step.after is None:
            purged.add(step.row_id)
    minimal = "return=minimal" in call.exchange.headers.get("prefer", "")
    for user_id in before.keys() | purged:
        user, old = call.tenant.users.get(user_id), before.get(user_id)
        if user is None:
            reason = "changed" if user_id in call.tenant.deleted_users else "deleted"
            yield user_id, {"id": user_id, "@removed": {"reason": reason}}
        elif wanted(user):
            yield from _changed_user(user, old, names, minimal=minimal)


def _changed_user(
    user: User, old: User | None, names: list[str] | None, *, minimal: bool
) -> Iterator[tuple[str, dict[str, Json]]]:
    new = _user(user, names)
    if old is None:
        yield user.id, new
        return
    earlier = _user(old, names)
    different = {name: value for name, value in new.items() if value != earlier.get(name)}
    if different:
        yield user.id, {"id": user.id} | different if minimal else new


def _all_roles(call: Call) -> Iterator[tuple[str, dict[str, Json]]]:
    for role_id in activated(call):
        row = role_object(call.tenant.id, role_id)
        held = [one for one in call.tenant.role_assignments.find("role", role_id) if one.scope == TENANT_SCOPE]
        members = [_member(call, one.principal_id, there=True) for one in held]
        yield row.id, DIRECTORY_ROLES.project(row, None) | ({"members@delta": members} if members else {})


def _changed_roles(call: Call, changes: list[Step]) -> Iterator[tuple[str, dict[str, Json]]]:
    touched: dict[str, dict[str, None]] = {}
    for step in changes:
        if step.table == "activatedRole":
            touched.setdefault(step.row_id, {})
        held = step.after or step.before
        if isinstance(held, RoleAssignment) and held.scope == TENANT_SCOPE:
            touched.setdefault(held.role_id, {})[held.principal_id] = None
    for role_id, principals in touched.items():
        row = role_object(call.tenant.id, role_id)
        holders = {one.principal_id for one in call.tenant.role_assignments.find("role", role_id)}
        members = [_member(call, principal, there=principal in holders) for principal in principals]
        yield row.id, DIRECTORY_ROLES.project(row, None) | ({"members@delta": members} if members else {})


def _member(call: Call, principal_id: str, *, there: bool) -> dict[str, Json]:
    kind = (shown(call.tenant, principal_id, ()) or {"@odata.type": "#microsoft.graph.user"})["@odata.type"]
    item: dict[str, Json] = {"@odata.type": kind, "id": principal_id}
    return item if there else item | {"@removed": {"reason": "deleted"}}
