"""The one audit entry that gives a way back is found among thousands that are an administrator's daily work.

A review that knows only half of Microsoft's names misses the secret on an application; one that alarms at each new
user is soon ignored. No other act of an account may hide a finding.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from entra_jit.policy.audit_activities import ROWS, find
from entra_jit.policy.persistence import (
    MOST_FINDINGS,
    Act,
    Ours,
    Touched,
    describe_foreign,
    foreign_acts,
    judge,
    review,
)
from models.sweep import FindingKind

AT = datetime(2026, 11, 23, 12, tzinfo=UTC)
ME, SOMEBODY, OWN_PRINCIPAL, OWN_CLIENT = "me", "somebody", "our-principal", "our-client"
EXACT = [name for row in ROWS for line in row.names.splitlines() if (name := line.strip()) and not name.endswith("*")]
SPELLINGS: list[Callable[[str], str]] = [
    lambda name: f"{name} ",
    lambda name: name.replace(" ", "\u00a0"),
    lambda name: name.replace("-", "\N{EN DASH}").replace("'", "\N{RIGHT SINGLE QUOTATION MARK}"),
    lambda name: name.replace("-", "\N{NON-BREAKING HYPHEN}"),
    lambda name: f"\ufeff{name.replace(' ', '  ')}",
]
OURS = Ours(frozenset({OWN_CLIENT}), frozenset({OWN_PRINCIPAL}))
ITSELF = Touched(ME, "User", "msp-alex@contoso.com")
ANOTHER = Touched(SOMEBODY, "User", "kim@contoso.com")
ROLE = Touched("role", "Role", "Reports Reader")
GROUP = Touched("group", "Group", "Tier 0")
APPLICATION = Touched("app", "Application", "Payroll")
POLICY = Touched("policy", "Policy", "Require MFA")
ORDINARY = ("Update user", "Delete user", "Disable account", "Add group", "Update group",
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
            "Update application \N{EN DASH} Certificates and secrets management ",
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


@pytest.mark.parametrize(
    "activity",
    [
        "Add user",
        "Invite external user",
        "Add member to group",
        "Reset user password",
        "Update PasswordProfile",
        "Enable account",
        "Read BitLocker key",
        "Register device",
    ],
)
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


def test_the_role_that_is_named_before_the_account_is_still_the_role() -> None:
    """Privileged Identity Management names the role first and the account third."""
    request = Touched("request", "Request")
    pim = "Add member to role completed (PIM activation)"
    own = judge(act(pim, ROLE, request, ITSELF), ME, OURS, closed=True)
    other = judge(act(pim, ROLE, request, ANOTHER), ME, OURS, closed=True)
    assert own is not None
    assert other is not None
    assert (own.sentence, own.removed, own.alarming) == ("gave Reports Reader to itself", True, False)
    assert (other.sentence, other.removed, other.alarming) == ("gave Reports Reader to kim@contoso.com", False, True)


def test_what_touches_another_account_too_is_not_taken_for_removed() -> None:
    found = judge(act("Add member to group", ITSELF, ANOTHER, GROUP), ME, OURS, closed=True)
    assert found is not None
    assert (found.removed, found.alarming) == (False, True)


@given(known=st.sampled_from(EXACT), spelt=st.sampled_from([str.upper, str.lower, *SPELLINGS]))
def test_no_spelling_hides_an_activity(known: str, spelt: Callable[[str], str]) -> None:
    assert find(spelt(known)) is find(known) is not None


def test_every_name_is_there_once_and_decides_alone() -> None:
    """The table refuses a name that stands twice; a longer beginning decides before a shorter one."""
    assert len(EXACT) > 400
    assert find("Add member to role in PIM canceled (timebound)") is find("Update user")
    assert find("Get a new kind of object") is find("Update user")


@pytest.mark.parametrize("activity", ["", "Add", "Something new", "Update application - Something new", "Add user to"])
def test_what_is_not_known_is_reported_once_each_and_never_dropped(activity: str) -> None:
    several = [act(activity, ANOTHER, place=place) for place in range(12)]
    (found,) = review(several, ME, OURS, closed=True).findings
    assert (found.kind, found.alarming, found.removed) == (FindingKind.UNKNOWN, True, False)
    assert activity in found.sentence
    assert "12 times" in found.sentence
    assert found.evidence[0] == "entry-0"


def test_no_repetition_of_one_finding_hides_another() -> None:
    flood = [act("Update application", APPLICATION, place=place) for place in range(2 * MOST_FINDINGS)]
    others = [act("Consent to application", APPLICATION, place=900), act("Something new", place=901)]
    found = review([*flood, *others], ME, OURS, closed=True).findings
    assert len(found) == MOST_FINDINGS
    assert {one.kind for one in found} == {FindingKind.APPLICATION, FindingKind.CONSENT, FindingKind.UNKNOWN}


def test_a_change_of_our_application_is_known_whatever_type_and_case_it_is_written_in() -> None:
    for mine in (Touched(OWN_PRINCIPAL, "Other"), Touched("x", "Other", values=(f'["{OWN_CLIENT.upper()}"]',))):
        found = judge(act("Update service principal", mine), ME, OURS, closed=True)
        assert found is not None
        assert found.kind is FindingKind.OUR_APPLICATION


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


def test_a_foreign_change_is_what_neither_we_nor_the_technician_did() -> None:
    """Whether an application is Microsoft's own, no entry tells: the directory is asked."""
    ours = Act("2", AT, "Disable account", (ITSELF,), by_principal=OWN_PRINCIPAL)
    by_none = Act("3", AT, "Add member to group", (ITSELF, GROUP))
    own = act("User registered security info", ITSELF)
    by_another = act("Enable account", ITSELF, by=SOMEBODY)
    by_an_application = Act("5", AT, "Update user", (ITSELF,), by_principal="stranger", by_name="Backup")
    refused = act("Enable account", ITSELF, by=SOMEBODY, succeeded=False)
    everything = [ours, by_none, own, by_another, by_an_application, refused]
    first, second = map(describe_foreign, foreign_acts(everything, ME, OURS))
    assert "Enable account, by the account somebody" in first
    assert "Update user, by the application Backup" in second
