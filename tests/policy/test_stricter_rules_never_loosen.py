"""The answer to a request: no where a fact is missing, and never more because a rule was added.

Limits that can be crept past by extending, or that an unreadable configuration switches off, are no limits.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from entra_jit.policy.decision import PolicyDecision, decide, no_longer_due
from entra_jit.policy.durations import DECISION_WINDOW, LONGEST, PROVISIONING_WINDOW, SHORTEST
from entra_jit.policy.entitlement import ALL_TECHNICIANS, Group, RoleMapping
from entra_jit.policy.facts import Facts, TechnicianTerms, TenantTerms
from entra_jit.policy.rules.hours import refuse_extension
from models.holds import Hold, HoldKind
from models.messages import AccessItem, AccessKind, AccessRequest, TechnicianId, TenantId
from tests.actors import TESTER

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
HELPDESK = AccessItem(kind=AccessKind.ROLE, id="729827e3-9c14-49f7-bb1b-9608f156bbb8", name="Helpdesk Administrator")
OPERATORS = AccessItem(kind=AccessKind.GROUP, id="c0c0c0c0-2222-4222-8222-00000000ee03", name="Operators")
GLOBAL = "Global Administrator"
EVERYONE = [RoleMapping(ALL_TECHNICIANS, None, HELPDESK)]
ALEX = TechnicianTerms(TechnicianId("0a0a0a0a-1111-4111-8111-0000000000a1"), "alex", {}, active=True)

durations = st.timedeltas(timedelta(0), timedelta(days=8))
limits = st.timedeltas(SHORTEST, LONGEST)


def contoso(default: timedelta = timedelta(hours=4), most: timedelta = timedelta(hours=8)) -> TenantTerms:
    return TenantTerms(
        id=TenantId("c0c0c0c0-2222-4222-8222-000000000002"),
        name="contoso",
        account_domain="contoso.onmicrosoft.com",
        account_prefix="msp-",
        default_duration=default,
        max_duration=most,
        active=True,
    )


def ask(duration: timedelta | None = None, access: tuple[str, ...] | None = None) -> AccessRequest:
    return AccessRequest(
        request_id="r-1",
        tenant="contoso",
        technician="alex",
        reason="a test",
        duration=duration,
        access=access,
        asked_at=NOON,
    )


def answer_to(
    asked: timedelta | None = None,
    tenant: TenantTerms | None = None,
    *,
    mappings: Iterable[RoleMapping] = EVERYONE,
    groups: Iterable[Group] = (),
    at: datetime = NOON,
    stop: Hold | None = None,
    access: tuple[str, ...] | None = None,
) -> PolicyDecision:
    """What Alex is answered, in Contoso unless another tenant is given."""
    return decide(Facts(ask(asked, access), tenant or contoso(), ALEX, tuple(groups), tuple(mappings), stop, at))


@given(st.none() | durations, limits, limits)
def test_nothing_is_granted_beyond_the_tenants_maximum(
    asked: timedelta | None, default: timedelta, most: timedelta
) -> None:
    answer = answer_to(asked, contoso(default, most))

    if answer.terms:
        assert SHORTEST <= answer.terms.duration <= most
        assert answer.terms.duration == (default if asked is None else asked)
    else:
        assert "cannot be granted" in answer.sentence


@given(st.none() | durations, limits, limits, limits)
def test_a_lower_maximum_never_allows_more(
    asked: timedelta | None, default: timedelta, one: timedelta, other: timedelta
) -> None:
    lax, strict = contoso(default, max(one, other)), contoso(default, min(one, other))
    before, after = answer_to(asked, lax), answer_to(asked, strict)

    if after.terms:
        assert after.terms == before.terms


NAMES = st.sampled_from(
    [HELPDESK.name, HELPDESK.id, HELPDESK.name.upper(), OPERATORS.name, OPERATORS.words, OPERATORS.id, "x", GLOBAL]
)


@given(st.none() | st.lists(NAMES, max_size=4).map(tuple), st.sets(st.sampled_from([HELPDESK, OPERATORS])))
def test_naming_roles_never_gives_more(access: tuple[str, ...] | None, mapped: set[AccessItem]) -> None:
    """The checkboxes of a form come from the browser: a role that was added there must not be given."""
    mappings = [RoleMapping(ALL_TECHNICIANS, None, item) for item in mapped]
    everything, answer = answer_to(mappings=mappings), answer_to(mappings=mappings, access=access)

    if answer.terms:
        assert everything.terms
        assert set(answer.terms.access) <= set(everything.terms.access)
        assert replace(answer.terms, access=()) == replace(everything.terms, access=())
        for item in answer.terms.access:
            assert access is None or any(item.is_called(name) for name in access), "nothing but what was asked for"
    else:
        unmapped = [name for name in access or () if not any(item.is_called(name) for item in mapped)]
        assert unmapped or access == () or not mapped
        assert answer.sentence.endswith(".")


def test_a_role_that_cannot_be_had_is_refused_with_what_can() -> None:
    """Leaving it out would have the technician find out at the customer's."""
    refused = answer_to(access=("Company Administrator",)).sentence
    assert refused == (
        "'Company Administrator' is called Global Administrator today; write that. "
        "alex may have in contoso: Helpdesk Administrator."
    )
    assert answer_to(access=(GLOBAL,)).sentence.startswith("No role mapping gives 'Global Administrator'. ")
    assert answer_to(access=()).sentence == "No role was selected. Select at least one."
    twins = [HELPDESK, OPERATORS.model_copy(update={"name": HELPDESK.name})]
    mappings = [RoleMapping(ALL_TECHNICIANS, None, item) for item in twins]
    assert "name one by its id" in answer_to(mappings=mappings, access=(HELPDESK.name,)).sentence


@given(
    st.sets(st.sampled_from(["tenant", "technician", "tenant off", "technician off", "group", "domain", "mappings"]))
)
def test_a_missing_fact_is_a_no_and_touches_nothing(missing: set[str]) -> None:
    tenant: TenantTerms | None = contoso()
    technician: TechnicianTerms | None = ALEX
    mappings = list(EVERYONE)
    if "domain" in missing:
        tenant = replace(contoso(), account_domain="")
    if "tenant off" in missing:
        tenant = replace(contoso(), active=False)
    if "tenant" in missing:
        tenant = None
    if "technician off" in missing:
        technician = replace(ALEX, active=False)
    if "technician" in missing:
        technician = None
    if "group" in missing:
        mappings.append(RoleMapping("levle-2", None, HELPDESK))
    if "mappings" in missing:
        mappings = []
    answer = decide(Facts(ask(), tenant, technician, (), tuple(mappings), stop=None, at=NOON))

    assert (answer.terms is None) == bool(missing)
    assert answer.reasons, "each answer says which rule gave it"
    assert all(reason.line.endswith(".") for reason in answer.reasons)
    assert answer.sentence.endswith(".")


@given(
    st.none() | durations,
    st.booleans(),
    st.booleans(),
    st.timedeltas(timedelta(0), timedelta(hours=2)),
    st.sampled_from([(None, None), ("contoso", None), (None, "alex")]),
)
def test_an_emergency_stop_never_allows_anything(
    asked: timedelta | None, tenant: bool, mapped: bool, waited: timedelta, scope: tuple[str | None, str | None]
) -> None:
    stop = Hold(kind=HoldKind.STOP, tenant=scope[0], technician=scope[1], since=NOON, by=TESTER, reason="a theft")
    terms = contoso() if tenant else None
    mappings = tuple(EVERYONE if mapped else ())
    answer = decide(Facts(ask(asked), terms, ALEX, (), mappings, stop, NOON + waited))

    assert answer.terms is None
    assert answer.sentence == stop.sentence or not tenant, "it is what the requester should read"


@given(st.timedeltas(timedelta(minutes=-5), timedelta(days=2)))
def test_access_is_decided_soon_after_it_was_asked_for_and_opens_soon_after_that(waited: timedelta) -> None:
    answer = answer_to(at=NOON + waited)

    assert (answer.terms is not None) == (waited < DECISION_WINDOW)
    if answer.terms:
        assert answer.terms.window_ends_at == NOON + waited + PROVISIONING_WINDOW, "an approval may take its time"


@given(
    st.sets(st.sampled_from(["tenant off", "technician off", "unknown group"])),
    st.sets(st.sampled_from([HELPDESK, OPERATORS])),
    st.sets(st.sampled_from([HELPDESK, OPERATORS])),
)
def test_what_was_granted_is_due_only_while_it_would_be_granted(
    changed: set[str], granted: set[AccessItem], mapped: set[AccessItem]
) -> None:
    """Between the decision and the opening a technician may have left, or lost a role or a group."""
    tenant = replace(contoso(), active="tenant off" not in changed)
    technician = replace(ALEX, active="technician off" not in changed)
    mappings = [RoleMapping(ALL_TECHNICIANS, None, role) for role in mapped]
    if "unknown group" in changed:
        mappings.append(RoleMapping("levle-2", None, HELPDESK))
    why = no_longer_due(granted, tenant, technician, [], mappings)

    assert (why is None) == (not changed and granted <= mapped)
    if why is None and granted:
        answer = answer_to(mappings=mappings)
        assert answer.terms
        assert granted <= set(answer.terms.access)


def test_a_group_that_is_taken_away_takes_its_access_with_it() -> None:
    """A mapping to a group that was deleted must not fall back to anything."""
    senior = Group("senior", frozenset({ALEX.id}))
    mapping = [RoleMapping("senior", None, HELPDESK)]
    assert answer_to(mappings=mapping, groups=[senior]).terms
    assert answer_to(mappings=mapping).terms is None
    assert answer_to(mappings=mapping, groups=[replace(senior, members=frozenset())]).terms is None


@given(limits, limits, st.lists(st.tuples(durations, durations), max_size=8))
def test_extensions_cannot_creep_past_the_maximum(
    duration: timedelta, most: timedelta, extensions: list[tuple[timedelta, timedelta]]
) -> None:
    """Each extension is small; it is the sum that the limit is about."""
    duration = min(duration, most)
    expires_at, at = NOON + duration, NOON
    for waited, longer in extensions:
        at += waited
        wanted = expires_at + longer
        refusal = refuse_extension(expires_at=expires_at, wanted=wanted, armed_at=NOON, max_duration=most, at=at)
        if refusal is None:
            assert at < expires_at, "what has expired is asked for anew"
            assert wanted > expires_at, "an extension never shortens"
            expires_at = wanted
        else:
            assert refusal
    assert expires_at - NOON <= most


@given(limits, limits, limits)
def test_a_lower_maximum_never_extends_more(duration: timedelta, one: timedelta, longer: timedelta) -> None:
    expires_at = NOON + duration
    lax, strict = duration + one, duration + one / 2

    def refusal(most: timedelta) -> str | None:
        return refuse_extension(
            expires_at=expires_at, wanted=expires_at + longer, armed_at=NOON, max_duration=most, at=NOON
        )

    assert refusal(strict) or not refusal(lax)
