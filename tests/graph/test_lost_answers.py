"""A call can fail before it took effect, after it, or until an operator mends something: the caller must know which."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
import structlog

from entra_jit.graph import ClientSecret, Graph, GraphError, NotYetVisibleError, PermanentError, Tenant, TransientError
from tests.graph.conftest import ADELE, ELEVATE, Sandbox, contoso
from tests.patience import HELD_SECONDS, eventually

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(("drop", "enabled"), [("before", True), ("after", False)])
async def test_a_write_without_an_answer_has_an_unknown_outcome(
    sandbox: Sandbox, elevate: Tenant, drop: str, enabled: bool
) -> None:
    """From here both look the same; a caller that assumes either will be wrong half of the time."""
    sandbox.fault(method="PATCH", path="/users/*", count=1, drop=drop)
    with pytest.raises(TransientError) as raised:
        await elevate.users.disable(ADELE)
    assert raised.value.outcome_unknown
    assert raised.value.status is None
    assert (await elevate.users.get(ADELE)).account_enabled is enabled


async def test_what_was_to_be_sent_before_the_machine_was_suspended_is_not_sent_after(
    sandbox: Sandbox, elevate: Tenant
) -> None:
    """An opening would take effect an hour after its lease, on an account that was proven closed."""
    seconds = 0.0
    options = {"graph_url": sandbox.graph_url, "login_url": sandbox.login_url, "ca_file": sandbox.ca_file}
    counted = sandbox.fault(method="PATCH", path="/users/*", delay=0)
    async with Graph(**options, monotonic=lambda: seconds) as graph:  # type: ignore[arg-type]
        enabling = asyncio.create_task(graph.tenant(elevate.connection).users.enable(ADELE))
        await asyncio.sleep(0)  # it waits for its token
        seconds = 3600.0
        with pytest.raises(TransientError, match="stood still") as raised:
            await enabling
    assert not raised.value.outcome_unknown
    assert sandbox.hits(counted) == 0


async def test_a_read_without_an_answer_is_only_a_read(sandbox: Sandbox, elevate: Tenant) -> None:
    """There is nothing to look up before it is repeated."""
    sandbox.fault(method="GET", path="/users/*", count=1, drop="after")
    with pytest.raises(TransientError) as raised:
        await elevate.users.get(ADELE)
    assert not raised.value.outcome_unknown


async def test_a_write_that_comes_too_late_may_still_come(sandbox: Sandbox, elevate: Tenant) -> None:
    """The deadline ends our waiting, not Microsoft's work: the account is closed a moment later."""
    late = sandbox.fault(method="PATCH", path="/users/*", delay=HELD_SECONDS)
    options = {"graph_url": sandbox.graph_url, "login_url": sandbox.login_url, "ca_file": sandbox.ca_file}
    async with Graph(**options, timeout=0.5) as impatient:  # type: ignore[arg-type]
        tenant = impatient.tenant(elevate.connection)

        async def is_sent() -> TransientError | None:
            with pytest.raises(TransientError) as raised:
                await tenant.users.disable(ADELE)
            return raised.value if sandbox.hits(late) else None

        assert (await eventually(is_sent)).outcome_unknown
    assert (await elevate.users.get(ADELE)).account_enabled
    sandbox.release(late)

    async def is_disabled() -> bool | None:
        return not (await elevate.users.get(ADELE)).account_enabled or None

    await eventually(is_disabled)


@pytest.mark.parametrize(
    ("status", "retry_after", "expected", "unknown"),
    [
        (429, 7, TransientError, False),
        (409, None, TransientError, False),
        (500, None, TransientError, True),
        (503, 5, TransientError, True),
        (504, None, TransientError, True),
        (400, None, TransientError, False),
        (404, None, NotYetVisibleError, None),
        (403, None, PermanentError, None),
    ],
)
async def test_a_failure_says_whose_turn_it_is(
    sandbox: Sandbox,
    elevate: Tenant,
    status: int,
    retry_after: int | None,
    expected: type[GraphError],
    unknown: bool | None,
) -> None:
    """Time, the caller, or the operator: a wrong guess retries for ever or gives up too early."""
    specification: dict[str, object] = {"method": "PATCH", "path": "/users/*", "count": 1, "status": status}
    if retry_after is not None:
        specification["retry_after"] = retry_after
    sandbox.fault(**specification)
    with pytest.raises(GraphError) as raised:
        await elevate.users.disable(ADELE)
    assert type(raised.value) is expected
    if isinstance(raised.value, TransientError):
        assert raised.value.outcome_unknown is unknown
        assert raised.value.retry_after == (timedelta(seconds=retry_after) if retry_after else None)


async def test_a_failure_carries_microsofts_number(sandbox: Sandbox, elevate: Tenant) -> None:
    """Without the request-id Microsoft's support will not look."""
    sandbox.fault(method="PATCH", path="/users/*", count=1, status=403)
    with structlog.testing.capture_logs() as logs, pytest.raises(PermanentError) as raised:
        await elevate.users.disable(ADELE)
    (asked,) = sandbox.journal(method="PATCH")
    assert raised.value.request_id == asked["request_id"]
    assert raised.value.client_request_id == asked["client_request_id"]
    assert asked["request_id"] in str(raised.value)
    assert asked["request_id"] in {line.get("request_id") for line in logs}


async def test_a_missing_permission_is_named_as_the_directory_lacks_it(sandbox: Sandbox, elevate: Tenant) -> None:
    """Consent withdrawn by the customer is the commonest way for a connection to die."""
    sandbox.change("", service_principals=[{"app": ELEVATE, "withdraw": ["RoleManagement.ReadWrite.Directory"]}])
    with pytest.raises(PermanentError, match=r"RoleManagement\.ReadWrite\.Directory") as raised:
        await elevate.roles.definitions()
    assert raised.value.needs is not None
    assert raised.value.needs.permissions == ("RoleManagement.ReadWrite.Directory",)


async def test_a_missing_directory_role_is_named(sandbox: Sandbox, elevate: Tenant) -> None:
    """All permissions are there and yet "insufficient privileges": the service principal's role is forgotten."""
    sandbox.change(f"/users/{ADELE}/roles", roles=["Global Administrator"])
    role = "Privileged Authentication Administrator"
    sandbox.change("", service_principals=[{"app": ELEVATE, "remove_roles": [role]}])
    with pytest.raises(PermanentError, match=role):
        await elevate.users.disable(ADELE)


async def test_a_call_repeats_nothing_by_itself(sandbox: Sandbox, elevate: Tenant) -> None:
    """The engine retries, and knows for how long; a retry hidden in here would double it, and could act twice."""
    await elevate.users.get(ADELE)
    sandbox.control.delete("/journal")
    sandbox.fault(path="/users/*", status=503)
    with pytest.raises(TransientError):
        await elevate.users.disable(ADELE)
    assert len(sandbox.journal()) == 1


async def test_every_call_has_a_number_of_its_own(sandbox: Sandbox, elevate: Tenant) -> None:
    """Two calls under one number cannot be told apart in Microsoft's logs, nor in a receipt."""
    await asyncio.gather(*(elevate.users.get(ADELE) for _ in range(5)))
    asked = sandbox.journal(path="/users/")
    assert len({entry["client_request_id"] for entry in asked}) == 5
    assert all(entry["client_request_id"] != entry["request_id"] for entry in asked)


async def test_evidence_is_dated_by_the_clock_that_was_given(sandbox: Sandbox) -> None:
    """Admission and receipts go by one clock; evidence by another would prove a closing before its opening."""
    options = {"graph_url": sandbox.graph_url, "login_url": sandbox.login_url, "ca_file": sandbox.ca_file}
    async with Graph(**options, clock=lambda: NOW) as graph:  # type: ignore[arg-type]
        secret = ClientSecret.model_validate({"secret": "sandbox-only-elevate-secret"})
        evidence = await graph.tenant(contoso(ELEVATE, secret)).users.disable(ADELE)
    assert (evidence.method, evidence.path, evidence.status) == ("PATCH", f"/users/{ADELE}", 204)
    assert evidence.answered_at == NOW


async def test_many_cold_calls_sign_in_once(sandbox: Sandbox, elevate: Tenant) -> None:
    """The reconciler wakes up with hundreds of calls and no token."""
    await asyncio.gather(*(elevate.users.get(ADELE) for _ in range(10)))
    assert len(sandbox.journal(method="POST", path="oauth2")) == 1


async def test_a_wrong_secret_is_not_repeated_anywhere(sandbox: Sandbox, graph: Graph) -> None:
    """Errors go to the Temporal UI, logs to a collector; a secret that is merely wrong may be another app's."""
    wrong = "Xq8~a-secret-of-something-else"
    tenant = graph.tenant(contoso(ELEVATE, ClientSecret.model_validate({"secret": wrong})))
    with structlog.testing.capture_logs() as logs, pytest.raises(TransientError) as raised:
        await tenant.users.get(ADELE)
    assert raised.value.code == "AADSTS7000215"
    assert wrong not in f"{raised.value!r}{raised.value}{logs}{tenant!r}"
    assert raised.value.request_id is not None


async def test_a_tenant_that_does_not_exist_is_refused_with_a_reason(graph: Graph) -> None:
    """MSAL says only that it is unable to get a configuration."""
    nowhere = contoso(ELEVATE, ClientSecret.model_validate({"secret": "x"})).model_copy(
        update={"tenant_id": "99999999-9999-4999-8999-999999999999"}
    )
    with pytest.raises(PermanentError, match="Check the tenant id"):
        await graph.tenant(nowhere).users.get(ADELE)
