"""No credential stands in what the system writes down: databases, histories, logs, process arguments.

A backup, a log archive, the Temporal UI or an account on the machine would otherwise give away the keys of every
customer. The test looks for every secret that it knows, in every form in which software writes text.
"""

from __future__ import annotations

import asyncio
import json
import re
from base64 import b64decode, b64encode, urlsafe_b64encode
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote, quote_plus

from entra_jit.local_stack.addresses import SANDBOX_SECRETS
from entra_jit.local_stack.stack import LocalStack
from entra_jit.operations.extend_access import extend_access
from entra_jit.operations.reveal_credential import reveal_credential
from models.messages import GrantState
from tests.actors import TESTER, operator
from tests.end_to_end.whole_stack import whole_stack
from tests.stage import Scene

ACCESS_TOKEN = re.compile(rb"eyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10,}")
"""A signed token of the sign-in service, whoever it was given to."""


def forms(secret: bytes) -> set[bytes]:
    """The ways in which software writes this text down."""
    found = {secret}
    if secret.isascii():
        text = secret.decode()
        found |= {json.dumps(text)[1:-1].encode(), text.encode("utf-16-le"), text.encode("utf-16-be")}
        found |= {quote(text, safe="").encode(), quote_plus(text).encode(), repr(text)[1:-1].encode()}
    for shift in range(3):  # where in a longer text it begins decides how base64 writes it
        first, last = -(-shift * 8 // 6), (shift + len(secret)) * 8 // 6
        for encode in (b64encode, urlsafe_b64encode):
            found.add(encode(bytes(shift) + secret)[first:last])
    found.add(secret.hex().encode())
    return found


async def places(stack: LocalStack, stage: Scene) -> Iterator[tuple[str, bytes]]:
    """Everything that the stack has written, by what it is called; the simulated Microsoft's own memory is not ours."""
    stage.sql("CHECKPOINT")
    written = [
        (file.relative_to(stack.state_dir).as_posix(), file.read_bytes())
        for pattern in ("temporal.db*", "postgres/**/*", "logs/*", "stack.json", "ports.json")
        for file in stack.state_dir.glob(pattern)
        if file.is_file()
    ]
    written += [(f"arguments of {part}", arguments) for part, arguments in process_arguments(stack)]
    async for execution in stage.services.client.list_workflows():
        history = await stage.services.client.get_workflow_handle(execution.id, run_id=execution.run_id).fetch_history()
        written.append((f"history of {execution.id}", b"\n".join(_texts(json.loads(history.to_json())))))
    return iter(written)


def process_arguments(stack: LocalStack) -> Iterator[tuple[str, bytes]]:
    """What every user of the machine can read of the stack's processes and their children."""
    for part, pid in stack.addresses.pids.items():
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        for process in (str(pid), *children):
            with suppress(FileNotFoundError):  # PostgreSQL's come and go
                yield part, Path(f"/proc/{process}/cmdline").read_bytes()


def _texts(value: object) -> Iterator[bytes]:
    if isinstance(value, dict):
        for key, part in value.items():
            yield from [b64decode(part)] if key == "data" and isinstance(part, str) else _texts(part)
    elif isinstance(value, list):
        for part in value:
            yield from _texts(part)
    elif isinstance(value, str):
        yield value.encode()


async def findings(stack: LocalStack, stage: Scene, secrets: dict[str, bytes]) -> set[tuple[str, str]]:
    """What was found where, by name: never the secret itself."""
    wanted = {name: forms(secret) for name, secret in secrets.items()}
    found = set()
    for place, content in await places(stack, stage):
        found |= {(name, place) for name, ways in wanted.items() if any(way in content for way in ways)}
        if ACCESS_TOKEN.search(content):
            found.add(("an access token", place))
    return found


async def credential(stage: Scene, technician: str, customer: str, request_id: str) -> bytes:
    """The revealed credential, after it has been used as a person would."""
    account, revealed = await reveal_credential(TESTER, stage.app, request_id, technician)
    secret = revealed.secret.get_secret_value()
    opens = stage.signs_in(account, **{revealed.kind.value: secret})
    assert opens
    return secret.encode()


async def test_what_is_secret_is_written_nowhere(state: Path) -> None:
    async with whole_stack(state / "secrets") as (stack, stage):
        key = stack.environment()["ENTRA_JIT_KEYS"].partition(":")[2]
        secrets = {name: secret.encode() for name, secret in SANDBOX_SECRETS.items()}
        secrets |= {"the deployment's key": key.encode(), "the deployment's key, raw": b64decode(key)}
        # PermanentError and failing calls write most: into logs and failures.
        stage.fault(customer="fabrikam", method="PATCH", body_contains="passwordProfile", status=400, count=1)
        stage.fault(customer="contoso", method="POST", path="/users/*/authentication/**", drop="after", count=1)
        with_pass = await stage.ask("alex", customer="contoso", hours=1)
        with_password = await stage.ask("robin", customer="fabrikam", hours=1)
        await asyncio.gather(
            stage.until(with_pass, GrantState.OPEN), stage.until(with_password, GrantState.OPEN, GrantState.PARKED)
        )
        if (await stage.status(with_password)).state is GrantState.PARKED:
            await stage.workflow(with_password).signal("retry")
            await stage.until(with_password, GrantState.OPEN)
        secrets["a pass"] = await credential(stage, "alex", "contoso", with_pass)
        await extend_access(operator("kim"), stage.app, with_pass, timedelta(minutes=5), "more to do")
        secrets["a second pass"] = await credential(stage, "alex", "contoso", with_pass)
        secrets["a password"] = await credential(stage, "robin", "fabrikam", with_password)
        assert len(set(secrets.values())) == len(secrets)

        assert await findings(stack, stage, secrets) == set(), "while the grants are open"
        for grant in (with_pass, with_password):
            await stage.workflow(grant).signal("end")
            await stage.receipt(grant)
        assert await findings(stack, stage, secrets) == set(), "after they were closed"

        # A search that finds nothing protects nothing: each kind of place, each with another form.
        password = secrets["a password"].decode()
        stage.sql("CREATE TABLE planted AS SELECT %s::text AS secret", password)
        await stage.services.client.start_workflow("NoSuchWorkflow", password, id="planted", task_queue="nobody")
        with (stack.state_dir / "logs" / "worker.log").open("a") as log:
            log.write(f"?p=x{quote(password, safe='')}\n{b64encode(b'p=' + secrets['a pass']).decode()}\n")
        found = await findings(stack, stage, secrets)
        assert {("a password", "logs/worker.log"), ("a pass", "logs/worker.log")} <= found
        assert ("a password", "history of planted") in found
        assert any(place.startswith("temporal.db") for _, place in found)
        assert any(place.startswith("postgres/") for _, place in found)
