"""Only roles that Microsoft lets an administrator assign can be mapped, each under its current name.

A guessed role is one that no administrator chose. An implicit role cannot be assigned: a grant of it would park in the
customer's tenant instead of being refused in the file.
"""

from __future__ import annotations

import json
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from entra_jit.policy import roles
from entra_jit.policy.roles import GLOBAL_ADMINISTRATOR, assignable_roles, find_role
from models.errors import BadInputError

KINDS = ("assignable", "implicit")
LISTED = json.loads((Path(roles.__file__).with_name("directory_roles.json")).read_text())
SPELLINGS = [
    str,
    str.upper,
    lambda guid: guid.replace("-", ""),
    lambda guid: f"{{{guid}}}",
    lambda guid: f"urn:uuid:{guid}",
]


@given(st.sampled_from(LISTED["assignable"]), st.sampled_from([str, str.upper, str.lower, lambda name: f" {name} "]))
def test_a_role_is_found_by_its_name_in_any_case(listed: dict[str, str], spelt: type[str]) -> None:
    role = find_role(spelt(listed["name"]))
    assert (role.id, role.name) == (listed["id"], listed["name"])


@given(st.sampled_from(LISTED["assignable"]), st.sampled_from(SPELLINGS))
def test_an_id_is_the_role_however_it_is_spelt(listed: dict[str, str], spelt: type[str]) -> None:
    """In braces or without hyphens, Global Administrator must not pass for some tenant's custom role."""
    role = find_role(spelt(listed["id"]))
    assert (role.id, role.name) == (listed["id"], listed["name"])


@given(st.sampled_from(LISTED["implicit"]), st.sampled_from(SPELLINGS))
def test_an_implicit_role_is_refused_however_it_is_spelt(listed: dict[str, str], spelt: type[str]) -> None:
    for spelling in (spelt(listed["id"]), listed["name"], listed["name"].upper()):
        with pytest.raises(BadInputError, match="held implicitly and cannot be assigned"):
            find_role(spelling)


@given(st.uuids(version=4))
def test_an_id_that_is_not_listed_is_a_custom_role_and_called_so(guid: UUID) -> None:
    role = find_role(str(guid))
    assert role.id == str(guid)
    assert role.name == f"custom role {guid}"


@given(st.text(max_size=60))
def test_a_name_that_is_not_listed_is_refused(text: str) -> None:
    if any(text.strip().lower() == role["name"].lower() for kind in KINDS for role in LISTED[kind]):
        return
    with pytest.raises(BadInputError, match="neither a built-in directory role nor a role id"):
        find_role(text)


@pytest.mark.parametrize("near", ["Global Admin", "global-administrator", "Exchange  Administrator", "", "*"])
def test_nearly_a_name_is_no_name(near: str) -> None:
    with pytest.raises(BadInputError):
        find_role(near)


def test_no_role_is_both_assignable_and_implicit() -> None:
    implicit = {role["id"] for role in LISTED["implicit"]}
    assert implicit
    assert not implicit & set(assignable_roles())
    assert assignable_roles()[GLOBAL_ADMINISTRATOR].name == "Global Administrator"


@pytest.mark.parametrize(
    ("today", "former"), [(today, name) for today, names in LISTED["former"].items() for name in names]
)
def test_a_former_name_is_answered_with_todays(today: str, former: str) -> None:
    """Scripts and lists of MSPs still say Company Administrator; that it is unknown helps them nothing."""
    assert find_role(today).name == today
    with pytest.raises(BadInputError, match=f"{former.upper()}.* is called {today} today"):
        find_role(former.upper())
