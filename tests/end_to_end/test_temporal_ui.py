"""An administrator who has only the Temporal UI, and never saw our code, can read a grant and stop it.

The command line may be out of reach when it matters. If the page shows only ids and type names, the administrator
presses the wrong button: Terminate, which leaves the account open. Whatever is pressed, the account must be closed in
the end, and no button may let a person in.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from playwright.async_api import Browser, Route, expect
from temporalio.client import WorkflowExecutionStatus

from entra_jit.app import App
from entra_jit.local_stack.stack import LocalStack
from entra_jit.operations.reconcile import reconcile
from models.actor import RECONCILER
from models.messages import GrantState
from tests.actors import TESTER
from tests.chromium import CHROMIUM
from tests.command_line import CommandLine
from tests.end_to_end.grant_calls import OPENING_WRITES
from tests.end_to_end.grant_page import TemporalUI, chromium, in_url, picture
from tests.end_to_end.whole_stack import whole_stack
from tests.patience import eventually
from tests.stage import Scene
from tests.ui_guard import ui_guard

COMPOSE = Path(__file__).parent.parent.parent / "docker-compose.yml"

pytestmark = pytest.mark.skipif(not CHROMIUM.exists(), reason=f"there is no {CHROMIUM} to open the Temporal UI with")


@pytest.fixture(scope="module")
async def everything(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[LocalStack, Scene]]:
    """A whole stack with the example configuration."""
    async with whole_stack(tmp_path_factory.mktemp("ui")) as everything:
        yield everything


@pytest.fixture(scope="module")
async def browser() -> AsyncIterator[Browser]:
    """One for all tests, since it starts slowly."""
    async with chromium() as browser:
        yield browser


@pytest.fixture
def act(everything: tuple[LocalStack, Scene]) -> Scene:
    """What can be seen and done besides the UI."""
    return everything[1]


@pytest.fixture
async def ui(everything: tuple[LocalStack, Scene], browser: Browser) -> AsyncIterator[TemporalUI]:
    """The UI as the embedded server serves it behind its guard, with every button."""
    window = await TemporalUI.open(browser, everything[0].unguarded_ui)
    yield window
    await window.page.close()


async def test_an_open_grant_can_be_read_and_is_closed_by_request_cancellation(
    everything: tuple[LocalStack, Scene], act: Scene, ui: TemporalUI
) -> None:
    run, page = CommandLine(everything[0].state_dir), ui.page
    reason = "Mailbox **migration**\n### Alarm: [click](http://evil.example) <b>here</b>"
    grant = await run.request("contoso", "alex", "--ticket", "T-1042", "--reason", reason)
    await act.until(grant, GrantState.OPEN)

    await ui.list('GrantState="open"')
    await page.get_by_role("link", name=f"grant/{grant}").click()

    for summary in (
        "Is contoso.onmicrosoft.com verified and managed?",
        "Make sure of msp-alex@contoso.onmicrosoft.com, closed",
        "Exchange Administrator, Helpdesk Administrator, User Administrator",
        "The grant expires at",
    ):
        await expect(page.get_by_text(summary).first).to_be_visible()
    await picture(page, "timeline")

    await page.get_by_role("tab", name="Search Attributes").click()
    for attribute in ('"Tenant": "contoso"', '"Technician": "alex"', '"GrantState": "open"', '"Ticket": "T-1042"'):
        await expect(page.locator("main")).to_contain_text(attribute)
    await expect(page.locator("main")).to_contain_text('"ExpiresAt": "20')

    await page.get_by_role("tab", name="User Metadata").click()
    await expect(page.get_by_text("Current Details")).to_be_visible()

    async def all_that_is_shown() -> str | None:
        texts = [await frame.locator("body").inner_text() for frame in page.frames]
        shown = " ".join(" ".join(texts).split())
        return shown if "Never Terminate" in shown and "Open until" in shown else None

    shown = await eventually(all_that_is_shown)
    await picture(page, "details")
    for sentence in (
        "alex in contoso: Mailbox **migration** ### Alarm: [click](http://evil.example) <b>here</b>",
        "tenant, from asking to receipt. While a worker runs, the current details say where it stands.",
        "Terminate would leave it open.",
        "Open until 20",
        "Technician: alex",
        "Tenant: contoso",
        "Account: msp-alex@contoso.onmicrosoft.com",
        "Access: Exchange Administrator, Helpdesk Administrator, User Administrator",
        "Reason: Mailbox **migration** ### Alarm",
        "Ticket: T-1042",
        "Request Cancellation or the signal end closes the account within seconds.",
        "Never Terminate a grant: it could not close its account any more.",
    ):
        assert sentence in shown, f"{sentence!r} is not in {shown!r}"
    assert "Open: Open" not in shown

    await ui.cancel()
    await act.until(grant, GrantState.CANCELLED)
    act.assert_closed()
    assert ui.changes == [f"workflows/{in_url(grant)}/cancel"]

    await page.get_by_role("tab", name="Timeline").click()
    await expect(page.get_by_text("Write the receipt, release the lock").first).to_be_visible()
    await picture(page, "cancelled")
    await expect(page.locator("main")).to_contain_text("Canceled")


async def test_an_account_whose_grant_was_terminated_is_closed_by_the_reconciler(act: Scene, ui: TemporalUI) -> None:
    """Terminate gives the workflow no chance to close anything. Only what does not depend on it can."""
    grant = await act.ask("robin", hours=1)
    await act.until(grant, GrantState.OPEN)

    await ui.grant(grant)
    await ui.terminate("looked stuck")
    assert ui.changes == [f"workflows/{in_url(grant)}/terminate"]

    execution = await act.workflow(grant).describe()
    assert execution.status is WorkflowExecutionStatus.TERMINATED
    assert (await act.status(grant)).state is GrantState.OPEN
    [early] = await reconcile(TESTER, act.app, "contoso")
    assert not early.closed
    assert _is_enabled(act, "robin"), "it was granted until its expiry"

    async with App(act.settings, clock=lambda: datetime.now(UTC) + timedelta(hours=1, minutes=11)) as later:
        [report] = await reconcile(TESTER, later, "contoso")

    assert any(act.account("robin") in closed for closed in report.closed), report
    act.assert_closed(act.account("robin"))
    receipt = await act.receipt(grant)
    assert receipt.ending.by == RECONCILER
    assert receipt.standing is not None
    assert receipt.standing.is_closed


async def test_what_waits_for_a_person_is_answered_in_the_ui_and_a_reset_opens_nothing(
    act: Scene, ui: TemporalUI
) -> None:
    """Reset runs a workflow again from an earlier point: what it granted once it must never grant twice."""
    act.fault(customer="fabrikam", **OPENING_WRITES["create the account"], status=403, count=1)
    grant = await act.ask("alex", customer="fabrikam", hours=1)
    await act.until(grant, GrantState.PARKED)
    await ui.grant(grant)
    await ui.page.get_by_role("tab", name="User Metadata").click()
    details = ui.page.frame_locator("iframe").last
    await expect(details.get_by_role("heading", name="Parked")).to_be_visible()
    await expect(details.get_by_text("Grant the app User.ReadWrite.All")).to_be_visible()
    await picture(ui.page, "parked")

    await ui.signal("retry")
    expires_at = (await act.until(grant, GrantState.OPEN)).expires_at

    await ui.reset()
    await _newer_run(act, grant, than=await _first_run(act, grant))
    await ui.grant(grant)
    assert (await act.status(grant)).expires_at == expires_at
    assert _is_enabled(act, "alex", "fabrikam")

    await ui.signal("end")
    await act.until(grant, GrantState.ENDED)
    act.assert_closed(act.account("alex", "fabrikam"), "fabrikam")
    receipt, written = await act.receipt(grant), len(act.journal("fabrikam", writes=True))

    ended = (await act.workflow(grant).describe()).run_id
    await ui.grant(grant)
    await picture(ui.page, "ended")
    await ui.reset()
    await _newer_run(act, grant, than=ended)
    await act.workflow(grant).result()
    act.assert_closed(act.account("alex", "fabrikam"), "fabrikam")
    assert len(act.journal("fabrikam", writes=True)) == written
    assert await act.receipt(grant) == receipt
    workflow = f"workflows/{in_url(grant)}"
    assert ui.changes == [f"{workflow}/{what}" for what in ("signal/retry", "reset", "signal/end", "reset")]


async def test_the_shipped_settings_take_away_the_buttons_that_leave_an_account_open(
    act: Scene, ui: TemporalUI
) -> None:
    """People press what they see. A misspelt setting would be ignored by the UI without a word.

    The embedded server's UI takes no such settings, so the browser is told those of the compose file in their place:
    it is the shipped front end that must understand them.
    """
    grant = await act.ask("kim", hours=1)
    await act.until(grant, GrantState.OPEN)
    await ui.grant(grant)
    await ui.more_actions.click()
    for name in ("terminate", "reset", "start-workflow", "signal"):
        await expect(ui.action(name)).to_be_enabled()
    await ui.list()
    await expect(ui.page.get_by_role("checkbox").first).to_be_visible()

    await ui.page.route("**/api/v1/settings*", _with_the_shipped_settings)
    await ui.grant(grant)
    await ui.more_actions.click()
    await picture(ui.page, "guarded")
    for name in ("terminate", "reset", "start-workflow"):
        await expect(ui.action(name)).to_be_disabled()
        await ui.action(name).click(force=True)
    await expect(ui.action("signal")).to_be_enabled()
    await expect(ui.page.get_by_role("button", name="Request Cancellation")).to_be_enabled()
    await expect(ui.page.get_by_role("dialog")).to_have_count(0)

    await ui.list()
    await expect(ui.page.get_by_role("link", name=f"grant/{grant}").first).to_be_visible()
    await picture(ui.page, "guarded-list")
    await expect(ui.page.get_by_role("checkbox")).to_have_count(0)
    assert ui.changes == []

    await ui.grant(grant)
    await ui.signal("end")
    await act.until(grant, GrantState.ENDED)
    assert ui.changes == [f"workflows/{in_url(grant)}/signal/end"]


async def test_the_guard_is_not_noticed_by_a_person_who_reads_and_ends_grants(
    everything: tuple[LocalStack, Scene], act: Scene, browser: Browser, tmp_path: Path
) -> None:
    """A limit that the UI's own front end meets would be switched off by the first administrator who met it."""
    ended, cancelled = await act.ask("alex", hours=1), await act.ask("kim", hours=1)
    address = everything[0].unguarded_ui
    with ui_guard(tmp_path / "guard", address.removeprefix("http://")) as guarded:
        ui = await TemporalUI.open(browser, guarded)
        refusals: list[str] = []
        ui.page.on("response", lambda answer: refusals.append(answer.url) if answer.status >= 400 else None)
        for grant in (ended, cancelled):
            await act.until(grant, GrantState.OPEN)
            await ui.list('GrantState="open"')
            await ui.page.get_by_role("link", name=f"grant/{grant}").click()
            for tab in ("User Metadata", "Search Attributes", "Timeline"):
                await ui.page.get_by_role("tab", name=tab).click()
            await ui.page.reload()
        await ui.cancel()
        await act.until(cancelled, GrantState.CANCELLED)
        await ui.grant(ended)
        await ui.signal("end")
        await act.until(ended, GrantState.ENDED)
        assert ui.changes == [f"workflows/{in_url(cancelled)}/cancel", f"workflows/{in_url(ended)}/signal/end"]
        assert refusals == []
        await ui.page.close()


async def test_the_ui_of_make_up_lists_grants_first_and_can_only_close(
    everything: tuple[LocalStack, Scene], act: Scene, browser: Browser
) -> None:
    """A list of reconciliations hides the grants, a page of JSON hides what to do, and Terminate hides nothing."""
    grant = await act.ask("robin", hours=1)
    await act.until(grant, GrantState.OPEN)
    ui = await TemporalUI.open(browser, everything[0].addresses.temporal_ui)
    page = ui.page
    await page.goto(f"{ui.address}/?query=WorkflowType%3D%22Reconciliation%22")
    await expect(page.get_by_role("link", name="reconciliation-").first).to_be_visible()
    await page.goto(ui.address)
    row = page.get_by_role("row").filter(has=page.get_by_role("link", name=f"grant/{grant}"))
    for cell in ("open", "contoso", "robin"):
        await expect(row.get_by_role("cell", name=cell, exact=True)).to_be_visible()
    for head in ("GrantState", "Tenant", "Technician"):
        await expect(page.get_by_role("columnheader", name=head)).to_be_visible()
    await expect(page.get_by_text("Reconciliation")).to_have_count(0)
    await expect(page.get_by_role("checkbox")).to_have_count(0)
    await picture(page, "make-up-list")

    await row.get_by_role("link", name=f"grant/{grant}").click()
    await expect(page.get_by_text("see the tab User Metadata")).to_be_visible()
    await ui.more_actions.click()
    for name in ("terminate", "reset", "start-workflow"):
        await expect(ui.action(name)).to_be_disabled()
    await expect(ui.action("signal")).to_be_enabled()

    await ui.grant(grant)
    await expect(page.frame_locator("iframe").last.get_by_text("Open until")).to_be_visible()
    await picture(page, "make-up-grant")
    await ui.signal("end")
    await act.until(grant, GrantState.ENDED)
    assert ui.changes == [f"workflows/{in_url(grant)}/signal/end"]
    await page.close()


async def _with_the_shipped_settings(route: Route) -> None:
    answer = await route.fetch()
    settings: dict[str, Any] = await answer.json()
    variables = yaml.safe_load(COMPOSE.read_text())["services"]["temporal-ui"]["environment"]
    switches = [match[1] for name in variables if (match := re.fullmatch(r"TEMPORAL_(\w+_DISABLED)", name))]
    assert switches
    for switch in switches:
        name = "".join(word.capitalize() for word in switch.split("_"))
        assert settings[name] is False, f"the UI knows no {name}, or it is on by itself"
        settings[name] = variables[f"TEMPORAL_{switch}"] == "true"
    await route.fulfill(response=answer, json=settings)


def _is_enabled(act: Scene, technician: str, customer: str | None = None) -> bool:
    user = act.user(act.account(technician, customer), customer)
    assert user is not None
    return bool(user["enabled"])


async def _first_run(act: Scene, request_id: str) -> str:
    return (await act.workflow(request_id).describe()).raw_description.workflow_execution_info.first_run_id


async def _newer_run(act: Scene, request_id: str, *, than: str) -> None:
    async def newer() -> bool | None:
        return (await act.workflow(request_id).describe()).run_id != than or None

    await eventually(newer)
