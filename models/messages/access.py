"""What a grant gives while it is open: directory roles and security groups of the customer's tenant."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import StringConstraints

from models.message import Message
from models.plain_text import ONE_LINE

Wanted = Annotated[str, StringConstraints(min_length=1, max_length=200), ONE_LINE]
"""An access item as a request names it: by the id or the name of a role or a security group."""


class AccessKind(StrEnum):
    """Each has a module of its name in ``entra_jit/accounts/access/``."""

    ROLE = "role"
    """A directory role, by its template id."""
    GROUP = "group"
    """A security group, by its object id."""


class AccessItem(Message):
    """One thing that a grant gives, by an id of the tenant, with the name that people know it by."""

    kind: AccessKind
    id: str
    name: str

    @property
    def words(self) -> str:
        """``User Administrator``, ``Operators (group)``: most of what is given are roles."""
        return self.name if self.kind is AccessKind.ROLE else f"{self.name} ({self.kind})"

    @property
    def key(self) -> tuple[AccessKind, str]:
        """What tells it from all others of the tenant. Names change."""
        return self.kind, self.id

    def is_called(self, wanted: str) -> bool:
        """Whether ``wanted`` is its id or its name, in any case."""
        return wanted.lower() in {self.id.lower(), self.name.lower(), self.words.lower()}
