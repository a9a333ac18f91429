"""What a grant gives while it is open: directory roles and security groups of the customer's tenant."""

from __future__ import annotations

from enum import StrEnum

from models.message import Message


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
