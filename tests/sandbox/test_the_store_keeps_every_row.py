"""A kind of row that the file cannot give back would be missing only after a restart, on a user's machine."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sandbox.directory.digest import Digest
from sandbox.directory.directory import Directory
from sandbox.directory.rows import SignInMethod, TemporaryAccessPass
from sandbox.directory.table import Identified
from sandbox.planting import plant
from sandbox.seed import load_seed
from sandbox.store import StateError, Store
from tests.sandbox.seeded import ADELE, CONTOSO, HELPDESK

NOW = datetime(2026, 5, 1, 12, 0, 0, 123456, tzinfo=UTC)


def rows(directory: Directory) -> dict[tuple[str, str, str], Identified]:
    found: dict[tuple[str, str, str], Identified] = {("", "application", row.id): row for row in directory.applications}
    for tenant in directory.tenants.values():
        found |= {(tenant.id, table.name, row.id): row for table in tenant.tables.values() for row in table}
    return found


def busy_directory() -> Directory:
    directory = plant(load_seed())
    tenant = directory.tenants[CONTOSO]
    adele = tenant.users.get(ADELE)
    helpdesk = tenant.users.get(HELPDESK)
    assert adele is not None
    assert helpdesk is not None
    held = TemporaryAccessPass(
        id="1", digest=Digest.of("x"), created=NOW, starts=NOW, lifetime_minutes=60, is_usable_once=True, used=True
    )
    method = SignInMethod(id="2", kind="fido2", properties={"model": "key", "certificates": ["a", "b"], "x": None})
    tenant.users.put(replace(adele, temporary_access_pass=held, methods=(method,), must_change_password=True))
    tenant.soft_delete(helpdesk, NOW)
    return directory


def test_what_was_written_is_read_back_whether_rewritten_or_appended(tmp_path: Path) -> None:
    directory = busy_directory()
    for name in ("rewritten", "appended"):
        store = Store(tmp_path / name)
        if name == "rewritten":
            store.rewrite(directory)
        else:
            store.rewrite(Directory())
            directory = busy_directory()
            store.append(directory.take_changes())
        store.close()
        read = Store(tmp_path / name).load()
        assert read is not None
        assert rows(read) == rows(directory)


def test_a_line_that_was_cut_off_is_as_if_never_written(tmp_path: Path) -> None:
    path = tmp_path / "directory.jsonl"
    directory = plant(load_seed())
    store = Store(path)
    store.rewrite(directory)
    before = rows(directory)
    tenant = directory.tenants[CONTOSO]
    tenant.users.remove(ADELE)
    store.append(directory.take_changes())
    whole = path.read_bytes()
    path.write_bytes(whole[:-1])
    cut = Store(path).load()
    assert cut is not None
    assert rows(cut) == before
    path.write_bytes(whole)
    complete = Store(path).load()
    assert complete is not None
    assert (CONTOSO, "user", ADELE) not in rows(complete)


def test_a_file_of_another_version_is_refused_in_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "directory.jsonl"
    path.write_bytes(b'[["t","user","1",{"id":"1"}]]\n')
    with pytest.raises(StateError, match="line 1, was not written by this version"):
        Store(path).load()
