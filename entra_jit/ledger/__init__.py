"""Everything that reads or writes PostgreSQL, one subject a module.

The functions take a session of ``Ledger.transaction()``; what happens in one transaction happens whole or not at all.
"""
