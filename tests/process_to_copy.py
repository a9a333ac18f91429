"""What a process of ours has in memory when it begins its work, loaded once so that many can be copied from it."""

from __future__ import annotations

import os

os.environ["COLUMNS"] = "120"  # read when the command line is imported

import anyio.streams.tls
import h2.connection
import httpcore
from temporalio.worker._worker import load_default_build_id

import starter
from tests.end_to_end import dying_worker

LOADED = (anyio, h2, httpcore, starter, dying_worker)

load_default_build_id()  # a second's work, and the same for every copy
