"""Who and what is meant: ids that never change, and the names that people type for them."""

from __future__ import annotations

from typing import Annotated, NewType

from pydantic import StringConstraints

TenantId = NewType("TenantId", str)
"""The GUID of a customer's Entra tenant, lower case."""


TechnicianId = NewType("TechnicianId", str)
"""The technician's immutable object id in the MSP's own directory, a GUID, lower case."""


ObjectId = NewType("ObjectId", str)
"""The GUID of an object in a customer's directory. It never changes, unlike a user principal name."""


PassId = NewType("PassId", str)
"""The id of a Temporary Access Pass, which opens nothing."""


RoleId = NewType("RoleId", str)
"""The template id of a directory role (for built-in roles the same GUID in every tenant)."""


RequestId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")]
"""Chosen by the requester; makes requests idempotent. A grant keeps its request's id."""


Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]
"""What people type for a tenant, a technician or a group. An alias; never a key."""


LONGEST_SENTENCE = 500

Sentence = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=LONGEST_SENTENCE)]


def workflow_id(request_id: str) -> str:
    """The id of the workflow that lives a request, the same from asking to receipt."""
    return f"grant/{request_id}"


def request_id_of(workflow_id: str) -> str:
    """The request that a workflow of this id lives."""
    return workflow_id.removeprefix("grant/")
