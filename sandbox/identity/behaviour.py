"""How the sign-in service behaves where Microsoft's is slow, random or strict; by default it is neither."""

from __future__ import annotations

import random
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Seconds = Annotated[float, Field(ge=0, le=86_400)]


class SignInSettings(BaseModel):
    """What the seed (``sign_in_service``) and ``POST /sandbox/sign-in-service`` take. All times are seconds."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    token_lifetime: Annotated[int, Field(ge=1, le=100_800)] = 3599
    """How long an access token is announced to live, if lifetimes are not random."""
    random_token_lifetimes: bool = False
    """Between 60 and 90 minutes, as with Microsoft; the same sequence for the same ``random_seed``."""
    random_seed: int = 1
    code_lifetime: Annotated[int, Field(ge=1, le=3600)] = 600
    new_secret_refused: Seconds = 0
    """How long a secret that was just made is still called wrong."""
    permission_delay: Seconds = 0
    """How long a permission that was just granted or withdrawn is still missing from, or in, new tokens."""


class SignInBehaviour:
    """The settings in force, and the random choices made under them."""

    def __init__(self, settings: SignInSettings) -> None:
        self.set(settings)

    def set(self, settings: SignInSettings) -> None:
        """Put settings in force; random choices begin anew."""
        self.settings = settings
        self._random = random.Random(settings.random_seed)

    def token_lifetime(self) -> int:
        """For how many seconds the next access token is announced to live."""
        if not self.settings.random_token_lifetimes:
            return self.settings.token_lifetime
        return self._random.randint(3599, 5399)
