"""The durable processes: deterministic orchestration, and nothing else."""
