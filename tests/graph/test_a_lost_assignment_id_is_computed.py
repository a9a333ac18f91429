"""The answer to a role assignment can get lost; its id is computed then, and a wrong id would leave the role held."""

from __future__ import annotations

from base64 import urlsafe_b64decode
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from entra_jit.graph import addresses, assignment_id
from models.messages import ObjectId, RoleId


@pytest.mark.parametrize(
    ("role", "principal", "expected"),
    [
        (
            "62e90394-69f5-4237-9190-012177145e10",
            "ace08ec9-aa11-4ada-9145-addf0398233e",
            "lAPpYvVpN0KRkAEhdxReEMmO4KwRqtpKkUWt3wOYIz4-1",
        ),
        (
            "62e90394-69f5-4237-9190-012177145e10",
            "6f87972e-2e7e-4b49-9980-eb3888bdcfe1",
            "lAPpYvVpN0KRkAEhdxReEC6Xh29-LklLmYDrOIi9z-E-1",
        ),
        (
            "62e90394-69f5-4237-9190-012177145e10",
            "10fc1cc8-ac36-4186-b99b-0cf814aa2dd5",
            "lAPpYvVpN0KRkAEhdxReEMgc_BA2rIZBuZsM-BSqLdU-1",
        ),
    ],
)
def test_an_id_is_the_one_that_microsoft_documents(role: str, principal: str, expected: str) -> None:
    """The formula is observed, not documented: these are ids from Microsoft's own examples."""
    assert assignment_id(RoleId(role), ObjectId(principal)) == expected


@given(st.uuids(), st.uuids())
def test_an_id_names_one_role_and_one_principal(role: UUID, principal: UUID) -> None:
    """Two assignments with one id, or role and principal swapped, would remove the wrong one."""
    found = assignment_id(RoleId(str(role)), ObjectId(str(principal)))
    assert addresses.opaque(found) == found
    decoded = urlsafe_b64decode(found.removesuffix("-1") + "==")
    assert (UUID(bytes_le=decoded[:16]), UUID(bytes_le=decoded[16:])) == (role, principal)
