"""How Alembic reaches the ledger: always through ``entra_jit.ledger.schema.upgrade``, which gives it the address."""

from alembic import context
from sqlalchemy import NullPool, create_engine, text
from sqlmodel import SQLModel

import models.tables  # noqa: F401  # registers the tables

ONE_AT_A_TIME = 0x656E7472  # an advisory lock, so that workers which start together do not migrate twice

with create_engine(context.config.attributes["url"], poolclass=NullPool).begin() as connection:
    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": ONE_AT_A_TIME})
    context.configure(connection=connection, target_metadata=SQLModel.metadata, transaction_per_migration=False)
    context.run_migrations()
