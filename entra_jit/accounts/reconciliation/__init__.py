"""Holding a directory against the ledger, whatever became of the grants' workflows. Works without Temporal."""
