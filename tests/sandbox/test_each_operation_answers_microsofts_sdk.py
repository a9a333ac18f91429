"""Microsoft's SDK calls every operation that the conformance report lists as served, through its own builder.

An address, a type or an envelope that Microsoft would not have makes the SDK ask elsewhere, fail to read the answer, or
find nothing in it. A new operation needs an entry here; without one this fails. Each read is then asked with every
query option: what the conformance list calls served has its effect, what it calls refused is refused.
"""

from __future__ import annotations

import re
import ssl
from collections.abc import AsyncIterator

import httpx
import pytest
from kiota_abstractions.base_request_configuration import RequestConfiguration
from kiota_abstractions.headers_collection import HeadersCollection

from sandbox.child import Addresses
from sandbox.conformance import sections
from sandbox.graph.app_roles import app_role_ids
from sandbox.graph.licences import P1, P2
from tests.sandbox import sdk
from tests.sandbox.bodies import BODIES
from tests.sandbox.operands import Directory
from tests.sandbox.options import check_options
from tests.sandbox.seeded import ELEVATE, NORTHWIND, token_of

pytestmark = pytest.mark.filterwarnings("ignore:This class is deprecated:DeprecationWarning")

OF_A_PERSON = {"GET /me", "PATCH /me", "POST /users/{user}/authentication/methods/{method}/resetPassword"}
"""What no application may ask."""
NOT_IN_THE_SDK = {
    "DELETE /groups/{group}/members/{member}",
    "DELETE /users/{user}/authentication/methods/{method}",
    *(one for section in sections() for one in section.graph if " /beta/" in one),
}
"""What Microsoft refuses, and what it has in beta alone."""
OF_ONE_ACCOUNT = {"POST /users/{user}/authentication/fido2Methods"}
"""What answers a challenge: ``test_passkeys_are_registered_as_policy_allows`` asks it."""
ELSEWHERE = OF_A_PERSON | NOT_IN_THE_SDK | OF_ONE_ACCOUNT
OPERATIONS = [one for section in sections() for one in section.graph if one not in ELSEWHERE]


@pytest.fixture
async def northwind(addresses: Addresses, control: httpx.Client) -> AsyncIterator[Directory]:
    """The provider's tenant, where registrations live, to an application that may do everything there."""
    every = sorted(app_role_ids())
    roles = ["Privileged Authentication Administrator", "Global Administrator"]
    async with sdk.http_client(addresses) as http:
        graph = sdk.client_of(addresses, sdk.with_secret(addresses, ELEVATE, NORTHWIND), http)
        here = Directory(graph, control)
        here.tell(
            "/tenants/northwind",
            {
                "service_plans": [P1, P2],
                "service_principals": [{"app": ELEVATE, "grant": every, "add_roles": roles}],
                "temporary_access_pass": {"enabled": True},
            },
        )
        yield here


@pytest.mark.parametrize("operation", OPERATIONS)
async def test_it_is_called_and_its_answer_read(
    northwind: Directory, login: httpx.Client, trust: ssl.SSLContext, operation: str
) -> None:
    northwind.operation = operation
    method, path = operation.split()
    builder = await northwind.builder(path)
    body = [await BODIES[operation](northwind)] if operation in BODIES else []
    eventual = RequestConfiguration(headers=_headers(ConsistencyLevel="eventual", Content_Type="application/json"))

    answer = await getattr(builder, method.lower())(*body, request_configuration=eventual)

    last = northwind.control.get("/journal").json()[-1]
    asked = last["path"].removeprefix("/v1.0").partition("?")[0].removesuffix("()")
    assert last["method"] == method
    assert re.fullmatch(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(path)), asked), asked
    assert 200 <= last["status"] < 300
    assert (answer is None) is (last["status"] == 204)
    if method == "GET":
        token = token_of(login, ELEVATE, NORTHWIND)
        with httpx.Client(
            base_url=str(northwind.graph.request_adapter.base_url),
            verify=trust,
            trust_env=False,
            headers={"Authorization": f"Bearer {token}"},
        ) as plain:
            check_options(plain, path, last["path"].removeprefix("/v1.0").partition("?")[0])


def _headers(**headers: str) -> HeadersCollection:
    collection = HeadersCollection()
    for name, value in headers.items():
        collection.add(name.replace("_", "-"), value)
    return collection
