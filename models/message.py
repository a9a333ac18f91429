"""The base of everything that crosses a Temporal boundary."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Message(BaseModel):
    """The base of all messages: immutable, lenient to unknown fields, silent about its input when it is wrong."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)
