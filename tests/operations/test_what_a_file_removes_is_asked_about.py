"""Applying a file removes, takes and ends nothing that was not shown and agreed to.

A file that a colleague had cut off, or that a template had left empty, ended every open grant everywhere, with exit 0
and without a question.
"""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import yaml
from sqlalchemy import text

from benchmarks.applying import large_configuration
from entra_jit.app import App
from entra_jit.ledger import configuration as configurations
from entra_jit.ledger import configuration_versions, events, requests
from entra_jit.ledger.configuration_versions import Version
from entra_jit.operations.apply_configuration import apply_configuration
from entra_jit.operations.export_configuration import export_configuration
from entra_jit.operations.plan_configuration import plan_configuration
from entra_jit.operations.save_configuration import KeptAsFileError, save_configuration
from models.configuration_plan import AccessChange, ChangedMeanwhileError, NotAgreedError, PlanRefusedError
from models.errors import BadInputError, ExitCode
from models.events import EventKind
from models.messages import AccessRequest, Verdict
from tests.actors import TESTER
from tests.ledger.test_lists_are_paged_by_the_database import statements as asked_of

CONTOSO, FABRIKAM = "c0c0c0c0-2222-4222-8222-000000000002", "fab0fab0-3333-4333-8333-000000000003"
TECHNICIANS = ("alex", "kim", "robin", "sam")


@pytest.fixture(autouse=True)
def secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the files name."""
    monkeypatch.setenv("BENCHMARK_SECRET", "unmistakable")


@pytest.fixture
async def clean(app: App) -> None:
    """Nothing is configured."""
    async with app.ledger.transaction() as session:
        await (await session.connection()).execute(text("TRUNCATE tenants, technicians, requests CASCADE"))
        await (await session.connection()).execute(text("TRUNCATE groups CASCADE"))


pytestmark = pytest.mark.usefixtures("clean")


def msp(folder: Path, *technicians: str, **changes: Any) -> Path:
    """A file with these technicians, the first two of whom are seniors."""
    application = {"client_id": str(UUID(int=1)), "secret": {"env": "BENCHMARK_SECRET"}}
    content = {
        "tenants": [
            {"name": name, "id": tenant, "account_domain": f"{name}.onmicrosoft.com", "elevate": application}
            for name, tenant in (("contoso", CONTOSO), ("fabrikam", FABRIKAM))
        ],
        "technicians": [{"name": one, "id": str(UUID(int=7 + TECHNICIANS.index(one)))} for one in technicians],
        "groups": [{"name": "senior", "members": list(technicians[:2])}],
        "role_mappings": [
            {"group": "all-technicians", "roles": ["Helpdesk Administrator"]},
            {"group": "senior", "tenant": "contoso", "roles": ["Exchange Administrator"]},
        ],
        **changes,
    }
    file = folder / "msp.yaml"
    file.write_text(yaml.safe_dump(content))
    return file


async def grant(app: App, technician: str) -> str:
    """A live grant of theirs in contoso."""
    request = AccessRequest(
        request_id=f"r-{technician}", tenant="contoso", technician=technician, reason="a test", asked_at=app.clock()
    )
    async with app.ledger.transaction() as session:
        decision = await requests.answer(session, app.keyring, request, TESTER, app.clock())
    assert decision.verdict is Verdict.ALLOWED
    return request.request_id


async def is_there(app: App, technician: str) -> bool:
    """They may ask for access."""
    async with app.ledger.transaction() as session:
        terms = await configurations.technician_terms(session, technician)
    return terms is not None and terms.active


async def test_nothing_is_removed_before_it_is_shown_and_agreed_to(app: App, tmp_path: Path) -> None:
    await apply_configuration(TESTER, app, msp(tmp_path, *TECHNICIANS[:3]), unproven=True)
    request_id = await grant(app, "robin")
    file = msp(tmp_path, *TECHNICIANS[:2])

    with pytest.raises(NotAgreedError) as refused:
        await apply_configuration(TESTER, app, file, unproven=True)

    plan = refused.value.plan
    assert await is_there(app, "robin")
    assert refused.value.exit_code is ExitCode.REFUSED
    assert plan.technicians.removed == ("robin",)
    assert [(one.request_id, one.technician, one.tenant) for one in plan.ending] == [(request_id, "robin", "contoso")]
    assert await plan_configuration(TESTER, app, file.read_text()) == plan

    assert await apply_configuration(TESTER, app, file, agreed=plan, unproven=True) == plan
    assert not await is_there(app, "robin")


async def test_what_technicians_lose_is_asked_about_as_well(app: App, tmp_path: Path) -> None:
    """A mapping or a member that is gone takes access as surely as a technician who is."""
    await apply_configuration(TESTER, app, msp(tmp_path, *TECHNICIANS[:3]), unproven=True)
    file = msp(tmp_path, *TECHNICIANS[:3], groups=[{"name": "senior", "members": ["kim", "robin"]}])
    with pytest.raises(NotAgreedError) as refused:
        await apply_configuration(TESTER, app, file, unproven=True)
    exchange = ("Exchange Administrator",)
    assert refused.value.plan.losses == (AccessChange(technician="alex", tenant="contoso", access=exchange),)
    assert refused.value.plan.gains == (AccessChange(technician="robin", tenant="contoso", access=exchange),)


async def test_what_has_grown_since_it_was_shown_is_shown_again(app: App, tmp_path: Path) -> None:
    """Between the question and the answer a grant opens, or a colleague saves the file."""
    await apply_configuration(TESTER, app, msp(tmp_path, *TECHNICIANS[:3]), unproven=True)
    file = msp(tmp_path, *TECHNICIANS[:2])
    shown = await plan_configuration(TESTER, app, file.read_text())
    await grant(app, "robin")
    with pytest.raises(NotAgreedError, match="has grown since it was shown"):
        await apply_configuration(TESTER, app, file, agreed=shown, unproven=True)
    assert await is_there(app, "robin")


async def test_many_are_removed_only_with_prune(app: App, tmp_path: Path) -> None:
    """Half a file is a whole one to a reader."""
    await apply_configuration(TESTER, app, msp(tmp_path, *TECHNICIANS), unproven=True)
    file = msp(tmp_path, *TECHNICIANS[:2])
    with pytest.raises(PlanRefusedError, match=r"removes 2 of 4 technicians, more than a tenth\..* pass --prune"):
        await apply_configuration(TESTER, app, file, yes=True, unproven=True)
    assert await is_there(app, "sam")
    await apply_configuration(TESTER, app, file, yes=True, prune=True, unproven=True)
    assert not await is_there(app, "sam")


@pytest.mark.parametrize("content", ["", "# moved elsewhere\n", "{}", "---\n", "tenants:\n"])
async def test_an_empty_file_is_refused_whatever_is_agreed_to(app: App, tmp_path: Path, content: str) -> None:
    await apply_configuration(TESTER, app, msp(tmp_path, *TECHNICIANS), unproven=True)
    (tmp_path / "msp.yaml").write_text(content)
    with pytest.raises(BadInputError):
        await apply_configuration(TESTER, app, tmp_path / "msp.yaml", yes=True, prune=True, unproven=True)
    with pytest.raises(BadInputError):
        await apply_configuration(TESTER, app, Path(os.devnull), yes=True, prune=True, unproven=True)
    assert await is_there(app, "sam")


async def test_a_large_file_takes_few_statements_and_again_none_of_its_rows(app: App, tmp_path: Path) -> None:
    """2,215 statements for 500 tenants: their number grew with the file."""
    file = tmp_path / "msp.yaml"

    async def statements(of: str) -> int:
        file.write_text(of)
        before = app.ledger.statements
        await apply_configuration(TESTER, app, file, yes=True, prune=True, unproven=True)
        return app.ledger.statements - before

    async def rows() -> list[Any]:
        """How many each table has, and the newest transaction that wrote one of them."""
        count = "SELECT tableoid, count(*), max(xmin::text::bigint) FROM {} GROUP BY tableoid"
        tables = ("tenants", "technicians", "groups", "group_members", "role_mappings")
        async with app.ledger.transaction() as session:
            found = await (await session.connection()).execute(text(" UNION ALL ".join(map(count.format, tables))))
            return sorted(map(tuple, found))

    assert await statements(large_configuration(500, 200, 5000)) < 40
    whole = await rows()
    with asked_of(app.ledger) as asked:
        assert await statements(large_configuration(500, 200, 5000)) < 40
    assert not any("configurations.content" in statement for statement, _ in asked), "it is known by its hash"
    assert await rows() == whole, "what stays as it is is not written again"
    assert await statements(large_configuration(20, 10, 100)) < 40
    before, content = await _in_force(app), yaml.safe_load(file.read_text())
    content["technicians"].reverse()
    await statements(yaml.safe_dump(dict(reversed(content.items()))))
    assert await _in_force(app) == before, "the order decides nothing"


async def test_an_export_is_the_file_again_and_applying_it_changes_nothing(app: App, tmp_path: Path) -> None:
    await apply_configuration(TESTER, app, msp(tmp_path, "alex", "kim"), unproven=True)
    exported = tmp_path / "exported.yaml"
    exported.write_text(await export_configuration(TESTER, app))
    assert "unmistakable" not in exported.read_text()
    async with app.ledger.transaction() as session:
        before = await configuration_versions.newest(session)
    assert not (await apply_configuration(TESTER, app, exported, unproven=True)).narrows
    assert await export_configuration(TESTER, app) == exported.read_text()
    async with app.ledger.transaction() as session:
        assert await configuration_versions.newest(session) == before, "the same again is no other version"


async def test_a_default_holds_for_each_tenant_that_says_nothing_else_and_is_shown(app: App, tmp_path: Path) -> None:
    """200 customers are not 200 copies; one word changes them all, so the plan names each."""
    await apply_configuration(TESTER, app, msp(tmp_path, "alex"), unproven=True)
    file = msp(tmp_path, "alex", defaults={"max_hours": 6, "hours": 2})
    content = yaml.safe_load(file.read_text())
    content["tenants"][1] |= {"max_hours": 8, "tags": ["gold"]}
    file.write_text(yaml.safe_dump(content))
    plan = await plan_configuration(TESTER, app, file.read_text())
    assert [(one.tenant, one.field, one.before, one.after) for one in plan.changed] == [
        ("contoso", "hours", "4 h", "2 h"),
        ("contoso", "max_hours", "8 h", "6 h"),
        ("fabrikam", "hours", "4 h", "2 h"),
        ("fabrikam", "tags", "", "gold"),
    ]
    assert await apply_configuration(TESTER, app, file, unproven=True) == plan
    assert "defaults:" in await export_configuration(TESTER, app)


async def _in_force(app: App) -> Version:
    async with app.ledger.transaction() as session:
        found = await configuration_versions.newest(session)
    assert found is not None
    return found


async def test_of_two_who_save_at_once_the_second_is_told_and_loses_nothing(app: App, tmp_path: Path) -> None:
    await apply_configuration(TESTER, app, msp(tmp_path, "alex", "kim"), unproven=True)
    opened = await _in_force(app)
    content = await export_configuration(TESTER, app)
    longer = content.replace("account_domain: contoso", "hours: 6\n  account_domain: contoso")
    plan = await plan_configuration(TESTER, app, longer)
    await save_configuration(TESTER, app, longer, based_on=opened.number, reason="longer", agreed=plan)
    saved = await _in_force(app)
    assert saved.configuration.tenants[0].hours == timedelta(hours=6)
    with pytest.raises(ChangedMeanwhileError, match="since you opened it"):
        await save_configuration(TESTER, app, content, based_on=opened.number, reason="shorter", agreed=plan)
    assert await _in_force(app) == saved
    async with app.ledger.transaction() as session:
        [applied] = await events.newest(session, EventKind.CONFIGURATION_APPLIED, {}, limit=1)
    assert (applied.actor.id, applied.body["reason"]) == (TESTER.id, "longer")


async def test_a_save_removes_no_more_than_was_agreed_to(app: App, tmp_path: Path) -> None:
    await apply_configuration(TESTER, app, msp(tmp_path, "alex", "kim", "robin"), unproven=True)
    opened = await _in_force(app)
    file = msp(tmp_path, "alex", "kim").read_text()
    agreed = await plan_configuration(TESTER, app, await export_configuration(TESTER, app))
    with pytest.raises(NotAgreedError, match="has grown"):
        await save_configuration(TESTER, app, file, based_on=opened.number, reason="a test", agreed=agreed)
    other = file.replace(str(UUID(int=1)), str(UUID(int=2)))
    plan = await plan_configuration(TESTER, app, other)
    with pytest.raises(BadInputError, match=r"no secret of the application .* is stored"):
        await save_configuration(TESTER, app, other, based_on=opened.number, reason="a test", agreed=plan)
    assert await _in_force(app) == opened
    await save_configuration(
        TESTER, app, file, based_on=opened.number, reason="a test", agreed=await plan_configuration(TESTER, app, file)
    )
    assert not await is_there(app, "robin")


async def test_a_configuration_that_is_a_file_is_not_changed_by_a_page(app: App, tmp_path: Path) -> None:
    await apply_configuration(TESTER, app, msp(tmp_path, "alex"), unproven=True)
    content, opened = await export_configuration(TESTER, app), await _in_force(app)
    plan = await plan_configuration(TESTER, app, content)
    async with App(app.settings.model_copy(update={"configuration_is_a_file": True})) as kept:
        with pytest.raises(KeptAsFileError, match="Change the file, and apply it"):
            await save_configuration(TESTER, kept, content, based_on=opened.number, reason="a test", agreed=plan)
