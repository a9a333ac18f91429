"""Answers that Microsoft did not write, or wrote only half: taken for the truth they close nothing, or prove a lie."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import structlog
from pydantic import SecretStr

from entra_jit.graph import LostPageError, NotYetVisibleError, PermanentError, TransientError, UnexpectedResponseError
from tests.graph.crooked import ALEX, HTML, Crooked, Reply, crooked_microsoft, user

MICROSOFT = "f8cdef31-a31e-4b4a-93e4-5f571e91255a"


@pytest.fixture
async def crooked(tmp_path: Path) -> AsyncIterator[Crooked]:
    async with crooked_microsoft(tmp_path) as server:
        yield server


async def test_an_account_without_a_state_is_not_taken_for_disabled(crooked: Crooked) -> None:
    """Graph leaves out what was not selected; "absent" read as "disabled" would prove a closing that never was."""
    crooked.answers.append(Reply(body=user(accountEnabled=...)))
    async with crooked.graph() as graph:
        with pytest.raises(UnexpectedResponseError, match="accountEnabled"):
            await crooked.connect(graph).users.get(ALEX)


@pytest.mark.parametrize("absent", ["userType", "onPremisesSyncEnabled", "onPremisesExtensionAttributes"])
async def test_what_decides_whose_account_it_is_must_be_told(crooked: Crooked, absent: str) -> None:
    """A misspelt ``$select`` is answered 200 without the property; a synced or foreign account would pass as ours."""
    crooked.answers.append(Reply(body=user(**{absent: ...})))
    async with crooked.graph() as graph:
        with pytest.raises(UnexpectedResponseError, match=absent):
            await crooked.connect(graph).users.get(ALEX)


async def test_an_account_that_is_being_copied_is_not_read_yet(crooked: Crooked) -> None:
    """202 to a read means that replication is under way; its body is yesterday's."""
    crooked.answers.append(Reply(202, user()))
    async with crooked.graph() as graph:
        with pytest.raises(NotYetVisibleError):
            await crooked.connect(graph).users.find("msp-alex@contoso.onmicrosoft.com")


@pytest.mark.parametrize("status", [200, 302, 403, 404, 502])
async def test_a_page_from_a_proxy_is_not_microsofts_word(crooked: Crooked, status: int) -> None:
    """A hotel's login page is no proof that an account was disabled, and its 404 none that the account is gone."""
    crooked.answers.append(Reply(status, HTML, {"Content-Type": "text/html"}))
    async with crooked.graph() as graph:
        with pytest.raises(TransientError) as raised:
            await crooked.connect(graph).users.disable(ALEX)
    assert raised.value.outcome_unknown
    assert "hotel" not in str(raised.value)


async def test_a_success_with_an_error_inside_is_microsofts_and_no_proxys(crooked: Crooked) -> None:
    """Graph sends the status first. An operator looked for a proxy, and had no request-id to give to Microsoft."""
    error = '{"error": {"code": "BadRequest", "message": "A property has a null value.", "innerError": {}}}'
    crooked.answers.append(Reply(200, f'{{"value":[{{"id":"a"}},{{"id":"b"{error}', {"request-id": "r-1"}))
    async with crooked.graph() as graph:
        with pytest.raises(LostPageError, match="breaks off") as raised:
            await crooked.connect(graph).roles.definitions()
    assert (raised.value.code, raised.value.message) == ("BadRequest", "A property has a null value.")
    assert "request-id r-1" in str(raised.value)
    assert "proxy" not in str(raised.value)
    assert not raised.value.outcome_unknown
    crooked.answers.append(Reply(201, f'{{"id":"a","temporaryAccessPass":{error}'))
    async with crooked.graph() as graph:
        with pytest.raises(LostPageError) as raised:
            await crooked.connect(graph).access_passes.create(ALEX, lifetime_minutes=60, usable_once=False)
    assert raised.value.outcome_unknown, "the status was sent first: the pass was made"


@pytest.mark.parametrize(
    "added",
    [
        {},
        {"passwordCredentials": [{"keyId": ALEX}]},
        {"keyCredentials": [{"keyId": ALEX}]},
        {"passwordCredentials": ..., "keyCredentials": ...},
    ],
)
async def test_a_service_of_microsofts_to_which_a_credential_was_added_is_a_stranger(
    crooked: Crooked, added: dict[str, object]
) -> None:
    """An administrator can add one to any service principal of the tenant, and act in its name ever after."""
    service = {"id": ALEX, "appOwnerOrganizationId": MICROSOFT, "passwordCredentials": [], "keyCredentials": []}
    crooked.answers.append(Reply(body={name: value for name, value in (service | added).items() if value is not ...}))
    async with crooked.graph() as graph:
        found = await crooked.connect(graph).applications.by_principal(ALEX)
    assert found is not None
    assert found.is_microsofts is not bool(added)
    assert "passwordCredentials" in crooked.seen[-1]
    assert "keyCredentials" in crooked.seen[-1]


async def test_a_next_page_elsewhere_is_not_asked_for(crooked: Crooked, tmp_path: Path) -> None:
    """The writer of one answer would receive the token that opens the tenant."""
    (tmp_path / "elsewhere").mkdir()
    async with crooked_microsoft(tmp_path / "elsewhere") as elsewhere, crooked.graph() as graph:
        page = {"value": [user()], "@odata.nextLink": f"{elsewhere.url}/v1.0/users?$skiptoken=x"}
        crooked.answers.append(Reply(body=page))
        with pytest.raises(UnexpectedResponseError, match="outside of Graph"):
            _ = [found async for found in crooked.connect(graph).users.tagged(1, "entra-jit")]
        assert elsewhere.seen == []


async def test_an_empty_page_does_not_end_a_sweep(crooked: Crooked) -> None:
    """Graph sends empty pages with a next link; stopping there leaves accounts open and unread."""
    following = f"{crooked.url}/v1.0/users?$skiptoken=RFNwdAIAAQAA"
    crooked.answers += [Reply(body={"value": [], "@odata.nextLink": following}), Reply(body={"value": [user()]})]
    async with crooked.graph() as graph:
        found = [each async for each in crooked.connect(graph).users.tagged(1, "entra-jit")]
    assert [each.id for each in found] == [ALEX]
    assert crooked.seen[-1] == "GET /v1.0/users?$skiptoken=RFNwdAIAAQAA"


async def test_a_listing_by_tags_says_with_each_page_that_it_may_be_behind(crooked: Crooked) -> None:
    """Microsoft answers it in no other way, and refuses the second page without the header of the first."""
    following = f"{crooked.url}/v1.0/users?$count=true&$skiptoken=RFNwdAIAAQAA"
    crooked.answers += [Reply(body={"value": [], "@odata.nextLink": following}), Reply(body={"value": [user()]})]
    async with crooked.graph() as graph:
        _ = [each async for each in crooked.connect(graph).users.tagged(1, "entra-jit")]
        assert "$count=true" in crooked.seen[-2]
        assert crooked.consistency_levels == ["eventual", "eventual"]
        crooked.answers.append(Reply(body={"value": []}))
        _ = [each async for each in crooked.connect(graph).users.named("msp-")]
    assert "$count" not in crooked.seen[-1]
    assert crooked.consistency_levels == ["eventual", "eventual"], "the directory itself is asked for names"


async def test_a_token_that_graph_no_longer_takes_is_replaced_once(crooked: Crooked) -> None:
    """A token revoked before its time would fail every call until it expires, for up to an hour."""
    unauthorized = Reply(401, {"error": {"code": "InvalidAuthenticationToken", "message": "Expired."}})
    async with crooked.graph() as graph:
        tenant = crooked.connect(graph)
        crooked.answers += [unauthorized, Reply(204)]
        await tenant.users.disable(ALEX)
        assert crooked.bearers == ["token-1", "token-2"]
        crooked.answers += [unauthorized, unauthorized]
        with pytest.raises(PermanentError, match="same cloud"):
            await tenant.users.disable(ALEX)


class _Heard:
    """Keeps what was refused to the first application."""

    def __init__(self) -> None:
        self.refusals: list[str] = []

    def refused(self, tenant: str, purpose: str, why: str) -> None:
        self.refusals.append(why)

    def worked(self, tenant: str, purpose: str, at: datetime) -> None:
        """Nothing to remember."""


async def test_an_application_that_is_too_new_does_not_keep_a_closing_waiting(crooked: Crooked) -> None:
    """For minutes after its consent, and for good without a service principal, Graph does not know an application.

    That passes, so an opening waits for it; a closing has another application that can do it at once.
    """
    unknown = Reply(401, {"error": {"code": "Authorization_IdentityNotFound", "message": "Could not be established."}})
    crooked.answers += [unknown, unknown, Reply(204), unknown, unknown]
    watch = _Heard()
    async with crooked.graph() as graph:
        tenant, other = crooked.connect(graph), crooked.connect(graph, "other")
        await graph.tenant_with_standby(tenant.connection, other.connection, watch).users.disable(ALEX)
        assert "consent" in watch.refusals[0]
        with pytest.raises(TransientError, match="consent"):
            await tenant.users.disable(ALEX)


async def test_no_answer_in_time_is_an_unknown_outcome(crooked: Crooked) -> None:
    """A call that hangs must end before its lease does, and its write may have happened."""
    async with crooked.graph(timeout=0.5) as graph:
        tenant = crooked.connect(graph)
        await crooked.signed_in(tenant)
        crooked.answers.append(Reply(204, after=asyncio.Event()))
        with pytest.raises(TransientError, match="no answer within") as raised:
            await tenant.users.disable(ALEX)
    assert raised.value.outcome_unknown


async def test_time_spent_on_a_token_counts(crooked: Crooked) -> None:
    """A slow sign-in followed by a slow call would outlast the lease that covers one call."""
    crooked.tokens.append(Reply(after=asyncio.Event()))
    async with crooked.graph(timeout=0.3) as graph:
        with pytest.raises(TransientError) as raised:
            await crooked.connect(graph).users.disable(ALEX)
    assert not raised.value.outcome_unknown


SECRET = "the-pass-itself"


async def test_a_pass_that_cannot_be_read_is_not_shown(crooked: Crooked) -> None:
    """Validation errors quote their input, and this input opens an administrator's account."""
    crooked.answers.append(Reply(201, {"id": "x", "temporaryAccessPass": SECRET, "lifetimeInMinutes": "soon"}))
    async with crooked.graph() as graph:
        with structlog.testing.capture_logs() as logs, pytest.raises(UnexpectedResponseError) as raised:
            await crooked.connect(graph).access_passes.create(ALEX, lifetime_minutes=60, usable_once=False)
    assert SECRET not in f"{raised.value!r}{raised.value}{logs}{raised.value.__context__!r}{raised.value.__cause__!r}"


async def test_a_pass_is_only_shown_on_purpose(crooked: Crooked) -> None:
    """Results are logged, compared and printed by people who do not think of what is in them."""
    told = {"id": "x", "temporaryAccessPass": SECRET, "startDateTime": "2026-11-23T12:00:00Z"}
    crooked.answers.append(Reply(201, told | {"lifetimeInMinutes": 60, "isUsableOnce": False}))
    async with crooked.graph() as graph:
        with structlog.testing.capture_logs() as logs:
            made = await crooked.connect(graph).access_passes.create(ALEX, lifetime_minutes=60, usable_once=False)
    assert SECRET not in f"{made!r}{made}{made.model_dump_json()}{logs}"
    assert made.value == SecretStr(SECRET)


async def test_the_wait_that_microsoft_asks_for_reaches_the_caller(crooked: Crooked) -> None:
    """Nothing here retries, so a wait that is not passed on is a wait that is not observed."""
    crooked.answers.append(Reply(429, {"error": {"code": "TooManyRequests"}}, {"Retry-After": "17"}))
    async with crooked.graph() as graph:
        with pytest.raises(TransientError) as raised:
            await crooked.connect(graph).users.get(ALEX)
    assert raised.value.retry_after == timedelta(seconds=17)
