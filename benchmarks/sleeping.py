"""How much memory a worker needs for grants that sleep: no more than for as many as it keeps in its cache.

    .venv/bin/python -m benchmarks.sleeping [--workflows 2000] [--cached 500]

Each is a grant's own workflow that waits for its request, so that it costs one task rather than a whole opening; its
interpreter state is what memory goes to. With ``--cached`` as large as ``--workflows`` it shows what one costs.
Everything runs on this machine, in a stack of its own, and stops by itself.
"""

from __future__ import annotations

import argparse
import asyncio
import logging

from temporalio.client import Client

from benchmarks.deployment import a_stack, resident_megabytes, running
from entra_jit.logs import configure_logs
from models.names import ACCESS_GRANT

AT_ONCE = 50
STEPS = 5
FIRST_TASK_DONE = 4
"""Events: started, task scheduled, task started, task completed."""

GROWS_BY = 1.15
"""Times that the last step may need what the one that filled the cache did."""


async def measure(count: int, cached: int) -> None:
    """Put more and more of them to sleep, and print the memory after each step."""
    setting = {"ENTRA_JIT_CACHED_WORKFLOWS": str(cached)}
    async with (
        a_stack(["tech"]) as (stack, app, _),
        running("worker.py", environment=stack.environment() | setting) as pid,
    ):
        client, task_queue = await app.temporal(), app.settings.task_queue
        await _put_to_sleep(client, task_queue, range(-1, 0))
        empty = resident_megabytes(pid)
        print(f"a worker that keeps {cached}: {empty:.0f} MB with one")
        filled = empty
        for step in range(1, STEPS + 1):
            first, last = count * (step - 1) // STEPS, count * step // STEPS
            await _put_to_sleep(client, task_queue, range(first, last))
            now = resident_megabytes(pid)
            print(f"  {last:6} asleep: {now:5.0f} MB, {(now - empty) / min(last, cached):.2f} MB for each that is kept")
            if first < 2 * cached:  # those that left are freed only when garbage is looked for
                filled = now
        print(f"from twice a full cache to {count}: {now / filled:.2f} times the memory (at most {GROWS_BY} is flat)")


async def _put_to_sleep(client: Client, task_queue: str, numbers: range) -> None:
    """Start them, and wait until each has had its first task."""
    places = asyncio.Semaphore(AT_ONCE)

    async def one(number: int) -> None:
        async with places:
            handle = await client.start_workflow(ACCESS_GRANT, id=f"asleep/{number}", task_queue=task_queue)
            while (await handle.describe()).history_length < FIRST_TASK_DONE:
                await asyncio.sleep(0.2)

    await asyncio.gather(*map(one, numbers))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workflows", type=int, default=2000, help="how many sleep in the end (default 2000)")
    parser.add_argument("--cached", type=int, default=500, help="how many the worker keeps (default 500)")
    arguments = parser.parse_args()
    configure_logs("console", logging.ERROR)
    asyncio.run(measure(arguments.workflows, arguments.cached))


if __name__ == "__main__":
    main()
