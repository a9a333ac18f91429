"""Thousands of rows in one statement: each column travels as an array."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ARRAY, FromClause, Table, bindparam, delete, func, select, tuple_
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import SQLModel
from sqlmodel.ext.asyncio.session import AsyncSession

Row = dict[str, object]


def given(of: type[SQLModel], rows: Sequence[Row], columns: Sequence[str]) -> FromClause:
    """These columns of the rows, as a table in a statement."""
    types = {name: _table(of).columns[name].type for name in columns}
    arrays = (bindparam(None, [row[name] for row in rows], ARRAY(types[name], dimensions=1)) for name in columns)
    return func.unnest(*arrays).table_valued(*columns).render_derived()


async def insert_missing(session: AsyncSession, of: type[SQLModel], rows: Sequence[Row]) -> None:
    """Those that are not there yet."""
    if rows:
        columns = list(rows[0])
        statement = insert(_table(of)).from_select(columns, select(*given(of, rows, columns).c))
        await session.exec(statement.on_conflict_do_nothing())


async def upsert(session: AsyncSession, of: type[SQLModel], rows: Sequence[Row]) -> None:
    """All of them by their primary key. Those that are as they are given are not touched."""
    if not rows:
        return
    columns, there = list(rows[0]), _table(of).columns
    statement = insert(_table(of)).from_select(columns, select(*given(of, rows, columns).c))
    changed = {name: statement.excluded[name] for name in columns if not there[name].primary_key}
    await session.exec(
        statement.on_conflict_do_update(
            index_elements=[name for name in columns if there[name].primary_key],
            set_=changed,
            where=tuple_(*(there[name] for name in changed)).is_distinct_from(tuple_(*changed.values())),
        )
    )


async def replace(session: AsyncSession, of: type[SQLModel], columns: Sequence[str], rows: Sequence[Row]) -> None:
    """These rows and no others, compared by ``columns``. Those that are there already stay."""
    table = _table(of)
    keys = [column.name for column in table.primary_key]
    connection = await session.connection()
    found = await connection.execute(select(*(table.columns[name] for name in (*keys, *columns))))
    there = {tuple(row[len(keys) :]): dict(zip(keys, row, strict=False)) for row in found}
    wanted = {tuple(row[name] for name in columns): row for row in rows}
    if gone := [key for content, key in there.items() if content not in wanted]:
        those = tuple_(*table.primary_key).in_(select(*given(of, gone, keys).c))
        await session.exec(delete(table).where(those))
    await insert_missing(session, of, [row for content, row in wanted.items() if content not in there])


def _table(of: type[SQLModel]) -> Table:
    return SQLModel.metadata.tables[str(of.__tablename__)]
