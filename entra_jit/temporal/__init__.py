"""What we ask of Temporal and how we reach it: one plugin for client, worker and replayer, one way to connect."""
