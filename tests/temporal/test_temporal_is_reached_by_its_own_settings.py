"""Temporal is reached by its own settings, and what is wrong with them is said in a sentence.

The same worker must run on a laptop, a self-hosted cluster and Temporal Cloud; a profile that is misspelt must not end
in a connection to somewhere else.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import socket
from base64 import b64encode
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import SecretStr
from temporalio.api.operatorservice.v1 import ListSearchAttributesRequest, RemoveSearchAttributesRequest
from temporalio.client import Client
from temporalio.common import SearchAttributeKey
from temporalio.testing import WorkflowEnvironment

from entra_jit.app import App
from entra_jit.local_stack.temporal import SEARCH_ATTRIBUTES
from entra_jit.operations._sending import send_request
from entra_jit.settings import Settings
from entra_jit.temporal.connect import EngineUnreachableError, connect
from entra_jit.temporal.plugin import entra_jit_plugin
from entra_jit.temporal.search_attributes import ensure
from models.errors import SettingsError
from models.messages import AccessRequest
from models.names import request_id, workflow_id
from models.search_attributes import ALL, TENANT
from tests.actors import TESTER
from tests.stage import temporal_program

KEY = "unmistakable-api-key"
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
SETTINGS = Settings(
    profile="sandbox",
    database_url=SecretStr("postgresql://absent@127.0.0.1:1/none"),
    keys=SecretStr(f"test-1:{b64encode(secrets.token_bytes(32)).decode()}"),
)


@pytest.fixture(scope="module")
async def temporal() -> AsyncIterator[Client]:
    """A Temporal that knows nothing of us."""
    async with await WorkflowEnvironment.start_local(
        dev_server_existing_path=temporal_program(), plugins=[entra_jit_plugin()]
    ) as environment:
        yield environment.client


@pytest.fixture
def profiles(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[str], int]:
    """Writes Temporal's configuration file, alone: nothing else of Temporal's is set."""
    for name in list(os.environ):
        if name.startswith("TEMPORAL_"):
            monkeypatch.delenv(name)
    file = tmp_path / "temporal.toml"
    file.touch()
    monkeypatch.setenv("TEMPORAL_CONFIG_FILE", str(file))
    return file.write_text


async def test_a_profile_says_where_to_and_the_environment_overrides_it(
    profiles: Callable[[str], int], temporal: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = temporal.service_client.config.target_host
    profiles(f'[profile.customer]\naddress = "{address}"\nnamespace = "default"\n')
    monkeypatch.setenv("TEMPORAL_PROFILE", "customer")
    assert (await connect()).namespace == "default"

    profiles('[profile.customer]\naddress = "127.0.0.1:1"\nnamespace = "elsewhere"\n')
    monkeypatch.setenv("TEMPORAL_ADDRESS", address)
    monkeypatch.setenv("TEMPORAL_NAMESPACE", "default")
    client = await connect()
    assert client.namespace == "default"
    assert await client.service_client.check_health()


@pytest.mark.parametrize(
    ("content", "profile"),
    [
        ("", "misspelt"),
        ("[profile.customer", "customer"),
        ("[profile.customer]\naddress = 7\n", "customer"),
        (f"[profile.customer]\napi_key = {KEY}\n", "customer"),
        (f"[profile.customer]\napi_key = [{KEY!r}]\n", "customer"),
    ],
)
async def test_a_profile_that_cannot_be_used_is_one_sentence(
    profiles: Callable[[str], int], monkeypatch: pytest.MonkeyPatch, content: str, profile: str
) -> None:
    profiles(content)
    monkeypatch.setenv("TEMPORAL_PROFILE", profile)
    with pytest.raises(SettingsError, match=r"^Temporal's settings \(TEMPORAL_\*\) cannot be used: ") as refused:
        await connect()
    assert KEY not in str(refused.value)
    assert len(str(refused.value).splitlines()) == 1


async def test_nobody_there_is_one_sentence_with_the_address(
    profiles: Callable[[str], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{taken.getsockname()[1]}"
    monkeypatch.setenv("TEMPORAL_ADDRESS", address)
    with pytest.raises(EngineUnreachableError, match=f"^Temporal at {address} cannot be reached: ") as refused:
        await connect()
    assert len(str(refused.value).splitlines()) == 1


async def test_search_attributes_are_added_once(temporal: Client) -> None:
    """Adding what is there is an error of Temporal's; workers start by the dozen. A request needs none of them."""

    async def asked(key: str) -> str | None:
        """The tenant that a request is found by."""
        wanted = AccessRequest(
            request_id=request_id("contoso", "alex", key),
            tenant="contoso",
            technician="alex",
            reason="r",
            asked_at=NOON,
        )
        async with App(SETTINGS, client=temporal) as app:
            await send_request(TESTER, app, wanted)
        described = await temporal.get_workflow_handle(workflow_id(wanted.request_id)).describe()
        return described.typed_search_attributes.get(TENANT)

    async def known() -> set[str]:
        request = ListSearchAttributesRequest(namespace=temporal.namespace)
        return set((await temporal.operator_service.list_search_attributes(request)).custom_attributes)

    names = {key.name for key in ALL}
    assert not names & await known()
    assert await asked("before") is None
    await asyncio.gather(*(ensure(temporal, ALL) for _ in range(4)))
    assert names <= await known()
    await ensure(temporal, ALL)
    assert await asked("after") == "contoso"

    await temporal.operator_service.remove_search_attributes(
        RemoveSearchAttributesRequest(namespace=temporal.namespace, search_attributes=["Ticket"])
    )
    await ensure(temporal, ALL)
    assert names <= await known(), "what is missing is added beside what is there"


async def test_where_they_cannot_be_added_it_says_which_to_add_by_hand(temporal: Client) -> None:
    """Temporal Cloud lets no worker add them."""
    too_many = [SearchAttributeKey.for_bool(f"Flag{number}") for number in range(200)]
    with pytest.raises(SettingsError, match=r"lacks the search attributes Flag0 \(.*BOOL\), Flag1 "):
        await ensure(temporal, too_many)


def test_the_local_stack_makes_the_attributes_that_the_workflow_uses() -> None:
    kinds = {"Keyword": "KEYWORD", "Datetime": "DATETIME"}
    wanted = {key.name: key.indexed_value_type.name for key in ALL}
    assert {name: kinds[kind] for name, kind in SEARCH_ATTRIBUTES.items()} == wanted
