"""The kinds of columns that the ledger's tables share."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Column, DateTime, Dialect, Index, TypeDecorator, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import UserDefinedType
from sqlmodel import Field

from models.actor import Actor


class _ActorColumn(TypeDecorator[Actor]):
    """An actor as JSON: kind, id, name, via."""

    impl = JSONB(none_as_null=True)
    cache_ok = True

    def process_bind_param(self, value: Actor | None, dialect: Dialect) -> dict[str, str] | None:
        return None if value is None else value.model_dump(mode="json")

    def process_result_value(self, value: dict[str, str] | None, dialect: Dialect) -> Actor | None:
        return None if value is None else Actor.model_validate(value)


def actor(*, nullable: bool = True) -> Any:
    """A column for who did it."""
    return Field(default=None, sa_column=Column(_ActorColumn, nullable=nullable))


def moment(*, nullable: bool = True) -> Any:
    """A column for a point in time, kept in UTC."""
    return Field(default=None, sa_column=Column(DateTime(timezone=True), nullable=nullable))


def one_active_of_a_name(table: str) -> Index:
    """Names belong to active rows: one that left the configuration must not keep its name."""
    return Index(f"one_active_name_in_{table}", "name", unique=True, postgresql_where=text("active"))


class TransactionId(UserDefinedType[str]):
    """PostgreSQL's ``xid8``: the number of a transaction, which is never used again."""

    cache_ok = True

    def get_col_spec(self, **_: object) -> str:
        """The type's name in SQL."""
        return "xid8"


def recorded_at(**options: Any) -> Any:
    """A column that PostgreSQL fills with its own clock."""
    clock = text("clock_timestamp()")
    return Field(
        default=None, sa_column=Column(DateTime(timezone=True), nullable=False, server_default=clock, **options)
    )


def quoted_text(*, nullable: bool = True) -> Any:
    """A column for a text that a person wrote: its id in ``texts`` and its salted hash, as events have it."""
    return Field(default=None, sa_column=Column(JSONB(none_as_null=True), nullable=nullable))


def json(default: str) -> Any:
    """A column for JSON, ``default`` where nothing is given."""
    return Field(sa_column=Column(JSONB, nullable=False, server_default=text(f"'{default}'::jsonb")))
