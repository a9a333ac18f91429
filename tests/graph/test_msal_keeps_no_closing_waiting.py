"""Without a token nothing is closed: MSAL's habits must not stand between a corrected configuration and a closing."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from entra_jit.graph import PermanentError, Tenant, TransientError, UnexpectedResponseError
from tests.graph.crooked import ALEX, HTML, Crooked, Reply, crooked_microsoft

SHORT_LIFE = 200
"""Seconds that a token lives. MSAL, which goes by the machine's clock, serves none again that ends within 300."""


@dataclass
class StopWatch:
    """Tells the seconds that a test lets go by."""

    seconds: float = 0.0

    def __call__(self) -> float:
        return self.seconds


def refusal(*numbers: int, status: int = 400) -> Reply:
    """A refusal as the sign-in service writes it."""
    description = (
        f"AADSTS{numbers[0]}: Some sentence. Trace ID: t-1 Correlation ID: c-1 Timestamp: 2026-11-23 12:00:00Z"
    )
    body = {"error": "invalid_client", "error_description": description, "error_codes": numbers}
    return Reply(status, body | {"trace_id": "t-1", "correlation_id": "c-1"})


@pytest.fixture
async def crooked(tmp_path: Path) -> AsyncIterator[Crooked]:
    async with crooked_microsoft(tmp_path) as server:
        yield server


async def disable(crooked: Crooked, tenant: Tenant) -> None:
    """Any call will do."""
    crooked.answers.append(Reply(204))
    try:
        await tenant.users.disable(ALEX)
    finally:
        crooked.answers.clear()


async def test_many_calls_ask_for_one_token(crooked: Crooked) -> None:
    """MSAL has no single flight: a reconciler that wakes up would send hundreds of sign-ins at once."""
    crooked.answers += [Reply(204)] * 20
    async with crooked.graph() as graph:
        tenant = crooked.connect(graph)
        await asyncio.gather(*(tenant.users.disable(ALEX) for _ in range(20)))
    assert crooked.sign_ins == 1


async def test_a_caller_that_gives_up_does_not_take_the_token_from_the_others(crooked: Crooked) -> None:
    """A cancelled grant would fail the closing of another one in the same tenant."""
    given_up = asyncio.Event()
    token = {"token_type": "Bearer", "expires_in": 3599, "access_token": "t"}
    crooked.tokens.append(Reply(body=token, after=given_up))
    async with crooked.graph() as graph:
        tenant = crooked.connect(graph)
        crooked.answers.append(Reply(204))
        impatient = asyncio.create_task(tenant.users.disable(ALEX))
        patient = asyncio.create_task(tenant.users.disable(ALEX))
        await crooked.asked_for_a_token()
        impatient.cancel()
        await asyncio.wait({impatient})
        given_up.set()
        await patient
    assert impatient.cancelled()
    assert crooked.sign_ins == 1


async def test_a_corrected_configuration_works_at_once(crooked: Crooked) -> None:
    """MSAL remembers a 400 for a minute: the operator consents, presses retry, and is told the same again."""
    crooked.tokens.append(refusal(700016))
    async with crooked.graph() as graph:
        tenant = crooked.connect(graph)
        with pytest.raises(PermanentError, match="consent to the app"):
            await disable(crooked, tenant)
        await disable(crooked, tenant)
    assert crooked.sign_ins == 2


async def test_a_rotated_secret_gets_a_token_of_its_own(crooked: Crooked) -> None:
    """MSAL's cache does not know the secret: a wrong new one would seem to work until the old token expires."""
    async with crooked.graph() as graph:
        await disable(crooked, crooked.connect(graph, "old"))
        await disable(crooked, crooked.connect(graph, "new"))
        await disable(crooked, crooked.connect(graph, "new"))
    assert crooked.bearers == ["token-1", "token-2", "token-2"]


async def test_a_throttled_sign_in_is_left_alone_for_as_long_as_it_asks(crooked: Crooked) -> None:
    """Every step of every grant of the tenant would otherwise ask again, and lengthen the throttling."""
    crooked.tokens.append(
        Reply(429, {"error": "temporarily_unavailable", "error_codes": [90055]}, {"Retry-After": "60"})
    )
    async with crooked.graph() as graph:
        tenant = crooked.connect(graph)
        for _ in range(2):
            with pytest.raises(TransientError) as raised:
                await disable(crooked, tenant)
            assert raised.value.retry_after is not None
            assert raised.value.retry_after.total_seconds() == 60
            assert not raised.value.outcome_unknown
    assert crooked.sign_ins == 1


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (Reply(200, HTML), TransientError),
        (Reply(403, HTML), TransientError),
        (Reply(302, "", {"Location": "https://127.0.0.1:1/"}), TransientError),
        (Reply(502, HTML), TransientError),
        (Reply(503, {"error": "server_error"}), TransientError),
        (Reply(200, {}), UnexpectedResponseError),
        (Reply(200, {"access_token": "x"}), UnexpectedResponseError),
        (Reply(400, {"error": "odd"}), PermanentError),
        (refusal(7000222, status=401), PermanentError),
        (refusal(90033), TransientError),
        (refusal(53003), PermanentError),
    ],
    ids=lambda value: f"{value.status}-{str(value.body)[:24]}" if isinstance(value, Reply) else value.__name__,
)
async def test_every_way_to_fail_is_one_of_ours(crooked: Crooked, reply: Reply, expected: type[Exception]) -> None:
    """MSAL reports failures in five different ways; one that escapes stops a worker's activity with a traceback."""
    crooked.tokens.append(reply)
    async with crooked.graph() as graph:
        with pytest.raises(expected) as raised:
            await disable(crooked, crooked.connect(graph))
    assert type(raised.value) is expected


async def test_a_refusal_says_what_to_do_and_under_which_number(crooked: Crooked) -> None:
    """AADSTS numbers mean nothing to the operator; Microsoft's support wants the trace id."""
    crooked.tokens.append(refusal(7000222, status=401))
    async with crooked.graph() as graph:
        with pytest.raises(PermanentError) as raised:
            await disable(crooked, crooked.connect(graph))
    assert str(raised.value) == (
        "Contoso: could not get a token from the sign-in service (401 AADSTS7000222: Some sentence.). "
        "The client secret has expired: make a new one for the app and store it. "
        "[SIGN-IN 11111111-2222-3333-4444-555555555555 as 11111111-2222-3333-4444-555555555555; "
        "request-id t-1; client-request-id c-1]"
    )


@pytest.mark.parametrize(
    ("numbers", "status", "says"),
    [
        ((7000229,), 401, "service principal"),
        ((5000224,), 400, "deleted or disabled"),
        ((70002, 50012), 401, "certificate"),
        ((50012,), 401, "certificate"),
    ],
)
async def test_the_number_that_says_most_decides(
    crooked: Crooked, numbers: tuple[int, ...], status: int, says: str
) -> None:
    """Microsoft gives the general number first; a customer's deleted tenant, and a consent to an application that never
    became a service principal, have numbers of their own."""
    crooked.tokens.append(refusal(*numbers, status=status))
    async with crooked.graph() as graph:
        with pytest.raises(PermanentError) as raised:
            await disable(crooked, crooked.connect(graph))
    assert says in raised.value.advice
    assert raised.value.code == f"AADSTS{numbers[-1]}"


async def test_half_a_token_is_not_logged(crooked: Crooked, caplog: pytest.LogCaptureFixture) -> None:
    """MSAL logs an answer that is not JSON, and a cut-off answer holds a token that is good for an hour."""
    crooked.tokens.append(Reply(200, '{"access_token": "eyJ-live-token'))
    with caplog.at_level(logging.DEBUG):
        async with crooked.graph() as graph:
            with pytest.raises(TransientError) as raised:
                await disable(crooked, crooked.connect(graph))
    assert "eyJ-live-token" not in f"{caplog.text}{raised.value!r}"


async def test_a_secret_does_not_follow_a_redirect(crooked: Crooked, tmp_path: Path) -> None:
    """A 307 repeats the form, the client secret in it, to whatever host it names."""
    (tmp_path / "elsewhere").mkdir()
    async with crooked_microsoft(tmp_path / "elsewhere") as elsewhere, crooked.graph() as graph:
        crooked.tokens.append(Reply(307, {}, {"Location": f"{elsewhere.url}/oauth2"}))
        with pytest.raises(UnexpectedResponseError):
            await disable(crooked, crooked.connect(graph))
        assert elsewhere.seen == []


async def test_the_last_minutes_of_a_token_outlive_the_sign_in_service(crooked: Crooked) -> None:
    """While sign-in is down, a token that is still good must go on closing accounts."""
    crooked.tokens += [
        Reply(body={"token_type": "Bearer", "expires_in": SHORT_LIFE, "access_token": "old"}),
        Reply(503, {"error": "server_error"}),
    ]
    watch = StopWatch()
    async with crooked.graph(monotonic=watch) as graph:
        tenant = crooked.connect(graph)
        await disable(crooked, tenant)
        watch.seconds += SHORT_LIFE - 1
        await disable(crooked, tenant)
    assert crooked.sign_ins == 2
    assert crooked.bearers == ["old", "old"]


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"])
async def test_the_environment_does_not_choose_whom_we_trust(
    crooked: Crooked, variable: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bundle variable set for another program silently replaces our certificate authority."""
    (tmp_path / "wrong.pem").write_text("")
    monkeypatch.setenv(variable, str(tmp_path / "wrong.pem"))
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    async with crooked.graph() as graph:
        await disable(crooked, crooked.connect(graph))


async def test_an_unknown_authority_is_named_as_the_trouble(crooked: Crooked) -> None:
    """A proxy that replaces certificates looks like an outage otherwise."""
    async with crooked.graph(ca_file=None) as graph:
        with pytest.raises(TransientError, match="ENTRA_JIT_CA_FILE"):
            await disable(crooked, crooked.connect(graph))


async def test_a_missing_federated_token_is_named_as_the_trouble(crooked: Crooked, tmp_path: Path) -> None:
    """The file is mounted by another operator; "invalid_client" would point at the app instead."""
    async with crooked.graph() as graph:
        tenant = crooked.connect(graph)
        federated = {"kind": "federated", "token_file": tmp_path / "absent"}
        connection = tenant.connection.model_validate(tenant.connection.model_dump() | {"credential": federated})
        with pytest.raises(PermanentError, match="file with the federated token"):
            await disable(crooked, graph.tenant(connection))


async def test_a_federated_token_is_read_at_each_use(crooked: Crooked, tmp_path: Path) -> None:
    """The provider renews it hourly; one kept from the start stops working the next day."""
    file, watch = tmp_path / "token", StopWatch()
    async with crooked.graph(monotonic=watch) as graph:
        tenant = crooked.connect(graph)
        connection = tenant.connection.model_validate(
            tenant.connection.model_dump() | {"credential": {"kind": "federated", "token_file": file}}
        )
        file.write_text("first\n")
        crooked.tokens.append(Reply(body={"token_type": "Bearer", "expires_in": SHORT_LIFE, "access_token": "t"}))
        await disable(crooked, graph.tenant(connection))
        file.write_text("second\n")
        watch.seconds += SHORT_LIFE - 1
        await disable(crooked, graph.tenant(connection))
    assert crooked.assertions == ["first", "second"]


async def test_a_new_secret_is_given_time_before_it_is_called_wrong(crooked: Crooked) -> None:
    """Microsoft refuses a secret for some seconds after it was made; a rotation would park grants for nothing."""
    watch = StopWatch()
    async with crooked.graph(monotonic=watch) as graph:
        tenant = crooked.connect(graph)
        crooked.tokens.append(refusal(7000215, status=401))
        with pytest.raises(TransientError, match="not known everywhere yet"):
            await disable(crooked, tenant)
        await disable(crooked, tenant)
        crooked.answers.append(Reply(401, {"error": {"code": "InvalidAuthenticationToken", "message": "Expired."}}))
        crooked.tokens.append(refusal(7000215, status=401))
        with pytest.raises(PermanentError, match="secret's value"):
            await tenant.users.disable(ALEX)
