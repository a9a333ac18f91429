"""Bringing the ledger's schema up to date with Alembic."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from pydantic import SecretStr

from ledger.database import sqlalchemy_url

MIGRATIONS = Path(__file__).resolve().parent.parent / "migrations"


def upgrade(database_url: SecretStr) -> None:
    """Apply every migration that is missing; all or nothing, and nothing the second time.

    Two processes that start together wait for each other (an advisory lock in ``migrations/env.py``).
    """
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["url"] = sqlalchemy_url(database_url)
    command.upgrade(config, "head")
