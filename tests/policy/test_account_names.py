"""Each account belongs to one person, under a name that Entra accepts.

A name that Entra refuses parks every grant of that technician; a name that two people share gives one the other's
access, and a receipt that proves the wrong thing.
"""

from __future__ import annotations

import hashlib
import re
from uuid import UUID

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from entra_jit.policy.names import DOMAIN_LENGTH, LOCAL_PART_LENGTH, account_name
from models.errors import BadInputError
from models.messages import AccessRequest, SignedAccessRequest, TechnicianId

DOMAIN = "contoso.onmicrosoft.com"
LEGAL_LOCAL_PART = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._'-]*[A-Za-z0-9_-])?")

typed_names = st.from_regex(r"[a-z0-9][a-z0-9-]{0,62}", fullmatch=True)
any_names = typed_names | st.text(min_size=1, max_size=120)
prefixes = st.from_regex(r"[a-z0-9-]{0,20}", fullmatch=True)
technicians = st.uuids().map(lambda guid: TechnicianId(str(guid)))


@given(prefixes, any_names, technicians)
@example("", "---", TechnicianId(str(UUID(int=7))))
@example("msp-", "Zoë Müller", TechnicianId(str(UUID(int=7))))
@example("msp-", "李小龍", TechnicianId(str(UUID(int=7))))
@example("a" * 20, "b" * 63, TechnicianId(str(UUID(int=7))))
def test_entra_takes_every_name(prefix: str, technician: str, technician_id: TechnicianId) -> None:
    name = account_name(prefix, technician, technician_id, DOMAIN)

    local, _, domain = name.partition("@")
    assert LEGAL_LOCAL_PART.fullmatch(local), name
    assert len(local) <= LOCAL_PART_LENGTH
    assert domain == DOMAIN
    assert name == name.lower()


@given(prefixes, any_names, technicians)
def test_the_same_technician_has_the_same_name_every_time(
    prefix: str, technician: str, technician_id: TechnicianId
) -> None:
    first = account_name(prefix, technician, technician_id, DOMAIN)

    assert first == account_name(prefix, technician, technician_id, DOMAIN)
    assert first == account_name(prefix, technician, TechnicianId(technician_id.upper()), DOMAIN.upper())


@given(prefixes, any_names, any_names, technicians, technicians)
def test_two_technicians_never_share_a_name(
    prefix: str, one: str, other: str, one_id: TechnicianId, other_id: TechnicianId
) -> None:
    if one == other or one_id == other_id:
        return  # the configuration refuses two technicians of one name or id
    assert account_name(prefix, one, one_id, DOMAIN) != account_name(prefix, other, other_id, DOMAIN)


@given(prefixes, any_names, technicians, technicians)
@example("msp-", "alex-", TechnicianId(str(UUID(int=1))), TechnicianId(str(UUID(int=2))))
def test_nobody_gets_anothers_account_by_being_called_like_it(
    prefix: str, technician: str, technician_id: TechnicianId, impostor_id: TechnicianId
) -> None:
    """A name that was cut or changed carries a suffix; a second technician may be named exactly so, by chance or not.

    (Two ids whose suffixes agree are one in 16 million, and are caught by the register's unique name.)
    """
    if _suffix(technician_id) == _suffix(impostor_id):
        return
    taken = account_name(prefix, technician, technician_id, DOMAIN)
    impostor = taken.partition("@")[0].removeprefix(prefix)
    if impostor == technician:
        return
    assert account_name(prefix, impostor, impostor_id, DOMAIN) != taken


def _suffix(technician_id: TechnicianId) -> str:
    return hashlib.sha256(technician_id.encode()).hexdigest()[:6]


def test_the_usual_name_is_the_plain_one() -> None:
    alex = TechnicianId(str(UUID(int=1)))
    assert account_name("msp-", "alex", alex, "Contoso.onmicrosoft.com") == "msp-alex@contoso.onmicrosoft.com"


@pytest.mark.parametrize("domain", ["", "d" * (DOMAIN_LENGTH + 1)])
def test_a_domain_that_cannot_carry_a_name_is_refused_with_a_sentence(domain: str) -> None:
    with pytest.raises(BadInputError, match="must have 1 to 48 characters"):
        account_name("msp-", "alex", TechnicianId(str(UUID(int=1))), domain)


def test_nobody_can_type_the_name_of_an_account() -> None:
    """A typed name could be another person's. No message that asks for access has a place for one."""
    fields = set(AccessRequest.model_fields) | set(SignedAccessRequest.model_fields)
    assert not {field for field in fields if "account" in field or "upn" in field or "user" in field}
