"""Accounts are opened only in domains that the tenant has verified and whose passwords Microsoft itself checks.

In a federated domain another identity provider decides who has signed in: a closed account would be open to the
operators of that provider, and a password that was set means nothing.
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from entra_jit.policy.domain import OTHER_GLOBAL_ADMINISTRATORS, refuse_domain, refuse_global_administrator


@pytest.mark.parametrize(
    ("is_managed", "sentence"), [(None, "is not verified in contoso"), (False, "is federated"), (True, None)]
)
def test_only_what_is_verified_and_managed_is_let_through(is_managed: bool | None, sentence: str | None) -> None:
    said = refuse_domain("contoso", "contoso.com", is_managed=is_managed)
    assert (said is None) if sentence is None else (said is not None and sentence in said)


@given(st.integers(min_value=0, max_value=20))
def test_a_tenant_that_would_be_left_without_administrators_gives_the_role_to_nobody(others: int) -> None:
    said = refuse_global_administrator("contoso", others)
    assert (said is None) == (others >= OTHER_GLOBAL_ADMINISTRATORS)
