"""What things are: messages that cross a Temporal boundary, and the ledger's tables."""
