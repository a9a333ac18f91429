"""Reasons that are no field of a message: what an operator gives for an act of their own."""

from __future__ import annotations

from pydantic import TypeAdapter, ValidationError

from models.errors import BadInputError
from models.messages import LONGEST_SENTENCE, Sentence


def read_reason(text: str) -> str:
    """The reason on one line. Raises ``BadInputError`` where it says nothing, or is too long."""
    try:
        return TypeAdapter[str](Sentence).validate_python(text)
    except ValidationError:
        raise BadInputError(f"reason: required, at most {LONGEST_SENTENCE} characters; it is kept") from None
