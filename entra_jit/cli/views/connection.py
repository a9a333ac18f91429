"""Tenants that were connected or disconnected, in a terminal."""

from __future__ import annotations

from rich.console import Console

from entra_jit.cli.views.doctor import show_worst
from entra_jit.cli.views.formatting import moment, say
from models.checks import Examination
from models.connections import Disconnection, DisconnectionPlan, ShownConnection, TenantConnection


def show_connected(console: Console, connection: TenantConnection, examination: Examination | None) -> None:
    """What was proven, and the doctor's worst finding; of one that is not configured, how that is done."""
    say(console, f"{connection.display_name} is connected.")
    _show(console, connection)
    if examination is not None:
        show_worst(console, examination)
        return
    say(console, "Add it to your configuration file, without elevate and revoke, and `apply`:")
    say(console, f"  - name: {connection.domain.partition('.')[0]}")
    say(console, f"    id: {connection.tenant_id}")
    if "." in connection.domain:
        say(console, f"    account_domain: {connection.domain}")


def show_connection(console: Console, found: ShownConnection) -> None:
    """Who authorized it and when, and what this version needs besides."""
    connection = found.connection
    say(console, f"{connection.display_name} ({connection.tenant_id}) was connected by {connection.domain}.")
    _show(console, connection)
    for permission in found.lacking:
        say(console, f"This version needs {permission} as well: run `tenant connect {connection.domain}` again.")


def _show(console: Console, connection: TenantConnection) -> None:
    say(console, f"Authorized by {connection.authorized_by} at {moment(connection.authorized_at)}.")
    for one in connection.applications:
        count = len(one.permissions)
        say(console, f"{one.purpose}: {one.client_id}, {count} permissions, Privileged Authentication Administrator.")


def show_disconnection_plan(console: Console, plan: DisconnectionPlan) -> None:
    """What is deleted."""
    say(console, f"Accounts that are deleted in {plan.tenant} ({len(plan.accounts)}):")
    for account in plan.emergency:
        say(console, f"  {account} is an emergency account: it stays, enabled, and its key is deleted here")
    for account in plan.accounts:
        say(console, f"  {account}")


def show_disconnection(console: Console, outcome: Disconnection) -> None:
    """What only the customer can still do, and what was not done."""
    say(console, f"{outcome.tenant} is disconnected.")
    for why in outcome.not_done:
        say(console, f"Not done: {why}")
    for client_id in outcome.applications_left:
        say(console, f"Ask the customer to delete the enterprise application {client_id}.")
    # What was forced is not proven closed.
    proven = "" if outcome.not_done else ", which was read back closed"
    for account in outcome.accounts_deleted:
        say(console, f"Deleted: {account}. An administrator can restore it for 30 days.")
    for account in outcome.emergency_left:
        say(console, f"  Emergency account, enabled, for the customer to take over or delete: {account}")
    for account in outcome.accounts_left:
        say(console, f"Ask the customer to delete the account {account}{proven}.")
