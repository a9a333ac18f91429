"""What was done, and which answers of the directory prove it."""

from __future__ import annotations

from pydantic import AwareDatetime

from models.message import Message
from models.messages.access import AccessItem
from models.messages.ids import RequestId


class DirectoryCall(Message):
    """Evidence of one answer from Microsoft, as its support asks for it. Never a body."""

    method: str
    path: str
    status: int
    request_id: str | None = None
    client_request_id: str
    answered_at: AwareDatetime


class Step(Message):
    """One thing that was done, when, and which answers of the directory prove it."""

    name: str
    at: AwareDatetime
    note: str | None = None
    calls: tuple[DirectoryCall, ...] = ()


class Standing(Message):
    """What the directory said about a managed account when it was read back."""

    exists: bool
    enabled: bool
    vanished: bool = False
    """An account that we know is gone, and may come back."""
    access: tuple[AccessItem, ...] = ()
    sign_in_methods: tuple[str, ...] = ()
    held_by: RequestId | None = None
    """The grant that the newest signed mark names, where that is another one: the account is its to close."""

    @classmethod
    def gone(cls, *, vanished: bool) -> Standing:
        """No such account. ``vanished``: there was one, which we have made."""
        return cls(exists=False, enabled=False, vanished=vanished)

    @property
    def is_closed(self) -> bool:
        """The account is disabled and holds nothing."""
        return not (self.held_by or self.enabled or self.access or self.sign_in_methods)
