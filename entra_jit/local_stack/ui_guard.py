"""What stands before the embedded Temporal UI: it shows grants first, and refuses what would leave an account open.

The embedded UI has none of the switches of the self-hosted one, and answers under every name that a web page has
resolve to this machine. A program of its own, run by its path: it imports nothing of ours, and so starts at once.
"""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import (
    HTMLResponse,
    JSONResponse,
    PlainTextResponse,
    RedirectResponse,
    Response,
    StreamingResponse,
)
from starlette.routing import Route

NAMESPACE = "default"

PERMITTED = (
    r"^(GET|HEAD) /",
    r"^POST /api/v1/namespaces/[^/?]+/workflows/[^/?]+/query/[A-Za-z_]+(\?[^/]*)?$",
    r"^POST /api/v1/namespaces/[^/?]+/workflows/grant%2F[a-z0-9][a-z0-9-]*%2F[a-z0-9][a-z0-9-]*%2F[A-Za-z0-9][A-Za-z0-9._-]*/cancel(\?[^/]*)?$",  # noqa: E501
    r"^POST /api/v1/namespaces/[^/?]+/workflows/grant%2F[a-z0-9][a-z0-9-]*%2F[a-z0-9][a-z0-9-]*%2F[A-Za-z0-9][A-Za-z0-9._-]*/signal/(end|retry)(\?[^/]*)?$",  # noqa: E501
)
"""As in ``deploy/temporal-ui-guard.conf``, and like there matched with the path as it was sent."""

SWITCHED_OFF = (
    "WorkflowTerminateDisabled",
    "WorkflowResetDisabled",
    "WorkflowPauseDisabled",
    "WorkflowUpdateDisabled",
    "BatchActionsDisabled",
    "StartWorkflowDisabled",
    "ActivityCommandsDisabled",
)
"""Settings of the UI's front end that take away the buttons whose requests are refused."""

GRANTS = 'WorkflowType="AccessGrant"'
"""What ``/`` lists; ``/?query=...`` lists anything else, with the same columns."""

COLUMNS = ("Status", "Workflow ID", "GrantState", "Tenant", "Technician", "ExpiresAt", "Start")

LIST_PAGE = """<!doctype html>
<meta charset="utf-8">
<title>Grants</title>
<script>
  // The UI keeps the columns of its lists in the browser. A choice that was made there is left alone.
  const key = "namespace-workflow-table-columns"
  const columns = JSON.parse(localStorage.getItem(key) ?? "{{}}")
  columns[{namespace}] ??= {columns}
  localStorage.setItem(key, JSON.stringify(columns))
  location.replace({address})
</script>
"""

OWN_NAME = re.compile(r"(localhost|127\.0\.0\.1|\[::1\])(:[0-9]+)?")
GRANT_PAGE = re.compile(r"(?P<workflow>/namespaces/[^/]+/workflows/[^/]+)(?P<run>/[0-9a-f-]{36})?/?")
LONGEST_BODY = 4096
TIMEOUT_SECONDS = 90
"""Longer than the front end's requests wait for something to happen, which is a minute."""
UNCOMPRESSED = {"accept-encoding": "identity"}
"""Unless the browser asks for more."""

OF_ONE_CONNECTION = {"connection", "keep-alive", "transfer-encoding", "content-length", "upgrade"}


class Guard:
    """Passes on to the UI at ``ui`` what is permitted."""

    def __init__(self, ui: str) -> None:
        self._ui = httpx.AsyncClient(base_url=ui, trust_env=False, timeout=TIMEOUT_SECONDS, headers=UNCOMPRESSED)

    @asynccontextmanager
    async def lifespan(self, _: Starlette) -> AsyncIterator[None]:
        async with self._ui:
            yield

    async def answer(self, request: Request) -> Response:
        """What the person's browser gets."""
        path: str = request.scope["raw_path"].decode("latin-1")
        target = f"{path}?{request.url.query}" if request.url.query else path
        if not OWN_NAME.fullmatch(request.headers.get("host", "")):
            return PlainTextResponse("Ask for this machine by the name localhost.\n", 403)
        if not any(re.match(rule, f"{request.method} {target}") for rule in PERMITTED):
            return PlainTextResponse(
                "Only cancelling a grant, ending it and trying it again are permitted here.\n", 405
            )
        if path == "/":
            return _list(request.query_params.get("query", GRANTS))
        try:
            if (page := GRANT_PAGE.fullmatch(path)) and (details := await self._details_of(page)):
                return RedirectResponse(details, 302)
            return await self._pass_on(request, target)
        except httpx.TransportError:
            return PlainTextResponse("Temporal does not answer.\n", 502)

    async def _details_of(self, page: re.Match[str]) -> str | None:
        """The tab that says in words where the workflow stands; the UI itself opens with the timeline."""
        if run := page["run"]:
            return f"{page['workflow']}{run}/user-metadata"
        described = await self._ui.get(f"/api/v1{page['workflow']}")
        if not described.is_success:
            return None
        return f"{page['workflow']}/{described.json()['workflowExecutionInfo']['execution']['runId']}/user-metadata"

    async def _pass_on(self, request: Request, target: str) -> Response:
        body = b""
        async for part in request.stream():
            body += part
            if len(body) > LONGEST_BODY:
                return PlainTextResponse("A request may have a body of 4 kB here.\n", 413)
        headers = [(name, value) for name, value in request.headers.items() if name not in OF_ONE_CONNECTION]
        # The path as it was matched: otherwise httpx would resolve its dots.
        address = self._ui.base_url.copy_with(raw_path=target.encode("latin-1"))
        asked = self._ui.build_request(request.method, address, headers=headers, content=body)
        if target.partition("?")[0] == "/api/v1/settings":
            return await self._settings(asked)
        answer = await self._ui.send(asked, stream=True)
        passed = StreamingResponse(answer.aiter_raw(), answer.status_code, background=BackgroundTask(answer.aclose))
        passed.raw_headers = [pair for pair in answer.headers.raw if pair[0].lower().decode() not in OF_ONE_CONNECTION]
        return passed

    async def _settings(self, asked: httpx.Request) -> Response:
        answer = await self._ui.send(asked)
        passed = JSONResponse(answer.json() | dict.fromkeys(SWITCHED_OFF, True))
        passed.raw_headers += [pair for pair in answer.headers.raw if pair[0].lower() == b"set-cookie"]
        return passed


def _list(query: str) -> Response:
    address = f"/namespaces/{NAMESPACE}/workflows?{httpx.QueryParams(query=query)}"
    columns = [{"label": name} for name in COLUMNS]
    said = {"namespace": NAMESPACE, "columns": columns, "address": address}
    return HTMLResponse(LIST_PAGE.format(**{name: json.dumps(value) for name, value in said.items()}))


def main() -> None:
    """Guard until SIGTERM."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--ui", required=True, help="its address, http://host:port")
    given = parser.parse_args()
    guard = Guard(given.ui)
    everything = Route(
        "/{path:path}", guard.answer, methods=["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
    )
    application = Starlette(routes=[everything], lifespan=guard.lifespan)
    uvicorn.run(application, host="127.0.0.1", port=given.port, log_level="warning", proxy_headers=False)


if __name__ == "__main__":
    main()
