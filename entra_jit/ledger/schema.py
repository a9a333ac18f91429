"""Bringing the ledger's schema up to date with Alembic."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from pydantic import SecretStr
from sqlalchemy.exc import OperationalError

from entra_jit.ledger.database import LedgerUnavailableError, first_line, sqlalchemy_url

MIGRATIONS = Path(__file__).resolve().with_name("migrations")


def upgrade(database_url: SecretStr) -> None:
    """Apply every migration that is missing; all or nothing, and nothing the second time.

    Two processes that start together wait for each other (an advisory lock in ``entra_jit/ledger/migrations/env.py``).
    Raises ``LedgerUnavailableError`` or ``SettingsError``.
    """
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["url"] = sqlalchemy_url(database_url)
    try:
        command.upgrade(config, "head")
    except OperationalError as error:
        raise LedgerUnavailableError(f"the ledger's PostgreSQL cannot be reached: {first_line(error)}") from None
