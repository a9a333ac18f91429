"""``/policies/roleManagementPolicyAssignments``: what each role's own policy demands of assignments in PIM.

One policy for all roles: permanent active assignments are allowed unless the tenant has a longest one set.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID, uuid5

from sandbox.directory.roles import built_in_roles
from sandbox.directory.tenant import Tenant
from sandbox.exchange import Answer, Json
from sandbox.graph import odata, permissions
from sandbox.graph.call import Call
from sandbox.graph.errors import not_found
from sandbox.graph.expand import expansion_of, relationship
from sandbox.graph.operations import Operations
from sandbox.graph.role_schedule_rules import require_licence

operations = Operations()


@dataclass(frozen=True, slots=True)
class _Assignment:
    """The policy of one role."""

    id: str
    policy_id: str
    role_id: str


def _value_of(row: _Assignment, name: str) -> Json:
    values: dict[str, Json] = {
        "id": row.id,
        "policyId": row.policy_id,
        "scopeId": "/",
        "scopeType": "DirectoryRole",
        "roleDefinitionId": row.role_id,
    }
    return values[name]


_PROPERTIES = ("id", "policyId", "scopeId", "scopeType", "roleDefinitionId")
ASSIGNMENTS: odata.Shape[_Assignment] = odata.Shape(
    entity_set="policies/roleManagementPolicyAssignments",
    resource="UnifiedRoleManagementPolicyAssignment",
    properties=frozenset(_PROPERTIES),
    default=_PROPERTIES,
    value_of=_value_of,
)


@operations.get(
    "/policies/roleManagementPolicyAssignments", permissions.READ_ROLE_POLICIES, lacks="rules other than the main four"
)
def list_assignments(call: Call) -> Answer:
    require_licence(call)
    rows = [_assignment(call.tenant, role.template_id) for role in built_in_roles().values() if role.assignable]
    return odata.collection(call, ASSIGNMENTS, sorted(rows, key=lambda row: row.id))


@relationship("UnifiedRoleManagementPolicyAssignment", "policy", nested="rules", selects=False)
def _policy_of(call: Call, row: _Assignment, nested: Sequence[str] | None) -> Json:
    return _policy(call.tenant, row.policy_id, with_rules=nested is not None)


@operations.get("/policies/roleManagementPolicies/{policy}", permissions.READ_ROLE_POLICIES)
def get_policy(call: Call) -> Answer:
    require_licence(call)
    _require_policy(call)
    expansion = expansion_of(call, "UnifiedRoleManagementPolicy")
    context = odata.context(call, "policies/roleManagementPolicies", entity=True, expansion=expansion)
    policy = _policy(call.tenant, call.args["policy"], with_rules=False)
    return Answer(200, {"@odata.context": context} | policy | (expansion.of(call, policy) if expansion else {}))


@relationship("UnifiedRoleManagementPolicy", "rules", selects=False)
def _rules_of(call: Call, _: object, __: Sequence[str] | None) -> Json:
    return _rules(call.tenant)


@operations.get("/policies/roleManagementPolicies/{policy}/rules", permissions.READ_ROLE_POLICIES)
def list_rules(call: Call) -> Answer:
    require_licence(call)
    _require_policy(call)
    context = f"{call.context_base}policies/roleManagementPolicies('{call.args['policy']}')/rules"
    return Answer(200, {"@odata.context": context, "value": _rules(call.tenant)})


def _assignment(tenant: Tenant, role_id: str) -> _Assignment:
    policy = f"DirectoryRole_{tenant.id}_{uuid5(UUID(tenant.id), f'policy:{role_id}')}"
    return _Assignment(f"{policy}_{role_id}", policy, role_id)


def _require_policy(call: Call) -> None:
    known = {_assignment(call.tenant, role_id).policy_id for role_id in built_in_roles()}
    if call.args["policy"] not in known:
        raise not_found(call.args["policy"])


def _policy(tenant: Tenant, policy_id: str, *, with_rules: bool) -> dict[str, Json]:
    policy: dict[str, Json] = {
        "id": policy_id,
        "displayName": "DirectoryRole",
        "description": "DirectoryRole",
        "isOrganizationDefault": False,
        "scopeId": "/",
        "scopeType": "DirectoryRole",
        "lastModifiedDateTime": None,
        "lastModifiedBy": {"displayName": None, "id": None},
    }
    return policy | ({"rules": _rules(tenant)} if with_rules else {})


def _rules(tenant: Tenant) -> list[dict[str, Json]]:
    longest = tenant.organization.longest_active_assignment
    active = "P180D" if longest is None else f"PT{longest}S"
    return [
        _expiration("Expiration_Admin_Eligibility", "Admin", "Eligibility", "P365D", required=False),
        _expiration("Expiration_Admin_Assignment", "Admin", "Assignment", active, required=longest is not None),
        _expiration("Expiration_EndUser_Assignment", "EndUser", "Assignment", "PT8H", required=True),
        {
            "@odata.type": "#microsoft.graph.unifiedRoleManagementPolicyEnablementRule",
            "id": "Enablement_EndUser_Assignment",
            "enabledRules": ["MultiFactorAuthentication", "Justification"],
            "target": _target("EndUser", "Assignment"),
        },
    ]


def _expiration(rule: str, caller: str, level: str, maximum: str, *, required: bool) -> dict[str, Json]:
    return {
        "@odata.type": "#microsoft.graph.unifiedRoleManagementPolicyExpirationRule",
        "id": rule,
        "isExpirationRequired": required,
        "maximumDuration": maximum,
        "target": _target(caller, level),
    }


def _target(caller: str, level: str) -> dict[str, Json]:
    return {
        "caller": caller,
        "operations": ["All"],
        "level": level,
        "inheritableSettings": [],
        "enforcedSettings": [],
    }
