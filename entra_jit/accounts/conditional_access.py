"""What a Conditional Access policy demands of a person's sign-in. Pure, and on the safe side: it may not come to it."""

from __future__ import annotations

from entra_jit.graph.policies import ConditionalAccessPolicy, GrantControls

EVERYTHING = "All"

_WHERE_PEOPLE_WORK = frozenset(
    {EVERYTHING, "Office365", "MicrosoftAdminPortals", "797f4846-ba00-4fd7-ba43-dac1f8f63013"}
)
"""The last is Azure's Resource Manager."""

_DEMANDS = {
    "block": "blocks the sign-in",
    "compliantDevice": "demands a compliant device",
    "domainJoinedDevice": "demands a joined device",
    "approvedApplication": "demands an approved app",
    "compliantApplication": "demands a protected app",
}
"""Controls that no credential of ours satisfies."""


def is_in_force_where_people_work(policy: ConditionalAccessPolicy) -> bool:
    """Whether it applies to a browser at Microsoft's portals, whatever the risk of the sign-in."""
    when = policy.conditions
    is_for_legacy_clients = when.client_app_types and not {"all", "browser"} & set(when.client_app_types)
    is_for_risk = when.sign_in_risk_levels or when.user_risk_levels or when.authentication_flows
    return bool(
        policy.state == "enabled"
        and not is_for_legacy_clients
        and not is_for_risk
        and _WHERE_PEOPLE_WORK & set(when.applications.include_applications)
    )


def demand_of(policy: ConditionalAccessPolicy, method: str) -> str | None:
    """What it demands that a sign-in by ``method`` does not satisfy; None: nothing.

    ``method``: how Microsoft's names of combinations begin that it satisfies: ``temporaryAccessPass``, ``fido2``.
    """
    controls = policy.grant_controls
    if controls is None:
        return None
    demands = [_DEMANDS[control] for control in controls.built_in_controls if control in _DEMANDS]
    demands += [strength] if (strength := strength_of(controls, method)) else []
    if controls.operator == "OR" and len(demands) < _number_of(controls):
        return None
    where = " from some places" if policy.conditions.locations and "block" in controls.built_in_controls else ""
    return (" and ".join(demands) + where) or None


def strength_of(controls: GrantControls, method: str) -> str:
    """The strength that is demanded and that ``method`` does not have; empty: none."""
    strength = controls.authentication_strength
    if strength is None or any(one.startswith(method) for one in strength.allowed_combinations):
        return ""
    what = {"temporaryAccessPass": "no pass is"}.get(method, "our credential is not")
    return f"demands {strength.display_name or 'a strength'}, which {what}"


def _number_of(controls: GrantControls) -> int:
    return len(controls.built_in_controls) + (controls.authentication_strength is not None)
