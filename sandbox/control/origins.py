"""Keeping web pages away from the control interface, which asks for no sign-in.

A browser sends a POST of plain text to this machine for any page; ``Origin`` says whose page it was. A page whose name
resolves to 127.0.0.1 even has the sandbox's own origin, and can read; only ``Host`` tells. Programs send no ``Origin``.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

_READS = ("GET", "HEAD")
_HOST = re.compile(r"\[?(?P<name>[^\[\]@]*?)\]?(?::\d+)?")


class OwnOriginOnly:
    """Answers 403 to requests under another name than ``names``, and to changes from pages of another origin."""

    def __init__(self, application: ASGIApp, *, names: Collection[str]) -> None:
        self._application = application
        self._names = names

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        refusal = self._refusal(scope["method"], Headers(scope=scope))
        answer = JSONResponse({"error": refusal}, 403) if refusal else self._application
        await answer(scope, receive, send)

    def _refusal(self, method: str, headers: Headers) -> str | None:
        host = ", ".join(headers.getlist("host")).lower()
        name = _HOST.fullmatch(host)
        if name is None or name["name"] not in self._names:
            known = ", ".join(self._names)
            return f"Host: this sandbox is not known as {host!r}, only as {known}. --public-host adds a name."
        foreign = [origin for origin in headers.getlist("origin") if origin != f"https://{host}"]
        if foreign and method not in _READS:
            return f"Origin: {foreign[0]} may not change this sandbox. Send the request from a program, without Origin."
        return None
