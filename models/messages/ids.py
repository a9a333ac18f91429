"""Who and what is meant: ids that never change, and the names that people type for them."""

from __future__ import annotations

from typing import Annotated, NewType

from pydantic import StringConstraints

from models.plain_text import ONE_LINE

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


RequestKey = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")]
"""Chosen by the caller, or drawn: the last part of a request's id."""


RequestId = Annotated[
    str,
    StringConstraints(
        pattern=r"^([a-z0-9][a-z0-9-]{0,62}/[a-z0-9][a-z0-9-]{0,62}/)?[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=250
    ),
]
"""``contoso/alex/7f3a9c21d4`` (``models.names.request_id``). Asking twice under one id asks once.

A grant keeps its request's id, whatever tenant and technician are called by then.
"""


Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]
"""What people type for a tenant, a technician or a group. An alias; never a key."""


LONGEST_SENTENCE = 500

Sentence = Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_SENTENCE), ONE_LINE]

LONGEST_TICKET = 100
Ticket = Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_TICKET), ONE_LINE]
