"""``/identity/conditionalAccess/policies``: kept and shown as they are written, and not enforced.

What a tenant's sign-in really demands is set by its sign-in policy, through the seed or the control interface.
"""

from __future__ import annotations

from dataclasses import replace
from uuid import uuid4

from sandbox.clock import ticks
from sandbox.directory.records import ConditionalAccessPolicy
from sandbox.exchange import Answer, Json
from sandbox.graph import odata, permissions
from sandbox.graph.call import Call
from sandbox.graph.errors import GraphError, not_found
from sandbox.graph.operations import Operations

operations = Operations()
_POLICIES = "/identity/conditionalAccess/policies"
_NOT_ENFORCED = "enforcement: sign-ins do not consult these policies"
_STATES = frozenset({"enabled", "disabled", "enabledForReportingButNotEnforced"})
_WRITABLE = ("displayName", "state", "conditions", "grantControls", "sessionControls")
_PROPERTIES = (
    "id",
    "templateId",
    "displayName",
    "createdDateTime",
    "modifiedDateTime",
    "state",
    "sessionControls",
    "conditions",
    "grantControls",
)


def _value_of(policy: ConditionalAccessPolicy, name: str) -> Json:
    own: dict[str, Json] = {
        "id": policy.id,
        "templateId": None,
        "createdDateTime": ticks(policy.created),
        "modifiedDateTime": ticks(policy.modified) if policy.modified else None,
    }
    return own[name] if name in own else policy.properties.get(name)


CONDITIONAL_ACCESS: odata.Shape[ConditionalAccessPolicy] = odata.Shape(
    entity_set="identity/conditionalAccess/policies",
    resource="ConditionalAccessPolicy",
    properties=frozenset(_PROPERTIES),
    default=_PROPERTIES,
    value_of=_value_of,
)


@operations.get(_POLICIES, permissions.READ_CONDITIONAL_ACCESS)
def list_policies(call: Call) -> Answer:
    return odata.collection(call, CONDITIONAL_ACCESS, call.tenant.conditional_access.in_order())


@operations.get(f"{_POLICIES}/{{policy}}", permissions.READ_CONDITIONAL_ACCESS)
def get_policy(call: Call) -> Answer:
    return odata.entity(call, CONDITIONAL_ACCESS, _policy(call))


@operations.post(_POLICIES, permissions.WRITE_CONDITIONAL_ACCESS, lacks=_NOT_ENFORCED)
def create_policy(call: Call) -> Answer:
    properties = _checked(call)
    for name in ("displayName", "state", "conditions"):
        if properties.get(name) is None:
            raise _refused(f"1004: {name} is required.")
    policy = ConditionalAccessPolicy(id=str(uuid4()), created=call.exchange.at, properties=properties)
    call.tenant.conditional_access.put(policy)
    return odata.entity(call, CONDITIONAL_ACCESS, policy, 201)


@operations.patch(f"{_POLICIES}/{{policy}}", permissions.WRITE_CONDITIONAL_ACCESS, lacks=_NOT_ENFORCED)
def update_policy(call: Call) -> Answer:
    policy = _policy(call)
    properties = policy.properties | _checked(call)
    call.tenant.conditional_access.put(replace(policy, properties=properties, modified=call.exchange.at))
    return Answer(204)


@operations.delete(f"{_POLICIES}/{{policy}}", permissions.WRITE_CONDITIONAL_ACCESS)
def delete_policy(call: Call) -> Answer:
    call.tenant.conditional_access.remove(_policy(call).id)
    return Answer(204)


def _policy(call: Call) -> ConditionalAccessPolicy:
    policy = call.tenant.conditional_access.get(call.args["policy"].lower())
    if policy is None:
        raise not_found(call.args["policy"])
    return policy


def _checked(call: Call) -> dict[str, Json]:
    body = {name: value for name, value in call.json_object().items() if not name.startswith("@odata.")}
    if unknown := next((name for name in body if name not in _WRITABLE), None):
        raise _refused(f"1001: Property '{unknown}' is read-only or does not exist.")
    if "state" in body and body["state"] not in _STATES:
        raise _refused("1000: state is not valid.")
    return body


def _refused(message: str) -> GraphError:
    return GraphError(400, "BadRequest", message)
