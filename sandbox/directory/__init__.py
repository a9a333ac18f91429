"""What a tenant contains, held in memory: immutable rows in indexed tables, every change announced to the store."""
