"""A stack on one machine keeps its data over a restart, stops all that it started, and is found from another terminal.

A forgotten ledger leaves accounts open for ever, and a worker that outlives its stack acts unseen. PostgreSQL and
Temporal are the real ones. Sandbox, migrations and programs are stand-ins of a few lines, because these tests are about
starting, watching and stopping programs, not about what the programs do.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path

import httpx
import psycopg
import pytest
import pytest_asyncio
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.common import SearchAttributeKey, SearchAttributePair, TypedSearchAttributes
from temporalio.envconfig import ClientConfig

from entra_jit.local_stack.addresses import StackAddresses, running_stack
from entra_jit.local_stack.child import Child, StackError
from entra_jit.local_stack.stack import LocalStack, Programs
from tests.patience import PATIENCE_SECONDS, eventually

SANDBOX = """
import json, os, pathlib, signal, sys
state, port = pathlib.Path(sys.argv[2]), int(sys.argv[4])
(state / "ca.pem").touch()
url = f"https://localhost:{port}"
said = {"graph_url": url + "/v1.0", "login_url": url, "control_url": url + "/sandbox", "ca_file": str(state / "ca.pem")}
(state / "sandbox.json").write_text(json.dumps({**said, "pid": os.getpid(), "port": port}))
signal.pause()
"""
WORKER = """
import os, pathlib, signal, sys
ready = pathlib.Path(os.environ["ENTRA_JIT_READY_FILE"])
def leave(*_):
    stack = ready.parent.parent
    (stack / "worker-left").write_text(str((stack / "postgres/postmaster.pid").exists()))
    sys.exit(0)
signal.signal(signal.SIGTERM, leave)
ready.touch()
while True:
    signal.pause()
"""
CLOSER = """
import os, pathlib, signal
pathlib.Path(os.environ["ENTRA_JIT_READY_FILE"]).touch()
signal.pause()
"""
PORTAL = """
import os, socket
assert "ENTRA_JIT_PORTAL_KEYS" in os.environ and "ENTRA_JIT_KEYS" not in os.environ
address, _, port = os.environ["ENTRA_JIT_PORTAL_ADDRESS"].rpartition(":")
listening = socket.create_server((address, int(port)))
while True:
    listening.accept()
"""
PROGRAMS = Programs(
    sandbox=(sys.executable, "-c", SANDBOX),
    migrate=(sys.executable, "-c", "import os; assert os.environ['DATABASE_URL'] and os.environ['ENTRA_JIT_KEYS']"),
    worker=(sys.executable, "-c", WORKER),
    closer=(sys.executable, "-c", CLOSER),
    portal=(sys.executable, "-c", PORTAL),
)
SERVE = f"""
import asyncio, contextlib, pathlib, sys
from entra_jit.local_stack.stack import LocalStack, Programs
@contextlib.asynccontextmanager
async def say_so(addresses):
    print("up", flush=True)
    yield
programs = Programs({PROGRAMS.sandbox}, {PROGRAMS.migrate}, {PROGRAMS.worker}, {PROGRAMS.closer}, {PROGRAMS.portal})
stack = LocalStack(pathlib.Path(sys.argv[1]), programs=programs)
asyncio.run(stack.serve(say_so))
"""


@pytest_asyncio.fixture(scope="module")
async def stack(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[LocalStack]:
    """One stack for the tests that leave it as they found it."""
    async with LocalStack(tmp_path_factory.mktemp("stack") / "state", programs=PROGRAMS) as stack:
        yield stack


def alive(pid: int) -> bool:
    """Whether the process runs; one that has ended and was not yet collected does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def arguments(pid: int) -> str:
    """What every user of the machine can read of a process."""
    return Path(f"/proc/{pid}/cmdline").read_text()


async def until(condition: Callable[[], bool]) -> None:
    async def met() -> bool | None:
        return condition() or None

    await eventually(met)


def listeners(pid: int) -> list[int]:
    """The TCP ports of 127.0.0.1 on which a process listens."""
    sockets = {file.readlink().name for file in Path(f"/proc/{pid}/fd").iterdir()}
    rows = [line.split() for line in Path(f"/proc/{pid}/net/tcp").read_text().splitlines()[1:]]
    listening = [row for row in rows if row[3] == "0A" and f"socket:[{row[9]}]" in sockets]
    return [int(row[1].partition(":")[2], 16) for row in listening]


async def ask(addresses: StackAddresses, statement: str) -> list[tuple[object, ...]]:
    async with await psycopg.AsyncConnection.connect(addresses.database_url, autocommit=True) as connection:
        answer = await connection.execute(statement)
        return await answer.fetchall() if answer.description else []


def launch(state_dir: Path) -> subprocess.Popen[str]:
    """A stack in a process of its own, as ``make up`` runs it; it prints a line when it is up."""
    return subprocess.Popen([sys.executable, "-c", SERVE, state_dir], stdout=subprocess.PIPE, text=True)


def serve(state_dir: Path) -> subprocess.Popen[str]:
    """The same, once it is up."""
    process = launch(state_dir)
    assert process.stdout is not None
    assert process.stdout.readline() == "up\n"
    return process


async def test_a_restart_loses_neither_ledger_nor_grants_nor_keys_nor_addresses(state: Path) -> None:
    """A stack that forgot over a restart would leave accounts open forever, without an end."""
    state_key = SearchAttributeKey.for_keyword("GrantState")
    async with LocalStack(state, programs=PROGRAMS) as stack:
        before, keys = stack.addresses, stack.environment()["ENTRA_JIT_KEYS"]
        await ask(before, "CREATE TABLE kept AS SELECT 7 AS value")
        client = await Client.connect(before.temporal, namespace=before.namespace)
        await client.start_workflow(
            "AccessGrant",
            id="grant/1",
            task_queue="nobody",
            search_attributes=TypedSearchAttributes([SearchAttributePair(state_key, "active")]),
        )
    async with LocalStack(state, programs=PROGRAMS) as stack:
        assert stack.addresses.model_dump(exclude={"pids"}) == before.model_dump(exclude={"pids"})
        assert stack.environment()["ENTRA_JIT_KEYS"] == keys
        assert await ask(stack.addresses, "SELECT value FROM kept") == [(7,)]
        client = await Client.connect(before.temporal, namespace=before.namespace)
        assert [found.id async for found in client.list_workflows("GrantState = 'active'")] == ["grant/1"]


async def test_two_stacks_side_by_side_do_not_clash(tmp_path: Path) -> None:
    """Two checkouts, or a demo beside `make up`, must not end in each other's database or on each other's ports."""
    one, other = LocalStack(tmp_path / "one", programs=PROGRAMS), LocalStack(tmp_path / "other", programs=PROGRAMS)
    try:
        await asyncio.gather(one.start(), other.start())
        shared = {"namespace", "pids", "state_dir"}
        for name, address in one.addresses.model_dump(exclude=shared).items():
            assert address != other.addresses.model_dump()[name], name
        assert not set(one.addresses.pids.values()) & set(other.addresses.pids.values())
        await ask(one.addresses, "CREATE TABLE mine (value int)")
        assert await ask(other.addresses, "SELECT to_regclass('mine')") == [(None,)]
    finally:
        await asyncio.gather(one.stop(), other.stop())


async def test_a_second_start_in_the_same_directory_is_refused(stack: LocalStack) -> None:
    """Two servers on one set of files would corrupt them; the first must not even notice the attempt."""
    with pytest.raises(StackError, match=rf"already running in {stack.state_dir} \(process {os.getpid()}\)"):
        await LocalStack(stack.state_dir, programs=PROGRAMS).start()
    assert all(alive(pid) for pid in stack.addresses.pids.values())
    assert await ask(stack.addresses, "SELECT 1") == [(1,)]


async def test_a_killed_stack_leaves_no_process_and_no_lost_data_behind(tmp_path: Path) -> None:
    """What outlived a killed stack would hold its ports and files, and a worker without a stack would act unseen."""
    process = serve(tmp_path)
    first = running_stack(tmp_path)
    assert first is not None
    await ask(first, "CREATE TABLE kept AS SELECT 7 AS value")
    process.kill()
    process.wait()
    await until(lambda: not any(alive(pid) for pid in first.pids.values()))
    assert (tmp_path / "stack.json").exists()
    assert running_stack(tmp_path) is None

    process = serve(tmp_path)
    second = running_stack(tmp_path)
    assert second is not None
    process.kill()
    async with LocalStack(tmp_path, programs=PROGRAMS) as again:  # at once, while the second is still going
        assert not any(alive(pid) for pid in second.pids.values())
        assert again.addresses.temporal == first.temporal
        assert await ask(again.addresses, "SELECT value FROM kept") == [(7,)]
    process.wait()


async def test_a_process_left_over_is_ended_before_its_successor_starts(tmp_path: Path) -> None:
    """Where the kernel ends no orphans (macOS), two workers or two servers on one file would follow from a crash."""
    (tmp_path / "run").mkdir()
    (tmp_path / "logs").mkdir()
    leave_behind = """if True:
        import asyncio, os, pathlib, signal, sys
        from entra_jit.local_stack.child import Child
        async def ready(pid):
            return pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().startswith(b"/bin/sleep")  # and off its leash
        child = Child("worker", pathlib.Path(sys.argv[1]), orphan_signal=signal.SIGCONT)
        asyncio.run(child.start(["/bin/sleep", "60"], {}, ready=ready))
        os.kill(os.getpid(), signal.SIGKILL)
    """
    await asyncio.to_thread(subprocess.run, [sys.executable, "-c", leave_behind, tmp_path], check=False)
    left_over = int((tmp_path / "run" / "worker.pid").read_text())
    assert alive(left_over)

    async def ready(pid: int) -> bool:
        return not alive(left_over) and alive(pid)

    child = Child("worker", tmp_path)
    await child.start(["/bin/sleep", "60"], {}, ready=ready)
    await child.stop(grace_seconds=1)


async def test_ctrl_c_while_it_starts_stops_what_has_started(tmp_path: Path) -> None:
    """People lose patience during a start; a half-started stack must not stay behind."""
    process = launch(tmp_path)
    pid_file = tmp_path / "run" / "temporal.pid"
    await until(lambda: pid_file.exists() and bool(pid_file.read_text()))
    process.send_signal(signal.SIGINT)
    assert await asyncio.to_thread(process.wait, PATIENCE_SECONDS) == 0
    assert not alive(int(pid_file.read_text()))
    assert process.stdout is not None
    assert process.stdout.read() == ""


async def test_what_dies_is_started_again_and_sigterm_stops_everything_worker_first(tmp_path: Path) -> None:
    """A worker that died in the night must not leave grants open; one that is stopped is to finish its step."""
    process = serve(tmp_path)
    first = running_stack(tmp_path)
    assert first is not None
    os.kill(first.pids["worker"], signal.SIGKILL)
    await until(lambda: json.loads((tmp_path / "stack.json").read_text())["pids"].get("worker") != first.pids["worker"])
    second = running_stack(tmp_path)
    assert second is not None
    assert alive(second.pids["worker"])
    for _ in range(4):  # a part that does not last ends none of the others
        portal = json.loads((tmp_path / "stack.json").read_text())["pids"]["portal"]
        os.kill(portal, signal.SIGKILL)
        await until(
            lambda portal=portal: (
                json.loads((tmp_path / "stack.json").read_text())["pids"].get("portal", portal) != portal
            )
        )
    assert process.poll() is None
    assert alive(second.pids["worker"])
    # A database that cannot be started for a while takes nothing with it: what still closes goes on.
    (tmp_path / "postgres").rename(tmp_path / "away")
    (tmp_path / "postgres").touch()
    os.kill(second.pids["postgres"], signal.SIGKILL)
    await until(lambda: not alive(second.pids["postgres"]))
    await asyncio.sleep(2)
    assert process.poll() is None
    assert alive(second.pids["worker"])
    (tmp_path / "postgres").unlink()
    (tmp_path / "away").rename(tmp_path / "postgres")
    await until(
        lambda: (
            json.loads((tmp_path / "stack.json").read_text())["pids"].get("postgres", second.pids["postgres"])
            != second.pids["postgres"]
        )
    )

    process.send_signal(signal.SIGTERM)
    assert await asyncio.to_thread(process.wait, PATIENCE_SECONDS) == 0
    assert not any(alive(pid) for pid in {*first.pids.values(), *second.pids.values()})
    assert (tmp_path / "worker-left").read_text() == "True"
    assert not (tmp_path / "stack.json").exists()


async def test_a_part_that_cannot_start_is_named_and_nothing_is_left_running(tmp_path: Path) -> None:
    """'It does not start' without which part and why is the first hour of a newcomer lost."""
    broken = replace(PROGRAMS, worker=(sys.executable, "-c", "raise SystemExit('no such tenant')"))
    stack = LocalStack(tmp_path, programs=broken)
    with pytest.raises(StackError, match=r"worker stopped while starting \(status 1\)(.|\n)*no such tenant"):
        await stack.start()
    assert running_stack(tmp_path) is None
    for pid_file in (tmp_path / "run").glob("*.pid"):
        pid = int(pid_file.read_text())
        assert pid == os.getpid() or not alive(pid), pid_file.name


async def test_another_terminal_finds_the_stack_with_no_environment(stack: LocalStack) -> None:
    """The command line is used in a terminal that knows nothing of the stack; it must not need to be told."""
    assert running_stack(stack.state_dir) == stack.addresses
    assert running_stack(stack.state_dir / "elsewhere") is None
    named = set(json.loads((stack.state_dir / "stack.json").read_text()))
    assert named == {
        *("temporal", "temporal_ui", "namespace", "database_url", "graph_url", "login_url", "ca_file"),
        *("sandbox_control", "portal_url", "pids"),
    }


async def test_the_keys_are_readable_by_their_owner_only_and_in_no_process_arguments(stack: LocalStack) -> None:
    """Process arguments are for every user of the machine to read, and the key opens every sealed credential."""
    secret = stack.environment()["ENTRA_JIT_KEYS"].partition(":")[2]
    assert secret not in (stack.state_dir / "stack.json").read_text()
    for pid in stack.addresses.pids.values():
        assert secret not in arguments(pid)
    assert (stack.state_dir / "keys").stat().st_mode & 0o777 == 0o600
    # root's PostgreSQL runs as a user of its own, which must be able to pass through the directory, not to list it
    assert stack.state_dir.stat().st_mode & 0o777 == (0o711 if os.geteuid() == 0 else 0o700)
    assert not [
        file.name for file in stack.state_dir.iterdir() if file.stat().st_mode & 0o044 and not file.is_symlink()
    ]


async def test_a_web_page_cannot_terminate_anything(stack: LocalStack) -> None:
    """Temporal's HTTP API, on a port that a page can try out, took a POST of plain text from any site under any name.

    A browser sends one without asking. Under its own name, which it has resolve to 127.0.0.1, a page can even read.
    """
    client = await Client.connect(stack.addresses.temporal)
    workflow = await client.start_workflow("AccessGrant", id="grant/page", task_queue="none")
    everything = {"visibilityQuery": "ExecutionStatus='Running'", "reason": "a page", "terminationOperation": {}}
    page = {"Origin": "https://evil.example", "Content-Type": "text/plain"}
    answers: list[str] = []
    async with httpx.AsyncClient(trust_env=False, timeout=PATIENCE_SECONDS) as browser:
        ports = [port for part in ("temporal", "temporal-ui") for port in listeners(stack.addresses.pids[part])]
        for port in ports:
            for host in (f"127.0.0.1:{port}", f"localhost:{port}", f"evil.example:{port}"):
                with contextlib.suppress(httpx.TransportError):  # most ports speak gRPC alone
                    address = f"http://127.0.0.1:{port}/api/v1/namespaces/default/batch-operations/{len(answers)}"
                    body = json.dumps(everything).encode()
                    answer = await browser.post(address, content=body, headers={**page, "Host": host})
                    answers.append(answer.text)
    assert len([answer for answer in answers if "Host not allowed" in answer]) == 3, answers
    assert len([answer for answer in answers if "permitted here" in answer]) == 2, "the UI's guard"
    assert len([answer for answer in answers if "by the name localhost" in answer]) == 1
    assert not [answer for answer in answers if "csrf token" in answer], "the UI's own server is not found"
    assert (await workflow.describe()).status is WorkflowExecutionStatus.RUNNING


async def test_a_profile_for_another_cluster_does_not_reach_the_local_worker(stack: LocalStack, tmp_path: Path) -> None:
    """With Temporal Cloud configured in the user's home, its API key would be sent to whatever listens locally."""
    profile = tmp_path / "temporal.toml"
    profile.write_text('[profile.default]\naddress = "cloud.example:7233"\napi_key = "secret"\n')
    inherited = {"TEMPORAL_CONFIG_FILE": str(profile), **stack.environment()}
    config = ClientConfig.load_client_connect_config(override_env_vars=inherited)
    assert config == {"target_host": stack.addresses.temporal, "namespace": "default"}


async def test_the_ledger_can_be_taken_away_and_given_back(stack: LocalStack) -> None:
    """Closing must go on while PostgreSQL is down; a drill needs the same address to come back."""
    await stack.stop_postgres()
    with pytest.raises(psycopg.OperationalError):
        await ask(stack.addresses, "SELECT 1")
    await stack.start_postgres()
    assert await ask(stack.addresses, "SELECT 1") == [(1,)]


async def test_worker_and_temporal_can_be_restarted_alone(stack: LocalStack) -> None:
    """Failure drills kill one part at a time; the others and the addresses have to stay."""
    before = stack.addresses
    await stack.kill_worker()
    assert "worker" not in stack.addresses.pids
    await stack.restart_temporal()
    await stack.start_worker()
    assert stack.addresses.model_copy(update={"pids": before.pids}) == before
    assert stack.addresses.pids["temporal"] != before.pids["temporal"]
    client = await Client.connect(before.temporal)
    assert await client.service_client.check_health()


async def test_a_directory_too_deep_for_a_socket_still_works(tmp_path: Path) -> None:
    """A unix socket's path may have about a hundred bytes; temporary directories on some systems have more."""
    deep = tmp_path / ("d" * 60) / ("e" * 60)
    async with LocalStack(deep, worker=False, programs=PROGRAMS) as stack:
        assert await ask(stack.addresses, "SELECT 1") == [(1,)]
        assert "worker" not in stack.addresses.pids
