"""What an account can be given while it is open: one module a kind, each with the same four verbs (see ``Kind``).

To add a kind: its module here, its name in ``AccessKind``, and its line in this table.
"""

from collections.abc import Mapping

from entra_jit.accounts.access import groups, roles
from entra_jit.accounts.access.kind import CannotBeGivenError, Held, Holdings, Kind
from models.messages import AccessKind

KINDS: Mapping[AccessKind, Kind] = {AccessKind.ROLE: roles, AccessKind.GROUP: groups}

__all__ = ["KINDS", "CannotBeGivenError", "Held", "Holdings", "Kind"]
