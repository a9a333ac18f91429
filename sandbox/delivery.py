"""How an answer reaches its caller: whole, in drips, cut off half-way, or not at all."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from starlette.types import Receive, Scope, Send

from sandbox.exchange import Answer
from sandbox.faults import Fault

DROP = "sandbox.drop"
"""The ASGI extension by which the server closes a connection at once."""

_PIECES = 20
_SECONDS_TO_LEAVE = 0.05


@dataclass(slots=True)
class Dropped:
    """In place of an answer: the connection is closed and nothing is said."""


@dataclass(frozen=True, slots=True)
class Manner:
    """``cut``: only half of the body is sent before the connection closes. ``drips``: the fault that slows it down."""

    cut: bool = False
    drips: Fault | None = None


async def deliver(outcome: Answer | Dropped, manner: Manner, scope: Scope, receive: Receive, send: Send) -> None:
    """Send it, or hang up."""
    if isinstance(outcome, Dropped):
        await _hang_up(scope, receive)
        return
    payload = outcome.payload()
    headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in outcome.headers.items()]
    if outcome.status != 204:
        headers.append((b"content-length", str(len(payload)).encode()))
    await send({"type": "http.response.start", "status": outcome.status, "headers": headers})
    sent = payload[: len(payload) // 2] if manner.cut else payload
    if manner.drips is not None:
        pause = (manner.drips.specification.drip or 0) / _PIECES
        size = max(1, -(-len(sent) // _PIECES))
        for start in range(0, len(sent), size):
            await send({"type": "http.response.body", "body": sent[start : start + size], "more_body": True})
            await manner.drips.hold_up(pause)
        sent = b""
    cut_off = manner.cut and payload != b""
    await send({"type": "http.response.body", "body": sent, "more_body": cut_off})
    if cut_off:
        # Closing at once would take back what has not left yet.
        await asyncio.sleep(_SECONDS_TO_LEAVE)
        await _hang_up(scope, receive)


async def _hang_up(scope: Scope, receive: Receive) -> None:
    scope["extensions"][DROP]()
    # The server sees an answer that was not completed as our mistake, unless the connection is gone.
    while (await receive())["type"] != "http.disconnect":
        pass
