"""Every command of the command line ends with the right exit code, and a failure is one sentence.

Scripts act on the exit code: a 0 for a refusal, or a 1 for an outage, lets them continue as if access had been given or
withdrawn. People act on the sentence: a traceback does not say what to do, and may quote a secret.
"""

from __future__ import annotations

import asyncio
import os
import re
import signal
import socket
import ssl
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from temporalio.client import Client

from entra_jit.local_stack.addresses import StackAddresses, neutral_environment, running_stack
from entra_jit.local_stack.stack import LocalStack
from entra_jit.temporal.schedules import RECONCILIATION_ID
from models.messages import GrantState, GrantStatus
from models.names import workflow_id
from tests.command_line import ROOT, CommandLine, Ran, run_program
from tests.patience import PATIENCE_SECONDS

GRANT = "contoso/alex/visit-1"
DONE, BAD_INPUT, REFUSED, NOT_FOUND, UNREACHABLE, CLOSED_FROM_HERE, NOT_PROVEN, ATTENTION = 0, 2, 3, 4, 5, 6, 7, 8


@pytest.fixture(scope="module")
async def stack(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[LocalStack]:
    """A whole stack with the example configuration."""
    async with LocalStack(tmp_path_factory.mktemp("starter") / "state") as stack:
        apply = [sys.executable, "starter.py", "--state-dir", str(stack.state_dir), "apply", "examples/msp.yaml"]
        applied = await run_program([*apply, "--json"])
        assert applied.code == DONE, applied.err
        assert applied.json["entries"] == {"tenants": 2, "technicians": 3, "groups": 2, "role_mappings": 4}
        yield stack


@pytest.fixture
def run(stack: LocalStack) -> CommandLine:
    """The command line in another terminal."""
    return CommandLine(stack.state_dir)


@pytest.fixture
async def unscheduled(stack: LocalStack) -> AsyncIterator[None]:
    """Nobody reconciles but by a command; a scheduled run could come first, and the command find nothing to do."""
    client = await Client.connect(stack.addresses.temporal, namespace=stack.addresses.namespace)
    schedule = client.get_schedule_handle(RECONCILIATION_ID)
    await schedule.pause()
    yield
    await schedule.unpause()


def one_sentence(ran: Ran, code: int) -> str:
    """The sentence with which a command failed, and nothing else."""
    assert (ran.code, ran.out) == (code, ""), ran
    assert "Traceback" not in ran.err
    assert len(ran.err.strip().splitlines()) == 1, ran.err
    return ran.err.strip()


def is_open(status: GrantStatus) -> bool:
    return status.state is GrantState.OPEN


def is_parked(status: GrantStatus) -> bool:
    return status.state is GrantState.PARKED


def is_over(status: GrantStatus) -> bool:
    return status.state.is_final


def signs_in(addresses: StackAddresses, account: str, **credential: str) -> bool:
    """Whether the simulated sign-in service lets them in."""
    trusted = ssl.create_default_context(cafile=addresses.ca_file)
    with httpx.Client(verify=trusted, trust_env=False, timeout=PATIENCE_SECONDS) as http:
        answer = http.post(f"{addresses.sandbox_control}/sign-in", json={"username": account, **credential})
    return answer.status_code == httpx.codes.OK


async def test_the_life_of_a_grant_command_by_command(stack: LocalStack, run: CommandLine) -> None:
    reason = "Mail [/] flow [bold]is down"
    options = ("--reason", reason, "--ticket", "T-1", "--hours", "1", "--key", "visit-1")
    first, again = await asyncio.gather(
        run("request", "contoso", "alex", *options, "--json"), run("request", "contoso", "alex", *options, "--json")
    )
    assert (first.code, again.code) == (DONE, DONE), (first.err, again.err)
    assert first.json["request_id"] == again.json["request_id"] == GRANT
    status = await run.until(GRANT, is_open)

    other, same_key, early_receipt, listed, shown, stranger = await asyncio.gather(
        run("request", "contoso", "alex", "--reason", reason, "--key", "visit-2"),
        run("request", "contoso", "alex", *options, "--reason", "something else"),
        run("receipt", GRANT),
        run("grants", "--technician", "alex", "--live", "--json"),
        run("status", GRANT),
        run("reveal", GRANT, "--technician", "robin"),
    )
    assert other.code == REFUSED
    assert re.search(rf"the grant {GRANT} is open until .*; ask to extend it", other.out)
    assert f"{GRANT} was made before, and asked for something else" in one_sentence(same_key, REFUSED)
    assert "its receipt is written when it is over" in one_sentence(early_receipt, REFUSED)
    assert [grant["request_id"] for grant in listed.json] == [GRANT]
    assert "msp-alex@contoso.onmicrosoft.com" in shown.out
    assert "not robin's" in one_sentence(stranger, REFUSED)

    revealed = await run("reveal", GRANT, "--technician", "alex", "--json")
    account, kind, secret = (revealed.json[name] for name in ("account", "kind", "credential"))
    assert account == status.account_name == "msp-alex@contoso.onmicrosoft.com"
    assert signs_in(stack.addresses, account, **{kind: secret})
    twice = await run("reveal", GRANT, "--technician", "alex")
    assert "it is shown once" in one_sentence(twice, REFUSED)
    assert secret not in twice.err

    extended, too_long, unreasoned = await asyncio.gather(
        run("extend", GRANT, "--hours", "PT30M", "--reason", "more [/] mail", "--json"),
        run("extend", GRANT, "--hours", "20", "--reason", "more"),
        run("extend", GRANT, "--hours", "1", "--reason", " "),
    )
    assert status.expires_at is not None
    assert datetime.fromisoformat(extended.json["expires_at"]) - status.expires_at == timedelta(minutes=30)
    assert "8 h in all" in one_sentence(too_long, REFUSED)
    assert "reason" in one_sentence(unreasoned, BAD_INPUT)

    ended = await run("end", GRANT, "--reason", "done [/]", "--json")
    assert ended.json == {"grant": GRANT, "ending": True}
    assert (await run.until(GRANT, is_over)).state is GrantState.ENDED
    assert not signs_in(stack.addresses, account, **{kind: secret})
    page, receipt, everything, *late = await asyncio.gather(
        run("receipt", GRANT),
        run("receipt", GRANT, "--json"),
        run("grants"),
        *(run(command, GRANT) for command in ("end", "cancel", "replay")),
        run("extend", GRANT, "--hours", "1", "--reason", "more"),
        run("abandon", GRANT, "--reason", "r"),
        run("reveal", GRANT, "--technician", "alex"),
    )
    for sentence in (
        f"Receipt of the grant {GRANT}",
        "alex for contoso",
        reason,
        "T-1",
        "done [/]",
        "more [/] mail",
        "disabled; no access or sign-in methods",
        "opened",
        "request-id",
    ):
        assert sentence in page.out, page.out
    assert receipt.json["ending"]["state"] == "ended"
    assert receipt.json["request"]["reason"] == reason
    assert everything.code == DONE
    assert GRANT in everything.out
    for refusal in late:
        assert re.search(r"over already|not open|is ended|was ended", one_sentence(refusal, REFUSED))


async def test_wait_shows_a_timeline_to_the_end_and_keeps_json_clean(run: CommandLine) -> None:
    asked = ("--reason", "a test", "--hours", "PT10S", "--wait")

    async def followed_later() -> Ran:
        return await run("status", await run.request("fabrikam", "kim", "--hours", "PT10S"), "--wait")

    told, scripted, later = await asyncio.gather(
        run("request", "contoso", "robin", *asked),
        run("request", "contoso", "kim", *asked, "--json"),
        followed_later(),
    )
    for timeline in (told, later):
        places = [timeline.out.find(word) for word in ("armed", "opened", "disabled", "read back", "expired")]
        assert -1 not in places, timeline.out
        assert places == sorted(places)
    assert told.code == scripted.code == later.code == DONE
    assert scripted.json["state"] == "expired"
    assert re.match(r"contoso/robin/[0-9a-f]+\n", told.out), "what is to be ended is known at once"
    assert "opened" in scripted.err, "the timeline is for people, and goes where people look"


async def test_a_cancelled_request_closes_its_account(run: CommandLine) -> None:
    grant = await run.request("fabrikam", "kim")
    await run.until(grant, is_open)
    assert (await run("cancel", grant, "--reason", "not [/] needed", "--json")).json == {
        "grant": grant,
        "cancelling": True,
    }
    assert (await run.until(grant, is_over)).state is GrantState.CANCELLED
    page = await run("receipt", grant)
    assert "not [/] needed" in page.out
    assert "no access or sign-in methods" in page.out


async def test_a_grant_whose_workflow_is_gone_is_closed_from_here(stack: LocalStack, run: CommandLine) -> None:
    grants = [await run.request(tenant, "kim") for tenant in ("contoso", "fabrikam")]
    client = await Client.connect(stack.addresses.temporal, namespace=stack.addresses.namespace)
    for grant in grants:
        await run.until(grant, is_open)
        await client.get_workflow_handle(workflow_id(grant)).terminate("by a click")

    ended, cancelled = await asyncio.gather(run("end", grants[0]), run("cancel", grants[1], "--json"))

    assert ended.code == cancelled.code == CLOSED_FROM_HERE, (ended, cancelled)
    assert "has not reacted: it does not run any more" in ended.out
    assert "was closed from this machine: closed and read back" in ended.out
    assert cancelled.json["closed"]
    for grant in grants:
        assert "no access or sign-in methods" in (await run("receipt", grant)).out
        assert "over already" in one_sentence(await run("end", grant), REFUSED)


async def test_a_pause_is_seen_wherever_somebody_looks(run: CommandLine) -> None:
    paused = await run("tenant", "pause", "fabrikam", "--reason", "Microsoft is [/] down")
    try:
        assert paused.code == DONE, paused.err
        listed, held, as_json, again = await asyncio.gather(
            run("grants"),
            run("holds"),
            run("holds", "--json"),
            run("tenant", "pause", "fabrikam", "--reason", "another reason"),
        )
        for ran in (paused, listed, held, again):
            assert re.search(r"fabrikam is paused since .* by .*: Microsoft is \[/\] down\.", ran.out), ran
        assert [(hold["kind"], hold["tenant"]) for hold in as_json.json] == [("pause", "fabrikam")]
        assert "reason" in one_sentence(await run("tenant", "pause", "fabrikam", "--reason", " "), BAD_INPUT)
    finally:
        resumed = await run("tenant", "resume", "fabrikam", "--json")
    assert resumed.json == {"tenant": "fabrikam", "resumed": True}
    assert (await run("tenant", "resume", "fabrikam")).out == "fabrikam was not paused.\n"
    assert (await run("holds")).out == "No pauses or stops.\n"
    for verb in (("pause", "nowhere", "--reason", "r"), ("resume", "nowhere")):
        assert "no tenant 'nowhere'" in one_sentence(await run("tenant", *verb), NOT_FOUND)


async def test_what_failed_is_shown_and_replayed_by_one_command(stack: LocalStack, run: CommandLine) -> None:
    """At night nothing may happen to many grants that nobody has looked at first."""
    faults = f"{stack.addresses.sandbox_control}/faults"
    trusted = ssl.create_default_context(cafile=stack.addresses.ca_file)
    async with httpx.AsyncClient(verify=trusted, trust_env=False, timeout=PATIENCE_SECONDS) as http:
        refusal = {"method": "POST", "path": "/roleManagement/**", "tenant": "fabrikam", "status": 403}
        fault = (await http.post(faults, json=refusal)).json()["id"]
        grants = [await run.request("fabrikam", technician) for technician in ("kim", "robin")]
        for grant in grants:
            await run.until(grant, is_parked)
        both = ("--tenant", "fabrikam", "--type", "tenant-refusal", "--since", "1h")
        page, signalled, listed, unlike, planned, *wrong = await asyncio.gather(
            run("failures"),
            run("failures", "--exit-code"),
            run("failures", *both, "--json"),
            run("failures", "--tenant", "Fabrikam ", "--type", "microsoft-outage", "--exit-code"),
            run("replay", *both),
            run("replay"),
            run("replay", grants[0], *both),
            run("failures", "--type", "odd"),
            run("failures", "--since", "yesterday"),
        )
        assert (signalled.code, signalled.out) == (ATTENTION, page.out)
        assert (unlike.code, unlike.out) == (DONE, "No failures.\n")
        assert [ran.code for ran in wrong] == [BAD_INPUT] * len(wrong)
        assert "2 need attention: 2 tenant-refusal." in page.out
        assert "could not assign the directory role" in page.out
        shown = {(one["request_id"], one["state"], one["failure_class"], one["remedy"]) for one in listed.json}
        assert shown == {(grant, "parked", "tenant-refusal", "retry") for grant in grants}
        assert planned.code == DONE
        assert "Nothing was done" in planned.out
        assert (await run("failures", *both, "--json")).json == listed.json, "nothing was tried again"
        await http.delete(f"{faults}/{fault}")

    replayed = await run("replay", *both, "--yes", "--json")
    assert replayed.code == DONE, replayed
    assert {(one["request_id"], one["how"], one["goes_on"]) for one in replayed.json} == {
        (grant, "retry", True) for grant in grants
    }
    for grant in grants:
        await run.until(grant, is_open)
    twice, again = await asyncio.gather(run("replay", *both, "--yes"), run("replay", grants[0]))
    assert (twice.code, twice.out) == (DONE, "Nothing to replay.\n")
    assert "is open; nothing has failed" in one_sentence(again, REFUSED)
    await asyncio.gather(*(run("end", grant) for grant in grants))
    for grant in grants:
        await run.until(grant, is_over)


async def test_everything_is_closed_by_one_command(stack: LocalStack, run: CommandLine) -> None:
    grant = await run.request("contoso", "robin")
    status = await run.until(grant, is_open)
    stop = ("close-all", "--reason", "a laptop [/] was stolen")
    asked, ambiguous, nowhere, unreasoned, no_ledger = await asyncio.gather(
        run(*stop),
        run(*stop, "--tenant", "contoso", "--technician", "robin"),
        run(*stop, "--tenant", "nowhere"),
        run("close-all", "--yes", "--reason", " "),
        run(*stop, "--yes", **{**stack.environment(), "DATABASE_URL": f"postgresql://u@{nobody()}/d"}),
    )
    assert "pass --yes" in one_sentence(asked, BAD_INPUT)
    assert "not both" in one_sentence(ambiguous, BAD_INPUT)
    assert "no tenant 'nowhere'" in one_sentence(nowhere, NOT_FOUND)
    assert "reason" in one_sentence(unreasoned, BAD_INPUT)
    assert "PostgreSQL cannot be reached" in one_sentence(no_ledger, UNREACHABLE)
    assert is_open(await run.until(grant, is_open)), "none of these has closed anything"

    no_engine = {**stack.environment(), "TEMPORAL_ADDRESS": nobody()}
    try:
        stopped = await run(*stop, "--technician", "robin", **no_engine)
        assert stopped.code == DONE, stopped
        for said in (
            "open 1",
            "closed 1",
            status.account_name,
            "Temporal was not reached",
            "for robin is stopped since",
        ):
            assert str(said) in stopped.out, stopped.out
        assert (await run.until(grant, is_over)).state is GrantState.ENDED
        listed, refused, everybody = await asyncio.gather(
            run("grants"),
            run("request", "fabrikam", "robin", "--reason", "r"),
            run(*stop, "--yes", "--json"),
        )
        assert "for robin is stopped since" in listed.out
        assert refused.code == REFUSED
        assert "a laptop [/] was stolen" in refused.out
        assert everybody.code == DONE
        assert everybody.json["grants"] == []
        assert everybody.json["stop"]["technician"] is None
    finally:
        lifted = [await run("lift-stop", *whom, "--json") for whom in ((), ("--technician", "robin"))]
    assert [ran.json["lifted"] for ran in lifted] == [True, True]
    assert "No such stop is in force" in (await run("lift-stop")).out


@pytest.mark.usefixtures("unscheduled")
async def test_what_cannot_be_closed_is_given_up_alarmed_and_reconciled_by_commands(
    stack: LocalStack, run: CommandLine
) -> None:
    control = stack.addresses.sandbox_control
    trusted = ssl.create_default_context(cafile=stack.addresses.ca_file)
    grant = await run.request("fabrikam", "kim")
    account = str((await run.until(grant, is_open)).account_name)
    give_up = ("abandon", grant, "--reason", "the customer [/] has left us")
    too_early, unreasoned, unknown, clears_nothing, no_kind, no_reason, nowhere = await asyncio.gather(
        run(*give_up),
        run("abandon", grant, "--reason", " "),
        run("abandon", "nothing", "--reason", "r"),
        run("alarms", "--clear", "closing late", grant, "--reason", "r"),
        run("alarms", "--clear", "toothache", grant, "--reason", "r"),
        run("alarms", "--clear", "closing late", grant, "--reason", " "),
        run("reconcile", "--tenant", "nowhere"),
    )
    assert "End it first" in one_sentence(too_early, REFUSED)
    assert "reason" in one_sentence(unreasoned, BAD_INPUT)
    assert "There is no grant 'nothing'" in one_sentence(unknown, NOT_FOUND)
    assert "No such alarm: closing late" in one_sentence(clears_nothing, NOT_FOUND)
    assert "the kinds are" in one_sentence(no_kind, BAD_INPUT)
    assert "reason" in one_sentence(no_reason, BAD_INPUT)
    assert "no tenant 'nowhere'" in one_sentence(nowhere, NOT_FOUND)
    assert is_open(await run.until(grant, is_open)), "none of these has changed anything"

    async with httpx.AsyncClient(verify=trusted, trust_env=False, timeout=PATIENCE_SECONDS) as http:
        disabling = {"method": "PATCH", "path": "/users/*", "body_contains": '"accountEnabled":false'}
        fault = (await http.post(f"{control}/faults", json={**disabling, "tenant": "fabrikam", "status": 403})).json()
        await run("end", grant)
        given_up = await run(*give_up)
        assert given_up.code == DONE, given_up
        assert "ABANDONED" in given_up.out
        assert "the customer [/] has left us" in given_up.out
        twice, of_fabrikam, of_contoso, cannot = await asyncio.gather(
            run(*give_up),
            run("alarms", "--json", "--exit-code"),
            run("alarms", "--tenant", "contoso"),
            run("reconcile", "--tenant", "fabrikam"),
        )
        assert (twice.code, twice.out) == (DONE, given_up.out), "it keeps its receipt"
        [alarm] = [one for one in of_fabrikam.json if one["subject"] == grant]
        assert (of_fabrikam.code, alarm["kind"], alarm["cleared_at"]) == (ATTENTION, "closing abandoned", None)
        assert of_contoso.out == "No alarms.\n"
        assert cannot.code == UNREACHABLE
        assert "failed" in cannot.out

        await http.delete(f"{control}/faults/{fault['id']}")
        [closing] = (await run("reconcile", "--tenant", "fabrikam", "--json")).json
        assert any(account in closed for closed in closing["closed"])
        [person] = [
            one
            for one in (await http.get(f"{control}/tenants/fabrikam/users")).json()
            if one["user_principal_name"] == account
        ]
        assert (person["enabled"], person["roles"]) == (False, [])
        at_peace, alarms, past = await asyncio.gather(
            run("reconcile"), run("alarms"), run("alarms", "--all", "--exit-code")
        )
        assert (at_peace.code, past.code) == (DONE, DONE), "what is over needs no attention"
        assert at_peace.out.count("no findings") == 2
        assert alarms.out == "No alarms.\n"
        assert "closing abandoned" in past.out
        assert "All clear" in past.out

        await http.patch(f"{control}/tenants/fabrikam/users/{person['id']}", json={"enabled": True})
        again = await run("reconcile", "--tenant", "fabrikam")
        assert again.code == DONE
        assert f"closed    {account}: it was enabled without a live grant" in again.out
        assert "was changed:" in again.out
        closed = (await http.get(f"{control}/tenants/fabrikam/users/{person['id']}")).json()
        assert closed["enabled"] is False
    cleared = await run("alarms", "--clear", "foreign change", account, "--reason", "it was [/] us", "--json")
    assert "it was [/] us" in cleared.json[0]["all_clear"]
    assert (await run("alarms")).out == "No alarms.\n"


async def test_what_does_not_exist_is_not_found(run: CommandLine) -> None:
    more = {"extend": ("--hours", "1", "--reason", "r"), "reveal": ("--technician", "alex")}
    commands = ("status", "end", "cancel", "replay", "receipt", "extend", "reveal")
    for ran in await asyncio.gather(*(run(command, "nothing", *more.get(command, ())) for command in commands)):
        assert "There is no grant" in one_sentence(ran, NOT_FOUND)
        assert "'nothing'" in ran.err
    naming = {
        "tenant": (
            *(("failures",), ("grants",), ("replay",), ("alarms",), ("reconcile",), ("lift-stop",)),
            ("close-all", "--reason", "r"),
        ),
        "technician": (("grants",), ("lift-stop",), ("close-all", "--reason", "r")),
    }
    options = [
        (kind, (*command, f"--{kind}", misspelt))
        for kind, misspelt in (("tenant", "contosso"), ("technician", "aleks"))
        for command in naming[kind]
    ]
    arguments = [
        ("tenant", ("register", "contosso")),
        ("tenant", ("tenant", "pause", "contosso", "--reason", "r")),
        ("tenant", ("tenant", "resume", "contosso")),
        ("tenant", ("request", "contosso", "alex", "--reason", "r")),
        ("technician", ("request", "contoso", "aleks", "--reason", "r")),
        ("technician", ("erase-texts", "aleks")),
        ("technician", ("erase-texts", "aleks", "--yes")),
    ]
    typed = [*options, *arguments]
    for (kind, _), ran in zip(typed, await asyncio.gather(*(run(*command) for _, command in typed)), strict=True):
        nearest = {"tenant": "contoso", "technician": "alex"}[kind]
        assert f"There is no {kind} '" in one_sentence(ran, NOT_FOUND)
        assert ran.err.endswith(f"Did you mean {nearest}?\n")


async def test_a_name_is_found_in_any_case_and_with_space_around_it(run: CommandLine) -> None:
    grant = await run.request(" Contoso", "Kim ")
    assert grant.startswith("contoso/kim/")
    try:
        listed, theirs = await asyncio.gather(
            run("grants", "--tenant", "CONTOSO", "--live", "--json"),
            run("grants", "--technician", "\tkim\n", "--live", "--json"),
        )
        assert [grant] == [one["request_id"] for one in listed.json] == [one["request_id"] for one in theirs.json]
    finally:
        await run("end", f" {grant}")
        await run.until(grant, is_over)


async def test_a_register_that_has_forgotten_nothing_is_said_to_be_whole(run: CommandLine) -> None:
    shown, entered = await asyncio.gather(run("register", "contoso"), run("register", "contoso", "--yes", "--json"))
    assert shown.out == "No unregistered accounts.\n"
    assert entered.json == []


async def test_what_policy_refuses_is_refused(run: CommandLine) -> None:
    for arguments, why in (
        (("contoso", "alex", "--hours", "9"), "9 h cannot be granted in contoso: from 10 s to 8 h"),
    ):
        ran = await run("request", *arguments, "--reason", "a test")
        assert ran.code == REFUSED
        assert why in ran.out
        assert "Traceback" not in ran.err


@pytest.mark.parametrize(
    "arguments",
    [
        ("request", "contoso", "alex", "--reason", "r", "--hours", "four"),
        ("request", "contoso", "alex", "--reason", "r", "--hours", "P9999999999999999D"),
        ("request", "contoso", "alex", "--reason", "r", "--wait", "--wait-open"),
        ("request", "contoso", "alex", "--reason", "r", "--key", ""),
        ("status", "no such id"),
        ("request", "contoso", "alex", "--reason", "r", "--key", "../x"),
        ("end", "some", "--reason", " "),
        ("abandon", "some"),
        ("alarms", "--clear", "closing late"),
        ("apply", "no-such-file.yaml"),
    ],
    ids=" ".join,
)
async def test_bad_input_is_said_before_anything_happens(run: CommandLine, arguments: tuple[str, ...]) -> None:
    ran = await run(*arguments)
    assert (ran.code, ran.out) == (BAD_INPUT, "")
    assert ran.err
    assert "Traceback" not in ran.err


async def test_apply_and_erase_show_what_they_would_remove_and_ask(run: CommandLine, tmp_path: Path) -> None:
    """A file that had been cut off ended every open grant, with exit 0."""
    file = tmp_path / "msp.yaml"
    whole = (ROOT / "examples" / "msp.yaml").read_text()
    without_kim = whole[: whole.index("  - name: kim")] + whole[whole.index("\ngroups:") :]
    file.write_text(without_kim)
    asked, planned = await run("apply", str(file)), await run("apply", str(file), "--json")
    file.write_text(whole[: whole.index("  - name: robin")])
    cut_off = await run("apply", str(file), "--yes")
    file.write_text(whole)
    unchanged = await run("apply", str(file))

    assert (asked.code, asked.out) == (BAD_INPUT, "")
    assert asked.err.splitlines() == ["technicians removed (1 of 3)", "  kim", "Not a terminal; pass --yes."]
    assert (planned.code, planned.json["technicians"]["removed"]) == (REFUSED, ["kim"])
    assert (cut_off.code, cut_off.out) == (REFUSED, "")
    assert "The file removes 2 of 3 technicians, 5 of 5 role mappings, more than a tenth." in cut_off.err
    assert (unchanged.code, unchanged.err) == (DONE, "")
    assert unchanged.out == "Applied: 2 tenants, 3 technicians, 2 groups, 4 role_mappings.\n"

    assert (await run("request", "contoso", "alex", "--hours", "9", "--reason", "a test")).code == REFUSED
    asked, erased, again = [
        await run("erase-texts", "alex", *options) for options in ((), ("--yes", "--json"), ("--yes",))
    ]
    assert (asked.code, asked.out) == (BAD_INPUT, "")
    assert erased.json["erased"] > 0, "asking erased nothing"
    assert (again.code, again.out) == (DONE, "0 texts about alex are erased.\n")


def nobody() -> str:
    """An address that nobody listens at."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{taken.getsockname()[1]}"


async def test_a_service_that_cannot_be_reached_is_one_sentence(stack: LocalStack, run: CommandLine) -> None:
    here = stack.environment()
    no_ledger = {**here, "DATABASE_URL": f"postgresql://u:unmistakable@{nobody()}/d"}
    no_engine = {**here, "TEMPORAL_ADDRESS": nobody()}
    ask = ("request", "contoso", "alex", "--reason", "r", "--key", "never")
    without_ledger = (("migrate",), ("grants",), ("apply", "examples/msp.yaml"))
    without_engine = (ask, ("end", "x"), ("status", "x"))
    for ran in await asyncio.gather(*(run(*arguments, **no_ledger) for arguments in without_ledger)):
        assert "the ledger's PostgreSQL cannot be reached" in one_sentence(ran, UNREACHABLE)
        assert "unmistakable" not in ran.err
    for ran in await asyncio.gather(*(run(*arguments, **no_engine) for arguments in without_engine)):
        assert f"Temporal at {no_engine['TEMPORAL_ADDRESS']} cannot be reached" in one_sentence(ran, UNREACHABLE)
    assert (await run("grants", **no_engine)).code == DONE, "what only reads the ledger needs no Temporal"


async def test_the_portals_keys_are_written_for_their_owner_alone(
    stack: LocalStack, run: CommandLine, tmp_path: Path
) -> None:
    file = tmp_path / "portal.env"
    file.write_text("of last year")
    ran = await run("portal-keys", str(file), **stack.environment())
    assert (ran.code, ran.out, ran.err) == (DONE, "", "")
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.read_text() == f"{stack.addresses.portal_environment()['ENTRA_JIT_PORTAL_KEYS']}\n"
    opens_tenants = {"ENTRA_JIT_KEYS", "SANDBOX_ELEVATE_SECRET", "ENTRA_JIT_ELEVATE__SECRET"}
    assert opens_tenants <= stack.environment().keys()
    assert not opens_tenants & stack.addresses.portal_environment().keys()
    nowhere = await run("portal-keys", "/nowhere/portal.env", **stack.environment())
    assert "/nowhere" in one_sentence(nowhere, BAD_INPUT)


async def test_wrong_settings_are_named_and_not_quoted(stack: LocalStack, run: CommandLine, tmp_path: Path) -> None:
    here = stack.environment()
    wrong = {
        "DATABASE_URL": {**here, "DATABASE_URL": "unmistakable"},
        "ENTRA_JIT_KEYS": {**here, "ENTRA_JIT_KEYS": "k1:unmistakable"},
        "ENTRA_JIT_GRAPH_URL": {**here, "ENTRA_JIT_PROFILE": "production"},
        "TEMPORAL_": {**here, "TEMPORAL_PROFILE": "misspelt"},
    }
    ran = await asyncio.gather(*(run("status", "x", **environment) for environment in wrong.values()))
    for name, refused in zip(wrong, ran, strict=True):
        assert name in one_sentence(refused, BAD_INPUT)
        assert "unmistakable" not in refused.err
    no_directory = await CommandLine(Path("/dev/null"))("grants")
    assert "Not a directory" in one_sentence(no_directory, BAD_INPUT)
    nothing_runs = await CommandLine(tmp_path)("grants")
    assert "make up" in one_sentence(nothing_runs, UNREACHABLE)


async def _up(state_dir: Path) -> tuple[asyncio.subprocess.Process, StackAddresses, str]:
    """``make up`` and what it has said when it is ready."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "starter.py", "--state-dir", str(state_dir), "up"),
        cwd=ROOT,
        env=neutral_environment(),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    assert process.stdout is not None
    said = ""
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while "Ctrl-C stops everything" not in said:
                line = (await process.stdout.readline()).decode()
                assert line, said
                said += line
        stack = running_stack(state_dir)
        assert stack is not None
        for address in (stack.temporal_ui, stack.temporal, stack.graph_url, stack.database_url, stack.sandbox_control):
            assert address in said
    except BaseException:
        process.send_signal(signal.SIGINT)
        await process.communicate()
        raise
    return process, stack, said


async def _down(process: asyncio.subprocess.Process, addresses: StackAddresses) -> str:
    process.send_signal(signal.SIGINT)
    async with asyncio.timeout(PATIENCE_SECONDS):
        rest, _ = await process.communicate()
    assert process.returncode == DONE, rest.decode()
    assert rest.decode().endswith("Stopped.\n")
    assert "Traceback" not in rest.decode()
    for part, pid in addresses.pids.items():
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
        assert pid, part
    return rest.decode()


async def test_up_stays_up_stops_whole_and_goes_on_where_it_was(tmp_path: Path) -> None:
    """A laptop is closed over live grants; when it is opened again they end on time, or at once, and are named."""
    run = CommandLine(tmp_path / "state")
    process, addresses, said = await _up(run.state_dir)
    try:
        assert "Continues" not in said
        short, long = await asyncio.gather(
            run("request", "contoso", "alex", "--reason", "a test", "--hours", "PT30S", "--wait-open", "--json"),
            run("request", "contoso", "kim", "--reason", "a test", "--hours", "1", "--wait-open", "--json"),
        )
        assert [ran.json["state"] for ran in (short, long)] == ["open", "open"]
        expired, continued = short.json["request_id"], long.json["request_id"]
        assert short.err.startswith(f"{expired}\n"), "the id comes first"
        os.kill(addresses.pids["worker"], signal.SIGKILL)
        assert process.stdout is not None
        again = ""
        while not again.strip():
            again = (await process.stdout.readline()).decode()
        assert re.search(r"worker ended \(SIGKILL\) and was started again; its log is .*worker\.log", again)
    finally:
        said = await _down(process, _addresses_now(run.state_dir, addresses))
    _, found, listed = said.partition(
        "Not closed while the stack is stopped; `make up` closes what has expired by then:"
    )
    assert found
    assert expired in listed
    assert continued in listed

    expires_at = datetime.fromisoformat(short.json["expires_at"])
    await asyncio.sleep((expires_at - datetime.now(UTC)).total_seconds())
    process, addresses, said = await _up(run.state_dir)
    try:
        closed, continues = said.index("Closed now; it was due while"), said.index("Continues:")
        assert closed < said.index(f"{expired}  expired: ") < continues < said.index(f"{continued}  Open until ")
        assert re.search(rf"{expired}  .* Closed .+ late\.", said)
        receipt = await run("receipt", expired, "--json")
        assert receipt.json["ending"]["state"] == "expired"
        assert datetime.fromisoformat(receipt.json["disabled_at"]) >= expires_at
        done = {step["name"] for step in receipt.json["steps"]}
        assert "closed by the reconciler" not in done, "its own workflow went on, and came first"
        assert receipt.json["standing"]["enabled"] is False
    finally:
        await _down(process, addresses)


def _addresses_now(state_dir: Path, before: StackAddresses) -> StackAddresses:
    return running_stack(state_dir) or before


async def test_the_doctor_says_what_is_wrong_and_repairs_what_was_agreed(run: CommandLine, tmp_path: Path) -> None:
    recording = tmp_path / "recording.jsonl"
    well = await run("tenant", "doctor", "contoso", "--exit-code", "--record", str(recording))
    assert well.code == DONE, well
    assert "D101" in well.out
    assert "Grants can be opened and closed." in well.out
    assert recording.read_text().count("\n") > 10
    assert "exists" in one_sentence(await run("tenant", "doctor", "contoso", "--record", str(recording)), BAD_INPUT)
    assert "There is no tenant 'consoto'" in one_sentence(await run("tenant", "doctor", "consoto"), NOT_FOUND)
    assert (await run("tenant", "doctor", "--fix")).code == BAD_INPUT

    addresses = running_stack(run.state_dir)
    assert addresses is not None
    trusted = ssl.create_default_context(cafile=addresses.ca_file)
    role = "Privileged Authentication Administrator"
    async with httpx.AsyncClient(base_url=addresses.sandbox_control, verify=trusted, trust_env=False) as http:
        principals = [{"app": "entra-jit revoke", "remove_roles": [role]}]
        assert (await http.post("/tenants/contoso", json={"service_principals": principals})).is_success
    ill = await run("tenant", "doctor", "contoso", "--exit-code", "--json")
    assert ill.code == ATTENTION
    states = {one["check"]: one["state"] for one in ill.json[0]["findings"]}
    assert (states["D101"], states["D105"]) == ("ok", "failed")
    assert "Not a terminal; pass --yes." in (asked := await run("tenant", "doctor", "contoso", "--fix")).err
    assert (asked.code, "D105" in asked.out) == (BAD_INPUT, True)
    made = await run("tenant", "doctor", "contoso", "--fix", "--yes")
    assert (made.code, "done: " in made.out) == (DONE, True), made
    assert (await run("tenant", "doctor", "contoso", "--exit-code")).code == DONE


async def test_the_canary_is_followed_to_its_proof(run: CommandLine) -> None:
    ran = await run("tenant", "canary", "contoso")
    assert ran.code == DONE, ran
    assert "Opened, closed and proven. Sign-in: " in ran.out
    assert one_sentence(await run("tenant", "canary", "consoto"), NOT_FOUND)


async def test_an_emergency_account_that_is_not_there_is_not_found(run: CommandLine, tmp_path: Path) -> None:
    ran = await run("emergency", "list")
    assert (ran.code, "No emergency accounts" in ran.out) == (DONE, True), ran
    for command in (["drill", "contoso"], ["rotate", "contoso", "--yes"], ["drill", "consoto"]):
        assert one_sentence(await run("emergency", *command), NOT_FOUND)
    assert "pass --yes" in one_sentence(await run("emergency", "rotate", "contoso"), BAD_INPUT)
    kit = tmp_path / "contoso.kit"
    kit.write_text("{}")
    assert "no emergency kit" in one_sentence(await run("emergency", "verify", str(kit)), BAD_INPUT)
    there = await run("emergency", "kit", str(kit), "--reason", "the safe")
    assert "exists already" in one_sentence(there, BAD_INPUT)
