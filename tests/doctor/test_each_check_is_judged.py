"""A check that is always green is worse than none: each is judged here on good facts and on bad ones.

Judging is pure, so that no tenant has to be broken in twenty ways.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from entra_jit.accounts.doctor import (
    access,
    accounts,
    applications,
    canary,
    credentials,
    emergency,
    passes,
    sign_in,
    transport,
)
from entra_jit.accounts.doctor.credentials import Lifetime
from entra_jit.accounts.doctor.passkeys import judge_passkeys
from entra_jit.graph import AccessPassPolicy, Domain, Organization, RoleAssignment, User
from entra_jit.graph.calls import Heard
from entra_jit.graph.licences import ENTRA_ID_P1, Subscription
from entra_jit.graph.passkey_policy import PasskeyPolicy
from entra_jit.graph.policies import AppManagementPolicy, ConditionalAccessPolicy, SecurityDefaults
from entra_jit.ledger.examinations import ConfiguredTenant
from entra_jit.policy.emergency import AAGUID
from entra_jit.policy.facts import TenantTerms
from entra_jit.policy.permissions import TABLE, expected
from models.checks import Check, CheckState, Finding
from models.messages import (
    AccessItem,
    AccessKind,
    DirectoryCall,
    EmergencyAccountView,
    GrantState,
    GrantStatus,
    ObjectId,
    RoleId,
    SignInAttempt,
    SignInOutcome,
    TenantId,
)

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
TENANT, OTHER = "c0c0c0c0-2222-4222-8222-000000000002", "fab0fab0-3333-4333-8333-000000000003"
OURS, THEIRS = ObjectId("0a0a0a0a-0000-4000-8000-000000000001"), ObjectId("0a0a0a0a-0000-4000-8000-000000000002")
GROUP = "c0c0c0c0-2222-4222-8222-00000000ee03"
HELPDESK = "729827e3-9c14-49f7-bb1b-9608f156bbb8"
CALL = DirectoryCall(method="GET", path="/", status=200, request_id="r", client_request_id="c", answered_at=NOW)
CONFIGURED = ConfiguredTenant(
    TenantTerms(
        id=TenantId(TENANT),
        name="contoso",
        account_domain="contoso.onmicrosoft.com",
        account_prefix="msp-",
        default_duration=timedelta(hours=4),
        max_duration=timedelta(hours=8),
        active=True,
    ),
    "auto",
    (
        AccessItem(kind=AccessKind.ROLE, id=HELPDESK, name="Helpdesk Administrator"),
        AccessItem(kind=AccessKind.GROUP, id=GROUP, name="operators"),
    ),
    frozenset({OURS}),
)
ONLY_PASSES = replace(CONFIGURED, credential="temporary_access_pass")
ONLY_PASSWORDS = replace(CONFIGURED, credential="password")
BOTH = expected(("elevate", "revoke"), "auto", gives_groups=False)


def read(kind: Any, **properties: object) -> Any:
    """What Graph described so."""
    return kind.model_validate({**properties, "evidence": CALL})


def organization(id: str) -> Organization:
    return read(Organization, id=id, displayName="Contoso")


def domain(*, verified: bool = True, kind: str = "Managed") -> Domain:
    return read(Domain, id="contoso.onmicrosoft.com", isVerified=verified, authenticationType=kind)


def role(role_id: str, scope: str = "/") -> RoleAssignment:
    return read(RoleAssignment, id="x", roleDefinitionId=role_id, principalId=OURS, directoryScopeId=scope)


def passes_of(*targets: str, excluded: tuple[str, ...] = (), **properties: object) -> AccessPassPolicy:
    found = {"state": "enabled", "minimumLifetimeInMinutes": 60, "maximumLifetimeInMinutes": 480, **properties}
    ids = {"includeTargets": [{"id": each} for each in targets], "excludeTargets": [{"id": each} for each in excluded]}
    return read(AccessPassPolicy, **found, **ids)


def user(name: str, id: ObjectId, **attributes: str) -> User:
    return read(
        User,
        id=id,
        userPrincipalName=f"{name}@contoso.onmicrosoft.com",
        accountEnabled=False,
        userType="Member",
        onPremisesSyncEnabled=None,
        onPremisesExtensionAttributes=attributes,
    )


TAGGED = user("msp-alex", OURS, extensionAttribute14="entra-jit;a;b;c;d")


def policy(controls: dict[str, object] | None, state: str = "enabled", **conditions: object) -> ConditionalAccessPolicy:
    about = {"users": {"includeUsers": ["All"]}, "applications": {"includeApplications": ["All"]}, **conditions}
    return read(
        ConditionalAccessPolicy, id="p", displayName="A policy", state=state, conditions=about, grantControls=controls
    )


def controls(*built_in: str, operator: str = "OR", strength: tuple[str, ...] | None = None) -> dict[str, object]:
    found = {"displayName": "Phishing-resistant MFA", "allowedCombinations": strength} if strength is not None else None
    return {"operator": operator, "builtInControls": built_in, "authenticationStrength": found}


def app_policy(*restrictions: tuple[str, str, str | None], enabled: bool = True) -> AppManagementPolicy:
    found = [{"restrictionType": kind, "state": state, "maxLifetime": most} for kind, state, most in restrictions]
    both = {"passwordCredentials": found, "keyCredentials": found}
    return read(AppManagementPolicy, isEnabled=enabled, applicationRestrictions=both)


def permissions(held: frozenset[str]) -> list[Finding]:
    return applications.judge_permissions({"elevate and revoke": (held, BOTH)})


def heard(seconds: float = 0, share: float | None = None) -> Heard:
    at = NOW + timedelta(seconds=seconds)
    return Heard(at, at, NOW, share)


def expiry(days: float) -> Finding:
    return credentials.judge_expiry({"elevate": Lifetime("secret", NOW + timedelta(days=days))}, NOW)


def managed(policy: AppManagementPolicy, kind: str = "secret", *, here: bool = True) -> Finding:
    return credentials.judge_app_management(policy, {"elevate": kind}, ["elevate"] if here else [])


def conditional(found: ConditionalAccessPolicy) -> Finding:
    return sign_in.judge_conditional_access([found], CONFIGURED)


def passkeys(*demanded: ConditionalAccessPolicy, **properties: object) -> Finding:
    demanding = sign_in.demanding_phishing_resistance(demanded, CONFIGURED)
    return judge_passkeys(passkey_policy(**properties), {}, demanding, CONFIGURED)


def passkey_policy(**properties: object) -> PasskeyPolicy:
    allowed = {
        "state": "enabled",
        "isSelfServiceRegistrationAllowed": True,
        "includeTargets": [{"targetType": "group", "id": "all_users"}],
    }
    return read(PasskeyPolicy, **allowed | properties)


def canary_was(last: GrantStatus | None, outcome: SignInOutcome | None = None) -> Finding:
    attempt = SignInAttempt(outcome=outcome, detail="As read.", at=NOW) if outcome else None
    return canary.judge_canary(replace(CONFIGURED, last_canary=last, canary_attempt=attempt))


CLOSED = GrantStatus(state=GrantState.ENDED, opened_at=NOW, closed_at=NOW)


def emergency_account(**seen: object) -> Finding:
    stands = {"tenant": "contoso", "number": 1, "account_name": "msp-e1", "credential": "x", "proven_at": NOW, **seen}
    return emergency.judge_emergency([EmergencyAccountView.model_validate(stands)], NOW)


SIGNED_IN = {"drill_outcome": "signed in", "drilled_at": NOW}
WANTED = EmergencyAccountView(tenant="contoso", number=1)
PHISHING_RESISTANT = policy(controls(strength=("fido2",)))
ROLE = applications.CLOSING_ROLE
OK, UNKNOWN, WARNING, FAILED = CheckState.OK, CheckState.UNKNOWN, CheckState.WARNING, CheckState.FAILED
JUDGED: list[tuple[Finding, str, CheckState, str]] = [
    (applications.judge_organization(TenantId(TENANT), organization(TENANT)), "D102", OK, "Contoso"),
    (applications.judge_organization(TenantId(TENANT), organization(OTHER)), "D102", FAILED, OTHER),
    (permissions(BOTH.allowed)[0], "D103", OK, "Every"),
    (
        permissions(BOTH.allowed - {"Domain.Read.All"})[0],
        "D103",
        FAILED,
        "Missing: Domain.Read.All (elevate and revoke)",
    ),
    (permissions(BOTH.needed)[0], "D103", WARNING, "AuditLog.Read.All, Policy.Read.All"),
    (permissions(BOTH.needed)[1], "D104", OK, "None"),
    (permissions(BOTH.needed | {"Mail.Send"})[1], "D104", WARNING, "Mail.Send"),
    (applications.judge_roles({"elevate": [role(ROLE)]}), "D105", OK, "elevate"),
    (applications.judge_roles({"elevate": [role(ROLE)], "revoke": []}), "D105", FAILED, "service principal of revoke"),
    (applications.judge_roles({"elevate": [role(ROLE, "/administrativeUnits/x")]}), "D105", FAILED, "elevate"),
    (expiry(31), "D106", OK, "2026-12-28"),
    (expiry(29), "D106", WARNING, "2026-12-26"),
    (expiry(6), "D106", FAILED, "2026-12-03"),
    (expiry(-1), "D106", FAILED, "ended on 2026-11-26"),
    (credentials.judge_expiry({"elevate": Lifetime("federated credential")}, NOW), "D106", OK, "no end"),
    (credentials.judge_expiry({"elevate": Lifetime("secret", is_known=False)}, NOW), "D106", UNKNOWN, "not known"),
    (managed(app_policy()), "D107", OK, "allows"),
    (managed(app_policy(("passwordAddition", "enabled", None))), "D107", WARNING, "new ones are forbidden"),
    (managed(app_policy(("passwordAddition", "disabled", None))), "D107", OK, "allows"),
    (managed(app_policy(("asymmetricKeyLifetime", "enabled", "P90D")), "certificate"), "D107", WARNING, "90 days"),
    (managed(app_policy(("passwordAddition", "enabled", None)), "certificate"), "D107", OK, "allows"),
    (managed(app_policy(("passwordAddition", "enabled", None)), here=False), "D107", OK, "does not concern"),
    (managed(app_policy(("passwordAddition", "enabled", None), enabled=False)), "D107", OK, "off"),
    (transport.judge_clock(heard(0.9)), "D108", OK, "agrees"),
    (transport.judge_clock(heard(-15)), "D108", WARNING, "14 s behind"),
    (transport.judge_clock(heard(3600)), "D108", FAILED, "ahead of"),
    (transport.judge_clock(Heard(NOW, NOW, None, None)), "D108", UNKNOWN, "did not tell"),
    (transport.judge_throttling(heard()), "D109", OK, "Less than 80 %"),
    (transport.judge_throttling(heard(share=0.9)), "D109", WARNING, "90%"),
    (transport.judge_throttling(heard(share=1.2)), "D109", FAILED, "120%"),
    (access.judge_domain("contoso", "contoso.onmicrosoft.com", domain()), "D201", OK, "managed"),
    (access.judge_domain("contoso", "contoso.com", None), "D201", FAILED, "not verified"),
    (access.judge_domain("contoso", "contoso.com", domain(verified=False)), "D201", FAILED, "not verified"),
    (access.judge_domain("contoso", "contoso.com", domain(kind="Federated")), "D201", FAILED, "federated"),
    (access.judge_roles(CONFIGURED.mapped_of(AccessKind.ROLE), {RoleId(HELPDESK)}), "D202", OK, "All 1"),
    (access.judge_roles(CONFIGURED.mapped_of(AccessKind.ROLE), set()), "D202", FAILED, "Helpdesk Administrator"),
    (access.judge_groups(CONFIGURED.mapped_of(AccessKind.GROUP), []), "D203", OK, "All 1"),
    (access.judge_groups(CONFIGURED.mapped_of(AccessKind.GROUP), ["It is dynamic."]), "D203", FAILED, "dynamic"),
    (accounts.judge_attributes([TAGGED], {OURS}), "D204", OK, "1 accounts"),
    (
        accounts.judge_attributes([user("msp-alex", OURS, extensionAttribute14="HR-7")], {OURS}),
        "D204",
        FAILED,
        "msp-alex",
    ),
    (accounts.judge_attributes([user("msp-x", THEIRS, extensionAttribute14="HR-7")], {OURS}), "D204", OK, "0 accounts"),
    (accounts.judge_foreign_accounts([TAGGED], CONFIGURED), "D205", OK, "msp-"),
    (accounts.judge_foreign_accounts([user("msp-x", THEIRS)], CONFIGURED), "D205", WARNING, "msp-x@contoso"),
    (accounts.judge_global_administrators(2, is_mapped=True), "D206", OK, "2 besides"),
    (accounts.judge_global_administrators(1, is_mapped=True), "D206", FAILED, "mapped"),
    (accounts.judge_global_administrators(1, is_mapped=False), "D206", WARNING, "1 besides"),
    (accounts.judge_global_administrators(5, is_mapped=False), "D206", WARNING, "5 besides"),
    (passes.judge_policy(passes_of("all_users"), CONFIGURED), "D301", OK, "all users"),
    (passes.judge_policy(passes_of("all_users", state="disabled"), CONFIGURED), "D301", WARNING, "disabled"),
    (passes.judge_policy(passes_of("all_users", state="disabled"), ONLY_PASSES), "D301", FAILED, "disabled"),
    (passes.judge_policy(passes_of("all_users", state="disabled"), ONLY_PASSWORDS), "D301", OK, "passwords"),
    (passes.judge_policy(passes_of("all_users", excluded=("x",)), ONLY_PASSES), "D301", FAILED, "excluded"),
    (passes.judge_policy(passes_of(GROUP), CONFIGURED), "D301", OK, "role mappings give"),
    (passes.judge_policy(passes_of("another"), ONLY_PASSES), "D301", FAILED, "another"),
    (passes.judge_lifetime(passes_of("all_users"), CONFIGURED), "D302", OK, "8 h"),
    (passes.judge_lifetime(passes_of(maximumLifetimeInMinutes=60), CONFIGURED), "D302", WARNING, "1 h"),
    (passes.judge_once(passes_of("all_users"), CONFIGURED), "D303", OK, "more than once"),
    (passes.judge_once(passes_of(isUsableOnce=True), CONFIGURED), "D303", WARNING, "once"),
    (sign_in.judge_security_defaults(read(SecurityDefaults, isEnabled=False), ONLY_PASSWORDS), "D304", OK, "Off"),
    (sign_in.judge_security_defaults(read(SecurityDefaults, isEnabled=True), CONFIGURED), "D304", OK, "a pass"),
    (sign_in.judge_security_defaults(read(SecurityDefaults, isEnabled=True), ONLY_PASSWORDS), "D304", WARNING, "On"),
    (conditional(policy(controls("mfa"))), "D305", OK, "No policy"),
    (conditional(policy(controls(strength=("fido2",)))), "D305", WARNING, "Phishing-resistant"),
    (conditional(policy(controls(strength=("fido2", "temporaryAccessPassOneTime")))), "D305", OK, "No policy"),
    (conditional(policy(controls("compliantDevice"))), "D305", WARNING, "compliant device"),
    (conditional(policy(controls("mfa", "compliantDevice"))), "D305", OK, "No policy"),
    (conditional(policy(controls("mfa", "compliantDevice", operator="AND"))), "D305", WARNING, "compliant device"),
    (conditional(policy(controls("block"), locations={"includeLocations": ["All"]})), "D305", WARNING, "some places"),
    (conditional(policy(controls("block"), clientAppTypes=["other"])), "D305", OK, "No policy"),
    (conditional(policy(controls("block"), userRiskLevels=["high"])), "D305", OK, "No policy"),
    (conditional(policy(controls("block"), "disabled")), "D305", OK, "No policy"),
    (conditional(policy(controls("block"), users={"includeUsers": ["x"]})), "D305", OK, "No policy"),
    (conditional(policy(controls("block"), users={"includeRoles": [HELPDESK]})), "D305", WARNING, "blocks"),
    (
        conditional(policy(controls("block"), users={"includeUsers": ["All"], "excludeGroups": [GROUP]})),
        "D305",
        OK,
        "No policy",
    ),
    (conditional(policy(controls("block"), applications={"includeApplications": ["x"]})), "D305", OK, "No policy"),
    (conditional(policy(None)), "D305", OK, "No policy"),
    (passkeys(PHISHING_RESISTANT), "D307", OK, "could have"),
    (passkeys(PHISHING_RESISTANT, isAttestationEnforced=True), "D307", WARNING, "attestation is enforced"),
    (passkeys(PHISHING_RESISTANT, keyRestrictions={"isEnforced": True}), "D307", WARNING, "only some models"),
    (
        passkeys(
            PHISHING_RESISTANT,
            keyRestrictions={"isEnforced": True, "enforcementType": "allow", "aaGuids": [str(AAGUID)]},
        ),
        "D307",
        OK,
        "could have",
    ),
    (passkeys(PHISHING_RESISTANT, state="disabled"), "D307", WARNING, "Demanded by A policy"),
    (passkeys(policy(controls("mfa")), state="disabled"), "D307", OK, "No policy demands them"),
    (emergency.judge_emergency([], NOW), "D402", OK, "None are configured"),
    (emergency_account(**SIGNED_IN), "D402", OK, "1 signed in"),
    (emergency_account(credential=None), "D402", FAILED, "emergency account 1 has no proven credential"),
    (emergency_account(drill_outcome="credential refused", drilled_at=NOW), "D402", FAILED, "credential refused"),
    (emergency_account(drill_outcome="page changed", drilled_at=NOW), "D402", WARNING, "page changed"),
    (
        emergency_account(drill_outcome="signed in", drilled_at=NOW - timedelta(days=43)),
        "D402",
        WARNING,
        "not tried since",
    ),
    (
        judge_passkeys(passkey_policy(state="disabled"), {}, (), replace(CONFIGURED, emergency_accounts=(WANTED,))),
        "D307",
        FAILED,
        "nothing else",
    ),
    (canary_was(None), "D401", UNKNOWN, "None was run"),
    (canary_was(CLOSED), "D401", OK, "Sign-in: not tried."),
    (canary_was(CLOSED, SignInOutcome.SIGNED_IN), "D401", OK, "Sign-in: signed in."),
    (canary_was(CLOSED, SignInOutcome.PAGE_CHANGED), "D401", WARNING, "Sign-in: page changed. As read."),
    (canary_was(CLOSED, SignInOutcome.REFUSED), "D401", FAILED, "Sign-in: credential refused. As read."),
    (canary_was(GrantStatus(state=GrantState.ENDED, opened_at=NOW)), "D401", FAILED, "not proven closed"),
    (canary_was(GrantStatus(state=GrantState.FAILED, sentence="403")), "D401", FAILED, "Not opened: 403"),
    (canary_was(GrantStatus(state=GrantState.DENIED, sentence="A stop")), "D401", WARNING, "A stop"),
    (sign_in.judge_licences([]), "D306", OK, "Free"),
    (
        sign_in.judge_licences(
            [read(Subscription, capabilityStatus="Enabled", servicePlans=[{"servicePlanId": ENTRA_ID_P1}])]
        ),
        "D306",
        OK,
        "P1",
    ),
    (
        sign_in.judge_licences(
            [read(Subscription, capabilityStatus="Suspended", servicePlans=[{"servicePlanId": ENTRA_ID_P1}])]
        ),
        "D306",
        OK,
        "Free",
    ),
]


@pytest.mark.parametrize(("found", "code", "state", "words"), JUDGED)
def test_the_facts_decide(found: Finding, code: str, state: CheckState, words: str) -> None:
    assert (found.check.code, found.state) == (code, state), found
    assert words in found.read
    assert bool(found.to_do) == (state is not OK) or state is UNKNOWN


def test_every_check_was_seen_good_and_every_one_but_the_licences_was_seen_bad() -> None:
    """D101, the sign-in, needs a tenant."""
    good = {code for _, code, state, _ in JUDGED if state is OK}
    bad = {code for _, code, state, _ in JUDGED if state.rank}
    assert {check.code for check in Check} - good == {"D101"}
    assert {check.code for check in Check} - bad == {"D101", "D306"}


def test_one_application_needs_what_two_need_together() -> None:
    each = [expected((purpose,), "auto", gives_groups=True) for purpose in ("elevate", "revoke")]
    whole = expected(("elevate", "revoke"), "auto", gives_groups=True)
    assert whole.needed == each[0].needed | each[1].needed
    assert not whole.needed & whole.wanted
    assert "Policy.Read.AuthenticationMethod" not in expected(("elevate",), "password", gives_groups=True).needed
    assert "GroupMember.ReadWrite.All" not in expected(("elevate",), "password", gives_groups=False).needed


def test_the_page_has_a_row_for_each_check() -> None:
    page = (Path(__file__).parents[2] / "docs" / "doctor.md").read_text(encoding="utf-8")
    for check in Check:
        code = f"**{check.code}**" if check.is_necessary else check.code
        assert f"| {code} | {check.title} | {check.meaning} | {check.remedy} |" in page


def test_the_table_of_permissions_in_the_documentation_is_this_one() -> None:
    """What is granted by the page must be neither missing nor in excess to the doctor."""
    page = (Path(__file__).parents[2] / "docs" / "real-tenant.md").read_text(encoding="utf-8")
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in page.splitlines() if line.startswith("| `")]
    told = {row[0].strip("`"): (bool(row[2]), bool(row[3])) for row in rows if len(row) == 5}
    optional = {("Directory.Read.All", "elevate")}
    for permission in TABLE:
        elevate = permission.elevate is not None and (permission.name, "elevate") not in optional
        assert told[permission.name] == (elevate, permission.revoke is not None), permission.name
    assert told.keys() == {permission.name for permission in TABLE}
