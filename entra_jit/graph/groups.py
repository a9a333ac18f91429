"""Groups, as far as a closing must undo memberships in them."""

from __future__ import annotations

from entra_jit.graph import operations
from entra_jit.graph.addresses import guid
from entra_jit.graph.calls import Calls
from models.messages import DirectoryCall, ObjectId


class Groups:
    """The groups of one tenant."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    async def remove_member(self, user: ObjectId, *, group: ObjectId) -> DirectoryCall:
        """Take the account out of the group. ``ConflictError`` when it was not in it."""
        # /$ref addresses the membership. Without it the request would delete the account itself.
        path = f"/groups/{guid(group)}/members/{guid(user)}/$ref"
        return (await self._calls.delete(operations.REMOVE_MEMBER, path)).evidence
