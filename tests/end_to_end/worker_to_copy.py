"""What a worker's process has in memory when it begins to work, loaded once so that many can be copied from it."""

from __future__ import annotations

import anyio.streams.tls
import h2.connection
import httpcore
from temporalio.worker._worker import load_default_build_id

from tests.end_to_end import dying_worker

LOADED = (anyio, h2, httpcore, dying_worker)

load_default_build_id()  # a second's work, and the same for every copy
