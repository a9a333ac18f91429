"""A file and the portal's page are two ways to the same configuration: an export that is applied changes nothing.

A text that came back as a number, or a default that was filled in twice, would change who may do what unseen.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from uuid import UUID

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from entra_jit.configuration_file import read, write
from entra_jit.configuration_file.values import read_label
from entra_jit.policy.configuration import (
    Application,
    Configuration,
    GroupEntry,
    RoleMappingEntry,
    SecretSource,
    SecurityGroupEntry,
    TechnicianEntry,
    TenantDefaults,
    TenantEntry,
)
from entra_jit.policy.durations import LONGEST, SHORTEST
from entra_jit.policy.entitlement import ALL_TECHNICIANS, AttributeRule, AttributeTest
from models.errors import BadInputError

EXAMPLE = Path(__file__).parent.parent.parent / "examples" / "msp.yaml"


def _is_label(text: str) -> bool:
    try:
        return bool(text.strip()) and read_label(text) == text
    except BadInputError:
        return False


NAMES = st.from_regex(r"[a-z0-9][a-z0-9-]{0,10}", fullmatch=True)
ODD = st.sampled_from(
    ["no", "010", "1:30", "null", "~", "2026-11-27", "a: b", "- x", "#x", "*a", "&a", "!x", "%", "'", '"', "=", "<<"]
)
LABELS = ODD | st.text(max_size=20).filter(_is_label)
DURATIONS = st.timedeltas(SHORTEST, LONGEST) | st.integers(1, 168).map(lambda hours: timedelta(hours=hours))
SOURCES = st.builds(SecretSource, st.just("SECRET")) | st.builds(SecretSource, st.none(), st.just(Path("a secret")))
PROOFS = st.one_of(
    st.tuples(SOURCES, st.none(), st.none()),
    st.tuples(st.none(), SOURCES, st.none()),
    st.tuples(st.none(), st.none(), st.just(Path("/run/token"))),
)
APPLICATIONS = st.builds(lambda client_id, proof: Application(client_id, *proof), st.uuids(), PROOFS)


@st.composite
def configurations(draw: st.DrawFn) -> Configuration:
    """Whatever a file may say, with texts that readers of YAML are known to misread."""
    ids = iter(draw(st.lists(st.uuids(), min_size=20, max_size=20, unique=True)))
    attributes = draw(st.dictionaries(st.sampled_from(["level", "site", "no"]), LABELS, max_size=3))
    technicians = tuple(
        TechnicianEntry(name, next(ids), draw(LABELS), attributes)
        for name in draw(st.lists(NAMES, min_size=1, max_size=3, unique=True))
    )
    hours, longest = sorted([draw(DURATIONS), draw(DURATIONS)])
    defaults = draw(st.just(TenantDefaults()) | st.just(TenantDefaults("0", hours, longest, "password")))
    tenants = tuple(
        _tenant(draw, name, next(ids)) for name in draw(st.lists(NAMES, min_size=1, max_size=3, unique=True))
    )
    rules = [
        draw(
            st.builds(AttributeRule, st.just(key), st.just(AttributeTest.PREFIX), st.just((value,)))
            | st.builds(
                AttributeRule,
                st.just(key),
                st.just(AttributeTest.ONE_OF),
                st.sampled_from([(value,), (value, f"{value}~")]),
            )
        )
        for key, value in attributes.items()
    ]
    groups = tuple(
        GroupEntry(f"group-{number}", draw(_some([one.name for one in technicians])), draw(_some(rules)))
        for number in range(draw(st.integers(0, 2)))
    )
    mappings = st.builds(
        RoleMappingEntry,
        st.sampled_from([ALL_TECHNICIANS, *(group.name for group in groups)]),
        st.sampled_from([None, *(tenant.name for tenant in tenants)]),
        st.sampled_from([("Reports Reader",), ("Reports Reader", "Helpdesk Administrator")]),
        st.just(()),
    )
    return Configuration(tenants, technicians, groups, tuple(draw(st.lists(mappings, max_size=4))), defaults)


def _some(values: list) -> st.SearchStrategy:
    return st.lists(st.sampled_from(values), unique_by=str, max_size=3).map(tuple) if values else st.just(())


def _tenant(draw: st.DrawFn, name: str, tenant_id: UUID) -> TenantEntry:
    elevate = draw(st.none() | APPLICATIONS)
    hours, longest = sorted([draw(DURATIONS), draw(DURATIONS)])
    return TenantEntry(
        name=name,
        id=tenant_id,
        display_name=draw(LABELS),
        account_domain=f"{name.strip('-')}.onmicrosoft.com",
        account_prefix=draw(st.sampled_from(["msp-", "0", "no"])),
        hours=hours,
        max_hours=longest,
        credential=draw(st.sampled_from(["auto", "password", "temporary_access_pass"])),
        canary=draw(st.sampled_from(["never", "weekly"])),
        emergency_accounts=draw(st.sampled_from([0, 1, 2])),
        emergency_rotation=timedelta(days=draw(st.integers(1, 365))),
        elevate=elevate,
        revoke=draw(APPLICATIONS | st.just(elevate)) if elevate else None,
        security_groups=tuple(
            SecurityGroupEntry(name, draw(st.uuids())) for name in draw(st.lists(LABELS, max_size=2, unique=True))
        ),
        tags=tuple(draw(st.lists(LABELS, max_size=2, unique=True))),
    )


@settings(max_examples=60, suppress_health_check=[HealthCheck.filter_too_much])
@given(configurations())
def test_any_configuration(configuration: Configuration) -> None:
    written = write(configuration)
    assert read(written.encode(), "msp.yaml", lambda _: SecretStr("x"), has_own=True).configuration == configuration, (
        written
    )


def test_the_example() -> None:
    configuration = read(EXAMPLE.read_bytes(), "msp.yaml", lambda _: SecretStr("x")).configuration
    assert read(write(configuration).encode(), "msp.yaml", lambda _: SecretStr("x")).configuration == configuration
