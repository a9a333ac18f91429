"""Signing in with a passkey by the plain protocol: what a browser does, without one, in a tenth of a second.

Against the sandbox's own pages; a real browser does the same in ``test_a_browser_uses_the_sealed_key.py``.
"""

from __future__ import annotations

import asyncio
import base64
import json
import re
import ssl
from collections.abc import Callable
from datetime import datetime
from urllib.parse import urlencode

import httpx
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_der_private_key

from entra_jit.emergency_kit import Passkey
from entra_jit.graph import Graph, SignInRefusedError, SignInUnreachableError
from models.messages import ObjectId, SignInAttempt, SignInOutcome
from tests.patience import PATIENCE_SECONDS
from tests.sandbox.authenticator import Authenticator, content
from tests.sandbox.person import Callback, Person


class OverHttp:
    """``SignsIn`` without a browser."""

    def __init__(self, graph: Graph, trusted: ssl.SSLContext, clock: Callable[[], datetime]) -> None:
        """``trusted``: for the sign-in service."""
        self._graph = graph
        self._trusted = trusted
        self._clock = clock

    async def sign_in(self, passkey: Passkey, object_id: ObjectId) -> SignInAttempt:
        """See ``SignsIn``."""
        service = self._graph.public_sign_in(passkey.tenant_id)
        begun = service.begin(passkey.account_name)
        try:
            arrived, said = await asyncio.to_thread(self._walk, passkey, begun.address)
            if arrived is None:
                return self._attempt(SignInOutcome.REFUSED, said)
            who = await service.whose(begun, f"{arrived.address}?{urlencode(arrived.parameters)}")
        except SignInRefusedError as error:
            return self._attempt(SignInOutcome.REFUSED, str(error))
        except (httpx.HTTPError, SignInUnreachableError) as error:
            return self._attempt(SignInOutcome.NOT_TRIED, str(error))
        assert who == object_id
        return self._attempt(SignInOutcome.SIGNED_IN)

    def _attempt(self, outcome: SignInOutcome, detail: str = "") -> SignInAttempt:
        return SignInAttempt(outcome=outcome, detail=detail[:200], at=self._clock())

    def _walk(self, passkey: Passkey, address: str) -> tuple[Callback | None, str]:
        with httpx.Client(verify=self._trusted, trust_env=False, timeout=PATIENCE_SECONDS) as client:
            person = Person(client)
            person.open(address)
            if person.page is None or "passkey" not in person.page.actions:
                return None, person.page.text if person.page else ""
            page = person.page.text
            challenge, party = (re.findall(rf'"{name}": "([^"]+)"', page) for name in ("challenge", "rpId"))
            key = load_der_private_key(base64.b64decode(passkey.private_key), None)
            assert isinstance(key, ec.EllipticCurvePrivateKey)
            signer = Authenticator(key=key, credential_id=content(passkey.credential_id))
            outcome = person.press("passkey", assertion=json.dumps(signer.get(challenge[0], party[0])))
        return (outcome, "") if isinstance(outcome, Callback) else (None, outcome.text)
