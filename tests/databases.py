"""Databases of a test's own, on the PostgreSQL of its process."""

from __future__ import annotations

import secrets

import psycopg


def new_database(url: str, *, template: str = "postgres") -> str:
    """A ledger with the schema and nothing else, or a copy of another ``template``; its URL."""
    name = f"test_{secrets.token_hex(6)}"
    with psycopg.connect(url.replace("/postgres?", "/template1?"), autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY file_copy')
    return url.replace("/postgres?", f"/{name}?")
