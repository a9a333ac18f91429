"""Who may have what, for how long, under which name: pure functions that decide, and nothing that acts."""
