"""A wrong or missing setting is one sentence that names it, before anything starts.

The worst of them are those that start all the same: a production worker that talks to a simulated tenant reports every
account as closed, and one that is given another host hands it the customers' secrets.
"""

from __future__ import annotations

import traceback
from datetime import UTC, datetime
from pathlib import Path

import pytest

from entra_jit.accounts.own_applications import read_own_applications
from entra_jit.crypto.keyring import Keyring
from entra_jit.crypto.narrow_keyring import PortalKeyring
from entra_jit.settings import SECRETS, OwnApplication, Settings, load_settings
from models.errors import SettingsError
from models.microsoft_hosts import MICROSOFT_GRAPH_HOSTS, MICROSOFT_LOGIN_HOSTS

KEYS = "k1:" + "U" * 43 + "="
NEEDED = {"DATABASE_URL": "postgresql://u:unmistakable@h/d", "ENTRA_JIT_KEYS": KEYS}


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """An environment with what is needed and nothing else of ours."""
    import os

    for name in list(os.environ):
        if name.startswith("ENTRA_JIT_") or name == "DATABASE_URL":
            monkeypatch.delenv(name)
    for name, value in NEEDED.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


def test_what_is_needed_is_enough_and_means_production(environment: pytest.MonkeyPatch) -> None:
    settings = load_settings()
    assert settings.profile == "production"
    assert settings.graph_url == "https://graph.microsoft.com/v1.0"
    assert "unmistakable" not in repr(settings) + str(settings)
    assert KEYS not in repr(settings) + str(settings.model_dump())


@pytest.mark.parametrize("name", NEEDED)
def test_a_missing_setting_is_named(environment: pytest.MonkeyPatch, name: str) -> None:
    environment.delenv(name)
    with pytest.raises(SettingsError, match=rf"^(ENTRA_JIT_)?{name} is not set$"):
        load_settings()


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("ENTRA_JIT_PROFILE", "unmistakable", "'production' or 'sandbox'"),
        ("ENTRA_JIT_INSTALLATION", "Unmistakable!", "pattern"),
        ("ENTRA_JIT_GRAPH_TIMEOUT_SECONDS", "unmistakable", "number"),
        ("ENTRA_JIT_GRAPH_TIMEOUT_SECONDS", "0", "greater than 0"),
        ("ENTRA_JIT_GRAPH_TIMEOUT_SECONDS", "61", "less than or equal to 60"),
        ("ENTRA_JIT_TASK_QUEUE", "", "at least 1"),
        ("ENTRA_JIT_PROMETHEUS_ADDRESS", "unmistakable", "pattern"),
        ("ENTRA_JIT_LOG_FORMAT", "unmistakable", "'json' or 'console'"),
        ("ENTRA_JIT_GRAPH_URL", "http://graph.microsoft.com/v1.0", "https"),
        ("ENTRA_JIT_LOGIN_URL", "unmistakable", "https"),
    ],
)
def test_a_wrong_setting_is_named_with_what_is_allowed(
    environment: pytest.MonkeyPatch, name: str, value: str, says: str
) -> None:
    environment.setenv(name, value)
    with pytest.raises(SettingsError) as refused:
        load_settings()
    sentence = str(refused.value)
    assert name in sentence
    assert says in sentence
    assert len(sentence.splitlines()) == 1
    assert "unmistakable" not in "".join(traceback.format_exception(refused.value)).lower()


def test_two_wrong_settings_are_told_at_once(environment: pytest.MonkeyPatch) -> None:
    environment.delenv("ENTRA_JIT_KEYS")
    environment.setenv("ENTRA_JIT_LOG_FORMAT", "xml")
    with pytest.raises(SettingsError, match="ENTRA_JIT_KEYS is not set; ENTRA_JIT_LOG_FORMAT: "):
        load_settings()


def test_each_secret_may_stand_in_a_file(environment: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A process's environment is shown by what lists containers, and is inherited by all that it starts."""
    values = {**NEEDED, "ENTRA_JIT_ELEVATE__SECRET": "s-1", "ENTRA_JIT_REVOKE__SECRET": "s-2"}
    values |= {"ENTRA_JIT_SIGN_IN__SECRET": "s-3"}
    for name, value in values.items():
        (tmp_path / name).write_text(f"{value}\n")
        environment.delenv(name, raising=False)
        environment.setenv(f"{name}_FILE", str(tmp_path / name))
    for name in ("ELEVATE", "REVOKE", "SIGN_IN"):
        environment.setenv(f"ENTRA_JIT_{name}__CLIENT_ID", "5e70ca7e-0000-4000-8000-000000005e70")
        environment.setenv(f"ENTRA_JIT_{name}__SECRET_EXPIRES", "2099-12-31")
    settings = load_settings()
    own = [settings.elevate, settings.revoke, settings.sign_in]
    secrets = [settings.database_url, settings.keys, *(one.secret if one else None for one in own)]
    assert [one.get_secret_value() if one else None for one in secrets] == list(values.values())
    environment.setenv("ENTRA_JIT_KEYS", KEYS)
    with pytest.raises(SettingsError, match=r"^ENTRA_JIT_KEYS and ENTRA_JIT_KEYS_FILE are both set"):
        load_settings()
    environment.setenv("DATABASE_URL_FILE", "/nowhere/url")
    with pytest.raises(SettingsError, match=r"^DATABASE_URL_FILE: /nowhere/url cannot be read$"):
        load_settings()


def test_every_secret_is_among_those_that_may_stand_in_a_file() -> None:
    fields = {f"ENTRA_JIT_{name.upper()}" for name, one in Settings.model_fields.items() if "SecretStr" in str(one)}
    assert fields | {"DATABASE_URL"} == {name for name in SECRETS if "__" not in name}
    own = [name for name, one in Settings.model_fields.items() if one.annotation == OwnApplication | None]
    parts = [name for name, one in OwnApplication.model_fields.items() if "SecretStr" in str(one)]
    nested = {f"ENTRA_JIT_{name}__{part}".upper() for name in own for part in parts}
    assert nested == {name for name in SECRETS if "__" in name}


def test_the_portal_has_keys_of_its_own_and_no_others(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("ENTRA_JIT_PORTAL_KEYS", PortalKeyring.derived(Keyring.parse(KEYS)).get_secret_value())
    with pytest.raises(SettingsError, match="ENTRA_JIT_KEYS: is set beside ENTRA_JIT_PORTAL_KEYS"):
        load_settings()
    environment.delenv("ENTRA_JIT_KEYS")
    assert load_settings().keys is None


NOT_MICROSOFTS = [
    "https://localhost:8443/v1.0",
    "https://graph.microsoft.com.evil.example/v1.0",
    "https://evil.example/graph.microsoft.com",
    "https://graph.microsoft.com@evil.example/v1.0",
    "https://evilgraph.microsoft.com/v1.0",
    "https://microsoft.com",
    "https://[::1]/v1.0",
    "https:///v1.0",
    "https://",
    "http://graph.microsoft.com/v1.0",
    "HTTP://graph.microsoft.com",
    "ftp://graph.microsoft.com",
    "graph.microsoft.com",
]


@pytest.mark.parametrize("setting", ["ENTRA_JIT_GRAPH_URL", "ENTRA_JIT_LOGIN_URL"])
@pytest.mark.parametrize("url", NOT_MICROSOFTS)
@pytest.mark.parametrize("profile", ["production", None])
def test_production_talks_to_microsoft_alone(
    environment: pytest.MonkeyPatch, setting: str, url: str, profile: str | None
) -> None:
    """Safety rule 8: the simulated tenant cannot be reached by accident."""
    environment.setenv(setting, url)
    if profile:
        environment.setenv("ENTRA_JIT_PROFILE", profile)
    with pytest.raises(SettingsError, match=setting):
        load_settings()


def test_graphs_host_is_no_host_to_sign_in_at(environment: pytest.MonkeyPatch) -> None:
    assert not MICROSOFT_GRAPH_HOSTS & MICROSOFT_LOGIN_HOSTS
    environment.setenv("ENTRA_JIT_LOGIN_URL", "https://graph.microsoft.com")
    with pytest.raises(SettingsError, match="ENTRA_JIT_LOGIN_URL"):
        load_settings()


@pytest.mark.parametrize("host", sorted(MICROSOFT_GRAPH_HOSTS))
def test_microsofts_national_clouds_are_microsofts(environment: pytest.MonkeyPatch, host: str) -> None:
    environment.setenv("ENTRA_JIT_GRAPH_URL", f"https://{host.upper()}/v1.0")
    assert load_settings().profile == "production"


def test_the_sandbox_profile_permits_a_simulated_tenant_over_tls(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("ENTRA_JIT_PROFILE", "sandbox")
    environment.setenv("ENTRA_JIT_GRAPH_URL", "https://localhost:8443/v1.0")
    assert load_settings().graph_url == "https://localhost:8443/v1.0"
    environment.setenv("ENTRA_JIT_GRAPH_URL", "http://localhost:8443/v1.0")
    with pytest.raises(SettingsError, match="https"):
        load_settings()


def test_our_own_name_of_the_database_goes_before_the_general_one(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("ENTRA_JIT_DATABASE_URL", "postgresql://ours/d")
    assert load_settings().database_url.get_secret_value() == "postgresql://ours/d"


def test_settings_cannot_be_changed_after_they_were_checked(environment: pytest.MonkeyPatch) -> None:
    """Else the profile could be checked with one address and used with another."""
    settings = load_settings()
    with pytest.raises(ValueError, match="frozen"):
        settings.graph_url = "https://evil.example"  # type: ignore[misc]
    assert Settings.model_config["frozen"]


ELEVATE = {
    "ENTRA_JIT_ELEVATE__CLIENT_ID": "e1e7a7e0-0000-4000-8000-00000000e1e7",
    "ENTRA_JIT_ELEVATE__SECRET": "unmistakable",
    "ENTRA_JIT_ELEVATE__SECRET_EXPIRES": "2027-03-31",
}


def test_the_msps_own_applications_stand_in_the_settings(environment: pytest.MonkeyPatch) -> None:
    for name, value in ELEVATE.items():
        environment.setenv(name, value)
    settings = load_settings()
    own = read_own_applications(settings)
    assert own.keys() == {"elevate", "revoke"}
    assert own["elevate"] == own["revoke"]
    assert own["elevate"].expires_at == datetime(2027, 4, 1, tzinfo=UTC)
    assert "unmistakable" not in repr(settings) + str(own)


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("ENTRA_JIT_ELEVATE__CLIENT_ID", "unmistakable", "ENTRA_JIT_ELEVATE__CLIENT_ID: input should be a valid UUID"),
        ("ENTRA_JIT_ELEVATE__CLIENT_ID", None, "ENTRA_JIT_ELEVATE__CLIENT_ID is not set"),
        ("ENTRA_JIT_ELEVATE__SECRET_EXPIRES", None, "ENTRA_JIT_ELEVATE: set SECRET_EXPIRES with SECRET"),
        ("ENTRA_JIT_ELEVATE__CERTIFICATE_FILE", "/a.pem", "ENTRA_JIT_ELEVATE: set exactly one of SECRET, CERT"),
        ("ENTRA_JIT_ELEVATE__SECRETE", "unmistakable", "ENTRA_JIT_ELEVATE__SECRETE: "),
    ],
)
def test_an_application_of_ours_that_is_set_wrongly_is_named(
    environment: pytest.MonkeyPatch, name: str, value: str | None, says: str
) -> None:
    for known, given in ELEVATE.items():
        environment.setenv(known, given)
    environment.delenv(name) if value is None else environment.setenv(name, value)
    with pytest.raises(SettingsError) as refused:
        load_settings()
    assert says in str(refused.value)
    assert "unmistakable" not in str(refused.value)


def test_a_process_that_only_closes_needs_no_more(environment: pytest.MonkeyPatch) -> None:
    """The closer must not hold the credential that opens."""
    for name, value in ELEVATE.items():
        environment.setenv(name.replace("ELEVATE", "REVOKE"), value)
    assert read_own_applications(load_settings()).keys() == {"revoke"}
