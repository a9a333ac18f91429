"""Making sure that the namespace knows our search attributes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest, ListSearchAttributesRequest
from temporalio.client import Client
from temporalio.common import SearchAttributeKey
from temporalio.service import RPCError

from models.errors import SettingsError


async def ensure(client: Client, wanted: Iterable[SearchAttributeKey[Any]]) -> None:
    """Add the search attributes that the namespace lacks. Idempotent; nothing is asked for where all are there.

    Raises ``SettingsError`` with what to add by hand, as on Temporal Cloud.
    """
    listed = await client.operator_service.list_search_attributes(
        ListSearchAttributesRequest(namespace=client.namespace)
    )
    missing = {key.name: _type(key) for key in wanted if key.name not in listed.custom_attributes}
    if not missing:
        return
    try:
        await client.operator_service.add_search_attributes(
            AddSearchAttributesRequest(namespace=client.namespace, search_attributes=missing)
        )
    except RPCError as error:
        names = ", ".join(f"{name} ({IndexedValueType.Name(kind)})" for name, kind in missing.items())
        raise SettingsError(
            f"the namespace {client.namespace} lacks the search attributes {names}: {error.message}"
        ) from None


def _type(key: SearchAttributeKey[Any]) -> IndexedValueType.ValueType:
    return IndexedValueType.ValueType(int(key.indexed_value_type))
