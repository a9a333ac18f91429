"""What must be true of emergency accounts, whatever the weather was: always open, and always with a key that works."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from urllib.parse import unquote

from models.messages import SignInOutcome
from tests.chaos.emergency_writes import METHODS, emergency_account_of
from tests.chaos.evidence import EmergencyAccount, Evidence, moment
from tests.chaos.land import GLOBAL_ADMINISTRATOR, Person
from tests.chaos.watch import is_open


def emergency_accounts_fallen(evidence: Evidence) -> Iterator[str]:
    """Each that was wanted was made, and from its completion on it was open with its role and a passkey."""
    for customer in evidence.without_emergency:
        yield f"{customer} wanted an emergency account, and none was made"
    for account in evidence.emergency:
        if account.completed_at is None:
            yield f"{account.account} was never completed"
            continue
        seen = [
            one for one in evidence.standing_open if (one.customer, one.account) == (account.customer, account.account)
        ]
        if len(seen) != 1 or seen[0].last < evidence.last_look:
            yield f"{account.account} was seen without being enabled, its role or a passkey"


def emergency_credentials_lost(evidence: Evidence) -> Iterator[str]:
    """When everything is over, each is open, with its role and one passkey: a sealed one, which signs in."""
    for account in evidence.emergency:
        people = [one for one in evidence.after[account.customer] if account.is_(account.customer, one)]
        sealed = [one.method_id for one in account.passkeys if one.proven_at and one.is_sealed and not one.retired_at]
        kept = [one for one in account.passkeys if not one.retired_at]
        if account.completed_at and [_held(one) for one in people if is_open(one)] != [
            ([GLOBAL_ADMINISTRATOR], sealed)
        ]:
            yield f"{account.account} does not stand enabled with its role, its one sealed passkey and nothing else"
        elif len(kept) != 1:
            yield f"{account.account} has {len(kept)} passkeys in the ledger"
        elif account.last_drill != SignInOutcome.SIGNED_IN:
            yield f"{account.account} was tried in the end: {account.last_drill}"


def _held(person: Person) -> tuple[list[str], list[str]]:
    passes = [person["temporary_access_pass"]] if person["temporary_access_pass"] else []
    return [*person["roles"], *person["groups"]], [method["id"] for method in person["methods"]] + passes


def retired_before_proven(evidence: Evidence) -> Iterator[str]:
    """Whenever a passkey was deleted, another of the account was left that had signed in by then."""
    deleted: dict[str, list[tuple[datetime, str]]] = {}
    for entry in evidence.journal:
        customer, path = evidence.tenant_ids.get(entry["tenant"], "?"), unquote(entry["path"])
        if not entry["effect"] or entry["method"] != "DELETE" or f"{METHODS}/" not in path:
            continue
        account = emergency_account_of(evidence, customer, path)
        if account is None:
            continue
        before = deleted.setdefault(account.account, [])
        before.append((moment(entry), path.rpartition("/")[2]))
        if not _one_is_left(account, before):
            yield f"{account.account} lost a passkey at {moment(entry):%H:%M:%S} before another had signed in"


def _one_is_left(account: EmergencyAccount, deleted: list[tuple[datetime, str]]) -> bool:
    at, gone = deleted[-1][0], {method for _, method in deleted}
    return any(one.proven_at and one.proven_at <= at and one.method_id not in gone for one in account.passkeys)
