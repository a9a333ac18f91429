"""A name or an id that is not escaped reaches another object or rewrites a filter, and the wrong account is closed."""

from __future__ import annotations

import re
import string
from urllib.parse import parse_qsl, unquote, urlsplit
from uuid import UUID

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from entra_jit.graph import InvalidAddressError, addresses

GRAPH = "https://graph.microsoft.com/v1.0"

names = st.builds(
    "{}@{}".format,
    st.text(string.ascii_letters + string.digits + "'._!#^~-", min_size=1, max_size=64),
    st.text(string.ascii_letters + string.digits + ".-", min_size=1, max_size=48),
)


@given(names)
def test_a_name_stays_one_segment_of_the_path(name: str) -> None:
    """``#`` would end the path, and the request would go to /users with the caller none the wiser."""
    address = urlsplit(f"{GRAPH}/users/{addresses.user_principal_name(name)}?$select=id")
    assert unquote(address.path) == f"/v1.0/users/{name}"
    assert (address.query, address.fragment) == ("$select=id", "")


@given(st.text())
def test_what_is_no_name_never_reaches_a_path(text: str) -> None:
    """A slash would address something below another account, a leading dollar sign an operation."""
    assume(not re.fullmatch(r"[A-Za-z0-9'._!#^~-]{1,64}@[A-Za-z0-9.-]{1,253}", text))
    with pytest.raises(InvalidAddressError):
        addresses.user_principal_name(text)


@given(st.uuids())
def test_an_id_is_sent_in_the_one_form_that_evidence_is_compared_in(uuid: UUID) -> None:
    """Upper and lower case name the same object; receipts must not differ by it."""
    assert addresses.guid(str(uuid).upper()) == str(uuid)


@given(st.text() | st.uuids().map(lambda uuid: f"{uuid}\n") | st.uuids().map(lambda uuid: uuid.hex))
def test_what_is_no_guid_is_not_looked_up_as_a_name(text: str) -> None:
    """Graph takes a malformed id for a user principal name and answers about another account, or none."""
    assume(not re.fullmatch(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", text))
    with pytest.raises(InvalidAddressError):
        addresses.guid(text)


@given(st.text(), st.text())
def test_a_literal_cannot_leave_its_quotes(prefix: str, suffix: str) -> None:
    """``x') or startsWith(displayName,'`` in a tag would list, and close, every account of the tenant."""
    text = f"{prefix}'{suffix}"
    quoted = addresses.literal(text)
    assert re.fullmatch(r"'([^']|'')*'", quoted, re.DOTALL)
    assert quoted[1:-1].replace("''", "'") == text


@given(st.dictionaries(st.sampled_from(["$filter", "$select", "$top"]), st.text(min_size=1), max_size=3))
def test_a_query_says_what_it_was_given(options: dict[str, str]) -> None:
    """An unescaped ``&`` or ``#`` cuts a filter short, and what it should have left out is let in."""
    sent = addresses.query(options)
    assert "+" not in sent
    assert dict(parse_qsl(sent.removeprefix("?"), strict_parsing=bool(options))) == options


@pytest.mark.parametrize("value", ["", ".", "..", "a/b", "a?b", "a%2fb", "a b", "é"])
def test_an_opaque_id_cannot_climb_out_of_its_collection(value: str) -> None:
    """``..`` under roleAssignments would turn a removal of one role into something else."""
    with pytest.raises(InvalidAddressError):
        addresses.opaque(value)


@pytest.mark.parametrize("value", ["", "contoso.com/verify", "contoso .com", ".com", "contoso..com"])
def test_what_is_no_domain_is_not_asked_for(value: str) -> None:
    """The domain is the first thing a person types wrong."""
    with pytest.raises(InvalidAddressError):
        addresses.domain(value)


@pytest.mark.parametrize(
    "address",
    [
        "https://graph.microsoft.com.evil.example/v1.0/users",
        "https://evil.example/v1.0/users",
        "http://graph.microsoft.com/v1.0/users",
        "https://graph.microsoft.com:8443/v1.0/users",
        "https://graph.microsoft.com@evil.example/v1.0/users",
        "https://someone@graph.microsoft.com/v1.0/users",
        "https://graph.microsoft.com/v1.0evil/users",
        "//graph.microsoft.com/v1.0/users",
        "/v1.0/users",
    ],
)
def test_a_next_page_elsewhere_is_seen_to_be_elsewhere(address: str) -> None:
    """The token that opens a tenant would be sent to the writer of the address."""
    assert not addresses.is_below(address, GRAPH)


def test_a_next_page_of_graph_is_seen_to_be_graphs() -> None:
    """The opposite failure: a sweep that stops after its first page."""
    assert addresses.is_below(f"{GRAPH}/users?$skiptoken=RFNwdAIAAQAA", GRAPH)


@pytest.mark.parametrize(
    ("graph_url", "scope"),
    [
        (GRAPH, "https://graph.microsoft.com/.default"),
        ("https://graph.microsoft.us/v1.0", "https://graph.microsoft.us/.default"),
        ("https://dod-graph.microsoft.us/v1.0", "https://dod-graph.microsoft.us/.default"),
        ("https://microsoftgraph.chinacloudapi.cn/v1.0", "https://microsoftgraph.chinacloudapi.cn/.default"),
        ("https://127.0.0.1:8443/v1.0", "https://graph.microsoft.com/.default"),
    ],
)
def test_a_token_is_asked_of_the_cloud_that_it_is_for(graph_url: str, scope: str) -> None:
    """A national cloud refuses tokens for the public one, with a 401 that names no reason."""
    assert addresses.scope(graph_url) == scope
