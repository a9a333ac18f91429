"""Closing accounts at the instant of their expiry, with neither Temporal nor a workflow."""
