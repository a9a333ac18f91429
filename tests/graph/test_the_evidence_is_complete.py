"""What rests on documentation alone must be known before the first real tenant finds out.

Each operation of the client and each refusal that it acts on has a row in the sandbox's table of evidence; what the
client looks for in a refusal is found in what was observed.
"""

from __future__ import annotations

import inspect
import re
from typing import get_type_hints

import pytest

from entra_jit.graph import Tenant, catalogue, sign_in
from sandbox.conformance import evidence

TOKENS = {"tokens.secret", "tokens.certificate", "tokens.federated", "tokens.discovery"}
BESIDE = {"pages", *TOKENS, "consent.accepted", "consent.declined", "person_sign_in", "public_sign_in"}
"""What is asked within other operations, and of people."""


def client_operations() -> set[str]:
    readers = {name: kind for name, kind in get_type_hints(Tenant).items() if kind.__module__.startswith("entra_jit")}
    return {
        f"{name}.{method}"
        for name, kind in readers.items()
        if name not in {"connection", "_calls"}
        for method, run in vars(kind).items()
        if not method.startswith("_") and (inspect.iscoroutinefunction(run) or inspect.isasyncgenfunction(run))
    }


def test_each_operation_has_a_row() -> None:
    assert evidence().operations.keys() == client_operations() | BESIDE


@pytest.mark.parametrize("number", sorted({*sign_in._REFUSALS, *sign_in._PASSING}))
def test_each_number_of_the_sign_in_service_has_a_row(number: int) -> None:
    assert f"AADSTS{number}" in evidence().refusals


@pytest.mark.parametrize("row", [row for row in catalogue._ROWS if row.code or row.says], ids=str)
def test_each_refusal_has_a_row(row: catalogue._Row) -> None:
    known = evidence().refusals.values()
    if row.code:
        assert row.code in {one.code for one in known}
    elif catalogue.NOT_GRAPHS not in str(row.says):
        assert any(re.search(str(row.says), one.words or "", re.IGNORECASE) for one in known)
