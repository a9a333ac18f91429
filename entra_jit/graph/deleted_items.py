"""Deleted accounts, which the directory keeps for 30 days and then purges."""

from __future__ import annotations

from typing import Annotated

from pydantic import AwareDatetime, Field

from entra_jit.graph import operations
from entra_jit.graph.addresses import guid
from entra_jit.graph.answers import Resource
from entra_jit.graph.calls import Calls
from entra_jit.graph.errors import NotYetVisibleError
from models.messages import ObjectId

_SELECTED = "id,deletedDateTime"
"""The time of the deletion comes only where it is asked for."""


class DeletedUser(Resource):
    """An account in the bin. It can be restored, with its memberships, until it is purged."""

    id: ObjectId
    deleted_at: Annotated[AwareDatetime | None, Field(alias="deletedDateTime")] = None


class DeletedItems:
    """The deleted accounts of one tenant."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    async def find(self, user: ObjectId) -> DeletedUser | None:
        """The deleted account; None: not deleted, or purged. A deletion shows here after seconds to minutes."""
        try:
            path = f"/directory/deletedItems/{guid(user)}"
            answer = await self._calls.get(operations.READ_DELETED, path, {"$select": _SELECTED})
        except NotYetVisibleError as error:
            if error.status == 404:
                return None
            raise
        return answer.read(DeletedUser)
