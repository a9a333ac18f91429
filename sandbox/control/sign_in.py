"""``POST /sandbox/sign-in``: does this credential open the account, as it would on Microsoft's page?"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from sandbox.app import Sandbox
from sandbox.control.requests import SignInBody
from sandbox.exchange import Exchange, Json
from sandbox.identity import sign_in as identity_sign_in
from sandbox.identity.clients import AZURE_CLI, Client
from sandbox.identity.errors import SignInError, parameter_missing

_SCOPES = "openid profile offline_access"


async def sign_in(sandbox: Sandbox, request: Request) -> Json:
    """200 with tokens that work, or 401 with the sign-in service's own envelope.

    A password that has to be changed at next sign-in signs in and says so: a person could change it at once.
    """
    body = SignInBody.model_validate_json(await request.body())
    exchange = Exchange(
        method="POST",
        path=request.url.path,
        query_string="",
        headers=dict(request.headers),
        body=b"",
        at=sandbox.clock.now(),
        origin=f"https://{request.headers.get('host', 'localhost')}",
    )
    try:
        signed_in = _signed_in(sandbox, body, exchange)
    except SignInError as refusal:
        refusal.status = 401
        answer = refusal.answer(exchange)
        return Response(answer.payload(), answer.status, media_type="application/json")
    client = Client(AZURE_CLI, "Microsoft Azure CLI")
    tokens = sandbox.sign_in.token_endpoint.session(signed_in, client, _SCOPES, exchange)
    return {
        "signed_in": True,
        "tenant": signed_in.tenant.id,
        "user_id": signed_in.user.id,
        "user_principal_name": signed_in.user.user_principal_name,
        "method": signed_in.method,
        "must_change_password": signed_in.must_change_password,
        "client_id": client.id,
        **tokens,
    }


def _signed_in(sandbox: Sandbox, body: SignInBody, exchange: Exchange) -> identity_sign_in.SignedIn:
    if body.temporary_access_pass is not None:
        return identity_sign_in.with_temporary_access_pass(
            sandbox.directory, body.username, body.temporary_access_pass, exchange.at
        )
    if body.password is None:
        raise parameter_missing("password")
    return identity_sign_in.with_password(sandbox.directory, body.username, body.password, exchange.at)
