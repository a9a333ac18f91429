"""The compose file cannot be run in the tests; what would silently go wrong in it is compared with the code."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import AliasChoices
from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import ListSearchAttributesRequest
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest
from temporalio.client import Client

from entra_jit.crypto.keyring import Keyring
from entra_jit.health import LOOKS_AGAIN_AFTER_SECONDS
from entra_jit.local_stack.addresses import reserve_ports
from entra_jit.local_stack.temporal import RETENTION, SEARCH_ATTRIBUTES, SERVER_SETTINGS, Temporal, temporal_program
from entra_jit.settings import SECRETS, OwnApplication, Settings
from models.search_attributes import ALL as REGISTRY

ROOT = Path(__file__).parent.parent
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if "build" in service}


def variables_of(field: str) -> set[str]:
    """The names under which a setting is read from the environment."""
    alias = Settings.model_fields[field].validation_alias
    if isinstance(alias, AliasChoices):
        return {str(choice) for choice in alias.choices}
    own = {f"ENTRA_JIT_{field.upper()}"}
    if Settings.model_fields[field].annotation == OwnApplication | None:
        return {f"{name}__{part.upper()}" for name in own for part in OwnApplication.model_fields}
    return own


KNOWN = {variable: field for field in Settings.model_fields for variable in variables_of(field)}
KNOWN |= {f"{secret}_FILE": KNOWN[secret] for secret in SECRETS}
FILES = {name: set(service.get("secrets", ())) for name, service in SERVICES.items()}


def variables_in_compose(field: str) -> set[str]:
    """The same, where each secret stands in a file."""
    return {f"{name}_FILE" if name in SECRETS else name for name in variables_of(field)}


def image_of(service: dict[str, Any]) -> str:
    """The image that is taken where no other is set."""
    return re.sub(r"^\$\{[A-Z_]+:-(.+)\}$", r"\1", service["image"])


def run_script(name: str, environment: dict[str, str]) -> None:
    """Run a script of ``deploy`` as its container does, with the embedded ``temporal`` on the path."""
    path = f"{temporal_program().parent}{os.pathsep}{os.environ['PATH']}"
    everything = {"PATH": path, "TEMPORAL_CONFIG_FILE": os.devnull, **environment}
    subprocess.run(["/bin/sh", ROOT / "deploy" / name], env=everything, check=True, capture_output=True)


@pytest.mark.parametrize("name", OURS)
def test_every_setting_in_the_compose_file_exists(name: str) -> None:
    """pydantic-settings ignores a variable that it does not know: a misspelt limit would silently not hold."""
    given = {variable for variable in OURS[name].get("environment", {}) if variable.startswith("ENTRA_JIT_")}
    assert given <= KNOWN.keys()


@pytest.mark.parametrize("name", ["worker", "closer", "portal", "migrate"])
def test_what_has_no_default_is_given_or_asked_for(name: str) -> None:
    """A container that restarts for ever over a missing setting is found out late, and by reading its logs."""
    required = {field for field, info in Settings.model_fields.items() if info.is_required()}
    assert required <= {KNOWN[variable] for variable in OURS[name]["environment"] if variable in KNOWN}


@pytest.mark.parametrize("name", ["ELEVATE", "REVOKE"])
def test_the_worker_can_be_given_the_msps_own_applications_and_the_portal_cannot(name: str) -> None:
    """With the portal's environment no customer's tenant opens."""
    variables = variables_in_compose(name.lower())
    assert variables <= OURS["worker"]["environment"].keys()
    assert variables.isdisjoint(OURS["portal"]["environment"])
    in_the_closer = variables & OURS["closer"]["environment"].keys()
    assert in_the_closer == (variables if name == "REVOKE" else set()), "it closes there, too, and opens nothing"


def test_worker_and_portal_know_what_people_sign_in_to() -> None:
    """A worker finishes what the portal began: without it no customer could be connected there."""
    variables = variables_in_compose("sign_in") | variables_of("configuration_is_a_file")
    for name in ("worker", "portal"):
        assert variables <= OURS[name]["environment"].keys(), name


def test_the_portal_is_given_keys_of_its_own() -> None:
    given = {name: KNOWN.keys() & service.get("environment", {}).keys() for name, service in OURS.items()}
    assert {name for name, known in given.items() if "ENTRA_JIT_KEYS_FILE" in known} == {"migrate", "worker", "closer"}
    assert {name for name, files in FILES.items() if "keys" in files} == {"migrate", "worker", "closer"}
    assert FILES["portal"] == {"ledger-url", "portal-keys"}


def test_the_example_names_only_variables_that_the_compose_file_reads() -> None:
    """A filled-in line of the example must have an effect."""
    compose = (ROOT / "docker-compose.yml").read_text()
    named = re.findall(r"^#?([A-Z][A-Z_]+)=", (ROOT / "deploy" / ".env.example").read_text(), re.MULTILINE)
    assert named
    assert [name for name in named if not re.search(rf"\$\{{{name}\b|^ +{name}:$", compose, re.MULTILINE)] == []


def test_secrets_come_from_outside_and_are_asked_for_in_a_sentence() -> None:
    """A password with a default is a password that everybody knows."""
    for name, service in SERVICES.items():
        for variable, value in service.get("environment", {}).items():
            if variable.endswith("_FILE"):
                assert not str(value or "").startswith("/run/secrets/") or Path(value).name in FILES[name], variable
            elif re.search(r"PASSWORD|PWD|KEYS|DATABASE_URL", variable):
                assert re.search(r"\$\{[A-Z_]+:\?set [^}]{20,}\}", value), f"{name}: {variable}"


@pytest.mark.parametrize("name", OURS)
def test_no_environment_of_ours_shows_a_secret(name: str) -> None:
    """`docker inspect` shows it, and every process that is started inherits it."""
    assert not OURS[name].get("environment", {}).keys() & set(SECRETS)
    assert FILES[name] <= COMPOSE["secrets"].keys()


def test_the_secrets_are_made_once_for_the_owner_of_their_directory(tmp_path: Path) -> None:
    for _ in range(2):
        command = ["/bin/sh", ROOT / "deploy" / "make-secrets.sh"]
        subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
        made = {file.name: file.read_text() for file in (tmp_path / "secrets").iterdir() if file.is_file()}
    assert made.keys() | {"portal-keys"} == COMPOSE["secrets"].keys()
    assert len(Keyring.parse(made["keys"].strip()).ids) == 1
    assert made["ledger-url"] == f"postgresql://entra_jit:{made['ledger-password'].strip()}@ledger:5432/entra_jit\n"
    assert (tmp_path / "secrets").stat().st_mode & 0o777 == 0o700
    assert {file.stat().st_mode & 0o044 for file in (tmp_path / "secrets").iterdir()} == {0o044}


def test_a_connection_to_temporal_is_given_whole_or_not_at_all() -> None:
    """An empty TEMPORAL_API_KEY turns TLS on, and the worker never reaches the server beside it."""
    for variable, value in SERVICES["worker"]["environment"].items():
        if variable.startswith("TEMPORAL_"):
            assert value is None or not value.endswith((":-}", "-}")), variable


def test_nothing_is_published_beyond_this_machine() -> None:
    """Temporal's frontend identifies no one: published, it would let anyone end every grant."""
    published = {name: port for name, service in SERVICES.items() for port in service.get("ports", [])}
    assert list(published) == ["temporal-ui-guard", "portal"]
    assert all(port.startswith("127.0.0.1:") for port in published.values())
    open_networks = {name for name, network in COMPOSE["networks"].items() if not (network or {}).get("internal")}
    for name in ("temporal-db", "temporal", "temporal-ui", "ledger", "sandbox"):
        assert not open_networks & set(SERVICES[name]["networks"]), name


def test_the_ui_hides_what_leaves_an_account_open() -> None:
    """Terminate runs no clean-up, reset grants again, pause holds up the closing; people press what they see."""
    ui = SERVICES["temporal-ui"]["environment"]
    for action in ("WORKFLOW_TERMINATE", "WORKFLOW_RESET", "WORKFLOW_PAUSE", "BATCH_ACTIONS", "START_WORKFLOW"):
        assert ui[f"TEMPORAL_{action}_DISABLED"] == "true"
    assert "TEMPORAL_WORKFLOW_CANCEL_DISABLED" not in ui


@pytest.mark.parametrize("name", SERVICES)
def test_containers_have_no_more_rights_than_they_use(name: str) -> None:
    """What can create administrators deserves no idle privilege."""
    service = SERVICES[name]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service.get("read_only") or image_of(service).startswith("postgres:")
    assert service["logging"]["options"].keys() == {"max-size", "max-file"}
    assert service["mem_limit"]
    if service.get("restart") == "unless-stopped":
        assert "healthcheck" in service


@pytest.mark.parametrize("name", ["worker", "closer", "portal"])
def test_a_program_that_hangs_is_started_again(name: str) -> None:
    """Docker leaves what is unhealthy as it is; the health check ends it, which it cannot where it is process 1."""
    service = OURS[name]
    file = service["environment"]["ENTRA_JIT_READY_FILE"]
    assert service["healthcheck"]["test"] == ["CMD", "python", "-m", "entra_jit.health", file]
    assert int(service["healthcheck"]["timeout"].removesuffix("s")) > LOOKS_AGAIN_AFTER_SECONDS
    assert (service["init"], service["restart"]) == (True, "unless-stopped")


@pytest.mark.parametrize("name", ["worker", "closer"])
def test_what_closes_keeps_what_it_needs_to_start_without_the_ledger(name: str) -> None:
    service = OURS[name]
    cache = Path(service["environment"]["ENTRA_JIT_SEALED_CACHE"])
    assert f"{name}:{cache.parent}" in service["volumes"]
    assert name in COMPOSE["volumes"]
    assert str(cache.parent) in (ROOT / "Dockerfile").read_text()


def test_the_image_holds_every_package_and_only_them() -> None:
    """The build context is a list of what may enter; a package added later must be added there, a key never."""
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    allowed = {line.removeprefix("!") for line in lines if line.startswith("!")}
    packages = {file.parent.name for file in ROOT.glob("[a-z]*/*.py")} - {"tests", "benchmarks"}
    assert packages | {"*.py"} <= allowed
    assert lines[1] == "*"
    assert not {name for name in allowed if "env" in name or "key" in name}


def test_the_self_hosted_server_is_the_one_that_the_tests_run_on() -> None:
    """Behaviour was measured and is tested on the embedded server; another version or setting may behave otherwise."""
    version = subprocess.run([temporal_program(), "--version"], capture_output=True, text=True, check=True).stdout
    server, ui = re.findall(r"Server ([\d.]+), UI ([\d.]+)", version)[0]
    images = {name: image_of(service) for name, service in SERVICES.items()}
    assert images["temporal"] == f"temporalio/server:{server}"
    assert images["temporal-schema"] == images["temporal-namespace"] == f"temporalio/admin-tools:{server}"
    assert images["temporal-ui"] == f"temporalio/ui:{ui}"
    configured = yaml.safe_load((ROOT / "deploy" / "temporal-dynamic-config.yaml").read_text())
    assert {key: entries[0]["value"] for key, entries in configured.items()} == SERVER_SETTINGS


def test_the_stack_registers_the_search_attributes_that_grants_set() -> None:
    """A grant that sets an attribute which its cluster does not know stands still, silently."""
    kinds = {key.name: IndexedValueType.Name(key.indexed_value_type.value) for key in REGISTRY}
    assert kinds == {name: f"INDEXED_VALUE_TYPE_{kind.upper()}" for name, kind in SEARCH_ATTRIBUTES.items()}


async def test_the_namespace_script_registers_what_grants_are_found_by_and_may_run_again(tmp_path: Path) -> None:
    """An unregistered search attribute stops every grant at its first step, as a workflow task that fails for ever."""
    for name in ("run", "logs"):
        (tmp_path / name).mkdir()
    ports = reserve_ports(tmp_path)
    temporal = Temporal(tmp_path)
    await temporal.start(port=ports.temporal, ui_port=ports.temporal_ui)
    try:
        connection = {"TEMPORAL_ADDRESS": temporal.address, "TEMPORAL_NAMESPACE": "msp"}
        for _ in range(2):
            await asyncio.to_thread(run_script, "temporal-namespace.sh", connection)
        client = await Client.connect(temporal.address)
        request = ListSearchAttributesRequest(namespace="msp")
        registered = (await client.operator_service.list_search_attributes(request)).custom_attributes
        wanted = {name: f"INDEXED_VALUE_TYPE_{kind.upper()}" for name, kind in SEARCH_ATTRIBUTES.items()}
        assert {name: IndexedValueType.Name(kind) for name, kind in registered.items()} == wanted
        described = await client.workflow_service.describe_namespace(DescribeNamespaceRequest(namespace="msp"))
        assert described.config.workflow_execution_retention_ttl.ToTimedelta() == RETENTION
    finally:
        await temporal.stop()
