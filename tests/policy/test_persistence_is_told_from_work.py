"""The one entry that lets somebody come back stands among thousands that are somebody's job.

A review that knows Microsoft's names by half misses the secret on an application; one that alarms at each new user is
soon read by nobody. Whatever else an account did must never hide a finding.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.sweep import FindingKind
from policy.persistence import MOST_FINDINGS, Act, Ours, Touched, foreign_changes, judge, review

AT = datetime(2026, 11, 23, 12, tzinfo=UTC)
ME, SOMEBODY, OWN_PRINCIPAL, OWN_CLIENT = "me", "somebody", "our-principal", "our-client"
OURS = Ours(frozenset({OWN_CLIENT}), frozenset({OWN_PRINCIPAL}))
ITSELF = Touched(ME, "User", "msp-alex@contoso.com")
ANOTHER = Touched(SOMEBODY, "User", "kim@contoso.com")
ROLE = Touched("role", "Role", "Reports Reader")
GROUP = Touched("group", "Group", "Tier 0")
APPLICATION = Touched("app", "Application", "Payroll")
POLICY = Touched("policy", "Policy", "Require MFA")
ORDINARY = ("Update user", "Reset user password", "Delete user", "Disable account", "Add group", "Update group",
            "Remove member from role", "Admin deleted security info", "Update device")  # fmt: skip


def act(activity: str, *touched: Touched, by: str | None = ME, succeeded: bool = True, place: int = 0) -> Act:
    return Act(f"entry-{place}", AT + timedelta(seconds=place), activity, touched, succeeded, by_user=by)


@pytest.mark.parametrize(
    ("activity", "touched", "kind", "says"),
    [
        ("Add member to role", (ANOTHER, ROLE), FindingKind.ROLE, "gave Reports Reader to kim@contoso.com"),
        (
            "Add eligible member to role in PIM completed (permanent)",
            (ANOTHER, ROLE),
            FindingKind.ROLE,
            "kim@contoso.com eligible for Reports Reader",
        ),
        (
            "Add eligible member to role in PIM completed (timebound)",
            (ITSELF, ROLE),
            FindingKind.ROLE,
            "itself eligible",
        ),
        ("Add member to role in PIM completed (timebound)", (ANOTHER, ROLE), FindingKind.ROLE, "scheduled"),
        ("Add member to role in PIM requested (timebound)", (ITSELF, ROLE), FindingKind.ROLE, "for itself"),
        ("Add scoped member to role", (ANOTHER, ROLE), FindingKind.ROLE, "gave"),
        ("Update role definition", (ROLE,), FindingKind.ROLE, "Reports Reader"),
        ("Update role setting in PIM", (ROLE,), FindingKind.POLICY, "Reports Reader"),
        ("Add owner to group", (ANOTHER, GROUP), FindingKind.OWNERSHIP, "kim@contoso.com an owner of Tier 0"),
        ("Add owner to application", (ITSELF, APPLICATION), FindingKind.OWNERSHIP, "itself an owner of Payroll"),
        ("Add owner to service principal", (ITSELF, APPLICATION), FindingKind.OWNERSHIP, "itself an owner of Payroll"),
        ("Admin registered security info", (ANOTHER,), FindingKind.SIGN_IN_METHOD, "for kim@contoso.com"),
        ("User registered all required security info", (ANOTHER,), FindingKind.SIGN_IN_METHOD, "for kim"),
        (
            "Update application \N{EN DASH} Certificates and secrets management",
            (APPLICATION,),
            FindingKind.CREDENTIAL,
            "credentials of Payroll",
        ),
        ("Add service principal credentials", (APPLICATION,), FindingKind.CREDENTIAL, "credentials of Payroll"),
        ("Consent to application", (APPLICATION,), FindingKind.CONSENT, "permissions to Payroll"),
        ("Add delegated permission grant", (APPLICATION,), FindingKind.CONSENT, "permissions to Payroll"),
        ("Add app role assignment to service principal", (APPLICATION,), FindingKind.CONSENT, "to Payroll"),
        ("Add app role assignment grant to user", (ANOTHER,), FindingKind.CONSENT, "to kim"),
        ("Add application", (APPLICATION,), FindingKind.APPLICATION, "Payroll"),
        ("Add service principal", (APPLICATION,), FindingKind.APPLICATION, "Payroll"),
        ("Update conditional access policy", (POLICY,), FindingKind.POLICY, "Require MFA"),
        ("Delete conditional access policy", (POLICY,), FindingKind.POLICY, "Require MFA"),
        ("Add named location", (POLICY,), FindingKind.POLICY, "Require MFA"),
        ("Authentication Methods Policy Update", (POLICY,), FindingKind.POLICY, "sign in"),
        ("Update authorization policy", (POLICY,), FindingKind.POLICY, "sign in"),
        ("Disable Strong Authentication", (ANOTHER,), FindingKind.POLICY, "sign in"),
        ("Set domain authentication", (Touched(None, "Directory", "contoso.com"),), FindingKind.TRUST, "contoso.com"),
        ("Set federation settings on domain", (), FindingKind.TRUST, "something"),
        ("Add a partner to cross-tenant access setting", (), FindingKind.TRUST, "trusts"),
        ("Restore user", (ANOTHER,), FindingKind.ACCOUNT, "kim@contoso.com"),
    ],
)
def test_each_way_to_come_back_alarms(
    activity: str, touched: tuple[Touched, ...], kind: FindingKind, says: str
) -> None:
    found = judge(act(activity, *touched), ME, OURS, closed=True)
    assert found is not None
    assert (found.kind, found.alarming, found.removed) == (kind, True, False)
    assert says in found.sentence
    assert found.evidence == ("entry-0",)


@pytest.mark.parametrize(
    ("activity", "second"),
    [("Add member to role", ROLE), ("Add member to group", GROUP), ("User registered security info", None)],
)
def test_what_the_closing_takes_away_alarms_only_where_it_is_not_proven_gone(
    activity: str, second: Touched | None
) -> None:
    own = act(activity, ITSELF, *([second] if second else []))
    gone, still_there = (judge(own, ME, OURS, closed=closed) for closed in (True, False))
    assert gone is not None
    assert still_there is not None
    assert (gone.removed, gone.alarming) == (True, False)
    assert (still_there.removed, still_there.alarming) == (False, True)
    assert "itself" in gone.sentence


@pytest.mark.parametrize("activity", ["Add user", "Invite external user", "Add member to group"])
def test_what_a_job_brings_along_is_listed_without_an_alarm(activity: str) -> None:
    found = judge(act(activity, ANOTHER, GROUP), ME, OURS, closed=True)
    assert found is not None
    assert not found.alarming


@pytest.mark.parametrize("activity", ["Update service principal", "Add owner to service principal", "Whatever is new"])
@pytest.mark.parametrize(
    "mine", [Touched(OWN_PRINCIPAL, "ServicePrincipal"), Touched("x", "Application", values=(f'["{OWN_CLIENT}"]',))]
)
def test_whatever_is_done_to_our_own_application_alarms(activity: str, mine: Touched) -> None:
    """Its object id is not always to be had; Microsoft names the client id among the changed properties."""
    found = judge(act(activity, ITSELF, mine), ME, OURS, closed=True)
    assert found is not None
    assert (found.kind, found.alarming) == (FindingKind.OUR_APPLICATION, True)


@given(
    ordinary=st.lists(st.sampled_from(ORDINARY), max_size=200),
    usual=st.integers(0, 200),
    refused=st.integers(0, 5),
    where=st.floats(0, 1),
)
def test_no_amount_of_work_hides_a_finding(ordinary: list[str], usual: int, refused: int, where: float) -> None:
    work = [act(name, ANOTHER, place=place) for place, name in enumerate(ordinary)]
    work += [act("Add user", ANOTHER, place=1000 + place) for place in range(usual)]
    tries = [act("Add member to role", ANOTHER, ROLE, succeeded=False, place=9000 + one) for one in range(refused)]
    hidden = act("Add owner to application", ITSELF, APPLICATION, place=500)
    place = int(where * len(work))
    reviewed = review([*work[:place], hidden, *tries, *work[place:]], ME, OURS, closed=True)
    assert [finding.sentence for finding in reviewed.findings if finding.alarming] == [
        "made itself an owner of Payroll"
    ]
    assert len(reviewed.findings) == min(usual + 1, MOST_FINDINGS)
    assert sum(reviewed.done.values()) == len(work) + 1, "all is counted"
    assert reviewed.refused == refused
    assert [finding.at for finding in reviewed.findings] == sorted(f.at for f in reviewed.findings if f.at)


def test_a_foreign_change_is_what_neither_we_nor_the_technician_nor_microsoft_did() -> None:
    ours = Act("1", AT, "Disable account", (ITSELF,), by_client=OWN_CLIENT)
    by_our_principal = Act("2", AT, "Disable account", (ITSELF,), by_principal=OWN_PRINCIPAL)
    microsofts = Act("3", AT, "Add member to group", (ITSELF, GROUP))
    own = act("User registered security info", ITSELF)
    by_another = act("Enable account", ITSELF, by=SOMEBODY)
    by_an_application = Act("5", AT, "Update user", (ITSELF,), by_principal="stranger", by_client="strange")
    refused = act("Enable account", ITSELF, by=SOMEBODY, succeeded=False)
    everything = [ours, by_our_principal, microsofts, own, by_another, by_an_application, refused]
    first, second = foreign_changes(everything, ME, OURS)
    assert "Enable account, by the account somebody" in first
    assert "Update user, by the application strange" in second
